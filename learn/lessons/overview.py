"""Convolutional networks: from the multilayer perceptron to the Wide ResNet."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn.figures import arithmetic, history, wiring
from learn.lessons import Lesson


def context() -> dict[str, Any]:
    """The worked examples, computed, so that prose and drawing agree to the digit."""
    return {
        "perceptron": wiring.perceptron_example(),
        "weights": wiring.weight_counts(),
        "small_weights": wiring.SMALL_INPUTS * wiring.HIDDEN,
        "large_weights": wiring.LARGE_INPUTS * wiring.HIDDEN,
        "convolution_weights": wiring.CONVOLUTION_WEIGHTS,
        "convolution": arithmetic.convolution_example(),
        "stencil": arithmetic.stencil_example(),
        "pooling": arithmetic.pooling_example(),
        "dropout": wiring.dropout_example(),
        "softmax": arithmetic.softmax_example(),
        "imagenet": history.imagenet_example(),
        "stacking": history.stacking_example(),
        **history.thin_and_wide(),
    }


lesson = Lesson(
    slug="overview",
    title=_("Convolutional networks"),
    summary=_(
        "From the multilayer perceptron, which wastes its weights, to the Wide ResNet, in small steps."
    ),
    order=10,
    template="learn/overview.html",
    minutes=10,
    kind="page",
    context=context,
)
