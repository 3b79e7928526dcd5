"""A shipped network: a folder with a card, an exact graph, a quantised graph and its training log.

    card.json            what it is, how it was made, how good it is, checksums of the other files
    network.xml, .bin    the exact graph in OpenVINO's format; kernels stored as float16, computed in float32. As
                         it is shipped its weights are packed without loss (``ml.packing``): network.bin.packed
    int8.xml, .bin       the quantised graph that answers
    log.jsonl            one line an epoch of the training run
    snapshots/           the weights along the run (``ml.snapshots``), listed in the card
    outside.npz          what the score for pictures outside the classes is computed from (``ml.outside_score``)
    evaluation.json      reliability, every class and every confusion on the test set (``ml.evaluate.evaluation``)

Nothing here imports Keras or TensorFlow; OpenVINO only where a graph is read.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import config, packing
from ml.labels import PEOPLE, display
from ml.preprocessing import Preprocessing
from ml.storage import read_lines

logger = logging.getLogger(__name__)

EXACT = "network"
QUANTISED = "int8"
LOG = "log.jsonl"
EVALUATION = "evaluation.json"
PACKED = ".packed"
"""After the name of a file that ``ml.packing`` made smaller."""
WEIGHT = "weight:"
"""Before the name of each constant of the exact graph that is a weight."""

LEAST_RECORD = 30
"""Fewer test pictures than this in a bin say nothing: of 30, one more or less right is 3 percentage points."""


@dataclass(frozen=True)
class Record:
    """How often a network was right when it was about as sure as now: ``accuracy`` (0..1) of ``n`` test pictures."""

    accuracy: float
    n: int


class ArtifactError(Exception):
    """The artifact is missing, damaged or of another format; the message says which file and why."""


@dataclass(frozen=True)
class Card:
    """What ``card.json`` says. ``files`` maps file names to their sha256; ``temperatures`` divide the logits."""

    name: str
    title: str
    version: str
    architecture: str
    options: dict[str, Any]
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    temperature: float
    parameters: int
    multiply_adds: int
    layers: list[dict[str, Any]] = field(repr=False)
    metrics: dict[str, Any]
    reference_metrics: dict[str, Any]
    training: dict[str, Any]
    files: dict[str, str] = field(repr=False)
    black_slope: float = 0.0
    outside: dict[str, Any] | None = None
    snapshots: list[dict[str, Any]] = field(default_factory=list, repr=False)
    quantisation: dict[str, Any] = field(default_factory=dict, repr=False)
    folder: Path = field(default=Path(), compare=False)

    @property
    def size(self) -> int:
        """Side of the network's square input in pixels."""
        return self.preprocessing.size

    @property
    def weights(self) -> int:
        """Those of the parameters that training learned: half of a batch normalisation's are means and variances,
        which are measured."""
        measured = sum(one["parameters"] for one in self.layers if one["kind"] == "BatchNormalization") // 2
        return self.parameters - measured

    def label(self, index: int) -> str:
        """The class name as a person reads it. Raises IndexError outside the labels."""
        if index < 0:
            raise IndexError(index)
        return display(self.labels[index])

    def is_person(self, index: int) -> bool:
        """Whether the class is about people, of whom the network knows nothing."""
        return self.labels[index] in PEOPLE

    def temperatures(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """What divides the logits of each picture, (n,): ``temperature`` times (1 + ``black_slope`` x share of black).

        pixels: uint8 (n, size, size, 3). A network trained on whole pictures is too sure of covered ones, the more
        the more of them is black; its logits do not tell, but the pixels of value 0 do.
        """
        return self.temperature * (1 + self.black_slope * black_share(pixels))

    def evaluation(self) -> dict[str, Any] | None:
        """What ``ml.evaluate.evaluation`` found, not to be changed; None when none was shipped.

        A file that is not the one the card knows is logged and counts as none: figures are shown, nothing rests on
        them.
        """
        path = self.folder / EVALUATION
        if EVALUATION not in self.files or not path.is_file():
            return None
        return _read_evaluation(path, path.stat().st_mtime_ns, self.files[EVALUATION])

    def track_record(self, confidence: float, *, covered: bool = False) -> Record | None:
        """How often this network was right on test pictures at such a ``confidence`` (top-1 probability, 0..1).

        covered: among those with black bars. None without an evaluation or with fewer than LEAST_RECORD pictures.
        """
        found = self.evaluation() or {}
        rows = (found.get("covered") or {} if covered else found).get("reliability", [])
        # Bins share their edges; the higher one owns it, as in `calibrate.reliability`.
        own = next((row for row in reversed(rows) if row["low"] <= confidence <= row["high"]), None)
        return Record(own["accuracy"], own["n"]) if own and own["n"] >= LEAST_RECORD else None

    def curves(self) -> list[dict[str, Any]]:
        """The training log, a row an epoch; empty when none was shipped."""
        path = self.folder / LOG
        return read_lines(path) if path.is_file() else []

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        del values["folder"]
        values["preprocessing"] = self.preprocessing.to_dict()
        values["labels"] = list(self.labels)
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any], folder: Path) -> Card:
        data = dict(values)
        data["preprocessing"] = Preprocessing.from_dict(data["preprocessing"])
        data["labels"] = tuple(data["labels"])
        card = cls(folder=folder, **data)
        if not card.labels or card.temperature <= 0 or not card.version:
            raise ValueError("labels, version and a temperature above 0 are needed")
        if card.black_slope < 0:
            raise ValueError("black_slope must not be below 0")
        return card


