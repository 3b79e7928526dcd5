"""Two predictions of the history beside one another."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from predictions import comparison, sharing
from predictions.access import OwnRequest, for_owners, id_of
from predictions.groups import side_of
from predictions.history_views import history_address, sent_ids
from predictions.models import Prediction


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: OwnRequest) -> HttpResponse:
    """``?a=&b=``: two of one's own runs, whichever pictures and networks they are of.

    The history's form sends the two as ``id`` and is led to their address; it has nothing secret in it.
    """
    if request.method == "POST":
        return _led_on(request)
    chosen = [id_of(request.GET.get(name)) for name in ("a", "b")]
    if None in chosen:
        return render(request, "predictions/compare.html", {"sides": []}, status=422 if any(chosen) else 200)
    own = Prediction.objects.of(request.user).with_answers().in_bulk(chosen)
    runs = [own.get(pk) for pk in chosen]
    if None in runs:
        raise Http404(_("One of these predictions is not there. It may have been deleted."))
    first, second = (run for run in runs if run)
    context = {
        "sides": [side_of(run, covered=run.covered) for run in (first, second)],
        "comparison": comparison.of_runs(first, second),
        "same_picture": first.upload_id == second.upload_id,
    }
    if first.pk != second.pk:
        context["offer"] = sharing.offer(
            request.user,
            reverse("predictions:share-comparison"),
            run=first,
            other=second,
            fields={"a": first.pk, "b": second.pk},
        )
    return render(request, "predictions/compare.html", context)


def _led_on(request: OwnRequest) -> HttpResponse:
    ids = list(dict.fromkeys(sent_ids(request)))
    if len(ids) != 2:
        messages.error(request, _("Select exactly two predictions to compare them."))
        return redirect(history_address(request))
    return redirect(f"{reverse('predictions:compare')}?{urlencode({'a': ids[0], 'b': ids[1]})}")
