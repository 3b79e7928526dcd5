"""Plain and residual networks of one depth: what they share, their gradients, and a study that can be interrupted."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from ml import data, depths
from ml.depths import Study


@pytest.mark.parametrize(("depth", "published"), [(20, 0.27e6), (56, 0.85e6)])
def test_it_has_the_published_number_of_parameters(depth, published):
    """Table 6 of He and others, 2016, on ten classes."""
    found = [depths.build(kind, depth, classes=10).count_params() for kind in depths.KINDS]
    assert found[0] == found[1] == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize("kind", depths.KINDS)
def test_it_has_as_many_layers_with_weights_as_its_depth_says(kind):
    network = depths.build(kind, 20)
    named = [layer.name for layer in network.layers if "conv" in layer.name or "dense" in layer.name]
    assert len(named) == 20
    assert network.output_shape == (None, 100)


def test_without_its_convolutions_a_residual_network_passes_the_stem_on_and_a_plain_one_nothing():
    pictures = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype(np.float32)
    logits = {}
    for kind in depths.KINDS:
        network = depths.build(kind, 8, size=16)
        for layer in network.layers:
            if layer.name.startswith("stage") and "bn2" in layer.name:
                layer.set_weights([np.zeros_like(value) for value in layer.get_weights()])
        logits[kind] = network.predict_on_batch(pictures) - network.layers[-1].get_weights()[1]
    assert np.abs(logits["plain"]).max() == 0
    assert np.abs(logits["residual"]).max() > 0.01


@pytest.mark.parametrize(("kind", "depth"), [("plain", 9), ("plain", 2), ("dense", 20)])
def test_other_networks_are_refused(kind, depth):
    with pytest.raises(ValueError, match=r"depth must be|plain or residual"):
        depths.build(kind, depth)


def test_gradients_are_those_of_automatic_differentiation_and_leave_the_network_as_it_was():
    rng = np.random.default_rng(1)
    pictures, labels = rng.normal(size=(16, 8, 8, 3)).astype(np.float32), rng.integers(0, 5, 16)
    network = depths.build("residual", 8, size=8, classes=5)
    before = network.get_weights()
    found = depths.gradients(network, pictures, labels)
    for then, now in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(then, now)
    kernels = [layer.kernel for layer in network.layers if "conv" in layer.name]
    with tf.GradientTape() as tape:
        logits = network(pictures, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
    expected = [
        np.linalg.norm(gradient) / np.linalg.norm(kernel)
        for gradient, kernel in zip(tape.gradient(loss, [one.value for one in kernels]), kernels, strict=True)
    ]
    assert [row["relative"] for row in found] == pytest.approx(expected, rel=0.01)
    assert [row["name"] for row in found][:2] == ["stem/conv", "stage1/block1/conv1"]


@pytest.fixture
def pictures():
    rng = np.random.default_rng(2)
    labels = np.arange(96) % 4
    images = rng.integers(0, 60, (96, 8, 8, 3)) + (labels * 60)[:, None, None, None]
    return data.Split(images.astype(np.uint8), labels.astype(np.int64))


def test_a_study_trains_writes_and_goes_on_where_it_stopped(pictures, tmp_path, capsys, monkeypatch):
    # To train the other kind as well would take as long again.
    monkeypatch.setattr(depths, "KINDS", ("residual",))
    out, how = tmp_path / "skip.json", Study(epochs=3, size=8, batch=16)
    held_out = pictures.take(np.arange(16))
    depths.study([8], how, pictures, held_out, out)
    found = json.loads(out.read_text())
    assert [(row["kind"], row["depth"]) for row in found["runs"]] == [("residual", 8)]
    for row in found["runs"]:
        assert [line["epoch"] for line in row["log"]] == [0, 1, 2, 3]
        assert row["log"][-1]["accuracy"] > row["log"][0]["accuracy"]
        assert len(row["gradients"]["start"]) == len(row["gradients"]["end"]) == 7
    capsys.readouterr()
    assert depths.study([8], how, pictures, held_out, out) == found
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="another study"):
        depths.study([8], Study(epochs=4, size=8, batch=16), pictures, held_out, out)


def test_a_wrong_folder_is_one_sentence(tmp_path, capsys):
    assert depths.main(["--data", str(tmp_path), "--out", str(tmp_path / "x.json")]) == 2
    assert "ml.depths:" in capsys.readouterr().err
