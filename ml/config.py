"""Where the artifacts are, which there are, and what the environment says about engines and threads.

Imports neither Keras nor OpenVINO, so that the web process can ask cheaply.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

ENGINES = ("openvino", "tensorflow")
CARD = "card.json"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def artifacts_dir() -> Path:
    """The folder that holds one folder a network (``ML_ARTIFACTS_DIR`` overrides the committed one)."""
    override = os.environ.get("ML_ARTIFACTS_DIR")
    return Path(override) if override else Path(__file__).parent / "artifacts"


def artifact_names() -> list[str]:
    """Names of the networks that can be offered: every folder with a card, in alphabetical order."""
    root = artifacts_dir()
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if NAME.fullmatch(p.name) and (p / CARD).is_file())


def engine_name() -> str:
    """The engine that answers, from ``ML_ENGINE`` (default ``openvino``).

    Raises ValueError for a name that is not one of ENGINES.
    """
    name = os.environ.get("ML_ENGINE", "openvino").strip().lower()
    if name not in ENGINES:
        raise ValueError(f"ML_ENGINE is {name!r}; it must be one of {', '.join(ENGINES)}.")
    return name


def thread_count() -> int | None:
    """Threads a predictor may use, from ``ML_THREADS``; None leaves the choice to the engine.

    Raises ValueError when it is not a whole number of at least 1.
    """
    value = os.environ.get("ML_THREADS", "").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or int(value) < 1:
        raise ValueError(f"ML_THREADS is {value!r}; it must be a whole number of at least 1.")
    return int(value)


def processor() -> str:
    """The processor's name, for the figures' footnotes."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
