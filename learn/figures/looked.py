"""What a network's heat map shows: the stored numbers of each kind of map, and what they say in sentences.

The sentences are those of static/js/laboratory/looked-words.js.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from learn import explanations
from learn.figures.heat import MINUS, Scale, cell_name, decimal, is_flat
from learn.models import Explanation
from learn.subjects import Subject
from ml.artifact import Card
from predictions.jobs import Job
from predictions.templatetags.prediction_format import percent

logger = logging.getLogger(__name__)

KINDS = {"class": "class_map", "layer": "layer_map", "cover": "occlusion"}
TESTED = {"class": "class_activation", "layer": "ablation", "cover": "occlusion"}

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A map of one class, or of one against another, float64 (h, w).

    values: in logits, larger where the picture speaks for the class; of a covering, the change of the log-odds.
    before, after: the class's probability on the picture as it is, and (h, w) when each square is black; None for other
    maps. total: mean, bias and logit of a class activation map, else None.
    """

    values: Values
    before: float | None = None
    after: Values | None = None
    total: tuple[float, float, float] | None = None


def done(subject: Subject, card: Card, kind: str, parameters: Mapping[str, Any]) -> Explanation | None:
    """The explanation that answers this, when it is there already."""
    row = explanations.stored(subject, explanations.question(subject, card.name, kind, parameters))
    return row if row is not None and row.status == Job.Status.DONE else None


def find(
    subject: Subject, card: Card, which: str, parameters: Mapping[str, Any], index: int, other: int | None
) -> Found | None:
    """The map ``which`` (a key of KINDS) of a class against another (None: of the class alone), when it is stored."""
    row = done(subject, card, KINDS[which], parameters)
    return None if row is None else read(row, which, index, other)


def read(row: Explanation, which: str, index: int, other: int | None) -> Found | None:
    """The map in an explanation of the kind KINDS[which]; None where its file cannot be read."""
    try:
        if which == "cover":
            return _covering(_array(row, "changes.npy"), _array(row, "log_odds.npy"), index, other)
        maps = _array(row, "maps.npy")
        values = maps[index] - (0 if other is None else maps[other])
        return Found(values, total=_total(row, values, index, other) if which == "class" else None)
    except (OSError, ValueError, IndexError) as error:
        logger.warning("The map %s cannot be read: %s", row.pk, error)
        return None


def _array(row: Explanation, member: str) -> Values:
    return np.asarray(np.load(io.BytesIO(explanations.open_member(row, member))), np.float64)


def _total(row: Explanation, values: Values, index: int, other: int | None) -> tuple[float, float, float]:
    biases, logits = _array(row, "logits.npy")
    if other is not None:
        biases, logits = biases - biases[other], logits - logits[other]
    return float(values.mean()), float(biases[index]), float(logits[index])


def _covering(changes: Values, before: Values, index: int, other: int | None) -> Found:
    after = before + changes
    own = _log(after[..., index])
    if other is None:
        return Found(changes[..., index], float(np.exp(_log(before[index]))), np.exp(own))
    ratio = own - _log(after[..., other])
    return Found(
        ratio - (_log(before[index]) - _log(before[other])), float(np.exp(_log(before[index]))), np.exp(own)
    )


def _log(odds: Values) -> Values:
    """log p where the log-odds are ``odds``."""
    return -np.logaddexp(0, -odds)


# -- sentences ----------------------------------------------------------------------------------------------


def in_words(found: Found, scale: Scale, label: str, other: str) -> str:
    """A map in one or two sentences. ``other`` is empty where a class stands alone."""
    if is_flat(found.values):
        return _("Nothing stands out: every square has the same value, so this map says nothing about where.")
    return (
        _covering_words(found, scale, label, other)
        if found.after is not None
        else _evidence(found.values, scale, label, other)
    )


def _evidence(values: Values, scale: Scale, label: str, other: str) -> str:
    shape = (values.shape[0], values.shape[1])
    most, least = int(values.argmax()), int(values.argmin())
    names = {
        "label": label,
        "other": other,
        "most": cell_name(most, shape),
        "least": cell_name(least, shape),
        "high": decimal(values.flat[most], scale.digits),
        "low": decimal(values.flat[least], scale.digits),
    }
    first = (
        _("The evidence for %(label)s rather than %(other)s is strongest in %(most)s: %(high)s.")
        if other
        else _("The evidence for %(label)s is strongest in %(most)s: %(high)s.")
    )
    against = (
        _("For %(other)s rather than %(label)s most speaks in %(least)s: %(low)s.")
        if other
        else _("Against %(label)s most speaks in %(least)s: %(low)s.")
    )
    nothing = _("No place speaks for %(other)s.") if other else _("No place speaks against %(label)s.")
    if values.flat[most] <= 0:
        return f"{against % names} {_('No place speaks for %(label)s.') % names}"
    return f"{first % names} {(against if values.flat[least] < 0 else nothing) % names}"


