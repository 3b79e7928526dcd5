"""The square that is offered first stands where there is most to see."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ml.placement import CROWDING, SIDES, default_box, energy

RNG = np.random.default_rng(6)


def noise(width: int, height: int) -> Image.Image:
    """Coarse noise, which a thumbnail does not average away."""
    small = RNG.integers(0, 256, (max(1, height // 8), max(1, width // 8), 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.NEAREST)


def with_object(size: tuple[int, int], place: tuple[int, int], side: int) -> Image.Image:
    picture = Image.new("RGB", size, (120, 130, 140))
    picture.paste(noise(side, side), place)
    return picture


def pixels(box: tuple[float, ...], size: tuple[int, int]) -> tuple[float, float, float, float]:
    width, height = size
    x, y, across, down = box
    return x * width, y * height, (x + across) * width, (y + down) * height


@pytest.mark.parametrize("side", [200, 320, 400])
@pytest.mark.parametrize(("across", "down"), [(0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5), (0.3, 0.8)])
@pytest.mark.parametrize("size", [(600, 400), (400, 600), (711, 400)])
def test_the_object_lies_in_the_square_and_fills_most_of_it(size, across, down, side):
    place = round(across * (size[0] - side)), round(down * (size[1] - side))
    left, top, right, bottom = pixels(default_box(with_object(size, place, side)), size)
    inside = max(0, min(right, place[0] + side) - max(left, place[0])) * max(
        0, min(bottom, place[1] + side) - max(top, place[1])
    )
    assert inside > 0.85 * side * side
    assert inside > 0.7 * (right - left) * (bottom - top)


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (1, 10000), (10000, 1), (31, 33), (40, 30), (1500, 843), (667, 1000)]
)
def test_the_box_is_a_square_inside_the_picture(size):
    box = default_box(noise(*size))
    left, top, right, bottom = pixels(box, size)
    assert right - left == pytest.approx(bottom - top)
    assert right - left >= min(size) / 2 - 1
    assert min(box[:2]) >= 0
    assert right <= size[0] + 1e-6
    assert bottom <= size[1] + 1e-6


def test_a_square_picture_is_taken_whole():
    assert default_box(with_object((400, 400), (250, 250), 100)) == (0.0, 0.0, 1.0, 1.0)


def test_a_nearly_square_picture_is_taken_as_large_as_it_goes():
    assert default_box(with_object((410, 400), (0, 0), 100)) == pytest.approx((5 / 410, 0, 400 / 410, 1))


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_a_picture_of_one_colour_is_taken_from_its_middle(size):
    left, top, right, bottom = pixels(default_box(Image.new("RGB", size, (9, 90, 200))), size)
    assert (left, top) == pytest.approx(((size[0] - 100) / 2, (size[1] - 100) / 2))
    assert (right - left, bottom - top) == pytest.approx((100, 100))


def test_of_two_like_objects_the_one_nearer_to_the_middle_wins():
    picture = Image.new("RGB", (900, 300), (120, 130, 140))
    one = noise(200, 200)
    picture.paste(one, (60, 50))
    picture.paste(one, (450, 50))
    left, _, right, _ = pixels(default_box(picture), picture.size)
    assert 380 < left < 520
    assert 600 < right < 720


def test_the_box_does_not_depend_on_the_pictures_size():
    large = with_object((1500, 1000), (900, 100), 500)
    small = large.resize((300, 200), Image.Resampling.BOX)
    assert default_box(small) == pytest.approx(default_box(large), abs=0.04)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_of_pillow_is_taken(mode):
    picture = with_object((600, 400), (0, 0), 250).convert(mode)
    assert default_box(picture)[0] < 0.1


def test_energy_is_how_much_neighbours_differ_and_nothing_at_an_edge_without_one():
    values = np.zeros((3, 4, 3), np.int64)
    values[..., 0] = [[0, 10, 0, 0], [0, 0, 50, 0], [0, 40, 0, 7]]
    values[1, 3, 2] = 100
    # Across: |right - left| of columns 1 and 2. Down: |below - above| of row 1.
    across = [[0, 0, 10, 0], [0, 50, 0 + 100, 0], [0, 0, 33, 0]]
    down = [[0, 0, 0, 0], [0, 30, 0, 7], [0, 0, 0, 0]]
    assert energy(values).tolist() == (np.array(across) + down).tolist()


@pytest.mark.parametrize("size", [(64, 40), (36, 64), (64, 1)])
def test_the_choice_is_that_of_the_documented_score_tried_at_every_place(size):
    # A picture of the thumbnail's own size, so that nothing is averaged first.
    width, height = size
    picture = Image.fromarray(RNG.integers(0, 256, (height, width, 3), np.uint8))
    values = energy(np.asarray(picture, np.int64)).astype(float)
    best, place = 0.0, None
    for side in SIDES:
        n = max(1, int(side * min(size) + 0.5))
        for top in range(height - n + 1):
            for left in range(width - n + 1):
                away = ((left + n / 2) / width - 0.5) ** 2 + ((top + n / 2) / height - 0.5) ** 2
                inside = values[top : top + n, left : left + n].sum()
                score = inside / (n / min(size)) ** CROWDING * (1 - away)
                if score > best:
                    best, place = score, (left / width, top / height, n / width, n / height)
    assert default_box(picture) == pytest.approx(place)
