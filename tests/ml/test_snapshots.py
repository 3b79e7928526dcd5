"""A snapshot is small, answers like the weights it was made of, and a damaged one is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml import artifact, data, networks, snapshots
from ml.preprocessing import Preprocessing, normalise
from ml.storage import read_arrays
from tests.ml.networks_for_tests import lively


@pytest.fixture
def card(exported_artifacts):
    return artifact.load_card("vgg")


def test_packing_keeps_kernels_within_half_a_step_in_a_fifth_of_the_room(tmp_path):
    weights = networks.get_weights(lively("vgg", size=32, dropout=0.0))
    snapshots.write(tmp_path / "s.npz", weights)
    back = snapshots.unpack(read_arrays(tmp_path / "s.npz"))
    assert back.keys() == weights.keys()
    for name, exact in weights.items():
        assert back[name].shape == exact.shape
        largest = np.abs(exact).max(axis=tuple(range(exact.ndim - 1))) if exact.ndim > 1 else 0
        assert (np.abs(back[name] - exact) <= largest / 62 + 1e-7).all(), name
    whole = sum(v.nbytes for v in weights.values())
    assert (tmp_path / "s.npz").stat().st_size < whole / 5


def test_a_channel_of_zeros_stays_one():
    packed = snapshots.pack({"a/kernel": np.zeros((3, 3, 2, 4), np.float32)})
    assert not snapshots.unpack(packed)["a/kernel"].any()


def test_every_listed_snapshot_answers_as_its_weights_do_at_the_size_it_learnt_at(card, inputs, straight_run):
    assert [(row["epoch"], row["size"]) for row in card.snapshots] == [(1, 8), (2, 8), (3, 16)]
    answers = []
    for row, name in zip(card.snapshots, ("epoch-001", "epoch-002", "final"), strict=True):
        assert 0 <= row["accuracy"] <= 1
        predictor = snapshots.load_snapshot(card, row["epoch"])
        pixels = data.resized(inputs[:40], row["size"])
        network = networks.build("vgg", size=row["size"])
        networks.set_weights(network, read_arrays(straight_run / "snapshots" / f"{name}.npz"))
        expected = np.asarray(network(normalise(pixels, Preprocessing(row["size"])), training=False))
        logits = predictor.logits(pixels)
        assert np.abs(logits - expected).max() < 0.1 * np.abs(expected).max()
        answers.append(logits)
    assert not np.allclose(answers[0], answers[1])


def test_an_epoch_without_a_snapshot_is_named_with_those_there_are(card):
    with pytest.raises(artifact.ArtifactError, match="no snapshot of epoch 7; there are 1, 2, 3"):
        snapshots.load_snapshot(card, 7)


def test_a_damaged_snapshot_is_refused(card, tmp_path):
    import shutil

    folder = tmp_path / "vgg"
    shutil.copytree(card.folder, folder)
    moved = replace(card, folder=folder)
    path = folder / card.snapshots[0]["file"]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(artifact.ArtifactError, match="is damaged"):
        snapshots.load_snapshot(moved, 1)
    assert snapshots.load_snapshot(moved, 2)
