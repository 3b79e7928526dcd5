"""A linear head of one's own on a network's features: trained in a moment from a handful of pictures.

Multinomial logistic regression with an L2 penalty on the weights (Bishop, 2006, sections 4.3.4 and 5.5), on features
standardised by the mean and the deviation of the examples themselves. As transfer it is a linear probe of a trained
network (Alain and Bengio, 2017). Nothing here is random and nothing depends on the order of the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STRENGTH = 0.001
"""The factor of the penalty: STRENGTH / 2 times the squared length of the weights, beside the mean cross-entropy.

For features divided by their deviation and by the root of their number, so that a usual example has length 1 whatever
the network. A compromise: less is better by a little from three examples a class on, more with a single one, and then a
head that has seen little should not be sure. What it was chosen by stands in docs/decisions/0027.
"""
MOST_FOLDS = 5
LEAST_SPREAD = 0.1
"""A feature's deviation counts as at least so much of the root mean square of all: few examples know it badly."""
TINY = 1e-6

NEWTON_STEPS = 50
TOLERANCE = 1e-8
"""Of the gradient's length, at which the solution is one; the loss is about 1."""

Numbers = NDArray[np.float64]


class SamePictureError(ValueError):
    """One picture was given as an example of two classes, ``first`` and ``second``."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"the same picture is an example of class {first} and of class {second}")
        self.first, self.second = first, second


class Head(NamedTuple):
    """What answers: ``softmax(features @ weights + bias)``. weights: float32 (k, classes). bias: float32 (classes,)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, features: NDArray[np.float32]) -> Numbers:
        """float32 (n, k) -> float64 (n, classes), each row summing to 1."""
        logits = np.asarray(features, np.float64) @ self.weights + self.bias
        return np.exp(_log_softmax(logits))


@dataclass(frozen=True)
class Trained:
    """A head, and what cross-validation says of it.

    counts: distinct pictures of each class. confusion: int (classes, classes), true class down, answer across, each
    picture judged once by a head that had not seen it. Where some class has fewer than two pictures it is None, and
    ``folds`` is 0.
    """

    head: Head
    counts: tuple[int, ...]
    folds: int
    confusion: NDArray[np.int64] | None


def train(
    features: NDArray[np.float32],
    labels: Sequence[int],
    classes: int,
    keys: Sequence[str],
    strength: float = STRENGTH,
) -> Trained:
    """A head for ``classes`` classes of which every one has an example.

    features: float32 (n, k). labels: n numbers, 0 to ``classes`` - 1. keys: n texts; equal ones are the same
    picture, which counts once. Raises SamePictureError for a picture in two classes and ValueError for fewer than two
    classes or one without examples.
    """
    order = _distinct(labels, keys)
    x = np.asarray(features, np.float64)[order]
    y = np.asarray(labels, np.int64)[order]
    counts = np.bincount(y, minlength=classes)
    if classes < 2 or len(counts) > classes or not counts.all():
        raise ValueError("a head needs two classes or more and an example of each")
    folds = min(MOST_FOLDS, int(counts.min()))
    head = fit(x, y, classes, strength)
    if folds < 2:
        return Trained(head, tuple(map(int, counts)), 0, None)
    confusion = np.zeros((classes, classes), np.int64)
    place = folds_of(y, folds)
    for fold in range(folds):
        out = place == fold
        answers = fit(x[~out], y[~out], classes, strength).probabilities(x[out].astype(np.float32)).argmax(1)
        np.add.at(confusion, (y[out], answers), 1)
    return Trained(head, tuple(map(int, counts)), folds, confusion)


def _distinct(labels: Sequence[int], keys: Sequence[str]) -> list[int]:
    """Where each picture stands first, by class and key: the same list whatever the order they were given in."""
    known: dict[str, int] = {}
    for place, key in enumerate(keys):
        first = known.setdefault(key, place)
        if labels[first] != labels[place]:
            raise SamePictureError(*sorted((labels[first], labels[place])))
    return sorted(known.values(), key=lambda place: (labels[place], keys[place]))


