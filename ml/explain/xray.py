"""An X-ray: what every layer of a network makes of one picture, without bars and with them, ready to be looked at.

Everything that a page shows first is small: numbers of each layer, a strip of its strongest maps, one sheet of all
maps for convolutions and the ends of blocks. The tensors of the convolutions are kept as they are; what lies between
them is derived where somebody asks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.explain import archive, sheets
from ml.explain.archive import member_name
from ml.explain.graph_file import Layer
from ml.explain.statistics import bound, energies, relative_change, statistics
from ml.explain.structure import PICTURES, Structure
from ml.explain.trace import Trace, derived, value

Array = NDArray[np.float32]

STRONGEST = 8
"""Maps of a layer in its strip, and channels named as its strongest and its most changed."""

IN_FULL = ("convolution", "add", "max_pool")
"""Kinds of layers that have sheets of all their maps; so has the last layer of each block."""


@dataclass(frozen=True)
class Xray:
    """``summary``: small, JSON. ``members``: files by name, as the module's functions say; arrays are NumPy files."""

    summary: dict[str, Any]
    members: dict[str, bytes | NDArray[Any]]


@dataclass(frozen=True)
class Views:
    """A layer's output, float32 (c, h, w), for the clean picture, the covered one, and covered minus clean."""

    clean: Array
    covered: Array | None = None
    difference: Array | None = None

    def present(self) -> list[tuple[str, Array]]:
        named = (("clean", self.clean), ("covered", self.covered), ("difference", self.difference))
        return [(name, one) for name, one in named if one is not None]


def block_of(name: str) -> str:
    """The block that a layer belongs to: ``group1/block2`` for ``group1/block2/conv1``."""
    return name.rpartition("/")[0] or name


def blocks(structure: Structure) -> dict[str, list[str]]:
    """Names of the layers of each block, both in computing order. The picture is a block of one layer."""
    found: dict[str, list[str]] = {}
    for layer in structure.layers:
        found.setdefault(block_of(layer.name), []).append(layer.name)
    return found


def xray(structure: Structure, clean: Trace, covered: Trace | None = None) -> Xray:
    """The X-ray of one picture, and of the same one under bars where ``covered`` is given.

    Members, with a layer's name in dots:

    - ``clean/...``, ``covered/...``: the runs (`archive.trace_members`), and ``pictures.npy``, the normalised picture;
    - ``channels/LAYER.npy``: float32 (3, c): the channels by falling energy, the energy of each channel (root mean
      square of the clean run, in the units of its activations), the root mean square of its difference;
    - ``strips/LAYER.png``: its strongest maps, one row for each of clean, covered, difference;
    - ``sheets/LAYER.VIEW.png``: all maps by falling energy, for VIEW of clean, covered, difference;
    - ``additions/LAYER.png`` of an addition: its strongest maps, in each view first input, second input, sum;
    - ``pictures/clean.png``, ``pictures/covered.png``: what the network saw;
    - ``meta.json``: ``summary`` with the layers in computing order, their statistics and the logits.

    Every picture of a layer has the scale that ``meta.json`` gives for the layer (`statistics.bound` of all its views).
    """
    grouped = blocks(structure)
    ends = {names[-1] for names in grouped.values()}
    members: dict[str, bytes | NDArray[Any]] = dict(_runs(structure, clean, covered))
    layers = []
    latest: dict[str, Views] = {}
    last_used = _last_used(structure)
    for layer, views in _walk(structure, clean, covered):
        latest[layer.name] = views
        row, order, scale = _describe(layer, views, members)
        full = layer.kind in IN_FULL or (layer.name in ends and layer.shape[1] > 1)
        row["sheets"] = full
        if full:
            for name, one in views.present():
                members[f"sheets/{member_name(layer.name)}.{name}.png"] = _sheet(one[order], scale)
        if layer.kind == "add":
            parts = [latest[name] for name in layer.inputs]
            members[f"additions/{member_name(layer.name)}.png"] = _addition([*parts, views], order, scale)
        layers.append(row)
        for name in last_used.get(layer.name, ()):
            del latest[name]
    change = {row["name"]: row["change"] for row in layers}
    shape = {layer.name: list(layer.shape) for layer in structure.layers}
    summary = {
        "covered": covered is not None,
        "scale": max(row["scale"] for row in layers),
        "blocks": [
            {
                "name": name,
                "layers": names,
                "end": names[-1],
                "shape": shape[names[-1]],
                "change": change[names[-1]],
            }
            for name, names in grouped.items()
        ],
    }
    logits = {name: [float(v) for v in run.logits] for name, run in _present(clean, covered)}
    meta = {**summary, "columns": sheets.COLUMNS, "logits": logits, "layers": layers}
    members["meta.json"] = json.dumps(meta, allow_nan=False, separators=(",", ":")).encode()
    return Xray(summary, members)


