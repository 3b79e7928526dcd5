"""The history: one's own predictions listed and exported, deleted and brought back."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import EmptyPage, InvalidPage
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.throttle import limit_rate
from predictions import history_table, lifecycle, quotas
from predictions.access import OwnRequest, for_owners, id_of, problem, wants_json
from predictions.activity import strip
from predictions.history import HistoryPages, own
from predictions.history_filter import MORE, HistoryFilter
from predictions.models import UNDO, Prediction
from predictions.tables import csv_response

UNDO_KEY = "predictions_to_undo"
MANY = 1000
# Reading a whole history costs the database more than a page of it.
READING = ("GET", "HEAD")
ACTIVITY_PER_MINUTE = 60
EXPORTS_PER_MINUTE = 10


@for_owners
@require_safe
def history(request: OwnRequest) -> HttpResponse:
    """One's own predictions, filtered and ordered by what stands in the address."""
    filtered, found = _found(request, request.GET)
    pages = HistoryPages(found, filtered.order)
    number = (request.GET.getlist("page") or ["1"])[-1]
    context: dict[str, Any] = {"form": filtered.form, "filter": filtered, "paginator": pages}
    context["query"] = f"{filtered.address}&" if filtered.wanted else ""
    try:
        page = _page(request, pages, number)
    except InvalidPage:
        return render(request, "predictions/no_page.html", context | {"number": number[:20]}, status=404)
    active = filtered.active
    context |= {"page": page, "pages": list(pages.get_elided_page_range(page.number, on_each_side=1))}
    context |= {"active": active, "more_open": any(name in active for name in MORE)}
    asked = bool(filtered.wanted)
    context |= {"anything": bool(page.object_list) or (asked and own(request.user).exists())}
    context |= {"undo": _take_undo(request), "here": request.GET.urlencode()}
    return render(request, "predictions/history.html", context)


def _found(request: OwnRequest, data: QueryDict) -> tuple[HistoryFilter, QuerySet[Prediction]]:
    """The filter in an address, and what it finds."""
    everything = own(request.user)
    filtered = HistoryFilter(data, queryset=everything, request=request)
    # A filter that cannot be read shows nothing: everything would look like its answer.
    return filtered, everything.none() if filtered.form.errors else filtered.qs


def _page(request: OwnRequest, pages: HistoryPages, number: str) -> Any:
    try:
        return pages.page(number)
    except EmptyPage:
        if UNDO_KEY not in request.session:
            raise
        # The last page went with what was just deleted from it.
        return pages.page(pages.num_pages)


def _take_undo(request: OwnRequest) -> list[str]:
    """The ids that were just deleted without JavaScript, once, as long as they can come back."""
    ids = request.session.pop(UNDO_KEY, [])
    young = Prediction.objects.filter(owner=request.user, pk__in=ids, deleted__gte=Now() - UNDO)
    return [str(pk) for pk in young.values_list("pk", flat=True)] if ids else []


@for_owners
@require_safe
@limit_rate("activity", ACTIVITY_PER_MINUTE, methods=READING)
def activity(request: OwnRequest) -> HttpResponse:
    """How many predictions each day has, all other filters kept: a fragment for scripts, a page for people."""
    asked, _asked = _found(request, request.GET)
    if asked.form.errors:
        if wants_json(request):
            return problem(400, "invalid_filter", _("This filter cannot be read"))
        return redirect(f"{reverse('predictions:history')}?{request.GET.urlencode()}")
    data = request.GET.copy()
    days = {name: asked.form.cleaned_data[name] for name in ("start", "end")}
    for name in days:
        data.pop(name, None)
    others, found = _found(request, data)
    shown = strip(found, **days)
    others_kept = f"{others.address}&" if others.wanted else ""
    links = shown.links(f"{reverse('predictions:history')}?{others_kept}")
    context = {"strip": shown, "links": links, "filter": asked}
    if wants_json(request):
        return JsonResponse(
            {"html": render_to_string("predictions/_history_activity.html", context, request)}
        )
    return render(request, "predictions/history_activity.html", context)


@for_owners
@require_safe
@limit_rate("export", EXPORTS_PER_MINUTE, methods=READING)
def export(request: OwnRequest) -> HttpResponseBase:
    """All that the filter finds as a CSV file, newest first, sent while it is read."""
    filtered, found = _found(request, request.GET)
    if filtered.form.errors:
        return redirect(f"{reverse('predictions:history')}?{request.GET.urlencode()}")
    rows = history_table.rows(found, timezone.get_current_timezone())
    return csv_response(f"convoscope-{timezone.localdate()}.csv", history_table.COLUMNS, rows)


@for_owners
@require_POST
def delete(request: OwnRequest) -> HttpResponse:
    """Hides one's own predictions. They can come back for ten seconds; then they are removed."""
    ids = sent_ids(request)
    hidden = [str(pk) for pk in lifecycle.delete(request.user, ids)]
    if wants_json(request):
        seconds = int(UNDO.total_seconds())
        return JsonResponse({"deleted": hidden, "seconds": seconds, "message": _deleted(ids, hidden)})
    if not hidden:
        messages.add_message(request, messages.INFO if ids else messages.ERROR, _deleted(ids, hidden))
    request.session[UNDO_KEY] = hidden
    return redirect(history_address(request))


def _deleted(ids: list[uuid.UUID], hidden: list[str]) -> str:
    if not ids:
        return nothing_selected()
    if not hidden:
        # In another tab, or by a second click.
        return ngettext(
            "The prediction was deleted already.", "The predictions were deleted already.", len(ids)
        )
    says = ngettext("The prediction is deleted.", "%(count)d predictions are deleted.", len(hidden))
    return says % {"count": len(hidden)}


@for_owners
@require_POST
def undo(request: OwnRequest) -> HttpResponse:
    """Brings back what was just deleted."""
    try:
        restored = lifecycle.undo(request.user, sent_ids(request))
    except quotas.QuotaExceeded as error:
        if wants_json(request):
            return problem(422, error.code, str(error))
        messages.error(request, str(error))
        return redirect(history_address(request))
    if wants_json(request):
        if not restored:
            return problem(410, "too_late", _("It was too late: the prediction is gone."))
        return JsonResponse({"restored": restored})
    if restored:
        back = ngettext("The prediction is back.", "%(count)d predictions are back.", restored)
        messages.success(request, back % {"count": restored})
    else:
        messages.error(request, _("It was too late: the prediction is gone."))
    return redirect(history_address(request))


def sent_ids(request: HttpRequest) -> list[uuid.UUID]:
    """The ids that were sent; what is none names nothing."""
    return [pk for value in request.POST.getlist("id")[:MANY] if (pk := id_of(value))]


def nothing_selected() -> str:
    return _("Nothing was selected. Select at least one prediction first.")


def history_address(request: HttpRequest) -> str:
    """The history page the form stood on: only its query is taken from the form, never a host."""
    query = QueryDict(request.POST.get("query", "")[:1000])
    return reverse("predictions:history") + (f"?{query.urlencode()}" if query else "")
