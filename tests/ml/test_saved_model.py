"""What is written for TensorFlow Serving answers as the exact graph does, and is offered whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml import artifact, engines, saved_model
from ml.predictor import load_predictor
from ml.preprocessing import normalise
from tests.ml import networks_for_tests


def answers(folder: Path, signature: str, values: Any) -> dict[str, np.ndarray]:
    import tensorflow as tf

    outputs = tf.saved_model.load(str(folder)).signatures[signature](pictures=tf.constant(values))
    return {key: value.numpy() for key, value in outputs.items()}


def test_both_signatures_answer_as_the_exact_graph(saved_models, random_folder, architecture, inputs):
    exact = load_predictor(architecture, engine="openvino", precision="float32")
    expected = exact.logits(inputs[:40])
    assert expected.std(0).mean() > 0.3
    pictures = normalise(inputs[:40], exact.card.preprocessing)
    raw = np.array([picture.tobytes() for picture in pictures], object)
    folder = saved_models / architecture / "1"
    for signature, values in (("serving_default", inputs[:40]), (exact.card.version, raw)):
        given = answers(folder, signature, values)
        assert set(given) == {"logits", "features"}
        np.testing.assert_allclose(given["logits"], expected, atol=1e-4)
        features = engines.create(exact.card, engine="tensorflow").run(pictures).features
        assert features is not None
        np.testing.assert_allclose(given["features"], features, atol=1e-4)


def test_the_last_of_the_features_are_what_the_last_layer_reads(random_folder, architecture, inputs):
    card = artifact.load_card(architecture)
    weights = artifact.read_weights(card)
    logits, features = engines.create(card, engine="tensorflow").run(
        normalise(inputs[:8], card.preprocessing)
    )
    assert features is not None
    kernel = weights["head/dense/kernel"]
    again = features[:, -len(kernel) :] @ kernel + weights["head/dense/bias"]
    np.testing.assert_allclose(again, logits, atol=1e-4)


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> artifact.Card:
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return networks_for_tests.write_artifact(tmp_path / "artifacts", "wideresnet")


def renamed(card: artifact.Card, version: str) -> artifact.Card:
    return artifact.Card.from_dict({**card.to_dict(), "version": version}, card.folder)


def test_a_new_version_gets_the_next_number_and_the_same_one_none(tmp_path, card):
    out = tmp_path / "served"
    first = saved_model.export(card, out)
    assert saved_model.export(card, out) == first == out / "wideresnet" / "1"
    assert saved_model.version_in(first) == card.version
    (out / "wideresnet" / "9").mkdir()
    second = saved_model.export(renamed(card, "another"), out)
    assert second == out / "wideresnet" / "10"
    # Back to what it was before: it must be the highest again.
    assert saved_model.export(card, out) == out / "wideresnet" / "11"


def test_the_folder_may_be_read_by_a_server_of_another_user(tmp_path, card):
    folder = saved_model.export(card, tmp_path)
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & stat.S_IROTH, path


def test_an_export_that_fails_leaves_nothing_behind(tmp_path, card, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(saved_model, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        saved_model.export(card, tmp_path / "served")
    assert list((tmp_path / "served" / "wideresnet").iterdir()) == []


def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path, card, capsys, monkeypatch):
    def fails(*arguments: str) -> str:
        assert saved_model.main(list(arguments)) == 2
        said = capsys.readouterr().err.strip()
        assert "\n" not in said
        return said

    assert "There is no network 'vgg'" in fails("vgg", f"--out={tmp_path}")
    (tmp_path / "file").write_text("")
    assert "file" in fails("wideresnet", f"--out={tmp_path / 'file'}")
    (card.folder / "network.bin").write_bytes(b"damaged")
    assert "its checksum is not the card's" in fails("wideresnet", f"--out={tmp_path / 'served'}")
    path = card.folder / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "architecture": "resnet"}))
    assert "There is no network 'resnet'" in fails("wideresnet", f"--out={tmp_path / 'served'}")
