"""Black bars: what is taken, what is refused with which sentence, and which pixels they cover."""

import json
import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from predictions.corruption import (
    Bar,
    BarsInvalid,
    apply_bars,
    canonical,
    covered_share,
    parse_bars,
    pixel_box,
)
from tests import pictures


@st.composite
def bars(draw) -> list[float]:
    x, y = draw(st.floats(0, 0.999)), draw(st.floats(0, 0.999))
    return [x, y, draw(st.floats(1e-9, 1 - x)), draw(st.floats(1e-9, 1 - y))]


def refusal(value: object) -> str:
    with pytest.raises(BarsInvalid) as caught:
        parse_bars(value)
    return str(caught.value)


@pytest.mark.parametrize("nothing", [None, "", "[]", [], ()])
def test_no_bars_are_no_bars(nothing):
    assert parse_bars(nothing) == ()


def test_json_and_lists_mean_the_same():
    expected = (Bar(0.1, 0.2, 0.3, 0.4), Bar(0, 0, 1, 1))
    assert parse_bars("[[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1]]") == expected
    assert parse_bars([[0.1, 0.2, 0.3, 0.4], (0, 0, 1, 1)]) == expected
    assert parse_bars(expected) == expected
    assert canonical(expected) == [[0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 1.0, 1.0]]


def test_thirty_two_bars_are_taken_and_a_thousand_are_not():
    assert len(parse_bars([[0, 0, 0.5, 0.5]] * 32)) == 32
    assert "at most 32" in refusal([[0, 0, 0.5, 0.5]] * 33)
    assert "at most 32" in refusal([[0, 0, 0.5, 0.5]] * 1000)
    assert "at most 32" in refusal(json.dumps([[0, 0, 0.5, 0.5]] * 1000))


@pytest.mark.parametrize(
    ("bar", "reason"),
    [
        ([0, 0, 1], "four numbers"),
        ([0, 0, 1, 1, 1], "four numbers"),
        ([], "four numbers"),
        ("0,0,1,1", "four numbers"),
        ({"x": 0, "y": 0, "width": 1, "height": 1}, "four numbers"),
        (None, "four numbers"),
        ([0, 0, True, 1], "four numbers"),
        ([0, 0, "1", 1], "four numbers"),
        ([0, 0, None, 1], "four numbers"),
        ([0, 0, [1], 1], "four numbers"),
        ([math.nan, 0, 1, 1], "not between 0 and 1"),
        ([0, 0, math.inf, 1], "not between 0 and 1"),
        ([0, 0, 10**400, 1], "not between 0 and 1"),
        ([-0.1, 0, 0.5, 0.5], "starts outside"),
        ([0, 1.5, 0.5, 0.5], "starts outside"),
        ([0, 0, 0, 0.5], "no area"),
        ([0.5, 0.5, -0.5, 0.2], "no area"),
        ([0.6, 0, 0.5, 0.5], "reaches outside"),
        ([0, 0.5, 0.5, 0.6], "reaches outside"),
        ([1, 1, 0.1, 0.1], "reaches outside"),
    ],
)
def test_a_bad_bar_is_named_with_what_is_wrong(bar, reason):
    sentence = refusal([[0, 0, 0.5, 0.5], bar])
    assert "Bar 2" in sentence
    assert reason in sentence


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[[0, 0, 1, NaN]]",
        "[[0, 0, Infinity, 1]]",
        "[[0, 0, 1e999, 1]]",
        "[[0, 0, " + "9" * 5000 + ", 1]]",
        "[" * 9000,
        "[" * 4000 + "]" * 4000,
        "[" * 100_000 + "]" * 100_000,
        '{"x": 1}',
        "17",
        "true",
        '"[]"',
        b"\xff\xfe\x00",
        "null",
        " " * 20_000,
        17,
        {},
        object(),
    ],
)
def test_what_is_no_list_of_bars_is_refused(text):
    assert refusal(text).endswith(".")


def test_an_edge_a_hair_outside_is_pulled_in():
    (bar,) = parse_bars([[0.7, 0.7, 0.3 + 9e-7, 0.30000000000000004]])
    assert bar == Bar(0.7, 0.7, 0.3, 0.3)
    (corner,) = parse_bars([[1, 1, 5e-7, 5e-7]])
    assert pixel_box(corner, 10, 20) == (9, 19, 10, 20)


