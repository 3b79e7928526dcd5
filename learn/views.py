"""The home page, the list of explainers and one explainer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from learn import glossary, laboratory, lessons, progress
from learn.figures.arithmetic import convolution_example
from learn.home import load_example
from predictions.access import View

# The laboratory's figures stand in lessons as frames of this site.
own_frames = cast(Callable[[View], View], csp_update({"frame-src": ["'self'"]}))


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, with a live example when the shipped networks have answered one."""
    example = load_example()
    # Without an example a worked convolution stands in its place.
    return render(
        request, "home.html", {"example": example} if example else {"convolution": convolution_example()}
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everything there is to read, pages first, then the way to the laboratory, then the lessons in their order."""
    pages = [one for one in lessons.every() if one.kind == "page"]
    numbered = [one for one in lessons.every() if one.kind == "lesson"]
    context = {
        "pages": pages,
        "lessons": numbered,
        "figures": laboratory.every(),
        "progress": _progress(request),
    }
    return render(request, "learn/index.html", context)


@own_frames
@ensure_csrf_cookie
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One page or lesson; 404 for a slug that no module registered, the new address for one that it had before."""
    lesson = lessons.named(slug)
    if lesson is None:
        raise Http404(_("There is no lesson at this address."))
    if lesson.slug != slug:
        query = request.GET.urlencode()
        address = reverse("learn:page", args=[lesson.slug])
        return redirect(f"{address}?{query}" if query else address, permanent=True)
    previous, following = lessons.neighbours(lesson)
    context = {
        "lesson": lesson,
        "previous": previous,
        "following": following,
        "tasks": {task.key: task for task in lesson.tasks},
        "terms": glossary.addresses(),
        "progress": _progress(request),
        # The picture that the figures of a lesson show; without one each shows the first sample.
        "on": request.GET.get("on", ""),
    }
    return render(request, lesson.template, context | lesson.context())


def _progress(request: HttpRequest) -> dict[str, Any]:
    """What static/js/lessons/progress.js reads. A guest is nobody here: what a visitor solves stays in the browser."""
    return {
        "account": request.user.is_authenticated,
        "solved": [":".join(pair) for pair in progress.of(request.user)],
        "url": reverse("learn:progress"),
        "formerly": {old: one.slug for one in lessons.every() for old in one.formerly},
    }
