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
