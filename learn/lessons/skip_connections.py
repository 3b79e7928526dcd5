"""Lesson 7: why very deep plain networks fail to learn, and what a shortcut changes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures import skip
from learn.figures.skip import Runs
from learn.lessons import Guess, Lesson, Task

POWER_BASE = 1.2
"""What the text multiplies with itself."""


def context() -> dict[str, Any]:
    """The measured networks, the deepest and the shallowest of them, and a small sum of powers."""
    runs = skip.load()
    return {
        "measured": _measured(runs) if runs else None,
        "powers": [{"layers": layers, "value": POWER_BASE**layers} for layers in (10, 50)],
        "deeper": DEEPER,
        "weights": WEIGHTS,
    }


def _measured(runs: Runs) -> dict[str, Any]:
    shallow, deep = runs.depths[0], runs.depths[-1]
    return {
        "pictures": runs.content["study"]["pictures"],
        "epochs": runs.content["study"]["epochs"],
        "shallow": shallow,
        "first": f"depth={shallow}",
        "deep": deep,
        "plain_spread": skip.written(runs.spread("plain", deep, "start")),
        "residual_spread": skip.written(runs.spread("residual", deep, "start")),
    }


DEEPER = Guess(
    key="deeper",
    question=_(
        "Two plain networks, 20 and 56 layers deep, learn from the same pictures for equally long. Which "
        "of them is right about more of its own training pictures in the end?"
    ),
    choices=(
        ("deep", _("The deeper one: it has more weights to learn them by heart with.")),
        ("same", _("Both alike.")),
        ("shallow", _("The shallower one.")),
    ),
    right="shallow",
    answer=_(
        "The shallower one. It cannot be overfitting, since that would show on new pictures "
        "and not on those it was trained on. The deeper one could do whatever the shallower one does, but "
        "training does not find it."
    ),
)

WEIGHTS = Guess(
    key="weights",
    question=_("How many weights does a shortcut add to a block that gives as many channels as it takes?"),
    choices=(
        ("many", _("As many as a convolution.")),
        ("few", _("One for each channel.")),
        ("none", _("None.")),
    ),
    right="none",
    answer=_(
        "None at all. What went in is added to what came out, number by number. It costs one addition each."
    ),
)

lesson = Lesson(
    slug="skip-connections",
    number=7,
    title=_("Skip connections"),
    summary=_("Why more layers made networks worse, and how adding the input to the output mended it."),
    aim=_("say why a deep plain network hardly learns, what a residual block computes, and why that helps."),
    order=107,
    template="learn/lessons/skip_connections.html",
    minutes=12,
    context=context,
    tasks=(
        Task(
            key="explodes",
            title=_("Where it gets out of hand"),
            text=_(
                "Take the deepest networks before their first step. Going from the last convolution to the "
                "first, find the one at which the plain network’s gradient is at least ten times that of "
                "the last convolution for the first time."
            ),
            hint=_(
                "Move the slider from the right end to the left and read the ratio in the sentence below the plots."
            ),
            reason=_(
                "From there to the first layer it goes on growing. Every layer multiplies what comes back by a little "
                "more than one, and a product of many such numbers grows without end. Batch normalisation does not "
                "prevent it: before the first step it even makes the gradient grow on the way back (Yang and others, "
                "2019)."
            ),
            solution=_(
                "Choose the greatest depth and the gradients before the first step. Move the slider to its right end, "
                "and then to the left until the ratio of the plain network is 10 or more for the first time."
            ),
        ),
        Task(
            key="calm",
            title=_("Deep enough, and calm"),
            text=_(
                "Choose a depth, not the smallest one, at which the plain network’s largest gradient "
                "before the first step is less than twenty times its smallest."
            ),
            hint=_("The table has a column for it. Then choose that depth above the plots."),
            reason=_(
                "One learning rate has to do for all layers. As long as their gradients are of similar "
                "size, there is one that suits them all. Some fifteen or twenty layers were the limit "
                "before shortcuts."
            ),
            solution=_(
                "The gradients before the first step, and the second smallest depth: in the table its largest "
                "gradient is less than twenty times its smallest."
            ),
        ),
        Task(
            key="worse",
            title=_("Deeper and worse"),
            text=_(
                "Choose a depth at which the plain network was right about fewer of its training pictures "
                "than a shallower plain one, while with shortcuts it did better than the plain one of the "
                "same depth."
            ),
            hint=_(
                "Compare the broken lines of the second plot, or the column “Training pictures” of the table."
            ),
            reason=_(
                "This is what K. He and others called degradation. They showed that it is no overfitting, and "
                "that shortcuts mend it: the block can begin by doing nothing, and then learns what to add. In "
                "the few epochs here the deepest network with shortcuts, too, is behind the shallow ones. But it "
                "has begun to learn, and the plain one of its depth hardly has."
            ),
            solution=_("Any depth but the smallest."),
        ),
    ),
)
