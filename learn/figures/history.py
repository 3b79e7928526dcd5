"""Drawings of what LeNet's successors added, and the figures that their authors published."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Contest:
    """A result at the ImageNet contest: the share of pictures whose class was not among five guesses."""

    year: int
    name: str
    error: float
    y: int
    width: str
    label_x: str


# The runner-up and the winner of 2012 from Krizhevsky and others, 2012; VGG's entry from Simonyan and
# Zisserman, 2014, table 7; ResNet's from He and others, 2015.
_RESULTS = ((2012, "", 0.262), (2012, "AlexNet", 0.153), (2014, "VGG", 0.073), (2015, "ResNet", 0.0357))


def imagenet_example(row: int = 46, units: float = 1000) -> dict[str, object]:
    """The results as bars."""
    rows = [
        Contest(
            year,
            name or _("Best entry without a deep network"),
            error,
            index * row + 2,
            f"{units * error:.1f}",
            f"{units * error + 8:.1f}",
        )
        for index, (year, name, error) in enumerate(_RESULTS)
    ]
    return {"rows": rows}


def stacking_example(cell: int = 10, cells: int = 7, step: int = 86) -> list[dict[str, int | str]]:
    """Four grids with the part marked that one value of the last map depends on."""
    side = cell * cells
    mesh = "".join(f"M0 {i * cell}h{side}M{i * cell} 0v{side}" for i in range(cells + 1))
    return [
        {
            "x": 7 + index * step,
            "middle": 7 + index * step + side // 2,
            "mesh": mesh,
            "count": count,
            "offset": (cells - count) // 2 * cell,
            "size": count * cell,
        }
        for index, count in enumerate((7, 5, 3, 1))
    ]


def thin_and_wide() -> dict[str, list[int]]:
    """Heights of the drawn layers of a thin, deep network and of a wide one."""
    return {"thin": list(range(0, 156, 6)), "wide": list(range(0, 84, 14))}