def _covering_words(found: Found, scale: Scale, label: str, other: str) -> str:
    values = found.values
    shape = (values.shape[0], values.shape[1])
    most, least = int(values.argmax()), int(values.argmin())
    assert found.after is not None
    assert found.before is not None
    names = {
        "label": label,
        "other": other,
        "most": cell_name(most, shape),
        "least": cell_name(least, shape),
        "low": decimal(abs(values.flat[least]), scale.digits),
        "high": decimal(values.flat[most], scale.digits),
        "before": percent(found.before),
        "after": percent(float(found.after.flat[least])),
    }
    if values.flat[least] >= 0:
        return (
            _("Covering any place moves the odds towards %(label)s, most in %(most)s: by %(high)s.")
            if other
            else _("Covering any place raises the log-odds of %(label)s, most in %(most)s: by %(high)s.")
        ) % names
    lowers = (
        _("Strongest in %(least)s: covering it moves the odds from %(label)s towards %(other)s, by %(low)s.")
        if other
        else _(
            "Strongest in %(least)s: covering it lowers the log-odds of %(label)s by %(low)s, "
            "its probability from %(before)s to %(after)s."
        )
    ) % names
    if values.flat[most] <= 0:
        return lowers
    raises = (
        _("Covering %(most)s does the opposite, by %(high)s.")
        if other
        else _("Covering %(most)s raises them by %(high)s.")
    )
    return f"{lowers} {raises % names}"


def sum_in_words(total: tuple[float, float, float], count: int, label: str, other: str) -> str:
    """The sum that makes a class activation map exact; what rounding to three digits leaves over is written out."""
    mean, bias, logit = (round(one, 3) for one in total)
    left = round(logit - mean - bias, 3)
    rounding = ""
    if left:
        sign = MINUS if left < 0 else "+"
        rounding = _(" %(sign)s rounding %(left)s") % {"sign": sign, "left": decimal(abs(left), 3)}
    names = {
        "count": count,
        "label": label,
        "other": other,
        "mean": decimal(mean, 3),
        "sign": MINUS if bias < 0 else "+",
        "bias": decimal(abs(bias), 3),
        "rounding": rounding,
        "logit": decimal(logit, 3),
    }
    if other:
        return (
            _(
                "Mean of the %(count)s squares %(mean)s %(sign)s difference of the biases %(bias)s%(rounding)s = "
                "%(logit)s, the difference of the logits of %(label)s and %(other)s."
            )
            % names
        )
    return (
        _(
            "Mean of the %(count)s squares %(mean)s %(sign)s bias %(bias)s%(rounding)s = %(logit)s, "
            "the logit of %(label)s."
        )
        % names
    )


# -- the tests of a map -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Test:
    """One test: ``state`` is passed, failed or untestable."""

    title: str
    state: str
    verdict: str
    text: str


def tests(result: Mapping[str, Any]) -> list[Test]:
    """Both tests of a map, from the result of the kind ``trust``."""
    verdicts = {"passed": _("passed"), "failed": _("failed"), "untestable": _("not testable")}
    rows = (
        (_("Its top fifth against random masks"), result["masks"], _masks),
        (_("The same map on random weights"), result["weights"], _weights),
    )
    return [
        Test(title, state := _state(one["passed"]), verdicts[state], words(one)) for title, one, words in rows
    ]


def warning(result: Mapping[str, Any]) -> str:
    """What a failed test means for the reader; empty when none failed."""
    masks, weights = result["masks"]["passed"] is False, result["weights"]["passed"] is False
    if masks and weights:
        return _("This map failed both of its tests. Take it as a picture, not as an explanation.")
    if masks:
        return _(
            "This map failed a test: covering what it points at matters no more than covering places at random. "
            "Do not rely on it."
        )
    if weights:
        return _(
            "This map failed a test: a network that learned nothing gives much the same one. It shows the picture "
            "more than what was learned."
        )
    return ""


def _state(passed: bool | None) -> str:
    return "untestable" if passed is None else "passed" if passed else "failed"


def _untestable(reason: str) -> str:
    reasons = {
        "constant": _("every square has the same value"),
        "black": _("there is nothing left to cover"),
    }
    why = reasons.get(reason, _("its values do not allow it"))
    return _("Not testable: %(reason)s.") % {"reason": why}


def _masks(masks: Mapping[str, Any]) -> str:
    if masks["passed"] is None:
        return _untestable(masks["reason"])
    random = sorted(masks["random"])
    return _(
        "Covering it changes the log-odds by %(drop)s; random masks of the same size typically by %(typical)s. It "
        "does more than %(beaten)s of %(n)s of them; %(needed)s are needed."
    ) % {
        "drop": _signed(-masks["drop"]),
        "typical": _signed(-random[len(random) // 2]),
        "beaten": masks["beaten"],
        "n": masks["n"],
        "needed": masks["needed"],
    }


def _weights(weights: Mapping[str, Any]) -> str:
    if weights["passed"] is None:
        return _untestable(weights["reason"])
    return _(
        "The map resembles the one of a network with random weights by %(similarity)s (rank correlation, 0 to 1); "
        "up to %(threshold)s is accepted."
    ) % {"similarity": decimal(weights["similarity"], 2), "threshold": decimal(weights["threshold"], 2)}


def _signed(value: float) -> str:
    text = decimal(value, 2)
    return f"+{text}" if value > 0 else text
