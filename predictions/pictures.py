"""Pictures on their way out: only to their owner, with a fixed type, never as something a browser would run."""

from __future__ import annotations

import io
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from PIL import Image

from predictions.models import NetworkInput, Upload

THUMBNAIL = 320
JPEG = "image/jpeg"
EXTENSIONS = {JPEG: "jpg", "image/png": "png"}


def picture_response(request: HttpRequest, upload: Upload, *, thumbnail: bool = False) -> HttpResponseBase:
    """The picture of ``upload``, or a small JPEG of it. The caller has checked whose it is.

    What an address shows never changes, so a browser that has it is told so without the file being read.
    """
    etag = f'"{upload.pk.hex}-{THUMBNAIL if thumbnail else "full"}"'
    kind = JPEG if thumbnail else upload.content_type
    stem = upload.filename.rsplit(".", 1)[0] or "picture"
    name = f"{stem}.{EXTENSIONS.get(kind, 'jpg')}"
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return guarded(unchanged, etag, name)
    try:
        with upload.file.open("rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        raise Http404(_("This picture is no longer there.")) from error
    if thumbnail:
        data = shrunk(data)
    return guarded(HttpResponse(data, content_type=kind), etag, name)


def input_response(request: HttpRequest, row: NetworkInput) -> HttpResponseBase:
    """What a network saw, pixel for pixel, as a PNG."""
    etag = f'"input-{row.pk}-{row.upload_id.hex}"'
    name = f"input-{row.size}.png"
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return guarded(unchanged, etag, name)
    out = io.BytesIO()
    Image.frombytes("RGB", (row.size, row.size), bytes(row.pixels)).save(out, "PNG")
    return guarded(HttpResponse(out.getvalue(), content_type="image/png"), etag, name)


def shrunk(data: bytes, side: int = THUMBNAIL) -> bytes:
    """A JPEG of a picture that `images.prepare` made, at most ``side`` wide and high."""
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        # Lets the JPEG decoder skip what would be thrown away.
        image.draft("RGB", (side, side))
        small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=82)
    return out.getvalue()


def guarded(response: HttpResponseBase, etag: str, filename: str) -> Any:
    """Headers without which a file from a user must not leave."""
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = content_disposition_header(False, filename) or "inline"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
