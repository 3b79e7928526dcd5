"""The bytes of an exact graph's weights, mapped into memory, so that one kernel costs one kernel's memory.

Packed weights (``ml.packing``) are unpacked once into ``config.cache_dir()``, where all processes share them.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import artifact, config, packing
from ml.artifact import EXACT, PACKED, ArtifactError, Card

logger = logging.getLogger(__name__)

STALE_SECONDS = 3600
"""A half-written file this old was left by a process that was killed."""


def mapped(card: Card) -> NDArray[np.uint8]:
    """All bytes of the weights, uint8 (bytes,), not to be written to.

    What is read from a disk is checked first: against the card, or, in the cache, against the checksum in the
    file's name. Where the cache cannot be written the weights are unpacked into this process's memory, and a line
    in the log says so. Raises ArtifactError for a missing or damaged file.
    """
    name = f"{EXACT}.bin"
    if name + PACKED not in card.files:
        artifact.verify(card, name)
        return np.memmap(card.folder / name, np.uint8, "r")
    path = card.folder / (name + PACKED)
    if (kept := _kept(card)) is not None:
        return kept
    artifact.verify(card, path.name)
    try:
        return np.memmap(_unpack(card, path), np.uint8, "r")
    except OSError as error:
        logger.warning(
            "%s: its weights take memory, %s cannot hold them: %s", card.name, config.cache_dir(), error
        )
        return packing.unpack(path.read_bytes())
    except ValueError as error:
        raise ArtifactError(f"{card.name}: {path}: {error}.") from error


def graph(card: Card) -> Any:
    """The exact graph as an ``openvino.Model``, not yet compiled, whose constants are pages of the mapped file.

    All who read it share these: of the Wide ResNet 75 MB for each graph that is kept. Raises ArtifactError.
    """
    import openvino

    file = mapped(card)
    artifact.verify(card, f"{EXACT}.xml")
    if isinstance(file, np.memmap):
        try:
            return openvino.Core().read_model(card.folder / f"{EXACT}.xml", str(file.filename))
        except RuntimeError as error:
            # Another version may have taken the file's place in the cache since it was mapped.
            logger.warning("%s: %s cannot be read as a graph: %s", card.name, file.filename, error)
    return artifact.read_graph(card, EXACT)


def _stem(card: Card) -> str:
    # Names of networks hold no dot, so no network's files are taken for another's.
    return f"{card.name}.{card.files[f'{EXACT}.bin{PACKED}'][:16]}"


def _kept(card: Card) -> NDArray[np.uint8] | None:
    """What an earlier call left in the cache; None when there is nothing, or nothing whole."""
    for path in config.cache_dir().glob(f"{_stem(card)}.*.bin"):
        try:
            if artifact.checksum(path) == path.name.split(".")[2]:
                return np.memmap(path, np.uint8, "r")
        except OSError as error:
            logger.warning("%s cannot be read: %s", path, error)
        else:
            logger.warning("%s is damaged and will be made again.", path)
    return None


def _unpack(card: Card, packed: Path) -> Path:
    """The new file in the cache; several processes may make it at once. Raises OSError and ValueError."""
    folder = config.cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{card.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            with packed.open("rb") as source:
                for block in packing.blocks(source):
                    content = block.tobytes()
                    digest.update(content)
                    file.write(content)
            file.flush()
            temporary.chmod(0o644)
            path = folder / f"{_stem(card)}.{digest.hexdigest()}.bin"
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    _tidy(card, path)
    return path


def _tidy(card: Card, current: Path) -> None:
    """Removes what earlier versions of this network left; who still maps one keeps it."""
    for old in current.parent.glob(f"{card.name}.*.bin"):
        if old != current:
            old.unlink(missing_ok=True)
    for torn in current.parent.glob(f".{card.name}.*"):
        try:
            if torn.stat().st_mtime < time.time() - STALE_SECONDS:
                torn.unlink(missing_ok=True)
        except FileNotFoundError:
            continue
