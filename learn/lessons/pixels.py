"""Lesson 1: a picture is numbers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures.pixels import CHANNELS, LARGEST
from learn.lessons import Guess, Lesson, Task
from learn.templatetags.learn_format import grouped
from ml.artifact import Card, cards

SIDE = 32
"""Rows of the pictures that the text tells of while no network is there."""


def context() -> dict[str, Any]:
    """How large the pictures of the first network are, and what it does to their numbers, as its card says."""
    card = next(iter(cards()), None)
    side = card.size if card else SIDE
    return {
        "card": card,
        "side": side,
        "numbers": len(CHANNELS) * side * side,
        "norms": _norms(card) if card else [],
        "count": _count(side),
        "white": WHITE,
        "again": AGAIN,
    }


def _norms(card: Card) -> list[dict[str, Any]]:
    """Mean and deviation of each channel in steps from 0 to 255, and what becomes of both ends."""
    how = card.preprocessing
    return [
        {
            "channel": title,
            "mean": LARGEST * mean,
            "spread": LARGEST * spread,
            "black": -mean / spread,
            "white": (1 - mean) / spread,
        }
        for title, mean, spread in zip(CHANNELS.values(), how.mean, how.std, strict=True)
    ]


def _count(side: int) -> Guess:
    """The first guess, with the size that the networks have."""
    pixels = side * side
    choices = (pixels, len(CHANNELS) * pixels, (LARGEST + 1) * pixels)
    values = {"side": side, "pixels": grouped(pixels), "numbers": grouped(len(CHANNELS) * pixels)}
    return Guess(
        key="count",
        question=_("A picture in colour has %(side)s rows of %(side)s pixels. How many numbers is that?")
        % values,
        choices=tuple((str(number), grouped(number)) for number in choices),
        right=str(len(CHANNELS) * pixels),
        answer=_(
            "%(side)s × %(side)s = %(pixels)s pixels with three numbers each: %(numbers)s numbers. A photograph from a "
            "phone has millions of pixels, so most of it is gone before a network begins."
        )
        % values,
    )


WHITE = Guess(
    key="white",
    question=_(
        "A ripe tomato lies on a white plate. Which of the two is brighter in the red channel, drawn in grey?"
    ),
    choices=(
        ("tomato", _("The tomato.")),
        ("plate", _("The plate, or both are alike.")),
        ("neither", _("Neither: in grey one cannot tell.")),
    ),
    right="plate",
    answer=_(
        "White is as much red, green and blue as there is, so its red number is at the top already. The tomato differs "
        "from the plate by the green and blue that it lacks; in those channels it is dark."
    ),
)

AGAIN = Guess(
    key="again",
    question=_(
        "100 is added to every number of a picture, and then 100 is taken away from every number. What is the picture "
        "like?"
    ),
    choices=(
        ("same", _("As it was before.")),
        ("dark", _("Darker all over.")),
        ("flat", _("As before where it was dark; flat where it was bright.")),
    ),
    right="flat",
    answer=_(
        "Everything above 155 goes to 255 and comes back as 155. Whatever differed among those pixels is gone; all "
        "others come back as they were."
    ),
)

lesson = Lesson(
    slug="pixels",
    number=1,
    title=_("A picture is numbers"),
    summary=_("What a network is given in place of your picture, and how much of that can be left out."),
    aim=_(
        "say what a pixel and a channel are, read a colour from three numbers, and reckon how much a picture takes."
    ),
    order=101,
    template="learn/lessons/pixels.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="redder",
            title=_("Something red"),
            text=_(
                "Find a pixel whose red number is at least 60 above its green number, and at least 60 above its blue "
                "number. Click or tap on it, so that it stays chosen."
            ),
            hint=_(
                "Look for what you would call red. Bright is not enough: in a white pixel all three numbers are large."
            ),
            reason=_(
                "What makes it red is not how large the red number is but how far it stands above the others. Red in "
                "the shade has small numbers, and is red all the same."
            ),
            solution=_(
                "On the first sample picture click the red skin of the apple, away from its yellow streaks and its "
                "highlights."
            ),
        ),
        Task(
            key="grey",
            title=_("Much red, and not red"),
            text=_(
                "Find a pixel whose red number is at least 150 and that is grey or white: its three numbers are at "
                "most 30 apart."
            ),
            hint=_(
                "It is about equally bright in all three channels. If nothing in this picture is, choose another "
                "picture."
            ),
            reason=_(
                "In the red channel alone you could not tell this pixel from a red one. Only the other two channels "
                "say that it is grey."
            ),
            solution=_(
                "On the first sample picture click the grey wall behind the apple, with all three channels switched "
                "on."
            ),
        ),
        Task(
            key="thousand",
            title=_("A thousand bits"),
            text=_("Bring the picture below 1,000 bits, and keep at least 16 rows."),
            hint=_(
                "Multiply rows, columns, channels and the bits of each number. 16 × 16 is 256; how often may you take "
                "that?"
            ),
            reason=_(
                "Half as many rows and columns leave a quarter of the numbers, so rows save most. Steps save less than "
                "one expects: from 256 steps to 16 only half of the bits go. That is also why 256 steps are not "
                "extravagant."
            ),
            solution=_(
                "16 rows, 2 steps and all three channels: 16 × 16 × 3 numbers of one bit each are 768 bits."
            ),
        ),
        Task(
            key="half",
            title=_("Lose half of it"),
            text=_(
                "Find a number, above or below 0, that cuts off at least half of all numbers when it is added. Take "
                "one as close to 0 as you can; 10 too far is near enough."
            ),
            hint=_(
                "A sentence in the figure says how many are cut off. Try one side of 0 first, and then whether the "
                "other one needs less: is the picture rather bright or rather dark?"
            ),
            reason=_(
                "Half of the numbers lie above a certain number, which is called the median, and half below it. As "
                "soon as that one is pushed over the end, half is lost. In a bright picture it is close to the upper "
                "end, in a dark one to the lower."
            ),
            solution=_(
                "Raise the number from 0 until the sentence in the figure says that half of all numbers are cut off. "
                "Lower it from 0 in the same way, and keep the one of the two that is closer to 0."
            ),
        ),
    ),
)
