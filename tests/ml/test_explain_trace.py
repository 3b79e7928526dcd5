"""What is kept of a picture's way through a network, and what is derived from it, is what the graph computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import openvino
import pytest
from openvino import opset1
from openvino import opset15 as op

from ml import artifact
from ml.explain.structure import structure
from ml.explain.trace import AT_ONCE, Tracer, derived, tracer, value
from ml.predictor import load_predictor
from ml.preprocessing import Preprocessing, normalise
from ml.storage import write_json
from tests.ml.networks_for_tests import write_artifact

SETTINGS = {"INFERENCE_PRECISION_HINT": "f32"}


def exposed(card: artifact.Card, names: list[str], pixels: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of the named layers as a run that hands out all of them gives them, by name."""
    model = artifact.read_graph(card, artifact.EXACT)
    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    outputs = [op.result(nodes[name].output(0)) for name in names]
    compiled = openvino.Core().compile_model(
        openvino.Model(outputs, model.get_parameters(), "exposed"), "CPU", SETTINGS
    )
    results = compiled([normalise(pixels, card.preprocessing)])
    return {name: np.array(results[i]) for i, name in enumerate(names)}


def test_every_layer_is_what_a_run_that_exposes_it_gives(shipped, inputs):
    found = structure(shipped)
    names = [layer.name for layer in found.layers if layer.kind != "input"]
    pixels = inputs[[0, 250]]
    expected = exposed(found.card, names, pixels)
    for i, trace in enumerate(tracer(shipped).trace(pixels)):
        for name in names:
            ours, right = value(found, trace, name), expected[name][i]
            assert ours.dtype == np.float32
            difference = np.abs(ours - right.reshape(ours.shape)).max()
            assert difference <= 1e-5 * np.abs(right).max(), (name, difference)


def test_the_first_layer_is_the_normalised_picture(random_folder, inputs):
    found = structure("vgg")
    (trace,) = tracer("vgg").trace(inputs[:1])
    picture = normalise(inputs[:1], found.card.preprocessing)[0]
    assert np.array_equal(value(found, trace, "pictures"), picture.transpose(2, 0, 1))
    assert np.array_equal(trace.pixels, inputs[0])


def test_the_logits_are_the_predictors_in_float32(shipped, inputs):
    expected = load_predictor(shipped, engine="openvino", precision="float32").logits(inputs[:3])
    for trace, right in zip(tracer(shipped).trace(inputs[:3]), expected, strict=True):
        np.testing.assert_allclose(trace.logits, right, atol=1e-4)
        assert np.array_equal(value(structure(shipped), trace, "head/dense").ravel(), trace.logits)


def test_many_pictures_give_the_same_as_each_alone(random_folder, inputs, architecture):
    found = tracer(architecture)
    pixels = inputs[: AT_ONCE + 1]
    together = found.trace(pixels)
    assert len(together) == AT_ONCE + 1
    for i in (0, AT_ONCE):
        (alone,) = found.trace(pixels[i : i + 1])
        assert np.array_equal(alone.logits, together[i].logits)
        for name, values in alone.convolutions.items():
            assert np.array_equal(values, together[i].convolutions[name]), name


def test_a_trace_keeps_its_numbers_when_the_next_picture_comes(random_folder, inputs):
    (first,) = tracer("vgg").trace(inputs[:1])
    before = {name: values.copy() for name, values in first.convolutions.items()}
    tracer("vgg").trace(inputs[1:2])
    assert all(np.array_equal(values, before[name]) for name, values in first.convolutions.items())


def test_nothing_is_compiled_twice_for_one_version(random_folder):
    assert tracer("vgg", 1) is tracer("vgg", 1)


def test_pictures_of_another_size_are_refused(random_folder):
    with pytest.raises(ValueError, match=r"vgg takes uint8 \(n, 32, 32, 3\), not uint8 \(1, 16, 16, 3\)"):
        tracer("vgg").trace(np.zeros((1, 16, 16, 3), np.uint8))


def test_less_than_one_thread_is_refused(random_folder):
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        tracer("vgg", 0)


@pytest.fixture
def trace(random_folder, inputs):
    return tracer("vgg").trace(inputs[:1])[0]


def changed(trace, name, values):
    return replace(trace, convolutions={**trace.convolutions, name: values})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_trace_with_numbers_that_are_not_finite_is_refused(trace, bad):
    values = trace.convolutions["block2/conv1"].copy()
    values[3, 2, 1] = bad
    with pytest.raises(ValueError) as caught:
        value(structure("vgg"), changed(trace, "block2/conv1", values), "block2/relu1")
    assert str(caught.value) == "block2/conv1 holds numbers in this trace that are not finite."
    with pytest.raises(ValueError, match="head/dense holds numbers in this trace that are not finite"):
        value(structure("vgg"), replace(trace, logits=trace.logits * np.float32(bad)), "head/dense")


