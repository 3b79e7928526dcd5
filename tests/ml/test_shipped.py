"""The networks in the repository: whole, as good as their cards say, and the same on both engines."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from ml import artifact, config, data, networks
from ml.labels import CIFAR100
from ml.predictor import Predictor, load_predictor
from tests.ml import engines

MEGABYTE = 1_000_000


@cache
def loaded(name: str, precision: str) -> Predictor:
    return load_predictor(name, engine="openvino", precision=precision)


def test_the_vgg_is_there():
    assert "vgg" in config.artifact_names()


def test_an_artifact_is_whole(shipped):
    card = artifact.load_card(shipped)
    artifact.verify(card)
    found = {str(path.relative_to(card.folder)) for path in card.folder.rglob("*") if path.is_file()}
    assert found == {config.CARD, *card.files}
    assert card.curves()
    assert card.labels == CIFAR100


def test_artifacts_fit_into_the_repository():
    sizes = [p.stat().st_size for p in config.artifacts_dir().rglob("*") if p.is_file()]
    assert max(sizes) <= 95 * MEGABYTE
    assert sum(sizes) < 131 * 1024**2


def test_a_card_counts_what_the_network_has(shipped):
    card = artifact.load_card(shipped)
    network = networks.build(card.architecture, size=card.size, **card.options)
    assert card.parameters == network.count_params()
    assert card.multiply_adds == networks.multiply_adds(network)
    assert card.layers == networks.layer_table(network)


def test_a_shipped_network_names_seven_of_ten_test_pictures_and_knows_how_sure_it_may_be(shipped):
    metrics = artifact.load_card(shipped).metrics
    assert metrics["n"] == 10_000
    assert metrics["top1"] >= 0.70
    # Without pictures that it never saw there is nothing to fit a temperature on; its card and the page say so.
    before = artifact.load_card(shipped).training.get("before", [])
    fitted = all(row.get("held_out") for row in before)
    assert metrics["ece"] < (0.02 if fitted else 0.07)
    assert metrics["covered_ece"] < (0.03 if fitted else 0.07)
    assert metrics["precision"] == "int8"


def test_int8_gives_the_answers_of_float32(shipped):
    card = artifact.load_card(shipped)
    assert card.reference_metrics["top1"] - card.metrics["top1"] <= 0.005
    assert card.metrics["agreement"] >= 0.97
    assert card.metrics["agreement_sure"] >= 0.995


def test_a_shipped_network_tells_what_is_outside_its_classes(shipped):
    for kind, row in artifact.load_card(shipped).outside["test"]["sets"].items():
        assert row["auroc"] >= 0.95, kind


@pytest.fixture
def some(shipped, inputs):
    """The committed inputs; every fifth for the Wide ResNet, whose references take a tenth of a second each."""
    return inputs if artifact.load_card(shipped).multiply_adds < 1e9 else inputs[::5]


def test_openvino_and_tensorflow_agree(shipped, some):
    engines.assert_engines_agree(shipped, some)


def test_int8_names_the_same_class_wherever_the_reference_is_sure(shipped, some):
    reference = loaded(shipped, "float32").predict_arrays(some)
    quick = loaded(shipped, "int8").predict_arrays(some)
    sure = reference.max(-1) > engines.SURE
    assert sure.sum() >= 20
    assert np.array_equal(quick[sure].argmax(-1), reference[sure].argmax(-1))


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_a_batch_of_32_equals_32_singles_bit_for_bit(shipped, precision, inputs):
    engines.assert_a_batch_equals_its_singles(loaded(shipped, precision), inputs)


def test_the_same_picture_is_answered_alike_fifty_times_in_every_format(shipped, inputs):
    engines.assert_files_answer_always_alike(loaded(shipped, "int8"), inputs[0])


def test_a_card_is_as_good_as_it_says(shipped, real_data):
    card = artifact.load_card(shipped)
    test = data.load(real_data, "test")
    # Four pictures of every class are enough to tell a network from a broken one, and cheap for the slowest.
    few = test.take(np.arange(0, len(test), 25))
    right = loaded(shipped, "int8").logits(few.images).argmax(-1) == few.labels
    error = np.sqrt(card.metrics["top1"] * (1 - card.metrics["top1"]) / len(few))
    assert right.mean() == pytest.approx(card.metrics["top1"], abs=4 * error)
