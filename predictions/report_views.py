"""Reporting a picture that somebody was shown, and what came of it. Anybody may, with an account or without."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import throttle
from accounts.models import User
from predictions import moderation, sharing
from predictions.access import unlisted
from predictions.models import Report, Upload
from predictions.report_forms import ReportForm

PER_MINUTE = 5
PER_DAY = 30
DAY = 24 * 3600


@unlisted
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@throttle.limit_rate("report", PER_MINUTE)
def report(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET asks what is wrong with one picture of a shared page, POST reports it."""
    shown = sharing.find(token)
    if shown is None:
        raise Http404(_("This link shows nothing any more, so there is nothing to report."))
    upload = _chosen(shown, request.POST.get("picture") or request.GET.get("picture") or "")
    if request.user.is_authenticated and upload.owner_id == request.user.pk:
        sentence = _("This is a picture of your own. You can delete it, or withdraw the link to it.")
        return _page(request, shown, upload, None, refused=sentence)
    if request.method != "POST":
        return _page(request, shown, upload, ReportForm())
    form = ReportForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, upload, form)
    if seconds := throttle.wait("reports", _who(request), PER_DAY, DAY):
        sentence = _("You have reported %(count)d pictures today. Report more of them tomorrow.")
        return throttle.refuse(request, seconds, sentence % {"count": PER_DAY})
    try:
        made = moderation.report(
            shown,
            upload,
            reason=form.cleaned_data["reason"],
            text=form.cleaned_data["text"],
            reporter=_account(request),
            reporter_key=reporter_key(request, form.cleaned_data["reason"]),
        )
    except (moderation.NothingToReport, moderation.OwnPicture) as error:
        raise Http404(str(error)) from error
    return redirect("predictions:report-status", pk=made.pk)


def _chosen(shown: sharing.Shown, given: str) -> Upload:
    """The picture that is reported: the one named, or the only one there is."""
    if given:
        upload = shown.upload(given)
        if upload is None:
            raise Http404(
                _(
                    "This picture is not on the shared page, or it is no longer shown. There is nothing to report."
                )
            )
        return upload
    uploads = list(shown.uploads[:2])
    if len(uploads) != 1:
        raise Http404(_("Choose on the shared page which picture you want to report."))
    return uploads[0]


def _account(request: HttpRequest) -> User | None:
    return None if isinstance(request.user, AnonymousUser) else request.user


def _who(request: HttpRequest) -> Any:
    return request.user.pk if request.user.is_authenticated else throttle.address_of(request)


def reporter_key(request: HttpRequest, reason: str) -> str:
    """Tells one reporter from another while a report is open, without the address of a visitor being kept.

    Visitors who share an address, such as a class, are told apart by what they say.
    """
    if request.user.is_authenticated:
        return f"u{request.user.pk}"
    address = throttle.address_of(request)
    return salted_hmac("predictions.report", f"{address} {reason}", algorithm="sha256").hexdigest()


def _page(
    request: HttpRequest, shown: sharing.Shown, upload: Upload, form: ReportForm | None, refused: str = ""
) -> HttpResponse:
    context = {"share": shown.share, "upload": upload, "form": form, "refused": refused}
    failed = request.method == "POST" or bool(form and form.errors)
    response = render(request, "predictions/report.html", context, status=422 if failed else 200)
    # A form on a page without a referrer would be refused: see ``unlisted``.
    response["Referrer-Policy"] = "same-origin"
    return response


# --- what came of it ---------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What a reporter reads: a title, a sentence, and the kind of notice that they stand in."""

    title: str
    says: str
    kind: str


@unlisted
@never_cache
@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """What came of a report, for whoever has its address."""
    made = get_object_or_404(Report.objects.select_related("upload"), pk=pk)
    again = ngettext(
        "You reported this picture once more; it counts as one report.",
        "You reported this picture %(count)d more times; it counts as one report.",
        made.repeated,
    ) % {"count": made.repeated}
    context = {"report": made, "outcome": outcome_of(made), "again": again if made.repeated else ""}
    return render(request, "predictions/report_status.html", context)


def outcome_of(made: Report) -> Outcome:
    gone = made.upload is None or made.upload.hidden is not None
    if made.state == Report.State.UPHELD and not gone:
        says = _("A moderator took the picture away, and after another look showed it again.")
        return Outcome(_("Shown again"), says, "info")
    if made.state == Report.State.UPHELD:
        says = _("A moderator took the picture away: nobody is shown it any more. Thank you for the report.")
        return Outcome(_("Taken away"), says, "success")
    if gone:
        says = _("The picture is no longer shown to anybody. Thank you for the report.")
        return Outcome(_("No longer there"), says, "success")
    if made.state == Report.State.DISMISSED:
        says = _("A moderator looked at the picture and left it as it is. Thank you for the report.")
        return Outcome(_("Left as it is"), says, "info")
    says = _(
        "Your report has arrived. A moderator will look at the picture and decide what is done about it."
    )
    return Outcome(_("Received"), says, "info")
