"""Lesson 9: overfitting, augmentation, and CutMix by hand."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures import cutmix_runs
from learn.lessons import Guess, Lesson, Task
from ml.artifact import cards


def context() -> dict[str, Any]:
    """How many weights there are for how few pictures, what the recipes say, and the runs with and without CutMix."""
    known = cards()
    return {
        "cards": known,
        "pictures": next((card.training.get("pictures") for card in known), None),
        "cutmix": next((card for card in known if card.training.get("recipe", {}).get("cutmix")), None),
        "runs": cutmix_runs.found(known),
        "by_heart": BY_HEART,
        "between": BETWEEN,
    }


BY_HEART = Guess(
    key="by-heart",
    question=_(
        "Researchers gave every training picture a label drawn by lot: a frog was called a lorry, the next "
        "frog a ship. Can an ordinary network be trained until it has all of them right?"
    ),
    choices=(
        ("no", _("No: there is nothing to find, so it does no better than chance.")),
        ("some", _("In part: it gets those right that happen to fit.")),
        ("yes", _("Yes, every one.")),
    ),
    right="yes",
    answer=_(
        "It learns them by heart, all 50,000 of them in the experiment of Zhang and others (2017). On new "
        "pictures it is then exactly as good as chance. A network that is right about its training "
        "pictures has shown nothing yet."
    ),
)

BETWEEN = Guess(
    key="between",
    question=_(
        "A quarter of a picture of an apple is replaced by the same quarter of a picture of a clock. What does a "
        "network say that was trained on such mixtures?"
    ),
    choices=(
        ("sure", _("Apple, almost for certain: there is more of it.")),
        ("shares", _("Apple and clock, roughly three to one.")),
        ("depends", _("It depends on where the rectangle lies.")),
    ),
    right="depends",
    answer=_(
        "Training asks for three to one, wherever the rectangle lies. But a network counts evidence, not "
        "pixels: the dial of the clock weighs more than the wall behind it. Try both places below."
    ),
)

lesson = Lesson(
    slug="cutmix",
    number=9,
    title=_("Overfitting, augmentation and CutMix"),
    summary=_(
        "Why a network that knows its pictures by heart has learned nothing, and how mixing two pictures "
        "helps."
    ),
    aim=_(
        "say what overfitting is and how it shows, name three ways against it, and work out the right "
        "answer of a mixture."
    ),
    order=109,
    template="learn/lessons/cutmix.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="half",
            title=_("Fifty-fifty"),
            text=_("Choose a rectangle with which the right answer is exactly half one and half the other."),
            hint=_(
                "The picture has 32 rows of 32 pixels, 1,024 in all. How many must the rectangle have, and "
                "which two sides give that? With Shift and the arrow keys the sides change by one pixel."
            ),
            reason=_(
                "512 pixels, for example 16 rows of 32. A square cannot do it: the root of 512 is no whole "
                "number. That is why training counts the pixels of the rectangle it really cut, and does "
                "not trust the λ it drew."
            ),
            solution=_("16 rows and all 32 columns."),
        ),
        Task(
            key="usurp",
            title=_("A small part wins"),
            # xgettext:no-python-format
            text=_(
                "Have one of the networks name the class of the other picture although at most 40% of the pixels "
                "are of that picture. You may choose another picture."
            ),
            hint=_(
                "Take what is most telling of the other picture and cover with it what is most telling of "
                "the first. The rectangle has the same place in both."
            ),
            reason=_(
                "Pixels count alike in the mixed answer, but not in the picture: a dial says “clock” and a "
                "wall says nothing. The answer that training asks for is a rule of thumb, right on average, "
                "and often wrong in the single case."
            ),
            solution=_(
                "With the apple and the clock: a rectangle of 16 rows and 22 columns that begins in row 11, column 5."
            ),
        ),
        Task(
            key="neither",
            title=_("Neither of the two"),
            text=_("Find a mixture to which one of the networks gives an answer that is in neither picture."),
            hint=_(
                "Small rectangles in the middle of a thing break its shape. Try several, or draw some by "
                "chance."
            ),
            reason=_(
                "All hundred classes compete for every picture. Where the parts of one thing no longer fit "
                "together, a third may be nearest to what is left: new edges, the colours of one and the "
                "shape of the other."
            ),
            solution=_(
                "With the apple and the clock: a rectangle of 12 rows and 14 columns that begins in row 21, column 1."
            ),
        ),
        Task(
            key="shares",
            title=_("As it was taught"),
            text=_(
                "Find a mixture of which the smaller part has at least 15%, and for which one of the "
                "networks gives both classes within 20 percentage points of the right answer."
            ),
            hint=_(
                "If a network is too sure of one, give the other more of what is telling, not only more "
                "pixels. The bars show how far it is from the right answer. With some pairs of pictures it "
                "is easier than with others."
            ),
            reason=_(
                "This is what the loss asked of it thousands of times. It never learned to measure areas; "
                "it learned to be as sure as the evidence that is left allows."
            ),
            solution=_(
                "With the apple and the clock: a rectangle of 22 rows and 8 columns that begins in row 9, column 19."
            ),
        ),
    ),
)
