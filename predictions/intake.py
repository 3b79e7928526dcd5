"""Uploaded files as pictures, or why they are none: the same for the pages and the API."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile

from predictions.decoding import MAX_BYTES
from predictions.images import MESSAGES, ImageRejected, PreparedImage, display_name, pool, prepare
from predictions.services import RejectedPicture
from predictions.threads import each

MAX_PICTURES = 200
# One request holds a decoder no longer than this; what is left then is rejected with a sentence.
READING_SECONDS = 90.0


def take(file: UploadedFile, *, bulk: bool = False) -> PreparedImage | RejectedPicture:
    """A file as a safe picture, or why it cannot be one. One of many (``bulk``) gives way to those that came alone."""
    # Browsers write a quotation mark in a part's file name so.
    name = (file.name or "").replace("%22", '"')
    try:
        file.seek(0)
        # One byte more than allowed is enough to know that it is too large.
        return prepare(file.read(MAX_BYTES + 1), name, bulk=bulk)
    except ImageRejected as error:
        return RejectedPicture(display_name(name), error.code, str(error))


def take_all(files: Sequence[UploadedFile]) -> list[PreparedImage | RejectedPicture]:
    """Every file in its order, within the time that one request may take."""
    end = time.monotonic() + READING_SECONDS
    bulk = len(files) > 1

    def one(file: UploadedFile) -> PreparedImage | RejectedPicture:
        return take(file, bulk=bulk) if time.monotonic() < end else _too_late(file)

    return each(one, files, pool.children)


def _too_late(file: UploadedFile) -> RejectedPicture:
    return RejectedPicture(display_name(file.name or ""), "decoder_busy", str(MESSAGES["decoder_busy"]))
