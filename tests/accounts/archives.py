"""What tests of archives share: where one asks, what lies in their folder, and a storage that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

PAGE = "/account/"
ASK = "/account/export/"


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "exports").glob("*"))


def fail(error: BaseException) -> Any:
    def save(*args: Any, **options: Any) -> Any:
        raise error

    return save
