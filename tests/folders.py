"""What lies in a folder."""

from __future__ import annotations

from pathlib import Path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
