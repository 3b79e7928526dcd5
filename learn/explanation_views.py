"""Explanations as the figures ask for them: put a question, see how it stands, read the files of its answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.throttle import limit_rate, refuse
from learn import asking_rate, explanations, laboratory, subjects
from learn.explanations import KindError, QuotaExceeded, SubjectError
from learn.models import Explanation
from learn.subjects import SAMPLE
from predictions.access import for_visitors, problem

ASKS_PER_MINUTE = 1200
"""Most are answered from what is stored, and a page asks several times. For the rest see ``asking_rate``."""
MAX_PARAMETERS = 20_000
"""Characters of JSON; what a kind does with them has limits of its own."""
FIELDS = ("on", "bars", "network", "kind", "parameters")

SUBJECT_STATUS = {"not_found": 404, "no_network": 404, "queued": 409, "expired": 410}
CONTENT_TYPES = {"npy": "application/octet-stream", "png": "image/png", "json": "application/json"}
# A file never changes, but the picture that a private one is of may be deleted: it is asked for anew each time.
PUBLIC = "public, max-age=86400, immutable"
PRIVATE = "private, no-cache"


class Refused(Exception):
    """A field that cannot be read; the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooManyNew(Exception):
    """So much has been asked lately that the next has to wait; the message says for how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(_("Too many requests. Try again in %(seconds)d seconds.") % {"seconds": seconds})
        self.seconds = seconds


@for_visitors
@require_POST
@limit_rate("laboratory", ASKS_PER_MINUTE)
def ask(request: HttpRequest) -> HttpResponseBase:
    """``on``, ``bars``, ``network``, ``kind``, ``parameters`` (JSON) -> the explanation, 202 while it is computed.

    With ``then``, the name of a figure, it is a form of a page without scripts, and its page follows.
    """
    try:
        subject = _subject(request.user, request.POST)
        what = request.POST.get("network", ""), request.POST.get("kind", ""), _parameters(request.POST)
        known = explanations.stored(subject, explanations.question(subject, *what))
        if known is None and (seconds := asking_rate.count(request)):
            raise TooManyNew(seconds)
        found = explanations.ask(subject, *what, asker=asking_rate.asker(request))
    except TooManyNew as error:
        return (
            _back(request, str(error))
            if "then" in request.POST
            else refuse(request, error.seconds, str(error))
        )
    except (SubjectError, KindError, QuotaExceeded, Refused) as error:
        return _back(request, str(error)) if "then" in request.POST else _refusal(error)
    if "then" in request.POST:
        return _back(request)
    return JsonResponse(described(found), status=200 if found.is_final else 202)


def _back(request: HttpRequest, sentence: str = "") -> HttpResponse:
    """To the figure named ``then``, for a form that was sent without scripts; a refusal stands on top of its page."""
    if sentence:
        messages.error(request, sentence)
    slug = request.POST["then"]
    if laboratory.find(slug) is None:
        return problem(404, "not_found", _("There is no such figure in the laboratory."))
    kept = {key: request.POST[key] for key in ("on", "bars", "network") if key in request.POST}
    return redirect(f"{reverse('learn:laboratory-figure', args=[slug])}?{urlencode(kept)}")


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """What is stored about a sample picture, for frames on other sites: there nobody can ask for more."""
    if not request.GET.get("on", "").startswith(SAMPLE):
        return problem(404, "not_found", _("A frame shows sample pictures only."))
    try:
        subject = _subject(None, request.GET)
        question = explanations.question(
            subject, request.GET.get("network", ""), request.GET.get("kind", ""), _parameters(request.GET)
        )
    except (SubjectError, KindError, Refused) as error:
        return _refusal(error)
    found = explanations.stored(subject, question)
    if found is None or found.status != Explanation.Status.DONE:
        sentence = _(
            "A frame shows only what was computed beforehand. Open the figure on its own page to see this."
        )
        return problem(404, "not_stored", sentence)
    return JsonResponse(described(found))


@for_visitors
@require_safe
def status(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How an explanation stands: one's own, or one of a sample picture."""
    found = explanations.of(request.user, pk)
    return _gone() if found is None else JsonResponse(described(found))


