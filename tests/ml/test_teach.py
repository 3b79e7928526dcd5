"""A teacher's answers are about the training pictures in their order, and a student learns from them."""

from __future__ import annotations

import numpy as np
import pytest

from ml import data, networks, teach, train
from ml.storage import read_arrays, read_lines, write_arrays
from tests.ml.conftest import TRAINING
from tests.ml.networks_for_tests import lively


@pytest.fixture(scope="module")
def taught(tiny_data, tmp_path_factory):
    """(the teacher's network, the file with its answers)."""
    folder = tmp_path_factory.mktemp("teacher")
    network = lively("wideresnet", size=32, depth=28, width=1, dropout=0.0)
    write_arrays(folder / "teacher.npz", networks.get_weights(network))
    out = folder / "answers.npz"
    command = ["wideresnet", "--width=1", f"--weights={folder / 'teacher.npz'}", f"--data={tiny_data}"]
    assert teach.main([*command, f"--out={out}"]) == 0
    return network, out


def test_the_answers_are_the_mean_logits_of_the_views_of_each_training_picture(taught, tiny_data):
    network, out = taught
    train_split, _ = data.load_for_training(tiny_data)
    answers = read_arrays(out)
    assert np.array_equal(answers["labels"], train_split.labels)
    chosen = train_split.images[:6]
    seen = teach.views(chosen)
    assert len(seen) == 4
    assert np.array_equal(seen[0], chosen)
    assert np.array_equal(seen[1], chosen[:, :, ::-1])
    from ml.preprocessing import Preprocessing, normalise

    expected = np.mean([network(normalise(np.ascontiguousarray(v), Preprocessing(32))) for v in seen], axis=0)
    spread = np.abs(expected).max()
    # bfloat16 inside, float16 in the file.
    np.testing.assert_allclose(answers["logits"][:6].astype(float), expected, atol=0.05 * spread)


def test_a_student_is_pulled_towards_its_teacher_and_not_to_the_labels_alone(tiny_data, tmp_path):
    """A teacher that calls every class by the next one's name is believed when its weight is 1."""
    split, _ = data.load_for_training(tiny_data)
    wrong = (split.labels + 1) % 100
    logits = np.where(np.eye(100)[wrong] > 0, 8.0, 0.0).astype(np.float16)
    write_arrays(tmp_path / "wrong.npz", {"logits": logits, "labels": split.labels})
    heard = {}
    for weight in ("0.001", "1"):
        out = tmp_path / weight
        options = [f"--teacher={tmp_path / 'wrong.npz'}", f"--distill={weight}", "--label-smoothing=0"]
        command = ["vgg", f"--data={tiny_data}", f"--out={out}", *TRAINING, *options, "--cutmix=0"]
        assert train.main([*command, "--limit=320", "--batch=16", "--phases=8:1"]) == 0
        heard[weight] = read_lines(out / "log.jsonl")[-1]["train_accuracy"]
    # Accuracy is against the labels, which the second student was never shown.
    assert heard["0.001"] > 0.05
    assert heard["1"] < heard["0.001"] / 2


@pytest.mark.parametrize("kind", ["shorter", "shuffled", "other"])
def test_answers_about_other_pictures_are_refused(kind, tiny_data, tmp_path, capsys):
    split, _ = data.load_for_training(tiny_data)
    logits = np.zeros((len(split), 100), np.float16)
    labels = {
        "shorter": split.labels[:-1],
        "shuffled": np.roll(split.labels, 1),
        "other": split.labels,
    }[kind]
    write_arrays(tmp_path / "t.npz", {"answers" if kind == "other" else "logits": logits, "labels": labels})
    command = ["vgg", f"--data={tiny_data}", f"--out={tmp_path / 'run'}", *TRAINING]
    assert train.main([*command, f"--teacher={tmp_path / 't.npz'}"]) == 2
    assert "holds no answers to these training pictures" in capsys.readouterr().err


def test_what_cannot_teach_is_answered_with_one_sentence(tiny_data, tmp_path, capsys):
    write_arrays(tmp_path / "bad.npz", {"a": np.zeros(3)})
    for name, reason in (("bad", "weights are missing"), ("absent", "No such file")):
        command = ["vgg", f"--weights={tmp_path / name}.npz", f"--data={tiny_data}"]
        assert teach.main([*command, f"--out={tmp_path / 'out.npz'}"]) == 2
        message = capsys.readouterr().err
        assert message.startswith("ml.teach: ")
        assert reason in message
    assert not (tmp_path / "out.npz").exists()