def test_edges_are_rounded_outwards():
    assert pixel_box(Bar(0.25, 0.5, 0.5, 0.5), 100, 50) == (25, 25, 75, 50)
    assert pixel_box(Bar(0.251, 0.0, 0.001, 1.0), 100, 50) == (25, 0, 26, 50)
    assert pixel_box(Bar(0.255, 0.0, 0.01, 1.0), 100, 50) == (25, 0, 27, 50)
    assert pixel_box(Bar(0.1, 0.0, 0.2, 1.0), 10, 1) == (1, 0, 3, 1)


def test_bars_are_black_and_nothing_else_changes():
    scene = pictures.scene()
    before = scene.tobytes()
    covered = apply_bars(scene, parse_bars([[0.25, 0.25, 0.5, 0.5]]))
    assert scene.tobytes() == before
    assert covered.size == scene.size
    assert covered.mode == "RGB"
    width, height = scene.size
    for x in range(0, width, 7):
        for y in range(0, height, 7):
            inside = 80 <= x < 240 and 60 <= y < 180
            assert covered.getpixel((x, y)) == ((0, 0, 0) if inside else scene.getpixel((x, y)))


def test_no_bars_give_an_equal_picture_that_is_another_one():
    scene = pictures.scene()
    covered = apply_bars(scene, ())
    assert covered is not scene
    assert covered.tobytes() == scene.tobytes()


def test_the_covered_share_counts_overlaps_once():
    assert covered_share(()) == 0
    assert covered_share([Bar(0, 0, 1, 1), Bar(0.2, 0.2, 0.1, 0.1)]) == 1
    assert covered_share([Bar(0, 0, 0.5, 0.5), Bar(0.25, 0.25, 0.5, 0.5)]) == 0.4375
    assert covered_share([Bar(0.1, 0, 0.2, 1), Bar(0.1, 0, 0.2, 1), Bar(0, 0.5, 1, 0.1)]) == 0.28


@settings(deadline=None)
@given(st.lists(bars(), max_size=32))
def test_what_is_stored_is_what_was_applied(values):
    parsed = parse_bars(values)
    stored = canonical(parsed)
    again = parse_bars(json.dumps(stored))
    assert again == parsed
    assert canonical(again) == stored
    for x, y, width, height in stored:
        assert 0 <= x < 1
        assert 0 <= y < 1
        assert width > 0
        assert height > 0
        assert x + width <= 1 + 1e-12
        assert y + height <= 1 + 1e-12
        assert [x, y, width, height] == [round(part, 6) for part in (x, y, width, height)]
    assert len(json.dumps(stored)) < 10_000


@settings(deadline=None)
@given(bars(), st.integers(1, 1500), st.integers(1, 1500))
def test_every_bar_covers_a_pixel_inside_the_picture(value, width, height):
    (bar,) = parse_bars([value])
    left, top, right, bottom = pixel_box(bar, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@settings(deadline=None)
@given(st.lists(bars(), max_size=12))
def test_the_share_lies_between_the_largest_bar_and_their_sum(values):
    parsed = parse_bars(values)
    areas = [bar.width * bar.height for bar in parsed]
    assert max(areas, default=0) - 1e-9 <= covered_share(parsed) <= min(1, sum(areas)) + 1e-9


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 7)] * 2, *[st.integers(1, 8)] * 2), max_size=6))
def test_share_and_black_pixels_agree_where_bars_follow_the_pixels(cells):
    assume(all(x + width <= 8 and y + height <= 8 for x, y, width, height in cells))
    parsed = parse_bars([[part / 8 for part in cell] for cell in cells])
    covered = apply_bars(Image.new("RGB", (8, 8), "white"), parsed)
    black = sum(covered.getpixel((x, y)) == (0, 0, 0) for x in range(8) for y in range(8))
    assert covered_share(parsed) == black / 64


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), st.lists, max_leaves=20
    )
)
def test_anything_is_read_or_refused(value):
    for form in (value, json.dumps(value)):
        sentence, found = ".", ()
        try:
            found = parse_bars(form)
        except BarsInvalid as refused:
            sentence = str(refused)
        assert sentence.endswith(".")
        assert all(isinstance(bar, Bar) for bar in found)
