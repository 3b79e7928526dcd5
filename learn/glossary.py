"""The words of the field that the lessons use, each in a sentence or two."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Term:
    """One entry; ``slug`` is its place on the page."""

    slug: str
    title: str | Promise
    text: str | Promise


TERMS = (
    Term(
        "activation",
        _("activation"),
        _("The number that a layer puts out at one place of one channel, after its bend, such as ReLU."),
    ),
    Term(
        "augmentation",
        _("augmentation"),
        _(
            "Showing a training picture differently each time (moved, mirrored, partly covered) so "
            "that the network cannot learn it by heart."
        ),
    ),
    Term(
        "batch",
        _("batch"),
        _("The pictures that one step of training looks at together, a hundred or so of all there are."),
    ),
    Term(
        "batch-normalisation",
        _("batch normalisation"),
        _(
            "A step behind or before a convolution that shifts and scales each channel so that its "
            "values over many pictures have a learned mean and spread."
        ),
    ),
    Term(
        "bias", _("bias"), _("A learned number that is added to a sum of products, the same for every place.")
    ),
    Term(
        "bit",
        _("bit"),
        _("The smallest thing that can be stored: a 0 or a 1. Eight of them tell 256 things apart."),
    ),
    Term(
        "calibration",
        _("calibration"),
        _(
            "How far percentages mean what they say: of all answers given with 80%, about 80% should "
            "be right."
        ),
    ),
    Term(
        "calibration-error",
        _("calibration error"),
        _(
            "By how much confidence and the share of right answers differ on average, over groups of "
            "answers of like confidence."
        ),
    ),
    Term(
        "channel",
        _("channel"),
        _(
            "One of the maps that stand behind one another in a layer: red, green and blue in a "
            "picture, one for each kernel after a convolution."
        ),
    ),
    Term(
        "class",
        _("class"),
        _("One of the things that a network can answer. Those here know a hundred, from apple to worm."),
    ),
    Term(
        "class-activation-map",
        _("class activation map"),
        _(
            "Which places of the last layer of maps spoke for a class and how much. It is exact where a "
            "network ends in an average and one dense layer."
        ),
    ),
    Term(
        "clipping",
        _("clipping"),
        _("Setting what lies beyond an end to that end: in a picture, below 0 to 0 and above 255 to 255."),
    ),
    Term(
        "confidence",
        _("confidence"),
        _(
            "The probability that a network gives to its first answer. A claim, which can be checked "
            "on many pictures."
        ),
    ),
    Term(
        "convolution",
        _("convolution"),
        _(
            "Laying a small kernel on every place of a picture or map, multiplying what lies under it"
            " with its weights, and adding up."
        ),
    ),
    Term(
        "cutmix",
        _("CutMix"),
        _(
            "Training on pictures into which a rectangle of another picture was cut; the right answer"
            " is mixed in the same shares."
        ),
    ),
    Term(
        "dense-layer", _("dense layer"), _("A layer in which every output is a weighted sum of all inputs.")
    ),
    Term("depth", _("depth"), _("How many layers with weights stand one behind the other.")),
    Term(
        "dilation",
        _("dilation"),
        _(
            "How far apart the places stand that the weights of a kernel lie on: at 2 it leaves out every "
            "other one, and covers more with as many weights."
        ),
    ),
    Term(
        "distillation",
        _("distillation"),
        _(
            "Training a network not only on labels but on the answers of another one, its teacher, with all their "
            "percentages."
        ),
    ),
    Term(
        "dropout",
        _("dropout"),
        _(
            "Switching off a random share of a layer’s numbers in each training step, so that none is relied on."
        ),
    ),
    Term("epoch", _("epoch"), _("Once through all training pictures.")),
    Term(
        "feature-map",
        _("feature map"),
        _("What one kernel found, place by place: large where what it reads looks like the kernel."),
    ),
    Term(
        "gradient",
        _("gradient"),
        _(
            "How much the loss would change with each weight, for all weights together: the slope that training "
            "follows downhill."
        ),
    ),
    Term(
        "held-out-pictures",
        _("held-out pictures"),
        _("Pictures that were kept back from training, so that they can tell what was learned."),
    ),
    Term(
        "kernel",
        _("kernel"),
        _(
            "The small grid of weights of a convolution, mostly three by three here, for each channel that it reads."
        ),
    ),
    Term("label", _("label"), _("The right answer to a training or test picture, as people have given it.")),
    Term(
        "layer",
        _("layer"),
        _(
            "One step of a network, such as a convolution with all its kernels, a ReLU or a pooling. It reads what the "
            "layer before it has written."
        ),
    ),
    Term(
        "learning-rate",
        _("learning rate"),
        _("How far the weights move at each step of training, in units of the gradient."),
    ),
    Term(
        "logit",
        _("logit"),
        _(
            "The score that the last layer gives to a class: any number. Only differences between "
            "logits count."
        ),
    ),
    Term(
        "loss",
        _("loss"),
        _("The number that training makes small: how far the answers are from the right ones."),
    ),
    Term(
        "multiply-add",
        _("multiply-add"),
        _("One product added to a sum: the unit in which the computing of a network is counted."),
    ),
    Term(
        "overfitting",
        _("overfitting"),
        _("Growing better on the training pictures alone, by learning what only they have in common."),
    ),
    Term(
        "padding",
        _("padding"),
        _(
            "A ring of zeros round a picture or map, so that as many rows and columns come out of a convolution as go "
            "in."
        ),
    ),
    Term("parameter", _("parameter"), _("A number that a network learns: a weight, a bias, a scale.")),
    Term(
        "pixel",
        _("pixel"),
        _("A square of a picture, with one colour all over: three numbers, for red, green and blue."),
    ),
    Term(
        "pooling",
        _("pooling"),
        _(
            "Keeping one value of each small square of a map, the largest or the mean, so that the "
            "map shrinks."
        ),
    ),
    Term(
        "quantisation",
        _("quantisation"),
        _("Moving each number to the nearest of a few that are allowed, so that it takes fewer bits."),
    ),
    Term(
        "receptive-field",
        _("receptive field"),
        _("The part of the picture that can change a given number inside the network."),
    ),
    Term("relu", _("ReLU"), _("Keeping what is above zero and making the rest zero.")),
    Term(
        "reliability-diagram",
        _("reliability diagram"),
        _(
            "Confidence across, the share of right answers upwards, a circle for each group of "
            "answers. Honest networks lie on the diagonal."
        ),
    ),
    Term("resolution", _("resolution"), _("How many pixels a picture has: rows and columns.")),
    Term(
        "seed",
        _("seed"),
        _(
            "The number from which a program makes its random numbers. The same seed gives the same ones again; "
            "another one shows how much of a result is chance."
        ),
    ),
    Term(
        "skip-connection",
        _("skip connection"),
        _(
            "A way round some layers, also called a shortcut: what went round is added to what comes out of them."
        ),
    ),
    Term(
        "softmax",
        _("softmax"),
        _("Turning logits into probabilities: e to the power of each, divided by the sum of all."),
    ),
    Term(
        "standard-deviation",
        _("standard deviation"),
        _("How far numbers usually lie from their mean: the root of the mean of the squared distances."),
    ),
    Term("stride", _("stride"), _("By how many pixels a kernel moves on from place to place.")),
    Term(
        "temperature",
        _("temperature"),
        _(
            "A number by which all logits are divided before softmax. High: all classes alike; low: "
            "winner takes all."
        ),
    ),
    Term(
        "top-5",
        _("top-5"),
        _("The five likeliest classes; also the share of pictures whose right class is among them."),
    ),
    Term(
        "training",
        pgettext_lazy("glossary", "training"),
        _(
            "Showing a network pictures with their labels and changing its weights a little each time, so that "
            "the loss becomes smaller."
        ),
    ),
    Term("weight", _("weight"), _("A learned number by which an input is multiplied.")),
    Term("width", _("width"), _("How many channels stand side by side in a layer.")),
)


def addresses() -> dict[str, str]:
    """The address of each term, by its slug with ``_`` for ``-`` as templates name it: ``terms.top_5``."""
    page = reverse("learn:page", args=["glossary"])
    return {term.slug.replace("-", "_"): f"{page}#{term.slug}" for term in TERMS}
