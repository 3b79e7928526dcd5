"""A picture on its way out: only for those who may see it, never cached by others, never run as code."""

from __future__ import annotations

import io
from collections.abc import Callable

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
)
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext_lazy as _
from PIL import Image

from predictions.access import problem, wants_json
from predictions.images import open_prepared
from predictions.models import NetworkInput, Upload

THUMB = 320
THUMB_QUALITY = 82
PICTURE_EXPIRED = _(
    "This picture was removed because of its age; what the networks said is kept. To ask about it, send it again."
)


def picture_response(request: HttpRequest, upload: Upload) -> HttpResponseBase:
    """The upload's picture, or with ``?size=thumb`` a small one. The caller has checked who asks.

    Browsers keep it but ask again each time, so that what was deleted or hidden is gone at the next request.
    """
    # Before anything else: browsers that still have it must not be told that it is the same.
    if upload.expired:
        return expired_response(request)
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


def expired_response(request: HttpRequest) -> HttpResponse:
    """That there was a picture, and why it is no longer there."""
    if request.path_info.startswith("/api/") or wants_json(request):
        response: HttpResponse = problem(410, "picture_expired", str(PICTURE_EXPIRED))
    else:
        response = HttpResponse(str(PICTURE_EXPIRED), status=410, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    return response


def input_response(request: HttpRequest, shown: NetworkInput | None) -> HttpResponseBase:
    """What a network saw, pixel for pixel, as PNG."""
    if shown is None:
        return expired_response(request)

    def drawn() -> Image.Image:
        return Image.frombytes("RGB", (shown.size, shown.size), bytes(shown.pixels))

    return drawn_response(request, f"input-{shown.pk}", drawn)


def drawn_response(request: HttpRequest, name: str, draw: Callable[[], Image.Image]) -> HttpResponseBase:
    """What ``draw`` makes, as PNG. ``name`` is another one whenever that would look different."""
    etag = f'"{name}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return _safe(HttpResponseNotModified(), etag)
    buffer = io.BytesIO()
    draw().save(buffer, "PNG", optimize=True)
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
