"""Gives every error of the API the one shape `{"error": {"code", "message", "fields"?}}`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.db import connections
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from classifier_site.errors import Fields, error_body, hush, is_outage, outage_message

# Seconds until it is worth asking again where nothing says how long it takes.
PAUSE = 60


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER; None leaves what is no API error to the site's own handlers."""
    if (request := context.get("request")) is not None:
        # Errors are JSON also where answers are not, as at the schema and its page.
        request.accepted_renderer = JSONRenderer()
        request.accepted_media_type = JSONRenderer.media_type
    if is_outage(error):
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block:
                connection.set_rollback(True)
        body = error_body("unavailable", outage_message(error))
        response: Response | None = hush(error, Response(body, status=503, headers={"Retry-After": "5"}))
        return response
    response = exception_handler(error, context)
    if response is None:
        return None
    detail = getattr(error, "detail", None)
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(detail)
        own = fields.pop(api_settings.NON_FIELD_ERRORS_KEY, [])
        code = _first_code(error.get_codes()) if own and not fields else "invalid"
        response.data = error_body(code, _sentence(own, fields), fields)
    elif isinstance(error, exceptions.Throttled):
        response.data = error_body("throttled", _throttled(_whole_seconds(getattr(error, "wait", None))))
    elif isinstance(error, exceptions.APIException):
        response.data = error_body(_first_code(error.get_codes()), _first_message(detail))
    else:  # Http404 and PermissionDenied of Django, which DRF answered for
        given = response.data.get("detail") if isinstance(response.data, dict) else None
        code = getattr(given, "code", None) or (
            "not_found" if response.status_code == 404 else "permission_denied"
        )
        response.data = error_body(str(code), str(given or _("This cannot be done.")))
    if response.status_code == 429:
        response["Retry-After"] = str(_whole_seconds(getattr(error, "wait", None)) or PAUSE)
    return response


def _whole_seconds(wait: float | None) -> int | None:
    return None if wait is None else max(1, math.ceil(wait))


def _throttled(seconds: int | None) -> str:
    if seconds is None:
        return _("Too many requests. Try again later.")
    return _("Too many requests. Try again in %(seconds)d seconds.") % {"seconds": seconds}


def _fields(detail: Any, prefix: str = "") -> Fields:
    """DRF's nested details as a flat mapping from a field's dotted name to its sentences."""
    if isinstance(detail, Mapping):
        found: Fields = {}
        for name, value in detail.items():
            for key, sentences in _fields(value, f"{prefix}{name}.").items():
                found.setdefault(key, []).extend(sentences)
        return found
    name = prefix.rstrip(".") or api_settings.NON_FIELD_ERRORS_KEY
    if isinstance(detail, (list, tuple)):
        found = {}
        for number, item in enumerate(detail):
            nested = isinstance(item, (Mapping, list, tuple))
            for key, sentences in _fields(item, f"{prefix}{number}." if nested else prefix).items():
                found.setdefault(key, []).extend(sentences)
        return found
    return {name: [str(detail)]}


def _sentence(own: list[str], fields: Fields) -> str:
    if own:
        return own[0]
    if len(fields) == 1:
        name, sentences = next(iter(fields.items()))
        return f"{name}: {sentences[0]}"
    return _("Some of what was sent is not right: %(names)s.") % {"names": ", ".join(sorted(fields))}


def _first_code(codes: Any) -> str:
    while isinstance(codes, (Mapping, list, tuple)):
        codes = next(iter(codes.values() if isinstance(codes, Mapping) else codes), "invalid")
    return str(codes)


def _first_message(detail: Any) -> str:
    while isinstance(detail, (Mapping, list, tuple)):
        detail = next(iter(detail.values() if isinstance(detail, Mapping) else detail), "")
    return str(detail)