def black_share(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The share of pixels of value 0 in all channels in each picture, uint8 (n, height, width, 3) -> (n,), 0..1."""
    return np.asarray((pixels.max(-1) == 0).mean((1, 2)), np.float64)


def load_card(name: str) -> Card:
    """The card of the network called ``name``. Raises ArtifactError."""
    path = config.artifacts_dir() / name / config.CARD
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise ArtifactError(f"There is no network {name!r}: {path} is missing.") from error
    return _read_card(path, stamp)


@lru_cache(maxsize=32)
def _read_card(path: Path, stamp: int) -> Card:
    try:
        card = Card.from_dict(json.loads(path.read_text(encoding="utf-8")), path.parent)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{path} is not a network's card: {error}.") from error
    if card.name != path.parent.name:
        raise ArtifactError(f"{path} says that it is {card.name!r}, but its folder is {path.parent.name!r}.")
    return card


@lru_cache(maxsize=32)
def _read_evaluation(path: Path, stamp: int, expected: str) -> dict[str, Any] | None:
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != expected:
        logger.error("%s is damaged: its checksum is not the card's.", path)
        return None
    found = json.loads(raw)
    return found if isinstance(found, dict) else None


def cards() -> list[Card]:
    """Every network that can be offered, the cheapest first; one with a damaged card is logged and left out."""
    found = []
    for name in config.artifact_names():
        try:
            found.append(load_card(name))
        except ArtifactError as error:
            logger.error("%s", error)
    return sorted(found, key=lambda card: card.multiply_adds)


def checksum(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(card: Card, *names: str) -> None:
    """Checks the named files (all of the card's when none is named). Raises ArtifactError on the first that differs."""
    for name in names or tuple(card.files):
        path = card.folder / name
        expected = card.files.get(name)
        if expected is None:
            raise ArtifactError(f"{card.name}: the card knows no file {name}.")
        if not path.is_file():
            raise ArtifactError(f"{card.name}: {path} is missing.")
        if checksum(path) != expected:
            raise ArtifactError(f"{card.name}: {path} is damaged: its checksum is not the card's.")


def graph_files(card: Card, graph: str) -> tuple[str, str]:
    """File names of a graph (EXACT or QUANTISED), checked. Raises ArtifactError."""
    weights = f"{graph}.bin"
    if weights + PACKED in card.files:
        weights += PACKED
    names = (f"{graph}.xml", weights)
    verify(card, *names)
    return names


def read_graph(card: Card, graph: str) -> Any:
    """A graph (EXACT or QUANTISED) as an ``openvino.Model``, not yet compiled. Raises ArtifactError."""
    import openvino

    xml, weights = graph_files(card, graph)
    core = openvino.Core()
    if not weights.endswith(PACKED):
        return core.read_model(card.folder / xml)
    try:
        content = packing.unpack((card.folder / weights).read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{card.name}: {card.folder / weights}: {error}.") from error
    return core.read_model((card.folder / xml).read_bytes(), openvino.Tensor(content))


def read_weights(card: Card) -> dict[str, NDArray[np.float32]]:
    """All weights of the exact graph by name (``block1/conv1/kernel``), in Keras's layouts.

    Convolutions: height x width x inputs x outputs; dense: inputs x outputs. Raises ArtifactError.
    """
    model = read_graph(card, EXACT)
    weights: dict[str, NDArray[np.float32]] = {}
    for node in model.get_ops():
        name = node.get_friendly_name()
        if node.get_type_name() != "Constant" or not name.startswith(WEIGHT):
            continue
        values = np.asarray(node.data, np.float32)
        if values.ndim == 4:
            values = values.transpose(2, 3, 1, 0)
        elif values.ndim == 2:
            values = values.T
        weights[name.removeprefix(WEIGHT)] = np.ascontiguousarray(values)
    if not weights:
        raise ArtifactError(f"{card.name}: {EXACT}.xml holds no named weights.")
    return weights


def to_graph_layout(values: NDArray[Any]) -> NDArray[Any]:
    """A weight in Keras's layout as the graphs hold it: outputs x inputs x height x width, outputs x inputs."""
    if values.ndim == 4:
        return values.transpose(3, 2, 0, 1)
    return values.T if values.ndim == 2 else values
