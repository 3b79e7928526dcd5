"""What every template may use."""

from __future__ import annotations

from django.http import HttpRequest


def csp_nonce(request: HttpRequest) -> dict[str, object]:
    """The nonce of this answer's Content-Security-Policy, for the few inline scripts and styles."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
