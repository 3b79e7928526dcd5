"""The laboratory's pages: its entrance, one figure, and one figure in a frame on another site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_exempt, xframe_options_sameorigin
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from learn import laboratory
from learn import laboratory_pages as pages
from learn.laboratory import Figure, State
from learn.subjects import SAMPLE, Subject, SubjectError
from predictions.access import View, for_visitors

# What the address of a missing picture is answered with; the page is the same.
STATUS = {"queued": 200, "expired": 410}

in_any_frame = cast(Callable[[View], View], csp_replace({"frame-ancestors": ["*"]}))
in_own_frame = cast(Callable[[View], View], csp_replace({"frame-ancestors": ["'self'"]}))

# In an address: the whole picture, whatever its bars.
NO_BARS = "[]"

# What stands around a figure.
PLAIN = "base.html"
EMBEDDED = "learn/laboratory/embed.html"
IN_LESSON = "learn/laboratory/in_lesson.html"


@for_visitors
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Pictures to choose from and what can be done with them; ``?on=`` chooses one."""
    _use_up_nothing(request)
    query = pages.asked(request)
    try:
        subject, corrections = pages.subject_of(request, query, embed=False)
    except SubjectError as error:
        return _missing(request, error, query)
    kept = {key: query[key] for key in pages.SUBJECT_KEYS if key in query} | {"on": subject.on}
    context = {
        "figures": laboratory.every(),
        "subject": subject,
        "corrections": corrections,
        "query": pages.query_with(kept),
        "own": pages.own_choices(request.user, kept, subject.on),
        **pages.around_subject(subject, kept),
    }
    return render(request, "learn/laboratory/index.html", context)


@for_visitors
@ensure_csrf_cookie
@require_safe
def figure(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure on the picture ``on``: a sample, or one of the reader's own predictions."""
    _use_up_nothing(request)
    found = laboratory.find(slug)
    if found is None:
        return _no_figure(request)
    return _figure(request, found, PLAIN)


@in_own_frame
@xframe_options_sameorigin
@for_visitors
@ensure_csrf_cookie
@require_safe
def in_lesson(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure for the frame of a lesson of this site, on any picture that the reader may look at.

    ``part`` names the part of it that is shown, where a lesson needs only one (data-part-of in the figure's template).
    """
    _use_up_nothing(request)
    return _figure(request, _find(slug), IN_LESSON)


@in_any_frame
@xframe_options_exempt
@require_safe
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """One figure for a frame on any site, on sample pictures only. It knows nobody and sets no cookie."""
    try:
        found = _find(slug)
        if not (request.GET.get("on") or SAMPLE).startswith(SAMPLE):
            # A frame is nobody's, so somebody's own picture is not there, whoever looks.
            raise Http404(_("A frame shows sample pictures only. Choose one, or open the laboratory itself."))
        return _figure(request, found, EMBEDDED)
    except Http404 as error:
        # The site's own page for this may not stand in a frame.
        nothing = SubjectError("not_found", str(error))
        return _missing(request, nothing, pages.asked(request), EMBEDDED)


def _use_up_nothing(request: Any) -> None:
    """How many pictures a visitor may still send is no matter here."""
    request.trial = None


def _find(slug: str) -> Figure:
    found = laboratory.find(slug)
    if found is None:
        raise Http404(_("There is no such figure in the laboratory."))
    return found


def _no_figure(request: HttpRequest) -> HttpResponse:
    """The figures that there are, for the picture that was asked for."""
    query = pages.asked(request)
    kept = {key: query[key] for key in pages.SUBJECT_KEYS if key in query}
    context = {"figures": laboratory.every(), "query": pages.query_with(kept)}
    return render(request, "learn/laboratory/no_figure.html", context, status=404)


def _around(page: str) -> dict[str, Any]:
    """What the templates ask of the page around a figure. Embedded, it is nobody's, on another site."""
    return {"page": page, "embed": page == EMBEDDED, "framed": page != PLAIN}


def _figure(request: HttpRequest, found: Figure, page: str) -> HttpResponse:
    query, embed = pages.asked(request), page == EMBEDDED
    try:
        about = query if found.pictured else {}
        if not found.barred:
            about = about | {"bars": NO_BARS}
        subject, corrections = pages.subject_of(request, about, embed=embed)
        state = _state(subject, query, corrections)
    except SubjectError as error:
        return _missing(request, error, query, page)
    full_url = reverse("learn:laboratory-figure", args=[found.slug])
    framed = (
        f"{reverse('learn:laboratory-embed', args=[found.slug])}?{pages.query_with(query, on=subject.on)}"
    )
    if found.pictured:
        query = query | {"on": subject.on}
    context: dict[str, Any] = {
        "figure": found,
        "figures": laboratory.every(),
        "subject": subject,
        "state": state,
        "part": query.get("part", "") if page == IN_LESSON else "",
        "query": pages.query_with(query),
        "kept": pages.bare_query(query, without=("on", "bars", "network")),
        # A figure without bars keeps those of the address for the others.
        "bars_text": pages.bars_text(subject, query) if found.barred else query.get("bars"),
        "full_url": request.build_absolute_uri(f"{full_url}?{pages.query_with(query)}"),
        "embed_url": request.build_absolute_uri(framed),
        **pages.around_subject(subject, query),
        **_around(page),
    }
    context["own"] = [] if embed else pages.own_choices(request.user, query, subject.on)
    context["subject_json"] = {
        **pages.subject_json(subject, embed=embed, full_url=context["full_url"]),
        "pictured": found.pictured,
    }
    context |= found.context(request, subject, state)
    return render(request, found.template, context)


def _state(subject: Subject, query: dict[str, str], corrections: list[str]) -> State:
    """The chosen network, the first one where none is named. Raises SubjectError for one that does not exist."""
    name = query.get("network") or subject.cards[0].name
    card = next((card for card in subject.cards if card.name == name), None)
    if card is None:
        raise SubjectError(
            "no_network",
            _("There is no network of this name to look into. Choose a picture to see those that there are."),
        )
    return State(card, subject.cards, query, corrections)


def _missing(
    request: HttpRequest, error: SubjectError, query: dict[str, str], page: str = PLAIN
) -> HttpResponse:
    """Why there is nothing to look at, and the sample pictures to go on with."""
    # In a lesson the figure goes on as it was, with another picture.
    keys = query.keys() - {"on", "bars"} if page == IN_LESSON else query.keys() & {"network"}
    kept = {key: query[key] for key in keys if key != "network" or error.code != "no_network"}
    context = {
        "error": error,
        **_around(page),
        "here": request.get_full_path(),
        "samples": pages.sample_choices(kept),
        "own": [] if page == EMBEDDED else pages.own_choices(request.user, kept),
    }
    return render(request, "learn/laboratory/_missing.html", context, status=STATUS.get(error.code, 404))
