"""Curves of dose and response as an SVG drawing, a table and sentences, for readers without scripts.

The sentences are those of static/js/laboratory/dose-words.js.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from learn.figures.curves import Tick, percent_tick
from predictions.templatetags.prediction_format import percent

WIDTH = 284
HEIGHT = 150
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
STAYS = 1e-4
"""A curve whose values differ by less shows nothing."""

Curve = Mapping[str, Any]


def line(curve: Curve) -> str:
    """A curve as the points of an SVG polyline, WIDTH x HEIGHT units."""
    pairs = zip(curve["shares"], curve["probabilities"], strict=True)
    return " ".join(f"{WIDTH * share:.1f},{HEIGHT * (1 - value):.1f}" for share, value in pairs)


def axes() -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "x_ticks": [Tick(f"{WIDTH * value:.1f}", percent_tick(value)) for value in TICKS],
        "y_ticks": [Tick(f"{HEIGHT * (1 - value):.1f}", percent_tick(value)) for value in TICKS],
    }


def half(curve: Curve) -> float | None:
    """How much of the picture is covered when half of the first confidence is gone; None where it never is."""
    shares, values = curve["shares"], curve["probabilities"]
    wanted = values[0] / 2
    after = next((step for step, value in enumerate(values) if value <= wanted), None)
    if after is None:
        return None
    if after == 0:
        return float(shares[0])
    high, low = values[after - 1], values[after]
    part = (high - wanted) / (high - low) if high > low else 1.0
    return float(shares[after - 1] + part * (shares[after] - shares[after - 1]))


def curve_in_words(curve: Curve, network: str, label: str) -> str:
    """A curve in one sentence."""
    at = half(curve)
    names = {
        "network": network,
        "label": label,
        "area": percent(curve["area"]),
        "start": percent(curve["probabilities"][0]),
    }
    if at is None:
        return (
            _(
                "From nothing to everything covered, %(network)s is on average %(area)s sure of %(label)s. It begins "
                "at %(start)s and never loses half of that."
            )
            % names
        )
    return _(
        "From nothing to everything covered, %(network)s is on average %(area)s sure of %(label)s. Half of the "
        "%(start)s it begins with is gone once %(half)s of the picture is covered."
    ) % {**names, "half": percent(at)}


def order_in_words(curves: Sequence[Curve], network: str) -> str:
    """A warning where the order by importance does not do what it should; empty where it does."""
    spreads = [max(curve["probabilities"]) - min(curve["probabilities"]) for curve in curves]
    if max(spreads) < STAYS:
        return _("Nothing stands out for %(network)s: its confidence stays the same whatever is covered.") % {
            "network": network
        }
    areas = {curve["order"]: curve["area"] for curve in curves}
    if areas["most"] < areas["random"]:
        return ""
    return _(
        "For %(network)s, covering what seemed most important does no more than covering places at random. Its order "
        "of importance is not to be relied on here."
    ) % {"network": network}
