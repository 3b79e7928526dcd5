"""Lesson 3: what a layer does with many channels, why ReLU, and what pooling keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from learn import subjects
from learn.figures.layer_names import spoken
from learn.lessons import Guess, Lesson, Task
from ml.artifact import ArtifactError
from ml.explain.graph_file import Layer
from ml.explain.structure import Structure, structure

# Of a and b. No layer by itself has weights that make 0, 1, 1, 0 of them.
PAIRS = ((0, 0), (1, 0), (0, 1), (1, 1))


def context() -> dict[str, Any]:
    """The layers that the lesson speaks of, those of the first network with a max pooling, and their numbers."""
    networks = [structure(card.name) for card in subjects.cards()]
    plan = next((found for of in networks if (found := _plan(of))), None)
    return {
        "plan": plan,
        "relu_last": _titles(of for of in networks if not of.pre_activation),
        "relu_first": _titles(of for of in networks if of.pre_activation),
        "bends": [_bend(a, b) for a, b in PAIRS],
        "zeros": _zeros(plan),
        "moved": MOVED,
    }


def _titles(networks: Iterable[Structure]) -> list[str]:
    return [of.card.title for of in networks]


def _plan(of: Structure) -> dict[str, Any] | None:
    """Where the figures open and what the text says of ``of``; None for a network without a max pooling."""
    pool = next((layer for layer in of.layers if layer.kind == "max_pool"), None)
    if pool is None:
        return None
    reads = {name: of.layer(of.layer(name).inputs[0]) for name in of.convolutions}
    mixing = of.layer(next(name for name, source in reads.items() if source.kind != "input"))
    relu = of.layer(pool.inputs[0])
    end = next((layer for layer in of.layers if layer.kind == "average_pool"), None)
    return {
        "title": of.card.title,
        "layer": spoken(mixing.name),
        "inputs": reads[mixing.name].shape[0],
        "weights": _weights(mixing, reads[mixing.name]),
        "kernels": mixing.shape[0],
        "all": mixing.shape[0] * _weights(mixing, reads[mixing.name]),
        "deepest": max(_weights(of.layer(name), source) for name, source in reads.items()),
        "relu": spoken(relu.name),
        "below": _below(of, relu),
        "side": relu.shape[1],
        "pooled_side": pool.shape[1],
        "end": end and {"side": end.kernel, "channels": end.shape[0]},
        # Near a corner, where padding counts for little and no task is solved yet on most pictures.
        "sum_query": _query(of, mixing, y=1, x=1),
        "maps_query": _query(of, relu),
        "pool_query": _query(of, pool, y=0, x=0),
    }


def _weights(layer: Layer, source: Layer) -> int:
    """How many weights one kernel of a convolution has."""
    return layer.kernel**2 * source.shape[0]


def _query(of: Structure, layer: Layer, **place: int) -> str:
    return urlencode({"network": of.card.name, "layer": layer.name, **place})


def _below(of: Structure, relu: Layer) -> dict[str, int] | None:
    """In how many channels the mean that batch normalisation learned just before ``relu`` lies below zero."""
    source = of.layer(relu.inputs[0])
    if source.kind != "batch_normalisation":
        return None
    try:
        means = of.normalisation(source.name).beta
    except ArtifactError:
        return None
    return {"count": int((means < 0).sum()), "of": len(means)}


def _bend(a: int, b: int) -> dict[str, int]:
    """Two small layers with a ReLU between them, on two numbers."""
    p, q = max(a - b, 0), max(b - a, 0)
    return {"a": a, "b": b, "p": p, "q": q, "sum": p + q}


def _zeros(plan: dict[str, Any] | None) -> Guess:
    """The guess before the maps of a ReLU: how many of their numbers are zero."""
    question: str | Promise = _("How many of the numbers that a ReLU early in a network gives are zero?")
    answer: str | Promise = _("Most of them: before it most channels lie below zero.")
    if plan:
        question = _("How many of the numbers that “%(relu)s” of %(title)s gives are zero?") % plan
    if plan and plan["below"]:
        answer = (
            _(
                "Most of them. Batch normalisation gives each channel a mean that training has chosen, its beta, and "
                "in %(count)s of the %(of)s channels here it lies below zero."
            )
            % plan["below"]
        )
    return Guess(
        key="zeros",
        question=question,
        choices=(("few", _("Hardly any.")), ("some", _("About one in four.")), ("most", _("Most of them."))),
        right="most",
        answer=answer,
    )


MOVED = Guess(
    key="moved",
    question=_(
        "The picture moves by one pixel to the side. How many of the numbers above zero behind the first max pooling "
        "come out the same?"
    ),
    choices=(
        ("nearly", _("Nearly all: that is what pooling is for.")),
        ("third", _("About one in three.")),
        ("none", _("None.")),
    ),
    right="third",
    answer=_(
        "A window now reads two of its four numbers again and two new ones, six in all. The same number comes out only "
        "where the largest of the six is one of the two that were there before and after: about one time in three. "
        "Zeros mostly stay zero."
    ),
)

lesson = Lesson(
    slug="feature-maps",
    formerly=("channels",),
    number=3,
    title=_("Many channels, ReLU and pooling"),
    summary=_(
        "How one number comes of hundreds of products, why most of them end at zero, and what is kept of four."
    ),
    aim=_(
        "take any number of a network apart, say why there must be a bend between two layers, and what pooling loses."
    ),
    order=103,
    template="learn/lessons/feature_maps.html",
    minutes=20,
    context=context,
    tasks=(
        Task(
            key="outvoted",
            title=_("Outvoted"),
            text=_(
                "In a convolution that reads maps, find a cell to which more input channels add than take away, whose "
                "sum is below zero all the same, and which ReLU cuts to zero."
            ),
            hint=_(
                "How many add and how many take away stands above the table. Look where the map of the cell is pale "
                "red, and in other channels: some have no such cell, many have dozens."
            ),
            reason=_(
                "A sum does not count heads. A few channels that take away much outweigh many that add a little."
            ),
            solution=_(
                "In the layer that the figure opens with, go through the channels and hold cells where the map is "
                "pale red, until more channels add than take away, the sum is below zero, and the ReLU under “After” "
                "gives 0."
            ),
        ),
        Task(
            key="single",
            title=_("One among many"),
            text=_(
                "Again in a convolution that reads maps, find a cell of which one input channel alone makes up at "
                "least a quarter of all that is added or taken away."
            ),
            hint=_(
                "The share of the first channel stands above the table. Early layers read fewer channels than late "
                "ones, and where their maps are mostly zero, few of them have a say."
            ),
            reason=_(
                "Such a cell hangs on one map. Most do not: in late layers hundreds of channels give a little each, "
                "and what one of them is for cannot be told from it alone."
            ),
            # xgettext:no-python-format
            solution=_(
                "In the layer that the figure opens with, move over the map, read the share of the first channel "
                "above the table, and hold a cell where it is 25% or more."
            ),
        ),
        Task(
            key="below",
            title=_("Below zero, and yet it passes"),
            text=_(
                "Find a cell of a convolution whose sum is below zero and which ReLU lets pass nevertheless. Choose a "
                "convolution behind which no shortcut is added."
            ),
            hint=_(
                "Read the steps under “After”. A positive shift lifts the sum, so look for a channel that has one, "
                "and in it for a cell that is only a little below zero."
            ),
            reason=_(
                "ReLU cuts at zero, but batch normalisation comes before it and decides for each channel which sum "
                "becomes zero. So every channel has a threshold of its own, and training finds it."
            ),
            solution=_(
                "Choose a channel to which “After” adds a positive shift, and in it hold a cell whose sum is so "
                "little below zero that the ReLU leaves something."
            ),
        ),
        Task(
            key="corner",
            title=_("The lower right of four"),
            text=_(
                "In a max pooling, find a cell whose largest number stood at the lower right of its window, and whose "
                "window held at least one more number above zero."
            ),
            hint=_("The four numbers are drawn as they lie in the window; the largest has a frame."),
            reason=_(
                "Only the largest goes on. That it stood at the lower right, and that there was another one, no later "
                "layer can find out."
            ),
            solution=_(
                "Move over the map until the lower right one of the four numbers has the frame and another of them is "
                "above zero, and hold that cell."
            ),
        ),
        Task(
            key="nothing",
            title=_("Why is it zero?"),
            text=_(
                "Find a cell of the max pooling that is exactly zero. Go back to the convolution that it comes from, "
                "and there to that one of the four cells that came closest to passing."
            ),
            hint=_(
                "“Take apart where it comes from” leads to one of the four; the other three lie beside it, to the "
                "right and below. “After” says what number each brings to the ReLU: the largest came closest."
            ),
            reason=_(
                "A zero behind the pooling says that ReLU had cut all four. By how much each of them missed was lost "
                "there, and not in the pooling."
            ),
            solution=_(
                "Hold a white cell and press “Take apart where it comes from”. Read under “After” what reaches the "
                "ReLU in this cell, in the one to its right and in the two below these, and stay at the largest."
            ),
        ),
        Task(
            key="average",
            title=_("An average of little"),
            text=_(
                "In the average pooling at the end of a network, find a channel whose average is above zero though at "
                "most one in eight of its places is above zero."
            ),
            hint=_(
                "It is the last layer in the list. It has one cell for each channel, so that only the channel is left "
                "to choose: try the numbers one after another."
            ),
            reason=_(
                "One place with a strong answer gives the same average as many with a weak one. How much there is in "
                "all goes on to the scores, and no longer where."
            ),
            solution=_(
                "Choose the last layer in the list and go through its channels until one or two of the 16 places are "
                "above zero, and no more."
            ),
        ),
    ),
)
