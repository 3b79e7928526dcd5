"""What came of a training, as pages show it, as files hold it, and as it answers about another picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learn import own_classes
from learn.own_models import OwnClasses
from ml import head
from ml.artifact import Card
from predictions.accuracy import Matrix, Share, confusion

FORMAT = "convoscope-own-classes-1"
HOW = (
    "Cut a square out of the picture and shrink it to size x size pixels in RGB as 'preprocessing' says; divide by "
    "255, subtract mean and divide by std of each channel; give it to the network named here; average each channel "
    "of its last layer of maps over the picture, which is what its own dense layer reads. That is a row of as many "
    "numbers as 'features' says. The probabilities are softmax(row * weights + bias): 'weights' has a row for each of "
    "the numbers and a column for each class, in the order of 'classes'."
)


class OfClass(NamedTuple):
    """A class and how often pictures of it were recognised."""

    name: str
    pictures: int
    share: Share | None


@dataclass(frozen=True)
class Verdict:
    """What cross-validation says. ``share`` and ``matrix`` are None where there was none; ``single`` then names a class
    with one picture only.
    """

    share: Share | None
    of_classes: list[OfClass]
    matrix: Matrix | None
    folds: int
    single: str


class Answer(NamedTuple):
    name: str
    probability: float


def verdict(result: Mapping[str, Any]) -> Verdict:
    """``result`` as learn.own_training wrote it."""
    names, numbers, table = result["classes"], result["counts"], result["confusion"]
    if table is None:
        single = next((name for name, count in zip(names, numbers, strict=True) if count < 2), "")
        return Verdict(
            None, [OfClass(*pair, None) for pair in zip(names, numbers, strict=True)], None, 0, single
        )
    pairs = [
        (truth, answer)
        for truth, row in zip(names, table, strict=True)
        for answer, count in zip(names, row, strict=True)
        for _again in range(count)
    ]
    of_classes = [
        OfClass(name, sum(table[i]), Share(table[i][i], sum(table[i]))) for i, name in enumerate(names)
    ]
    right = sum(table[i][i] for i in range(len(names)))
    return Verdict(Share(right, len(pairs)), of_classes, confusion(pairs), result["folds"], "")


def is_of(owned: OwnClasses, card: Card | None) -> bool:
    """Whether the head was trained on the network that is offered now."""
    return card is not None and (owned.network, owned.artifact) == (card.name, card.version)


def head_of(owned: OwnClasses) -> head.Head:
    """Raises Refused for a set that is not trained."""
    if not owned.trained or not owned.head:
        raise own_classes.Refused("not_trained", own_classes.not_trained())
    both = np.frombuffer(bytes(owned.head), "<f4").reshape(-1, len(owned.result["classes"]))
    return head.Head(both[:-1], both[-1])


def answers(owned: OwnClasses, features: NDArray[np.float32]) -> list[list[Answer]]:
    """float32 (n, k) -> for each picture all classes, the likeliest first. Raises Refused."""
    names = owned.result.get("classes", [])
    rows = head_of(owned).probabilities(features)
    return [[Answer(names[i], float(row[i])) for i in np.argsort(-row, kind="stable")] for row in rows]


def exported(owned: OwnClasses) -> dict[str, Any]:
    """The head as a file that explains itself (docs/decisions/0027). Raises Refused for a set that is not trained."""
    found, result = head_of(owned), owned.result
    seen = verdict(result)
    accuracy: dict[str, Any] = {"folds": result["folds"], "pictures": result["counts"]}
    if seen.share is not None:
        accuracy |= {
            "right": seen.share.right,
            "of": seen.share.n,
            "share": round(seen.share.value, 4),
            "interval_95": [round(seen.share.low, 4), round(seen.share.high, 4)],
            "confusion": result["confusion"],
        }
    return {
        "format": FORMAT,
        "title": owned.title,
        "trained": result["trained"],
        "how": HOW,
        "classes": result["classes"],
        "network": result["network"],
        "preprocessing": result["preprocessing"],
        "features": len(found.weights),
        "accuracy": accuracy,
        "weights": [[_short(value) for value in row] for row in found.weights],
        "bias": [_short(value) for value in found.bias],
    }


def _short(value: np.float32) -> float:
    """With as many digits as tell one float32 from the next."""
    return float(f"{value:.9g}")
