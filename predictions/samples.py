"""The site's own pictures, offered on the predict page to those who have none at hand."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.templatetags.static import static
from django.utils.translation import gettext

from predictions.decoding import MAX_BYTES

logger = logging.getLogger(__name__)

OFFERED = ("apple", "clock", "cup", "keyboard", "mountain", "rocket")


@dataclass(frozen=True)
class Sample:
    """One of the site's own pictures. ``bar``: a black bar worth trying, in fractions; None where none is known."""

    name: str
    filename: str
    thumbnail: str
    width: int
    height: int
    title_source: str
    alt_source: str
    bar: tuple[float, float, float, float] | None = None

    @property
    def title(self) -> str:
        return gettext(self.title_source)

    @property
    def alt(self) -> str:
        return gettext(self.alt_source)

    @property
    def address(self) -> str:
        return static(f"samples/{self.filename}")

    @property
    def thumbnail_address(self) -> str:
        return static(f"samples/{self.thumbnail}")


def is_ours(file: UploadedFile) -> bool:
    """Whether a file is one of the site's own pictures, byte for byte."""
    file.seek(0)
    digest = hashlib.sha256(file.read(MAX_BYTES)).hexdigest()
    file.seek(0)
    return digest in _digests()


@cache
def _digests() -> frozenset[str]:
    return frozenset(hashlib.sha256(file_bytes(sample)).hexdigest() for sample in offered())


def file_bytes(sample: Sample) -> bytes:
    """The picture's file. Raises OSError where it is missing."""
    return (settings.BASE_DIR / "static" / "samples" / sample.filename).read_bytes()


def offered() -> tuple[Sample, ...]:
    """Six pictures in a fixed order; none when their list cannot be read, for the page does without them."""
    return tuple(every()[name] for name in OFFERED if name in every())


@cache
def every() -> Mapping[str, Sample]:
    """All of the site's own pictures by their names; none when their list cannot be read."""
    try:
        rows = json.loads((settings.BASE_DIR / "samples" / "samples.json").read_text(encoding="utf-8"))
        found = {row["name"]: _sample(row) for row in rows}
        for sample in found.values():
            # Raises ValueError when the hashed static files lack it.
            _ = sample.address, sample.thumbnail_address
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("The pictures to try cannot be offered: %s", error)
        return {}
    return found


def _sample(row: Mapping[str, Any]) -> Sample:
    bar = row.get("bar")
    return Sample(
        name=row["name"],
        filename=row["file"],
        thumbnail=row["thumbnail"],
        width=int(row["width"]),
        height=int(row["height"]),
        title_source=row["title"],
        alt_source=row["alt"],
        bar=(float(bar[0]), float(bar[1]), float(bar[2]), float(bar[3])) if bar else None,
    )
