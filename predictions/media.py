"""A picture on its way out: only for those who may see it, never cached by others, never run as code."""

from __future__ import annotations

import io

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
)
from django.utils.http import content_disposition_header, parse_etags
from PIL import Image

from predictions.images import open_prepared
from predictions.models import NetworkInput, Upload

THUMB = 320
THUMB_QUALITY = 82


def picture_response(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    """The upload's picture, or with ``?size=thumb`` a small one. The caller has checked who asks.

    Browsers keep it but ask again each time, so that what was deleted or hidden is gone at the next request.
    """
    thumb = request.GET.get("size") == "thumb"
    etag = f'"{upload.pk}{"-thumb" if thumb else ""}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _safe(HttpResponseNotModified(), etag)
    try:
        file = upload.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response: HttpResponseBase
    if thumb:
        with file:
            picture = open_prepared(file.read())
        response = HttpResponse(_thumbnail(picture), content_type="image/jpeg")
    else:
        response = FileResponse(file, content_type=upload.content_type)
        response["Content-Length"] = str(upload.bytes)
    disposition = content_disposition_header(as_attachment=False, filename=upload.filename)
    response["Content-Disposition"] = disposition or "inline"
    return _safe(response, etag)


def input_response(request: HttpRequest, shown: NetworkInput) -> HttpResponseBase:
    """What a network saw, pixel for pixel, as PNG."""
    etag = f'"input-{shown.pk}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _safe(HttpResponseNotModified(), etag)
    picture = Image.frombytes("RGB", (shown.size, shown.size), bytes(shown.pixels))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return _safe(HttpResponse(buffer.getvalue(), content_type="image/png"), etag)


def _thumbnail(picture: Image.Image) -> bytes:
    picture.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=THUMB_QUALITY)
    return buffer.getvalue()


def _safe(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
