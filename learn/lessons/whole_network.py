"""Lesson 4: one picture's way through a whole network."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures.layer_names import titled
from learn.lessons import Guess, Lesson, Task
from ml.artifact import Card, cards


def context() -> dict[str, Any]:
    """The plan of the first network, read from its card."""
    card = next(iter(cards()), None)
    blocks = _blocks(card) if card else []
    return {
        "card": card,
        "blocks": blocks,
        "first": blocks[0] if blocks else None,
        "last": blocks[-1] if blocks else None,
        "convolutions": sum(block["convolutions"] for block in blocks),
        "left": _left(card, blocks),
        "weights": _weights(card),
    }


def _blocks(card: Card) -> list[dict[str, Any]]:
    """What each part of the network that ends in maps hands on: title, shape, convolutions and parameters."""
    found: dict[str, dict[str, Any]] = {}
    for layer in card.layers:
        if len(layer["shape"]) != 3:
            continue
        name = layer["name"].partition("/")[0]
        block = found.setdefault(name, {"title": titled(name), "convolutions": 0, "parameters": 0})
        block["side"], _width, block["channels"] = layer["shape"]
        block["parameters"] += layer["parameters"]
        if layer["kind"] == "Conv2D":
            block["convolutions"] += 1
            # What pooling leaves belongs to what comes next.
            block["work_side"], block["work_channels"] = layer["shape"][0], layer["shape"][2]
    return [block for block in found.values() if block["convolutions"]]


def _left(card: Card | None, blocks: list[dict[str, Any]]) -> Guess:
    """The first guess, with the sides that this network has."""
    side = blocks[-1]["work_side"] if blocks else 4
    choices = sorted({side, 2 * side, 4 * side, 1})
    return Guess(
        key="left",
        question=_("32 rows of pixels go into %(title)s. How many rows does its last convolution write?")
        % {"title": card.title if card else _("a network")},
        choices=tuple((str(one), str(one)) for one in choices),
        right=str(side),
        answer=_(
            "%(side)s: pooling halves rows and columns, so a quarter of the places is left each time. Each time there "
            "are twice as many channels, so half of the numbers remain."
        )
        % {"side": side},
    )


def _weights(card: Card | None) -> Guess:
    return Guess(
        key="weights",
        question=_("Where does %(title)s keep most of its weights?")
        % {"title": card.title if card else _("a network")},
        choices=(
            ("early", _("In the first block, where the maps are largest.")),
            ("even", _("In all blocks alike.")),
            ("late", _("In the last block, where the maps are smallest.")),
        ),
        right="late",
        answer=_(
            "A kernel has weights for every channel that it reads, and there is a kernel for every channel that it "
            "makes. Twice as many of both is four times the weights; how large the maps are plays no part in it."
        ),
    )


lesson = Lesson(
    slug="whole-network",
    number=4,
    title=_("A whole network on your own picture"),
    summary=_("Follow one picture from its pixels to the last maps, and see what each block makes of it."),
    aim=_(
        "say what goes in and out of each block of a network, and find the place where something is decided."
    ),
    order=104,
    template="learn/lessons/whole_network.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="eight",
            title=_("Eight by eight"),
            text=_("Go to a layer whose maps have 8 rows of 8 squares."),
            hint=_(
                "Choose a layer in the list “Layer”; the size of its maps stands with it. Where they are too large, "
                "take one further down the list."
            ),
            reason=_(
                "Each of these squares stands for 4 × 4 pixels of the picture, and it has looked at far more than "
                "those: what lies under its kernels, under theirs, and so on. That is its receptive field."
            ),
            solution=_(
                "In the first network of the figure choose the first convolution of block 3 under “Layer”."
            ),
        ),
        Task(
            key="strongest",
            title=_("The strongest channel at the end"),
            text=_(
                "In a network open the last layer that still has maps, and in it the channel with the strongest map."
            ),
            hint=_(
                "Maps stand by their strength, the root mean square of their numbers: the first one is the strongest."
            ),
            reason=_(
                "What it stands for has no name, and no channel decides alone: the answer is weighed from all of them. "
                "Choose another picture, and another one may be the strongest."
            ),
            solution=_(
                "Under “Layer” choose the last layer of the last block, and open the first of its maps: they stand in "
                "the order of their strength."
            ),
        ),
        Task(
            key="differ",
            title=_("Where the black bar changes most"),
            text=_(
                "Choose “difference” on top of the figure. Beside each row a line is drawn, as long as the change that "
                "the black bar made there. Find the longest one of one network, and open its row."
            ),
            hint=_(
                "In the overview of all networks each row has such a line: the size of the difference as a share of "
                "what was there without the black bar."
            ),
            reason=_(
                "A black bar changes only some pixels, and each block spreads that, weakens it or makes it larger. "
                "Where little of it is left at the end, the answer usually stays; where it has grown, it may tip."
            ),
            solution=_(
                "Choose “difference”, go to the overview, compare the lines beside the rows of one network, and click "
                "the row with the longest."
            ),
        ),
    ),
)
