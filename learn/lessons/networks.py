"""The networks used here: what they are made of, and the figures that training and evaluation wrote."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from learn.evaluations import compare
from learn.figures.architecture import Stage, stage_figure, stages_from_layers
from learn.figures.curves import training_figure
from learn.figures.family_published import wide_resnet
from learn.figures.layer_names import WORDS, titled
from learn.lessons import Lesson
from ml.artifact import ArtifactError, Card, load_card
from ml.config import artifact_names

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """An architecture of the project, described also before its network has been trained."""

    title: str | Promise
    stages: tuple[Stage, ...]
    side: int = 32
    classes: int = 100


PLANS = {
    "vgg": Plan(
        _("VGG, eight convolutions"),
        (Stage(32, 64, 2), Stage(16, 128, 2), Stage(8, 256, 2), Stage(4, 512, 2)),
    ),
    "wideresnet": Plan(
        _("Wide ResNet, WRN-28-10"),
        (Stage(32, 16, 1), Stage(32, 160, 8), Stage(16, 320, 8), Stage(8, 640, 8)),
    ),
}


# In words; the card has the layers' classes in Keras.
KINDS = {"Conv2D": WORDS["conv"], "BatchNormalization": WORDS["bn"], "Dense": _("dense")}


def context() -> dict[str, Any]:
    """A section for each architecture of the project and for each further artifact."""
    cards = {name: card for name in artifact_names() if (card := _card(name))}
    names = [*PLANS, *(name for name in cards if name not in PLANS)]
    return {
        "sections": [section(name, cards.get(name)) for name in names],
        "trained": [cards[name] for name in PLANS if name in cards],
        "wide": wide_resnet(),
        "judged": compare(cards[name] for name in names if name in cards),
    }


def section(name: str, card: Card | None) -> dict[str, Any]:
    """What the page shows of one network; ``card`` is None while no network of that name is trained."""
    if card is None:
        plan = PLANS[name]
        figure = stage_figure(list(plan.stages), input_side=plan.side, classes=plan.classes)
        return {"name": name, "title": plan.title, "prose": _prose(name), "figure": figure}
    stages = stages_from_layers(card.layers)
    return {
        "name": name,
        "title": card.title,
        "card": card,
        "prose": _prose(name),
        "figure": stage_figure(stages, input_side=card.size, classes=len(card.labels)),
        "layers": [_layer_row(layer) for layer in card.layers if layer["parameters"]],
        "weights_in_table": sum(layer["parameters"] for layer in card.layers),
        "epochs": round(sum(_epochs(run) for run in _runs(card))),
        "minutes": round(sum(run.get("training_seconds", 0) for run in _runs(card)) / 60),
        "grown_from": card.training.get("grown_from"),
        "beside": card.training.get("beside"),
        "curves": training_figure(card.curves()),
    }


def _runs(card: Card) -> list[dict[str, Any]]:
    """Every training run that went into the weights, the first one first."""
    return [*card.training.get("before", []), card.training]


def _epochs(run: dict[str, Any]) -> float:
    return float(run.get("recipe", run).get("epochs") or 0)


def _card(name: str) -> Card | None:
    try:
        return load_card(name)
    except ArtifactError:
        # The workers refuse a damaged artifact and say so in /readyz; the page describes the rest.
        logger.exception("The card of %s cannot be read", name)
        return None


def _prose(name: str) -> str | None:
    template = f"learn/networks/{name}.html"
    try:
        get_template(template)
    except TemplateDoesNotExist:
        return None
    return template


def _layer_row(layer: dict[str, Any]) -> dict[str, Any]:
    shape = " \N{MULTIPLICATION SIGN} ".join(str(side) for side in layer["shape"])
    return {
        "name": titled(layer["name"]),
        "kind": KINDS.get(layer["kind"], layer["kind"]),
        "shape": shape,
        "parameters": layer["parameters"],
    }


lesson = Lesson(
    slug="networks",
    title=_("The networks used here"),
    summary=_(
        "What the networks of this site are made of, how they are trained, and how often they are right."
    ),
    order=20,
    template="learn/networks.html",
    minutes=8,
    kind="page",
    context=context,
)
