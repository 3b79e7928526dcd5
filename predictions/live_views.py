"""What the predict page asks while a bar is dragged. Nothing of it is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.throttle import limit_rate
from predictions import live
from predictions.access import OwnRequest, for_owners, id_of, problem
from predictions.corruption import BarsInvalid, parse_bars
from predictions.crop import CropInvalid, parse_crop
from predictions.forms import PICTURE_GONE
from predictions.groups import uploads_of
from predictions.media import PICTURE_EXPIRED
from predictions.models import Upload
from predictions.templatetags.prediction_format import class_name, percent

# The page sends at most twelve a second.
PER_MINUTE = 900


@for_owners
@require_POST
@limit_rate("live", PER_MINUTE)
def ask(request: OwnRequest) -> HttpResponse:
    """The likeliest classes without and with the bars, from the cheapest network. `n` comes back as it was sent."""
    sent = request.POST
    try:
        number = int(sent.get("n") or 0)
    except ValueError:
        return problem(422, "number_invalid", _("The number of the question is not a whole number."))
    upload = _own(request, sent.get("draft", ""))
    if upload is None:
        return problem(404, "picture_gone", str(PICTURE_GONE))
    if upload.expired:
        return problem(410, "picture_expired", str(PICTURE_EXPIRED))
    try:
        said = live.answer(upload, parse_bars(sent.get("bars")), parse_crop(sent.get("crop")))
    except BarsInvalid as error:
        return problem(422, "bars_invalid", str(error))
    except CropInvalid as error:
        return problem(422, "crop_invalid", str(error))
    except FileNotFoundError:
        return problem(404, "picture_gone", str(PICTURE_GONE))
    except live.LiveUnavailable:
        sentence = _("This site gives no live answers. Ask the networks with the button instead.")
        return problem(409, "live_unavailable", sentence)
    shown = said.covered or said.clean
    return JsonResponse(
        {
            "n": number,
            "network": said.card.title,
            "version": said.card.version,
            "clean": _rows(said.clean),
            "covered": _rows(said.covered) if said.covered else None,
            "outside": shown.outside,
        }
    )


def _own(request: OwnRequest, given: str) -> Upload | None:
    """The picture, if it is one that they may see at this moment."""
    pk = id_of(given)
    return uploads_of(request.user).filter(pk=pk).first() if pk else None


def _rows(answer: live.Answer) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "label": label,
            "name": class_name(label),
            "probability": probability,
            "percent": percent(probability),
        }
        for index, label, probability in answer.top
    ]
