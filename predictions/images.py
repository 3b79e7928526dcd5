"""Bytes from outside -> a safe, upright, stripped and bounded picture, or a sentence that says what to do.

The decoding itself happens in another process (`decoder_pool`); this is the only door to it.
"""

from __future__ import annotations

import io
import unicodedata
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image

from predictions.decoder_pool import DECODE, DecoderPool
from predictions.decoding import MAX_BYTES, DecodeRejected
from predictions.fingerprint import of_grey

FILENAME_LENGTH = 120
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}

MESSAGES: dict[str, str | Promise] = {
    "empty": _("This file is empty. Choose another picture."),
    "too_large": _("This file is larger than 10 MB. Save the picture smaller and send it again."),
    "not_a_picture": _("This file is not a picture. Send a JPEG, PNG, WebP, GIF, HEIC or AVIF file."),
    "unsupported_format": _(
        "A %(kind)s file cannot be used here. Save the picture as JPEG or PNG and send that."
    ),
    "truncated": _("This picture is incomplete or damaged. Save or copy it again, then send it again."),
    "too_many_pixels": _(
        "This picture has more than 50 million pixels, all its frames counted. Save it smaller and send that."
    ),
    "too_complex": _(
        "This picture needs too much memory to read. Save it smaller, as JPEG or PNG, and send that."
    ),
    "decoder_timeout": _("This picture took too long to read. Save it again as JPEG or PNG and send that."),
    "decoder_crashed": _("This picture could not be read. Save it again as JPEG or PNG and send that."),
    "decoder_busy": _("Too many pictures are being read just now. Send this one again in a few seconds."),
}

pool = DecoderPool()


class ImageRejected(Exception):
    """A picture that cannot be taken: a code for programs, a sentence for people."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class PreparedImage(NamedTuple):
    """A picture of our own making, ready to be stored; the source's size is that of the upright original."""

    data: bytes
    content_type: str
    extension: str
    width: int
    height: int
    source_width: int
    source_height: int
    filename: str
    # How it looks; empty where there is nothing to tell it by.
    fingerprint: str = ""


def prepare(data: bytes, filename: str, _decode: str = DECODE, *, bulk: bool = False) -> PreparedImage:
    """The safe form of an uploaded picture; raises ImageRejected and nothing else.

    `extension` has no dot. One of many (`bulk`) gives way to pictures that came alone. `_decode` names another
    function for the decoder process ("module:function"), with which tests make it crash or hang.
    """
    try:
        if not data:
            raise DecodeRejected("empty")
        if len(data) > MAX_BYTES:
            raise DecodeRejected("too_large")
        decoded = pool.decode(data, _decode, bulk=bulk)
    except DecodeRejected as rejected:
        code = rejected.code if rejected.code in MESSAGES else "decoder_crashed"
        message = MESSAGES[code]
        if rejected.kind:
            message = str(message) % {"kind": rejected.kind}
        raise ImageRejected(code, message) from rejected
    return PreparedImage(
        decoded.data,
        CONTENT_TYPES[decoded.extension],
        decoded.extension,
        decoded.width,
        decoded.height,
        decoded.source_width,
        decoded.source_height,
        display_name(filename),
        of_grey(decoded.grey),
    )


def open_prepared(data: bytes) -> Image.Image:
    """The pixels of a picture that `prepare` made, in RGB."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        image.load()
        # Already in RGB unless somebody replaced the file; converting would copy every pixel.
        return image if image.mode == "RGB" else image.convert("RGB")


def display_name(filename: str) -> str:
    """A file's name fit to be shown: no folders, nothing invisible in disguise, at most 120 characters."""
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join(" " if character.isspace() else character for character in name if _visible(character))
    name = " ".join(name.split())
    if not name.strip(". "):
        return "picture"
    if len(name) > FILENAME_LENGTH:
        stem, dot, extension = name.rpartition(".")
        if not stem or len(extension) > 10:
            return name[:FILENAME_LENGTH].strip()
        name = stem[: FILENAME_LENGTH - len(extension) - 1].strip() + dot + extension
    return name


class NameUnfit(ValueError):
    """A name that an owner cannot give a picture; the message says why."""


def own_name(filename: str) -> str:
    """The name that an owner gives a picture, as it is shown. Raises NameUnfit where nothing would be left of it."""
    last = filename.replace("\\", "/").rsplit("/", 1)[-1]
    if not any(character.isalnum() for character in last):
        raise NameUnfit(_("A file name needs at least one letter or digit."))
    return display_name(filename)


def _visible(character: str) -> bool:
    # The two joiners belong to some scripts and to emoji; every other control or format character goes, those
    # that turn the reading direction round among them.
    if character.isspace() or character in "\u200c\u200d":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
