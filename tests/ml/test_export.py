"""From a training run to an artifact that answers and whose accuracy the command prints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml import artifact, data, evaluate, export, networks
from ml.predictor import load_predictor
from ml.storage import read_arrays
from tests.ml import engines
from tests.ml.conftest import ROOT


@pytest.fixture
def card(exported_artifacts: Path) -> artifact.Card:
    return artifact.load_card("vgg")


def test_the_artifact_is_whole_and_its_card_knows_every_file(card):
    artifact.verify(card)
    found = {str(path.relative_to(card.folder)) for path in card.folder.rglob("*") if path.is_file()}
    assert found == {"card.json", *card.files}
    graphs = {"network.xml", "network.bin.packed", "int8.xml", "int8.bin"}
    snapshots = {f"snapshots/{name}.npz" for name in ("epoch-001", "epoch-002", "final")}
    assert set(card.files) >= graphs | snapshots | {"log.jsonl", "evaluation.json"}


def test_the_card_describes_the_network_and_how_it_was_trained(card, straight_run):
    network = networks.build("vgg")
    assert (card.title, card.architecture, card.options) == ("VGG", "vgg", {})
    assert card.version == f"vgg-{card.files['int8.bin'][:8]}"
    assert card.parameters == network.count_params()
    assert card.multiply_adds == networks.multiply_adds(network)
    assert card.layers == networks.layer_table(network)
    assert card.training == json.loads((straight_run / "run.json").read_text()) | {"before": []}
    assert [row["epoch"] for row in card.curves()] == [1, 2, 3]
    assert 0.05 <= card.temperature <= 20


def test_the_exact_graph_holds_the_weights_of_the_run(card, straight_run):
    weights, trained = artifact.read_weights(card), read_arrays(straight_run / "weights.npz")
    assert weights.keys() == trained.keys()
    for name, value in weights.items():
        kernel = name.endswith("kernel")
        expected = trained[name].astype(np.float16).astype(np.float32) if kernel else trained[name]
        assert np.array_equal(value, expected), name


def test_the_exact_graph_agrees_with_tensorflow(card, inputs):
    ours, reference = engines.both("vgg")
    np.testing.assert_allclose(ours.logits(inputs), reference.logits(inputs), atol=1e-4)


def test_int8_answers_unless_float32_is_asked_for(card, inputs):
    quick, exact = load_predictor("vgg"), load_predictor("vgg", precision="float32")
    assert (quick.engine.precision, exact.engine.precision) == ("int8", "float32")
    a, b = quick.logits(inputs), exact.logits(inputs)
    assert not np.array_equal(a, b)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.98


def test_the_cards_figures_are_those_that_evaluation_measures(card, tiny_data):
    split = data.load(tiny_data, "test")
    measured = evaluate.evaluate(load_predictor("vgg"), split)
    for key in ("top1", "top5", "n", "engine", "precision"):
        assert card.metrics[key] == measured[key]
    assert card.metrics["ece"] == pytest.approx(measured["ece"], abs=1e-6)
    assert card.metrics["nll"] == pytest.approx(measured["nll"], abs=1e-6)
    assert card.reference_metrics["precision"] == "float32"
    assert f"{os.cpu_count()} cores" in card.metrics["hardware"]


def test_the_command_prints_the_accuracy_as_json(exported_artifacts, tiny_data):
    done = subprocess.run(
        [sys.executable, "-m", "ml.evaluate", "vgg", "--data", str(tiny_data), "--json"],
        cwd=ROOT,
        env={**os.environ, "ML_ARTIFACTS_DIR": str(exported_artifacts)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    result = json.loads(done.stdout)
    assert set(result) >= {"top1", "top5", "ece", "nll", "n", "engine"}
    assert (result["n"], result["engine"], result["precision"]) == (200, "openvino", "int8")
    assert 0 <= result["top1"] <= result["top5"] <= 1
    assert 0 <= result["ece"] <= 1
    assert result["agreement"] <= 1
    assert result["version"] == json.loads((exported_artifacts / "vgg" / "card.json").read_text())["version"]


def test_the_command_prints_a_sentence_for_people(exported_artifacts, tiny_data, capsys):
    assert evaluate.main(["vgg", f"--data={tiny_data}", "--precision=float32", "--threads=1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("VGG: top-1 ")
    assert "on 200 test pictures (openvino, float32); with black bars on " in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lenet"], "There is no network 'lenet'"),
        (["vgg", "--data=nowhere"], "No CIFAR-100 in nowhere"),
        (["vgg", "--engine=tensorflow", "--precision=int8"], "computes in float32 only"),
        (["vgg", "--threads=0"], "threads must be at least 1"),
    ],
)
def test_what_cannot_be_evaluated_is_answered_with_one_sentence(
    exported_artifacts, tiny_data, capsys, arguments, sentence
):
    assert evaluate.main([arguments[0], f"--data={tiny_data}", *arguments[1:]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ml.evaluate: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_agreement_counts_all_answers_and_those_that_the_reference_is_sure_of():
    reference = np.array([[5.0, 0], [0, 5.0], [0.1, 0], [0, 0.1]])
    answers = np.array([[1.0, 0], [0, 1.0], [0, 1.0], [0, 1.0]])
    result = evaluate.agreement(answers, reference, 1.0)
    assert result == {"agreement": 0.75, "agreement_sure": 1.0, "sure": 0.5}
    assert evaluate.agreement(answers, reference * 0, 1.0)["agreement_sure"] == 1.0


def test_a_run_that_is_not_finished_cannot_be_exported(tiny_data, tmp_path, capsys):
    arguments = ["vgg", f"--run={tmp_path}", f"--data={tiny_data}", f"--out={tmp_path / 'out'}"]
    assert export.main(arguments) == 2
    assert "run.json" in capsys.readouterr().err


def test_an_artifact_that_was_not_finished_is_not_offered(
    exported_artifacts, straight_run, tiny_data, monkeypatch, capsys, tmp_path
):
    from ml import config

    assert config.artifact_names() == ["vgg"]
    kept = shutil.copytree(exported_artifacts / "vgg", tmp_path / "vgg")

    def stop(*arguments: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(export, "_save", stop)
    arguments = ["vgg", f"--run={straight_run}", f"--data={tiny_data}"]
    try:
        assert export.main(arguments) == 2
        assert "No space left" in capsys.readouterr().err
        assert config.artifact_names() == []
    finally:
        shutil.copytree(kept, exported_artifacts / "vgg", dirs_exist_ok=True)


def test_only_the_snapshots_asked_for_are_shipped(card, straight_run, tiny_data, tmp_path):
    folder = shutil.copytree(card.folder, tmp_path / "vgg")
    shutil.rmtree(folder / "snapshots")
    values = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    held_out = data.load(tiny_data, "test")
    export._add_snapshots(values, straight_run, held_out, folder, [2])
    assert [row["epoch"] for row in values["snapshots"]] == [2]
    assert [path.name for path in (folder / "snapshots").iterdir()] == ["epoch-002.npz"]
