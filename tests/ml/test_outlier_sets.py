"""Sets of pictures that a user supplies to `python -m ml.outside`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from ml import outlier_sets
from ml.data import DataError
from ml.preprocessing import Preprocessing

HOW = Preprocessing(size=8)


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


def test_a_folder_is_searched_with_everything_below_it(tmp_path, pictures):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / ("a" if i < 3 else "a/b") / f"{i}.png")
    (tmp_path / "a" / "readme.txt").write_text("no picture")
    found = outlier_sets.read(tmp_path / "a", HOW, 100)
    assert sorted(map(bytes, found)) == sorted(map(bytes, pictures))


def test_pictures_are_shrunk_as_the_site_shrinks(tmp_path):
    Image.new("RGB", (64, 32), (10, 200, 30)).save(tmp_path / "one.png")
    assert (outlier_sets.read(tmp_path, HOW, 9) == np.array([10, 200, 30])).all()


def test_more_pictures_than_the_limit_are_thinned_out_evenly(tmp_path, pictures):
    np.savez(tmp_path / "set.npz", images=pictures)
    assert np.array_equal(outlier_sets.read(tmp_path / "set.npz", HOW, 3), pictures[::2])


def test_numpy_archives_may_be_grey_and_hold_other_arrays(tmp_path, pictures):
    grey = pictures[..., 0]
    np.savez(tmp_path / "mnist.npz", y_train=np.arange(3), x_train=grey[:2], x_test=grey)
    found = outlier_sets.read(tmp_path / "mnist.npz", HOW, 100)
    assert np.array_equal(found, np.repeat(grey[..., None], 3, -1))


@pytest.mark.parametrize("compressed", [False, True])
def test_svhns_matlab_file_is_read_as_scipy_writes_it(tmp_path, pictures, compressed):
    path = tmp_path / "test_32x32.mat"
    labels = np.arange(1, 7, dtype=np.uint8)[:, None]
    savemat(path, {"X": np.moveaxis(pictures, 0, -1), "y": labels}, do_compression=compressed)
    assert np.array_equal(outlier_sets.read(path, HOW, 100), pictures)


def test_sets_are_named_by_their_place(tmp_path, pictures):
    for folder in ("svhn/test", "places365"):
        (tmp_path / folder).mkdir(parents=True)
        Image.fromarray(pictures[0]).save(tmp_path / folder / "0.png")
    np.savez(tmp_path / "digits.npz", images=pictures)
    paths = [tmp_path / "svhn" / "test", tmp_path / "places365", tmp_path / "digits.npz"]
    assert list(outlier_sets.read_all(paths, HOW, 5)) == ["svhn/test", "places365", "digits"]


def broken(folder, pictures):
    """What is wrong with a set, and what the sentence says about it."""
    (folder / "empty").mkdir()
    yield folder / "empty", "holds no pictures"
    yield folder / "nowhere", "There is no"
    (folder / "bad").mkdir()
    (folder / "bad" / "x.png").write_bytes(b"no picture at all")
    yield folder / "bad", "x.png cannot be read as a picture"
    (folder / "set.tar").write_bytes(b"")
    yield folder / "set.tar", "is not supported: name a folder"
    np.savez(folder / "floats.npz", images=pictures / 255.0)
    yield folder / "floats.npz", "holds no pictures: it needs uint8"
    (folder / "torn.npz").write_bytes(b"PK torn")
    yield folder / "torn.npz", "cannot be read as a NumPy archive"
    np.savez(folder / "objects.npz", images=np.array([{}]))
    yield folder / "objects.npz", "cannot be read as a NumPy archive"
    (folder / "new.mat").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    yield folder / "new.mat", "not a MATLAB file before version 7.3"
    savemat(folder / "whole.mat", {"X": np.moveaxis(pictures, 0, -1)})
    (folder / "cut.mat").write_bytes((folder / "whole.mat").read_bytes()[:700])
    yield folder / "cut.mat", "is damaged"


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, pictures):
    for path, sentence in broken(tmp_path, pictures):
        with pytest.raises(DataError, match=sentence) as caught:
            outlier_sets.read(path, HOW, 10)
        assert str(path) in str(caught.value)
