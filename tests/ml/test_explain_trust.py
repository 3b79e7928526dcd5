"""The tests that a heat map carries: good maps pass, bad ones fail, and what cannot be tested is said."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.explain import maps, tails, trust
from ml.explain import untrained as untrained_module
from ml.explain.structure import structure
from ml.explain.trace import tracer
from ml.explain.untrained import drawn, generated, untrained
from ml.predictor import load_predictor
from ml.preprocessing import normalise
from tests.ml import corners


@pytest.fixture
def corner(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    return corners.predictor(tmp_path)


@pytest.fixture
def white():
    return np.full((corners.SIDE, corners.SIDE, 3), 255, np.uint8)


def pointing_at(row: int, column: int, side: int = 4) -> np.ndarray:
    """A map that is greatest at a cell and falls with the distance from it."""
    rows, columns = np.indices((side, side))
    return -np.hypot(rows - row, columns - column).astype(np.float32)


def test_a_map_that_points_at_what_matters_beats_masks_elsewhere(corner, white):
    # A place smaller than the mask: only masks that cover all of it cost as much.
    found = trust.against_masks(corner, white, 0, pointing_at(1, 5, 8))
    assert found.passed is True
    assert found.beaten >= found.needed == 31
    assert (found.n, len(found.random), len(found.cells)) == (32, 32, 13)
    assert found.share == pytest.approx(13 / 64)
    assert found.drop > 3
    assert found.beaten == sum(drop < found.drop for drop in found.random)


def test_a_map_that_points_away_fails(corner, white):
    found = trust.against_masks(corner, white, 0, pointing_at(7, 0, 8))
    assert found.passed is False
    assert (found.drop, found.beaten) == (pytest.approx(0, abs=1e-6), 0)


def test_the_drop_is_that_of_the_log_odds(corner, white):
    found = trust.against_masks(corner, white, 0, pointing_at(0, 2))
    assert found.cells[0] == 2
    assert found.drop == pytest.approx(6, abs=1e-5)


def test_random_masks_are_the_same_shape_in_other_places():
    cells = [0, 1, 9]
    places = trust.elsewhere(cells, 8)
    assert len(places) == len({tuple(place) for place in places}) == 32
    assert all(len(place) == 3 and place != cells for place in places)
    # Three cells round a corner stay together, unless the picture's edge parts them.
    together = [p for p in places if max(c // 8 for c in p) - min(c // 8 for c in p) == 1]
    assert len(together) > 20
    assert trust.elsewhere(cells, 8) == places


def test_a_map_of_few_cells_is_compared_with_all_other_places(corner, white):
    found = trust.against_masks(corner, white, 0, np.array([[0, 1], [0, 0]], np.float32))
    assert (found.n, found.needed, found.cells) == (3, 3, (1,))
    assert found.passed is True


@pytest.mark.parametrize(
    "values",
    [np.zeros((4, 4)), np.full((8, 8), 3.5), np.ones((1, 1)), np.full((4, 4), np.nan)],
    ids=["zeros", "constant", "one cell", "not numbers"],
)
def test_a_map_without_differences_cannot_be_tested(corner, white, values):
    masks = trust.against_masks(corner, white, 0, values)
    weights = trust.against_weights(values, lambda: np.random.default_rng(0).normal(size=(3, *values.shape)))
    assert (masks.passed, masks.reason, weights.passed, weights.reason) == (
        None,
        "constant",
        None,
        "constant",
    )


def test_a_picture_that_is_all_covered_cannot_be_tested(corner, white):
    found = trust.against_masks(corner, white * 0, 0, pointing_at(0, 2))
    assert (found.passed, found.reason) == (None, "black")


def test_a_map_that_looks_the_same_whatever_the_weights_fails():
    values = pointing_at(2, 5, 8)
    rng = np.random.default_rng(0)
    blind = trust.against_weights(values, lambda: values + rng.normal(0, 0.5, (9, 8, 8)))
    assert blind.passed is False
    assert blind.similarity > 0.9
    # The sign of what an untrained class sees is chance.
    assert trust.against_weights(values, lambda: -values[None]).similarity == pytest.approx(1)
    seeing = trust.against_weights(values, lambda: rng.normal(size=(99, 8, 8)))
    assert seeing.passed is True
    assert seeing.similarity < 0.2
    assert (seeing.n, seeing.threshold) == (64, trust.THRESHOLD)


def test_a_fine_occlusion_map_is_compared_in_no_more_than_64_squares(inputs, monkeypatch):
    asked = []
    maps_of = trust.untrained_maps
    monkeypatch.setattr(trust, "untrained_maps", lambda *them: asked.append(them[-1]) or maps_of(*them))
    trace = tracer("vgg").trace(inputs[8:9])[0]
    values = np.kron(pointing_at(2, 5, 8), np.ones((2, 2), np.float32))
    found = trust.trust(load_predictor("vgg"), trace, 0, "occlusion", values)
    assert (asked, found.weights.n, found.masks.grid) == ([8], 64, 8)


def test_random_maps_without_differences_cannot_be_compared_with():
    found = trust.against_weights(pointing_at(0, 0), lambda: np.zeros((3, 4, 4)))
    assert (found.passed, found.reason) == (None, "constant")


def test_rank_correlation_knows_order_only_and_shares_ranks_of_equals():
    a = np.array([3.0, 1.0, 2.0, 10.0])
    assert trust.rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert trust.rank_correlation(a, -a) == pytest.approx(-1)
    # Ranks 1.5 1.5 3 4 against 1 2 3 4: covariance 1.125, variances 1.125 and 1.25.
    assert trust.rank_correlation(np.array([5, 5, 6, 7]), np.array([1, 2, 3, 4])) == pytest.approx(
        1.125 / np.sqrt(1.125 * 1.25)
    )


def test_the_untrained_network_is_alive_and_the_same_every_time(shipped, inputs):
    of, network = structure(shipped), untrained(shipped)
    pictures = normalise(inputs[:6], of.card.preprocessing)
    for layer in tails.cut_layers(of):
        size = float(np.abs(network.parts.activations(pictures[:2], layer)).mean())
        assert 0.05 < size < 50, layer
    logits = network.parts.answers(pictures)
    assert np.isfinite(logits).all()
    assert logits.std(0).mean() > 0.05
    assert np.abs(logits - tails.pieces(shipped).answers(pictures)).mean() > 0.1


def test_the_same_weights_are_drawn_for_the_same_seed():
    one, same, other = (drawn(structure("vgg"), np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name, kernels in one.kernels.items():
        assert np.array_equal(kernels, same.kernels[name])
        assert not np.array_equal(kernels, other.kernels[name])
        inputs = kernels[0].size
        assert kernels.std() == pytest.approx(np.sqrt(2 / inputs), rel=0.1)
    for name, scale in one.scales.items():
        assert np.array_equal(scale, same.scales[name])


def test_another_process_draws_the_same_untrained_network():
    # Past the cache, as in a process that has not asked yet.
    again = untrained_module._untrained.__wrapped__(structure("vgg"))
    assert np.array_equal(again.dense, untrained("vgg").dense)


def test_generated_pictures_use_all_greys_and_differ():
    found = generated(32, np.random.default_rng(0))
    assert found.shape == (8, 32, 32, 3)
    assert (found.min((1, 2)) == 0).all()
    assert (found.max((1, 2)) == 255).all()
    assert len({picture.tobytes() for picture in found}) == 8
    # Neighbours are alike, as in photographs.
    steps = np.abs(np.diff(found.astype(float), axis=1)).mean()
    assert steps < found.std()


@pytest.mark.parametrize("kind", trust.KINDS)
def test_every_kind_of_map_of_the_vgg_carries_both_tests(kind, inputs):
    of, predictor = structure("vgg"), load_predictor("vgg")
    trace = tracer("vgg").trace(inputs[8:9])[0]
    index = int(trace.logits.argmax())
    layer = "block3/relu2" if kind == "ablation" else ""
    values = {
        "class_activation": lambda: maps.class_activation(of, trace)[index],
        "ablation": lambda: maps.ablation("vgg", trace, layer, most=32).values[index],
        "occlusion": lambda: -maps.occlusion(predictor, trace.pixels, 4).changes[..., index],
    }[kind]()
    found = trust.trust(predictor, trace, index, kind, values, layer=layer)
    assert (found.kind, found.layer, found.index) == (kind, layer, index)
    assert isinstance(found.masks.passed, bool)
    assert isinstance(found.weights.passed, bool)
    assert found.weights.n == values.size
    again = trust.trust(predictor, trace, index, kind, values, layer=layer)
    assert again.weights.similarity == pytest.approx(found.weights.similarity, abs=0.02)
    stored = json.loads(json.dumps(found.to_dict()))
    assert stored["masks"]["beaten"] == found.masks.beaten
    assert stored["weights"]["similarity"] == found.weights.similarity


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "saliency"}, "a map is one of class_activation, ablation, occlusion, not 'saliency'"),
        ({"index": 100}, "VGG has classes 0 to 99, not 100"),
        ({"values": np.zeros((4, 5), np.float32)}, r"a map is as high as wide, not \(4, 5\)"),
        ({"kind": "ablation", "layer": "block1/conv1"}, "VGG is not cut at 'block1/conv1'"),
    ],
    ids=["kind", "class", "shape", "layer"],
)
def test_what_cannot_be_is_refused(changed, sentence, inputs):
    trace = tracer("vgg").trace(inputs[:1])[0]
    arguments = {"index": 0, "kind": "class_activation", "values": pointing_at(0, 0), **changed}
    with pytest.raises(ValueError, match=sentence):
        trust.trust(load_predictor("vgg"), trace, **arguments)
