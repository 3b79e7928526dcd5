"""Surgery as an address holds it, so that a link restores it.

edits=block1.conv1:5:2:0,0,0,0,1,0,0,0,0;...   layer (dots for slashes), output and input channel, weights by rows
mutes=block2.relu1:3,4,8-15;...                layer, channels and ranges of channels
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from learn.kinds import KindError, surgery
from ml.artifact import Card

MAX_TEXT = 8000

Edit = dict[str, Any]


@dataclass
class Operation:
    """What is to be done: ``edits`` and ``mutes`` as the kind "surgery" takes them."""

    edits: list[Edit] = field(default_factory=list)
    mutes: dict[str, list[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.edits or self.mutes)

    def parameters(self, side: str) -> dict[str, Any]:
        return {"edits": self.edits, "mutes": self.mutes, "side": side}


def read(edits: str, mutes: str, card: Card, say: Callable[[str], None]) -> Operation:
    """The operation on ``card`` that two keys of an address describe.

    What cannot be done is left out, with a sentence to ``say`` for each; the rest stays.
    """
    found = Operation()
    if len(edits) > MAX_TEXT or len(mutes) > MAX_TEXT:
        say(_("These are too many changes for an address. Nothing was changed."))
        return found
    for text in filter(None, edits.split(";")):
        try:
            tried = [*found.edits, _edit(text)]
            found.edits = surgery.clean({"edits": tried}, card)["edits"]
        except KindError as error:
            say(_left_out(text, error))
    for text in filter(None, mutes.split(";")):
        try:
            name, channels = _mute(text)
            both = {**found.mutes, name: [*found.mutes.get(name, ()), *channels]}
            found.mutes = surgery.clean({"mutes": both}, card)["mutes"]
        except KindError as error:
            say(_left_out(text, error))
    return found


def _left_out(text: str, error: KindError) -> str:
    return _("“%(text)s” was left out. %(why)s") % {"text": text[:60], "why": error}


def _edit(text: str) -> Edit:
    parts = text.split(":")
    try:
        name, output, source, kernel = parts
        values = [float(one) for one in kernel.split(",")]
        return {"layer": name.replace(".", "/"), "out": int(output), "in": int(source), "kernel": values}
    except ValueError:
        raise KindError(
            _("An edit is written as layer:output:input:numbers, the numbers separated by commas."), "edits"
        ) from None


def _mute(text: str) -> tuple[str, list[int]]:
    name, _colon, listed = text.partition(":")
    channels: list[int] = []
    try:
        for one in listed.split(","):
            first, dash, last = one.partition("-")
            channels += range(int(first), min(int(last), 10_000) + 1) if dash else [int(first)]
    except ValueError:
        raise KindError(
            _("Mutes are written as layer:channels, the channels separated by commas."), "mutes"
        ) from None
    return name.replace(".", "/"), channels


def write_edits(edits: Sequence[Mapping[str, Any]]) -> str:
    return ";".join(
        f"{edit['layer'].replace('/', '.')}:{edit['out']}:{edit['in']}:{','.join(map(_number, edit['kernel']))}"
        for edit in edits
    )


def _number(value: float) -> str:
    return f"{value:.{surgery.PLACES}f}".rstrip("0").rstrip(".")


def write_mutes(mutes: Mapping[str, Sequence[int]]) -> str:
    return ";".join(f"{name.replace('/', '.')}:{ranges(channels)}" for name, channels in mutes.items())


def ranges(channels: Sequence[int]) -> str:
    """[3, 4, 5, 9] -> ``3-5,9``."""
    runs: list[list[int]] = []
    for one in sorted(channels):
        if runs and one == runs[-1][-1] + 1:
            runs[-1][1:] = [one]
        else:
            runs.append([one])
    return ",".join("-".join(map(str, run)) for run in runs)
