"""Sheets of feature maps and the numbers beside them say what the tensors say."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from ml.explain import sheets
from ml.explain.statistics import QUANTILE, bound, energies, relative_change, statistics, two_digits
from ml.explain.structure import structure
from ml.explain.trace import tracer, value
from ml.explain.xray import STRONGEST, blocks, xray

SEED = 20261121
MEGABYTE = 2**20


@pytest.fixture
def maps() -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(7, 5, 4)).astype(np.float32)


def decoded(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "P"
        return np.asarray(picture)


def values_of(indices: np.ndarray, scale: float) -> np.ndarray:
    return (indices.astype(np.float64) - 127) * scale / 127


def covered(pixels: np.ndarray) -> np.ndarray:
    black = pixels.copy()
    black[8:20, 4:28] = 0
    return black


# -- colours and pictures ------------------------------------------------------------------------------------


def test_zero_is_white_below_is_red_above_is_blue():
    table = sheets.palette()
    assert table[sheets.ZERO].tolist() == [255, 255, 255]
    assert table[0].tolist() == [103, 0, 31]
    assert table[254].tolist() == [5, 48, 97]
    # Each step away from zero is darker, so that the size can be read without the hue.
    luminance = table[:255] @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance[:128]) > 0).all()
    assert (np.diff(luminance[127:]) < 0).all()


def test_a_value_is_kept_to_half_a_step_and_stays_at_the_end_beyond_the_scale(maps):
    scale = 1.5
    found = values_of(sheets.quantise(maps, scale), scale)
    right = np.clip(maps.astype(np.float64), -scale, scale)
    assert np.abs(found - right).max() <= scale / 127 / 2 * (1 + 1e-5)
    assert sheets.quantise(np.zeros(1, np.float32), scale)[0] == sheets.ZERO


def test_a_sheet_is_a_png_that_anybody_reads_with_see_through_gaps(maps):
    indices = sheets.grid(sheets.quantise(maps, 2.0), columns=3)
    content = sheets.png(indices)
    assert (decoded(content) == indices).all()
    with Image.open(io.BytesIO(content)) as picture:
        rgba = np.asarray(picture.convert("RGBA"))
    assert (rgba[..., 3] == np.where(indices == sheets.GAP, 0, 255)).all()
    assert (rgba[indices != sheets.GAP][:, :3] == sheets.palette()[indices[indices != sheets.GAP]]).all()


def test_maps_stand_in_rows_a_pixel_apart(maps):
    sheet = sheets.grid(maps.astype(np.uint8), columns=3)
    assert sheet.shape == (3 * 6 - 1, 3 * 5 - 1)
    for place in range(7):
        top, left = place // 3 * 6, place % 3 * 5
        assert (sheet[top : top + 5, left : left + 4] == maps[place].astype(np.uint8)).all()
    assert (sheet[12:, 5:] == sheets.GAP).all()
    assert (sheet[5] == sheets.GAP).all()
    assert sheets.grid(maps.astype(np.uint8)[:2]).shape == (5, 9)


def test_a_photograph_keeps_its_pixels():
    pixels = np.random.default_rng(SEED).integers(0, 256, (6, 9, 3), np.uint8)
    with Image.open(io.BytesIO(sheets.photograph(pixels))) as picture:
        assert (np.asarray(picture) == pixels).all()


def test_an_empty_sheet_is_refused():
    with pytest.raises(ValueError, match="a map"):
        sheets.grid(np.empty((0, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="a pixel"):
        sheets.png(np.empty((0, 4), np.uint8))


# -- numbers -------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_float64(maps):
    maps[2] = 0
    found = statistics(maps)
    right = maps.astype(np.float64)
    assert found.minimum == right.min()
    assert found.maximum == right.max()
    assert found.mean == pytest.approx(right.mean(), rel=1e-12)
    assert found.deviation == pytest.approx(right.std(), rel=1e-12)
    assert found.zeros == pytest.approx(20 / 140)
    with pytest.raises(ValueError, match="no values"):
        statistics(np.empty(0, np.float32))


def test_energy_is_the_root_mean_square_of_a_channel(maps):
    right = np.sqrt((maps.astype(np.float64) ** 2).mean((1, 2)))
    np.testing.assert_allclose(energies(maps), right, rtol=1e-12)


def test_a_change_is_a_share_of_the_size(maps):
    assert relative_change(maps, maps) == 0
    assert relative_change(maps, 1.25 * maps) == pytest.approx(0.25, rel=1e-6)
    assert relative_change(maps, np.zeros_like(maps)) == pytest.approx(1)
    nothing = np.zeros_like(maps)
    assert relative_change(nothing, nothing) == 0
    assert math.isinf(relative_change(nothing, maps))


def test_the_scale_covers_nearly_all_values_of_all_tensors_and_can_be_written_out(maps):
    scale = bound(maps, 3 * maps)
    together = np.abs(np.concatenate([maps.ravel(), 3 * maps.ravel()]))
    assert (together <= scale).mean() >= QUANTILE
    assert float(f"{scale:.2g}") == scale


def test_a_layer_that_is_nearly_silent_still_has_a_scale():
    silent = np.zeros((4, 16, 16), np.float32)
    assert bound(silent) == 1
    silent[3, 15, 15] = 0.0123
    assert bound(silent) == 0.013


@pytest.mark.parametrize(
    ("value", "written"), [(3.417, 3.5), (3.5, 3.5), (0.0301, 0.031), (99.1, 100.0), (2.0, 2.0)]
)
def test_a_scale_is_rounded_up_to_two_digits(value, written):
    assert two_digits(value) == written


# -- the whole X-ray -----------------------------------------------------------------------------------------


def test_every_layers_numbers_are_those_of_its_tensors(random_folder, architecture, inputs):
    of = structure(architecture)
    clean, other = tracer(architecture).trace(np.stack([inputs[0], covered(inputs[0])]))
    made = xray(of, clean, other)
    meta = json.loads(made.members["meta.json"])
    assert [row["name"] for row in meta["layers"]] == [layer.name for layer in of.layers]
    for row in meta["layers"]:
        one, two = (value(of, run, row["name"]).astype(np.float64) for run in (clean, other))
        difference = value(of, other, row["name"]) - value(of, clean, row["name"])
        for view, right in (("clean", one), ("covered", two), ("difference", difference.astype(np.float64))):
            said = row["statistics"][view]
            assert said["minimum"] == right.min()
            assert said["maximum"] == right.max()
            assert said["mean"] == pytest.approx(right.mean(), rel=1e-9, abs=1e-12)
            assert said["deviation"] == pytest.approx(right.std(), rel=1e-9)
            assert said["zeros"] == pytest.approx((right == 0).mean())
        assert row["change"] == pytest.approx(np.linalg.norm(two - one) / np.linalg.norm(one), rel=1e-5)
        energy = np.sqrt((one**2).mean((1, 2)))
        assert [size for _, size in row["strongest"]] == pytest.approx(
            sorted(energy, reverse=True)[:STRONGEST]
        )
        moved = np.sqrt(((two - one) ** 2).mean((1, 2)))
        assert [size for _, size in row["changed"]] == pytest.approx(
            sorted(moved, reverse=True)[:STRONGEST], rel=1e-5, abs=1e-7
        )


def test_sheets_and_strips_show_the_tensors_on_the_written_scale(random_folder, architecture, inputs):
    of = structure(architecture)
    clean, other = tracer(architecture).trace(np.stack([inputs[1], covered(inputs[1])]))
    made = xray(of, clean, other)
    meta = json.loads(made.members["meta.json"])
    sheeted = 0
    for row in meta["layers"]:
        name = row["name"].replace("/", ".")
        count, height, width = row["shape"]
        scale = row["scale"]
        tensors = [value(of, run, row["name"]) for run in (clean, other)]
        views = {"clean": tensors[0], "covered": tensors[1], "difference": tensors[1] - tensors[0]}
        order = [channel for channel, _ in row["strongest"]]
        strip = decoded(made.members[f"strips/{name}.png"])
        for i, maps in enumerate(views.values()):
            for k, channel in enumerate(order):
                top, left = i * (height + 1), k * (width + 1)
                shown = values_of(strip[top : top + height, left : left + width], scale)
                right = np.clip(maps[channel], -scale, scale)
                assert np.abs(shown - right).max() <= scale / 127
        table = made.members[f"channels/{name}.npy"]
        assert sorted(table[0].astype(int)) == list(range(count))
        if not row["sheets"]:
            continue
        sheeted += 1
        columns = min(meta["columns"], count)
        for view, maps in views.items():
            sheet = decoded(made.members[f"sheets/{name}.{view}.png"])
            place = count - 1
            top, left = place // columns * (height + 1), place % columns * (width + 1)
            shown = values_of(sheet[top : top + height, left : left + width], scale)
            right = np.clip(maps[int(table[0][place])], -scale, scale)
            assert np.abs(shown - right).max() <= scale / 127
    assert sheeted > len(blocks(of)) - 2


def test_what_is_drawn_as_a_sum_adds_up(random_folder, inputs):
    of = structure("wideresnet")
    (clean,) = tracer("wideresnet").trace(inputs[:1])
    made = xray(of, clean)
    rows = {row["name"]: row for row in json.loads(made.members["meta.json"])["layers"]}
    sums = [layer for layer in of.layers if layer.kind == "add"]
    assert sums
    for layer in sums:
        drawn = decoded(made.members[f"additions/{layer.name.replace('/', '.')}.png"])
        height, scale = layer.shape[1], rows[layer.name]["scale"]
        terms = [drawn[i * (height + 1) : i * (height + 1) + height] for i in range(3)]
        inside = np.all([(one > 0) & (one < 254) for one in terms], axis=0)
        one, other, total = (values_of(part, scale) for part in terms)
        assert inside.any()
        assert np.abs(one + other - total)[inside].max() <= 1.6 * scale / 127


def test_without_bars_there_is_one_view(random_folder, inputs):
    of = structure("vgg")
    made = xray(of, *tracer("vgg").trace(inputs[:1]))
    meta = json.loads(made.members["meta.json"])
    assert not meta["covered"]
    assert {tuple(row["statistics"]) for row in meta["layers"]} == {("clean",)}
    assert {row["change"] for row in meta["layers"]} == {None}
    assert not [name for name in made.members if "covered" in name or "difference" in name]


@pytest.mark.parametrize("colour", [0, 255])
def test_bars_over_all_of_it_and_pictures_of_one_colour_give_finite_numbers(random_folder, inputs, colour):
    of = structure("vgg")
    flat = np.full_like(inputs[0], colour)
    made = xray(of, *tracer("vgg").trace(np.stack([flat, np.zeros_like(flat)])))
    meta = json.loads(made.members["meta.json"], parse_constant=pytest.fail)
    assert all(np.isfinite(row["scale"]) and row["scale"] > 0 for row in meta["layers"])
    if colour == 0:
        assert {row["change"] for row in meta["layers"]} == {0}


def test_what_is_kept_stays_small(shipped, inputs):
    of = structure(shipped)
    made = xray(of, *tracer(shipped).trace(np.stack([inputs[2], covered(inputs[2])])))
    sizes = {name: len(one) if isinstance(one, bytes) else one.nbytes for name, one in made.members.items()}
    assert sum(sizes.values()) < 40 * MEGABYTE
    assert len(json.dumps(made.summary)) < 64_000
    ends = [block["end"].replace("/", ".") for block in made.summary["blocks"]]
    first = sizes["meta.json"] + sum(sizes[f"strips/{name}.png"] for name in ends)
    assert first < MEGABYTE / 2
