"""The softmax of one answer as a table of four columns, each row with its drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from learn.figures import softmax
from ml.artifact import Card

BAR = 100.0
"""Width of the drawings in a row."""


@dataclass(frozen=True)
class Drawn:
    """A row of the table as text, with lengths for SVG: x and width of three bars, the side of a square of 100."""

    label: str
    others: bool
    logit: str
    difference: str
    exponential: str
    share: str
    zero: str
    logit_bar: tuple[str, str]
    negative: bool
    difference_bar: tuple[str, str]
    area: str
    unit: str
    share_bar: str


def table(logits: Sequence[float], temperature: float, chosen: int | None, card: Card) -> dict[str, Any]:
    """Rows (Drawn), the written sum of the exponentials and a sentence; ``chosen``: a class to be named as well."""
    found = softmax.columns(logits, temperature, softmax.named_classes(logits, chosen))
    low = min(0.0, *(row.logit for row in found.rows))
    high = max(0.0, *(row.logit for row in found.rows))
    span = (high - low) or 1.0
    deepest = -min(row.difference for row in found.rows) or 1.0
    largest = max(1.0, *(row.exponential for row in found.rows))
    rows = []
    for row in found.rows:
        bound = "≤ " if row.index is None else ""
        left, right = sorted((0.0, row.logit))
        rows.append(
            Drawn(
                label=_others(found.others) if row.index is None else _(card.label(row.index)),
                others=row.index is None,
                logit=bound + softmax.decimal(row.logit),
                difference=bound + softmax.decimal(row.difference),
                exponential=softmax.from_logarithm(row.log_exponential),
                share=softmax.share(row.log_probability, row.log_rest),
                zero=_length(-low / span),
                logit_bar=(_length((left - low) / span), _length((right - left) / span)),
                negative=row.logit < 0,
                difference_bar=(_length(1 + row.difference / deepest), _length(-row.difference / deepest)),
                area=_length(math.sqrt(row.exponential / largest)),
                unit=_length(math.sqrt(1 / largest)),
                share_bar=_length(row.probability),
            )
        )
    return {
        "rows": rows,
        "sum": softmax.from_logarithm(found.log_sum),
        "classes": len(logits),
        "says": _says_columns(rows),
    }


def _others(count: int) -> str:
    return ngettext("%(count)s other", "%(count)s others", count) % {"count": count}


def _says_columns(rows: Sequence[Drawn]) -> str:
    return ", ".join(f"{row.label} {row.share}" for row in rows)


def _length(share: float) -> str:
    return f"{BAR * share:.2f}"
