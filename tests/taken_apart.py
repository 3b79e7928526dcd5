"""Cells of both shipped networks computed by hand in float64, for whatever tells them: a page with scripts or without.

Nothing of ``ml.explain`` is used: the networks are those of ``tests.ml.by_hand``, the weights come in Keras's layouts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml import artifact
from tests.ml import by_hand


@dataclass(frozen=True)
class Cell:
    """An output cell of a convolution: which layer it reads, and what becomes of it: (sentence begins with, layer)."""

    network: str
    layer: str
    channel: int
    y: int
    x: int
    reads: str
    stride: int = 1
    after: tuple[tuple[str, str], ...] = ()

    @property
    def query(self) -> str:
        return f"network={self.network}&layer={self.layer}&channel={self.channel}&y={self.y}&x={self.x}"


CELLS = {
    "first layer, a corner": Cell(
        "vgg",
        "block1/conv1",
        5,
        0,
        0,
        "pictures",
        after=(("Block 1, batch normalisation 1", "block1/bn1"),),
    ),
    "in the middle": Cell(
        "vgg",
        "block3/conv2",
        77,
        4,
        3,
        "block3/relu1",
        after=(("Block 3, batch normalisation 2", "block3/bn2"),),
    ),
    "the last column": Cell(
        "wideresnet",
        "group1/block2/conv1",
        9,
        20,
        31,
        "group1/block2/relu1",
        after=(("Group 1, block 2, batch normalisation 2", "group1/block2/bn2"),),
    ),
    "stride 2": Cell(
        "wideresnet",
        "group2/block1/conv1",
        5,
        3,
        9,
        "group2/block1/relu1",
        2,
        after=(("Group 2, block 1, batch normalisation 2", "group2/block1/bn2"),),
    ),
    "stride 2 at the padded edge": Cell(
        "wideresnet", "group3/block1/conv1", 600, 7, 7, "group3/block1/relu1", 2
    ),
    "a shortcut": Cell(
        "wideresnet",
        "group2/block1/shortcut",
        5,
        3,
        9,
        "group2/block1/relu1",
        2,
        after=(("Group 2, block 1, addition", "group2/block1/add"),),
    ),
    "what is added": Cell(
        "wideresnet",
        "group3/block4/conv2",
        5,
        3,
        7,
        "group3/block4/relu2",
        after=(("Group 3, block 4, addition", "group3/block4/add"), ("Head, batch normalisation", "head/bn")),
    ),
}


@cache
def _weights(network: str) -> dict[str, np.ndarray]:
    return artifact.read_weights(artifact.load_card(network))


@cache
def _outputs(network: str, pixels: bytes) -> dict[str, np.ndarray]:
    card = artifact.load_card(network)
    how = card.preprocessing
    seen = np.frombuffer(pixels, np.uint8).reshape(card.size, card.size, 3)
    kept = {"pictures": by_hand.normalised(seen, how.mean, how.std)}

    def keep(name: str, maps: np.ndarray) -> np.ndarray:
        kept[name] = maps
        return maps

    by_hand.logits(card, seen, _weights(network), keep)
    return kept


@dataclass(frozen=True)
class Expected:
    """The sum of a cell, what each input channel adds, and the values after it by layer."""

    total: float
    products: int
    sums: np.ndarray
    after: dict[str, float]


def expected(cell: Cell, pixels: np.ndarray) -> Expected:
    """What ``cell`` must be for a picture as the network sees it, uint8 (size, size, 3)."""
    outputs = _outputs(cell.network, pixels.tobytes())
    read = outputs[cell.reads]
    kernel = _weights(cell.network)[f"{cell.layer}/kernel"].astype(np.float64)[..., cell.channel]
    side = len(kernel)
    # "Same" padding: what is missing for the last window, the odd cell of it behind.
    spare = max((-(-len(read) // cell.stride) - 1) * cell.stride + side - len(read), 0)
    sums = np.zeros(read.shape[-1])
    for dy in range(side):
        for dx in range(side):
            row, column = cell.y * cell.stride + dy - spare // 2, cell.x * cell.stride + dx - spare // 2
            if 0 <= row < len(read) and 0 <= column < len(read):
                sums += read[row, column] * kernel[dy, dx]
    after = {title: float(outputs[name][cell.y, cell.x, cell.channel]) for title, name in cell.after}
    return Expected(float(sums.sum()), sums.size * side * side, sums, after)


NUMBER = r"([+−-]?[\d.,]*\d)"


def number(text: str) -> float:
    """A number as an English page writes it."""
    return float(text.replace("−", "-").replace(",", ""))


@dataclass(frozen=True)
class Said:
    """What a sentence about a cell says in numbers. ``after``: the result of each step, by its title."""

    place: tuple[int, int, int]
    products: int
    total: float
    sums: dict[int, float]
    others: tuple[int, float]
    rounding: float
    stored: float
    padding: int
    after: dict[str, float]


def read(sentence: str) -> Said:
    """The numbers in a sentence about a convolution's cell; ``place`` counts from 0, as the files do."""
    place = re.search(r"channel (\d+), row (\d+), column (\d+)", sentence)
    total = re.search(rf"the sum of {NUMBER} products is {NUMBER}\.", sentence)
    listed = re.search(r"(?:take away most|The input channels): (.*?)\. (?:The other|Rounding)", sentence)
    others = re.search(rf"The other {NUMBER} give {NUMBER} together", sentence)
    rounding = re.search(rf"Rounding: {NUMBER}\.", sentence)
    stored = re.search(rf"The network computed {NUMBER} in float32", sentence)
    padding = re.search(r"(\d+) of the \d+ cells under the window are padding", sentence)
    assert place
    assert total
    assert listed
    assert rounding
    assert stored
    after = re.findall(rf"([A-Z][^.:]*?): [^:]*? = {NUMBER}(?:\.(?!\d)| \(rounding)", sentence)
    return Said(
        (int(place[1]), int(place[2]) - 1, int(place[3]) - 1),
        int(number(total[1])),
        number(total[2]),
        {int(one): number(sum_) for one, sum_ in re.findall(rf"(\d+) gives {NUMBER}", listed[1])},
        (int(number(others[1])), number(others[2])) if others else (0, 0.0),
        number(rounding[1]),
        number(stored[1]),
        int(padding[1]) if padding else 0,
        {title: number(result) for title, result in after},
    )


def agree(said: Said, cell: Cell, pixels: np.ndarray) -> None:
    """What is said of ``cell`` is what it must be, and its digits add up. Raises AssertionError."""
    by_hand_ = expected(cell, pixels)
    assert said.place == (cell.channel, cell.y, cell.x)
    assert said.products == by_hand_.products
    assert abs(said.total - by_hand_.total) < 1.5e-4
    assert abs(said.stored - by_hand_.total) < 1e-4
    for channel, sum_ in said.sums.items():
        assert abs(sum_ - by_hand_.sums[channel]) < 1.5e-4
    # No channel that is left out adds or takes away more than one that is named.
    assert len(said.sums) == min(8, len(by_hand_.sums))
    left_out = np.delete(np.abs(by_hand_.sums), list(said.sums))
    if len(left_out):
        assert min(map(abs, said.sums.values())) > left_out.max() - 1.5e-4
    assert said.others[0] == len(left_out)
    assert round(sum(said.sums.values()) + said.others[1] + said.rounding, 6) == said.total
    for title, value in by_hand_.after.items():
        assert abs(said.after[title] - value) < 2e-4, title
