"""An artifact is what its card says, or it is refused with the file's name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml import artifact, config
from ml.artifact import ArtifactError
from ml.predictor import load_predictor
from ml.storage import write_json
from tests.ml.networks_for_tests import OPTIONS, lively


@pytest.fixture
def own(random_artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small Wide ResNet's artifact to be damaged."""
    shutil.copytree(random_artifacts / "wideresnet", tmp_path / "wideresnet")
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    return tmp_path / "wideresnet"


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    values = json.loads((folder / config.CARD).read_text())
    change(values)
    (folder / config.CARD).unlink()
    write_json(folder / config.CARD, values)


def test_a_card_says_what_the_network_is(own):
    card = artifact.load_card("wideresnet")
    assert (card.name, card.version, card.architecture) == ("wideresnet", "wideresnet-test", "wideresnet")
    assert card.size == 32
    assert len(card.labels) == 100
    assert card.temperature == 1.3
    assert card.folder == own
    assert artifact.Card.from_dict(json.loads(json.dumps(card.to_dict())), own) == card


def test_a_card_names_classes_for_people_and_knows_which_are_people(own):
    card = artifact.load_card("wideresnet")
    assert card.label(83) == "sweet pepper"
    assert [i for i in range(100) if card.is_person(i)] == [2, 11, 35, 46, 98]
    for index in (-1, 100):
        with pytest.raises(IndexError):
            card.label(index)


def test_a_changed_card_is_read_anew(own):
    assert artifact.load_card("wideresnet").title == "wideresnet"
    edit(own, lambda values: values.update(title="Wide"))
    assert artifact.load_card("wideresnet").title == "Wide"


def test_curves_are_the_training_log_and_empty_without_one(own):
    card = artifact.load_card("wideresnet")
    assert card.curves() == []
    (own / "log.jsonl").write_text('{"epoch": 1, "val_accuracy": 0.5}\n')
    assert card.curves() == [{"epoch": 1, "val_accuracy": 0.5}]


def test_networks_are_listed_the_cheapest_first(random_folder):
    names = [card.name for card in artifact.cards()]
    assert sorted(names) == sorted(OPTIONS)
    costs = [card.multiply_adds for card in artifact.cards()]
    assert costs == sorted(costs)


def test_a_network_with_a_damaged_card_is_logged_and_not_listed(own, caplog):
    (own.parent / "torn").mkdir()
    (own.parent / "torn" / config.CARD).write_text('{"name": "torn", ')
    assert [card.name for card in artifact.cards()] == ["wideresnet"]
    assert "torn/card.json is not a network's card" in caplog.text


@pytest.mark.parametrize("name", ["lenet", "", "../wideresnet/none"])
def test_a_network_without_an_artifact_is_named(own, name):
    with pytest.raises(ArtifactError, match=r"There is no network '.*': .* is missing"):
        artifact.load_card(name)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.pop("files"),
        lambda v: v.update(surprise=1),
        lambda v: v.update(labels=[]),
        lambda v: v.update(version=""),
        lambda v: v.update(temperature=0),
        lambda v: v.update(temperature="warm"),
        lambda v: v.update(preprocessing={"size": 32, "filter": "nearest"}),
        lambda v: v.update(preprocessing=None),
    ],
    ids=["no files", "unknown", "no labels", "no version", "cold", "text", "filter", "no preprocessing"],
)
def test_a_card_that_cannot_be_one_is_named(own, change):
    edit(own, change)
    with pytest.raises(ArtifactError, match=r"card\.json is not a network's card"):
        artifact.load_card("wideresnet")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_a_card_that_is_no_json_object_is_named(own, content):
    (own / config.CARD).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"card\.json is not a network's card"):
        artifact.load_card("wideresnet")


def test_a_card_in_the_wrong_folder_is_refused(own):
    edit(own, lambda values: values.update(name="other"))
    with pytest.raises(ArtifactError, match="says that it is 'other', but its folder is 'wideresnet'"):
        artifact.load_card("wideresnet")


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
@pytest.mark.parametrize("file", ["network.bin", "network.xml"])
def test_a_file_with_one_wrong_bit_is_named_and_never_answers(own, engine, file):
    flip_a_byte(own / file)
    with pytest.raises(ArtifactError, match=rf"wideresnet: .*{file} is damaged"):
        load_predictor("wideresnet", engine=engine, precision="float32")


def test_a_missing_file_and_one_that_the_card_does_not_know_are_named(own):
    card = artifact.load_card("wideresnet")
    with pytest.raises(ArtifactError, match=r"the card knows no file int8\.xml"):
        load_predictor("wideresnet", precision="int8")
    artifact.verify(card)
    (own / "network.bin").unlink()
    with pytest.raises(ArtifactError, match=r"network\.bin is missing"):
        artifact.verify(card)


def test_weights_read_back_are_those_that_were_set(random_folder, architecture):
    from ml import networks

    expected = networks.get_weights(lively(architecture, size=32, dropout=0.0, **OPTIONS[architecture]))
    weights = artifact.read_weights(artifact.load_card(architecture))
    assert weights.keys() == expected.keys()
    for name, value in weights.items():
        assert value.dtype == np.float32
        # Kernels are stored in half precision, everything else exactly.
        half = expected[name].astype(np.float16).astype(np.float32)
        assert np.array_equal(value, half if name.endswith("kernel") else expected[name]), name
