"""How often the networks were right on pictures whose true class somebody has given, and what they confused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from predictions.batch_table import BatchTable, Cell
from predictions.models import Label, Network

# More classes than these would be a table that nobody reads.
MOST_CLASSES = 20
STEPS = 4
# The 97.5% point of the normal distribution.
Z95 = 1.959963984540054


class Share(NamedTuple):
    """``right`` of ``n``, with the limits between which the true share lies with a probability of 95%."""

    right: int
    n: int

    @property
    def value(self) -> float:
        return self.right / self.n

    @property
    def low(self) -> float:
        return max(0.0, self._middle - self._half)

    @property
    def high(self) -> float:
        return min(1.0, self._middle + self._half)

    # Wilson's interval: it keeps its promise for a handful of pictures, and at 0% and 100% too.
    @property
    def _middle(self) -> float:
        return (self.value + Z95**2 / (2 * self.n)) / (1 + Z95**2 / self.n)

    @property
    def _half(self) -> float:
        spread = self.value * (1 - self.value) / self.n + Z95**2 / (4 * self.n**2)
        return Z95 * math.sqrt(spread) / (1 + Z95**2 / self.n)


@dataclass(frozen=True)
class Square:
    """How many pictures of one class were called another, or rightly the same."""

    count: int
    same: bool
    step: int  # of heat, 0 for none


class MatrixRow(NamedTuple):
    truth: str
    total: int
    squares: list[Square]


@dataclass(frozen=True)
class Matrix:
    """True classes down, answers across; ``classes`` are in the order of both."""

    classes: list[str]
    rows: list[MatrixRow]
    all_classes: int
    left_out: int  # pictures whose true class or answer is not among those shown


@dataclass(frozen=True)
class Accuracy:
    """One network against the true classes. Without shares where nothing can be said yet."""

    network: Network
    top1: Share | None
    top5: Share | None
    matrix: Matrix | None
    unknown: int  # pictures of classes that this network does not have


def accuracies(table: BatchTable) -> list[Accuracy]:
    """One for each network of the batch; empty when no true class is given."""
    if not table.truths:
        return []
    known: dict[str, dict[str, str]] = {network.pk: {} for network in table.networks}
    for label in Label.objects.filter(network__in=table.networks):
        known[label.network_id][label.name] = label.pk
    found = []
    for place, network in enumerate(table.networks):
        cells = [cell for row in table.rows if row.truth and (cell := row.cells[place])]
        found.append(_accuracy(network, cells, known[network.pk]))
    return found


def _accuracy(network: Network, cells: Iterable[Cell], keys: dict[str, str]) -> Accuracy:
    answered = [cell for cell in cells if cell.name]
    judged = [cell for cell in answered if cell.truth in keys]
    n = len(judged)
    if not n:
        return Accuracy(network, None, None, None, len(answered))
    return Accuracy(
        network,
        Share(sum(1 for cell in judged if cell.right), n),
        Share(sum(1 for cell in judged if keys[cell.truth] in cell.tops), n),
        confusion([(cell.truth, cell.name) for cell in judged]),
        len(answered) - n,
    )


def confusion(pairs: Sequence[tuple[str, str]]) -> Matrix:
    """What was called what: (true class, answer) of each picture."""
    often = Counter(name for pair in pairs for name in pair)
    most = sorted(often, key=lambda name: (-often[name], name))[:MOST_CLASSES]
    classes = sorted(most)
    counts = Counter(pairs)
    totals = Counter(truth for truth, _answer in pairs)
    rows = []
    for truth in classes:
        squares = [
            Square(count, truth == answer, _step(count, totals[truth]))
            for answer in classes
            for count in [counts[truth, answer]]
        ]
        rows.append(MatrixRow(truth, totals[truth], squares))
    shown = sum(square.count for row in rows for square in row.squares)
    return Matrix(classes, rows, len(often), len(pairs) - shown)


def _step(count: int, total: int) -> int:
    """A square's heat: its share of its row in a few steps, so that a rare class is as visible as a frequent one."""
    return min(STEPS, 1 + int(STEPS * count / total)) if count else 0
