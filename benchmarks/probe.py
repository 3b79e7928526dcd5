"""One engine in a process of its own, asked through its standard input: ``python -m benchmarks.probe NETWORK ENGINE``.

It answers a line of JSON to each line: ``BATCH REPEAT`` gives the milliseconds a picture, ``sustain SECONDS`` how
many pictures a second it kept up in batches of 32. The first line comes unasked, after the first answer.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 32
CHECKED = 4


def load(name: str, engine: str, precision: str, file: str, threads: int | None) -> Callable[[Any], Any]:
    """uint8 pictures (n, size, size, 3) -> float32 logits (n, classes), on one engine."""
    if engine == "openvino":
        from ml.predictor import load_predictor

        return load_predictor(name, engine=engine, precision=precision, threads=threads).logits
    if engine == "SavedModel":
        import tensorflow as tf

        signature = tf.saved_model.load(file).signatures["serving_default"]
        return lambda pictures: signature(pictures=tf.constant(pictures))["logits"].numpy()
    import onnxruntime

    from ml import artifact
    from ml.preprocessing import normalise

    how = artifact.load_card(name).preprocessing
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": normalise(pictures, how)})[0]


def pictures(size: int) -> Any:
    """The same for every engine."""
    return np.random.default_rng(0).integers(0, 256, (BATCH, size, size, 3), dtype=np.uint8)


def resident_mb(field: str, process: int | str = "self") -> float:
    """A line of /proc/<process>/status in MB: VmRSS now, VmHWM at most so far; 0 where there is none."""
    # Not getrusage: its peak is inherited from the process that started this one.
    status = Path(f"/proc/{process}/status")
    found = re.search(rf"{field}:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0


def serve() -> None:
    """The child: loads, answers once, then does what each line says."""
    p = argparse.ArgumentParser()
    p.add_argument("network")
    p.add_argument("engine")
    p.add_argument("--precision", default="float32")
    p.add_argument("--file", default="")
    p.add_argument("--threads", type=int)
    args = p.parse_args()
    from ml import artifact

    size = artifact.load_card(args.network).size
    given = pictures(size)
    logits = load(args.network, args.engine, args.precision, args.file, args.threads)
    logits(given[:1])
    tell({"first": True})
    for line in sys.stdin:
        order, value = line.split()
        if order == "check":
            tell({"logits": np.asarray(logits(given[:CHECKED])).tolist(), "memory": resident_mb("VmHWM")})
        elif order == "sustain":
            tell({"per_second": sustained(logits, given, float(value))})
        else:
            batch, repeat = given[: int(order)], int(value)
            logits(batch)
            begin = time.perf_counter()
            for _ in range(repeat):
                logits(batch)
            tell({"ms": (time.perf_counter() - begin) / repeat / len(batch) * 1000})


def sustained(logits: Callable[[Any], Any], given: Any, seconds: float) -> float:
    done, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds:
        logits(given)
        done += len(given)
    return done / spent


def tell(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


class Probe:
    """The parent's end. ``first_seconds``: from the start of the process to its first answer."""

    def __init__(self, *arguments: str) -> None:
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.probe", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.read()
        self.first_seconds = time.perf_counter() - begin

    def ask(self, order: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._process.args)} ended with {self._process.wait()}")
        values: dict[str, Any] = json.loads(line)
        return values

    def value(self, order: str) -> dict[str, Any]:
        self.ask(order)
        return self.read()

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *details: object) -> None:
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    serve()
