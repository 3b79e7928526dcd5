"""What the numbers of the laboratory cost: layers and weights in a fresh process, a picture's trace, one breakdown.

A web process reads layers, weights and stored activations; a worker computes the trace of a clean and a covered
picture. Each is measured as it happens there: the first in a process of its own, the others once all is loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ml import artifact
from ml.artifact import Card

STARTS = 3
TRACES = 20
CELLS = 300

FRESH = """
import json, sys, time
import ml.artifact, ml.explain.arithmetic
from benchmarks.probe import resident_mb
from ml.explain.structure import structure
before, begin = resident_mb("VmRSS"), time.perf_counter()
found = structure(sys.argv[1])
layers = time.perf_counter() - begin
found.kernel(found.convolutions[-1], 0)
kernel = time.perf_counter() - begin
print(json.dumps([layers * 1000, kernel * 1000, resident_mb("VmRSS") - before]))
"""


def fresh(name: str, cache: str) -> tuple[float, float, float]:
    """Milliseconds to the layers, to the first kernel, and MB that a process which had neither takes for them."""
    command = [sys.executable, "-c", FRESH, name]
    environment = {**os.environ, "ML_CACHE_DIR": cache}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    layers, kernel, memory = json.loads(done.stdout)
    return layers, kernel, memory


def pair(size: int) -> Any:
    """A picture and the same with a black bar, uint8 (2, size, size, 3)."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    pixels[1] = pixels[0]
    pixels[1, size // 4 : size // 2] = 0
    return pixels


def milliseconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def measure() -> list[dict[str, Any]]:
    from ml.explain.structure import explainable

    return [measure_network(card) for card in artifact.cards() if explainable(card)]


def measure_network(card: Card) -> dict[str, Any]:
    """One row; the archive is that of both pictures, and the breakdowns read the trace from it, layer by layer."""
    from ml.explain import archive
    from ml.explain.arithmetic import convolution_cell
    from ml.explain.structure import structure
    from ml.explain.trace import tracer

    with tempfile.TemporaryDirectory(prefix="convoscope-bench-") as cache:
        first = fresh(card.name, cache)
        later = [fresh(card.name, cache) for _ in range(STARTS)]
    of, run, pixels = structure(card.name), tracer(card.name), pair(card.size)
    run.trace(pixels)
    traces = [milliseconds(lambda: run.trace(pixels)) for _ in range(TRACES)]
    clean, covered = run.trace(pixels)
    rng = np.random.default_rng(1)
    breakdowns, remainders = [], []
    with tempfile.TemporaryDirectory(prefix="convoscope-bench-") as folder:
        path = Path(folder) / "explanation.zip"
        members = {**archive.trace_members("clean", clean), **archive.trace_members("covered", covered)}
        archive.write(path, members)
        stored = archive.stored_trace(path, "clean")
        for name in of.convolutions:
            stored.convolutions[name]
        for i in range(CELLS):
            layer = of.layer(of.convolutions[i % len(of.convolutions)])
            channel, y, x = (int(rng.integers(length)) for length in layer.shape)
            begin = time.perf_counter()
            cell = convolution_cell(of, stored, layer.name, channel, y, x)
            cell.to_dict()
            breakdowns.append((time.perf_counter() - begin) * 1000)
            remainders.append(abs(cell.remainder))
        size = path.stat().st_size
    return {
        "network": card.name,
        "version": card.version,
        "layers_ms": round(min(one[0] for one in later), 1),
        "first_kernel_ever_ms": round(first[1]),
        "first_kernel_ms": round(min(one[1] for one in later), 1),
        "memory_mb": round(max(one[2] for one in later), 1),
        "trace_pair_ms": round(float(np.median(traces)), 1),
        "archive_mb": round(size / 1e6, 2),
        "breakdown_p50_ms": round(float(np.percentile(breakdowns, 50)), 2),
        "breakdown_p95_ms": round(float(np.percentile(breakdowns, 95)), 2),
        "largest_remainder": float(f"{max(remainders):.1e}"),
    }
