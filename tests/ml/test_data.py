"""CIFAR-100 is read exactly, from mosaics and from the original archive, and a wrong file is named."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ml import data
from ml.data import DataError, Split
from ml.labels import CIFAR100
from ml.preprocessing import CIFAR100_MEAN, CIFAR100_STD
from tests.ml.tiny import write_mosaic


class PythonTwoPickler(pickle._Pickler):
    """Writes what Python 2 wrote in 2009: every string is bytes."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value: Any) -> None:
        raw = value if isinstance(value, bytes) else value.encode("latin-1")
        self.write(pickle.BINSTRING + len(raw).to_bytes(4, "little") + raw)
        self.memoize(value)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_bytes


def write_pickle(path: Path, images: np.ndarray, labels: list[int]) -> None:
    """A part of the archive: rows of 1024 red, 1024 green, 1024 blue values."""
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        PythonTwoPickler(file, protocol=2).dump(
            {
                b"filenames": [b"x_s_000001.png"] * len(labels),
                b"batch_label": b"training batch 1 of 1",
                b"fine_labels": labels,
                b"coarse_labels": [0] * len(labels),
                b"data": np.ascontiguousarray(rows),
            }
        )


@pytest.fixture(scope="module")
def pictures() -> Split:
    """Noise: three pictures of each class, in the order of the labels."""
    rng = np.random.default_rng(5)
    return Split(rng.integers(0, 256, (300, 32, 32, 3), np.uint8), np.repeat(np.arange(100), 3))


