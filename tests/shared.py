"""What makes it safe and quick that several processes share one run of the tests (pytest-xdist, as in `make test`).

A process gets whole files, never half of one; what is expensive is made once or in one process only. The files that
take longest come first, so that at the end no process waits for long.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CONVOSCOPE_TESTS_SHARED"
"""Names a folder that all processes of a run have in common; tests/environment.py sets it."""

TRAINED = [
    "compare_runs",
    "data",
    "evaluate",
    "export",
    "outside",
    "photographs",
    "quantise",
    "snapshots",
    "teach",
    "train",
]
"""The files in tests/ml/ whose tests look at runs and artifacts that the tests make themselves."""

TOGETHER = {
    "tests/browser/test_lab": "a browser and the laboratory",
    "tests/browser/test_languages.py": "a browser and the laboratory",
    "tests/browser/test_own_classes.py": "a browser and the laboratory",
    "tests/browser/": "a browser and a site",
    **{f"tests/ml/test_{name}.py": "networks trained by the tests" for name in TRAINED},
    "tests/ml/": "TensorFlow and the shipped networks",
    "tests/predictions/test_serving.py": "TensorFlow and the shipped networks",
}
"""One process gets all that shares something which takes long to make; the first path that fits counts."""

FIRST = [*TOGETHER, "tests/predictions/test_faults.py", "tests/deploy/", "tests/site/"]
"""What starts servers and programs."""

VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|datetime\(")
"""A value in a test's name that is another one whenever the tests are collected."""


def unit(nodeid: str) -> str:
    """What is given to one process as a whole: the tests of a file, or all that share what is in TOGETHER."""
    shared = (what for path, what in TOGETHER.items() if nodeid.startswith(path))
    return next(shared, nodeid.partition("::")[0])


def name(item: Any) -> None:
    """Makes a test's name its own and the same in every process; by its name it is given out."""
    if operation := getattr(item, "operation_label", None):
        # Schemathesis calls all its tests alike.
        item._id = replace(item._id, params=operation)
    elif VARYING.search(item._id.params or ""):
        places = item.callspec.indices.items()
        item._id = replace(item._id, params="-".join(f"{argument}{place}" for argument, place in places))


def commits(item: Any) -> bool:
    """Whether a test empties every table after itself, of what migrations wrote into them too."""
    mark = item.get_closest_marker("django_db")
    return "transactional_db" in item.fixturenames or bool(mark and mark.kwargs.get("transaction"))


def sort(items: list[pytest.Item]) -> None:
    """Puts tests in the order in which they are given out."""
    # Two of one name would be taken for one, which would run once.
    twice = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twice:
        raise pytest.UsageError(f"several tests are called {', '.join(twice)}")
    last = {item.path for item in items if commits(item)}

    def turn(item: pytest.Item) -> int:
        if item.path in last:
            return len(FIRST) + 1
        return next((place for place, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST))

    items.sort(key=turn)


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first process to ask fills with ``make``; the others wait for it. Nobody may change it."""
    root = Path(os.environ[VARIABLE])
    target = root / name
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            draft = root / f"{name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(target)
    return target