@require_safe
def member(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponseBase:
    """One file of an explanation. Those of sample pictures are everybody's, so nobody is asked for."""
    found = explanations.of(None, pk)
    return _own_member(request, pk, name) if found is None else file_response(request, found, name)


@for_visitors
def _own_member(request: HttpRequest, pk: uuid.UUID, name: str) -> HttpResponse:
    found = explanations.of(request.user, pk)
    return _gone() if found is None else file_response(request, found, name)


def described(found: Explanation) -> dict[str, Any]:
    """An explanation as the figures read it."""
    final = found.is_final
    done = found.status == Explanation.Status.DONE
    there = final or explanations.worker_is_there()
    answer: dict[str, Any] = {
        "id": str(found.pk),
        "status": found.status,
        "network": found.network,
        "kind": found.kind,
        "artifact": found.artifact,
        "result": found.result if done else None,
        "files": found.members if done else [],
        "base": reverse("learn:explanation-file", args=[found.pk, "x"]).removesuffix("x"),
        "position": None,
        "worker": there,
        "says": "",
        "error": None,
    }
    if found.status == Explanation.Status.QUEUED:
        answer["position"] = explanations.position(found)
    if not final:
        answer["says"] = _waiting(answer["position"], there)
    elif not done:
        answer["error"] = {"code": found.error_code or found.status, "message": found.error_sentence}
    return answer


def _waiting(position: int | None, worker: bool) -> str:
    if not worker:
        return _(
            "The laboratory's worker is away at the moment. What is already computed keeps working; the rest "
            "follows as soon as it is back."
        )
    ahead = (position or 1) - 1
    if position is None or not ahead:
        return _("Being computed")
    return ngettext(
        "Waiting, %(count)d figure is computed before this one",
        "Waiting, %(count)d figures are computed before this one",
        ahead,
    ) % {"count": ahead}


def _subject(user: Any, given: Mapping[str, Any]) -> subjects.Subject:
    bars = given.get("bars", "")
    if len(bars) > MAX_PARAMETERS:
        raise Refused("bars", _("These are too many bars."))
    return subjects.find(user, given.get("on", ""), bars)


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    text = given.get("parameters") or "{}"
    if len(text) > MAX_PARAMETERS:
        raise Refused("parameters", _("These are too many changes at once. Take some of them back."))
    try:
        value = json.loads(text, parse_constant=_no_number)
        # Halves of characters are no text, though Python reads them: no sentence that quotes them could be sent.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused("parameters", _("The parameters are not valid JSON.")) from None
    if not isinstance(value, dict):
        raise Refused("parameters", _("The parameters must be a JSON object."))
    return value


def _no_number(text: str) -> float:
    raise ValueError(text)


def _refusal(error: SubjectError | KindError | QuotaExceeded | Refused) -> JsonResponse:
    message = str(error)
    if isinstance(error, SubjectError):
        if error.code == "not_found" and not message:
            return _gone()
        return problem(SUBJECT_STATUS.get(error.code, 422), error.code, message)
    if isinstance(error, QuotaExceeded):
        return problem(429, error.code, message)
    return problem(422, "invalid", message, {error.field: [message]} if error.field else None)


def _gone() -> JsonResponse:
    return problem(404, "not_found", _("This was deleted or never was there. Reload the page."))


def file_response(request: HttpRequest, found: Explanation, name: str) -> HttpResponse:
    """One file of an explanation that the reader may see, or what says that it has none of that name."""
    public = found.owner_id is None
    etag = f'"{found.pk}/{name}"'
    response: HttpResponse
    if name in found.members and etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponseNotModified()
    else:
        try:
            content = explanations.open_member(found, name)
        except FileNotFoundError:
            return problem(404, "not_found", _("This explanation has no such file."))
        kind = CONTENT_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        response = HttpResponse(content, content_type=kind)
    response["ETag"] = etag
    response["Cache-Control"] = PUBLIC if public else PRIVATE
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