def test_a_trace_of_another_network_is_refused(trace):
    found = structure("vgg")
    with pytest.raises(ValueError) as caught:
        value(found, changed(trace, "block1/conv1", np.zeros((3, 4, 5), np.float32)), "block1/bn1")
    assert str(caught.value) == "block1/conv1 gives (64, 32, 32), but this trace holds (3, 4, 5)."
    with pytest.raises(KeyError) as missing:
        value(found, replace(trace, convolutions={}), "block1/relu1")
    assert missing.value.args[0] == "This trace does not hold the convolution 'block1/conv1'."
    with pytest.raises(ValueError, match="vgg sees pictures of 32 x 32 pixels, not"):
        value(found, replace(trace, pixels=np.zeros((24, 24, 3), np.uint8)), "pictures")
    with pytest.raises(KeyError, match="vgg has no layer called 'block1/conv9'"):
        value(found, trace, "block1/conv9")


def test_only_what_lies_between_convolutions_is_derived(trace):
    found = structure("vgg")
    with pytest.raises(ValueError, match="head/dense is a dense layer, which is not derived from its inputs"):
        derived(found, found.layer("head/dense"), [value(found, trace, "head/pool")])


def odd_windows() -> openvino.Model:
    """A graph of 11 x 11 pixels with every way of padding, and with poolings that overlap and that pad."""
    rng = np.random.default_rng(3)

    def named(node, name):
        node.set_friendly_name(name)
        return node

    def convolution(x, name, outputs, side, stride, begin, end, auto):
        shape = (outputs, x.get_output_partial_shape(0)[1].get_length(), side, side)
        kernel = op.constant(rng.normal(0, 0.3, shape).astype(np.float16))
        return named(
            op.convolution(x, op.convert(kernel, np.float32), stride, begin, end, [1, 1], auto_pad=auto), name
        )

    pictures = op.parameter([-1, 11, 11, 3], np.float32, name="pictures")
    x = op.transpose(pictures, np.array([0, 3, 1, 2]))
    x = convolution(x, "one", 4, 5, [1, 1], [0, 0], [0, 0], "same_upper")
    x = named(opset1.max_pool(x, [1, 1], [1, 0], [1, 2], [3, 3]), "overlapping")
    x = convolution(x, "two", 5, 4, [1, 1], [0, 0], [0, 0], "same_lower")
    x = convolution(x, "three", 6, 3, [2, 2], [2, 0], [1, 1], "explicit")
    x = named(opset1.max_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], auto_pad="same_upper"), "padded")
    x = convolution(x, "four", 7, 2, [1, 1], [0, 0], [0, 0], "valid")
    x = named(op.reduce_mean(x, np.array([2, 3]), keep_dims=False), "average")
    kernel = op.constant(rng.normal(0, 1, (5, 7)).astype(np.float32))
    logits = named(op.add(op.matmul(x, kernel, False, True), op.constant(np.ones(5, np.float32))), "last")
    return openvino.Model([op.result(logits)], [pictures], "odd")


def test_any_padding_stride_and_overlap_is_read_from_the_graph(tmp_path, monkeypatch):
    folder = tmp_path / "odd"
    folder.mkdir()
    openvino.save_model(odd_windows(), folder / "network.xml", compress_to_fp16=False)
    values = write_artifact(tmp_path / "elsewhere", "vgg").to_dict()
    files = {file: artifact.checksum(folder / file) for file in ("network.xml", "network.bin")}
    how = Preprocessing(size=11).to_dict()
    changes = {
        "name": "odd",
        "version": "odd-1",
        "labels": list("abcde"),
        "files": files,
        "preprocessing": how,
    }
    write_json(folder / "card.json", {**values, **changes})
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    found = structure("odd")
    assert [layer.kind for layer in found.layers[1:]] == [
        "convolution",
        "max_pool",
        "convolution",
        "convolution",
        "max_pool",
        "convolution",
        "average_pool",
        "dense",
    ]
    pixels = np.random.default_rng(4).integers(0, 256, (1, 11, 11, 3), dtype=np.uint8)
    expected = exposed(found.card, [layer.name for layer in found.layers[1:]], pixels)
    (trace,) = Tracer(found).trace(pixels)
    for layer in found.layers[1:]:
        right = expected[layer.name][0].reshape(layer.shape)
        np.testing.assert_allclose(value(found, trace, layer.name), right, rtol=1e-5, atol=1e-5)
