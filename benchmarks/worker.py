"""A real worker under `make run`'s own set-up: from the start of its process to the first answers, and its memory.

A picture waits for every network; then the worker is started, as the supervisor does it. It loads all networks before
it takes the first row. ``memory_mb`` is the resident memory of the process that predicts, after batches of 32 on each
network; ``both_mb`` adds Celery's parent process and counts what the two share once.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.probe import resident_mb
from benchmarks.processes import children, proportional_mb
from benchmarks.way import Client, form, picture
from ml import config

STARTS = 3
WAIT_SECONDS = 120.0


def submit(client: Client, data: bytes, count: int, names: list[str]) -> str:
    batch: str = client.call("/api/v1/predictions/", form(data, count, *names))["batch"]
    return batch


def wait_done(client: Client, batch: str, count: int, begin: float) -> tuple[float, float]:
    """Seconds since ``begin`` to the first row that is done, and to the last of ``count``."""
    first = 0.0
    while time.perf_counter() - begin < WAIT_SECONDS:
        rows = client.call(f"/api/v1/predictions/?batch={batch}&page_size=200")["results"]
        done = sum(row["status"] == "done" for row in rows)
        if done and not first:
            first = time.perf_counter() - begin
        if done == count:
            return first, time.perf_counter() - begin
        time.sleep(0.005)
    raise RuntimeError(f"the worker did not answer within {WAIT_SECONDS:.0f} s")


def measure() -> list[dict[str, Any]]:
    from tests.services import running_stack, stop

    names = config.artifact_names()
    data = picture(800, 600)
    starts: list[tuple[float, float]] = []
    memory = both = 0.0
    with running_stack(workers=0, ready=False) as stack:
        client = Client.of(stack)
        for _ in range(STARTS):
            client.link.close()  # the server will have done so while the last worker stopped
            batch = submit(client, data, 1, names)
            begin = time.perf_counter()
            worker = stack.start_worker()
            starts.append(wait_done(client, batch, len(names), begin))
            full = submit(client, data, 64, names)
            wait_done(client, full, 64 * len(names), time.perf_counter())
            pool = max(children(worker.pid), key=lambda process: resident_mb("VmRSS", process))
            memory = max(memory, resident_mb("VmRSS", pool))
            both = max(both, proportional_mb(pool) + proportional_mb(worker.pid))
            stop(worker, 20)
    return [
        {
            "networks": names,
            "first_answer_s": round(min(first for first, _ in starts), 2),
            "all_answered_s": round(min(last for _, last in starts), 2),
            "memory_mb": round(memory),
            "both_mb": round(both),
        }
    ]
