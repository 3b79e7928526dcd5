"""The history: one's own predictions listed, deleted and brought back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import InvalidPage, Paginator
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from predictions import lifecycle
from predictions.access import OwnRequest, for_owners, problem, wants_json
from predictions.filters import HistoryFilter
from predictions.models import UNDO, Prediction

PAGE_SIZE = 24
UNDO_KEY = "predictions_to_undo"


@for_owners
@require_safe
def history(request: OwnRequest) -> HttpResponse:
    """One's own predictions, newest first, filtered by what stands in the address."""
    own = Prediction.objects.of(request.user).filter(asked=True)
    filtered = HistoryFilter(request.GET, queryset=own, request=request)
    # A filter that cannot be read shows nothing: everything would look like its answer.
    found = own.none() if filtered.form.errors else filtered.qs
    runs = found.with_answers().defer("network_input__pixels")
    paginator = Paginator(runs, PAGE_SIZE)
    query = request.GET.copy()
    number = (query.pop("page", None) or ["1"])[-1]
    active = any(query.get(name) for name in filtered.form.fields)
    context = {"form": filtered.form, "query": _prefix(query), "active": active, "paginator": paginator}
    try:
        page = paginator.page(number)
    except InvalidPage:
        return render(request, "predictions/no_page.html", context | {"number": number[:20]}, status=404)
    context |= {"page": page, "pages": list(paginator.get_elided_page_range(page.number, on_each_side=1))}
    context |= {"undo": _take_undo(request), "anything": bool(page.object_list) or (active and own.exists())}
    return render(request, "predictions/history.html", context)


def _prefix(query: QueryDict) -> str:
    """What stands before `page=` in the addresses of other pages."""
    return f"{query.urlencode()}&" if query else ""


def _take_undo(request: OwnRequest) -> list[str]:
    """The ids that were just deleted without JavaScript, once, as long as they can come back."""
    ids = request.session.pop(UNDO_KEY, [])
    young = Prediction.objects.filter(owner=request.user, pk__in=ids, deleted__gte=Now() - UNDO)
    return [str(pk) for pk in young.values_list("pk", flat=True)] if ids else []


@for_owners
@require_POST
def delete(request: OwnRequest) -> HttpResponse:
    """Hides one's own predictions. They can come back for ten seconds; then they are removed."""
    hidden = [str(pk) for pk in lifecycle.delete(request.user, _ids(request))]
    if wants_json(request):
        says = ngettext("The prediction is deleted.", "%(count)d predictions are deleted.", len(hidden))
        return JsonResponse(
            {
                "deleted": hidden,
                "seconds": int(UNDO.total_seconds()),
                "message": says % {"count": len(hidden)},
            }
        )
    request.session[UNDO_KEY] = hidden
    return redirect(_history_address(request))


@for_owners
@require_POST
def undo(request: OwnRequest) -> HttpResponse:
    """Brings back what was just deleted."""
    restored = lifecycle.undo(request.user, _ids(request))
    if wants_json(request):
        if not restored:
            return problem(410, "too_late", _("It was too late: the prediction is gone."))
        return JsonResponse({"restored": restored})
    if restored:
        back = ngettext("The prediction is back.", "%(count)d predictions are back.", restored)
        messages.success(request, back % {"count": restored})
    else:
        messages.error(request, _("It was too late: the prediction is gone."))
    return redirect(_history_address(request))


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    """The ids that were sent; what is none names nothing."""
    found = []
    for value in request.POST.getlist("id")[:1000]:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found


def _history_address(request: HttpRequest) -> str:
    """The history page the form stood on: only its query is taken from the form, never a host."""
    query = QueryDict(request.POST.get("query", "")[:1000])
    return reverse("predictions:history") + (f"?{query.urlencode()}" if query else "")
