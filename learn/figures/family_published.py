"""The networks of the literature as their authors published them."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from django.utils.translation import gettext_lazy as _

from learn.figures.family import Convolution, Dense, Network, Pooling, Residual, Shape, Step, network


@cache
def published() -> tuple[Network, ...]:
    """All of them in the order of their years."""
    return lenet(), alexnet(), vgg(), resnet(), wide_resnet()


def lenet() -> Network:
    """LeNet-5 of LeCun and others, 1998, section II.B and table I."""
    return network(
        "lenet-5",
        "LeNet-5",
        1998,
        Shape(32, 1),
        (
            Convolution("conv1", 6, 5, known="C1"),
            Pooling("pool1", 2, how="sum", learned=True, known="S2"),
            # Six maps read 3 of the maps before, nine read 4, and one reads all 6.
            Convolution("conv2", 16, 5, pairs=6 * 3 + 9 * 4 + 6, known="C3"),
            Pooling("pool2", 2, how="sum", learned=True, known="S4"),
            Convolution("conv3", 120, 5, known="C5"),
            Dense("dense1", 84, known="F6"),
            Dense("dense2", 10, fixed=True),
        ),
        _(
            "Its second convolution connects 60 of 96 pairs of maps. Its third covers all of what it reads, so that it "
            "is a dense layer in effect. Its halving layers have a weight and a bias for each map. Its output compares "
            "with 840 numbers that were set by hand; they are not counted as weights. Its authors count seven layers, "
            "the two halving ones among them."
        ),
    )


def alexnet(groups: int = 2) -> Network:
    """AlexNet of Krizhevsky and others, 2012, section 3.5; ``groups`` 1 has one tower in the place of two."""
    return network(
        "alexnet",
        "AlexNet",
        2012,
        Shape(227, 3),
        (
            Convolution("conv1", 96, 11, stride=4),
            Pooling("pool1", 3, 2),
            Convolution("conv2", 256, 5, padding=2, groups=groups),
            Pooling("pool2", 3, 2),
            Convolution("conv3", 384, 3, padding=1),
            Convolution("conv4", 384, 3, padding=1, groups=groups),
            Convolution("conv5", 256, 3, padding=1, groups=groups),
            Pooling("pool5", 3, 2),
            Dense("dense1", 4096),
            Dense("dense2", 4096),
            Dense("dense3", 1000),
        ),
        _(
            "In two halves, one for each graphics card: three of its convolutions read only the channels of their own "
            "half. The paper says 224 rows of pixels; its layers fit 227."
        ),
    )


def vgg() -> Network:
    """VGG-16 of Simonyan and Zisserman, 2014, table 1, configuration D."""
    plan: list[Step] = []
    for block, (channels, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        plan += [
            Convolution(f"block{block}/conv{one}", channels, 3, padding=1) for one in range(1, count + 1)
        ]
        plan.append(Pooling(f"block{block}/pool", 2))
    plan += [Dense("head/dense1", 4096), Dense("head/dense2", 4096), Dense("head/dense3", 1000)]
    return network("vgg-16", "VGG-16", 2014, Shape(224, 3), plan, _("The authors’ configuration D."))


def resnet() -> Network:
    """ResNet-34 of He and others, 2015, table 1, with projections where the shape changes (their option B)."""
    plan: list[Step] = [
        Convolution("stem/conv", 64, 7, stride=2, padding=3, bias=False, norm="after"),
        Pooling("stem/pool", 3, 2, padding=1),
    ]
    before = 64
    for group, (channels, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        for block in range(1, count + 1):
            name, stride = f"group{group}/block{block}", 2 if before != channels else 1
            first = Convolution(f"{name}/conv1", channels, 3, stride, 1, bias=False, norm="after")
            second = Convolution(f"{name}/conv2", channels, 3, 1, 1, bias=False, norm="after")
            around = Convolution(f"{name}/shortcut", channels, 1, stride, bias=False, norm="after")
            plan.append(Residual((first, second), around if before != channels else None))
            before = channels
    plan += [Pooling("head/pool", how="mean"), Dense("head/dense", 1000)]
    return network(
        "resnet-34",
        "ResNet-34",
        2015,
        Shape(224, 3),
        plan,
        _("With a convolution in a shortcut only where the shape changes, the authors’ variant B."),
    )


def wide_resnet(width: int = 10, classes: int = 100) -> Network:
    """Wide ResNet 28-``width`` of Zagoruyko and Komodakis, 2016, table 1, for pictures of 32 x 32."""
    plan: list[Step] = [Convolution("stem/conv", 16, 3, padding=1, bias=False)]
    for group, (before, channels) in enumerate(pairwise((16, 16 * width, 32 * width, 64 * width)), 1):
        for block in range(1, 5):
            name, is_first = f"group{group}/block{block}", block == 1
            stride = 2 if is_first and group > 1 else 1
            first = Convolution(f"{name}/conv1", channels, 3, stride, 1, bias=False, norm="before")
            second = Convolution(f"{name}/conv2", channels, 3, 1, 1, bias=False, norm="before")
            around = Convolution(f"{name}/shortcut", channels, 1, stride, bias=False)
            plan.append(Residual((first, second), around if is_first and before != channels else None))
    plan += [Pooling("head/pool", how="mean", norm=True), Dense("head/dense", classes)]
    return network(
        f"wrn-28-{width}",
        f"Wide ResNet 28-{width}",
        2016,
        Shape(32, 3),
        plan,
        _(
            "For the hundred classes of CIFAR-100. Its authors count 28 layers: every convolution, those in shortcuts "
            "among them, and not the dense layer."
        ),
    )
