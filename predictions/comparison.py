"""What rose, what fell, by how much: runs beside one another, class by class, on one scale.

Two runs make a pair: without and with bars, one network and another, or any two of the history. Pairs beside one
another share their classes and their order, so that a row can be read across.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.artifact import ArtifactError
from ml.labels import display
from predictions.groups import Group, Result, card_of
from predictions.models import Distribution, Job, Prediction

MOST_CLASSES = 8
# Changes below half of what a page shows are none.
SAME = 0.0005


@dataclass(frozen=True)
class Change:
    """One class in one pair. A probability is None where only the five likeliest were kept and it is not among them."""

    pair: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def direction(self) -> str:
        difference = self.difference or 0.0
        return "" if abs(difference) < SAME else "rose" if difference > 0 else "fell"

    @property
    def points(self) -> str:
        """The difference in percentage points with its sign: ``+12.3``, ``−4.0``, ``0.0``."""
        if self.difference is None:
            return _("unknown")
        shown = round(100 * self.difference, 1)
        sign = "+" if shown > 0 else "\N{MINUS SIGN}" if shown < 0 else ""
        return sign + number_format(abs(shown), 1)

    @property
    def line(self) -> tuple[float, float] | None:
        """From the lower to the higher probability, 0 to 100, where both are known."""
        if self.before is None or self.after is None:
            return None
        return 100 * min(self.before, self.after), 100 * max(self.before, self.after)


@dataclass(frozen=True)
class Pair:
    """Two runs with an answer each, and what they are called here."""

    title: str
    before: Prediction
    after: Prediction
    before_title: str
    after_title: str

    @property
    def runs(self) -> tuple[Prediction, Prediction]:
        return self.before, self.after


@dataclass(frozen=True)
class Row:
    """One class across all pairs."""

    label: str
    changes: Sequence[Change]

    @property
    def name(self) -> str:
        return _(display(self.label))


@dataclass(frozen=True)
class Comparison:
    """Pairs over the same classes, those that matter most first."""

    pairs: Sequence[Pair]
    rows: Sequence[Row]

    @property
    def sentences(self) -> list[str]:
        """For each pair what rose most and what fell most, in words."""
        return [self._sentence(place, pair) for place, pair in enumerate(self.pairs)]

    def _sentence(self, place: int, pair: Pair) -> str:
        known = [
            (row.changes[place].difference or 0.0, row)
            for row in self.rows
            if row.changes[place].difference is not None
        ]
        rose = max(known, key=lambda one: one[0], default=None)
        fell = min(known, key=lambda one: one[0], default=None)
        said = []
        if rose and rose[0] >= SAME:
            said.append(_named(_("%(name)s rose by %(points)s"), rose))
        if fell and fell[0] <= -SAME:
            said.append(_named(_("%(name)s fell by %(points)s"), fell))
        words = _("; ").join(said) or _("nothing changed")
        return _("%(title)s: %(words)s.") % {"title": pair.title, "words": words}


def _named(sentence: str, found: tuple[float, Row]) -> str:
    size = round(100 * abs(found[0]), 1)
    points = ngettext("%(number)s point", "%(number)s points", 1 if size == 1 else 2)
    return sentence % {"name": found[1].name, "points": points % {"number": number_format(size, 1)}}


def of_group(group: Group) -> Comparison | None:
    """The networks on one picture: what its bars changed, or, without bars, how the networks differ.

    None while fewer than two answers are there.
    """
    pairs: list[Pair] = []
    for result in group.results:
        pairs += _bars(result)
    if not pairs:
        done = [result for result in group.results if _answered(result.run)]
        pairs = [
            Pair(
                _("%(first)s and %(second)s") % {"first": done[0].title, "second": other.title},
                done[0].run,
                other.run,
                done[0].title,
                other.title,
            )
            for other in done[1:]
        ]
    return compare(pairs)


def _bars(result: Result) -> list[Pair]:
    if len(result.sides) < 2 or not all(_answered(side.run) for side in result.sides):
        return []
    clean, covered = result.sides
    return [Pair(result.title, clean.run, covered.run, clean.title, covered.title)]


def of_runs(first: Prediction, second: Prediction) -> Comparison | None:
    """Any two runs, called A and B."""
    if not (_answered(first) and _answered(second)):
        return None
    return compare([Pair(_("A and B"), first, second, _("A"), _("B"))])


def _answered(run: Prediction) -> bool:
    return run.status == Job.Status.DONE and run.top1_id is not None


def compare(pairs: Sequence[Pair]) -> Comparison | None:
    """The pairs filled with their classes: every one that is likely somewhere, the likeliest or most changed first."""
    if not pairs:
        return None
    runs = [run for pair in pairs for run in pair.runs]
    known = probabilities_of(runs)
    likely = {label for run in runs for label in _five(run)}
    columns = [(known[pair.before.pk], known[pair.after.pk]) for pair in pairs]

    def weight(label: str) -> float:
        return max(max(before.get(label, 0.0), after.get(label, 0.0)) for before, after in columns)

    chosen = sorted(likely, key=lambda label: (-weight(label), label))[:MOST_CLASSES]
    rows = [
        Row(
            label,
            [
                Change(pair.title, before.get(label), after.get(label))
                for pair, (before, after) in zip(pairs, columns, strict=True)
            ],
        )
        for label in chosen
    ]
    return Comparison(pairs, rows)


def probabilities_of(runs: Iterable[Prediction]) -> dict[Any, dict[str, float]]:
    """For each run: class name -> probability, of all classes where they were kept, else of the five likeliest."""
    wanted = {run.pk: run for run in runs}
    kept = Distribution.objects.in_bulk(list(wanted))
    return {pk: _all(run, kept.get(pk)) or _five(run) for pk, run in wanted.items()}


def _all(run: Prediction, kept: Distribution | None) -> dict[str, float]:
    card = card_of(run.model_id)
    if kept is None or card is None:
        return {}
    values = kept.values
    # Another version of the network may have other classes.
    if len(values) != len(card.labels) or _five(run).keys() - set(card.labels):
        return {}
    return dict(zip(card.labels, values, strict=True))


def _five(run: Prediction) -> dict[str, float]:
    try:
        answers = run.answers or []
    except (ArtifactError, IndexError):
        return {run.top1.name: run.probability1} if run.top1 and run.probability1 is not None else {}
    return {answer["label"]: answer["probability"] for answer in answers}
