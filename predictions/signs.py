"""The signs of life that the workers of this machine leave on its disk, for the machine's own health check.

Rows would say the same, but not while the database is away, and then no machine must be taken for a dead one. A parent
writes its sign at every beat; a child that has loaded the networks says so once. Nothing here asks Django, so that
``classifier_site.worker_health`` stays small.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "signs"
# A parent writes every five seconds; a beat may wait for a database that does not answer.
FRESH_SECONDS = 30.0
ANSWERING, OTHER = "worker", "lab"
OK = "ok"


def leave(data_dir: Path, name: str, **says: Any) -> None:
    """The parent of the worker called ``name`` lives, and ``says`` how it is. On a full disk only the time is new."""
    path = data_dir / FOLDER / f"{name}.json"
    try:
        _write(path, says)
    except OSError:
        with contextlib.suppress(OSError):
            os.utime(path)


def starts(data_dir: Path, name: str) -> None:
    """A parent begins: what the one before it had loaded says nothing, though in a container both have one number."""
    with contextlib.suppress(OSError):
        (data_dir / FOLDER / f"{name}.loaded.json").unlink(missing_ok=True)


def loaded(data_dir: Path, name: str, parent: int, models: dict[str, str]) -> None:
    """A child of ``parent`` has tried to load the networks, and these answer."""
    with contextlib.suppress(OSError):
        _write(data_dir / FOLDER / f"{name}.loaded.json", {"pid": parent, "models": models})


def _write(path: Path, says: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    # Whole or not at all: a reader never meets half a sign. Parent and child have names of their own.
    draft = path.with_suffix(f".{os.getpid()}.part")
    draft.write_text(json.dumps(says))
    draft.replace(path)


@dataclass(frozen=True)
class Sign:
    """How one worker is: ``ok`` or a reason, and whether it begins nothing more because the machine goes away."""

    says: str
    draining: bool = False


def read(data_dir: Path, name: str) -> Sign:
    """What the sign called ``name`` says now."""
    path = data_dir / FOLDER / f"{name}.json"
    try:
        age = time.time() - path.stat().st_mtime
        says = json.loads(path.read_text())
    except FileNotFoundError:
        return Sign("no sign of life yet")
    except (OSError, ValueError) as error:
        return Sign(f"its sign of life cannot be read ({type(error).__name__})")
    if abs(age) > FRESH_SECONDS:
        return Sign(f"no sign of life for {age:.0f} s")
    draining = bool(says.get("draining"))
    if says.get("stuck"):
        return Sign(str(says["stuck"]), draining)
    if says.get("loads"):
        return Sign(_networks(data_dir, name, says), draining)
    return Sign(OK, draining)


def _networks(data_dir: Path, name: str, says: dict[str, Any]) -> str:
    try:
        found = json.loads((data_dir / FOLDER / f"{name}.loaded.json").read_text())
    except (OSError, ValueError):
        found = {}
    if found.get("pid") != says.get("pid"):
        return "its networks are being loaded"
    return OK if found["models"] else "it has loaded no network"
