"""The score for pictures outside the classes: its parts, how it is chosen, kept, served and measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest

from ml import artifact, config, features, outside, outside_score
from ml.artifact import ArtifactError
from ml.engines import Outputs
from ml.outside_score import METHODS, PARTS, Sample, Score
from ml.predictor import load_predictor
from ml.storage import read_arrays, write_arrays, write_json
from tests.ml import networks_for_tests

RNG = np.random.default_rng(3)
DEEP, MIDDLE = 16, 10


def sample(n: int, *, shift: float = 0.0, logits: float = 6.0, seed: int = 0) -> Sample:
    """Three classes at three corners of the features; ``shift`` multiplies the middle, ``logits`` the sure one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    deep = np.abs(rng.normal(0, 0.3, (n, DEEP))) + 2 * np.eye(3, DEEP)[labels]
    middle = np.exp(rng.normal(shift, 0.2, (n, MIDDLE)))
    return Sample(rng.normal(0, 1, (n, 3)) + logits * np.eye(3)[labels], middle, deep, labels)


def test_auroc_counts_pairs_and_halves_ties():
    assert outside.auroc(np.array([1, 2, 3]), np.array([4, 5])) == 1
    assert outside.auroc(np.array([4, 5]), np.array([1, 2, 3])) == 0
    assert outside.auroc(np.array([1, 1]), np.array([1])) == 0.5
    assert outside.auroc(np.array([1, 2, 4]), np.array([2, 3])) == pytest.approx((1 + 0.5 + 1 + 1) / 6)


def test_energy_and_maximum_logit_are_as_published():
    one = Sample(np.array([[1.0, 2.0, 3.0]]), np.empty((1, 0)), np.empty((1, 0)))
    assert outside_score.energy({}, one)[0] == pytest.approx(-np.log(np.exp([1, 2, 3]).sum()))
    assert outside_score.max_logit({}, one)[0] == -3


def test_the_distance_to_the_tenth_neighbour_is_that_of_a_plain_search():
    known, asked = sample(40), sample(5, seed=1)
    arrays = PARTS["neighbours"].fit(known)
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)  # noqa: E731
    distances = np.linalg.norm(unit(asked.deep)[:, None] - unit(known.deep)[None], axis=-1)
    found = PARTS["neighbours"].score(arrays, asked)
    np.testing.assert_allclose(found, np.sort(distances, -1)[:, 9], atol=2e-3)


def test_mahalanobis_distance_is_that_of_the_formula():
    known, asked = sample(400), sample(5, seed=1)
    means = np.stack([known.deep[known.labels == i].mean(0) for i in range(3)])
    apart = known.deep - means[known.labels]
    covariance = apart.T @ apart / len(apart)
    covariance += outside_score.RIDGE * np.trace(covariance) / DEEP * np.eye(DEEP)
    offsets = asked.deep[:, None] - means
    squares = np.einsum("nci,ij,ncj->nc", offsets, np.linalg.inv(covariance), offsets)
    arrays = PARTS["mahalanobis"].fit(known)
    np.testing.assert_allclose(PARTS["mahalanobis"].score(arrays, asked), np.sqrt(squares.min(-1)), rtol=1e-4)


