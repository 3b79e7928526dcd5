"""The X-ray without scripts: what the address asks for, as texts and tables made from what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from learn.figures.layer_names import spoken
from ml.explain.structure import Structure
from ml.explain.xray import blocks

VIEWS = ("clean", "covered", "difference")
RANGES = ("layer", "map", "network")
ALIKE = 0.1
"""Below this change, as a share of their size, two runs count as alike."""

MORE_DIGITS = 2
"""Of a single value: it is to be found again in the tensor."""


@dataclass(frozen=True)
class Place:
    """Where in a network one is; "" or -1 for whatever is not chosen."""

    network: str
    block: str = ""
    layer: str = ""
    channel: int = -1
    y: int = -1
    x: int = -1
    show: str = "clean"
    range: str = "layer"

    @property
    def level(self) -> str:
        if self.layer:
            return "channel" if self.channel >= 0 else "layer"
        return "block" if self.block else "overview"


def view_titles() -> dict[str, str]:
    return {"clean": _("without bars"), "covered": _("with bars"), "difference": _("difference")}


# -- names ----------------------------------------------------------------------------------------------------


def names(structure: Structure) -> dict[str, Any]:
    """The blocks and layers of a network in words, for the script: see static/js/laboratory/xray-text.js."""
    return {
        "blocks": [
            {
                "name": block,
                "title": spoken(block),
                "layers": [
                    {
                        "name": name,
                        "title": own_part(name),
                        "full": spoken(name),
                        "shape": list(structure.layer(name).shape),
                    }
                    for name in layers
                ],
            }
            for block, layers in blocks(structure).items()
        ]
    }


def own_part(name: str) -> str:
    """A layer's name inside its block: ``convolution 1``."""
    return spoken(name.rpartition("/")[2])


def shape_text(shape: Sequence[int]) -> str:
    """``128 maps of 16 × 16``, ``100 numbers``."""
    channels, height, width = shape
    if height * width == 1:
        return ngettext("%(channels)s number", "%(channels)s numbers", channels) % {"channels": channels}
    return ngettext(
        "%(channels)s map of %(height)s × %(width)s", "%(channels)s maps of %(height)s × %(width)s", channels
    ) % {"channels": channels, "height": height, "width": width}


# -- numbers --------------------------------------------------------------------------------------------------


def digits_for(scale: float) -> int:
    """How many digits after the point say something on this scale: three figures of its largest numbers, 2 to 6."""
    # "%e" rounds as it writes, so that 9.99 and 10 are told apart as the scale itself was.
    exponent = int(f"{scale:e}".partition("e")[2])
    return min(6, max(2, 2 - exponent))


def written(value: float, digits: int) -> str:
    """With a true minus sign."""
    return number_format(round(float(value), digits), digits).replace("-", "\N{MINUS SIGN}")


def change_text(change: float | None) -> str:
    return "\N{EN DASH}" if change is None else written(change, 2)


def share_text(share: float) -> str:
    rounded = round(100 * share, 1)
    return _("%(percent)s%%") % {"percent": number_format(rounded, 0 if rounded.is_integer() else 1)}


def range_text(found: Mapping[str, float], digits: int) -> str:
    """``from −1.2 to 3.4, mean 0.1; 62% zero``."""
    text = _("from %(low)s to %(high)s, mean %(mean)s") % {
        "low": written(found["minimum"], digits),
        "high": written(found["maximum"], digits),
        "mean": written(found["mean"], digits),
    }
    if not found["zeros"]:
        return text
    return _("%(range)s; %(percent)s zero") % {"range": text, "percent": share_text(found["zeros"])}


def changed_text(change: float | None) -> str:
    if change is None:
        return _("zero without the bars, and not with them")
    if change == 0:
        return _("the same with and without the bars")
    return _("changed by %(change)s of its size under the bars") % {"change": change_text(change)}


def where_alike(found: Sequence[Mapping[str, Any]]) -> str:
    """Where the two runs become alike, or that they never do: one sentence about the blocks of meta.json."""
    known = [block for block in found if block["change"] is not None]
    if len(known) < 3:
        return ""
    if all(block["change"] == 0 for block in known):
        return _("The bars change nothing that this network sees.")
    picture, *inside = known
    answer = inside[-1]
    first = len(inside)
    while first and inside[first - 1]["change"] < ALIKE:
        first -= 1
    if first < len(inside):
        return _(
            "From %(block)s on, the two runs differ by less than a tenth of their size; at the end by %(end)s."
        ) % {"block": spoken(inside[first]["name"]), "end": change_text(answer["change"])}
    ordered = sorted(inside[:-1], key=lambda block: block["change"])
    least, most = ordered[0], ordered[-1]
    return _(
        "The two runs never become alike: the picture differs by %(picture)s of its size, %(most)s most (%(high)s), "
        "%(least)s least (%(low)s), the answer by %(end)s."
    ) % {
        "picture": change_text(picture["change"]),
        "most": spoken(most["name"]),
        "high": change_text(most["change"]),
        "least": spoken(least["name"]),
        "low": change_text(least["change"]),
        "end": change_text(answer["change"]),
    }


# -- tables ---------------------------------------------------------------------------------------------------


def rows(found: Mapping[str, Any], layers: Sequence[str]) -> list[dict[str, Any]]:
    """Layers of meta.json as rows: title, shape, range, scale, change, and where their strip lies."""
    by_name = {layer["name"]: layer for layer in found["layers"]}
    made = []
    for name in layers:
        layer = by_name[name]
        digits = digits_for(layer["scale"])
        made.append(
            {
                "name": name,
                "title": spoken(name),
                "shape": shape_text(layer["shape"]),
                "range": range_text(layer["statistics"]["clean"], digits),
                "scale": written(layer["scale"], 1 if layer["scale"] >= 1 else 3),
                "change": change_text(layer["change"]) if found["covered"] else "",
                "strip": f"strips/{name.replace('/', '.')}.png",
                "width": strip_width(layer),
            }
        )
    return made


def strip_width(layer: Mapping[str, Any]) -> int:
    return len(layer["strongest"]) * (layer["shape"][2] + 1) - 1


def statistics_table(found: Mapping[str, Mapping[str, float]], digits: int) -> list[tuple[str, list[str]]]:
    """A row for each number, a column for each view."""
    titles = (
        ("minimum", _("smallest")),
        ("maximum", _("largest")),
        ("mean", _("mean")),
        ("deviation", _("standard deviation")),
    )
    made = [(title, [written(one[key], digits) for one in found.values()]) for key, title in titles]
    return [*made, (_("zeros"), [share_text(one["zeros"]) for one in found.values()])]
