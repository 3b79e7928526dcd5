"""The pixels without scripts: every number against plain loops, and addresses that make no sense."""

from __future__ import annotations

import base64
import html
import io
import re

import numpy as np
import pytest
from django.urls import reverse
from PIL import Image

from learn.figures import pixels
from learn.figures.pixels import Settings

pytestmark = pytest.mark.django_db

ADDRESS = reverse("learn:laboratory-figure", args=["pixels"])


@pytest.fixture
def picture():
    return np.random.default_rng(5).integers(0, 256, (16, 16, 3), np.uint8)


def half_up(number):
    return int(number + 0.5)


@pytest.mark.parametrize("rows", [16, 8, 4, 2])
def test_fewer_rows_are_means_over_squares(picture, rows):
    shown = pixels.shown(picture, Settings(rows))
    size = 16 // rows
    for channel in range(3):
        for row in range(rows):
            for column in range(rows):
                square = [
                    int(picture[row * size + i, column * size + j, channel])
                    for i in range(size)
                    for j in range(size)
                ]
                assert shown.planes[channel, row, column] == half_up(sum(square) / len(square))


@pytest.mark.parametrize("steps", pixels.STEPS)
def test_every_number_goes_to_the_nearest_step(steps):
    ends = [half_up(255 * step / (steps - 1)) for step in range(steps)]
    found = pixels.coarse(np.arange(256), steps)
    assert sorted(set(found.tolist())) == ends
    exact = [255 * step / (steps - 1) for step in range(steps)]
    for value, to in enumerate(found.tolist()):
        chosen = exact[ends.index(to)]
        assert abs(value - chosen) <= min(abs(value - one) for one in exact) + 1e-9
    assert pixels.bits_each(steps) == {256: 8, 16: 4, 8: 3, 4: 2, 2: 1}[steps]


@pytest.mark.parametrize("add", [-255, -100, 0, 1, 100, 255])
@pytest.mark.parametrize("channels", ["rgb", "gb", "r"])
def test_what_is_added_cuts_off_what_lies_outside(picture, add, channels):
    shown = pixels.shown(picture, Settings(16, channels=channels, add=add))
    below = above = numbers = 0
    for at, name in enumerate("rgb"):
        for row in range(16):
            for column in range(16):
                value = int(picture[row, column, at]) + add
                assert shown.planes[at, row, column] == min(255, max(0, value))
                assert shown.cut[at, row, column] == (value > 255) - (value < 0)
                expected = min(255, max(0, value)) if name in channels else 0
                assert shown.picture[row, column, at] == expected
                if name in channels:
                    numbers += 1
                    below += value < 0
                    above += value > 255
    assert (shown.numbers, shown.below, shown.above) == (numbers, below, above)
    assert shown.bits == 8 * numbers


@pytest.mark.parametrize(("add", "low", "high"), [(100, 0, 155), (-60, 60, 255)])
def test_taken_away_again_all_is_back_but_what_was_cut_off(picture, add, low, high):
    shown = pixels.shown(picture, Settings(16, add=add, back=True))
    np.testing.assert_array_equal(shown.picture, picture.clip(low, high))


def test_mixing_moves_numbers_and_changes_none(picture):
    straight = pixels.shown(picture, Settings(16))
    by_rows = pixels.shown(picture, Settings(16, shuffle="rows"))
    by_pixels = pixels.shown(picture, Settings(16, shuffle="pixels"))

    def lines(shown):
        return sorted(line.tolist() for line in shown.picture)

    def places(shown):
        return sorted(shown.picture.reshape(-1, 3).tolist())

    assert lines(by_rows) == lines(straight)
    assert lines(by_pixels) != lines(straight)
    assert places(by_pixels) == places(straight)
    for mixed in (by_rows, by_pixels):
        assert not np.array_equal(mixed.picture, straight.picture)
        assert (mixed.bits, mixed.straight) == (straight.bits, straight.apart)


def test_neighbours_of_a_smooth_picture_are_closer_than_those_of_a_mixed_one():
    ramp = np.repeat(np.add.outer(4 * np.arange(16), 2 * np.arange(16))[..., None], 3, axis=2)
    shown = pixels.shown(ramp.astype(np.uint8), Settings(16, shuffle="pixels"))
    assert shown.straight == pytest.approx(3)
    assert shown.apart > 3 * shown.straight


