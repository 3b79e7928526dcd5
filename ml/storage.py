"""Files that are whole or absent: written beside their place, flushed, then renamed over it."""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def write_bytes(path: Path, content: bytes) -> None:
    """Writes ``content`` so that a reader sees the old file or the whole new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Writes ``value`` as JSON for people to read, whole or not at all. Raises OSError."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]], *, compressed: bool = False) -> None:
    """A NumPy archive of named arrays, whole or not at all; names may hold slashes. Raises OSError."""
    buffer = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of ``write_arrays``. Raises ValueError with a sentence when the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, FileNotFoundError):
        raise
    except Exception as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def append_line(path: Path, row: dict[str, Any]) -> None:
    """One JSON line at the end of ``path``, flushed to the disk."""
    with path.open("a+b") as file:
        line = json.dumps(row).encode() + b"\n"
        if file.tell() and _last_byte(file) != b"\n":
            # What a killed run wrote last was torn; it must not take this line with it.
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a log, the last one winning where an epoch was repeated after a resume; a torn line is skipped."""
    rows: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            rows[int(row["epoch"])] = row
        except (ValueError, KeyError, TypeError):
            continue
    return [rows[epoch] for epoch in sorted(rows)]
