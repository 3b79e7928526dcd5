"""How long every Wide ResNet of the laboratory's figure of width and depth takes: ``python -m benchmarks cost``.

Each is built as ``ml.networks`` builds it, with random weights, since what a weight is worth does not change the time;
turned into an OpenVINO graph as ``ml.export`` does; compiled in float32 for two threads and a fixed number of pictures,
so that no time goes into finding out how large things are; and timed after a warm-up, with one picture at once and with
32. That happens in a process of its own, one at a time, so that its memory comes back.

The file is written after each network, and a run that was stopped goes on where it was. To measure again, delete it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from learn.figures import cost
from learn.figures.cost import Network
from ml.config import processor
from ml.engines import cpu_settings
from ml.storage import write_json

THREADS = 2
ROUNDS = 9
"""Repetitions, of which the median and the quartiles are kept."""
LEAST = 0.1
"""Seconds that a repetition lasts at least; a fast network answers many times in it."""
FILE = cost.FILE


def measure() -> list[dict[str, Any]]:
    """A row a network, in the order of the figure; those that the file has already are not measured again."""
    rows = kept()
    there = {(row["depth"], row["width"]) for row in rows}
    for network in cost.NETWORKS:
        if (network.depth, network.width) not in there:
            rows.append(measured_apart(network))
            print("  ".join(f"{key}: {value}" for key, value in rows[-1].items()), flush=True)
            write_json(FILE, {"hardware": processor(), "rows": rows})
    return sorted(rows, key=lambda row: (row["depth"], row["width"]))


def kept() -> list[dict[str, Any]]:
    """What was measured before on this hardware with this engine; none of it where anything else is in the file."""
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    rows: list[dict[str, Any]] = found["rows"]
    same = found["hardware"] == processor() and all(row["engine"] == engine() for row in rows)
    return rows if same else []


def engine() -> str:
    import openvino

    return f"OpenVINO {openvino.__version__.split('-')[0]}"


def measured_apart(network: Network) -> dict[str, Any]:
    """``measure_network`` in a process of its own. Raises RuntimeError when it fails."""
    command = [sys.executable, "-m", "benchmarks.cost", str(network.depth), str(network.width)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{network.name} was not measured: {done.stderr[-2000:]}")
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure_network(network: Network) -> dict[str, Any]:
    """Milliseconds a picture of one network, by itself and 32 at once, each with its quartiles."""
    model = graph_of(network)
    row: dict[str, Any] = {
        "depth": network.depth,
        "width": network.width,
        "engine": engine(),
        "threads": THREADS,
        "repetitions": ROUNDS,
    }
    for batch, key in cost.TIMES.items():
        low, median, high = np.percentile(times(model, batch), (25, 50, 75))
        row |= {key: round(median, 4), f"{key}_low": round(low, 4), f"{key}_high": round(high, 4)}
    return row


def graph_of(network: Network) -> Any:
    """The OpenVINO graph; the Keras network that it comes from is not kept. Raises RuntimeError for other counts."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from ml import graph, networks

    made = networks.build("wideresnet", size=cost.SIDE, depth=network.depth, width=network.width)
    if (made.count_params(), networks.multiply_adds(made)) != (network.parameters, network.multiply_adds):
        raise RuntimeError(f"{network.name} has other counts than the figure says")
    return graph.to_openvino(made, cost.SIDE)


def times(model: Any, batch: int) -> list[float]:
    """Milliseconds a picture in each of ROUNDS repetitions."""
    import openvino

    fixed = model.clone()
    fixed.reshape([batch, cost.SIDE, cost.SIDE, 3])
    request = openvino.Core().compile_model(fixed, "CPU", cpu_settings(THREADS)).create_infer_request()
    pictures = np.random.default_rng(0).normal(size=(batch, cost.SIDE, cost.SIDE, 3)).astype(np.float32)
    repeated(request, pictures)
    return [repeated(request, pictures) / batch for _ in range(ROUNDS)]


def repeated(request: Any, pictures: Any) -> float:
    """Milliseconds of one answer, the mean of as many as fit into LEAST seconds and at least one."""
    count, begin = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - begin < LEAST:
        request.infer([pictures], share_inputs=True)
        count += 1
    return (time.perf_counter() - begin) / count * 1000


if __name__ == "__main__":
    p = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=measure_network.__doc__)
    p.add_argument("depth", type=int, choices=cost.DEPTHS)
    p.add_argument("width", type=int, choices=cost.WIDTHS)
    print(json.dumps(measure_network(Network(**vars(p.parse_args())))), flush=True)
