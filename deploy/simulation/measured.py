"""Service times, read from what ``make bench`` measured (``benchmarks/results``). No time of a file stands here.

Processor times are of a machine with two cores, which is what an instance is taken to be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
CLAIM = 32
"""Rows that a worker takes at once (``predictions.jobs.CLAIM``; a test compares)."""

NETWORKS = ("vgg", "wideresnet")
FIGURES = {
    "X-ray": "X-ray with bars, both networks",
    "occlusion": "occlusion, 8 x 8 squares, both networks",
    "dose": "dose and response, both networks",
    "class map": "class activation map, both networks",
    "two tests": "the two tests of that map, both networks",
}
"""The five figures of a lecture, and the rows of laboratory.json that say how long each takes for one alone."""


@dataclass(frozen=True)
class Network:
    """Seconds of one claim of a network when both cores are free: ``base`` and as much again for each row."""

    base: float
    row: float

    def seconds(self, rows: int) -> float:
        return self.base + rows * self.row

    @property
    def full(self) -> float:
        """Seconds a row in full claims."""
        return self.seconds(CLAIM) / CLAIM


@dataclass(frozen=True)
class Service:
    """What everything takes on one instance, in seconds. ``web`` times are of one core."""

    hardware: str
    cores: int
    networks: Mapping[str, Network]
    figures: Mapping[str, float]
    """Of a figure with both networks; each of its two rows takes so long on one core."""
    first_figure: float
    """What a child that computes figures takes longer for its first."""
    worker_start: float
    page: float
    request: float
    """A small request: a question how something stands, a static file."""
    picture: float
    """A picture taken in: decoded, encoded again, its square placed, shrunk, its rows written."""
    stored_figure: float
    """The files of an X-ray, which are the largest, handed out."""

    def slower(self, factor: float) -> Service:
        """The same on instances that take ``factor`` times as long."""
        return Service(
            self.hardware,
            self.cores,
            {name: Network(one.base * factor, one.row * factor) for name, one in self.networks.items()},
            {name: seconds * factor for name, seconds in self.figures.items()},
            self.first_figure * factor,
            self.worker_start * factor,
            self.page * factor,
            self.request * factor,
            self.picture * factor,
            self.stored_figure * factor,
        )

    @property
    def predictions(self) -> float:
        """Instance-seconds of one answer of each network, in full claims."""
        return sum(one.full for one in self.networks.values())


def rows(part: str, results: Path = RESULTS) -> list[dict[str, Any]]:
    """What one benchmark measured. Raises ValueError with a sentence where it was never run."""
    path = results / f"{part}.json"
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    except FileNotFoundError as error:
        raise ValueError(f"{path} is not there. Run `make bench` first.") from error
    return found


def one(file: str, results: Path = RESULTS, /, **wanted: Any) -> dict[str, Any]:
    """The first row that has these values. Raises ValueError with a sentence where none has."""
    for row in rows(file, results):
        if all(row.get(key) == value for key, value in wanted.items()):
            return row
    raise ValueError(f"{file}.json has no row with {wanted}. Run `make bench` again.")


def sustained(results: Path = RESULTS) -> dict[str, Any]:
    """The row of workshop.json about 1,000 pictures on a busy machine."""
    return next(row for row in rows("workshop", results) if "cpu_ms" in row)


@lru_cache(maxsize=4)
def service(results: Path = RESULTS) -> Service:
    """Everything, from the files."""
    hardware = str(json.loads((results / "workshop.json").read_text(encoding="utf-8"))["hardware"])
    found = re.search(r"(\d+) cores", hardware)
    if not found:
        raise ValueError(f"workshop.json does not say how many cores were measured: {hardware}")
    cores = int(found.group(1))
    busy = sustained(results)
    picture = (busy["cpu_ms"]["web"] + busy["cpu_ms"]["decoders"]) / 1000

    def figure(what: str) -> float:
        return float(one("laboratory", results, part="alone", what=what)["p50_s"])

    figures = {name: figure(what) for name, what in FIGURES.items()}
    first = figure("X-ray, the first after the worker's start") - figures["X-ray"]
    return Service(
        hardware,
        cores,
        _networks(busy, cores, picture, results),
        figures,
        first,
        float(rows("worker", results)[0]["all_answered_s"]),
        one("history", results, database="postgresql", what="first page")["p50_ms"] / 1000,
        one("history", results, database="postgresql", what="home")["p50_ms"] / 1000,
        picture,
        figure("X-ray that is stored, both networks"),
    )


def _networks(busy: dict[str, Any], cores: int, picture: float, results: Path) -> dict[str, Network]:
    engines = {
        name: one("engines", results, network=name, engine="OpenVINO", precision="int8") for name in NETWORKS
    }
    # What a row costs the worker beside the network's answer: measured with the Wide ResNet, taken for both.
    beside = busy["cpu_ms"]["worker"] / cores - engines["wideresnet"]["ms_in_32"]
    # What a claim costs however many rows it has: a single picture's way with the network that takes least, less what
    # the web and the network have of it. The wake-up is in it, so that it is rather too much.
    alone = one("workshop", results, what="one picture, vgg, p50")["p50_ms"]
    claim = alone / 1000 - picture - engines["vgg"]["ms_alone"] / 1000
    found = {}
    for name, engine in engines.items():
        each = (CLAIM * engine["ms_in_32"] - engine["ms_alone"]) / (CLAIM - 1)
        start = max(0.0, engine["ms_alone"] - each)
        found[name] = Network(claim + start / 1000, (each + max(0.0, beside)) / 1000)
    return found
