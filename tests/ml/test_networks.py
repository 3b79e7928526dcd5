"""The networks are exactly those of the design: counts here come from the formulas, not from the code."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from ml import networks
from tests.ml.networks_for_tests import lively

VGG_KERNELS = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]


@pytest.fixture(scope="module")
def vgg() -> keras.Model:
    return networks.build("vgg")


@pytest.fixture(scope="module")
def wideresnet() -> keras.Model:
    return networks.build("wideresnet", dropout=0.3)


def table(network: keras.Model) -> list[tuple[str, str, list[int]]]:
    return [(row["name"], row["kind"], row["shape"]) for row in networks.layer_table(network)]


def feeders(network: keras.Model, name: str) -> list[str]:
    """Names of the layers whose outputs the layer takes."""
    tensors = network.get_layer(name).input
    return [t._keras_history.operation.name for t in (tensors if isinstance(tensors, list) else [tensors])]


def parameters(variables: Any) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)


def test_the_vgg_has_the_layers_of_its_design_in_order(vgg):
    expected = []
    for block, (channels, side) in enumerate([(64, 32), (128, 16), (256, 8), (512, 4)], 1):
        for i in (1, 2):
            for part, kind in (("conv", "Conv2D"), ("bn", "BatchNormalization"), ("relu", "ReLU")):
                expected.append((f"block{block}/{part}{i}", kind, [side, side, channels]))
        if block < 4:
            half = [side // 2, side // 2, channels]
            expected.append((f"block{block}/pool", "MaxPooling2D", half))
            expected.append((f"block{block}/dropout", "Dropout", half))
    expected += [("head/pool", "GlobalAveragePooling2D", [512]), ("head/dense", "Dense", [100])]
    assert table(vgg) == expected


def test_the_vgg_runs_from_top_to_bottom_without_a_branch(vgg):
    for above, below in itertools.pairwise(vgg.layers):
        assert feeders(vgg, below.name) == [above.name]


def test_the_vgg_has_the_parameters_that_its_kernels_and_channels_give(vgg):
    convolutions = sum(9 * a * b for a, b in VGG_KERNELS)
    norms = sum(4 * b for _, b in VGG_KERNELS)
    dense = 512 * 100 + 100
    assert vgg.count_params() == convolutions + norms + dense == 4_742_436
    assert parameters(vgg.trainable_variables) == convolutions + norms // 2 + dense


def test_the_vgg_needs_the_multiply_adds_that_its_shapes_give(vgg):
    sides = [32, 32, 16, 16, 8, 8, 4, 4]
    by_hand = sum(s * s * 9 * a * b for s, (a, b) in zip(sides, VGG_KERNELS, strict=True)) + 512 * 100
    assert networks.multiply_adds(vgg) == by_hand == 209_438_720


def wide_resnet_counts(depth: int, width: int, classes: int = 100) -> tuple[int, int, int]:
    """(trainable, all, multiply-adds at 32 x 32) from the paper's table 1, counted group by group."""
    blocks = (depth - 4) // 6
    kernels, channels_normed, work = 27 * 16, 0, 32 * 32 * 27 * 16
    before = 16
    for side, base in ((32, 16), (16, 32), (8, 64)):
        c = base * width
        first = 9 * before * c + 9 * c * c + (before * c if before != c or side < 32 else 0)
        rest = (blocks - 1) * 2 * 9 * c * c
        kernels += first + rest
        work += side * side * (first + rest)
        channels_normed += before + c + (blocks - 1) * 2 * c
        before = c
    channels_normed += before
    dense = before * classes + classes
    return (
        kernels + 2 * channels_normed + dense,
        kernels + 4 * channels_normed + dense,
        work + before * classes,
    )


def test_the_wide_resnet_has_the_36_5_million_parameters_of_the_paper(wideresnet):
    trainable, everything, _ = wide_resnet_counts(28, 10)
    assert parameters(wideresnet.trainable_variables) == trainable == 36_536_884
    assert wideresnet.count_params() == everything == 36_554_836


def test_the_wide_resnet_needs_about_5_2_thousand_million_multiply_adds(wideresnet):
    _, _, work = wide_resnet_counts(28, 10)
    assert networks.multiply_adds(wideresnet) == work
    assert work == pytest.approx(5.24e9, rel=0.001)


