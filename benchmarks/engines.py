"""Each network on each engine in one run: milliseconds a picture alone and in batches of 32, start, memory.

Every engine runs in a process of its own, so that none pays for another's threads or memory. They are measured in
turn, a little each, and the best round of each is kept, because other programs can only slow one down. All get the
same uint8 pictures; those that compute in float32 must agree, or the run fails.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.probe import BATCH, Probe
from ml import artifact
from ml.artifact import Card

RIVAL = ("SavedModel", "float32")
ENGINES = [
    ("openvino", "int8"),
    ("openvino", "bfloat16"),
    ("openvino", "float32"),
    ("ONNX Runtime", "float32"),
    RIVAL,
]
NAMES = {"openvino": "OpenVINO", "SavedModel": "TensorFlow SavedModel"}
ROUNDS = 12
ALONE_REPEATS = 10
TOLERANCE = 1e-4


def arguments(card: Card, engine: str, precision: str, folder: Path) -> list[str]:
    """What a probe is started with; the files of the other formats are written first, by processes of their own."""
    command = [card.name, engine, f"--precision={precision}"]
    if engine == "ONNX Runtime":
        file = folder / f"{card.name}.onnx"
        _python("benchmarks.onnx_graph", card.name, str(file))
        return [*command, f"--file={file}"]
    if engine == "SavedModel":
        _python("ml.saved_model", card.name, f"--out={folder}")
        return [*command, f"--file={folder / card.name / '1'}"]
    return command


def _python(module: str, *given: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *given], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")


def measure() -> list[dict[str, Any]]:
    rows = []
    for card in artifact.cards():
        with tempfile.TemporaryDirectory(prefix="convoscope-bench-") as folder:
            rows += measure_network(card, Path(folder))
    return rows


def measure_network(card: Card, folder: Path) -> list[dict[str, Any]]:
    """One row an engine; ``times_alone`` and ``times_in_32`` are its throughput divided by the SavedModel's."""
    wanted = [
        (engine, p) for engine, p in ENGINES if p != "int8" or f"{artifact.QUANTISED}.xml" in card.files
    ]
    given = {key: arguments(card, *key, folder) for key in wanted}
    with contextlib.ExitStack() as opened:
        probes, first = {}, {}
        for key, values in given.items():
            # Twice: the first start also reads files that no later one has to read from the disk.
            with Probe(*values) as cold:
                first[key] = cold.first_seconds
            probes[key] = opened.enter_context(Probe(*values))
            first[key] = min(first[key], probes[key].first_seconds)
        alone: dict[tuple[str, str], list[float]] = {key: [] for key in wanted}
        batch: dict[tuple[str, str], list[float]] = {key: [] for key in wanted}
        for _ in range(ROUNDS):
            for key, probe in probes.items():
                alone[key].append(probe.value(f"1 {ALONE_REPEATS}")["ms"])
                batch[key].append(probe.value(f"{BATCH} 1")["ms"])
        checks = {key: probe.value("check 0") for key, probe in probes.items()}
    expected = np.array(checks["openvino", "float32"]["logits"])
    rows = []
    for engine, precision in wanted:
        key = (engine, precision)
        difference = float(np.abs(np.array(checks[key]["logits"]) - expected).max())
        if precision == "float32" and difference > TOLERANCE * max(1.0, float(np.abs(expected).max())):
            raise RuntimeError(f"{engine} is {difference:.2g} off the exact logits of {card.name}")
        rows.append(
            {
                "network": card.name,
                "version": card.version,
                "engine": NAMES.get(engine, engine),
                "precision": precision,
                "ms_alone": round(min(alone[key]), 3),
                "ms_in_32": round(min(batch[key]), 3),
                "times_alone": round(min(alone[RIVAL]) / min(alone[key]), 2),
                "times_in_32": round(min(batch[RIVAL]) / min(batch[key]), 2),
                "first_answer_s": round(first[key], 2),
                "memory_mb": round(checks[key]["memory"]),
            }
        )
    return rows
