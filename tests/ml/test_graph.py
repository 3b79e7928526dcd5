"""The OpenVINO graph is the Keras network, layer by layer and by name."""

from __future__ import annotations

import keras
import numpy as np
import openvino
import pytest

from ml import graph, networks
from ml.preprocessing import Preprocessing, normalise
from tests.ml.networks_for_tests import OPTIONS, SIZE, lively


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[keras.Model, openvino.Model]]:
    made = {name: lively(name, size=SIZE, dropout=0.2, **OPTIONS[name]) for name in OPTIONS}
    return {name: (network, graph.to_openvino(network, SIZE)) for name, network in made.items()}


def test_every_layer_is_a_node_of_its_name_with_the_layers_shape(pairs, architecture):
    network, model = pairs[architecture]
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    for row in networks.layer_table(network):
        if row["kind"] == "Dropout":
            assert row["name"] not in nodes
            continue
        shape = [d.get_length() for d in list(nodes[row["name"]].output(0).partial_shape)[1:]]
        height_first = [*row["shape"][2:], *row["shape"][:2]] if len(row["shape"]) == 3 else row["shape"]
        assert shape == height_first, row["name"]


def test_the_output_of_every_layer_is_the_keras_layers(pairs, architecture, inputs):
    network, model = pairs[architecture]
    wanted = {row["name"] for row in networks.layer_table(network)} - {"head/dense"}
    nodes = [node for node in model.get_ordered_ops() if node.get_friendly_name() in wanted]
    outputs = [model.get_results()[0].input_value(0), *(node.output(0) for node in nodes)]
    exposed = openvino.Model(outputs, model.get_parameters(), "exposed")
    compiled = openvino.Core().compile_model(exposed, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pictures = normalise(inputs[:5], Preprocessing(SIZE))
    results = compiled([pictures])
    keras_layers = [network.get_layer(node.get_friendly_name().replace("/", "_")) for node in nodes]
    reference = keras.Model(network.input, [network.output, *(layer.output for layer in keras_layers)])
    # The graph keeps its kernels in half precision: the reference must compute with the same ones.
    values = networks.get_weights(network)
    halves = {k: v.astype(np.float16) if k.endswith("kernel") else v for k, v in values.items()}
    networks.set_weights(network, halves)
    expected = reference(pictures, training=False)
    networks.set_weights(network, values)
    for i, (node, output) in enumerate(zip([None, *nodes], expected, strict=True)):
        right = np.moveaxis(np.asarray(output), -1, 1)
        np.testing.assert_allclose(results[i], right, rtol=1e-3, atol=2e-4, err_msg=str(node))


def test_a_graph_takes_any_number_of_pictures_of_one_size(pairs, architecture):
    _, model = pairs[architecture]
    assert str(model.input(0).partial_shape) == "[?,32,32,3]"
    assert model.input(0).get_names() == {"pictures"}
    assert model.output(0).get_names() == {"logits"}
    assert str(model.output(0).partial_shape) == "[?,100]"


def test_the_second_output_is_what_the_last_layer_reads(pairs, architecture, inputs):
    network, model = pairs[architecture]
    assert model.output(1).get_names() == {"features"}
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits, features = compiled([normalise(inputs[:4], Preprocessing(SIZE))]).values()
    dense = networks.get_weights(network)
    kernel = dense["head/dense/kernel"].astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(features @ kernel + dense["head/dense/bias"], logits, rtol=1e-3, atol=2e-3)


def test_a_layer_without_a_translation_is_named():
    pictures = keras.Input((8, 8, 3))
    network = keras.Model(pictures, keras.layers.AveragePooling2D(2)(pictures))
    with pytest.raises(TypeError, match="AveragePooling2D has no translation"):
        graph.to_openvino(network, 8)
