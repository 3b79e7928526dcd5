"""How throughput grows with threads and with worker processes, and how far it is from this machine's limit.

The limit is what a bare int8 matrix product reaches in the same engine on as many threads, in the same run: the best
of a few sizes, compiled and run by OpenVINO, quantised as the networks are. A network's own rate is its card's
multiply-adds times pictures a second; additions, activations and moving of memory are its distance to the limit.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.probe import Probe
from ml import artifact
from ml.artifact import Card

SECONDS = 2.0
ROUNDS = 3
SIDES = (512, 1024, 2048)


def counts() -> list[int]:
    """1, 2, 4, ... and all of the cores."""
    cores = os.cpu_count() or 1
    return sorted({*(2**i for i in range(cores.bit_length()) if 2**i <= cores), cores})


def product(side: int) -> Any:
    """A graph that quantises a float32 matrix (side, side) to 256 levels and multiplies it by an int8 constant."""
    import openvino
    from openvino import opset15 as op

    def levels(value: Any, low: float, high: float, count: int) -> Any:
        ends = [np.array(end, np.float32) for end in (low, high)]
        return op.fake_quantize(value, *ends, *ends, count)

    left = op.parameter([side, side], np.float32, name="left")
    right = np.random.default_rng(0).uniform(-1, 1, (side, side)).astype(np.float32)
    result = op.matmul(levels(left, 0, 2.55, 256), levels(op.constant(right), -1.27, 1.27, 255), False, True)
    return openvino.Model([op.result(result)], [left], "product")


def limit(threads: int, seconds: float) -> float:
    """Multiply-adds a second of the fastest matrix product; 0 where OpenVINO does not compute it in int8."""
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(threads),
    }
    best = 0.0
    for side in SIDES:
        compiled = core.compile_model(product(side), "CPU", settings)
        kinds = {
            node.get_rt_info()["runtimePrecision"].value
            for node in compiled.get_runtime_model().get_ops()
            if node.get_rt_info()["layerType"].value in ("MatMul", "FullyConnected")
        }
        if not kinds & {"i8", "u8"}:
            return 0.0
        request = compiled.create_infer_request()
        left = np.random.default_rng(1).uniform(0, 2.5, (side, side)).astype(np.float32)
        request.infer([left], share_inputs=True)
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds / len(SIDES):
            start = time.perf_counter()
            request.infer([left], share_inputs=True)
            best = max(best, side**3 / (time.perf_counter() - start))
    return best


def measure_limit(threads: int) -> float:
    """``limit`` in a process of its own, so that its threads are only its own."""
    code = f"from benchmarks import scaling; print(scaling.limit({threads}, {SECONDS}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(json.loads(done.stdout.splitlines()[-1]))


def together(probes: list[Probe]) -> float:
    """Pictures a second of all of them at work at the same time."""
    for probe in probes:
        probe.ask(f"sustain {SECONDS}")
    return sum(probe.read()["per_second"] for probe in probes)


def measure() -> list[dict[str, Any]]:
    limits: dict[int, float] = dict.fromkeys(counts(), 0.0)
    rows = []
    for card in artifact.cards():
        rows += measure_network(card, limits)
    for row in rows:
        reached = limits[row["processes"] * row["threads"]]
        row["limit_gmacs"] = round(reached / 1e9)
        row["of_limit"] = round(row["gmacs"] * 1e9 / reached, 3) if reached else None
    return rows


def measure_network(card: Card, limits: dict[int, float]) -> list[dict[str, Any]]:
    """One row a number of threads in one process, and one a number of processes of one thread, as served.

    The limit is measured in every round too, so that what else runs on the machine disturbs both alike, and
    ``limits`` (threads -> multiply-adds a second) is raised where a round reached more.
    """
    precision = "int8" if f"{artifact.QUANTISED}.xml" in card.files else "float32"
    setups = [(1, threads) for threads in counts()] + [
        (processes, 1) for processes in counts() if processes > 1
    ]
    best: dict[tuple[int, int], float] = dict.fromkeys(setups, 0.0)
    with contextlib.ExitStack() as opened:
        started = {}
        for processes, threads in setups:
            command = [card.name, "openvino", f"--precision={precision}", f"--threads={threads}"]
            started[processes, threads] = [opened.enter_context(Probe(*command)) for _ in range(processes)]
        for _ in range(ROUNDS):
            for threads, reached in limits.items():
                limits[threads] = max(reached, measure_limit(threads))
            for setup, probes in started.items():
                best[setup] = max(best[setup], together(probes))
    return [
        {
            "network": card.name,
            "version": card.version,
            "precision": precision,
            "processes": processes,
            "threads": threads,
            "per_second": round(rate, 1),
            "times_one": round(rate / best[1, 1], 2),
            "gmacs": round(rate * card.multiply_adds / 1e9, 1),
        }
        for (processes, threads), rate in best.items()
    ]
