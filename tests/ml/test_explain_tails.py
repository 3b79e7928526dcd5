"""From altered activations to the logits: cut behind a layer, a network is still the same network."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ml import artifact
from ml.explain import tails
from ml.explain.structure import structure
from ml.explain.trace import tracer, value
from ml.preprocessing import normalise
from tests.ml import by_hand


def test_maps_are_offered_wherever_one_layer_alone_decides():
    relus = [f"block{block}/relu{i}" for block in (1, 2, 3, 4) for i in (1, 2)]
    assert tails.cut_layers(structure("vgg")) == relus
    sums = [f"group{group}/block{block}/add" for group in (1, 2, 3) for block in (1, 2, 3, 4)]
    assert tails.cut_layers(structure("wideresnet")) == [*sums, "head/relu"]


def test_every_cut_gives_what_the_whole_network_gives(shipped, inputs):
    of, parts = structure(shipped), tails.pieces(shipped)
    trace = tracer(shipped).trace(inputs[:1])[0]
    picture = normalise(inputs[:1], of.card.preprocessing)
    np.testing.assert_allclose(parts.answers(picture)[0], trace.logits, atol=1e-4)
    for layer in tails.cut_layers(of):
        maps = value(of, trace, layer)
        np.testing.assert_allclose(parts.activations(picture, layer)[0], maps, atol=1e-3)
        np.testing.assert_allclose(parts.logits(maps[None], layer)[0], trace.logits, atol=1e-4)


@pytest.mark.parametrize("layer", ["block2/relu1", "block4/relu2"])
def test_altered_activations_give_the_logits_of_float64(inputs, layer):
    card = artifact.load_card("vgg")
    of, parts = structure("vgg"), tails.pieces("vgg")
    maps = value(of, tracer("vgg").trace(inputs[1:2])[0], layer).copy()
    maps[::3] *= -2
    maps[5] = 7

    def alter(name: str, found: np.ndarray) -> np.ndarray:
        return maps.transpose(1, 2, 0).astype(np.float64) if name == layer else found

    expected = by_hand.logits(card, inputs[1], artifact.read_weights(card), alter)
    np.testing.assert_allclose(parts.logits(maps[None], layer)[0], expected, atol=2e-3)


def test_many_altered_activations_keep_their_order(inputs):
    parts = tails.pieces("vgg")
    pictures = normalise(inputs[: tails.AT_ONCE * 2 + 3], parts.structure.card.preprocessing)
    maps = parts.activations(pictures, "block3/relu2")
    found = parts.logits(maps, "block3/relu2")
    assert found.shape == (len(pictures), 100)
    for i in (0, tails.AT_ONCE, len(pictures) - 1):
        np.testing.assert_allclose(found[i], parts.logits(maps[i : i + 1], "block3/relu2")[0], atol=1e-5)


def test_two_threads_get_their_own_logits(inputs):
    parts = tails.pieces("vgg")
    maps = parts.activations(normalise(inputs[:2], parts.structure.card.preprocessing), "block4/relu1")
    expected = parts.logits(maps, "block4/relu1")
    wrong: list[int] = []

    def ask(i: int) -> None:
        found = [parts.logits(maps[i : i + 1], "block4/relu1")[0] for _ in range(20)]
        wrong.extend(i for one in found if not np.allclose(one, expected[i], atol=1e-5))

    askers = [threading.Thread(target=ask, args=(i,)) for i in range(2)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not wrong


def test_pieces_are_made_once_for_a_version():
    assert tails.pieces("vgg") is tails.pieces("vgg")


def test_a_layer_that_is_not_cut_is_refused_with_those_that_are(inputs):
    parts = tails.pieces("vgg")
    with pytest.raises(ValueError, match=r"VGG is not cut at 'block1/bn1', but at block1/relu1, "):
        parts.logits(np.zeros((1, 64, 32, 32), np.float32), "block1/bn1")
    with pytest.raises(ValueError, match="not cut at 'head/dense'"):
        parts.activations(normalise(inputs[:1], parts.structure.card.preprocessing), "head/dense")


def test_a_graph_is_not_cut_where_a_skip_connection_goes_past():
    of = structure("wideresnet")
    graph = artifact.read_graph(of.card, artifact.EXACT)
    with pytest.raises(ValueError, match="does not fall apart at group2/block1/add"):
        tails.Pieces(of, graph, ["group1/block1/add", "group2/block1/conv1", "group2/block1/add"])


def test_a_layer_that_the_graph_does_not_have_is_named():
    of = structure("vgg")
    with pytest.raises(ValueError, match="the graph has no layer block9/relu1"):
        tails.Pieces(of, artifact.read_graph(of.card, artifact.EXACT), ["block9/relu1"])
