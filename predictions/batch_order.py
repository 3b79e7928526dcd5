"""By what the table of a batch is sorted: named in its address, and led to by the heads of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from ml.labels import display
from predictions.models import Network

if TYPE_CHECKING:
    from predictions.batch_table import BatchRow


@dataclass(frozen=True)
class Order:
    """By what the rows are sorted: ``name``, ``-confidence:vgg``; anything unknown is the order sent."""

    key: str = "position"
    network: str = ""
    descending: bool = False

    @classmethod
    def parse(cls, text: str, networks: Iterable[str] = ()) -> Order:
        key, _colon, network = text.removeprefix("-").partition(":")
        of_network = key in ("label", "confidence") and network in set(networks)
        if of_network or (key in ("position", "name", "truth", "agreement") and not network):
            return cls(key, network, text.startswith("-"))
        return cls()

    @property
    def column(self) -> str:
        return f"{self.key}:{self.network}" if self.network else self.key

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.column}"

    @property
    def stands(self) -> bool:
        """Whether answers that come in leave the rows where they are."""
        return self.key in ("position", "name", "truth")

    def value(self, row: BatchRow, place: dict[str, int]) -> Any:
        """What a row is sorted by, or None where it has nothing of that kind; such rows come last."""
        if self.key == "position":
            return row.number
        if self.key == "name":
            return natural(row.filename)
        if self.key == "truth":
            return _(display(row.truth)).casefold() if row.truth else None
        if self.key == "agreement":
            return row.agree
        cell = row.cells[place[self.network]] if row.cells else None
        if cell is None or not cell.name:
            return None
        return _(display(cell.name)).casefold() if self.key == "label" else cell.run.probability1

    def sort(self, rows: Sequence[BatchRow], networks: Sequence[Network]) -> list[BatchRow]:
        """The rows, given in the order sent, in this one."""
        place = {network.pk: number for number, network in enumerate(networks)}
        valued = [(self.value(row, place), row) for row in rows]
        found = [pair for pair in valued if pair[0] is not None]
        found.sort(key=lambda pair: pair[0], reverse=self.descending)
        return [row for _value, row in found] + [row for value, row in valued if value is None]


def natural(name: str) -> list[tuple[int, int, str]]:
    """A file name as people order it: 2 before 10, letters of either case alike."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


@dataclass(frozen=True)
class Head:
    """The head of a column that can be sorted."""

    column: str
    sorted: str = ""  # as aria-sort says it
    link: str = ""
