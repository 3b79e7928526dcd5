"""The atlas names the places at which a channel is largest, picture by picture, as the traces themselves have them."""

from __future__ import annotations

import numpy as np
import pytest

from ml.explain.atlas import AT_ONCE, COLUMN, KEPT, ROW, SAMPLE, VALUE, atlas, atlas_layer
from ml.explain.structure import structure
from ml.explain.trace import tracer, value


def test_every_place_is_the_largest_of_its_picture_and_the_best_three_are_kept(inputs):
    found = tracer("vgg")
    pictures = inputs[: AT_ONCE + 2]
    traces = found.trace(pictures)
    places = atlas(found, pictures)
    assert list(places) == [layer.name for layer in found.structure.layers if layer.kind == "relu"]
    for name, channels in places.items():
        maps = np.stack([value(found.structure, trace, name) for trace in traces])
        assert channels.shape == (maps.shape[1], KEPT, 4)
        largest = maps.max((2, 3))
        assert np.array_equal(channels[:, :, VALUE], -np.sort(-largest.T, axis=1)[:, :KEPT])
        for channel, three in enumerate(channels):
            samples, rows, columns = three[:, [SAMPLE, ROW, COLUMN]].astype(int).T
            assert len(set(samples)) == KEPT
            assert np.array_equal(maps[samples, channel, rows, columns], three[:, VALUE])
            assert np.array_equal(largest[samples, channel], three[:, VALUE])


def test_of_equal_places_the_earlier_one_is_kept(inputs):
    found = tracer("vgg")
    one = np.stack([inputs[0]] * 2)
    for channels in atlas(found, one).values():
        assert channels.shape[1] == 2
        assert (channels[:, :, SAMPLE] == [0, 1]).all()
        assert np.array_equal(channels[:, 0, 1:], channels[:, 1, 1:])


def test_the_sums_of_a_residual_network_have_places_too(random_folder, inputs):
    found = tracer("wideresnet")
    (trace,) = found.trace(inputs[:1])
    places = atlas(found, inputs[:1])
    kinds = {found.structure.layer(name).kind for name in places}
    assert kinds == {"relu", "add"}
    name = "group2/block1/add"
    maps = value(found.structure, trace, name)
    assert np.array_equal(places[name][:, 0, VALUE], maps.max((1, 2)))


@pytest.mark.parametrize(
    ("network", "layer", "stands_for"),
    [
        ("vgg", "block1/conv2", "block1/relu2"),
        ("vgg", "block1/bn2", "block1/relu2"),
        ("vgg", "block1/relu2", "block1/relu2"),
        ("vgg", "block1/pool", "block1/relu2"),
        ("vgg", "head/pool", "block4/relu2"),
        ("vgg", "head/dense", None),
        ("vgg", "pictures", None),
        ("wideresnet", "group1/block1/conv1", "group1/block1/relu2"),
        ("wideresnet", "group1/block1/conv2", None),
        ("wideresnet", "group1/block1/shortcut", None),
        ("wideresnet", "group1/block1/add", "group1/block1/add"),
    ],
)
def test_a_layer_has_the_places_of_the_relu_that_alone_reads_it(network, layer, stands_for):
    assert atlas_layer(structure(network), layer) == stands_for


def test_without_pictures_there_is_no_atlas():
    with pytest.raises(ValueError, match="needs a picture"):
        atlas(tracer("vgg"), np.zeros((0, 32, 32, 3), np.uint8))
