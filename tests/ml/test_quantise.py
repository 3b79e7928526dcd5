"""Int8 answers only where it costs next to nothing."""

from __future__ import annotations

import json

import pytest

from ml import artifact, config, data, export, graph
from ml.predictor import load_predictor
from ml.preprocessing import Preprocessing
from ml.quantise import is_worth_it
from tests.ml.networks_for_tests import lively, write_artifact


@pytest.mark.parametrize(
    ("lost", "agreement", "worth"),
    [
        (0.0, 1.0, True),
        (-0.01, 0.99, True),
        (0.005, 0.97, True),
        (0.0051, 0.99, False),
        (0.0, 0.9699, False),
        (0.3, 0.5, False),
    ],
)
def test_at_most_half_a_point_may_be_lost_and_three_in_a_hundred_answers_may_change(lost, agreement, worth):
    assert is_worth_it(lost, agreement) is worth


def test_a_network_that_int8_harms_is_shipped_without_it(tmp_path, tiny_data, monkeypatch):
    """The quantised graph is another network altogether, as if quantisation had ruined it."""
    monkeypatch.setattr(export, "quantise", lambda *_: graph.to_openvino(lively("vgg", size=32), 32))
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    card = write_artifact(tmp_path, "vgg")
    values = json.loads((card.folder / config.CARD).read_text(encoding="utf-8"))
    network = lively("vgg", size=32, dropout=0.0)
    kernel = network.get_layer("head_dense").kernel
    kernel.assign(-kernel)
    exact = graph.to_openvino(network, 32)
    export._save(export.features.attached(exact, "vgg"), card.folder / "network.xml")
    export._add_files(values, card.folder, "network.xml", "network.bin")
    train, held_out = data.load_for_training(tiny_data)
    splits = export.Splits(train, held_out, held_out)
    assert export._quantised(values, exact, splits, Preprocessing(32), card.folder) == "float32"
    assert not list(card.folder.glob("int8.*"))
    assert not [name for name in values["files"] if name.startswith("int8")]
    assert values["quantisation"]["held_out_agreement"] < 0.97
    (card.folder / config.CARD).write_text(json.dumps(values), encoding="utf-8")
    artifact._read_card.cache_clear()
    assert load_predictor("vgg").engine.precision == "float32"
