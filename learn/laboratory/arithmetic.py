"""One number inside a network taken apart, on one's own picture: what was multiplied, added, normalised and cut off.

The address holds ``network``, ``layer`` (a convolution or a pooling), ``channel``, ``y`` and ``x`` (the cell of its
output; left out: the middle one), ``run`` (clean or covered), ``input`` (the input channel that is drawn large; left
out: the one that adds or takes away most) and ``pinned`` (1: the pointer does not move the cell). Rows and
columns count from 0 in it, and from 1 in all that is read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn import explanation_files, explanations
from learn.figures.cell import Chosen, Told, tell
from learn.figures.cell_words import words
from learn.figures.layer_names import spoken, titled
from learn.laboratory import Figure, State
from learn.models import Explanation
from learn.subjects import Subject
from ml.artifact import ArtifactError, Card
from ml.explain.archive import StoredConvolutions
from ml.explain.graph_file import Layer
from ml.explain.structure import Structure, structure
from ml.explain.trace import Trace
from predictions.jobs import Job

logger = logging.getLogger(__name__)

RUNS = ("clean", "covered")
TAKEN_APART = ("convolution", "max_pool", "average_pool")
"""Kinds of layers that have cells to choose from. What lies between them is told as steps of these."""

OWN_KEYS = ("layer", "channel", "y", "x", "run", "input", "pinned")


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    of = structure(state.card.name)
    chosen = _chosen(of, subject, state)
    told, missing = _told(of, subject, chosen)
    layer = of.layer(chosen.layer)
    return {
        "chosen": chosen,
        "told": told,
        "missing": missing,
        "layers": _layers(of),
        "channels": layer.shape[0],
        "lines": {"y": range(layer.shape[1]), "x": range(layer.shape[2])},
        "pre_activation": of.pre_activation,
        "cell_query": _query(state),
        "kept_here": [(key, value) for key, value in state.query.items() if key not in OWN_KEYS],
        "data": {
            "words": words(),
            "networks": {card.name: _network(card) for card in subject.cards},
        },
    }


def _query(state: State) -> str:
    """The address without its input channel."""
    return urlencode({key: value for key, value in state.query.items() if key != "input"})


# -- what the address asks for ------------------------------------------------------------------------------


def _chosen(of: Structure, subject: Subject, state: State) -> Chosen:
    layer = _layer(of, state)
    channels, rows, columns = layer.shape
    inputs = of.layer(layer.inputs[0]).shape[0] if layer.kind == "convolution" else 0
    channel = state.place("channel", channels, 0, _quoting("no_channel"), first=0)
    y = state.place("y", rows, rows // 2, _quoting("no_row"))
    x = state.place("x", columns, columns // 2, _quoting("no_column"))
    return Chosen(layer.name, channel, y, x, _covered(subject, state), _input(state, inputs))


def _layer(of: Structure, state: State) -> Layer:
    """The layer asked for; of one that is only a step between, the convolution or pooling that the step belongs to."""
    first = next(layer for layer in of.layers if layer.kind in TAKEN_APART)
    name = state.text("layer").strip()
    if not name:
        return first
    names = {layer.name: layer for layer in of.layers}
    if name in names and names[name].kind in TAKEN_APART:
        return names[name]
    shown = of.layer(_belongs(of).get(name, first.name))
    if name in names:
        said = _("%(value)s is told as a step of %(shown)s, which is shown.")
        state.say(said % {"value": titled(name), "shown": spoken(shown.name)})
    else:
        said = _("%(title)s has no layer “%(value)s”. %(shown)s is shown.")
        state.say(said % {"title": of.card.title, "value": name[:60], "shown": titled(shown.name)})
    return shown


def _belongs(of: Structure) -> dict[str, str]:
    """For each layer between, the convolution or pooling as a step of which it is told; the first one for the input."""
    found: dict[str, str] = {}
    last = next(layer.name for layer in of.layers if layer.kind in TAKEN_APART)
    for layer in of.layers:
        if layer.kind in TAKEN_APART:
            last = layer.name
        else:
            found[layer.name] = last
    return found


def _quoting(key: str) -> str:
    """One of the figure's sentences, for what somebody has typed into the address."""
    return words()[key].replace("%(value)s", _("“%(value)s”"))


def _input(state: State, count: int) -> int | None:
    text = state.text("input").strip()
    if not text or not count:
        return None
    number = state.whole("input", -1)
    if number is None or not 0 <= number < count:
        state.say(_quoting("no_input") % {"value": text[:20], "last": count - 1})
        return None
    return number


def _covered(subject: Subject, state: State) -> bool:
    run = state.text("run", "clean") or "clean"
    if run not in RUNS:
        state.say(
            _("“%(value)s” is neither clean nor covered. The whole picture is shown.") % {"value": run[:40]}
        )
    elif run == "covered" and not subject.bars:
        state.say(_("There are no bars on this picture. The whole picture is shown."))
    return run == "covered" and bool(subject.bars)


# -- what is known of the picture ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Missing:
    """Why there are no numbers of this picture, and whether asking for them helps."""

    sentence: str
    can_ask: bool


def _told(of: Structure, subject: Subject, chosen: Chosen) -> tuple[Told | None, Missing | None]:
    """The cell in text from what is stored, or why there is nothing."""
    asked = explanations.question(subject, of.card.name, "xray")
    found = explanations.stored(subject, asked)
    if found is None or found.status != Job.Status.DONE:
        return None, _missing(found)
    try:
        with explanation_files.open_file(found) as opened:
            pixels = (subject.covered if chosen.covered else subject.clean)[of.card.name]
            # No step between the picture and a cell needs the scores at the network's end.
            trace = Trace(pixels, StoredConvolutions(opened, RUNS[chosen.covered]), np.zeros(0, np.float32))
            return tell(of, trace, chosen), None
    except (OSError, KeyError, ValueError, ArtifactError) as error:
        logger.error("The X-ray %s cannot be read: %s", found.pk, error)
        return None, Missing(_("The numbers inside the network cannot be read at the moment."), False)


def _missing(found: Explanation | None) -> Missing:
    if found is None:
        return Missing(_("The numbers inside the network are not computed for this picture yet."), True)
    if found.finished is not None:
        return Missing(str(found.error_sentence), True)
    return Missing(
        _("The numbers inside the network are being computed for this picture. Look again in a moment."),
        False,
    )


# -- what can be chosen -------------------------------------------------------------------------------------


def _layers(of: Structure) -> list[tuple[str, str]]:
    """The layers to choose from: their names and as a sentence names them."""
    return [(layer.name, spoken(layer.name)) for layer in of.layers if layer.kind in TAKEN_APART]


def _network(card: Card) -> dict[str, Any]:
    of = structure(card.name)
    return {
        "names": {layer.name: spoken(layer.name) for layer in of.layers},
        "layers": _layers(of),
        "belongs": _belongs(of),
        # What a choice may be: the shape of the layer's output, and how many channels it reads.
        "shapes": {
            layer.name: [
                *layer.shape,
                of.layer(layer.inputs[0]).shape[0] if layer.kind == "convolution" else 1,
            ]
            for layer in of.layers
            if layer.kind in TAKEN_APART
        },
    }


figure = Figure(
    slug="arithmetic",
    title=gettext_lazy("Every number taken apart"),
    short=gettext_lazy("Arithmetic"),
    summary=gettext_lazy(
        "Put a finger on any number inside the network and see what was multiplied, added and cut off to make it."
    ),
    order=20,
    template="learn/laboratory/arithmetic.html",
    context=context,
)
