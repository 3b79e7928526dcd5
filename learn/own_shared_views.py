"""What somebody sees who was given the link of a set: how often it was right, and the site's samples to try it on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.throttle import limit_rate
from learn import own_classes, own_network, own_results
from learn.own_models import OwnClasses
from predictions import samples
from predictions.access import problem, unlisted, wants_json

TRIES_PER_MINUTE = 60


@unlisted
@require_safe
@limit_rate("own-shared", TRIES_PER_MINUTE, methods=("GET", "HEAD"))
def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """Names, accuracy and confusion; with ``?sample=`` what the classes say of one of the site's own pictures.

    The owner's pictures are not shown, and nobody learns whose they are.
    """
    owned = own_classes.shared(token)
    if owned is None:
        if wants_json(request):
            return problem(404, "nothing_shared", _("This link shows nothing any more."))
        return render(request, "predictions/shared_gone.html", status=404)
    context: dict[str, Any] = {
        "owned": owned,
        "own": request.user.pk == owned.owner_id,
        "verdict": own_results.verdict(owned.result),
        "samples": samples.offered(),
    }
    context |= _about_sample(owned, request.GET.get("sample", ""))
    return render(request, "learn/own/shared.html", context)


def _about_sample(owned: OwnClasses, name: str) -> dict[str, Any]:
    """The chosen sample with its answers, or a sentence that says why there is none; nothing where none was chosen."""
    sample = samples.every().get(name)
    if sample is None:
        return {"trouble": _("There is no such sample picture. Choose one below.")} if name else {}
    card = own_network.card()
    if card is None:
        return {"trouble": own_classes.no_network()}
    if not own_results.is_of(owned, card):
        sentence = _("The network was replaced by a new version since these classes were trained.")
        return {"trouble": sentence}
    try:
        features = own_network.of_sample(card, name)
    except own_network.NetworkAway:
        return {"trouble": own_classes.no_network()}
    return {"sample": sample, "answers": own_results.answers(owned, features)[0]}
