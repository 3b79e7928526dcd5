"""An explanation's file: what was written comes back member by member, and what was not made so is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from ml.explain import archive
from ml.explain.structure import structure
from ml.explain.trace import tracer, value

MEMBERS = {
    "meta.json": b'{"kind": "xray"}',
    "clean/block1.conv1.npy": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "sheets/clean/block1.conv1.png": b"\x89PNG",
    "maps.npy": np.zeros((0, 4), np.float64),
}


class Counting(io.BytesIO):
    """A file that counts the bytes that are read from it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.count += len(content)
        return content


def test_what_was_written_comes_back(tmp_path):
    path = tmp_path / "explanation.zip"
    archive.write(path, MEMBERS)
    assert archive.names(path) == list(MEMBERS)
    assert archive.read(path, "meta.json") == MEMBERS["meta.json"]
    for name, member in MEMBERS.items():
        if isinstance(member, np.ndarray):
            found = archive.from_npy(archive.read(path, name))
            assert np.array_equal(found, member)
            assert found.dtype == member.dtype
    assert [file.name for file in tmp_path.iterdir()] == ["explanation.zip"]


def test_the_same_content_gives_the_same_bytes(tmp_path):
    buffer = io.BytesIO()
    archive.write(buffer, MEMBERS)
    archive.write(tmp_path / "a.zip", MEMBERS)
    assert buffer.getvalue() == (tmp_path / "a.zip").read_bytes()


def test_members_are_not_compressed_so_that_one_is_read_without_the_others():
    file = Counting()
    large = np.zeros(300_000, np.float32)
    archive.write(file, {"large.npy": large, **MEMBERS})
    assert file.tell() > large.nbytes
    file.count = 0
    assert archive.read(file, "meta.json") == MEMBERS["meta.json"]
    assert file.count < 5000


def test_an_array_is_an_npy_file_that_numpy_and_browsers_read():
    content = archive.npy_bytes(np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)))
    assert content[:8] == b"\x93NUMPY\x01\x00"
    assert b"'fortran_order': False" in content[:128]
    assert np.array_equal(np.load(io.BytesIO(content)), np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    "name",
    [
        "../meta.json",
        "/meta.json",
        "clean/../../meta.json",
        "clean//meta.json",
        "clean\\meta.json",
        ".hidden.json",
        "meta.html",
        "meta",
        "meta.json\n",
        "é.json",
        "a" * 120 + ".json",
    ],
)
def test_odd_names_are_refused_on_both_ways(name):
    sentence = f"{name!r} is no name of a file in an explanation."
    with pytest.raises(ValueError) as caught:
        archive.write(io.BytesIO(), {name: b""})
    assert str(caught.value) == sentence
    with zipfile.ZipFile(foreign := io.BytesIO(), "w") as file:
        file.writestr(name, b"x")
    with pytest.raises(ValueError) as caught:
        archive.read(foreign, name)
    assert str(caught.value) == sentence


def test_an_array_under_another_name_and_python_objects_are_refused():
    with pytest.raises(ValueError, match=r"An array is kept as \.npy, not as 'maps\.json'"):
        archive.write(io.BytesIO(), {"maps.json": np.zeros(3)})
    with pytest.raises(ValueError, match="Object arrays"):
        archive.npy_bytes(np.array([{}]))


def test_more_than_64_mib_is_refused_and_leaves_nothing(tmp_path):
    half = np.zeros(archive.LIMIT // 8, np.float32)
    with pytest.raises(ValueError, match=r"An explanation's file holds at most 64 MiB, not 64\.0 MiB\."):
        archive.write(tmp_path / "a.zip", {"a.npy": half, "b.npy": half})
    assert not list(tmp_path.iterdir())


def test_a_member_that_is_not_there_is_named():
    archive.write(file := io.BytesIO(), MEMBERS)
    with pytest.raises(KeyError) as caught:
        archive.read(file, "covered/block1.conv1.npy")
    assert caught.value.args[0] == "This explanation has no file 'covered/block1.conv1.npy'."


def test_a_file_that_is_damaged_or_not_an_explanation_is_refused():
    archive.write(file := io.BytesIO(), MEMBERS)
    whole = file.getvalue()
    at = whole.index(b"xray")
    for content in (b"", b"not a zip", whole[:-30], whole[:at] + b"yarx" + whole[at + 4 :]):
        with pytest.raises(ValueError, match="This explanation's file is damaged"):
            archive.read(io.BytesIO(content), "meta.json")
    with zipfile.ZipFile(packed := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as other:
        other.writestr("meta.json", b"0" * 100_000)
    with pytest.raises(ValueError, match=r"'meta\.json' was not written by this program"):
        archive.read(packed, "meta.json")
    for content in (b"", b"\x93NUMPY", b"text", MEMBERS["meta.json"]):
        with pytest.raises(ValueError):
            archive.from_npy(content)


def test_a_trace_comes_back_and_is_read_layer_by_layer(random_folder, architecture, inputs):
    of = structure(architecture)
    clean, covered = tracer(architecture).trace(inputs[:2])
    members = {**archive.trace_members("clean", clean), **archive.trace_members("covered", covered)}
    archive.write(file := Counting(), members)
    file.count = 0
    found = archive.stored_trace(file, "covered")
    value(of, found, of.convolutions[0])
    assert file.count < len(file.getvalue()) / 2
    assert list(found.convolutions) == list(of.convolutions)
    assert len(found.convolutions) == len(of.convolutions)
    for layer in of.layers:
        assert np.array_equal(value(of, found, layer.name), value(of, covered, layer.name)), layer.name
    # What was read once is kept, even when the file is gone.
    file.close()
    assert np.array_equal(found.convolutions[of.convolutions[-1]], covered.convolutions[of.convolutions[-1]])


def test_a_file_without_a_covered_side_says_so(random_folder, inputs):
    (clean,) = tracer("vgg").trace(inputs[:1])
    archive.write(file := io.BytesIO(), archive.trace_members("clean", clean))
    with pytest.raises(KeyError, match=r"This explanation has no file 'covered/pixels\.npy'"):
        archive.stored_trace(file, "covered")
    found = archive.stored_trace(file, "clean")
    with pytest.raises(KeyError, match="This trace does not hold the convolution 'block1/conv1'"):
        value(structure("vgg"), archive.stored_trace(stripped(file), "clean"), "block1/relu1")
    assert "block9/conv9" not in found.convolutions


def stripped(file: io.BytesIO) -> io.BytesIO:
    """The same file without its first convolution."""
    kept = {name: archive.read(file, name) for name in archive.names(file) if "block1.conv1" not in name}
    archive.write(smaller := io.BytesIO(), kept)
    return smaller
