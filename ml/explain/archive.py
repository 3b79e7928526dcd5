"""The file that keeps an explanation: a zip without compression, so that one member is read without the others.

    meta.json                       what the explanation says in a few words
    clean/pixels.npy                what the network saw, uint8 (size, size, 3)
    clean/block1.conv1.npy          output of a convolution, float32 (channels, height, width); slashes are dots
    clean/logits.npy                float32 (classes,)
    covered/...                     the same for the covered picture, where there is one
    sheets/..., maps.npy, ...       what the kind of explanation makes of them

Activations hardly compress (some 10% by deflate), and a browser can take the .npy files as they are.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ml.explain.trace import Trace
from ml.storage import write_bytes

NOT_CONVOLUTIONS = ("pixels", "pictures", "logits")
"""Files of a side that stand beside those of its convolutions: what went in, the same normalised, and what came out."""

LIMIT = 64 * 1024**2
"""Bytes of all members together."""
NAME = re.compile(
    r"(?=.{1,120}$)(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*\.(?:json|npy|png)"
)
WRITTEN = (1980, 1, 1, 0, 0, 0)
"""The same content gives the same bytes, whenever it is written."""

File = str | Path | IO[bytes]


def npy_bytes(array: NDArray[Any]) -> bytes:
    """An array as the content of an .npy file (version 1.0, C order). Raises ValueError for Python objects."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def from_npy(content: bytes) -> NDArray[Any]:
    """The array in an .npy file. Raises ValueError when it is damaged or holds Python objects."""
    try:
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (EOFError, OSError, SyntaxError) as error:
        raise ValueError(f"this is not an .npy file: {error}") from error
    return array


def write(target: File, members: Mapping[str, bytes | NDArray[Any]]) -> None:
    """Writes an explanation's file; a path is written whole or not at all. Arrays become .npy files.

    Raises ValueError for a member's name that is not made of plain words ending in .json, .npy or .png, for an
    array under another name than .npy and for more than LIMIT bytes together, and OSError.
    """
    contents: dict[str, bytes] = {}
    for name, member in members.items():
        _check(name)
        if isinstance(member, np.ndarray) and not name.endswith(".npy"):
            raise ValueError(f"An array is kept as .npy, not as {name!r}.")
        contents[name] = npy_bytes(member) if isinstance(member, np.ndarray) else member
    if (total := sum(map(len, contents.values()))) > LIMIT:
        raise ValueError(
            f"An explanation's file holds at most {LIMIT >> 20} MiB, not {total / 2**20:.1f} MiB."
        )
    buffer = io.BytesIO() if isinstance(target, str | Path) else target
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, content in contents.items():
            file.writestr(zipfile.ZipInfo(name, WRITTEN), content)
    if isinstance(target, str | Path):
        assert isinstance(buffer, io.BytesIO)
        write_bytes(Path(target), buffer.getvalue())


def names(file: File) -> list[str]:
    """Names of all members, in the order in which they were written. Raises ValueError for a damaged file."""
    with _opened(file) as opened:
        return opened.namelist()


def sizes(file: File) -> dict[str, int]:
    """How many bytes each member has, in the order of ``names``. Raises ValueError for a damaged file."""
    with _opened(file) as opened:
        return {info.filename: info.file_size for info in opened.infolist()}


def read(file: File, member: str) -> bytes:
    """One member's content. Of a file that can seek no more than this member and the list of all is read.

    Raises KeyError when there is none of that name, and ValueError for a name that ``write`` would refuse and for a
    file that is damaged or was made by something else.
    """
    _check(member)
    with _opened(file) as opened:
        try:
            info = opened.getinfo(member)
        except KeyError:
            raise KeyError(f"This explanation has no file {member!r}.") from None
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > LIMIT:
            raise ValueError(f"{member!r} was not written by this program.")
        try:
            return opened.read(info)
        except (zipfile.BadZipFile, EOFError) as error:
            raise ValueError(f"This explanation's file is damaged: {error}") from error


def member_name(layer: str) -> str:
    """A layer's name inside the name of a member or an address: ``block1/conv1`` -> ``block1.conv1``."""
    return layer.replace("/", ".")


def trace_members(side: str, trace: Trace) -> dict[str, NDArray[Any]]:
    """What ``write`` keeps of a trace; side: ``clean`` or ``covered``."""
    members: dict[str, NDArray[Any]] = {
        f"{side}/pixels.npy": trace.pixels,
        f"{side}/logits.npy": trace.logits,
    }
    for name, values in trace.convolutions.items():
        members[f"{side}/{member_name(name)}.npy"] = values
    return members


def stored_trace(file: File, side: str) -> Trace:
    """The trace that ``trace_members`` gave; each convolution is read from ``file`` when it is first asked for.

    Raises KeyError when the file has no such side and ValueError when it is damaged, then or later.
    """
    pixels, logits = (from_npy(read(file, f"{side}/{name}.npy")) for name in ("pixels", "logits"))
    return Trace(pixels, StoredConvolutions(file, side), logits)


class StoredConvolutions(Mapping[str, NDArray[np.float32]]):
    """The convolutions of one side of an explanation's file by layer name, read one by one and then kept."""

    def __init__(self, file: File, side: str) -> None:
        self._file = file
        self._side = side
        self._read: dict[str, NDArray[np.float32]] = {}

    def __getitem__(self, layer: str) -> NDArray[np.float32]:
        if layer not in self._read:
            content = read(self._file, f"{self._side}/{member_name(layer)}.npy")
            self._read[layer] = np.asarray(from_npy(content), np.float32)
        return self._read[layer]

    def __iter__(self) -> Iterator[str]:
        """Names with slashes, as the layers are called."""
        prefix = f"{self._side}/"
        for name in names(self._file):
            layer = name.removeprefix(prefix).removesuffix(".npy")
            if name.startswith(prefix) and name.endswith(".npy") and layer not in NOT_CONVOLUTIONS:
                yield layer.replace(".", "/")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in an explanation.")


def _opened(file: File) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise ValueError(f"This explanation's file is damaged: {error}") from error
