"""Two predictions of the history beside one another."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from predictions import comparison
from predictions.access import OwnRequest, for_owners
from predictions.groups import side_of
from predictions.models import Prediction


@for_owners
@require_safe
def compare(request: OwnRequest) -> HttpResponse:
    """``?a=&b=``: two of one's own runs, whichever pictures and networks they are of."""
    chosen = [_chosen(request, name) for name in ("a", "b")]
    if None in chosen:
        return render(request, "predictions/compare.html", {"sides": []}, status=422 if any(chosen) else 200)
    own = Prediction.objects.of(request.user).with_answers().defer("network_input__pixels").in_bulk(chosen)
    runs = [own.get(pk) for pk in chosen]
    if None in runs:
        raise Http404(_("One of these predictions is not there. It may have been deleted."))
    first, second = (run for run in runs if run)
    context = {
        "sides": [side_of(run, covered=run.covered) for run in (first, second)],
        "comparison": comparison.of_runs(first, second),
        "same_picture": first.upload_id == second.upload_id,
    }
    return render(request, "predictions/compare.html", context)


def _chosen(request: OwnRequest, name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.GET.get(name, ""))
    except ValueError:
        return None
