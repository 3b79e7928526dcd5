"""Architectures: every count against the literature, a plain loop and the cards; the page without scripts."""

from __future__ import annotations

import html
import itertools
import re

import pytest
from django.urls import reverse

from learn.figures import cost, family_drawing, family_published, family_words
from learn.figures.family import Convolution, Dense, Pooling, Residual, Shape, network
from learn.figures.family_own import own
from learn.subjects import cards

ADDRESS = reverse("learn:laboratory-figure", args=["family"])
PUBLISHED = family_published.published()


def named(slug):
    return next(one for one in PUBLISHED if one.slug == slug)


@pytest.mark.parametrize(
    ("slug", "weights", "multiply_adds", "depth"),
    [
        # LeCun and others, 1998: "60,000 trainable free parameters"; without the 840 numbers set by hand.
        ("lenet-5", 60_000, 326_520, 5),
        # What common implementations of the published plans count.
        ("alexnet", 60_965_224, 724_406_816, 8),
        ("vgg-16", 138_357_544, 15_470_264_320, 16),
        ("resnet-34", 21_797_672, 3_663_761_408, 34),
        ("wrn-28-10", 36_536_884, 5_243_386_368, 26),
    ],
)
def test_totals_are_those_of_the_literature(slug, weights, multiply_adds, depth):
    one = named(slug)
    assert (one.weights, one.multiply_adds, one.depth) == (weights, multiply_adds, depth)
    assert sum(layer.weights for layer in one.layers) == weights


def test_other_versions_have_their_known_counts():
    assert family_published.alexnet(groups=1).weights == 62_378_344
    assert family_published.wide_resnet(classes=10).weights == 36_479_194


def test_lenet_has_the_weights_and_connections_of_its_paper():
    lenet = named("lenet-5")
    assert [layer.weights for layer in lenet.layers] == [156, 12, 1_516, 32, 48_120, 10_164, 0]
    # Biases are connections too, and a place of a halving layer has four inputs and a bias.
    biases = sum(
        layer.after.numbers
        for layer in lenet.layers
        if layer.kind in ("convolution", "dense") and layer.weights
    )
    halving = sum(5 * layer.after.numbers for layer in lenet.layers if layer.kind == "sum")
    assert lenet.multiply_adds + biases + halving == 340_908


def test_sides_and_channels_are_those_of_the_papers():
    sides = {one.slug: [layer.after.side for layer in one.layers] for one in PUBLISHED}
    assert sides["lenet-5"] == [28, 14, 10, 5, 1, 1, 1]
    assert sides["alexnet"][:8] == [55, 27, 27, 13, 13, 13, 13, 6]
    assert list(dict.fromkeys(sides["vgg-16"])) == [224, 112, 56, 28, 14, 7, 1]
    assert list(dict.fromkeys(sides["resnet-34"])) == [112, 56, 28, 14, 7, 1]
    assert list(dict.fromkeys(sides["wrn-28-10"])) == [32, 16, 8, 1]
    assert named("alexnet").layer("dense1").before == Shape(6, 256)
    assert len(named("resnet-34").skips) == 16
    assert sum(layer.bypass for layer in named("resnet-34").layers) == 3


def by_hand(side, channels, kernels, kernel, stride, padding, groups):
    """Rows, products and weights of a convolution, counted one by one."""
    starts = [at for at in range(-padding, side + padding - kernel + 1) if (at + padding) % stride == 0]
    weights = {
        (made, read, y, x)
        for made, read in itertools.product(range(kernels), range(channels))
        if made * groups // kernels == read * groups // channels
        for y, x in itertools.product(range(kernel), repeat=2)
    }
    return len(starts), len(starts) ** 2 * len(weights), len(weights)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_is_counted_as_by_a_plain_loop(kernel, stride, padding, groups):
    step = Convolution("conv", 6, kernel, stride, padding, groups, norm="after")
    (layer,) = network("one", "One", None, Shape(9, 4), (step,)).layers
    rows, products, weights = by_hand(9, 4, 6, kernel, stride, padding, groups)
    assert (layer.after, layer.multiply_adds) == (Shape(rows, 6), products)
    assert (layer.weights, layer.normalisation) == (weights + 6 + 2 * 6, 2 * 6)
    assert layer.uses == rows**2


def test_what_cannot_be_added_cut_or_covered_is_refused():
    picture = Shape(8, 4)
    halved = Convolution("conv", 8, 3, stride=2, padding=1)
    with pytest.raises(ValueError, match="another shape"):
        network("one", "One", None, picture, (Residual((halved,)),))
    with pytest.raises(ValueError, match="equal parts"):
        network("one", "One", None, picture, (Convolution("conv", 8, 3, groups=3),))
    with pytest.raises(ValueError, match="does not fit"):
        network("one", "One", None, picture, (Pooling("pool", 9), Dense("dense", 2)))


