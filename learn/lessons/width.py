"""Lesson 8: what depth and width cost, counted and measured."""

from __future__ import annotations

from statistics import median
from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures import cost
from learn.figures.cost import REFERENCE, WHOLE, Measured, Network
from learn.figures.family_published import wide_resnet
from learn.laboratory.cost import milliseconds, ratio
from learn.lessons import Guess, Lesson, Task
from ml.artifact import cards

PUBLISHED = (
    (_("ResNet, thin"), 164, 1.7, 24.33),
    (_("ResNet, thin"), 1001, 10.2, 22.71),
    ("Wide ResNet 40\N{NON-BREAKING HYPHEN}4", 40, 8.9, 21.18),
    ("Wide ResNet 16\N{NON-BREAKING HYPHEN}8", 16, 11.0, 20.43),
    ("Wide ResNet 28\N{NON-BREAKING HYPHEN}10", 28, 36.5, 19.25),
)
"""Layers, millions of parameters and percent of errors on CIFAR-100: Zagoruyko and Komodakis, 2016, table 5."""

CHANNELS = (16, 32, 64, 160)
LEAST_PAIRS = 3
"""With fewer measured pairs nothing is said of them."""
WIDE = 3
"""From this width on a network counts as wide where times are compared."""
BATCH = 128
"""Pictures of a training step, to say how much memory their maps take."""
BYTES = 4


def context() -> dict[str, Any]:
    """Counts from the formulas, the network of the site that has the plan 28-10, and what the measured times say."""
    found = cost.measured()
    return {
        "double": DOUBLE,
        "work": WORK,
        "card": next((card for card in cards() if card.multiply_adds == REFERENCE.multiply_adds), None),
        "kernels": [
            {"channels": channels, "weights": 9 * channels**2, "work": 9 * channels**2 * cost.SIDE**2}
            for channels in CHANNELS
        ],
        "reference": REFERENCE,
        "plan": wide_resnet(REFERENCE.width),
        "maps_mb": REFERENCE.written * BYTES / 1e6,
        "batch": BATCH,
        "batch_gb": BATCH * REFERENCE.written * BYTES / 1e9,
        "shallow": Network(cost.DEPTHS[0], 1),
        "whole": WHOLE,
        "published": PUBLISHED,
        "pairs": _pairs(found) if found else None,
    }


def _pairs(found: Measured) -> dict[str, Any] | None:
    """Pairs of equal work among the measured networks, a picture by itself: how often the wide one was faster.

    ``times`` is the median of how many times as long the deep one took, ``thin`` and ``wide`` are the medians of the
    milliseconds for a billion multiply-adds, of networks of width 1 and of those of WIDE and more.
    """
    pairs = cost.rivals(found.times)
    pace = {network: found.times[network][1].median / network.multiply_adds * 1e9 for network in found.times}
    thin = [pace[network] for network in pace if network.width == 1]
    wide = [pace[network] for network in pace if network.width >= WIDE]
    if len(pairs) < LEAST_PAIRS or not thin or not wide:
        return None
    times = [found.times[deep][1].median / found.times[wide][1].median for wide, deep in pairs]
    return {
        "count": len(pairs),
        "faster": sum(one > 1 for one in times),
        "times": ratio(median(times)),
        "cores": found.threads,
        "thin": milliseconds(median(thin)),
        "wide": milliseconds(median(wide)),
    }


DOUBLE = Guess(
    key="double",
    question=_(
        "Every layer of a network is made twice as wide: twice as many channels everywhere. How many times as many "
        "numbers do its maps hold then?"
    ),
    choices=(
        ("two", _("About twice as many.")),
        ("four", _("About four times as many.")),
        ("eight", _("About eight times as many.")),
    ),
    right="two",
    answer=_(
        "There are twice as many maps, each as large as before. The weights become four times as many: twice as many "
        "kernels, each of which reaches through twice as many channels."
    ),
)

WORK = Guess(
    key="work",
    question=_(
        "Two networks do equally many multiply-adds for a picture. One has 34 thin layers, the other 16 wide ones. "
        "Which answers sooner on a graphics card, which has thousands of units that compute at once?"
    ),
    choices=(
        ("deep", _("The deep one: each of its layers is small.")),
        ("same", _("Neither: the same work takes the same time.")),
        ("wide", _("The wide one.")),
    ),
    right="wide",
    answer=_(
        "The wide one. Within a layer many things can be done at the same time; between two layers the card has to "
        "wait. The more of the work lies side by side, the more of its units have something to do."
    ),
)

lesson = Lesson(
    slug="width",
    formerly=("width-and-depth",),
    number=8,
    title=_("Wide against deep"),
    summary=_("Two ways to make a network larger, what each of them costs, and when the clock disagrees."),
    aim=_(
        "say how parameters and work grow with depth and with width, and why equal work need not take equal time."
    ),
    order=108,
    template="learn/lessons/width.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="four",
            title=_("Four times, with one slider"),
            text=_(
                "Pin a network with “Compare with this one”. Then move only one of the sliders, until the network has "
                "four times the parameters of the pinned one, give or take a tenth."
            ),
            hint=_(
                "Begin with something narrow, and watch what one slider does and then what the other one does. Which "
                "of them makes every layer larger?"
            ),
            reason=_(
                "Twice the width is four times the weights, at any depth. With depth alone it cannot be done here: "
                "each step adds the same again, and none of them lands on four times."
            ),
            solution=_("Pin depth 10 with width 3, and set the width to 6."),
        ),
        Task(
            key="twins",
            title=_("As large, and quite unlike"),
            text=_(
                "Choose one network and pin another, so that their parameters differ by less than a tenth and one "
                "of them has more than twice the layers of the other."
            ),
            hint=_(
                "Pin a narrow network of 40 layers. Set the depth to 16, and then let the width make up for it."
            ),
            reason=_(
                "The number of parameters says little about what a network is like. Compare the other bars too: the "
                "deeper one writes more numbers into its maps, and its layers have to wait for each other more often."
            ),
            solution=_("Pin depth 40 with width 4, and choose depth 16 with width 7."),
        ),
        Task(
            key="budget",
            title=_("A budget"),
            text=_(
                "Choose a network with more than 5 million parameters and fewer than 1 billion multiply-adds in "
                "which every place of the last maps depends on the whole picture."
            ),
            hint=_("The last bar says what a place depends on. Which slider moves it?"),
            reason=_(
                "Width moves everything but that: how far a place sees is decided by depth and stride. So depth comes "
                "first here, and the budget decides how wide the network may be."
            ),
            solution=_("Depth 28 with width 4."),
        ),
        Task(
            key="slower",
            title=_("Less work, more time"),
            text=_(
                "Choose one network and pin another, so that the chosen one does at least a tenth less work "
                "(multiply-adds) and yet takes longer for each picture."
            ),
            hint=_(
                "On the chart, with one picture at once, you need a point to the left of the pinned one and above it. "
                "Pin a network of 10 layers and width 3 or so, and look for one of 40 layers: the thinnest lie highest "
                "over the broken line."
            ),
            reason=_(
                "Multiply-adds say how much there is to do, and not how much of it can be done at the same time. What "
                "does less and takes longer is deep and narrow: many layers, each so thin that it does not fill the "
                "units of even one core."
            ),
            solution=_(
                "Pin depth 10 with width 3, and choose depth 40 with width 1, with one picture at once."
            ),
        ),
    ),
)
