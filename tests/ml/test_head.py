"""A head of one's own: what plain descent finds, whatever the order, and judged by pictures it had not seen."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ml import artifact, features, head
from ml.features import NoFeaturesError
from ml.head import SamePictureError
from ml.predictor import load_predictor
from tests.networks import make_artifact


def clouds(
    classes: int = 3, each: int = 8, k: int = 40, apart: float = 4.0, seed: int = 0
) -> tuple[NDArray[np.float32], list[int], list[str]]:
    """Points about a centre for each class: features (n, k), labels, keys."""
    rng = np.random.default_rng(seed)
    centres = apart * rng.standard_normal((classes, k))
    labels = [label for label in range(classes) for _one in range(each)]
    x = (centres[labels] + rng.standard_normal((len(labels), k))).astype(np.float32)
    return x, labels, [f"picture-{i:03}" for i in range(len(labels))]


def loss(x: Any, labels: list[int], weights: Any, bias: Any, strength: float) -> float:
    """The documented one, for a head on the features as they are."""
    spread = x.std(0)
    spread = np.maximum(spread, head.LEAST_SPREAD * np.sqrt((spread**2).mean()))
    logits = x @ weights + bias
    logits = logits - logits.max(1, keepdims=True)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    each = np.bincount(labels)
    own = -np.log(p[np.arange(len(labels)), labels]) / each[labels] / len(each)
    scaled = weights * spread[:, None] * np.sqrt(x.shape[1])
    return float(own.sum() + strength / 2 * (scaled**2).sum())


def test_clouds_that_lie_apart_are_told_apart() -> None:
    x, labels, keys = clouds()
    found = head.train(x, labels, 3, keys)
    assert found.counts == (8, 8, 8)
    assert found.folds == head.MOST_FOLDS
    assert found.confusion is not None
    assert found.confusion.tolist() == [[8, 0, 0], [0, 8, 0], [0, 0, 8]]
    more, truths, _keys = clouds(each=8)
    rows = found.head.probabilities(more)
    assert rows.shape == (24, 3)
    assert np.allclose(rows.sum(1), 1)
    assert (rows.argmax(1) == truths).all()
    assert found.head.weights.dtype == found.head.bias.dtype == np.float32


@pytest.mark.parametrize("strength", [0.3, 0.01, head.STRENGTH])
def test_no_descent_finds_a_better_head(strength: float) -> None:
    x, labels, _keys = clouds(classes=3, each=4, k=6, apart=0.7)
    labels = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2]  # classes of different sizes
    x64 = x.astype(np.float64)
    found = head.fit(x64, np.array(labels), 3, strength)
    # Gradient descent on all weights of the standardised features, not only in the span of the examples.
    spread = x64.std(0)
    spread = np.maximum(spread, head.LEAST_SPREAD * np.sqrt((spread**2).mean()))
    z = (x64 - x64.mean(0)) / spread / np.sqrt(x64.shape[1])
    share = (1 / (3 * np.bincount(labels)))[labels][:, None]
    weights, bias = np.zeros((6, 3)), np.zeros(3)
    for _step in range(60_000):
        logits = z @ weights + bias
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        wrong = share * (p - np.eye(3)[labels])
        weights -= 2 * (z.T @ wrong + strength * weights)
        bias -= 2 * wrong.sum(0)
    plain = np.exp(z @ weights + bias)
    plain /= plain.sum(1, keepdims=True)
    assert np.allclose(found.probabilities(x), plain, atol=2e-3 if strength < 0.01 else 1e-5)
    scaled = weights / spread[:, None] / np.sqrt(6)
    there = loss(x64, labels, scaled, bias - x64.mean(0) @ scaled, strength)
    here = loss(x64, labels, found.weights.astype(np.float64), found.bias.astype(np.float64), strength)
    assert here <= there + 1e-6


def test_the_order_of_the_pictures_and_the_names_of_the_features_change_nothing() -> None:
    x, labels, keys = clouds(apart=0.5)
    first = head.train(x, labels, 3, keys)
    order = np.random.default_rng(1).permutation(len(labels))
    again = head.train(x[order], [labels[i] for i in order], 3, [keys[i] for i in order])
    assert np.array_equal(first.head.weights, again.head.weights)
    assert np.array_equal(first.head.bias, again.head.bias)
    assert first.confusion is not None
    assert again.confusion is not None
    assert np.array_equal(first.confusion, again.confusion)
    # Standardised, a feature may be measured in any unit.
    units = np.random.default_rng(2).uniform(0.5, 2.0, (x.shape[1],)).astype(np.float32)
    other = head.train(x * units + 3, labels, 3, keys)
    assert np.allclose(first.head.probabilities(x), other.head.probabilities(x * units + 3), atol=1e-3)


def test_a_picture_given_twice_counts_once() -> None:
    x, labels, keys = clouds(apart=0.5)
    once = head.train(x, labels, 3, keys)
    twice = head.train(np.concatenate([x, x[:3]]), [*labels, *labels[:3]], 3, [*keys, *keys[:3]])
    assert twice.counts == once.counts
    assert np.array_equal(once.head.weights, twice.head.weights)


def test_a_picture_of_two_classes_is_refused_with_both() -> None:
    x, labels, keys = clouds()
    with pytest.raises(SamePictureError) as caught:
        head.train(x, labels, 3, [*keys[:-1], keys[0]])
    assert (caught.value.first, caught.value.second) == (0, 2)


@pytest.mark.parametrize(
    ("labels", "classes"), [([0, 0], 1), ([0, 0], 2), ([0, 2], 3), ([0, 1, 2], 2)], ids=str
)
def test_a_head_needs_two_classes_with_an_example_each(labels: list[int], classes: int) -> None:
    x = np.eye(len(labels), 5, dtype=np.float32)
    with pytest.raises(ValueError, match="two classes or more"):
        head.train(x, labels, classes, [str(i) for i in range(len(labels))])


def test_one_picture_of_a_class_is_learned_and_not_judged() -> None:
    x, labels, keys = clouds(classes=2, each=4)
    found = head.train(x[:5], labels[:5], 2, keys[:5])
    assert (found.counts, found.folds, found.confusion) == ((4, 1), 0, None)
    assert (found.head.probabilities(x).argmax(1) == labels).all()
    one_each = head.train(x[[0, 4]], [0, 1], 2, keys[:2])
    assert (one_each.head.probabilities(x[[0, 4]]).argmax(1) == [0, 1]).all()


def test_a_large_class_does_not_win_by_its_size() -> None:
    """Pictures that cannot be told apart are answered with equal shares."""
    x = np.ones((9, 7), np.float32)
    found = head.train(x, [0] * 7 + [1] * 2, 2, [str(i) for i in range(9)])
    assert np.allclose(found.head.probabilities(x), 0.5, atol=1e-6)
    assert np.isfinite(found.head.weights).all()


@pytest.mark.parametrize("sizes", [(2, 2), (3, 30), (5, 5, 5), (7, 9, 30), (4,) * 10])
def test_each_picture_is_left_out_once_and_every_class_stays(sizes: tuple[int, ...]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    folds = min(head.MOST_FOLDS, *sizes)
    place = head.folds_of(labels, folds)
    assert set(place) == set(range(folds))
    for fold, label in itertools.product(range(folds), range(len(sizes))):
        out = int(((place == fold) & (labels == label)).sum())
        assert sizes[label] // folds <= out <= -(-sizes[label] // folds)
        assert out < sizes[label]
    totals = np.bincount(place)
    assert totals.max() - totals.min() <= 1


def test_a_head_is_judged_by_what_it_has_not_seen() -> None:
    """Noise is learned by heart and not recognised again."""
    x, labels, keys = clouds(classes=4, each=30, k=300, apart=0.0)
    found = head.train(x, labels, 4, keys)
    assert (found.head.probabilities(x).argmax(1) == labels).mean() > 0.99
    assert found.confusion is not None
    assert found.confusion.sum() == 120
    assert 0.1 < found.confusion.trace() / 120 < 0.4


# --- the features --------------------------------------------------------------------------------------------


def test_the_shipped_networks_hand_out_what_their_last_layer_reads() -> None:
    card = max(artifact.cards(), key=lambda one: one.metrics["top1"])
    predictor = load_predictor(card.name, engine="openvino", threads=1)
    pixels = np.random.default_rng(0).integers(0, 256, (2, card.size, card.size, 3), dtype=np.uint8)
    deep = features.deep(predictor, pixels)
    assert deep.shape == (2, features.deep_count(card))
    assert deep.dtype == np.float32
    weights = artifact.read_weights(card)
    logits = deep @ weights["head/dense/kernel"] + weights["head/dense/bias"]
    # int8 rounds the last layer as well; a column too far to the left would be off by whole logits.
    assert np.abs(logits - predictor.logits(pixels)).max() < 0.2


def test_a_graph_without_features_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_artifact(tmp_path, "tiny")
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    predictor = load_predictor("tiny", engine="openvino", threads=1)
    assert features.deep_count(predictor.card) == 0
    with pytest.raises(NoFeaturesError):
        features.deep(predictor, np.zeros((1, 24, 24, 3), np.uint8))