def test_networks_of_this_site_have_the_counts_of_their_cards():
    assert cards()
    for card in cards():
        one = own(card)
        # A card counts the measured means and variances too, two for each channel.
        measured = sum(layer.normalisation for layer in one.layers)
        assert one.weights + measured == card.parameters
        assert one.weights == card.weights
        assert one.multiply_adds == card.multiply_adds
        shapes = {row["name"]: row["shape"] for row in card.layers}
        for layer in one.layers:
            shape = shapes[layer.name]
            assert layer.after == Shape(shape[0] if len(shape) == 3 else 1, shape[-1])


def test_the_wide_resnet_of_this_site_is_the_published_one_layer_for_layer():
    wide = named("wrn-28-10")
    ours = [own(card) for card in cards() if card.architecture == "wideresnet"]
    assert [(one.layers, one.skips) for one in ours] == [(wide.layers, wide.skips)]


def test_a_wide_resnet_is_named_by_its_convolutions_with_those_in_shortcuts():
    assert (named("wrn-28-10").convolutions, cost.REFERENCE.depth) == (28, 28)


def test_shares_add_up_to_one_and_parts_to_what_is_in_them():
    for one in PUBLISHED:
        for by in ("weights", "work"):
            assert one.share(one.layers, by) == pytest.approx(1)
            parts = {layer.part for layer in one.layers}
            assert sum(one.part_share(part, by) for part in parts) == pytest.approx(1)
    assert named("alexnet").kind_share("convolution", "weights") == pytest.approx(0.0383, abs=1e-4)
    assert named("wrn-28-10").part_share("group3", "weights") == pytest.approx(0.7626, abs=1e-4)


def test_what_is_twice_as_much_is_one_step_more_and_all_of_it_fits():
    assert family_drawing.high(Shape(64, 1)) - family_drawing.high(Shape(32, 1)) == pytest.approx(1)
    assert family_drawing.wide(Shape(1, 640)) - family_drawing.wide(Shape(1, 320)) == pytest.approx(1)
    for pair in itertools.product(PUBLISHED, repeat=2):
        scale = family_drawing.scale_of(pair, "weights")
        for one in pair:
            drawn = family_drawing.draw(one, one.layers[0], "weights", scale)
            texts = [block.path + block.bar for block in drawn.blocks]
            across = [float(x) for text in texts for x in re.findall(r"[MLH]([\d.]+)", text)]
            assert min(across) >= family_drawing.LEFT
            assert max(across) <= family_drawing.WIDTH
            assert all(float(block.fill) <= 1 for block in drawn.blocks)


def test_a_layer_is_said_in_words():
    alexnet, lenet = named("alexnet"), named("lenet-5")
    assert family_words.does(alexnet.layer("conv1")) == "11 × 11, stride 4"
    assert family_words.does(alexnet.layer("pool1")) == "largest of 3 × 3, stride 2"
    assert family_words.does(lenet.layer("conv2")) == "5 × 5, 60 of 96 pairs of maps"
    assert family_words.title(lenet.layer("conv2")) == "Convolution 2 (C3)"
    assert (
        family_words.does(named("resnet-34").layer("group2/block1/shortcut"))
        == "1 × 1, stride 2, in a shortcut"
    )
    assert family_words.sentence(alexnet, alexnet.layer("dense1")) == (
        "Dense layer 1 of AlexNet: 6 × 6 × 256 go in, 4,096 come out. 37,752,832 weights, 61.9% of all; 37,748,736 "
        "multiply-adds, 5.2% of all. Each weight is used once."
    )
    assert "at 50,176 places" in family_words.used(named("vgg-16").layer("block1/conv2"))


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?net=no-such", "There is no network “no-such” here. VGG-16 is shown."),
        ("?versus=<b>", "There is no network “<b>” here. ResNet-34 is shown."),
        ("?net=alexnet&net_layer=conv99", "AlexNet has no layer “conv99”. Its first one is shown."),
        ("?versus=lenet-5&versus_layer=head/pool", "LeNet-5 has no layer “head/pool”."),
        ("?by=beauty", "not of “beauty”"),
    ],
)
def test_what_does_not_exist_is_said_and_something_else_is_shown(client, query, sentence):
    assert sentence in page(client, query)


@pytest.mark.django_db
def test_every_network_can_be_shown_with_all_its_layers(client):
    for one in (*PUBLISHED, *(own(card) for card in cards())):
        text = page(client, f"?net={one.slug}&versus=alexnet&net_layer={one.layers[-1].name}")
        still = text.partition("data-laboratory-still")[2]
        assert f"The layers of {one.title} as boxes" in still
        assert family_words.sentence(one, one.layers[-1]) in still
        table = still.partition(f"All layers of {one.title}")[2].partition("</table>")[0]
        assert table.count("<tr") == len(one.layers) + 1
        assert 'data-laboratory-corrections role="status" hidden' in text


@pytest.mark.django_db
def test_bars_can_be_shares_of_the_computing(client):
    assert "The longest bar is 74.3% of a network’s weights." in page(client)
    assert "The longest bar is 12.0% of a network’s multiply-adds." in page(client, "?by=work")


@pytest.mark.django_db
def test_it_is_about_no_picture(client):
    text = page(client)
    assert "lab-subject" not in text
    assert "Another picture" not in text
