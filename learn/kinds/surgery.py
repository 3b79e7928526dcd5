"""Kernels replaced and channels silenced: what the network answers then, beside what it answers untouched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from learn.figures.layer_names import spoken, titled
from learn.kinds import Kind, KindError, Result, Work
from learn.parameters import choice, only
from ml.artifact import Card, load_card
from ml.predictor import softmax
from predictions.jobs import Job

TOP = 5
SIDES = ("clean", "covered")
PLACES = 6
"""Weights are compared to six places: finer ones make no difference that could be seen."""
OVERFLOW = gettext_noop(
    "These numbers grow beyond what the network can hold, so it has no answer. Try smaller ones."
)
NO_BARS = gettext_noop("There are no bars on this picture.")
"""Both are stored with the row in English, and translated for whoever reads it."""


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """``edits`` ({layer, out, in, kernel: its weights row by row}) and ``mutes`` (ReLU layer -> channels), in order.

    ``side``: the picture, clean or covered. A kernel that is edited twice keeps the later edit. Raises KindError.
    """
    from ml.explain.structure import structure

    only(parameters, "edits", "mutes", "side")
    known = structure(card.name)
    return {
        "edits": _edits(parameters.get("edits", []), known),
        "mutes": _mutes(parameters.get("mutes", {}), known),
        "side": choice(parameters, "side", SIDES, "clean"),
    }


def compute(work: Work) -> Result:
    """The five likeliest classes and all logits, before and after, with the temperature that divides both."""
    from ml.explain.surgery import Edit, surgeon

    pixels = work.clean if work.parameters["side"] == "clean" else work.covered
    if pixels is None:
        raise KindError(NO_BARS, "side")
    network = surgeon(work.card.name)
    edits = [_as_edit(Edit, edit, work.card) for edit in work.parameters["edits"]]
    mutes = work.parameters["mutes"]
    temperature = float(work.card.temperatures(pixels[None])[0])
    before = _untouched(work.card.name, work.card.version, pixels.tobytes())
    try:
        after = network.answer(pixels, edits, mutes) if edits or mutes else before
    except ArithmeticError:
        raise KindError(OVERFLOW, "edits") from None
    return Result(
        {
            "temperature": round(temperature, 4),
            "before": _answer(before, temperature, work.card),
            "after": _answer(after, temperature, work.card),
        }
    )


@lru_cache(maxsize=64)
def _untouched(network: str, version: str, pixels: bytes) -> NDArray[np.float32]:
    """The logits of the trained network: whoever drags a number asks for the same ones again and again."""
    from ml.explain.surgery import surgeon

    size = load_card(network).size
    return surgeon(network).answer(np.frombuffer(pixels, np.uint8).reshape(size, size, 3))


def _as_edit(make: Any, edit: Mapping[str, Any], card: Card) -> Any:
    side = math.isqrt(len(edit["kernel"]))
    values = np.asarray(edit["kernel"], np.float32).reshape(side, side)
    return make(edit["layer"], edit["out"], edit["in"], values)


def _answer(logits: NDArray[np.float32], temperature: float, card: Card) -> dict[str, Any]:
    probabilities = softmax(logits, temperature)
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    return {
        "top": [
            {"index": int(i), "label": card.label(int(i)), "probability": round(float(probabilities[i]), 6)}
            for i in order
        ],
        "logits": [round(float(logit), 4) for logit in logits],
    }


def _edits(values: Any, known: Any) -> list[dict[str, Any]]:
    from ml.explain.surgery import MOST_EDITS

    if not _is_list(values):
        raise KindError(_("The edits must be a list."), "edits")
    if len(values) > MOST_EDITS:
        raise KindError(
            _("At most %(most)s kernels can be edited at once, and these are %(count)s. Take some back.")
            % {"most": MOST_EDITS, "count": len(values)},
            "edits",
        )
    found: dict[tuple[int, int, int], dict[str, Any]] = {}
    order = {layer.name: place for place, layer in enumerate(known.layers)}
    for number, value in enumerate(values):
        edit = _edit(value, known, f"edits.{number}")
        found[order[edit["layer"]], edit["out"], edit["in"]] = edit
    return [found[key] for key in sorted(found)]


def _edit(value: Any, known: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not {"layer", "out", "in", "kernel"} <= set(value):
        raise KindError(_("An edit names its layer, its channels “out” and “in”, and a kernel."), where)
    layer = _layer(value["layer"], "convolution", known, f"{where}.layer")
    outputs, inputs = layer.shape[0], known.layer(layer.inputs[0]).shape[0]
    return {
        "layer": layer.name,
        "out": _channel(value["out"], outputs, layer.name, f"{where}.out"),
        "in": _channel(value["in"], inputs, layer.inputs[0], f"{where}.in"),
        "kernel": _kernel(value["kernel"], layer, f"{where}.kernel"),
    }


def _kernel(values: Any, layer: Any, where: str) -> list[float]:
    from ml.explain.surgery import LARGEST

    count = layer.kernel**2
    if not _is_list(values) or len(values) != count:
        raise KindError(
            _("A kernel of %(layer)s is %(count)s numbers, row by row.")
            % {"layer": spoken(layer.name), "count": count},
            where,
        )
    numbers = [_number(one) for one in values]
    for one, number in zip(values, numbers, strict=True):
        if not math.isfinite(number):
            raise KindError(
                _("“%(value)s” in a kernel of %(layer)s is not a number that can be computed with.")
                % {"value": str(one)[:40], "layer": spoken(layer.name)},
                where,
            )
        if abs(number) > LARGEST:
            raise KindError(
                _("%(value)s is too large for a kernel: the numbers may be from −%(most)s to %(most)s.")
                % {"value": f"{number:g}", "most": f"{LARGEST:g}"},
                where,
            )
    # Without the sign of a zero, which would make another key of the same kernel.
    return [round(number, PLACES) + 0.0 for number in numbers]


def _number(value: Any) -> float:
    """NaN for what is none; infinity for what no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _mutes(values: Any, known: Any) -> dict[str, list[int]]:
    from ml.explain.surgery import MOST_MUTES

    if not isinstance(values, Mapping):
        raise KindError(_("The mutes must name layers, each with its channels."), "mutes")
    found: dict[str, list[int]] = {}
    for name, channels in values.items():
        where = f"mutes.{str(name)[:60]}"
        layer = _layer(name, "relu", known, where)
        if not _is_list(channels):
            raise KindError(
                _("The muted channels of %(layer)s must be a list.") % {"layer": spoken(layer.name)}, where
            )
        some = {_channel(one, layer.shape[0], layer.name, where) for one in channels}
        if len(some) > MOST_MUTES:
            raise KindError(
                _("At most %(most)s channels of a layer can be muted at once. Take some back.")
                % {"most": MOST_MUTES},
                where,
            )
        if some:
            found[layer.name] = sorted(some)
    return {layer.name: found[layer.name] for layer in known.layers if layer.name in found}


def _layer(name: Any, kind: str, known: Any, where: str) -> Any:
    try:
        layer = known.layer(str(name))
    except KeyError:
        raise KindError(
            _("The network has no layer called “%(name)s”.") % {"name": str(name)[:60]}, where
        ) from None
    if layer.kind != kind:
        sentence = (
            _("%(layer)s has no kernels: only convolutions have.")
            if kind == "convolution"
            else _("%(layer)s is no ReLU, and channels can be muted after a ReLU only.")
        )
        raise KindError(sentence % {"layer": titled(layer.name)}, where)
    return layer


def _channel(value: Any, count: int, layer: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise KindError(
            _("%(layer)s has no channel “%(value)s”: they are numbered 0 to %(last)s.")
            % {"layer": titled(layer), "value": str(value)[:20], "last": count - 1},
            where,
        )
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


# Somebody drags a number and waits for the answer, as for a live one.
kind = Kind("surgery", clean, compute, priority=Job.Priority.LIVE)
