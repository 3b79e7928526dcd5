"""What may be done about work that waits or has failed: cancelling it, trying it again, and deleting a whole batch."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.throttle import limit_rate
from predictions import lifecycle, quotas
from predictions.access import OwnRequest, for_owners, id_of, problem, wants_json
from predictions.batch_table import batch_of, runs_of
from predictions.batch_views import batch_address
from predictions.history_views import UNDO_KEY
from predictions.models import UNDO, Batch, Prediction


def own_batch(request: OwnRequest, pk: uuid.UUID) -> Batch:
    batch = batch_of(request.user, pk)
    if batch is None or not runs_of(request.user, batch).exists():
        raise Http404(
            _("There are no predictions here. They may have been deleted, or the address may be wrong.")
        )
    return batch


@for_owners
@require_POST
def cancel(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancels one of one's own predictions while it waits."""
    run = Prediction.objects.of(request.user).filter(pk=pk).first()
    if run is None:
        raise Http404(
            _("There is no prediction here. It may have been deleted, or the address may be wrong.")
        )
    count = lifecycle.cancel(request.user, pk=run.pk)
    return _told(request, run.get_absolute_url(), "cancelled", count, _cancelled(count))


@for_owners
@require_POST
def cancel_batch(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancels what still waits of a batch. What a worker has begun is finished."""
    batch = own_batch(request, pk)
    count = lifecycle.cancel(request.user, batch=batch)
    return _told(request, batch_address(request, pk), "cancelled", count, _cancelled(count))


def _cancelled(count: int) -> str:
    if not count:
        return _("Nothing was waiting any more.")
    return ngettext("%(count)d answer is cancelled.", "%(count)d answers are cancelled.", count) % {
        "count": count
    }


@for_owners
@require_POST
@limit_rate("predict", 240)
def retry_batch(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Queues what failed or was cancelled of a batch again: all of it, or the runs that are named."""
    batch = own_batch(request, pk)
    scope: dict[str, Any] = {"batch": batch}
    if named := request.POST.getlist("run"):
        scope["pk__in"] = [one for value in named[:1000] if (one := id_of(value))]
    try:
        count = lifecycle.retry(request.user, **scope)
    except quotas.QuotaExceeded as error:
        return _told(request, batch_address(request, pk), "retried", 0, str(error), refused=True)
    sentence = ngettext(
        "%(count)d answer is asked for again.", "%(count)d answers are asked for again.", count
    )
    nothing = _("There is nothing to try again.")
    return _told(
        request,
        batch_address(request, pk),
        "retried",
        count,
        sentence % {"count": count} if count else nothing,
    )


@for_owners
@require_POST
def delete_batch(request: OwnRequest, pk: uuid.UUID) -> HttpResponse:
    """Hides all predictions of a batch; the history offers to bring them back, for ten seconds."""
    batch = own_batch(request, pk)
    ids = list(runs_of(request.user, batch).values_list("pk", flat=True))
    hidden = [str(one) for one in lifecycle.delete(request.user, ids)]
    if wants_json(request):
        return JsonResponse({"deleted": hidden, "seconds": int(UNDO.total_seconds())})
    request.session[UNDO_KEY] = hidden
    return redirect(reverse("predictions:history"))


def _told(
    request: OwnRequest, address: str, verb: str, count: int, sentence: str, *, refused: bool = False
) -> HttpResponse:
    """Back to the page with a sentence; to scripts the number of runs that it was about."""
    if wants_json(request):
        return (
            problem(422, "quota", sentence) if refused else JsonResponse({verb: count, "message": sentence})
        )
    level = messages.ERROR if refused else messages.SUCCESS if count else messages.INFO
    messages.add_message(request, level, sentence)
    return redirect(address)
