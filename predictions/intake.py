"""Uploaded files as pictures, or why they are none: the same for the pages and the API."""

from __future__ import annotations

import time
from collections.abc import Iterable

from django.core.files.uploadedfile import UploadedFile

from predictions.decoding import MAX_BYTES
from predictions.images import MESSAGES, ImageRejected, PreparedImage, display_name, prepare
from predictions.services import RejectedPicture

MAX_PICTURES = 200
# One request holds a decoder no longer than this; what is left then is rejected with a sentence.
READING_SECONDS = 90.0


def take(file: UploadedFile) -> PreparedImage | RejectedPicture:
    """A file as a safe picture, or why it cannot be one."""
    name = file.name or ""
    try:
        file.seek(0)
        # One byte more than allowed is enough to know that it is too large.
        return prepare(file.read(MAX_BYTES + 1), name)
    except ImageRejected as error:
        return RejectedPicture(display_name(name), error.code, str(error))


def take_all(files: Iterable[UploadedFile]) -> list[PreparedImage | RejectedPicture]:
    """Every file in its order, within the time that one request may take."""
    end = time.monotonic() + READING_SECONDS
    return [take(file) if time.monotonic() < end else _too_late(file) for file in files]


def _too_late(file: UploadedFile) -> RejectedPicture:
    return RejectedPicture(display_name(file.name or ""), "decoder_busy", str(MESSAGES["decoder_busy"]))
