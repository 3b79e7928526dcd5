"""Layers as a sentence names them: ``group2/block1/conv1`` is group 2, block 1, convolution 1."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PART = re.compile(r"([a-z]+)(\d*)")
WORDS = {
    "pictures": gettext_lazy("the picture"),
    "stem": gettext_lazy("stem"),
    "group": gettext_lazy("group"),
    "stage": gettext_lazy("stage"),
    "block": gettext_lazy("block"),
    "head": gettext_lazy("head"),
    "conv": gettext_lazy("convolution"),
    "bn": gettext_lazy("batch normalisation"),
    "relu": gettext_lazy("ReLU"),
    "pool": gettext_lazy("pooling"),
    "add": gettext_lazy("addition"),
    "shortcut": gettext_lazy("shortcut"),
    "dense": gettext_lazy("dense layer"),
}


def spoken(name: str) -> str:
    """The whole name; parts that nobody has a word for stay as they are."""
    return ", ".join(_part(part) for part in name.split("/"))


def titled(name: str) -> str:
    """The same at the beginning of a sentence."""
    text = spoken(name)
    return text[:1].upper() + text[1:]


def _part(part: str) -> str:
    found = PART.fullmatch(part)
    if found is None or found[1] not in WORDS:
        return part
    if not found[2]:
        return str(WORDS[found[1]])
    return _("%(part)s %(number)s") % {"part": WORDS[found[1]], "number": found[2]}