@pytest.mark.parametrize(("depth", "width"), [(10, 1), (16, 2)])
def test_smaller_wide_resnets_follow_the_same_formula(depth, width):
    trainable, everything, work = wide_resnet_counts(depth, width)
    network = networks.build("wideresnet", depth=depth, width=width)
    assert parameters(network.trainable_variables) == trainable
    assert network.count_params() == everything
    assert networks.multiply_adds(network) == work


def test_the_wide_resnet_has_three_groups_of_four_blocks_between_stem_and_head(wideresnet):
    rows = table(wideresnet)
    assert rows[0] == ("stem/conv", "Conv2D", [32, 32, 16])
    adds = [row for row in rows if row[1] == "Add"]
    assert adds == [
        (f"group{g}/block{b}/add", "Add", [side, side, channels])
        for g, (side, channels) in enumerate([(32, 160), (16, 320), (8, 640)], 1)
        for b in (1, 2, 3, 4)
    ]
    assert [row[:2] for row in rows[-4:]] == [
        ("head/bn", "BatchNormalization"),
        ("head/relu", "ReLU"),
        ("head/pool", "GlobalAveragePooling2D"),
        ("head/dense", "Dense"),
    ]
    # 28 = the stem, two in each of twelve blocks, and by the paper's count three projections.
    assert sum(row[1] == "Conv2D" for row in rows) == 1 + 24 + 3


def test_a_block_normalises_and_activates_before_each_convolution(wideresnet):
    for group, block in itertools.product((1, 2, 3), (1, 2, 3, 4)):
        name = f"group{group}_block{block}"
        before = f"group{group}_block{block - 1}_add" if block > 1 else f"group{group - 1}_block4_add"
        before = "stem_conv" if (group, block) == (1, 1) else before
        chain = ["bn1", "relu1", "conv1", "bn2", "relu2", "dropout", "conv2"]
        assert feeders(wideresnet, f"{name}_bn1") == [before]
        for above, below in itertools.pairwise(chain):
            assert feeders(wideresnet, f"{name}_{below}") == [f"{name}_{above}"]
        shortcut = f"{name}_shortcut" if block == 1 else before
        assert feeders(wideresnet, f"{name}_add") == [shortcut, f"{name}_conv2"]
    assert feeders(wideresnet, "head_bn") == ["group3_block4_add"]


def test_only_the_first_block_of_a_group_projects_and_it_projects_the_activated_input(wideresnet):
    small = [
        layer.name
        for layer in wideresnet.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (1, 1)
    ]
    assert small == [f"group{g}_block1_shortcut" for g in (1, 2, 3)]
    for name in small:
        assert feeders(wideresnet, name) == [name.replace("shortcut", "relu1")]


def test_a_shortcut_stays_plain_where_the_shape_does_not_change():
    network = networks.build("wideresnet", depth=10, width=1)
    assert feeders(network, "group1_block1_add") == ["stem_conv", "group1_block1_conv2"]


def test_only_the_first_convolutions_and_projections_of_groups_two_and_three_have_stride_two(wideresnet):
    strided = {
        layer.name
        for layer in wideresnet.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.strides != (1, 1)
    }
    assert strided == {f"group{g}_block1_{part}" for g in (2, 3) for part in ("conv1", "shortcut")}
    assert all(wideresnet.get_layer(name).strides == (2, 2) for name in strided)


def test_dropout_is_left_out_of_a_wide_resnet_that_does_not_want_it():
    network = networks.build("wideresnet", depth=10, width=1)
    assert not any(isinstance(layer, keras.layers.Dropout) for layer in network.layers)


def test_convolutions_have_no_bias_and_normalisation_has_the_published_constants(vgg, wideresnet):
    for network in (vgg, wideresnet):
        for layer in network.layers:
            if isinstance(layer, keras.layers.Conv2D):
                assert not layer.use_bias
                assert layer.padding == "same"
            if isinstance(layer, keras.layers.BatchNormalization):
                assert (layer.epsilon, layer.momentum) == (1e-5, 0.9)


