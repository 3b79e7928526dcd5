"""Who is asking: one rule for the caller's address, and which requests axes looks at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

GUARDED_BY_AXES = ("/admin/", "/api/v1/token/")


def client_ip(request: HttpRequest) -> str:
    """The address that the outermost trusted proxy saw; what a caller adds to X-Forwarded-For is ignored."""
    count: int = settings.TRUSTED_PROXY_COUNT
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if count and len(hops) >= count:
        return hops[-count]
    return str(request.META.get("REMOTE_ADDR", ""))


def outside_axes(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> bool:
    """True for every login except those at the admin site and the token address."""
    return request is None or not request.path.startswith(GUARDED_BY_AXES)
