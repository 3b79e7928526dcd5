"""The home page, the list of explainers and one explainer."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from learn import laboratory, lessons
from learn.figures.arithmetic import convolution_example
from learn.home import load_example


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
    context = {"pages": pages, "lessons": numbered, "figures": laboratory.every()}
    return render(request, "learn/index.html", context)


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """One page or lesson; 404 for a slug that no module registered."""
    lesson = lessons.find(slug)
    if lesson is None:
        raise Http404(_("There is no lesson at this address."))
    previous, following = lessons.neighbours(lesson)
    context = {"lesson": lesson, "previous": previous, "following": following}
    return render(request, lesson.template, context | lesson.context())
