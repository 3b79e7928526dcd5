"""Files are whole or absent, and a torn log still reads."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from ml import storage


def fail(*arguments: object, **options: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_bytes_are_written_into_folders_that_are_not_there_yet(tmp_path):
    storage.write_bytes(tmp_path / "a" / "b" / "c.bin", b"new")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"new"
    assert (tmp_path / "a" / "b" / "c.bin").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_a_failing_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, name):
    target = tmp_path / "card.json"
    storage.write_json(target, {"old": True})
    before = target.read_bytes()
    with monkeypatch.context() as patch:
        # The step may be spelt with `os` or with a path.
        for module in (os, Path):
            patch.setattr(module, name, fail, raising=False)
        with pytest.raises(OSError, match="No space left"):
            storage.write_json(target, {"old": False})
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]


def test_json_is_written_for_people_to_read(tmp_path):
    storage.write_json(tmp_path / "x.json", {"name": "café", "list": [1]})
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == (
        '{\n "name": "café",\n "list": [\n  1\n ]\n}\n'
    )


def test_arrays_survive_with_names_types_and_values(tmp_path):
    arrays = {"a/b": np.arange(6, dtype=np.float16).reshape(2, 3), "c": np.array(7)}
    storage.write_arrays(tmp_path / "x.npz", arrays)
    back = storage.read_arrays(tmp_path / "x.npz")
    assert back.keys() == arrays.keys()
    for name, value in arrays.items():
        assert back[name].dtype == value.dtype
        assert np.array_equal(back[name], value)


def test_a_damaged_archive_is_named_and_a_missing_one_is_missing(tmp_path):
    path = tmp_path / "x.npz"
    storage.write_arrays(path, {"a": np.arange(1000)})
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[:500], whole[:200] + b"\xff" * 50 + whole[250:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"x\.npz is damaged"):
            storage.read_arrays(path)
    with pytest.raises(FileNotFoundError):
        storage.read_arrays(tmp_path / "none.npz")


def test_an_archive_with_pickled_objects_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([{"code": 1}], dtype=object))
    with pytest.raises(ValueError, match="damaged"):
        storage.read_arrays(tmp_path / "x.npz")


def test_log_lines_are_appended_and_read_back_in_order(tmp_path):
    for epoch in (1, 2, 3):
        storage.append_line(tmp_path / "log.jsonl", {"epoch": epoch, "loss": 4.0 - epoch})
    assert [row["loss"] for row in storage.read_lines(tmp_path / "log.jsonl")] == [3.0, 2.0, 1.0]


def test_of_a_repeated_epoch_the_last_line_counts(tmp_path):
    for epoch, loss in ((1, 9), (2, 8), (2, 7), (3, 6)):
        storage.append_line(tmp_path / "log.jsonl", {"epoch": epoch, "loss": loss})
    assert [row["loss"] for row in storage.read_lines(tmp_path / "log.jsonl")] == [9, 7, 6]


def test_a_torn_line_is_skipped(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 1, "loss": 2}\n\n[1]\n{"loss": 3}\n{"epoch": 2, "lo')
    assert storage.read_lines(path) == [{"epoch": 1, "loss": 2}]


def test_a_run_that_goes_on_after_a_torn_line_loses_only_that_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 1, "loss": 2}\n{"epoch": 2, "lo')
    storage.append_line(path, {"epoch": 2, "loss": 1})
    storage.append_line(path, {"epoch": 3, "loss": 0})
    assert [row["loss"] for row in storage.read_lines(path)] == [2, 1, 0]
