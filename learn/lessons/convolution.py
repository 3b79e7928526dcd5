"""Lesson 2: what a convolution is, with a kernel of one's own."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.lessons import Guess, Lesson, Task
from ml.artifact import Card, cards


def context() -> dict[str, Any]:
    """The first layer of the first network, so that the numbers of the text are those of a real one."""
    card = next(iter(cards()), None)
    return {"card": card, "layer": _first_convolution(card) if card else None, "flat": FLAT, "turned": TURNED}


def _first_convolution(card: Card) -> dict[str, Any] | None:
    layer = next((layer for layer in card.layers if layer["kind"] == "Conv2D"), None)
    if layer is None:
        return None
    rows, columns, channels = layer["shape"]
    return {
        "channels": channels,
        "weights": 9 * 3,
        "sums": rows * columns * channels,
        "products": rows * columns * channels * 9 * 3,
    }


FLAT = Guess(
    key="flat",
    question=_(
        "A kernel has weights 1, 2, 1 on the left, zeros in the middle and −1, −2, −1 on the right. What comes out "
        "where the picture has one brightness all over?"
    ),
    choices=(
        ("bright", _("The more the brighter it is.")),
        ("zero", _("Zero.")),
        ("four", _("Four times the brightness.")),
    ),
    right="zero",
    answer=_(
        "Left and right read the same, one with plus and one with minus, and cancel. Such a kernel does not see "
        "brightness at all, only how it changes from left to right."
    ),
)

TURNED = Guess(
    key="turned",
    question=_(
        "Here black is 0, and padding adds a ring of zeros round the picture. What does an edge kernel find there if "
        "the picture is bright up to its border?"
    ),
    choices=(
        ("nothing", _("Nothing: a zero adds nothing.")),
        ("edge", _("An edge, where there is none.")),
        ("copy", _("What is at the opposite border.")),
    ),
    right="edge",
    answer=_(
        "An edge: the step from black to bright is one like any other. Inside a network 0 is no longer black but “as "
        "usual”; even so, maps that are padded have a seam."
    ),
)

lesson = Lesson(
    slug="convolution",
    number=2,
    title=_("Convolution"),
    summary=_(
        "Nine numbers, laid on every place of a picture: how a kernel finds an edge, and what it cannot see."
    ),
    aim=_(
        "say what a convolution computes, write a kernel for a purpose, and predict the size of what comes out."
    ),
    order=102,
    template="learn/lessons/convolution.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="horizontal",
            title=_("Horizontal edges"),
            text=_(
                "Make a kernel that finds edges between above and below, and is blind to those between left and right "
                "and to even brightness."
            ),
            hint=_("“Vertical edges” does the same in the other direction. Turn it by 90°, or type it anew."),
            reason=_(
                "Plus above, minus below: even brightness cancels, and so does any change from left to right, since it "
                "is the same above and below. Only a change on the way down is left."
            ),
            solution=_(
                "Press “Turn by 90°” while the kernel is still the one for vertical edges, or type 1, 1, 1, three "
                "zeros, and −1, −1, −1."
            ),
        ),
        Task(
            key="soften",
            title=_("Soften, and change nothing else"),
            text=_(
                "Make a kernel that softens the picture and leaves even areas exactly as bright as they are. No weight "
                "may be negative or larger than 0.3."
            ),
            hint=_(
                "In an even area the sum is the brightness times the sum of all weights. What must that sum be?"
            ),
            reason=_(
                "Weights that are positive and add up to 1 make a mean. An even area stays, and whatever is finer than "
                "the kernel is mixed with its neighbours. “Mean of the neighbours” adds up to 0.999; did you notice?"
            ),
            solution=_(
                "Type 0.2 in the middle and 0.1 in the other eight places: together that is exactly 1."
            ),
        ),
        Task(
            key="halve",
            title=_("Half as many rows"),
            text=_(
                "Choose stride, padding and dilation so that half as many rows come out as the picture has."
            ),
            hint=_("The formula below the table says how many rows come out. Begin with the stride."),
            reason=_(
                "A stride of 2 leaves out every other place. Some networks shrink their maps like this; others "
                "take the largest of each four instead."
            ),
            solution=_("Stride 2, padding 1 and dilation 1."),
        ),
        Task(
            key="wide",
            title=_("A wider look, the same size"),
            text=_("Now let as many rows come out as go in, with a kernel that covers five rows."),
            hint=_(
                "Dilation pulls the nine weights apart. Then the padding has to make up for what is lost."
            ),
            reason=_(
                "At a stride of 1, padding of half of what the kernel covers, rounded down, keeps the size. Two layers "
                "of ordinary kernels see five rows as well, with 18 weights instead of nine but no gaps: that is the "
                "usual way."
            ),
            solution=_("Stride 1, padding 2 and dilation 2."),
        ),
    ),
)
