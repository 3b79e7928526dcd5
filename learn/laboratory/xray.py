"""What every layer makes of the picture: from both networks to a block, to a layer, to a channel, to a number.

The address holds ``network``, ``block``, ``layer``, ``channel``, ``y`` and ``x`` (a cell of the layer's maps), ``show``
(clean, covered or difference) and ``range`` (layer, map or network: what the colours reach as far as). Without
``block`` and ``layer`` it is the overview of all networks, without ``channel`` the layer.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn import atlas, explanation_files, explanations
from learn.figures import xray as told
from learn.figures.layer_names import spoken
from learn.figures.xray import Place
from learn.laboratory import Figure, State, counted
from learn.laboratory_pages import query_with
from learn.models import Explanation
from learn.subjects import Subject
from ml.artifact import ArtifactError, Card
from ml.explain import archive
from ml.explain.atlas import KINDS as WITH_PLACES
from ml.explain.graph_file import Layer
from ml.explain.statistics import relative_change, statistics
from ml.explain.structure import Structure, structure
from ml.explain.trace import value
from ml.explain.xray import block_of, blocks
from predictions.jobs import Job

logger = logging.getLogger(__name__)

OWN_KEYS = ("network", "block", "layer", "channel", "y", "x", "show", "range")
STILL_SIDE = 192
"""Of a channel's still picture, in CSS pixels."""


@dataclass(frozen=True)
class Stored:
    """One network's X-ray as far as it is there. ``meta``: its meta.json; empty, and ``missing`` says why, when not."""

    card: Card
    meta: dict[str, Any]
    base: str = ""
    row: Explanation | None = None
    missing: str = ""
    can_ask: bool = False


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    structures = {card.name: structure(card.name) for card in subject.cards}
    place = _place(structures[state.card.name], subject, state)
    wanted = subject.cards if place.level == "overview" else [state.card]
    found = {card.name: _stored(subject, card) for card in wanted}
    return {
        "place": place,
        "names": {name: told.names(of) for name, of in structures.items()},
        "views": [(name, title, name != "clean") for name, title in told.view_titles().items()],
        "ranges": [
            ("layer", _("as far as this layer")),
            ("map", _("as far as each map")),
            ("network", _("as far as the whole network")),
        ],
        "trail": _trail(state, place, structures[state.card.name]),
        "atlas": atlas.for_script(subject.cards),
        "middles": _middles(state, structures[state.card.name]),
        "still": _still(subject, state, place, structures[state.card.name], found),
        "kept_here": [(key, text) for key, text in state.query.items() if key not in OWN_KEYS],
    }


# -- what the address asks for --------------------------------------------------------------------------------


def _place(of: Structure, subject: Subject, state: State) -> Place:
    layer = _layer(of, state)
    block = block_of(layer.name) if layer else _block(of, state)
    if layer is None:
        return Place(state.card.name, block, show=_show(subject, state), range=_range(state))
    channels, rows, columns = layer.shape
    return Place(
        state.card.name,
        block,
        layer.name,
        _number(state, "channel", channels),
        _number(state, "y", rows),
        _number(state, "x", columns),
        _show(subject, state),
        _range(state),
    )


def _layer(of: Structure, state: State) -> Layer | None:
    name = state.text("layer").strip()
    if not name:
        return None
    try:
        return of.layer(name)
    except KeyError:
        state.say(_("There is no layer “%(name)s” here. The overview is shown.") % {"name": name[:60]})
        return None


def _block(of: Structure, state: State) -> str:
    name = state.text("block").strip()
    if name and name not in blocks(of) and not state.text("layer").strip():
        state.say(_("There is no block “%(name)s” here. The overview is shown.") % {"name": name[:60]})
    return name if name in blocks(of) else ""


def _number(state: State, key: str, count: int) -> int:
    """A channel, row or column that exists, the nearest to what the address says; -1 where it says nothing."""
    text = state.text(key).strip()
    if not text:
        return -1
    number = state.whole(key, -1)
    if number is not None and -1 <= number < count:
        return number
    titles: dict[str, str | Promise] = {"channel": _("channel"), "y": _("row"), "x": _("column")}
    # Channels are numbered from 0 as in the files, rows and columns as people count.
    value = counted(text, number, 0 if key == "channel" else 1)
    state.say(
        _("There is no %(title)s “%(value)s” in this layer. The nearest one is shown.")
        % {"title": titles[key], "value": value}
    )
    return -1 if number is None else min(count - 1, max(0, number))


def _show(subject: Subject, state: State) -> str:
    text = state.text("show", "clean") or "clean"
    if text not in told.VIEWS:
        state.say(
            _("“%(value)s” is not to be seen here. The picture without bars is shown.") % {"value": text[:40]}
        )
    elif text != "clean" and not subject.covered:
        state.say(_("There are no bars on this picture. The whole picture is shown."))
    return text if text in told.VIEWS and (text == "clean" or subject.covered) else "clean"


