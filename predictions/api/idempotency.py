"""``Idempotency-Key``: a request that is sent again, because its answer was lost, is not carried out again.

The key is kept with the batch that it made, one an owner, so that the database itself refuses a second one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LENGTH = 255
PATTERN = "[!-~]+"  # visible ASCII
# Apart from the keys that the pages' forms bring along.
PREFIX = "api:"

PARAMETERS = [
    OpenApiParameter(
        HEADER,
        {"type": "string", "minLength": 1, "maxLength": LENGTH, "pattern": f"^{PATTERN}$"},
        OpenApiParameter.HEADER,
        description=(
            "Makes it safe to send the request again when its answer was lost: with the same key the same request "
            "returns what the first one made, as it stands by now. A new random value, such as a UUID, for each "
            "request that is meant anew; 1 to 255 visible ASCII characters. With another request the key is refused "
            "(422, `idempotency_key_reused`). It is free again when its batch was deleted."
        ),
    ),
    OpenApiParameter(
        REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[202],
        description="There when an earlier request with this key was answered again and nothing was made.",
    ),
]


def key_of(request: Request) -> str | None:
    """The key as it is kept, or None without one. Raises ValidationError."""
    sent = request.headers.get(HEADER)
    if sent is None:
        return None
    if len(sent) > LENGTH or not re.fullmatch(PATTERN, sent):
        sentence = _("The key must be 1 to 255 visible ASCII characters, such as a UUID.")
        raise serializers.ValidationError({HEADER: [sentence]})
    return PREFIX + hashlib.sha256(sent.encode()).hexdigest()


def fingerprint(models: Iterable[str], bars: Any, crop: Any, pictures: Iterable[UploadedFile]) -> str:
    """Differs when anything differs that was asked for: networks, bars, box, or a picture's name or bytes."""
    files = []
    for picture in pictures:
        picture.seek(0)
        digest = hashlib.sha256()
        for chunk in picture.chunks():
            digest.update(chunk)
        files.append([picture.name, digest.hexdigest()])
        picture.seek(0)
    return hashlib.sha256(json.dumps([list(models), bars, crop, files]).encode()).hexdigest()
