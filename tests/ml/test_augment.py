"""Augmentation moves, mirrors and mixes pixels, and mixes the targets by exactly as much."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from ml import augment
from ml.preprocessing import Preprocessing
from ml.preprocessing import normalise as normalise_exactly

SIDE = 16
PICTURES = np.random.default_rng(2).integers(0, 256, (6, SIDE, SIDE, 3), np.uint8)


def cropped(index: np.ndarray, seed: int, shift: int = 2) -> np.ndarray:
    flat = ops.convert_to_tensor(PICTURES.reshape(-1, 3))
    generator = keras.random.SeedGenerator(seed)
    chosen = ops.convert_to_tensor(index.astype(np.int32))
    return ops.convert_to_numpy(augment.crop_and_flip(flat, chosen, SIDE, generator, shift=shift))


def placements(picture: np.ndarray, shift: int) -> dict[bytes, tuple[int, int, bool]]:
    """Every result that cropping the reflected picture and mirroring may give."""
    wide = np.pad(picture, ((shift, shift), (shift, shift), (0, 0)), mode="reflect").astype(np.float32)
    found = {}
    for y in range(2 * shift + 1):
        for x in range(2 * shift + 1):
            crop = wide[y : y + SIDE, x : x + SIDE]
            found[crop.tobytes()] = (y, x, False)
            found[np.ascontiguousarray(crop[:, ::-1]).tobytes()] = (y, x, True)
    return found


def test_crops_are_windows_of_the_reflected_picture_half_of_them_mirrored():
    index = np.arange(600) % len(PICTURES)
    results = cropped(index, seed=1)
    allowed = [placements(picture, 2) for picture in PICTURES]
    seen = [allowed[i].get(np.ascontiguousarray(r).tobytes()) for i, r in zip(index, results, strict=True)]
    assert None not in seen
    assert {place[:2] for place in seen} == {(y, x) for y in range(5) for x in range(5)}
    assert 240 < sum(place[2] for place in seen) < 360


def test_pictures_come_in_the_order_of_their_indices():
    results = cropped(np.array([4, 0, 4]), seed=3, shift=0)
    for result, i in zip(results, (4, 0, 4), strict=True):
        assert np.array_equal(result, PICTURES[i]) or np.array_equal(result, PICTURES[i][:, ::-1])


def test_the_same_seed_gives_the_same_crops_and_the_next_call_others():
    flat, index = ops.convert_to_tensor(PICTURES.reshape(-1, 3)), ops.arange(6, dtype="int32")
    generator = keras.random.SeedGenerator(9)
    first, second = (augment.crop_and_flip(flat, index, SIDE, generator) for _ in range(2))
    assert np.array_equal(first, cropped(np.arange(6), seed=9, shift=4))
    assert not np.array_equal(first, second)


def scaled(index: np.ndarray, seed: int, **options: float) -> np.ndarray:
    flat = ops.convert_to_tensor(PICTURES.reshape(-1, 3))
    generator = keras.random.SeedGenerator(seed)
    chosen = ops.convert_to_tensor(index.astype(np.int32))
    return ops.convert_to_numpy(augment.scale_and_crop(flat, chosen, SIDE, generator, **options))


def test_pictures_that_are_not_scaled_are_windows_of_the_reflected_picture():
    index = np.arange(200) % len(PICTURES)
    allowed = [placements(picture, 2) for picture in PICTURES]
    results = scaled(index, seed=4, shift=2, jitter=0.0)
    seen = [allowed[i].get(np.ascontiguousarray(r).tobytes()) for i, r in zip(index, results, strict=True)]
    assert None not in seen
    assert {place[:2] for place in seen} == {(y, x) for y in range(5) for x in range(5)}
    assert 70 < sum(place[2] for place in seen) < 130


def test_the_jitter_is_the_share_of_pictures_that_are_scaled_up_to_the_zoom():
    # A ramp: its slope tells by how much the picture was enlarged or reduced.
    ramp = np.broadcast_to(np.arange(SIDE, dtype=np.uint8)[None, :, None] * 8, (SIDE, SIDE, 3))
    flat = ops.convert_to_tensor(np.ascontiguousarray(ramp).reshape(-1, 3))
    index = ops.zeros((800,), dtype="int32")
    generator = keras.random.SeedGenerator(5)
    results = ops.convert_to_numpy(
        augment.scale_and_crop(flat, index, SIDE, generator, shift=0, jitter=0.5, zoom=1.4, stretch=1.2)
    )
    middle = SIDE // 2
    slope = np.abs(results[:, middle, middle, 0] - results[:, middle, middle - 1, 0]) / 8
    assert 320 < (np.abs(slope - 1) > 1e-3).sum() < 480
    largest = 1.4 * np.sqrt(1.2)
    assert slope.max() <= largest + 1e-3
    assert slope.min() >= 1 / largest - 1e-3
    assert slope.max() > 1.3
    assert slope.min() < 0.75


def test_blur_softens_its_share_of_the_pictures_and_keeps_their_brightness():
    pictures = np.repeat(PICTURES, 50, axis=0).astype(np.float32)
    results = ops.convert_to_numpy(augment.blur(pictures, keras.random.SeedGenerator(6), 0.4))
    changed = (np.abs(results - pictures).max((1, 2, 3)) > 0.5).mean()
    assert 0.3 < changed < 0.5
    edges = np.abs(np.diff(results, axis=1)).mean((1, 2, 3)) / np.abs(np.diff(pictures, axis=1)).mean(
        (1, 2, 3)
    )
    assert edges.max() <= 1 + 1e-6
    assert edges.min() < 0.7
    np.testing.assert_allclose(results.mean((1, 2, 3)), pictures.mean((1, 2, 3)), rtol=0.03)


def test_cover_blackens_one_rectangle_of_its_share_of_the_pictures():
    pictures = np.full((600, SIDE, SIDE, 3), 200, np.float32)
    results = ops.convert_to_numpy(augment.cover(pictures, keras.random.SeedGenerator(7), 0.5))
    black = (results == 0).all(-1)
    assert np.array_equal(results[~black], pictures[~black])
    covered = black[black.any((1, 2))]
    assert 240 < len(covered) < 360
    for mask in covered:
        rows, columns = mask.any(1), mask.any(0)
        assert np.array_equal(mask, rows[:, None] & columns[None, :])
    assert 0.02 < covered.mean() < 0.25
    assert covered.mean((1, 2)).max() <= 0.48


def mixed(seed: int, probability: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    pictures = ops.cast(ops.convert_to_tensor(PICTURES), "float32")
    targets = ops.one_hot(ops.arange(6), 6)
    results = augment.cutmix(pictures, targets, keras.random.SeedGenerator(seed), probability)
    return tuple(ops.convert_to_numpy(r) for r in results)


@pytest.mark.parametrize("seed", range(12))
def test_cutmix_puts_one_box_of_the_neighbour_in_and_mixes_targets_by_its_exact_area(seed):
    pictures, targets = mixed(seed)
    neighbours = np.roll(PICTURES, 1, 0)
    # Where both pictures agree nobody can tell whose pixel it is: the box is what differs in any picture.
    foreign = (pictures != PICTURES).any((0, -1))
    assert np.array_equal(pictures, np.where(foreign[None, :, :, None], neighbours, PICTURES))
    rows, columns = foreign.any(1), foreign.any(0)
    assert np.array_equal(foreign, rows[:, None] & columns[None, :])
    for line in (rows, columns):
        assert np.abs(np.diff(line.astype(int))).sum() <= 2
    kept = 1 - foreign.mean()
    expected = kept * np.eye(6) + (1 - kept) * np.roll(np.eye(6), 1, 0)
    np.testing.assert_allclose(targets, expected, atol=1e-6)
    np.testing.assert_allclose(targets.sum(-1), 1, atol=1e-6)


def test_cutmix_makes_small_and_large_boxes():
    areas = [1 - mixed(seed)[1][0, 0] for seed in range(40)]
    assert min(areas) < 0.15
    assert max(areas) > 0.5
    # Half on average before the box is cut at the border, less after it.
    assert 0.2 < np.mean(areas) < 0.5


def test_with_probability_zero_cutmix_changes_nothing():
    for seed in range(5):
        pictures, targets = mixed(seed, probability=0.0)
        assert np.array_equal(pictures, PICTURES)
        assert np.array_equal(targets, np.eye(6))


def test_the_probability_is_the_share_of_batches_that_are_mixed():
    changed = sum(not np.array_equal(mixed(seed, 0.3)[0], PICTURES) for seed in range(100))
    assert 15 < changed < 45


def test_the_traced_normalisation_is_the_one_that_serves():
    traced = ops.convert_to_numpy(augment.normalise(ops.cast(ops.convert_to_tensor(PICTURES), "float32")))
    np.testing.assert_allclose(traced, normalise_exactly(PICTURES, Preprocessing(SIDE)), atol=1e-6)
