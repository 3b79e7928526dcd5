"""The kinds of heat maps and curves, against float64 NumPy and the network that answers, on the shipped VGG."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifier_site.settings import BASE_DIR
from learn import kinds
from learn.kinds import KindError, Result, Work
from learn.kinds.occlusion import GRIDS
from ml import artifact
from ml.artifact import Card
from ml.explain import maps
from ml.explain.dose import ORDERS
from ml.predictor import load_predictor
from ml.preprocessing import to_input
from tests.ml import by_hand

SIZE = 32
APPLE = 0


@pytest.fixture(scope="module")
def vgg() -> Card:
    return artifact.load_card("vgg")


@pytest.fixture(scope="module")
def apple(vgg: Card) -> np.ndarray:
    return to_input(Image.open(BASE_DIR / "static" / "samples" / "apple.jpg"), vgg.preprocessing)


@pytest.fixture(scope="module")
def served() -> Any:
    """The network that answers on the site."""
    return load_predictor("vgg", engine="openvino")


def computed(card: Card, pixels: np.ndarray, name: str, **parameters: Any) -> Result:
    kind = kinds.find(name)
    return kind.compute(Work(card, pixels, None, kind.clean(parameters, card)))


def array(result: Result, member: str) -> np.ndarray:
    found = result.members[member]
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.float32
    return found


def odds(predictor: Any, pixels: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of every class, from the probabilities that are served."""
    p = predictor.predict_arrays(pixels[None])[0].astype(np.float64)
    return np.log(p) - np.log1p(-p)


def black(pixels: np.ndarray, grid: int, cells: Any) -> np.ndarray:
    side = SIZE // grid
    found = pixels.copy()
    for cell in cells:
        row, column = divmod(int(cell), grid)
        found[row * side : (row + 1) * side, column * side : (column + 1) * side] = 0
    return found


# --- class activation ------------------------------------------------------------------------------------------


def test_a_class_activation_map_is_the_weights_times_the_last_maps_and_adds_up_to_the_logit(
    vgg: Card, apple: np.ndarray
) -> None:
    weights = artifact.read_weights(vgg)
    seen: dict[str, np.ndarray] = {}

    def keep(name: str, values: np.ndarray) -> np.ndarray:
        seen[name] = values
        return values

    logits = by_hand.logits(vgg, apple, weights, keep)
    expected = np.einsum(
        "yxk,kc->cyx", seen["block4/relu2"], np.asarray(weights["head/dense/kernel"], np.float64)
    )
    result = computed(vgg, apple, "class_map")
    found = array(result, "maps.npy")
    biases, stated = array(result, "logits.npy").astype(np.float64)
    assert found.shape == (100, 4, 4)
    assert np.abs(found - expected).max() < 1e-3
    assert biases == pytest.approx(weights["head/dense/bias"], abs=1e-6)
    assert stated == pytest.approx(logits, abs=1e-4)
    assert found.astype(np.float64).mean((1, 2)) + biases == pytest.approx(stated, abs=1e-4)


# --- at a layer ------------------------------------------------------------------------------------------------


def test_at_the_last_layer_silencing_channels_says_what_class_activation_says(
    vgg: Card, apple: np.ndarray
) -> None:
    result = computed(vgg, apple, "layer_map", layer="block4/relu2")
    assert result.data["layer"] == "block4/relu2"
    assert result.data["of"] == 512
    assert 0 < result.data["channels"] <= 512
    assert 0.99 < result.data["energy"] <= 1
    exact = array(computed(vgg, apple, "class_map"), "maps.npy")
    assert array(result, "maps.npy") == pytest.approx(exact, abs=2e-2)


def test_the_layer_shown_first_exists_and_lies_in_the_middle(vgg: Card) -> None:
    kind = kinds.find("layer_map")
    assert kind.clean({}, vgg) == {"layer": "block3/relu2"}