def test_vim_adds_what_lies_beside_the_usual_directions_to_the_energy():
    known, asked = sample(400), sample(5, seed=1)
    arrays = PARTS["vim"].fit(known)
    _, directions = np.linalg.eigh(np.cov(known.deep.T))
    rest = directions[:, : -(DEEP // 4)]
    beside = np.linalg.norm((asked.deep - known.deep.mean(0)) @ rest, axis=1)
    scale = (
        known.logits.max(1).mean() / np.linalg.norm((known.deep - known.deep.mean(0)) @ rest, axis=1).mean()
    )
    expected = scale * beside + outside_score.energy({}, asked)
    np.testing.assert_allclose(PARTS["vim"].score(arrays, asked), expected, rtol=1e-4)


def test_a_silent_channel_is_as_strange_as_a_loud_one():
    arrays = PARTS["middle"].fit(sample(400))
    usual = PARTS["middle"].score(arrays, sample(50, seed=1))
    for factor in (0.1, 10):
        asked = sample(50, seed=1)
        asked.middle[:, 0] *= factor
        assert (PARTS["middle"].score(arrays, asked) > usual + 1).all()


def chosen(**strange: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return outside.choose(
        sample(400), sample(300, seed=1), sample(50, seed=2), {"odd": sample(100, seed=3, **strange)}, DEEP
    )


def test_the_method_that_tells_best_is_kept_and_lets_the_promised_share_pass():
    found, arrays = chosen(shift=0.6)
    compared = found["compared"]
    assert set(compared) == set(METHODS)
    assert compared["middle"]["together"] > 0.99
    assert compared["energy"]["together"] < 0.7
    assert compared[found["method"]]["together"] == max(row["together"] for row in compared.values())
    score = Score(found["method"], DEEP, arrays)
    assert (score.of(sample(300, seed=1)) <= found["threshold"]).mean() == pytest.approx(0.98, abs=0.004)
    assert (score.of(sample(100, seed=4, shift=0.6)) > found["threshold"]).mean() > 0.9
    used = {key.split("/")[0] for key in arrays} - {"deep"}
    assert used == set(METHODS[found["method"]])


def test_a_method_that_finds_photographs_strange_is_not_chosen():
    unsure = {"odd": sample(100, seed=3, shift=0.35, logits=1)}
    known, kept = sample(400), sample(300, seed=1)
    found, _ = outside.choose(known, kept, sample(300, seed=2, shift=0.35), unsure, DEEP)
    assert "middle" not in found["method"]
    assert found["accepted_photographs"] > 0.9


def test_without_features_only_the_logits_are_asked():
    bare = [
        Sample(s.logits, np.empty((len(s.logits), 0)), np.empty((len(s.logits), 0)), s.labels)
        for s in (sample(100), sample(100, seed=1), sample(20, seed=2), sample(50, seed=3, logits=0))
    ]
    found, arrays = outside.choose(*bare[:3], {"odd": bare[3]}, DEEP)
    assert set(found["compared"]) == {"max_logit", "energy"}
    assert not Score(found["method"], DEEP, arrays).needs_features()


def add_score(folder: Path, method: str, deep: int, arrays: dict[str, Any], threshold: float = 1.0) -> None:
    """Gives an artifact a score as the export does."""
    write_arrays(folder / outside.FILE, {**arrays, "deep": np.asarray(deep)})
    values = json.loads((folder / config.CARD).read_text())
    values["files"][outside.FILE] = artifact.checksum(folder / outside.FILE)
    values["outside"] = {"method": method, "threshold": threshold, "accepted": 0.98}
    write_json(folder / config.CARD, values)


@pytest.fixture
def own_artifact(tmp_path, monkeypatch, inputs) -> Path:
    """The folder of a VGG with random weights and a score fitted to nothing but the committed inputs."""
    networks_for_tests.write_artifact(tmp_path, "vgg")
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    seen = outside_score.sample_of(load_predictor("vgg").outputs(inputs), 512)
    parts = ("middle", "vim")
    arrays = {k: v for name in parts for k, v in outside._fit_part(name, PARTS[name], seen, seen).items()}
    add_score(tmp_path / "vgg", "middle+vim", 512, arrays)
    return tmp_path / "vgg"


def test_engines_agree_on_the_score_and_on_the_features(own_artifact, inputs):
    ours = load_predictor("vgg", engine="openvino", precision="float32")
    theirs = load_predictor("vgg", engine="tensorflow")
    middle, deep = 128 + 256, 512
    assert ours.outputs(inputs[:40]).features.shape == (40, middle + deep)
    a, b = ours.answers(inputs[:40]), theirs.answers(inputs[:40])
    np.testing.assert_allclose(
        ours.outputs(inputs[:8]).features, theirs.outputs(inputs[:8]).features, atol=1e-4
    )
    np.testing.assert_allclose(a.outside, b.outside, atol=2e-2)
    assert np.array_equal(a.probabilities, ours.predict_arrays(inputs[:40]))
    assert a.outside.dtype == np.float32
    assert np.ptp(a.outside) > 0.5


def test_the_score_of_a_picture_does_not_depend_on_its_neighbours(own_artifact, inputs):
    predictor = load_predictor("vgg")
    together = predictor.answers(inputs[:35]).outside
    alone = [predictor.answers(one[None]).outside[0] for one in inputs[:35:7]]
    np.testing.assert_allclose(together[::7], alone, atol=1e-5)
    assert predictor.answers(inputs[:0]).probabilities.shape == (0, 100)


def test_an_artifact_without_a_score_answers_without_one(random_folder, inputs):
    answers = load_predictor("vgg").answers(inputs[:2])
    assert answers.outside is None
    assert answers.probabilities.shape == (2, 100)


def test_an_engine_without_features_answers_without_a_score(own_artifact, inputs, monkeypatch):
    predictor = load_predictor("vgg")
    run = predictor.engine.run
    monkeypatch.setattr(predictor.engine, "run", lambda pictures: Outputs(run(pictures).logits, None))
    assert predictor.answers(inputs[:2]).outside is None


def test_a_damaged_or_missing_file_is_refused_when_the_network_is_loaded(own_artifact):
    path = own_artifact / outside.FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(ArtifactError, match="checksum"):
        load_predictor("vgg")
    path.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        load_predictor("vgg")
    path.write_bytes(whole)
    add_score(own_artifact, "a method of the future", 512, read_arrays(path))
    with pytest.raises(ArtifactError, match="no method 'a method of the future'"):
        load_predictor("vgg")


@pytest.mark.parametrize("name", sorted(features.LAYERS))
def test_attached_features_leave_the_logits_as_they_are(random_folder, name):
    model = openvino.Core().read_model(random_folder / name / "network.xml")
    again = features.attached(model, name)
    assert [sorted(port.get_names()) for port in again.outputs] == [["logits"], ["features"]]
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    pictures = RNG.normal(0, 1, (2, 32, 32, 3)).astype(np.float32)
    one, two = (openvino.Core().compile_model(m, "CPU", settings)([pictures]) for m in (model, again))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])


def test_a_graph_without_the_layers_is_refused(random_folder):
    model = openvino.Core().read_model(random_folder / "vgg" / "network.xml")
    with pytest.raises(ValueError, match="no layer group2/block1/relu1"):
        features.attached(model, "wideresnet")


@pytest.fixture
def few(monkeypatch) -> None:
    monkeypatch.setattr(outside, "TEST", 8)


def test_the_command_measures_generated_and_supplied_sets(own_artifact, tiny_data, tmp_path, few, capsys):
    np.savez(tmp_path / "black.npz", images=np.zeros((5, 32, 32, 3), np.uint8))
    arguments = ["vgg", f"--data={tiny_data}", "--outliers", str(tmp_path / "black.npz")]
    assert outside.main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["sets"]) == ["textures", "noise", "text", "drawings", "together", "black"]
    assert [row["n"] for row in found["sets"].values()] == [8, 8, 8, 8, 32, 5]
    assert (found["model"], found["method"], found["n"]) == ("vgg", "middle+vim", 200)
    scores = load_predictor("vgg").answers(np.zeros((1, 32, 32, 3), np.uint8)).outside
    assert found["sets"]["black"]["caught"] == float(scores[0] > 1.0)
    assert outside.main(arguments) == 0
    assert "drawings" in capsys.readouterr().out


def test_the_command_says_in_one_sentence_what_is_missing(random_folder, tiny_data, tmp_path, few, capsys):
    assert outside.main(["vgg", f"--data={tiny_data}"]) == 2
    assert "exported without a score" in capsys.readouterr().err
    assert outside.main(["vgg", f"--data={tmp_path}"]) == 2
    assert "No CIFAR-100" in capsys.readouterr().err
    assert outside.main(["vgg", f"--data={tiny_data}", "--outliers", str(tmp_path / "none")]) == 2
    assert "There is no" in capsys.readouterr().err


def test_an_exported_network_carries_its_score(exported_artifacts, inputs):
    card = artifact.load_card("vgg")
    assert card.outside is not None
    assert card.outside["method"] in METHODS
    assert set(card.outside["compared"]) == set(METHODS)
    assert outside.FILE in card.files
    assert (card.folder / outside.FILE).stat().st_size < 3_000_000
    scores = load_predictor("vgg").answers(inputs[:6]).outside
    assert np.isfinite(scores).all()
