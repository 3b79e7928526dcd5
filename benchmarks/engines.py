"""Each network on each engine in one run: milliseconds a picture alone and in batches of 32, load time, memory.

Every engine runs in a process of its own, so that none pays for another's threads or memory; rounds alternate, and
the best of five is kept, because other programs can only slow one down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from ml import config

ENGINES = [("openvino", "int8"), ("openvino", "float32"), ("tensorflow", "float32")]
ROUNDS = 3

PROBE = """
import json, pathlib, re, sys, time
start = time.perf_counter()
import numpy as np
from ml.predictor import load_predictor
name, engine, precision = sys.argv[1:]
p = load_predictor(name, engine=engine, precision=precision)
rng = np.random.default_rng(0)
pictures = rng.integers(0, 256, (32, p.card.size, p.card.size, 3), dtype=np.uint8)
p.predict_arrays(pictures[:1])
first = time.perf_counter() - start
def best(batch, repeat):
    p.predict_arrays(batch)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(repeat):
            p.predict_arrays(batch)
        times.append((time.perf_counter() - begin) / repeat / len(batch))
    return min(times) * 1000
out = {"alone": best(pictures[:1], 20), "batch": best(pictures, 3), "first": first}
status = pathlib.Path("/proc/self/status")
# Not getrusage: its peak is inherited from the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.exists() else None
out["memory"] = int(peak[1]) / 1024 if peak else 0
print(json.dumps(out))
"""


def probe(name: str, engine: str, precision: str) -> dict[str, float]:
    command = [sys.executable, "-c", PROBE, name, engine, precision]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    values: dict[str, float] = json.loads(result.stdout.strip().splitlines()[-1])
    return values


def measure() -> list[dict[str, Any]]:
    rows = []
    for name in config.artifact_names():
        runs: dict[tuple[str, str], list[dict[str, float]]] = {engine: [] for engine in ENGINES}
        for _ in range(ROUNDS):
            for engine in ENGINES:
                runs[engine].append(probe(name, *engine))
        for (engine, precision), values in runs.items():
            rows.append(
                {
                    "network": name,
                    "engine": engine,
                    "precision": precision,
                    "ms_alone": round(min(v["alone"] for v in values), 3),
                    "ms_in_32": round(min(v["batch"] for v in values), 3),
                    "first_answer_s": round(min(v["first"] for v in values), 2),
                    "memory_mb": round(min(v["memory"] for v in values)),
                }
            )
    return rows
