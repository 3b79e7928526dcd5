"""The pixels: a picture exactly as the networks see it, as numbers, and what is left of it with fewer of them.

The address holds ``y`` and ``x``, a place in rows and columns of the whole picture (from 0; left out: the middle),
``read`` (red, green or blue: whose numbers stand around it), ``channels`` (those that are on, by their first letters),
``rows``, ``steps``, ``shuffle`` (none, rows or pixels), ``add`` (-255 to 255) and ``back`` (1: taken away again).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from numpy.typing import NDArray

from learn.figures import pixels
from learn.figures.heat import decimal
from learn.figures.pixels import CHANNELS, LARGEST, ORDERS, SETS, STEPS, Settings, Shown
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query
from learn.subjects import Pixels, Subject
from learn.templatetags.learn_format import grouped, percent
from ml.explain import sheets

OWN_KEYS = ("y", "x", "read", "channels", "rows", "steps", "shuffle", "add", "back")


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    picture = subject.clean[state.card.name]
    side = len(picture)
    sizes = pixels.sizes(side)
    settings = Settings(
        rows=_number_of(state, "rows", sizes),
        steps=_number_of(state, "steps", STEPS),
        channels=_name_of(state, "channels", SETS),
        add=_added(state),
        back=_back(state),
        shuffle=_name_of(state, "shuffle", ORDERS),
    )
    read = _name_of(state, "read", CHANNELS)
    missing = _("There is no pixel “%(value)s”: rows and columns go from 1 to %(last)s. %(shown)s is shown.")
    y, x = (state.place(key, side, side // 2, missing) for key in ("y", "x"))
    return {
        "sizes": sizes,
        "steps": STEPS,
        "channels": CHANNELS,
        "sets": SETS,
        "orders": ORDERS,
        "largest": LARGEST,
        "last": side - 1,
        "settings": settings,
        "read": read,
        "y": y,
        "x": x,
        "kept_here": bare_query(state.query, without=OWN_KEYS),
        "still": _still(picture, settings, read, y * settings.rows // side, x * settings.rows // side),
        "data": {
            "side": side,
            "pixels": picture.reshape(-1).tolist(),
            "choices": {
                "rows": sizes,
                "steps": STEPS,
                "channels": list(SETS),
                "shuffle": list(ORDERS),
                "read": list(CHANNELS),
            },
        },
    }


# --- what the address asks for ----------------------------------------------------------------------------------

NAMES = {
    "rows": gettext_lazy("number of rows"),
    "steps": gettext_lazy("number of steps"),
    "channels": gettext_lazy("channels"),
    "shuffle": gettext_lazy("order"),
    "read": gettext_lazy("numbers around the pixel"),
}


def _cannot(state: State, key: str, shown: str | Promise | int) -> None:
    state.say(
        _("“%(value)s” cannot be chosen for the %(name)s. Shown instead: %(standard)s.")
        % {"value": state.text(key)[:20], "name": NAMES[key], "standard": shown}
    )


def _number_of(state: State, key: str, choices: tuple[int, ...]) -> int:
    """One of ``choices``, by default the first."""
    number = state.whole(key, choices[0]) if state.text(key).strip() else choices[0]
    if number in choices:
        return int(number)
    _cannot(state, key, choices[0])
    return choices[0]


def _name_of(state: State, key: str, choices: Mapping[str, str | Promise]) -> str:
    """One of the keys of ``choices``, by default the first."""
    standard = next(iter(choices))
    name = state.text(key) or standard
    if name in choices:
        return name
    _cannot(state, key, choices[standard])
    return standard


def _added(state: State) -> int:
    text = state.text("add").strip()
    number = state.whole("add", 0) if text else 0
    if number is None:
        state.say(_("“%(value)s” is no whole number. Nothing is added.") % {"value": text[:20]})
        return 0
    if abs(number) > LARGEST:
        state.say(_("At most %(most)s can be added or taken away here. That is shown.") % {"most": LARGEST})
    return min(LARGEST, max(-LARGEST, number))


def _back(state: State) -> bool:
    text = state.text("back")
    if text not in ("", "0", "1", "true", "false"):
        state.say(
            _("“%(value)s” is neither 1 nor 0. What is added is not taken away.") % {"value": text[:20]}
        )
    return text in ("1", "true")


# --- what is shown without scripts ------------------------------------------------------------------------------


def _still(picture: Pixels, settings: Settings, read: str, row: int, column: int) -> dict[str, Any]:
    shown = pixels.shown(picture, settings)
    return {
        "picture": _drawn(shown.picture),
        "planes": [
            {"title": title, "on": on, "picture": _drawn(np.stack([plane] * 3, axis=-1).astype(np.uint8))}
            for title, on, plane in zip(CHANNELS.values(), shown.on, shown.planes, strict=True)
        ],
        "sentences": [
            _place_said(shown, row, column),
            *_total_said(shown, settings, picture.size),
            _apart_said(shown, settings),
            _clipped_said(shown, settings),
        ],
        "window": _window(shown.picture[..., list(CHANNELS).index(read)], read, row, column),
    }


def _drawn(values: NDArray[np.uint8]) -> str:
    """uint8 (n, n, 3) as a picture in the page itself."""
    return "data:image/png;base64," + base64.b64encode(sheets.photograph(values)).decode()


def _window(plane: NDArray[np.uint8], read: str, row: int, column: int) -> dict[str, Any]:
    top, left, side = pixels.window(len(plane), row, column)
    title = _("Numbers of %(channel)s around row %(row)s, column %(column)s")
    return {
        "title": title % {"channel": CHANNELS[read], "row": row + 1, "column": column + 1},
        "columns": [left + at + 1 for at in range(side)],
        "lines": [
            {"row": top + at + 1, "values": plane[top + at, left : left + side].tolist()}
            for at in range(side)
        ],
    }


def _place_said(shown: Shown, row: int, column: int) -> str:
    red, green, blue = shown.picture[row, column].tolist()
    said = _("Row %(row)s, column %(column)s: red %(red)s, green %(green)s, blue %(blue)s.") % {
        "row": row + 1,
        "column": column + 1,
        "red": red,
        "green": green,
        "blue": blue,
    }
    off = [str(title) for title, on in zip(CHANNELS.values(), shown.on, strict=True) if not on]
    if not off:
        return said
    return f"{said} " + _("Switched off: %(channels)s.") % {"channels": ", ".join(off)}


def _total_said(shown: Shown, settings: Settings, most: int) -> tuple[str, str]:
    """Numbers and bits; ``most`` numbers are the whole picture."""
    channels, each = sum(shown.on), pixels.bits_each(settings.steps)
    count = ngettext(
        "%(rows)s rows × %(rows)s columns × %(channels)s channel = %(numbers)s numbers.",
        "%(rows)s rows × %(rows)s columns × %(channels)s channels = %(numbers)s numbers.",
        channels,
    )
    size = ngettext(
        "%(steps)s steps are %(each)s bit for each number, %(bits)s bits together: %(share)s of all that the "
        "networks are given.",
        "%(steps)s steps are %(each)s bits for each number, %(bits)s bits together: %(share)s of all that the "
        "networks are given.",
        each,
    )
    share = shown.bits / (most * pixels.bits_each(LARGEST + 1))
    return (
        count % {"rows": settings.rows, "channels": channels, "numbers": grouped(shown.numbers)},
        size
        % {
            "steps": settings.steps,
            "each": each,
            "bits": grouped(shown.bits),
            "share": percent(share),
        },
    )


def _apart_said(shown: Shown, settings: Settings) -> str:
    values = {"apart": decimal(shown.apart, 1), "straight": decimal(shown.straight, 1)}
    if settings.shuffle == "none":
        return _("Numbers beside or below each other are %(apart)s apart on average.") % values
    return (
        _(
            "Numbers beside or below each other are %(apart)s apart on average; before they were mixed it was "
            "%(straight)s."
        )
        % values
    )


def _clipped_said(shown: Shown, settings: Settings) -> str:
    if not settings.add:
        return _("Nothing is added, so nothing is cut off.")
    cut = shown.below + shown.above
    sentence = (
        _(
            "%(add)s is added: %(cut)s of %(numbers)s numbers (%(share)s) would lie above 255 and are cut off "
            "there."
        )
        if settings.add > 0
        else _(
            "%(add)s is added: %(cut)s of %(numbers)s numbers (%(share)s) would lie below 0 and are cut off "
            "there."
        )
    )
    said = sentence % {
        "add": ("+" if settings.add > 0 else "") + decimal(settings.add, 0),
        "cut": grouped(cut),
        "numbers": grouped(shown.numbers),
        "share": percent(cut / shown.numbers),
    }
    if not settings.back:
        return said
    end = LARGEST - settings.add if settings.add > 0 else -settings.add
    return f"{said} " + _("It is taken away again: those that were cut off are all %(end)s now.") % {
        "end": end
    }


figure = Figure(
    slug="pixels",
    title=gettext_lazy("Pixels"),
    summary=gettext_lazy(
        "Read the numbers that a network is given in place of your picture, and see what is left with fewer of them."
    ),
    order=63,
    template="learn/laboratory/pixels.html",
    context=context,
    barred=False,
)
