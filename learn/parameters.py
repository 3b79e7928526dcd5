"""What kinds of explanation check of the parameters they are asked with; each failure is a sentence (KindError)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from learn.kinds import KindError
from ml.artifact import Card

Value = TypeVar("Value", int, str)


def only(parameters: Mapping[str, Any], *known: str) -> None:
    """Refuses parameters that the kind does not have."""
    for name in parameters:
        if name not in known:
            raise KindError(_("There is no parameter “%(name)s”.") % {"name": str(name)[:40]}, str(name)[:40])


def choice(parameters: Mapping[str, Any], name: str, values: Sequence[Value], standard: Value) -> Value:
    """The parameter called ``name``, one of ``values``; ``standard`` when it is not there or None."""
    found = parameters.get(name)
    if found is None:
        return standard
    # True is 1 to Python, but not to whoever asks.
    if isinstance(found, bool) or found not in values:
        offered = ", ".join(map(str, values))
        raise KindError(
            _("There is no %(name)s “%(value)s”. There are: %(offered)s.")
            % {"name": name, "value": str(found)[:40], "offered": offered},
            name,
        )
    return next(value for value in values if value == found)


def class_index(parameters: Mapping[str, Any], card: Card) -> int | None:
    """The parameter "class", a number from 0; None stands for the likeliest class of the picture."""
    found = parameters.get("class")
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < len(card.labels):
        raise KindError(
            _("%(title)s has no class number %(value)s: they go from 0 to %(last)s.")
            % {"title": card.title, "value": str(found)[:40], "last": len(card.labels) - 1},
            "class",
        )
    return found
