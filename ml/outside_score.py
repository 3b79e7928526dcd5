"""The score for pictures outside the classes: what it is made of, and how a worker computes it.

How it is chosen and measured stands in ``ml.outside``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.artifact import ArtifactError, Card
from ml.engines import Outputs
from ml.storage import read_arrays

FILE = "outside.npz"

SMALLEST_LOG = 1e-3
RIDGE = 1e-3
SUBSPACE = 100
NEIGHBOURS, BANK = 10, 2000

Arrays = dict[str, NDArray[Any]]
Scores = NDArray[np.float64]


class Sample(NamedTuple):
    """What a network says about n pictures. deep: the last columns of the features, (n, k); middle: those before.

    ``labels`` only of training pictures. Both parts of the features are empty, (n, 0), where the graph has none.
    """

    logits: NDArray[np.float64]
    middle: NDArray[np.float64]
    deep: NDArray[np.float64]
    labels: NDArray[np.int64] | None = None


# -- the parts that scores are made of -----------------------------------------------------------------


def _nothing(sample: Sample) -> Arrays:
    return {}


def max_logit(arrays: Arrays, sample: Sample) -> Scores:
    """The largest logit, negative (Hendrycks et al., 2022, section 3)."""
    return np.asarray(-sample.logits.max(-1))


def energy(arrays: Arrays, sample: Sample) -> Scores:
    """-log sum exp of the logits (Liu et al., 2020, equation 4, temperature 1)."""
    top = sample.logits.max(-1)
    return np.asarray(-(top + np.log(np.exp(sample.logits - top[:, None]).sum(-1))))


def _fit_neighbours(sample: Sample) -> Arrays:
    chosen = np.random.default_rng(0).permutation(len(sample.deep))[:BANK]
    return {"bank": _unit(sample.deep[chosen]).astype(np.float16)}


def neighbours(arrays: Arrays, sample: Sample) -> Scores:
    """Distance to the tenth nearest of 2,000 training features of length 1 (Sun et al., 2022, section 3)."""
    likeness = _unit(sample.deep) @ arrays["bank"].astype(np.float64).T
    nearest = min(NEIGHBOURS, likeness.shape[1])
    return np.sqrt(np.maximum(2 - 2 * np.partition(likeness, -nearest, -1)[:, -nearest], 0))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def _whitening(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """(k, k): rows of mean 0, multiplied by it, have unit covariance. A little is added to every variance first."""
    covariance = np.atleast_2d(rows.T @ rows) / len(rows)
    covariance += max(RIDGE * np.trace(covariance) / len(covariance), 1e-9) * np.eye(len(covariance))
    return np.asarray(np.linalg.cholesky(np.linalg.inv(covariance)), np.float32)


def _fit_mahalanobis(sample: Sample) -> Arrays:
    labels = sample.labels
    assert labels is not None
    known, index = np.unique(labels, return_inverse=True)
    means = np.stack([sample.deep[index == i].mean(0) for i in range(len(known))])
    return {"means": means.astype(np.float32), "whitening": _whitening(sample.deep - means[index])}


def mahalanobis(arrays: Arrays, sample: Sample) -> Scores:
    """Distance of the last features to the nearest class, one covariance for all (Lee et al., 2018, equation 1)."""
    points, means = sample.deep @ arrays["whitening"], arrays["means"] @ arrays["whitening"]
    squares = (points**2).sum(-1)[:, None] + (means**2).sum(-1) - 2 * points @ means.T
    return np.sqrt(np.maximum(squares.min(-1), 0))


def _fit_vim(sample: Sample) -> Arrays:
    mean = sample.deep.mean(0)
    _, directions = np.linalg.eigh(np.atleast_2d((sample.deep - mean).T @ (sample.deep - mean)))
    arrays: Arrays = {"mean": mean.astype(np.float32)}
    # At most a quarter of the directions, or little would be left beside them.
    most = max(1, min(SUBSPACE, len(mean) // 4))
    arrays["subspace"] = np.asarray(directions[:, -most:], np.float32)
    beside = _beside(arrays, sample).mean()
    # Scaled so that it weighs as much as the logit that it competes with.
    arrays["scale"] = np.asarray(sample.logits.max(-1).mean() / max(beside, 1e-9))
    return arrays


def _beside(arrays: Arrays, sample: Sample) -> Scores:
    """Length of what of the last features lies beside the directions in which training pictures differ most."""
    apart = sample.deep - arrays["mean"]
    return np.sqrt(np.maximum((apart**2).sum(-1) - ((apart @ arrays["subspace"]) ** 2).sum(-1), 0))


def vim(arrays: Arrays, sample: Sample) -> Scores:
    """Energy plus a virtual logit (Wang et al., 2022, section 4), about the mean of the training features."""
    return np.asarray(arrays["scale"] * _beside(arrays, sample) + energy({}, sample))


def _fit_middle(sample: Sample) -> Arrays:
    logs = _logs(sample)
    mean = logs.mean(0)
    return {"mean": mean.astype(np.float32), "whitening": _whitening(logs - mean)}


def _logs(sample: Sample) -> NDArray[np.float64]:
    return np.log(np.maximum(sample.middle, 0) + SMALLEST_LOG)


def middle(arrays: Arrays, sample: Sample) -> Scores:
    """Mahalanobis distance of the logarithms of channel averages from the middle of the network.

    After Lee et al., 2018, section 2.2, with one Gaussian for all classes. The logarithm makes a channel that is
    silent as strange as one that shouts: flat areas of drawings silence channels that every photograph stirs.
    """
    return np.sqrt((((_logs(sample) - arrays["mean"]) @ arrays["whitening"]) ** 2).sum(-1))


class Part(NamedTuple):
    """How one part of a score is fitted and computed, and which features it needs (a field of Sample, or none)."""

    fit: Callable[[Sample], Arrays]
    score: Callable[[Arrays, Sample], Scores]
    needs: str = ""


PARTS = {
    "max_logit": Part(_nothing, max_logit),
    "energy": Part(_nothing, energy),
    "neighbours": Part(_fit_neighbours, neighbours, "deep"),
    "mahalanobis": Part(_fit_mahalanobis, mahalanobis, "deep"),
    "vim": Part(_fit_vim, vim, "deep"),
    "middle": Part(_fit_middle, middle, "middle"),
}
METHODS: dict[str, tuple[str, ...]] = {
    "max_logit": ("max_logit",),
    "energy": ("energy",),
    "neighbours": ("neighbours",),
    "mahalanobis": ("mahalanobis",),
    "vim": ("vim",),
    "middle": ("middle",),
    "middle+energy": ("middle", "energy"),
    "middle+vim": ("middle", "vim"),
}
"""What is compared. A sum adds its parts after each has mean 0 and deviation 1 on held-out training pictures."""


@dataclass(frozen=True)
class Score:
    """A fitted method. ``deep``: how many of the last columns of the features are the last layer's."""

    method: str
    deep: int
    arrays: Arrays

    def __call__(self, outputs: Outputs) -> NDArray[np.float32]:
        """What a network says about n pictures -> float32 (n,): 0 is usual, 1 a deviation more. Larger is stranger."""
        return self.of(sample_of(outputs, self.deep)).astype(np.float32)

    def of(self, sample: Sample) -> Scores:
        total = np.zeros(len(sample.logits))
        for name in METHODS[self.method]:
            mean, deviation = self.arrays[f"{name}/usual"]
            total += (PARTS[name].score(_below(self.arrays, name), sample) - mean) / deviation
        return total

    def needs_features(self) -> bool:
        return any(PARTS[name].needs for name in METHODS[self.method])


def _below(arrays: Arrays, name: str) -> Arrays:
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{name}/")}


def sample_of(outputs: Outputs, deep: int, labels: NDArray[np.int64] | None = None) -> Sample:
    """``outputs`` taken apart; ``deep`` of the features are the last layer's."""
    features = outputs.features
    if features is None:
        features = np.empty((len(outputs.logits), 0), np.float32)
    split = max(0, features.shape[1] - deep)
    wide = features.astype(np.float64)
    return Sample(outputs.logits.astype(np.float64), wide[:, :split], wide[:, split:], labels)


def load(card: Card) -> Score | None:
    """The score that an artifact was shipped with, or None. Raises ArtifactError for a missing or damaged file."""
    if not card.outside:
        return None
    artifact.verify(card, FILE)
    try:
        arrays = read_arrays(card.folder / FILE)
        method = str(card.outside["method"])
        if method not in METHODS:
            raise ValueError(f"there is no method {method!r}")
        return Score(method, int(arrays.pop("deep")), arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise ArtifactError(f"{card.name}: {card.folder / FILE} does not fit the card: {error}.") from error