@pytest.mark.parametrize("side", [32, 24, 40, 25, 1])
def test_sizes_are_halved_while_they_can_be(side):
    assert pixels.sizes(side)[0] == side
    for rows in pixels.sizes(side):
        assert side % rows == 0
        shown = pixels.shown(np.full((side, side, 3), 7, np.uint8), Settings(rows, shuffle="pixels"))
        assert (shown.picture == 7).all()
        assert shown.apart == 0


@pytest.mark.parametrize("rows", [32, 4])
def test_the_window_lies_within_the_picture(rows):
    for row in range(rows):
        top, left, side = pixels.window(rows, row, 0)
        assert side == min(7, rows)
        assert left == 0
        assert 0 <= top <= row < top + side <= rows


# --- the page ---------------------------------------------------------------------------------------------------


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def stills(text):
    """The pictures of the page as arrays: the one in colour, then red, green and blue."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?rows=7", "“7” cannot be chosen for the number of rows. Shown instead: 32."),
        ("?rows=many", "cannot be chosen for the number of rows"),
        ("?rows=-32", "cannot be chosen for the number of rows"),
        ("?steps=3", "cannot be chosen for the number of steps. Shown instead: 256."),
        ("?steps=nan", "cannot be chosen for the number of steps"),
        ("?channels=cmyk", "cannot be chosen for the channels. Shown instead: all three."),
        ("?channels=bgr", "cannot be chosen for the channels"),
        ("?shuffle=cards", "cannot be chosen for the order. Shown instead: as it is."),
        ("?read=violet", "cannot be chosen for the numbers around the pixel"),
        ("?add=1.5", "“1.5” is no whole number. Nothing is added."),
        ("?add=much", "is no whole number"),
        ("?add=inf", "is no whole number"),
        ("?add=999", "At most 255 can be added"),
        ("?add=-1e9", "At most 255 can be added"),
        ("?back=perhaps", "is neither 1 nor 0"),
        ("?y=32", "There is no pixel “33”: rows and columns go from 1 to 32. 32 is shown."),
        ("?x=-5", "rows and columns go from 1 to 32"),
        ("?x=here", "There is no pixel “here”"),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_near_is_shown(client, query, sentence):
    assert sentence in page(client, query)


def test_the_page_says_the_numbers_of_the_pixel_and_shows_those_around_it(client):
    text = page(client, "?y=3&x=31&read=green")
    picture, red, green, _blue = stills(text)
    assert picture.shape == (32, 32, 3)
    values = picture[3, 31]
    assert f"Row 4, column 32: red {values[0]}, green {values[1]}, blue {values[2]}." in text
    assert (red[..., 0] == picture[..., 0]).all()
    window = text.partition("Numbers of green around row 4, column 32")[2].partition("</table>")[0]
    rows = re.findall(r'<th scope="row">(\d+)</th>((?:<td>\d+</td>)+)', window)
    assert [int(row) for row, _cells in rows] == [1, 2, 3, 4, 5, 6, 7]
    cells = [[int(one) for one in re.findall(r"<td>(\d+)</td>", line)] for _row, line in rows]
    np.testing.assert_array_equal(cells, green[:7, 25:, 0])


def test_the_page_says_how_many_numbers_and_bits_there_are(client):
    text = page(client)
    assert "32 rows × 32 columns × 3 channels = 3,072 numbers." in text
    assert (
        "256 steps are 8 bits for each number, 24,576 bits together: 100.0% of all that the networks" in text
    )
    assert "Nothing is added" in text
    text = page(client, "?rows=16&steps=2&channels=g")
    assert "16 rows × 16 columns × 1 channel = 256 numbers." in text
    assert "2 steps are 1 bit for each number, 256 bits together: 1.0% of all" in text
    assert [one.shape for one in stills(text)] == [(16, 16, 3)] * 4


def test_the_page_says_what_is_cut_off_and_what_mixing_does(client):
    whole = stills(page(client))[0].astype(int)
    cut = int((whole - 90 < 0).sum())
    text = page(client, "?add=-90&back=1&shuffle=rows")
    assert f"−90 is added: {cut:,} of 3,072 numbers ({100 * cut / 3072:.1f}%) would lie below 0" in text
    assert "those that were cut off are all 90 now" in text
    assert "before they were mixed it was" in text
    assert stills(text)[0].min() == 90


def test_what_belongs_to_other_figures_is_kept_by_the_form(client):
    text = page(client, "?temperature=2&rows=16")
    assert '<input type="hidden" name="temperature" value="2">' in text
    assert '<input type="hidden" name="rows"' not in text
