"""An altered network answers what float64 says that it must, and what cannot be is refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from ml import artifact
from ml.explain import forward, surgery
from ml.explain.graph_file import Layer
from ml.explain.structure import structure
from ml.explain.surgery import Edit, surgeon
from ml.explain.trace import tracer
from tests.ml import by_hand

SMOOTH = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16


@pytest.fixture(scope="module")
def learned() -> dict[str, np.ndarray]:
    """The VGG's weights in Keras's layouts."""
    return artifact.read_weights(artifact.load_card("vgg"))


@pytest.fixture
def card() -> artifact.Card:
    return artifact.load_card("vgg")


def silenced(mutes):
    def alter(name: str, maps: np.ndarray) -> np.ndarray:
        if name in mutes:
            maps[..., mutes[name]] = 0
        return maps

    return alter


def its_own(name: str, layer: str) -> Edit:
    """An edit that changes nothing."""
    return Edit(layer, 0, 0, structure(name).kernels(layer)[0, 0])


def test_unaltered_it_answers_what_the_exact_graph_answers(shipped, inputs):
    expected = tracer(shipped).trace(inputs[:1])[0].logits
    np.testing.assert_array_equal(surgeon(shipped).answer(inputs[0]), expected)
    edit = its_own(shipped, structure(shipped).convolutions[0])
    np.testing.assert_allclose(surgeon(shipped).answer(inputs[0], [edit]), expected, atol=1e-4)


def test_muted_channels_are_open_again_in_the_next_answer(shipped, inputs):
    network, relu = surgeon(shipped), surgeon(shipped).relus[0]
    before = network.answer(inputs[0])
    muted = network.answer(inputs[0], mutes={relu: range(8)})
    np.testing.assert_array_equal(network.answer(inputs[0]), before)
    assert np.abs(muted - before).max() > 0.01


def test_edited_kernels_change_the_logits_as_in_float64(card, learned, inputs):
    edits = [
        Edit("block1/conv1", 3, 1, SMOOTH),
        Edit("block2/conv2", 100, 7, -SMOOTH * 5),
        Edit("block4/conv2", 511, 0, np.full((3, 3), 2.5)),
        Edit("block1/conv1", 3, 1, SMOOTH.tolist()),
    ]
    weights = {name: value.copy() for name, value in learned.items()}
    for edit in edits:
        weights[f"{edit.layer}/kernel"][:, :, edit.input, edit.output] = np.asarray(edit.values)
    expected = by_hand.logits(card, inputs[0], weights)
    before = surgeon("vgg").answer(inputs[0])
    found = surgeon("vgg").answer(inputs[0], edits)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.abs(found - before).max() > 0.05
    # What it learned is untouched.
    np.testing.assert_array_equal(surgeon("vgg").answer(inputs[0]), before)


def test_muted_channels_change_the_logits_as_in_float64(card, learned, inputs):
    mutes = {"block1/relu1": [0, 5, 63], "block3/relu2": list(range(0, 256, 2))}
    expected = by_hand.logits(card, inputs[0], learned, silenced(mutes))
    found = surgeon("vgg").answer(inputs[0], mutes=mutes)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    edited_too = surgeon("vgg").answer(inputs[0], [its_own("vgg", "block1/conv1")], mutes)
    np.testing.assert_allclose(edited_too, expected, atol=1e-3)
    assert np.abs(found - surgeon("vgg").answer(inputs[0])).max() > 0.05


def test_the_wide_resnet_without_some_channels_is_that_of_float64(inputs):
    card = artifact.load_card("wideresnet")
    mutes = {"group1/block2/relu1": [1, 2, 3], "group2/block1/relu1": [0], "head/relu": list(range(320))}
    expected = by_hand.logits(card, inputs[0], artifact.read_weights(card), silenced(mutes))
    np.testing.assert_allclose(surgeon("wideresnet").answer(inputs[0], mutes=mutes), expected, atol=1e-3)


def test_with_the_whole_last_layer_silent_only_the_bias_is_left(shipped, inputs):
    of = structure(shipped)
    last = surgeon(shipped).relus[-1]
    found = surgeon(shipped).answer(inputs[0], mutes={last: range(of.layer(last).shape[0])})
    np.testing.assert_array_equal(found, of.dense()[1])


def test_of_two_edits_of_a_kernel_the_later_one_counts(inputs):
    first, second = Edit("block1/conv2", 1, 2, SMOOTH), Edit("block1/conv2", 1, 2, -SMOOTH)
    both = surgeon("vgg").answer(inputs[0], [first, second])
    np.testing.assert_array_equal(both, surgeon("vgg").answer(inputs[0], [second]))


@pytest.mark.parametrize("grey", [0, 255], ids=["all black", "all white"])
def test_a_picture_of_one_colour_is_answered(grey, card, learned):
    pixels = np.full((32, 32, 3), grey, np.uint8)
    edit = Edit("block1/conv1", 0, 0, SMOOTH)
    weights = dict(learned)
    weights["block1/conv1/kernel"] = learned["block1/conv1/kernel"].copy()
    weights["block1/conv1/kernel"][:, :, 0, 0] = SMOOTH
    expected = by_hand.logits(card, pixels, weights)
    np.testing.assert_allclose(surgeon("vgg").answer(pixels, [edit]), expected, atol=1e-3)


def test_as_many_of_the_largest_weights_as_are_allowed_still_give_numbers(inputs):
    names = structure("vgg").convolutions
    largest = np.full((3, 3), surgery.LARGEST)
    edits = [Edit(names[i % 8], i // 8, 0, largest) for i in range(surgery.MOST_EDITS)]
    assert np.isfinite(surgeon("vgg").answer(inputs[0], edits)).all()


def test_numbers_beyond_float32_are_said_and_not_shown(inputs, monkeypatch):
    monkeypatch.setattr(surgery, "LARGEST", 1e38)
    huge = [Edit(f"block{i}/conv1", 0, 0, np.full((3, 3), 1e38)) for i in (1, 2)]
    with pytest.raises(ArithmeticError, match="grow beyond what float32 can hold"):
        surgeon("vgg").answer(inputs[0], [*huge, Edit("block1/conv2", 0, 0, np.full((3, 3), 1e38))])


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (Edit("block1/conv1", 0, 0, np.full((3, 3), np.nan)), "from -100 to 100, not nan"),
        (Edit("block1/conv1", 0, 0, [[0, 0, 0], [0, 1e30, 0], [0, 0, 0]]), "from -100 to 100, not 1e\\+30"),
        (Edit("block1/conv1", 0, 0, np.full((3, 3), -np.inf)), "not -inf"),
        (Edit("block1/conv1", 0, 0, np.full((3, 3), 100.5)), "not 100.5"),
        (Edit("block1/conv1", 0, 0, np.zeros((3, 2))), "A kernel of block1/conv1 is 3 x 3 numbers"),
        (Edit("block1/conv1", 0, 0, [["a"] * 3] * 3), "A kernel of block1/conv1 is 3 x 3 numbers"),
        (Edit("block1/conv1", 0, 0, [[1, 2, 3], [1]]), "A kernel of block1/conv1 is 3 x 3 numbers"),
        (Edit("block1/conv1", 64, 0, SMOOTH), "has output channels 0 to 63, not 64"),
        (Edit("block1/conv1", 0, -1, SMOOTH), "has input channels 0 to 2, not -1"),
        (Edit("block1/conv1", 1.5, 0, SMOOTH), "has output channels 0 to 63, not 1.5"),
        (Edit("block1/relu1", 0, 0, SMOOTH), "VGG has no convolution called 'block1/relu1'"),
        (Edit("block9/conv1", 0, 0, SMOOTH), "VGG has no convolution called 'block9/conv1'"),
    ],
    ids=lambda value: value.replace("\\", "")[-24:] if isinstance(value, str) else "",
)
def test_an_edit_that_cannot_be_is_refused_with_a_sentence(edit, sentence, inputs):
    with pytest.raises(ValueError, match=sentence):
        surgeon("vgg").answer(inputs[0], [edit])


@pytest.mark.parametrize(
    ("mutes", "sentence"),
    [
        ({"block1/conv1": [0]}, "VGG has no ReLU called 'block1/conv1'"),
        ({"nowhere": [0]}, "VGG has no ReLU called 'nowhere'"),
        ({"block1/relu1": [64]}, "block1/relu1 has channels 0 to 63, not 64"),
        ({"block1/relu1": [-1]}, "block1/relu1 has channels 0 to 63, not -1"),
        ({"block1/relu1": ["3"]}, "block1/relu1 has channels 0 to 63, not 3"),
        ({"block1/relu1": [0] * 641}, "At most 640 channels of a layer can be muted, not 641"),
    ],
    ids=["convolution", "nowhere", "too high", "negative", "text", "too many"],
)
def test_a_mute_that_cannot_be_is_refused_with_a_sentence(mutes, sentence, inputs):
    with pytest.raises(ValueError, match=sentence):
        surgeon("vgg").answer(inputs[0], mutes=mutes)


def test_more_edits_than_allowed_and_other_pictures_are_refused(inputs):
    edits = [Edit("block1/conv1", i, 0, SMOOTH) for i in range(17)]
    with pytest.raises(ValueError, match="At most 16 kernels can be edited at once, not 17"):
        surgeon("vgg").answer(inputs[0], edits)
    with pytest.raises(ValueError, match=r"VGG takes uint8 \(32, 32, 3\), not uint8 \(16, 32, 3\)"):
        surgeon("vgg").answer(inputs[0, :16])


@pytest.mark.parametrize(
    ("side", "stride", "padding"), [(3, 1, (1, 1, 1, 1)), (3, 2, (0, 0, 1, 1)), (1, 2, (0, 0, 0, 0))]
)
def test_a_convolution_is_the_sum_of_its_products(side, stride, padding):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 3, 6, 6)).astype(np.float32)
    kernels = rng.normal(size=(4, 3, side, side)).astype(np.float32)
    top, left, _, _ = padding
    size = 6 // stride
    layer = Layer("conv", "convolution", ("before",), (4, size, size), side, stride, padding)
    found = forward.convolve(x, kernels, layer)
    for picture, output, row, column in [(0, 0, 0, 0), (1, 3, size - 1, size - 1), (0, 2, 1, 2)]:
        total = 0.0
        for channel in range(3):
            for dy in range(side):
                for dx in range(side):
                    y, z = row * stride - top + dy, column * stride - left + dx
                    if 0 <= y < 6 and 0 <= z < 6:
                        total += float(x[picture, channel, y, z]) * float(kernels[output, channel, dy, dx])
        assert found[picture, output, row, column] == pytest.approx(total, abs=1e-5)
