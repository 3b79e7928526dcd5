"""The words of the field, each in a sentence or two."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.glossary import TERMS
from learn.lessons import Lesson


def context() -> dict[str, Any]:
    """The terms in the order of the reader's alphabet."""
    return {
        "entries": sorted(TERMS, key=lambda term: unicodedata.normalize("NFD", str(term.title).casefold()))
    }


lesson = Lesson(
    slug="glossary",
    title=_("Glossary"),
    summary=_("The words of the field, each in a sentence or two. The lessons link here."),
    order=30,
    template="learn/glossary.html",
    minutes=4,
    kind="page",
    context=context,
)
