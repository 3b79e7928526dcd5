"""The queue of reports, in the admin: what is to be decided, with all that one has to know for it, in two clicks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts import suspension
from accounts.models import ModerationEntry, User
from accounts.moderation_log import as_reason
from predictions import moderation
from predictions.admin_search import QuickList, owned_by_like, words_of
from predictions.admin_tools import ReadOnlyAdmin, ReasonForm, blurred, may_moderate, who
from predictions.models import RemovedPicture, Report, Upload
from predictions.shares import Share

SUSPEND = "accounts.suspend_user"
LAST_ENTRIES = 20
VERBS = {
    "hide": gettext_lazy("Hide everywhere"),
    "show": gettext_lazy("Show again"),
    "remove": gettext_lazy("Remove for good"),
    "dismiss": gettext_lazy("Dismiss"),
    "suspend": gettext_lazy("Suspend the account"),
}


class StateFilter(admin.SimpleListFilter):
    """The queue is what is open; what was decided is shown to those who ask for it."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Report.State.choices, ("all", _("all"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, title in self.lookup_choices:
            yield {
                "selected": (self.value() or Report.State.OPEN) == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        state = self.value() or Report.State.OPEN
        return queryset if state == "all" else queryset.filter(state=state)


class Queue(QuickList):
    """A page of reports. What is open stands in it once a picture: the oldest report of it, with what others said."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        if self.params.get("state", Report.State.OPEN) != Report.State.OPEN:
            return found
        if any(name.startswith(("reason", "created")) for name in self.params):
            # The oldest report may be none of those that are looked for.
            return found
        before = Report.objects.filter(state=Report.State.OPEN, upload=OuterRef("upload")).order_by()
        older = Q(created__lt=OuterRef("created")) | Q(created=OuterRef("created"), pk__lt=OuterRef("pk"))
        return found.filter(~Exists(before.filter(older)))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = rows = list(self.result_list)
        said = _said_of({row.upload_id for row in rows if row.upload_id})
        for row in rows:
            reasons = said.get(row.upload_id, Counter({row.reason: 1 + row.repeated}))
            row.times = reasons.total()
            others = [(reason, number) for reason, number in reasons.most_common() if reason != row.reason]
            row.others = [(Report.Reason(reason).label, number) for reason, number in others]
            row.thumbnail = blurred(row.upload)
            row.own = row.account_id == request.user.pk
            row.verbs = verbs_for(request, row)


def _said_of(pictures: set[Any]) -> dict[Any, Counter[str]]:
    """How often each of the pictures was reported for which reason."""
    # In no order: the one of the table would be grouped by, too.
    counted = Report.objects.filter(upload__in=pictures).order_by().values("upload", "reason")
    said: dict[Any, Counter[str]] = {}
    for one in counted.annotate(reports=Count("pk"), again=Sum("repeated")):
        said.setdefault(one["upload"], Counter())[one["reason"]] = one["reports"] + one["again"]
    return said


def verbs_for(request: HttpRequest, report: Report) -> list[tuple[str, Any]]:
    """What this moderator may do about a report now, with the words on the button; nothing about their own picture."""
    if report.account_id == request.user.pk or not may_moderate(request):
        return []
    names = []
    if report.upload is not None:
        names += ["hide"] if report.upload.hidden is None else ["show"]
        names += ["remove"]
    if report.state == Report.State.OPEN:
        names += ["dismiss"]
    if _may_be_suspended(request, report.account):
        names += ["suspend"]
    return [(name, VERBS[name]) for name in names]


def _may_be_suspended(request: HttpRequest, account: User | None) -> bool:
    if account is None or account.suspended is not None or not request.user.has_perm(SUSPEND):
        return False
    return bool(request.user.is_superuser or not account.is_superuser)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    change_list_template = "admin/predictions/report/change_list.html"
    change_form_template = "admin/predictions/report/change_form.html"
    list_display = ("reason", "account", "state", "created")
    list_filter = (StateFilter, "reason", "created")
    list_select_related = ("upload", "account", "share", "reporter", "decided_by")
    list_per_page = 25
    sortable_by = ()
    date_hierarchy = "created"
    search_fields = ("account__email", "upload__filename")
    search_help_text = gettext_lazy("The owner’s e-mail address, or the file name")
    fields = ("reason", "text", "account", "upload", "state", "created")
    readonly_fields = fields
    action_form = ReasonForm
    actions = ("hide_pictures", "remove_pictures", "dismiss_reports", "suspend_accounts")

    # --- who may ------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request) or super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request) or super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request) and request.user.has_perm(SUSPEND)

    # --- the queue ----------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Queue

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What waits longest comes first; of what was decided, the newest."""
        waiting = request.GET.get("state", Report.State.OPEN) == Report.State.OPEN
        return ("created", "id") if waiting else ("-created", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any, Any], search_term: str
    ) -> tuple[QuerySet[Any, Any], bool]:
        for word in words_of(search_term):
            wanted = owned_by_like(word, "account")
            queryset = queryset.filter(
                wanted if "@" in word else wanted | Q(upload__filename__icontains=word)
            )
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": _("Reports"), **(extra_context or {})})

    # --- one report ---------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        if report is not None and self.has_view_permission(request, report):
            extra_context = {**(extra_context or {}), **self._about(request, report)}
        return super().change_view(request, object_id, form_url, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            return None
        return Report.objects.select_related(*self.list_select_related).get(pk=found.pk)

    @staticmethod
    def _about(request: HttpRequest, report: Report) -> dict[str, Any]:
        beside = Report.objects.filter(upload=report.upload_id).select_related("reporter", "decided_by")
        account = report.account
        about: dict[str, Any] = {
            "report": report,
            "picture": blurred(report.upload, 320),
            "verbs": verbs_for(request, report),
            "own": report.account_id == request.user.pk,
            "beside": beside.order_by("created", "pk")[:100] if report.upload_id else [report],
            "live_share": _live(report.share),
        }
        if account is not None:
            entries = ModerationEntry.objects.filter(account=account).select_related("actor")
            uploads = Upload.objects.filter(owner=account)
            about |= {
                "entries": entries[:LAST_ENTRIES],
                "uploads": uploads.count(),
                "hidden_uploads": uploads.filter(hidden__isnull=False).count(),
                "reports_about": Report.objects.filter(account=account).count(),
            }
        return about

    # --- deciding -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "<uuid:pk>/<slug:verb>/decide/",
            self.admin_site.admin_view(self.decide_view),
            name="predictions_report_decide",
        )
        return [address, *super().get_urls()]

    @method_decorator(require_POST)
    def decide_view(self, request: HttpRequest, pk: Any, verb: str) -> HttpResponse:
        """One button: decides about one report, and goes back to where the button was."""
        if verb not in VERBS or not may_moderate(request):
            raise PermissionDenied
        if verb == "suspend" and not self.has_suspend_permission(request):
            raise PermissionDenied
        report = get_object_or_404(Report.objects.select_related(*self.list_select_related), pk=pk)
        given = as_reason(request.POST.get(f"reason-{pk}", ""))
        # The page on which a report was decided already offers what is left to do about the picture.
        seen = request.POST.get(f"state-{pk}", Report.State.OPEN)
        try:
            sentence = decide(who(request), verb, report, given, from_queue=seen == Report.State.OPEN)
        except REFUSALS as error:
            messages.error(request, str(error))
        else:
            messages.success(request, sentence)
        if request.POST.get("back") == "report":
            return redirect("admin:predictions_report_change", pk)
        query = urlencode(parse_qsl(request.POST.get("back", "").lstrip("?")))
        return redirect(f"{reverse('admin:predictions_report_changelist')}?{query}".rstrip("?"))

    def _decide_all(self, request: HttpRequest, verb: str, reports: QuerySet[Report]) -> None:
        """The same about every selected report; what cannot be done is said and left out."""
        done = 0
        refused: dict[str, None] = {}
        given = as_reason(request.POST.get("reason", ""))
        for report in reports.select_related(*self.list_select_related):
            try:
                decide(who(request), verb, report, given, from_queue=report.state == Report.State.OPEN)
                done += 1
            except REFUSALS as error:
                refused[str(error)] = None
        for sentence in refused:
            messages.error(request, sentence)
        if done:
            sentence = ngettext("%(verb)s: %(count)d report.", "%(verb)s: %(count)d reports.", done)
            messages.success(request, sentence % {"verb": VERBS[verb], "count": done})

    @admin.action(description=gettext_lazy("Hide the pictures everywhere"), permissions=["moderate"])
    def hide_pictures(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide_all(request, "hide", queryset)

    @admin.action(description=gettext_lazy("Remove the pictures for good"), permissions=["moderate"])
    def remove_pictures(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide_all(request, "remove", queryset)

    @admin.action(description=gettext_lazy("Dismiss the reports"), permissions=["moderate"])
    def dismiss_reports(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide_all(request, "dismiss", queryset)

    @admin.action(description=gettext_lazy("Suspend the accounts"), permissions=["suspend"])
    def suspend_accounts(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self._decide_all(request, "suspend", queryset)


class NothingLeft(Exception):
    """What should be decided about is gone."""


REFUSALS = (
    moderation.OwnPicture,
    moderation.AlreadyDecided,
    suspension.MayNotSuspend,
    suspension.ReasonMissing,
    NothingLeft,
)


def decide(actor: User, verb: str, report: Report, reason: str, *, from_queue: bool = True) -> str:
    """Does what a button says; returns what happened in a sentence. Raises one of REFUSALS."""
    if verb == "suspend":
        # In the moderator's own words: its owner is told at the login.
        return _suspend(actor, report, reason)
    reason = reason or str(report.get_reason_display())
    if verb == "dismiss":
        return _dismiss(actor, report, reason)
    if report.upload is None:
        raise NothingLeft(_("This picture is gone already. Dismiss the report, or suspend the account."))
    uploads: Iterable[Upload] = [report.upload]
    because = report if from_queue else None
    if verb == "hide":
        moderation.hide(actor, uploads, reason, because)
        return _("The picture is hidden everywhere.")
    if verb == "remove":
        moderation.remove(actor, uploads, reason, because)
        return _("The picture is removed for good.")
    moderation.show(actor, uploads, reason)
    return _("The picture is shown again.")


def _dismiss(actor: User, report: Report, reason: str) -> str:
    """What one report of a picture says not to be true, the others say in vain as well: it was looked at."""
    if report.upload_id is None:
        reports = [report]
    else:
        reports = list(Report.objects.filter(upload=report.upload_id, state=Report.State.OPEN))
    if report.pk not in {one.pk for one in reports} or not moderation.dismiss(actor, reports, reason):
        raise NothingLeft(_("This report was decided already. Nothing was changed."))
    if len(reports) > 1:
        return _("All reports of this picture are dismissed. The picture stays as it is.")
    return _("The report is dismissed. The picture stays as it is.")


def _suspend(actor: User, report: Report, reason: str) -> str:
    if report.account_id == actor.pk:
        raise moderation.OwnPicture
    if report.account is None:
        raise NothingLeft(_("The account is gone already."))
    try:
        suspended = suspension.suspend(actor, report.account, reason)
    except User.DoesNotExist as error:
        raise NothingLeft(_("The account is gone already.")) from error
    if not suspended:
        raise NothingLeft(_("The account is suspended already. Nothing was changed."))
    if report.state == Report.State.OPEN and report.upload is not None:
        return _("The account is suspended. The report is still open: decide about its picture, too.")
    return _("The account is suspended.")


def _live(share: Share | None) -> Share | None:
    """The share while its link may be followed."""
    return share if share is not None and share.withdrawn is None else None


# --- what was removed --------------------------------------------------------------------------------------


@admin.register(RemovedPicture)
class RemovedPictureAdmin(ReadOnlyAdmin):
    """How pictures looked that were removed. Deleting an entry lets pictures in that only happen to look like it."""

    list_display = ("fingerprint", "created")
    list_filter = ("created",)
    date_hierarchy = "created"
    search_fields = ("fingerprint",)
    fields = ("fingerprint", "created")
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request)
