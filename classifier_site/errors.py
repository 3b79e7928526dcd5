"""Errors as a person or a program can use them: a page, or `{"error": {...}}` where JSON is asked for."""

from __future__ import annotations

import errno
import logging
import re
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.stored_files import StorageAway
from classifier_site.bodies import body_limit

logger = logging.getLogger(__name__)

Fields = dict[str, list[str]]
# What ``get_object_or_404`` says.
NO_ROW = re.compile(r"No \w+ matches the given query\.")


def error_body(code: str, message: str, fields: Fields | None = None) -> dict[str, Any]:
    """The one shape of an error."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": error}


def wants_json(request: HttpRequest) -> bool:
    if request.path.startswith("/api/"):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def respond(
    request: HttpRequest,
    status: int,
    code: str,
    message: str,
    *,
    template: str = "",
    retry_after: int | None = None,
) -> HttpResponse:
    """An error as JSON or as the page `template` (by default `<status>.html`)."""
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(error_body(code, message), status=status)
    else:
        response = HttpResponse(_page(request, status, message, template or f"{status}.html"), status=status)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def _page(request: HttpRequest, status: int, message: str, template: str) -> str:
    context = {"message": message, "csp_nonce": getattr(request, "csp_nonce", "")}
    try:
        # After a failure of the server the page is drawn without the request, because the user in it is a
        # question to the database, which may be what failed.
        return render_to_string(template, context, request=request if status < 500 else None)
    except Exception:
        logger.exception("The page for error %s could not be drawn", status)
        return f"{status}: {message}"


def is_outage(error: BaseException | None) -> bool:
    """True for a database or a storage that is away and a full disk: passing, and not the caller's fault."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return isinstance(error, (OperationalError, InterfaceError, StorageAway))


def outage_message(error: BaseException | None) -> str:
    if isinstance(error, StorageAway):
        return _("Pictures and files cannot be reached at the moment. Try again in a minute.")
    return _("The site cannot do this at the moment. Try again in a few seconds.")


def hush(error: BaseException | None, response: Any) -> Any:
    """What is wrong with the storage is in the log, once; Django would add a line for every picture of every page."""
    if isinstance(error, StorageAway):
        response._has_been_logged = True
    return response


def too_large(request: HttpRequest) -> HttpResponse:
    pictures = request.path_info in settings.BODY_LIMITS
    sentence = (
        _("What was sent is larger than %(limit)s MB. Send fewer or smaller pictures at a time.")
        if pictures
        else _("What was sent is larger than %(limit)s MB, more than this address takes.")
    )
    limit = body_limit(request.path_info) / settings.MB
    megabytes = number_format(limit, decimal_pos=0 if limit.is_integer() else 1)
    return respond(request, 413, "too_large", sentence % {"limit": megabytes})


def too_slow(request: HttpRequest) -> HttpResponse:
    message = _("What you sent did not arrive in time. Check your connection and send it again.")
    return respond(request, 408, "too_slow", message)


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    message = _("This address does not take %(method)s.") % {"method": str(request.method)[:20]}
    return respond(request, 405, "method_not_allowed", message)


def bad_request(request: HttpRequest, exception: BaseException) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        message = _("More text was sent than the site takes at once. Send less at a time.")
        return respond(request, 413, "too_large", message)
    if isinstance(exception, TooManyFilesSent):
        return respond(request, 400, "too_many_files", _("Send at most 200 pictures at a time."))
    if isinstance(exception, TooManyFieldsSent):
        return respond(request, 400, "too_many_fields", _("Too many fields were sent at once."))
    return respond(
        request, 400, "bad_request", _("The request could not be understood. Check it and try again.")
    )


def permission_denied(request: HttpRequest, exception: BaseException) -> HttpResponse:
    return respond(
        request, 403, "permission_denied", _("It needs a permission that your account does not have.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _("The form has expired. Go back, reload the page and send it again.")
    return respond(request, 403, "csrf_failed", message, template="403_csrf.html")


def page_not_found(request: HttpRequest, exception: BaseException | None = None) -> HttpResponse:
    message = _("The address may be wrong, or the page was deleted.")
    reason = exception.args[0] if isinstance(exception, Http404) and exception.args else None
    # A resolver's 404 carries its whole list of addresses, and Django's own of a missing row is for its developers:
    # only a view's own sentence is for the reader.
    if isinstance(reason, str) and reason and not NO_ROW.match(reason):
        message = reason
    return respond(request, 404, "not_found", message)


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    if is_outage(error):
        return hush(error, respond(request, 503, "unavailable", outage_message(error), retry_after=5))
    if isinstance(error, UnreadablePostError):
        return too_slow(request)
    message = _("Something went wrong on our side. It has been noted; try again in a minute.")
    return respond(request, 500, "server_error", message)


def locked_out(request: HttpRequest, *details: Any) -> HttpResponse:
    """After too many failed attempts at the admin site or the token address."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    message = _("Too many failed attempts. Wait %(minutes)d minutes and try again.") % {
        "minutes": seconds // 60
    }
    return respond(request, 429, "locked_out", message, retry_after=seconds)
