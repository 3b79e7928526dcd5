"""Cells of a picture: they tile it, whatever its size, and what is drawn of them says where they are."""

from __future__ import annotations

import numpy as np
import pytest

from ml.explain import grids


@pytest.mark.parametrize(("size", "grid"), [(32, 8), (33, 8), (31, 16), (7, 4), (5, 5), (9, 1)])
def test_cells_tile_the_picture(size, grid):
    count = sum(grids.mask(size, grid, [cell]).astype(int) for cell in range(grid * grid))
    assert (count == 1).all()
    sides = np.diff(grids.edges(size, grid))
    assert sides.max() - sides.min() <= 1


def test_cells_are_counted_row_by_row():
    mask = grids.mask(8, 4, [1, 4])
    assert mask[:2, 2:4].all()
    assert mask[2:4, :2].all()
    assert mask.sum() == 8


@pytest.mark.parametrize(("size", "grid"), [(4, 5), (4, 0)])
def test_a_grid_without_cells_or_with_cells_of_no_pixel_is_refused(size, grid):
    with pytest.raises(ValueError, match=f"4 pixels cannot be divided into {grid} cells"):
        grids.edges(size, grid)


def test_painting_leaves_the_picture_itself_alone():
    pixels = np.full((5, 5, 3), 200, np.uint8)
    found = grids.painted(pixels, 5, [6], 30)
    assert (pixels == 200).all()
    assert (found[1, 1] == 30).all()
    assert (found == 200).sum() == 72


def test_pooling_takes_the_mean_of_each_cell():
    values = np.arange(25.0).reshape(5, 5)
    found = grids.pooled(values, 2)
    borders = grids.edges(5, 2)
    for i in (0, 1):
        for j in (0, 1):
            part = values[borders[i] : borders[i + 1], borders[j] : borders[j + 1]]
            assert found[i, j] == pytest.approx(part.mean())
    np.testing.assert_allclose(grids.pooled(values, 5), values)


def test_each_pixel_has_its_cells_value():
    values = np.array([[1, 2], [3, 4]])
    drawn = grids.nearest(values, 5)
    for cell, value in enumerate(values.flat):
        assert (drawn[grids.mask(5, 2, [cell])] == value).all()


def test_between_the_centres_of_cells_values_change_evenly():
    drawn = grids.bilinear(np.array([[0.0, 8.0], [0.0, 8.0]]), 8)
    # Centres lie 2 and 6 pixels from the left; a pixel's own centre is half a pixel in.
    np.testing.assert_allclose(drawn[3], [0, 0, 1, 3, 5, 7, 8, 8])
    np.testing.assert_allclose(drawn, drawn[:1].repeat(8, 0))


def test_a_map_as_fine_as_the_picture_is_drawn_as_it_is():
    values = np.random.default_rng(0).normal(size=(6, 6))
    np.testing.assert_allclose(grids.bilinear(values, 6), values, atol=1e-6)


def test_contours_part_the_positive_values_evenly():
    assert grids.contour_levels(np.array([[-9.0, 10.0]]), 4) == [2, 4, 6, 8]
    assert grids.contour_levels(np.array([[-9.0, 0.0]])) == []
