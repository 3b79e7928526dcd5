"""The site's own pictures, offered on the predict page to those who have none at hand."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.templatetags.static import static
from django.utils.translation import gettext

from predictions.decoding import MAX_BYTES

logger = logging.getLogger(__name__)

OFFERED = ("apple", "clock", "cup", "keyboard", "mountain", "rocket")


@dataclass(frozen=True)
class Sample:
    filename: str
    thumbnail: str
    title_source: str
    alt_source: str

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
    folder = settings.BASE_DIR / "static" / "samples"
    names = {sample.filename for sample in offered()}
    return frozenset(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names)


@cache
def offered() -> tuple[Sample, ...]:
    """Six pictures in a fixed order; none when their list cannot be read, for the page does without them."""
    try:
        rows = json.loads((settings.BASE_DIR / "samples" / "samples.json").read_text(encoding="utf-8"))
        named = {row["name"]: row for row in rows}
        found = tuple(
            Sample(row["file"], row["thumbnail"], row["title"], row["alt"])
            for row in (named[name] for name in OFFERED if name in named)
        )
        for sample in found:
            # Raises ValueError when the hashed static files lack it.
            _ = sample.address, sample.thumbnail_address
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("The pictures to try cannot be offered: %s", error)
        return ()
    return found