# --- covering --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS)
def test_a_square_changes_the_log_odds_of_all_classes_as_the_answering_network_says(
    vgg: Card, apple: np.ndarray, served: Any, grid: int
) -> None:
    result = computed(vgg, apple, "occlusion", grid=grid)
    changes, before = array(result, "changes.npy"), array(result, "log_odds.npy")
    assert changes.shape == (grid, grid, 100)
    whole = odds(served, apple)
    assert before == pytest.approx(whole, abs=1e-3)
    for cell in (0, grid + 1, grid * grid // 2, grid * grid - 1):
        row, column = divmod(cell, grid)
        covered = odds(served, black(apple, grid, [cell]))
        assert changes[row, column] == pytest.approx(covered - whole, abs=2e-3)


def test_a_black_picture_has_nothing_to_cover(vgg: Card) -> None:
    nothing = np.zeros((SIZE, SIZE, 3), np.uint8)
    assert not array(computed(vgg, nothing, "occlusion", grid=4), "changes.npy").any()
    tested = computed(vgg, nothing, "trust", map="occlusion", grid=4).data
    assert tested["masks"]["passed"] is None
    assert tested["masks"]["reason"] == "black"
    assert tested["weights"]["passed"] is None
    assert tested["weights"]["reason"] == "constant"


def test_the_grids_are_those_of_the_computation() -> None:
    assert GRIDS == maps.GRIDS


# --- dose and response -----------------------------------------------------------------------------------------


def test_a_curve_is_what_the_answering_network_says_of_the_pictures_and_its_area_is_their_integral(
    vgg: Card, apple: np.ndarray, served: Any
) -> None:
    data = computed(vgg, apple, "dose").data
    assert data["index"] == APPLE
    assert [curve["order"] for curve in data["curves"]] == list(ORDERS)
    for curve in data["curves"]:
        shares = np.array(curve["shares"], np.float64)
        values = np.array(curve["probabilities"], np.float64)
        assert len(shares) == len(values) == 21
        assert sorted(curve["cells"]) == list(range(64))
        area = float((np.diff(shares) * (values[1:] + values[:-1]) / 2).sum())
        assert curve["area"] == pytest.approx(area, abs=1e-9)
        for step in (0, 7, 20):
            count = int(64 * step / 20 + 0.5)
            assert shares[step] == pytest.approx(count / 64)
            row = served.predict_arrays(black(apple, 8, curve["cells"][:count])[None])[0]
            assert values[step] == pytest.approx(row[APPLE], abs=1e-5)
            assert curve["top_indices"][step] == int(row.argmax())
    # The quarter that is covered first lies where the class activation map, 4 x 4, is above its middle value.
    activation = array(computed(vgg, apple, "class_map"), "maps.npy")[APPLE]
    first = [divmod(cell, 8) for cell in data["curves"][0]["cells"][:16]]
    assert all(activation[row // 2, column // 2] > np.median(activation) for row, column in first)


def test_any_class_has_a_curve(vgg: Card, apple: np.ndarray) -> None:
    data = computed(vgg, apple, "dose", **{"class": 53}).data
    assert data["index"] == 53
    assert len(json.dumps(data)) < 64 * 1024


# --- the tests of a map ----------------------------------------------------------------------------------------


def test_a_map_is_tested_by_covering_its_top_fifth(vgg: Card, apple: np.ndarray, served: Any) -> None:
    data = computed(vgg, apple, "trust", map="occlusion", grid=8).data
    masks = data["masks"]
    assert (data["kind"], data["index"]) == ("occlusion", APPLE)
    changes = array(computed(vgg, apple, "occlusion", grid=8), "changes.npy")[..., APPLE].reshape(-1)
    assert set(masks["cells"]) == set(np.argsort(changes)[: len(masks["cells"])].tolist())
    drop = odds(served, apple)[APPLE] - odds(served, black(apple, 8, masks["cells"]))[APPLE]
    assert masks["drop"] == pytest.approx(drop, abs=2e-3)
    assert masks["beaten"] == sum(one < masks["drop"] for one in masks["random"])
    assert masks["passed"] is (masks["beaten"] >= masks["needed"])
    assert data["weights"]["passed"] is (data["weights"]["similarity"] <= data["weights"]["threshold"])


# --- what cannot be asked --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("class_map", {"class": 3}, "class"),
        ("occlusion", {"grid": 5}, "grid"),
        ("occlusion", {"grid": "8"}, "grid"),
        ("occlusion", {"grid": [8]}, "grid"),
        ("layer_map", {"layer": "block9/relu1"}, "layer"),
        ("layer_map", {"layer": "block1/conv1"}, "layer"),
        ("layer_map", {"layer": True}, "layer"),
        ("dose", {"class": 100}, "class"),
        ("dose", {"class": -1}, "class"),
        ("dose", {"class": 1.5}, "class"),
        ("dose", {"class": True}, "class"),
        ("trust", {"map": "rainbow"}, "map"),
        ("trust", {"map": "occlusion", "grid": 7}, "grid"),
        ("trust", {"map": "ablation", "layer": "head/dense"}, "layer"),
        ("trust", {"class": "apple"}, "class"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_sentence(
    vgg: Card, kind: str, parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(KindError) as refused:
        kinds.find(kind).clean(parameters, vgg)
    assert refused.value.field == field
    assert str(refused.value).endswith(".")


def test_the_same_question_has_one_form(vgg: Card) -> None:
    clean = kinds.find("trust").clean
    assert clean({}, vgg) == clean({"map": "class_activation", "class": None, "grid": None}, vgg)
    assert clean({"grid": 16}, vgg) == clean({}, vgg)


def test_a_fine_covering_is_tested_with_larger_squares(vgg: Card) -> None:
    clean = kinds.find("trust").clean
    assert clean({"map": "occlusion", "grid": 16}, vgg)["grid"] == 8
    assert clean({"map": "occlusion", "grid": 4}, vgg)["grid"] == 4
