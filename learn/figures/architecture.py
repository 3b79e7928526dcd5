"""A network drawn as its stages: maps shrink while channels grow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ROW = 52
MAP_UNITS = 40
CHANNEL_UNITS = 150


@dataclass(frozen=True)
class Stage:
    """Convolutions in a row that share a map size and a number of channels."""

    side: int
    channels: int
    convolutions: int


@dataclass(frozen=True)
class StageRow:
    """A stage as the figure draws it."""

    stage: Stage
    y: int
    square: str
    square_x: str
    square_y: str
    bar: str


def stages_from_layers(layers: Iterable[Mapping[str, Any]]) -> list[Stage]:
    """The stages in a card's table of layers; 1 x 1 shortcuts run beside a stage and are not counted."""
    stages: list[Stage] = []
    for layer in layers:
        if layer["kind"] != "Conv2D" or str(layer["name"]).endswith("shortcut"):
            continue
        side, channels = int(layer["shape"][0]), int(layer["shape"][-1])
        if stages and (stages[-1].side, stages[-1].channels) == (side, channels):
            stages[-1] = Stage(side, channels, stages[-1].convolutions + 1)
        else:
            stages.append(Stage(side, channels, 1))
    return stages


def stage_figure(stages: list[Stage], *, input_side: int, classes: int) -> dict[str, Any]:
    """Rows for the template: square area is the map's, bar length the root of the number of channels."""
    largest_side = max([input_side, *(stage.side for stage in stages)])
    largest = max([classes, *(stage.channels for stage in stages)])
    rows = []
    for index, stage in enumerate([Stage(input_side, 3, 0), *stages]):
        square = max(3.0, MAP_UNITS * stage.side / largest_side)
        rows.append(
            StageRow(
                stage,
                index * ROW,
                f"{square:.1f}",
                f"{(MAP_UNITS - square) / 2:.1f}",
                f"{(MAP_UNITS - square) / 2:.1f}",
                f"{CHANNEL_UNITS * math.sqrt(stage.channels / largest):.1f}",
            )
        )
    return {
        "rows": rows,
        "classes": classes,
        "classes_bar": f"{CHANNEL_UNITS * math.sqrt(classes / largest):.1f}",
        "classes_y": len(rows) * ROW,
        "height": (len(rows) + 1) * ROW,
        "last_channels": stages[-1].channels if stages else 3,
        "convolutions": sum(stage.convolutions for stage in stages),
    }
