"""Lesson 6: from LeNet to the Wide ResNet, what each added and what it cost."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures import history
from learn.figures.family import Network
from learn.figures.family_own import own
from learn.figures.family_published import published, wide_resnet
from learn.lessons import Guess, Lesson, Task
from learn.subjects import cards
from ml.artifact import Card


def context() -> dict[str, Any]:
    """The counts of the literature's networks, from their plans, and of this site's, from their cards and graphs."""
    lenet, alexnet, vgg, resnet, wide = published()
    ours = [_ours(card, wide) for card in cards()]
    return {
        "lenet": lenet,
        "alexnet": alexnet,
        "vgg": vgg,
        "resnet": resnet,
        "wide": wide,
        "thin": wide_resnet(width=1),
        "vgg_kernels": vgg.kind_share("convolution", "weights"),
        "vgg_kernels_work": vgg.kind_share("convolution", "work"),
        "vgg_times": round(vgg.multiply_adds / alexnet.multiply_adds),
        "ours": ours,
        "ours_dense": max((one["network"].kind_share("dense", "weights") for one in ours), default=0.0),
        "stacking": history.stacking_example(),
        "imagenet": history.imagenet_example(),
        "share": SHARE,
        "deeper": DEEPER,
        "times": TIMES,
    }


def _ours(card: Card, wide: Network) -> dict[str, Any]:
    """One of this site's networks: its counts, how often it is right, and whether it has the plan of ``wide``."""
    network = own(card)
    return {
        "card": card,
        "network": network,
        "top1": card.metrics.get("top1"),
        "is_wide": (network.layers, network.skips) == (wide.layers, wide.skips),
        "narrow": card.training.get("beside"),
    }


SHARE = Guess(
    key="share",
    question=_(
        "AlexNet has five convolutions and behind them three dense layers. How much of its weights do the five "
        "convolutions hold together?"
    ),
    choices=(
        ("little", _("About 4%.")),
        ("half", _("About half.")),
        ("most", _("About 80%.")),
    ),
    right="little",
    answer=_(
        "A kernel needs weights only for the few places that it covers, and uses them everywhere. Each output of a "
        "dense layer has a weight of its own for every number that comes in, and that is where the other 96% are."
    ),
)

DEEPER = Guess(
    key="deeper",
    question=_(
        "ResNet-34 has more than twice as many layers as VGG-16, for the same pictures and the same thousand classes. "
        "How many weights has it?"
    ),
    choices=(
        ("twice", _("More than twice as many.")),
        ("same", _("About as many.")),
        ("sixth", _("Less than a sixth.")),
    ),
    right="sixth",
    answer=_(
        "About nine tenths of VGG-16’s weights are in its dense layers. ResNet-34 has only one, behind a mean that "
        "leaves it 512 numbers to read instead of 25,088."
    ),
)

TIMES = Guess(
    key="times",
    question=_(
        "Give every layer of a network like ResNet-34 ten times as many channels, and leave the number of layers as "
        "it is. How many times as many weights has it then?"
    ),
    choices=(
        ("ten", _("About ten times.")),
        ("hundred", _("About a hundred times.")),
        ("thousand", _("About a thousand times.")),
    ),
    right="hundred",
    answer=_(
        "There are ten times as many kernels, and each of them reads ten times as many channels. The multiply-adds "
        "grow about a hundredfold too. Ten times the layers would have been ten times of both."
    ),
)

lesson = Lesson(
    slug="architectures",
    number=6,
    title=_("From LeNet to the Wide ResNet"),
    summary=_("Five networks in one drawing language: what each of them added, and what it cost."),
    aim=_(
        "say where a network keeps its weights, where it does its computing, and why these are not the same."
    ),
    order=106,
    template="learn/lessons/architectures.html",
    minutes=15,
    context=context,
    tasks=(
        Task(
            key="half",
            title=_("More than half in one layer"),
            text=_("Choose the one layer that holds more than half of all weights of AlexNet."),
            hint=_(
                "Bars hang below the boxes. Choose weights above the figure, and look for the longest bar."
            ),
            # xgettext:no-python-format
            reason=_(
                "It makes 4,096 outputs of the last maps, 6 × 6 × 256 = 9,216 numbers: 37,748,736 weights and 4,096 "
                "biases, 61.9% of all. Each weight is used once for a picture, so the layer does only 5.2% of the "
                "computing."
            ),
            solution=_("“Dense layer 1” of AlexNet."),
        ),
        Task(
            key="busy",
            title=_("Few weights, much work"),
            text=_(
                "In VGG-16, choose a layer that has fewer than 50,000 weights and does more than a tenth of the "
                "computing."
            ),
            hint=_(
                "A weight of a kernel is used once at every place. Where are there most places? Let the bars show "
                "multiply-adds."
            ),
            reason=_(
                "Its maps have 224 × 224 = 50,176 places, and each weight of its kernels is used at all of them. "
                "Fewer than three weights in ten thousand do almost an eighth of the work."
            ),
            solution=_("“Block 1, convolution 2” of VGG-16."),
        ),
        Task(
            key="shortcut",
            title=_("A shortcut that is not free"),
            text=_(
                "Sixteen arcs cross ResNet-34. In three of them stands a convolution. Choose one of these three."
            ),
            hint=_("Its outline is dashed, and it stands where boxes become lower and wider."),
            # xgettext:no-python-format
            reason=_(
                "Only equal shapes can be added. Where a group halves the rows and doubles the channels, what goes "
                "round has to follow, by a kernel of 1 × 1 that moves on by 2. All three together hold less than 1% of "
                "the weights."
            ),
            solution=_("“Group 2, block 1, shortcut” of ResNet-34, or the same layer of group 3 or 4."),
        ),
        Task(
            key="late",
            title=_("Three groups at one price"),
            text=_(
                "In Wide ResNet 28-10, as it was published, choose a convolution of the group that holds most of the "
                "weights. Then let the bars show multiply-adds, and compare the three groups."
            ),
            hint=_(
                "Groups are the stretches of equal height. A convolution has nine weights for each pair of a channel "
                "that it reads and one that it makes."
            ),
            reason=_(
                "From group to group channels double on both sides of a kernel: four times the weights. Rows and "
                "columns are halved: a quarter of the places. The two cancel, and each group does about a third of "
                "the computing, while the last one holds three quarters of the weights."
            ),
            solution=_("Any convolution of group 3, for instance “Group 3, block 4, convolution 2”."),
        ),
        Task(
            key="exchange",
            title=_("Fewer weights, more computing"),
            text=_(
                "Show two published networks, of which the newer one has fewer weights than the older one and yet "
                "computes more for a picture."
            ),
            hint=_(
                "The older one has many dense weights and rather small maps. The newer one has a mean instead."
            ),
            reason=_(
                "Weights are stored once, and what they cost in computing depends on how often they are used. Dense "
                "layers are heavy and quick, convolutions on large maps light and slow. The size of a file says "
                "little about how long an answer takes."
            ),
            solution=_("AlexNet beside Wide ResNet 28-10, or beside ResNet-34."),
        ),
    ),
)