def _present(clean: Trace, covered: Trace | None) -> list[tuple[str, Trace]]:
    return [("clean", clean)] + ([("covered", covered)] if covered is not None else [])


def _runs(
    structure: Structure, clean: Trace, covered: Trace | None
) -> Iterator[tuple[str, bytes | NDArray[Any]]]:
    for name, run in _present(clean, covered):
        yield f"pictures/{name}.png", sheets.photograph(run.pixels)
        yield f"{name}/{PICTURES}.npy", value(structure, run, PICTURES)
        yield from archive.trace_members(name, run).items()


def outputs(structure: Structure, trace: Trace) -> Iterator[tuple[Layer, Array]]:
    """Every layer with its output, each computed once and kept for as long as a later one reads it."""
    kept: dict[str, Array] = {}
    last_used = _last_used(structure)
    for layer in structure.layers:
        if layer.kind in ("convolution", "dense", "input"):
            output = value(structure, trace, layer.name)
        else:
            output = derived(structure, layer, [kept[name] for name in layer.inputs])
        kept[layer.name] = output
        yield layer, output
        for name in last_used.get(layer.name, ()):
            del kept[name]


def _walk(structure: Structure, clean: Trace, covered: Trace | None) -> Iterator[tuple[Layer, Views]]:
    """Every layer with its views, in computing order, each computed once."""
    if covered is None:
        for layer, one in outputs(structure, clean):
            yield layer, Views(one)
        return
    for (layer, one), (_, other) in zip(outputs(structure, clean), outputs(structure, covered), strict=True):
        yield layer, Views(one, other, other - one)


def _last_used(structure: Structure) -> dict[str, list[str]]:
    """For each layer, the layers that none after it reads: what need not be kept when it is done.

    So a deep network takes the memory of a few layers.
    """
    place = {layer.name: i for i, layer in enumerate(structure.layers)}
    done: dict[str, list[str]] = {}
    for name in place:
        last = max((*structure.consumers[name], name), key=place.__getitem__)
        done.setdefault(last, []).append(name)
    return done


def _describe(
    layer: Layer, views: Views, members: dict[str, bytes | NDArray[Any]]
) -> tuple[dict[str, Any], NDArray[np.intp], float]:
    """A layer's row of meta.json, its channels by falling energy and its scale; adds its strip and channels' file."""
    scale = bound(*(one for _, one in views.present()))
    energy = energies(views.clean)
    order = np.argsort(-energy, kind="stable")
    moved = energies(views.difference) if views.difference is not None else np.zeros_like(energy)
    table = np.stack([order, energy, moved]).astype(np.float32)
    members[f"channels/{member_name(layer.name)}.npy"] = table
    first = order[:STRONGEST]
    strip = [sheets.quantise(one[first], scale) for _, one in views.present()]
    members[f"strips/{member_name(layer.name)}.png"] = sheets.png(sheets.stack(strip))
    row = {
        "name": layer.name,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "scale": scale,
        "change": None,
        "statistics": {name: statistics(one).to_dict() for name, one in views.present()},
        "strongest": [[int(c), float(energy[c])] for c in first],
        "changed": [],
    }
    if views.covered is not None:
        change = relative_change(views.clean, views.covered)
        row["change"] = change if math.isfinite(change) else None
        row["changed"] = [[int(c), float(moved[c])] for c in np.argsort(-moved, kind="stable")[:STRONGEST]]
    return row, order, scale


def _sheet(maps: Array, scale: float) -> bytes:
    return sheets.png(sheets.grid(sheets.quantise(maps, scale)))


def _addition(terms: list[Views], order: NDArray[np.intp], scale: float) -> bytes:
    """The strongest maps of a sum below those of its two inputs, all on the sum's scale, view by view."""
    first = order[:STRONGEST]
    named = [dict(one.present()) for one in terms]
    rows = [sheets.quantise(one[view][first], scale) for view in named[-1] for one in named]
    return sheets.png(sheets.stack(rows))
