"""From logits to probabilities in four columns: logit, minus the largest, exponential, probability.

Everything small is kept as a logarithm: at a temperature of 0.05 an exponential of 10⁻³⁴⁷ is possible, which a float
would take for 0. static/js/laboratory/belief-softmax.js computes and writes the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

LOWEST = 0.05
HIGHEST = 20.0
"""The temperatures that the figure can be set to; ``ml.calibrate.fit_temperature`` looks in the same range."""

SHOWN = 5
MINUS = "\N{MINUS SIGN}"
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
MOST_NINES = 6


@dataclass(frozen=True)
class Row:
    """One class, or all that are not named together (``index`` None, with the largest logit among them).

    ``difference``: logit minus the largest of all. The logarithms are natural; those of the others are of their sums.
    ``log_rest``: of the probability of everything else, so that 99.9999% is not written as 100%.
    """

    index: int | None
    logit: float
    difference: float
    log_exponential: float
    log_probability: float
    log_rest: float

    @property
    def exponential(self) -> float:
        return math.exp(self.log_exponential)

    @property
    def probability(self) -> float:
        return math.exp(self.log_probability)


@dataclass(frozen=True)
class Columns:
    """``rows``: the named classes as they were given, then the others together. ``log_sum``: of all exponentials."""

    rows: tuple[Row, ...]
    others: int
    log_sum: float


def columns(logits: Sequence[float], temperature: float, named: Sequence[int]) -> Columns:
    """The softmax of ``logits / temperature`` for the ``named`` classes (indices) and the sum of the others.

    Raises ValueError for a temperature that is not above 0, and IndexError for a class that does not exist.
    """
    if not temperature > 0 or not math.isfinite(temperature):
        raise ValueError(f"a temperature must be above 0, not {temperature}")
    values = [float(logit) for logit in logits]
    top = max(values)
    exponents = [(value - top) / temperature for value in values]
    log_sum = log_sum_exp(exponents)
    rows = []
    for index in named:
        rest = [exponent for other, exponent in enumerate(exponents) if other != index]
        rows.append(
            Row(
                index,
                values[index],
                values[index] - top,
                exponents[index],
                exponents[index] - log_sum,
                log_sum_exp(rest) - log_sum,
            )
        )
    left = [index for index in range(len(values)) if index not in set(named)]
    if left:
        together = log_sum_exp([exponents[index] for index in left])
        largest = max(values[index] for index in left)
        rest = [exponents[index] for index in named]
        rows.append(
            Row(
                None,
                largest,
                largest - top,
                together,
                together - log_sum,
                log_sum_exp(rest) - log_sum,
            )
        )
    return Columns(tuple(rows), len(left), log_sum)


def log_sum_exp(exponents: Sequence[float]) -> float:
    """log of the sum of e to each; minus infinity for none."""
    if not exponents:
        return -math.inf
    top = max(exponents)
    return top + math.log(math.fsum(math.exp(one - top) for one in exponents))


def ranked(logits: Sequence[float], count: int = SHOWN) -> list[int]:
    """The classes with the largest logits, falling (ties: the lower index first)."""
    return sorted(range(len(logits)), key=lambda index: (-float(logits[index]), index))[:count]


def named_classes(logits: Sequence[float], chosen: int | None) -> list[int]:
    """The five to be named: the top five, the fifth making room for a ``chosen`` class that is not among them."""
    named = ranked(logits)
    if chosen is not None and chosen not in named:
        named[-1] = chosen
    return named


# -- writing ------------------------------------------------------------------------------------------------


def decimal(value: float, places: int = 2) -> str:
    """-3.1 -> ``−3.10``; more places where the number would look like 0 and is not."""
    while value and abs(value) < 0.5 * 10.0**-places and places < 8:
        places += 1
    return number_format(round(float(value), places), places).replace("-", MINUS)


def from_logarithm(log: float, *, times: float = 1.0) -> str:
    """``times * e ** log``: 0.120, 0.0012, and 1.2 × 10⁻⁶ where that would be nearly nothing."""
    if log == -math.inf:
        return number_format(0)
    log10 = log / math.log(10) + math.log10(times)
    power = math.floor(log10)
    if power >= -3:
        places = max(3, 1 - power)
        return number_format(round(10**log10, places), places)
    mantissa = round(10 ** (log10 - power), 1)
    if mantissa >= 10:
        mantissa, power = 1.0, power + 1
    return f"{number_format(mantissa, 1)} × 10{str(power).translate(SUPERSCRIPTS)}"


def share(log_probability: float, log_rest: float) -> str:
    """A probability in percent that is never a false 0% nor a false 100%."""
    percent = 100 * math.exp(log_probability)
    if log_rest == -math.inf:
        return _("%(number)s%%") % {"number": number_format(100)}
    if percent < 0.1:
        number = from_logarithm(log_probability, times=100)
    elif percent < 99.95:
        number = number_format(round(percent, 1), 1)
    else:
        # As many nines as there are, and one figure more.
        nines = math.floor(-log_rest / math.log(10))
        if nines > MOST_NINES + 1:
            return _("> %(number)s%%") % {"number": number_format("99." + "9" * MOST_NINES, MOST_NINES)}
        places = max(2, nines - 1)
        number = number_format(math.floor((100 - 100 * math.exp(log_rest)) * 10**places) / 10**places, places)
    return _("%(number)s%%") % {"number": number}
