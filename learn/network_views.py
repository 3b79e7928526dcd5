"""The networks' own numbers as files: the structure, kernels, batch normalisations and the last layer.

They are the same for everybody and for as long as the version is the same, which the address names.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from numpy.typing import NDArray

from ml.artifact import ArtifactError
from ml.explain.structure import Structure
from ml.explain.structure import structure as structure_of
from predictions.access import problem

logger = logging.getLogger(__name__)

IMMUTABLE = "public, max-age=31536000, immutable"
BRIEF = "public, max-age=60"

Numbers = Callable[..., NDArray[np.float32]]


class Replaced(Exception):
    """The address names a version that is no longer the network's."""


def _open(request: HttpRequest, network: str) -> Structure:
    """Raises Replaced, and ArtifactError for a network that does not exist or cannot be looked into."""
    found = structure_of(network)
    if request.GET.get("v", found.card.version) != found.card.version:
        raise Replaced
    return found


def _file(read: Numbers) -> Callable[..., HttpResponse]:
    """A view of the float32 array that ``read(structure, ...)`` returns, as a NumPy file."""

    @require_safe
    @wraps(read)
    def view(request: HttpRequest, network: str, **which: Any) -> HttpResponse:
        def content() -> HttpResponse:
            buffer = io.BytesIO()
            np.save(buffer, read(_open(request, network), **which), allow_pickle=False)
            return HttpResponse(buffer.getvalue(), content_type="application/octet-stream")

        return _answer(request, content)

    return view


def _answer(request: HttpRequest, make: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        response = make()
    except Replaced:
        sentence = _("This network was replaced by a newer version meanwhile. Reload the page.")
        return problem(404, "replaced", sentence)
    except ArtifactError as error:
        logger.info("A network that cannot be looked into was asked for: %s", error)
        return problem(404, "no_network", _("There is no network of this name to look into."))
    except (KeyError, ValueError):
        return problem(404, "no_layer", _("There is no layer of this name and kind in the network."))
    except IndexError:
        return problem(404, "no_channel", _("The layer has no channel of this number."))
    response["Cache-Control"] = IMMUTABLE if "v" in request.GET else BRIEF
    return response


def _name(layer: str) -> str:
    """A layer's name from an address, which has dots where the name has slashes."""
    return layer.replace(".", "/")


@require_safe
def structure(request: HttpRequest, network: str) -> HttpResponse:
    """The layers in computing order, with their inputs, shapes, kernels, strides and paddings."""
    return _answer(request, lambda: JsonResponse(_open(request, network).to_dict()))


@_file
def kernel(found: Structure, layer: str, channel: int) -> NDArray[np.float32]:
    """(inputs, height, width): what one output channel of a convolution multiplies."""
    return found.kernel(_name(layer), channel)


@_file
def normalisation(found: Structure, layer: str) -> NDArray[np.float32]:
    """(4, channels): gamma, beta, mean and variance of a batch normalisation."""
    learned = found.normalisation(_name(layer))
    return np.stack([learned.gamma, learned.beta, learned.mean, learned.variance])


@_file
def dense(found: Structure) -> NDArray[np.float32]:
    """(classes, k + 1): the weights of the last layer, its bias as the last column."""
    kernel, bias = found.dense()
    return np.hstack([kernel, bias[:, None]])
