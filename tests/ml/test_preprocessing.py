"""One function makes a network's input of any picture, the same one everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.placement import default_box
from ml.preprocessing import (
    CIFAR100_MEAN,
    CIFAR100_STD,
    FILTERS,
    SHAPES,
    Preprocessing,
    normalise,
    pixels_of,
    to_input,
)

RNG = np.random.default_rng(4)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_picture_of_the_networks_size_comes_back_pixel_for_pixel(shape, name):
    picture = noise(32, 32)
    assert np.array_equal(to_input(picture, Preprocessing(32, shape=shape, filter=name)), np.asarray(picture))


def test_shrinking_by_area_takes_the_mean_of_every_tile():
    picture = noise(96, 64)
    expected = np.asarray(picture, np.float64).reshape(32, 2, 32, 3, 3).mean((1, 3))
    # Pillow rounds once in each direction.
    assert np.abs(to_input(picture, Preprocessing(32)) - expected).max() <= 1.01


def test_stretching_squeezes_the_whole_picture_in():
    picture = Image.new("RGB", (300, 100))
    picture.paste((255, 0, 0), (0, 0, 100, 100))
    picture.paste((0, 0, 255), (200, 0, 300, 100))
    seen = to_input(picture, Preprocessing(30))
    assert seen[:, :9].mean((0, 1)).tolist() == [255, 0, 0]
    assert seen[:, 21:].mean((0, 1)).tolist() == [0, 0, 255]


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_cropping_takes_the_largest_centred_square(size):
    picture = Image.new("RGB", size, (255, 0, 0))
    left, top = (size[0] - 100) // 2, (size[1] - 100) // 2
    middle = noise(100, 100)
    picture.paste(middle, (left, top))
    how = Preprocessing(32, shape="crop")
    assert np.array_equal(to_input(picture, how), to_input(middle, how))


def test_placing_takes_the_square_that_is_offered_first():
    picture = Image.new("RGB", (300, 200), (90, 90, 90))
    picture.paste(noise(12, 12).resize((120, 120), Image.Resampling.NEAREST), (170, 70))
    seen = to_input(picture, Preprocessing(32, shape="placed"))
    box = default_box(picture)
    assert box[0] > 0.4
    assert np.array_equal(seen, to_input(picture, Preprocessing(32), box))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_box_is_cut_out_whatever_the_shape_and_nothing_outside_it_is_seen(shape, name):
    part = noise(80, 80)
    how = Preprocessing(32, shape=shape, filter=name)
    seen = []
    for colour in ((255, 0, 0), (0, 0, 255)):
        picture = Image.new("RGB", (300, 200), colour)
        picture.paste(part, (30, 110))
        seen.append(to_input(picture, how, (30 / 300, 110 / 200, 80 / 300, 80 / 200)))
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0], to_input(part, Preprocessing(32, filter=name)))


def test_a_box_of_the_networks_size_comes_back_pixel_for_pixel():
    picture = noise(300, 200)
    box = (41 / 300, 77 / 200, 32 / 300, 32 / 200)
    expected = np.asarray(picture)[77:109, 41:73]
    assert np.array_equal(to_input(picture, Preprocessing(32), box), expected)


def test_a_box_round_the_whole_picture_stretches_it():
    picture = noise(300, 200)
    how = Preprocessing(32, shape="placed")
    assert np.array_equal(to_input(picture, how, (0, 0, 1, 1)), to_input(picture, Preprocessing(32)))


@pytest.mark.parametrize("box", [(0, 0, 1e-9, 1e-9), (1, 1, 1e-9, 1e-9), (0.5, 0.5, 1e-9, 1e-9)])
def test_the_smallest_box_has_one_pixel(box):
    picture = noise(7, 5)
    left, top, right, bottom = pixels_of(box, 7, 5)
    assert (right - left, bottom - top) == (1, 1)
    assert (to_input(picture, Preprocessing(8), box) == np.asarray(picture)[top, left]).all()


@pytest.mark.parametrize("size", [(300, 200), (7, 5), (1, 1), (1, 1000)])
def test_a_box_of_whole_pixels_survives_being_rounded_to_millionths(size):
    for _ in range(50):
        side = int(RNG.integers(1, min(size) + 1))
        left, top = (int(RNG.integers(0, length - side + 1)) for length in size)
        edges = (left / size[0], top / size[1], side / size[0], side / size[1])
        box = tuple(round(value, 6) for value in edges)
        assert pixels_of(box, *size) == (left, top, left + side, top + side)


@pytest.mark.parametrize(
    "box",
    [
        (-0.1, 0, 0.5, 0.5),
        (0, 0, 1.1, 1),
        (0.6, 0, 0.5, 0.5),
        (0, 0.6, 0.5, 0.5),
        (0, 0, 0, 0.5),
        (0, 0, 0.5, -0.5),
        (0, 0, float("nan"), 0.5),
        (float("nan"), 0, 0.5, 0.5),
        (0, 0, float("inf"), 1),
    ],
)
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match=r"a box is \(x, y, width, height\) in fractions"):
        to_input(noise(30, 20), Preprocessing(8), box)


def test_enlarging_is_smooth_whatever_the_filter_for_shrinking():
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((1, 0), (255, 255, 255))
    answers = [to_input(picture, Preprocessing(32, filter=name)) for name in FILTERS]
    assert all(np.array_equal(answers[0], other) for other in answers)
    line = answers[0][0, :, 0].astype(int)
    assert line[0] == 0
    assert line[-1] == 255
    assert (np.diff(line) >= 0).all()
    assert np.diff(line).max() < 40


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1, 1), (1, 10000), (10000, 1), (31, 33), (32, 1000), (7, 5)])
def test_every_size_from_one_pixel_on_gives_the_networks_size(size, shape):
    seen = to_input(Image.new("RGB", size, (12, 34, 56)), Preprocessing(32, shape=shape))
    assert seen.shape == (32, 32, 3)
    assert seen.dtype == np.uint8
    assert (seen == (12, 34, 56)).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_every_mode_of_pillow_becomes_rgb(mode):
    seen = to_input(Image.new(mode, (40, 40)), Preprocessing(32))
    assert seen.shape == (32, 32, 3)
    assert seen.dtype == np.uint8


def test_the_input_is_the_callers_own_to_change():
    picture = noise(32, 32)
    before = np.asarray(picture).copy()
    to_input(picture, Preprocessing(32))[:] = 0
    assert np.array_equal(np.asarray(picture), before)


def test_normalised_values_are_those_of_float64_to_float32s_precision():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    exact = (pixels / np.float64(255) - np.array(CIFAR100_MEAN)) / np.array(CIFAR100_STD)
    values = normalise(pixels, Preprocessing(16))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, exact, atol=5e-7)


def test_every_network_may_have_its_own_means_and_deviations():
    how = Preprocessing(1, mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 0.25))
    values = normalise(np.full((1, 1, 1, 3), 255, np.uint8), how)
    np.testing.assert_allclose(values[0, 0, 0], [1, 1, 0], atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 1), np.uint8),
        np.zeros((1, 3, 4, 4), np.uint8),
    ],
    ids=["floats", "one picture", "grey", "channels first"],
)
def test_anything_but_uint8_rgb_pictures_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected uint8 \(n, h, w, 3\), got"):
        normalise(wrong, Preprocessing(4))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"size": 0}, "size must be at least 1"),
        ({"size": 32, "shape": "squash"}, "shape must be one of"),
        ({"size": 32, "filter": "nearest"}, "filter must be one of"),
        ({"size": 32, "std": (0.1, 0.0, 0.1)}, "mean and std need three values"),
        ({"size": 32, "mean": (0.1, 0.2)}, "mean and std need three values"),
    ],
)
def test_a_preprocessing_that_cannot_work_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Preprocessing(**values)


def test_a_preprocessing_survives_the_way_through_a_card():
    how = Preprocessing(24, "crop", "lanczos", (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    stored = {**how.to_dict(), "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    assert Preprocessing.from_dict(stored) == how
    assert Preprocessing.from_dict({"size": 32}) == Preprocessing(32)