def convolve(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """A convolution of one picture (h, w, c), padded so that stride 2 sees rows 0..2, 2..4, ..."""
    side, size = x.shape[0], kernel.shape[0]
    total = max((-(-side // stride) - 1) * stride + size - side, 0)
    padded = np.pad(x, ((total // 2, total - total // 2),) * 2 + ((0, 0),))
    windows = sliding_window_view(padded, (size, size), (0, 1))[::stride, ::stride]
    return np.einsum("hwcij,ijco->hwo", windows, kernel)


def test_a_wide_resnet_computes_what_the_paper_says_in_plain_numpy():
    network = lively("wideresnet", size=8, depth=10, width=2, classes=7)
    weights = {k: v.astype(np.float64) for k, v in networks.get_weights(network).items()}
    picture = np.random.default_rng(3).normal(size=(8, 8, 3))

    def activated(x: np.ndarray, name: str) -> np.ndarray:
        gamma, beta, mean, variance = (
            weights[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return np.maximum((x - mean) / np.sqrt(variance + 1e-5) * gamma + beta, 0)

    x = convolve(picture, weights["stem/conv/kernel"], 1)
    for group in (1, 2, 3):
        name, stride = f"group{group}/block1", 1 if group == 1 else 2
        hot = activated(x, f"{name}/bn1")
        inner = convolve(hot, weights[f"{name}/conv1/kernel"], stride)
        inner = convolve(activated(inner, f"{name}/bn2"), weights[f"{name}/conv2/kernel"], 1)
        x = convolve(hot, weights[f"{name}/shortcut/kernel"], stride) + inner
    x = activated(x, "head/bn").mean((0, 1))
    expected = x @ weights["head/dense/kernel"] + weights["head/dense/bias"]
    answer = np.asarray(network(picture[None].astype(np.float32)))[0]
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4)


def test_a_network_of_free_size_takes_small_and_large_pictures():
    network = networks.build("vgg", size=None, classes=7)
    for side in (8, 16, 40):
        assert network(np.zeros((2, side, side, 3), np.float32)).shape == (2, 7)


def test_logits_and_weights_stay_float32_under_a_mixed_policy():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    network = networks.build("wideresnet", depth=10, width=1, size=8)
    assert network.output.dtype == "float32"
    assert {v.dtype for v in network.trainable_variables} == {"float32"}
    assert network.get_layer("stem_conv").output.dtype == "bfloat16"


def test_an_unknown_network_or_option_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"no network 'lenet'; there are vgg, wideresnet"):
        networks.build("lenet")
    with pytest.raises(ValueError, match=r"The network vgg has no option width"):
        networks.build("vgg", width=2)


@pytest.mark.parametrize("depth", [4, 9, 27, 29, 0, -2])
def test_a_depth_that_is_not_6_n_plus_4_is_refused(depth):
    with pytest.raises(ValueError, match=rf"depth must be 6 n \+ 4 with n >= 1, not {depth}"):
        networks.build("wideresnet", depth=depth)


def test_weights_have_readable_names_and_survive_the_way_into_another_network():
    first, second = (networks.build("wideresnet", depth=10, width=1, size=8) for _ in range(2))
    values = networks.get_weights(first)
    assert values["group1/block1/conv1/kernel"].shape == (3, 3, 16, 16)
    assert values["head/bn/moving_variance"].shape == (64,)
    assert sum(v.size for v in values.values()) == first.count_params()
    picture = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)
    assert not np.allclose(first(picture), second(picture))
    networks.set_weights(second, values)
    assert np.array_equal(first(picture), second(picture))


def test_weights_that_are_missing_left_over_or_misshapen_are_named():
    network = networks.build("wideresnet", depth=10, width=1, size=8)
    values = networks.get_weights(network)
    fewer = {k: v for k, v in values.items() if k != "head/dense/bias"}
    with pytest.raises(ValueError, match="missing: head/dense/bias"):
        networks.set_weights(network, fewer)
    with pytest.raises(ValueError, match="unknown to wideresnet: tail"):
        networks.set_weights(network, values | {"tail": np.zeros(1)})
    with pytest.raises(ValueError, match=r"head/dense/bias is \(99,\), not \(100,\)"):
        networks.set_weights(network, values | {"head/dense/bias": np.zeros(99)})
