"""Packed weights come back bit for bit, are smaller, and what is not whole is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import artifact, export, packing
from ml.engines import OpenVinoEngine
from ml.predictor import Predictor


@given(st.binary(max_size=300))
def test_every_content_comes_back(content: bytes) -> None:
    assert packing.unpack(packing.pack(content)).tobytes() == content


def test_float16_weights_become_an_eighth_smaller_at_least() -> None:
    weights = np.random.default_rng(0).normal(0, 0.05, 100_000).astype("<f2").tobytes()
    assert len(packing.pack(weights)) < 0.89 * len(weights)


@pytest.mark.parametrize("cut", [0, 3, 12, 40, -2])
def test_what_is_not_whole_is_refused(cut: int) -> None:
    packed = packing.pack(np.arange(200, dtype="<f2").tobytes())
    with pytest.raises(ValueError, match="packed weights"):
        packing.unpack(packed[:cut])


@pytest.fixture
def packed(random_folder, tmp_path) -> artifact.Card:
    """A network with its exact graph as it is shipped."""
    card = artifact.load_card("vgg")
    folder = tmp_path / "vgg"
    shutil.copytree(card.folder, folder)
    files = dict(card.files)
    export.pack_exact(files, folder)
    return artifact.Card.from_dict({**card.to_dict(), "files": files}, folder)


def test_a_network_answers_the_same_from_packed_weights(packed, inputs) -> None:
    plain = artifact.load_card("vgg")
    artifact.verify(packed)
    assert not (packed.folder / "network.bin").exists()
    answers = [
        Predictor(card, OpenVinoEngine(card, precision="float32", threads=1)).logits(inputs[:4])
        for card in (packed, plain)
    ]
    assert np.array_equal(*answers)
    read, expected = (artifact.read_weights(card) for card in (packed, plain))
    assert read.keys() == expected.keys()
    assert all(np.array_equal(read[name], expected[name]) for name in read)


def test_packed_weights_that_are_not_whole_are_named(packed) -> None:
    path = packed.folder / "network.bin.packed"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(artifact.ArtifactError, match=r"vgg: .*network\.bin\.packed is damaged"):
        artifact.read_graph(packed, artifact.EXACT)
