"""Heat maps: exact where they claim to be, and what they say is what covering the picture does."""

from __future__ import annotations

import numpy as np
import pytest

from ml import artifact
from ml.explain import maps, tails
from ml.explain.structure import structure
from ml.explain.trace import tracer, value
from ml.predictor import load_predictor
from tests.ml import by_hand, corners
from tests.networks import make_artifact


@pytest.fixture
def corner(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    return corners.predictor(tmp_path)


def test_a_class_activation_map_adds_up_to_its_logit(shipped, inputs):
    of = structure(shipped)
    for trace in tracer(shipped).trace(inputs[:3]):
        found = maps.class_activation(of, trace)
        assert found.shape == (100, *value(of, trace, maps.last_maps(of)).shape[1:])
        bias = of.dense()[1]
        np.testing.assert_allclose(found.mean((1, 2), dtype=np.float64) + bias, trace.logits, atol=1e-4)


def test_a_class_activation_map_is_that_of_float64(inputs):
    card, seen = artifact.load_card("vgg"), {}
    weights = artifact.read_weights(card)

    def keep(name: str, found: np.ndarray) -> np.ndarray:
        seen[name] = found
        return found

    by_hand.logits(card, inputs[0], weights, keep)
    expected = seen["block4/relu2"] @ weights["head/dense/kernel"].astype(np.float64)
    found = maps.class_activation(structure("vgg"), tracer("vgg").trace(inputs[:1])[0])
    np.testing.assert_allclose(found.transpose(1, 2, 0), expected, atol=1e-3)


def test_silencing_every_channel_of_the_last_layer_gives_the_exact_map(shipped, inputs):
    of = structure(shipped)
    trace = tracer(shipped).trace(inputs[:1])[0]
    exact = maps.class_activation(of, trace)
    found = maps.ablation(shipped, trace, maps.last_maps(of))
    assert found.energy == pytest.approx(1)
    places = exact[0].size
    np.testing.assert_allclose(found.values * places, exact, atol=2e-3)


def test_a_channels_effect_is_that_of_float64(inputs):
    card = artifact.load_card("vgg")
    weights = artifact.read_weights(card)
    trace = tracer("vgg").trace(inputs[:1])[0]
    layer = "block3/relu1"
    one = maps.ablation("vgg", trace, layer, most=1)
    activations = value(structure("vgg"), trace, layer).astype(np.float64)
    strongest = int((activations**2).sum((1, 2)).argmax())

    def silence(name: str, found: np.ndarray) -> np.ndarray:
        if name == layer:
            found[..., strongest] = 0
        return found

    cost = by_hand.logits(card, inputs[0], weights) - by_hand.logits(card, inputs[0], weights, silence)
    assert (one.channels, one.of) == (1, 256)
    np.testing.assert_allclose(one.values.sum((1, 2)), cost, atol=2e-3)
    shares = activations[strongest] / activations[strongest].sum()
    np.testing.assert_allclose(one.values, cost[:, None, None] * shares, atol=2e-3)


def test_the_channels_of_greatest_energy_are_silenced_and_their_share_is_said():
    rng = np.random.default_rng(5)
    activations = (
        rng.normal(size=(20, 3, 3)).astype(np.float32) * np.arange(20, dtype=np.float32)[:, None, None]
    )
    asked: list[int] = []

    def answer(batch: np.ndarray) -> np.ndarray:
        if len(batch) > 1:
            asked.extend(np.flatnonzero((one == 0).all((1, 2)))[-1] for one in batch)
        return batch.sum((2, 3))[:, :2]

    found = maps.ablated("layer", activations, answer, 18)
    energies = (activations.astype(np.float64) ** 2).sum((1, 2))
    assert len(asked) == found.channels == 18
    assert set(asked) == set(np.argsort(-energies)[:18])
    assert found.energy == pytest.approx(np.sort(energies)[2:].sum() / energies.sum())


def test_values_below_0_speak_against_what_values_above_0_speak_for():
    activations = np.array([[[1.0, -3.0], [0.0, 0.0]]], np.float32)
    found = maps.ablated("layer", activations, lambda batch: batch.sum((1, 2, 3))[:, None], 1)
    # Without the channel the logit rises by 2, shared out over absolute values of 4.
    np.testing.assert_allclose(found.values, [[[-0.5, 1.5], [0, 0]]])


def test_a_layer_that_says_nothing_gives_a_map_of_zeros():
    found = maps.ablated("layer", np.zeros((4, 2, 2), np.float32), lambda batch: np.ones((len(batch), 3)), 4)
    assert (found.channels, found.energy) == (0, 0)
    assert found.values.shape == (3, 2, 2)
    assert not found.values.any()


def test_the_work_of_a_map_is_bounded(shipped):
    of = structure(shipped)
    order = [layer.name for layer in of.layers]
    for layer in tails.cut_layers(of):
        behind = sum(one.multiply_adds for one in of.layers[order.index(layer) + 1 :])
        assert maps.channels_within(of, layer, maps.BUDGET) * behind <= maps.BUDGET
    assert maps.channels_within(of, "stem/conv" if shipped == "wideresnet" else "block1/conv1", 1) == 1


@pytest.mark.parametrize("layer", ["block1/pool", "block9/relu1", ""])
def test_a_map_at_a_layer_that_has_none_is_refused(layer, inputs):
    trace = tracer("vgg").trace(inputs[:1])[0]
    with pytest.raises(ValueError, match=r"VGG has maps at block1/relu1, .*, not at"):
        maps.ablation("vgg", trace, layer)
    with pytest.raises(ValueError, match="at least one channel must be silenced, not 0"):
        maps.ablation("vgg", trace, "block4/relu2", most=0)


def test_only_the_place_that_is_looked_at_changes_an_occlusion_map(corner):
    pixels = np.full((corners.SIDE, corners.SIDE, 3), 255, np.uint8)
    found = maps.occlusion(corner, pixels, grid=4)
    changed = np.zeros((4, 4), bool)
    changed[0, 2] = True
    assert ((found.changes != 0) == changed[..., None]).all()
    # Of seven classes the first has logit 6 or, without its place, 0; the others always 0.
    before, after = 6 - np.log(6), -np.log(6)
    assert found.changes[0, 2, 0] == pytest.approx(after - before, abs=1e-5)
    assert found.covered[0, 2] == pytest.approx(np.full(7, 1 / 7), abs=1e-6)
    assert found.probabilities[0] == pytest.approx(np.exp(6) / (np.exp(6) + 6), abs=1e-6)


def test_an_occlusion_map_is_the_answer_to_each_covered_picture_at_its_own_temperature(inputs):
    predictor = load_predictor("vgg")
    card = predictor.card
    found = maps.occlusion(predictor, inputs[2], grid=8)
    assert found.changes.shape == found.covered.shape == (8, 8, 100)
    np.testing.assert_array_equal(found.probabilities, predictor.predict_arrays(inputs[2:3])[0])

    def odds(pixels: np.ndarray) -> np.ndarray:
        black = (pixels == 0).all(-1).mean()
        temperature = card.temperature * (1 + card.black_slope * black)
        scaled = predictor.logits(pixels[None])[0].astype(np.float64) / temperature
        p = np.exp(scaled - scaled.max()) / np.exp(scaled - scaled.max()).sum()
        return np.log(p / (1 - p))

    for row, column in [(0, 0), (3, 5), (7, 7)]:
        covered = inputs[2].copy()
        covered[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 0
        np.testing.assert_allclose(found.changes[row, column], odds(covered) - odds(inputs[2]), atol=2e-3)
        np.testing.assert_allclose(
            found.covered[row, column], predictor.predict_arrays(covered[None])[0], atol=1e-5
        )


def test_squares_of_a_picture_with_an_odd_side_tile_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    make_artifact(tmp_path, "odd", size=25)
    predictor = load_predictor("odd")
    pixels = np.random.default_rng(1).integers(1, 256, (25, 25, 3)).astype(np.uint8)
    found = maps.occlusion(predictor, pixels, grid=4)
    borders = [0, 6, 13, 19, 25]
    for row in range(4):
        for column in range(4):
            covered = pixels.copy()
            covered[borders[row] : borders[row + 1], borders[column] : borders[column + 1]] = 0
            expected = predictor.predict_arrays(covered[None])[0]
            np.testing.assert_allclose(found.covered[row, column], expected, atol=1e-6)


def test_squares_may_be_painted_grey(corner):
    pixels = np.full((corners.SIDE, corners.SIDE, 3), 255, np.uint8)
    assert maps.occlusion(corner, pixels, 4, fill=255).changes.any() == np.False_
    half = maps.occlusion(corner, pixels, 4, fill=51).changes[0, 2, 0]
    assert half == pytest.approx(-6 * 0.8, abs=1e-4)


@pytest.mark.parametrize("grey", [0, 180], ids=["all black", "one colour"])
def test_pictures_without_anything_in_them_have_maps(shipped, grey):
    pixels = np.full((32, 32, 3), grey, np.uint8)
    found = maps.occlusion(load_predictor(shipped), pixels, 4)
    assert np.isfinite(found.changes).all()
    if grey == 0:
        np.testing.assert_allclose(found.changes, 0, atol=1e-5)
    of = structure(shipped)
    trace = tracer(shipped).trace(pixels[None])[0]
    sums = maps.class_activation(of, trace).mean((1, 2)) + of.dense()[1]
    np.testing.assert_allclose(sums, trace.logits, atol=1e-4)
    assert np.isfinite(maps.ablation(shipped, trace, tails.cut_layers(of)[-2], most=4).values).all()


def test_grids_fills_and_pictures_that_cannot_be_are_refused(corner):
    pixels = np.zeros((corners.SIDE, corners.SIDE, 3), np.uint8)
    with pytest.raises(ValueError, match="the grid must be one of 4, 8, 16 squares a side, not 5"):
        maps.occlusion(corner, pixels, 5)
    with pytest.raises(ValueError, match="a grey of 0 to 255, not 256"):
        maps.occlusion(corner, pixels, 4, 256)
    with pytest.raises(ValueError, match=r"corner takes uint8 \(n, 24, 24, 3\)"):
        maps.occlusion(corner, pixels[:20, :20], 4)


def test_log_odds_stay_finite_where_the_probability_is_one():
    rows = [[0.0, 1.0, -1.0], [900.0, 0.0, 10.0], [5000.0, 0.0, 0.0], [1e5, 1e5, 0.0], [40.0, 0.0, 0.0]]
    odds = maps.log_odds(np.array(rows))
    p = np.exp([0.0, 1.0, -1.0]) / np.exp([0.0, 1.0, -1.0]).sum()
    np.testing.assert_allclose(odds[0], np.log(p / (1 - p)), rtol=1e-12)
    np.testing.assert_allclose(odds[1], [890 - np.log1p(np.exp(-10.0)), -900, -890])
    assert odds[2, 0] == pytest.approx(5000)
    np.testing.assert_allclose(odds[3], [0, 0, -1e5 - np.log(2)])
    np.testing.assert_allclose(odds[4], [40 - np.log(2), -40, -40])


def test_log_odds_take_each_pictures_temperature():
    logits = np.array([[4.0, 0.0], [4.0, 0.0]])
    np.testing.assert_allclose(maps.log_odds(logits, np.array([1.0, 2.0])), [[4, -4], [2, -2]])