@pytest.fixture(scope="module")
def mosaics(pictures: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mosaics")
    for part, rows, columns in (("train", 1, 3), ("test", 3, 1)):
        (root / part).mkdir()
        for index, name in enumerate(CIFAR100):
            tiles = pictures.images[pictures.labels == index]
            write_mosaic(root / part / f"{name}.webp", tiles, rows, columns)
    return root


@pytest.fixture
def shuffled(pictures: Split) -> Split:
    return pictures.take(np.random.default_rng(6).permutation(300))


@pytest.mark.parametrize("part", ["train", "test"])
def test_mosaics_are_read_pixel_for_pixel_row_by_row_class_by_class(mosaics, pictures, part):
    split = data.load(mosaics, part)
    assert split.images.dtype == np.uint8
    assert split.labels.dtype == np.int64
    assert np.array_equal(split.images, pictures.images)
    assert np.array_equal(split.labels, pictures.labels)
    assert len(split) == 300


def test_tiles_of_a_mosaic_run_row_by_row(tmp_path, mosaics):
    (tmp_path / "train").mkdir()
    for name in CIFAR100:
        tiles = np.stack([np.full((32, 32, 3), value, np.uint8) for value in range(6)])
        write_mosaic(tmp_path / "train" / f"{name}.webp", tiles, 2, 3)
    assert data.load(tmp_path, "train").images[:6, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("folder", [".", "cifar-100-python"])
def test_the_unpacked_archive_is_read_in_label_order(tmp_path, shuffled, pictures, folder):
    write_pickle(tmp_path / folder / "train", shuffled.images, shuffled.labels.tolist())
    split = data.load(tmp_path, "train")
    assert np.array_equal(split.labels, pictures.labels)
    order = np.argsort(shuffled.labels, kind="stable")
    assert np.array_equal(split.images, shuffled.images[order])


def packed(folder: Path, part: str = "test") -> Path:
    archive = folder / data.ARCHIVE
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / part, f"cifar-100-python/{part}")
    return archive


@pytest.mark.parametrize("given", ["folder", "archive"])
def test_the_packed_archive_is_read_when_its_md5_is_the_published_one(tmp_path, shuffled, monkeypatch, given):
    write_pickle(tmp_path / "made" / "test", shuffled.images, shuffled.labels.tolist())
    archive = packed(tmp_path / "made")
    archive = archive.rename(tmp_path / data.ARCHIVE)
    monkeypatch.setattr(data, "ARCHIVE_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    split = data.load(tmp_path if given == "folder" else archive, "test")
    assert np.array_equal(split.images, shuffled.images[np.argsort(shuffled.labels, kind="stable")])


def test_the_md5_that_is_asked_for_is_the_published_one():
    assert data.ARCHIVE_MD5 == "eb9058c3a382ffc7106e4002c42a8d85"


def test_an_archive_with_another_md5_is_not_opened(tmp_path):
    (tmp_path / data.ARCHIVE).write_bytes(b"half a download")
    with pytest.raises(DataError, match=r"has md5 \w{32}, not eb9058.*: download it again"):
        data.load(tmp_path, "train")


def test_an_archive_without_the_part_is_named(tmp_path, shuffled, monkeypatch):
    write_pickle(tmp_path / "test", shuffled.images, shuffled.labels.tolist())
    archive = packed(tmp_path)
    (tmp_path / "test").unlink()
    monkeypatch.setattr(data, "ARCHIVE_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    with pytest.raises(DataError, match="holds no cifar-100-python/train"):
        data.load(tmp_path, "train")


class Harmful:
    """Unpickling it would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.path,)


def test_a_pickle_that_asks_for_anything_but_arrays_is_refused_and_not_run(tmp_path):
    trap = tmp_path / "sprung"
    (tmp_path / "train").write_bytes(pickle.dumps({b"data": Harmful(trap), b"fine_labels": [0]}))
    with pytest.raises(DataError, match=r"asks for .*, which CIFAR-100 does not hold"):
        data.load(tmp_path, "train")
    assert not trap.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"not a pickle", pickle.dumps([1, 2]), pickle.dumps({b"data": b"abc", b"fine_labels": [1]})],
    ids=["empty", "no pickle", "a list", "no pictures"],
)
def test_a_damaged_unpacked_file_is_named(tmp_path, content):
    (tmp_path / "train").write_bytes(content)
    with pytest.raises(DataError, match=r"train is damaged and is not a part of CIFAR-100"):
        data.load(tmp_path, "train")


def test_pictures_and_labels_of_different_number_are_refused(tmp_path, shuffled):
    write_pickle(tmp_path / "train", shuffled.images, shuffled.labels.tolist()[:-1])
    with pytest.raises(DataError, match="is not a part of CIFAR-100"):
        data.load(tmp_path, "train")


@pytest.mark.parametrize("where", ["nothing", "missing"])
def test_a_folder_without_the_data_set_says_what_it_needs(tmp_path, where):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"No CIFAR-100 in .*: it needs train/\*.webp .* or cifar-100-python"):
        data.load(tmp_path / where, "train")


def copy_with(mosaics: Path, root: Path, name: str, content: bytes | None) -> Path:
    (root / "train").mkdir()
    for path in (mosaics / "train").iterdir():
        (root / "train" / path.name).symlink_to(path)
    (root / "train" / name).unlink()
    if content is not None:
        (root / "train" / name).write_bytes(content)
    return root


def test_a_missing_a_torn_and_a_foreign_mosaic_are_named(mosaics, tmp_path):
    whole = (mosaics / "train" / "rose.webp").read_bytes()
    for i, content in enumerate([None, b"", whole[: len(whole) // 2], b"GIF89a no"]):
        root = tmp_path / str(i)
        root.mkdir()
        copy_with(mosaics, root, "rose.webp", content)
        with pytest.raises(DataError, match=r"rose\.webp cannot be read as a mosaic"):
            data.load(root, "train")


def test_a_mosaic_that_is_no_grid_of_tiles_is_named(mosaics, tmp_path):
    odd = tmp_path / "odd.webp"
    Image.new("RGB", (70, 32)).save(odd, lossless=True)
    root = tmp_path / "data"
    root.mkdir()
    copy_with(mosaics, root, "rose.webp", odd.read_bytes())
    with pytest.raises(DataError, match=r"rose\.webp is 70 x 32, not a grid of 32-pixel tiles"):
        data.load(root, "train")


def test_only_the_two_parts_can_be_asked_for(mosaics):
    with pytest.raises(ValueError, match="'train' or 'test'"):
        data.load(mosaics, "validation")


def rows(split: Split) -> set[bytes]:
    return {picture.tobytes() for picture in split.images}


def test_holding_out_takes_as_many_of_every_class_and_loses_none(pictures):
    rest, held = data.split_off(pictures, 1)
    assert np.bincount(held.labels).tolist() == [1] * 100
    assert np.bincount(rest.labels).tolist() == [2] * 100
    assert not rows(rest) & rows(held)
    assert rows(rest) | rows(held) == rows(pictures)


def test_pictures_keep_their_labels_when_some_are_held_out(pictures):
    known = {p.tobytes(): int(label) for p, label in zip(pictures.images, pictures.labels, strict=True)}
    for part in data.split_off(pictures, 2):
        assert all(known[p.tobytes()] == label for p, label in zip(part.images, part.labels, strict=True))


def test_the_same_seed_holds_out_the_same_pictures_and_another_seed_others(pictures):
    first, again, other = (data.split_off(pictures, 1, seed=seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)


def test_a_class_with_too_few_pictures_cannot_be_held_out(pictures):
    with pytest.raises(ValueError, match="class 0 has 3 pictures, too few to hold out 3"):
        data.split_off(pictures, 3)


def test_training_holds_out_twenty_pictures_of_each_class(tiny_data):
    train, held = data.load_for_training(tiny_data)
    assert np.bincount(train.labels).tolist() == [5] * 100
    assert np.bincount(held.labels).tolist() == [20] * 100


def test_resizing_averages_areas_and_leaves_the_right_size_alone():
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[0, ::2, ::2] = 200
    assert data.resized(images, 32) is images
    assert np.array_equal(data.resized(images, 16), np.full((1, 16, 16, 3), 50, np.uint8))


def test_the_real_training_set_is_complete_and_has_the_published_means_and_deviations(real_data):
    train, test = data.load(real_data, "train"), data.load(real_data, "test")
    assert np.bincount(train.labels).tolist() == [500] * 100
    assert np.bincount(test.labels).tolist() == [100] * 100
    flat = train.images.reshape(-1, 3)
    counts = np.stack([np.bincount(flat[:, c], minlength=256) for c in range(3)]) / len(flat)
    values = np.arange(256) / 255
    means = counts @ values
    deviations = np.sqrt(counts @ values**2 - means**2)
    np.testing.assert_allclose(means, CIFAR100_MEAN, atol=5e-9)
    np.testing.assert_allclose(deviations, CIFAR100_STD, atol=5e-9)