def _range(state: State) -> str:
    text = state.text("range", "layer")
    return text if text in told.RANGES else "layer"


def _trail(state: State, place: Place, of: Structure) -> list[tuple[str, str]]:
    """The way to here as (query, title), from all networks down."""

    def to(**changes: str) -> str:
        kept = {
            key: text
            for key, text in state.query.items()
            if key not in ("block", "layer", "channel", "y", "x")
        }
        return query_with(kept, network=place.network, **changes)

    steps = [(to(), _("All networks"))]
    if place.block:
        steps.append((to(block=place.block), f"{state.card.title}, {spoken(place.block)}"))
    if place.layer and block_of(place.layer) != place.layer:
        steps.append((to(layer=place.layer), told.own_part(place.layer)))
    if place.channel >= 0:
        channel = channel_title(state.card, of.layer(place.layer).kind, place.channel)
        steps.append((to(layer=place.layer, channel=str(place.channel)), channel))
    return steps


def channel_title(card: Card, kind: str, channel: int) -> str:
    """``channel 17``, or the class that an output of the last layer stands for."""
    return _(card.label(channel)) if kind == "dense" else _("channel %(channel)s") % {"channel": channel}


def _middles(state: State, of: Structure) -> list[dict[str, Any]]:
    """The middle of the picture in the first and in the last layer that an atlas has: where to point first."""
    known = [layer for layer in of.layers if layer.kind in WITH_PLACES]
    places = [(layer, layer.shape[1] // 2, layer.shape[2] // 2) for layer in known[:1] + known[-1:]]
    return [
        {
            "query": _query(state, network=of.card.name, layer=layer.name, y=str(y), x=str(x)),
            "go": json.dumps({"network": of.card.name, "layer": layer.name, "channel": -1, "y": y, "x": x}),
        }
        for layer, y, x in places
    ]


# -- what is stored -------------------------------------------------------------------------------------------


def _stored(subject: Subject, card: Card) -> Stored:
    row = explanations.stored(subject, explanations.question(subject, card.name, "xray"))
    if row is None:
        return Stored(card, {}, missing=_("No X-ray of this picture was made yet."), can_ask=True)
    if row.status in (Job.Status.QUEUED, Job.Status.RUNNING):
        return Stored(card, {}, missing=_("The X-ray is being made. Look again in a moment."))
    if row.status != Job.Status.DONE:
        return Stored(card, {}, missing=str(row.error_sentence), can_ask=True)
    try:
        meta = json.loads(explanations.open_member(row, "meta.json"))
    except (OSError, ValueError) as error:
        logger.error("The X-ray %s cannot be read: %s", row.pk, error)
        return Stored(card, {}, missing=_("The X-ray cannot be read at the moment."), can_ask=True)
    base = reverse("learn:explanation-file", args=[row.pk, "x"]).removesuffix("x")
    return Stored(card, meta, base, row)


def _still(
    subject: Subject, state: State, place: Place, of: Structure, found: dict[str, Stored]
) -> dict[str, Any]:
    """What the page shows without scripts, for the level of the place."""
    networks = [_network(state, one) for one in found.values()]
    own = found[place.network]
    still: dict[str, Any] = {"networks": networks, "stored": own, "views": list(told.view_titles().items())}
    if not subject.covered:
        still["views"] = still["views"][:1]
    if not own.meta or place.level == "overview":
        return still
    if place.level == "block":
        names = blocks(of)[place.block]
        still["rows"] = _links(state, place.network, told.rows(own.meta, names))
        return still
    return still | _layer_still(subject, state, place, of, own)


def _network(state: State, found: Stored) -> dict[str, Any]:
    if not found.meta:
        return {"stored": found}
    by_name = {block["end"]: block for block in found.meta["blocks"]}
    made = told.rows(found.meta, list(by_name))
    for row in made:
        row["title"] = spoken(by_name[row["name"]]["name"])
        row["query"] = _query(state, network=found.card.name, block=by_name[row["name"]]["name"])
    says = told.where_alike(found.meta["blocks"]) if found.meta["covered"] else ""
    return {"stored": found, "rows": made, "says": says}


def _links(state: State, network: str, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in made:
        row["query"] = _query(state, network=network, layer=row["name"])
    return made


def _query(state: State, **changes: str) -> str:
    kept = {key: text for key, text in state.query.items() if key not in OWN_KEYS or key in ("show", "range")}
    return query_with(kept, **changes)


def _layer_still(subject: Subject, state: State, place: Place, of: Structure, own: Stored) -> dict[str, Any]:
    layer = next(layer for layer in own.meta["layers"] if layer["name"] == place.layer)
    digits = told.digits_for(layer["scale"])
    rows, columns = layer["shape"][1:]
    across = min(own.meta["columns"], layer["shape"][0])
    down = -(-layer["shape"][0] // across)
    still = {
        "layer": layer,
        "says": told.range_text(layer["statistics"][place.show], digits),
        "changed": told.changed_text(layer["change"]) if own.meta["covered"] else "",
        "title": spoken(place.layer),
        "shape": told.shape_text(layer["shape"]),
        "scale": told.written(layer["scale"], 1 if layer["scale"] >= 1 else 3),
        "table": told.statistics_table(layer["statistics"], digits),
        "member": archive.member_name(place.layer),
        "sheet": {"width": across * (columns + 1) - 1, "height": down * (rows + 1) - 1},
        "strongest": _channels(state, place, layer, "strongest"),
        "most_changed": _channels(state, place, layer, "changed"),
        "strip_width": told.strip_width(layer),
    }
    if place.channel >= 0:
        still["channel"] = _channel_still(subject, place, of, own, layer, digits)
    return still


def _channels(state: State, place: Place, layer: dict[str, Any], which: str) -> list[dict[str, Any]]:
    digits = told.digits_for(layer["scale"])
    return [
        {
            "title": channel_title(state.card, layer["kind"], int(channel)),
            "value": told.written(size, digits),
            "query": _query(state, network=place.network, layer=place.layer, channel=str(int(channel))),
        }
        for channel, size in layer[which]
    ]


def _channel_still(
    subject: Subject, place: Place, of: Structure, own: Stored, layer: dict[str, Any], digits: int
) -> dict[str, Any] | None:
    """One channel's numbers from the stored tensors, and where its map lies on the layer's sheet."""
    assert own.row is not None
    try:
        with explanation_files.open_file(own.row) as opened:
            sides = [side for side in ("clean", "covered") if side == "clean" or own.meta["covered"]]
            found = {s: value(of, archive.stored_trace(opened, s), place.layer)[place.channel] for s in sides}
            order = archive.from_npy(
                archive.read(opened, f"channels/{archive.member_name(place.layer)}.npy")
            )[0]
    except (OSError, KeyError, ValueError, ArtifactError) as error:
        logger.error("The X-ray %s cannot be read: %s", own.row.pk, error)
        return None
    if "covered" in found:
        found["difference"] = found["covered"] - found["clean"]
    clean = found["clean"]
    y, x = place.y, place.x
    if y < 0 or x < 0:
        y, x = divmod(int(abs(found[place.show]).argmax()), clean.shape[1])
    change = relative_change(clean, found["covered"]) if "covered" in found else 0.0
    numbers = {name: statistics(one).to_dict() for name, one in found.items()}
    return {
        "title": channel_title(own.card, layer["kind"], place.channel),
        "says": told.range_text(numbers["clean"], digits),
        "changed": told.changed_text(change if math.isfinite(change) else None) if "covered" in found else "",
        "table": told.statistics_table(numbers, digits),
        "row": y + 1,
        "column": x + 1,
        "values": [
            (told.view_titles()[name], told.written(float(one[y, x]), digits + told.MORE_DIGITS))
            for name, one in found.items()
        ],
        "excited": _excited(own.card, of, place, layer["scale"]),
        "map": _on_sheet(layer, own.meta["columns"], [int(one) for one in order].index(place.channel)),
    }


def _excited(card: Card, of: Structure, place: Place, scale: float) -> dict[str, Any]:
    """Where the site's sample pictures excite the channel most."""
    name, places = atlas.excited(card, of, place.layer, place.channel)
    digits = told.digits_for(scale)
    found = [{"place": one, "value": told.written(one.value, digits)} for one in places]
    return {"layer": spoken(name) if name else "", "places": found}


def _on_sheet(layer: dict[str, Any], columns: int, rank: int) -> dict[str, int]:
    """Where a map lies on its sheet, in pixels."""
    count, height, width = layer["shape"]
    across = min(columns, count)
    row, column = divmod(rank, across)
    return {
        "x": column * (width + 1),
        "y": row * (height + 1),
        "width": width,
        "height": height,
        "side": STILL_SIDE,
        "sheet_width": across * (width + 1) - 1,
        "sheet_height": -(-count // across) * (height + 1) - 1,
    }


figure = Figure(
    slug="xray",
    title=gettext_lazy("X-ray: what every layer makes of the picture"),
    short=gettext_lazy("X-ray"),
    summary=gettext_lazy(
        "Go from both networks to a block, to a layer, to a channel, to a single number, and see how much the bars "
        "change at each of them."
    ),
    order=10,
    template="learn/laboratory/xray.html",
    context=context,
)
