"""Where the artifacts are, which there are, and what the environment says about engines and threads.

Imports neither Keras nor OpenVINO, so that the web process can ask cheaply.
"""

from __future__ import annotations

import os
import platform
import re
import tempfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

ENGINES = ("openvino", "tensorflow", "tensorflow_serving")
CARD = "card.json"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def artifacts_dir() -> Path:
    """The folder that holds one folder a network (``ML_ARTIFACTS_DIR`` overrides the committed one)."""
    override = os.environ.get("ML_ARTIFACTS_DIR")
    return Path(override) if override else Path(__file__).parent / "artifacts"


def cache_dir() -> Path:
    """The folder for what is costly to make and can be made again at any time, shared by all processes.

    ``ML_CACHE_DIR``; a folder below the system's temporary one where that is not set. It need not exist.
    """
    named = os.environ.get("ML_CACHE_DIR")
    return Path(named) if named else Path(tempfile.gettempdir()) / "convoscope-cache"


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


def serving_url() -> str:
    """Address of TensorFlow Serving's REST interface, from ``ML_SERVING_URL``, without a slash at its end.

    Raises ValueError when it is missing or not an http address; the sentence does not repeat the value.
    """
    value = os.environ.get("ML_SERVING_URL", "").strip().rstrip("/")
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            "ML_SERVING_URL must be the address of TensorFlow Serving's REST interface, such as http://127.0.0.1:8501."
        )
    return value


INT8_FLAGS = {"amx_int8": "AMX", "avx512_vnni": "AVX-512 VNNI", "avx_vnni": "AVX VNNI"}
"""What Linux calls the instructions that multiply and add int8, the widest first."""


@lru_cache(maxsize=1)
def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    # The first core's; a machine whose cores differ has no single answer anyway.
    return {key.strip(): value.strip() for key, value in reversed(pairs)}


def int8_instructions() -> list[str] | None:
    """Names of this processor's int8 multiply-add instructions, the widest first; None where nobody can tell."""
    flags = _cpuinfo().get("flags")
    if flags is None:
        return None
    return [name for flag, name in INT8_FLAGS.items() if flag in flags.split()]


def has_vnni() -> bool | None:
    """Whether this processor multiplies and adds int8 in one instruction (VNNI or AMX); None where nobody can tell.

    Without it the quantised graphs answer as well, but more slowly than the figures say.
    """
    found = int8_instructions()
    return None if found is None else bool(found)


def processor() -> str:
    """The processor's name, its cores and its int8 instructions, for the figures' footnotes."""
    found = _cpuinfo()
    name = found.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in found and "model" in found:
        # Hosts of virtual machines hide the rest of the name; these numbers tell one generation from the next.
        name += f" (family {found['cpu family']}, model {found['model']})"
    int8 = int8_instructions()
    extra = "" if int8 is None else f", {int8[0]}" if int8 else ", without VNNI"
    return f"{name}, {os.cpu_count()} cores{extra}"
