"""The kernel laboratory: nine weights to change, on the very pixels that a network sees.

The address holds ``kernel`` (nine numbers, row by row, with commas), ``stride``, ``padding``, ``dilation``, ``plane``
(grey, red, green or blue), and ``y`` and ``x``, the place of the output that is taken apart (from 0; left out: the
middle).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from numpy.typing import NDArray

from learn.figures import kernel
from learn.figures.heat import Scale, decimal
from learn.figures.kernel import DILATIONS, LARGEST, PADDINGS, PLANES, PRESETS, STRIDES, Settings
from learn.laboratory import Figure, State
from learn.subjects import Subject

OWN_KEYS = ("kernel", "stride", "padding", "dilation", "plane", "y", "x")
CELL = 10
"""Units of a square of the still drawings."""


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    pixels = subject.clean[state.card.name]
    settings = Settings(
        weights=_weights(state),
        stride=_one_of(state, "stride", STRIDES, 1),
        padding=_one_of(state, "padding", PADDINGS, 1),
        dilation=_one_of(state, "dilation", DILATIONS, 1),
    )
    plane = state.text("plane", "grey") or "grey"
    if plane not in PLANES:
        state.say(_("There is no plane “%(value)s”. The brightness is shown.") % {"value": plane[:20]})
        plane = "grey"
    values = kernel.plane(pixels, plane)
    out = kernel.convolve(values, settings)
    missing = _(
        "The output has no place “%(value)s”: rows and columns go from 1 to %(last)s. %(shown)s is shown."
    )
    row, column = (state.place(key, len(out), len(out) // 2, missing) for key in ("y", "x"))
    return {
        "presets": PRESETS,
        "planes": PLANES,
        "strides": STRIDES,
        "paddings": PADDINGS,
        "dilations": DILATIONS,
        "settings": settings,
        "plane": plane,
        "largest": LARGEST,
        "kept_here": [(key, value) for key, value in state.query.items() if key not in OWN_KEYS],
        "kernel_text": ", ".join(f"{weight:g}" for weight in settings.weights),
        "still": _still(values, out, settings, row, column),
        "size": len(values),
        "out_size": len(out),
        "data": {
            "side": len(values),
            "pixels": pixels.reshape(-1).tolist(),
            "brightness": kernel.BRIGHTNESS.tolist(),
            "presets": {name: list(weights) for name, (_title, weights) in PRESETS.items()},
            "first": list(PRESETS[kernel.FIRST][1]),
            "largest": LARGEST,
            "choices": {"stride": STRIDES, "padding": PADDINGS, "dilation": DILATIONS, "plane": list(PLANES)},
        },
    }


def _weights(state: State) -> tuple[float, ...]:
    standard = tuple(float(weight) for weight in PRESETS[kernel.FIRST][1])
    text = state.text("kernel").strip()
    if not text:
        return standard
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != len(standard) or not all(math.isfinite(weight) for weight in found):
        state.say(_("A kernel here is nine numbers with commas between them. The first one is shown."))
        return standard
    if any(abs(weight) > LARGEST for weight in found):
        state.say(
            _("Weights go from −%(most)s to %(most)s here. The nearest ones are shown.")
            % {"most": number_format(LARGEST, 0)}
        )
    return tuple(min(LARGEST, max(-LARGEST, weight)) for weight in found)


def _one_of(state: State, key: str, choices: tuple[int, ...], standard: int) -> int:
    number = state.whole(key, standard) if state.text(key).strip() else standard
    if number in choices:
        return int(number)
    state.say(
        _("“%(value)s” cannot be chosen for the %(name)s. %(standard)s is shown.")
        % {"value": state.text(key)[:20], "name": NAMES[key], "standard": standard}
    )
    return standard


NAMES = {
    "stride": gettext_lazy("stride"),
    "padding": gettext_lazy("padding"),
    "dilation": gettext_lazy("dilation"),
}


def _still(
    values: NDArray[np.float64], out: NDArray[np.float64], settings: Settings, row: int, column: int
) -> dict[str, Any]:
    """Both maps as squares, and one place of the output as a sum."""
    under = kernel.patch(values, settings, row, column).reshape(-1)
    products = under * np.array(settings.weights)
    scale = Scale(-_reach(out), _reach(out), True)
    return {
        "side": CELL * len(values),
        "out_side": CELL * len(out),
        "cell": CELL,
        "pixels": _squares(values, Scale(0.0, 1.0, False)),
        "sums": _squares(out, scale),
        "low": scale.write(scale.low),
        "high": scale.write(scale.high),
        "row": row + 1,
        "column": column + 1,
        "terms": [
            {"value": decimal(value, 2), "weight": decimal(weight, 2), "product": decimal(product, 3)}
            for value, weight, product in zip(under, settings.weights, products, strict=True)
        ],
        "sum": decimal(float(products.sum()), 3),
    }


def _reach(out: NDArray[np.float64]) -> float:
    return float(np.abs(out).max()) or 1.0


def _squares(values: NDArray[np.float64], scale: Scale) -> list[dict[str, Any]]:
    return [
        {"x": CELL * column, "y": CELL * row, "colour": scale.colour(float(value))}
        for row, line in enumerate(values)
        for column, value in enumerate(line)
    ]


figure = Figure(
    slug="kernel",
    title=gettext_lazy("Kernel"),
    summary=gettext_lazy(
        "Type the nine weights of a kernel, move it over the pixels that a network sees, and read every sum."
    ),
    order=65,
    template="learn/laboratory/kernel.html",
    context=context,
    barred=False,
)