def folds_of(labels: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """The fold of each example, int (n,), 0 to ``folds`` - 1: stratified, each class spread as evenly as it goes.

    Classes begin with different folds, so that what is left over does not all go to the first ones.
    """
    place = np.zeros(len(labels), np.int64)
    begin = 0
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        place[own] = (begin + np.arange(len(own))) % folds
        begin += len(own)
    return place


def fit(x: Numbers, y: NDArray[np.int64], classes: int, strength: float = STRENGTH) -> Head:
    """The head with the least loss. x: float64 (n, k). y: int (n,), every class present.

    Classes weigh the same however many examples they have. The best weights are sums of the standardised examples, so
    only the factors of these sums are looked for, n of them for a class, whatever k is.
    """
    mean = x.mean(0)
    spread = x.std(0)
    spread = np.maximum(spread, max(LEAST_SPREAD * float(np.sqrt((spread**2).mean())), TINY))
    scale = spread * np.sqrt(x.shape[1])
    z = (x - mean) / scale
    solved = _solve(z @ z.T, y, classes, strength)
    weights = (z.T @ solved[:-1]) / scale[:, None]
    bias = solved[-1] - mean @ weights
    return Head(weights.astype(np.float32), bias.astype(np.float32))


def _solve(products: Numbers, y: NDArray[np.int64], classes: int, strength: float) -> Numbers:
    """The factors of the examples and, as the last row, the biases: (n + 1, classes). Newton's method.

    products: (n, n), every example times every other. Weights ``w = z.T @ f`` stand here as their factors f, and so do
    gradients and steps: lengths and angles of weights are sums over ``f * (products @ f)``, and nothing is inverted or
    decomposed, which on a busy machine takes a numerical library seconds. Each step is found by conjugate gradients,
    which need only products with the Hessian (Nocedal and Wright, 2006, algorithm 7.1), and is halved until the loss
    falls by enough. The loss is convex and bounded below, so it ends.
    """
    truth = np.eye(classes)[y]
    share = (1.0 / (classes * np.bincount(y, minlength=classes)))[y][:, None]

    def metric(values: Numbers) -> Numbers:
        """What ``values`` is multiplied with for the square of its length."""
        return np.concatenate([products @ values[:-1], values[-1:]])

    def with_penalty(per_example: Numbers, values: Numbers) -> Numbers:
        return np.concatenate([per_example + strength * values[:-1], per_example.sum(0, keepdims=True)])

    def loss(values: Numbers, lengths: Numbers) -> float:
        fitted = -(share * truth * _log_softmax(lengths[:-1] + values[-1])).sum()
        return float(fitted + 0.5 * strength * (values[:-1] * lengths[:-1]).sum())

    values = np.zeros((len(y) + 1, classes))
    lengths = metric(values)
    now = loss(values, lengths)
    for _step in range(NEWTON_STEPS):
        p = np.exp(_log_softmax(lengths[:-1] + values[-1]))
        gradient = with_penalty(share * (p - truth), values)
        if float((gradient * metric(gradient)).sum()) < TOLERANCE**2:
            break

        def times_hessian(direction: Numbers, along: Numbers, p: Numbers = p) -> Numbers:
            moved = along[:-1] + direction[-1]
            return with_penalty(share * p * (moved - (p * moved).sum(1, keepdims=True)), direction)

        step = _conjugate_gradients(times_hessian, metric, -gradient)
        along = metric(step)
        slope = float((gradient * along).sum())
        size, ahead = 1.0, loss(values + step, lengths + along)
        while ahead > now + 1e-4 * size * slope and size > TINY:
            size /= 2
            ahead = loss(values + size * step, lengths + size * along)
        if ahead >= now:
            break
        values, lengths, now = values + size * step, lengths + size * along, ahead
    return values


def _conjugate_gradients(
    times: Callable[[Numbers, Numbers], Numbers], metric: Callable[[Numbers], Numbers], wanted: Numbers
) -> Numbers:
    """About the x with ``times(x, metric(x))`` = ``wanted``, the closer the smaller ``wanted`` is."""
    found = np.zeros_like(wanted)
    rest = wanted.copy()
    beside = metric(rest)
    direction, along = rest.copy(), beside.copy()
    square = float((rest * beside).sum())
    enough = min(0.5, square**0.25) ** 2 * square
    for _step in range(wanted.size):
        product = times(direction, along)
        curvature = float((product * along).sum())
        if curvature <= 0.0:  # rounding, where a bias for all classes alike changes nothing
            break
        size = square / curvature
        found += size * direction
        rest -= size * product
        beside = metric(rest)
        before, square = square, float((rest * beside).sum())
        if square <= enough:
            break
        direction = rest + square / before * direction
        along = beside + square / before * along
    return found


def _log_softmax(logits: Numbers) -> Numbers:
    shifted = logits - logits.max(1, keepdims=True)
    normal: Numbers = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return normal
