"""The kind "surgery": what it takes, what it refuses with which sentence, and its numbers against float64 NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifier_site.settings import BASE_DIR
from learn import kinds, surgery_text
from learn.kinds import KindError, Result, Work
from learn.kinds import surgery as kind_module
from ml import artifact
from ml.artifact import Card
from ml.explain.structure import structure
from ml.preprocessing import to_input
from predictions.jobs import Job
from tests.ml import by_hand

EDGE = [1.0, 0.0, -1.0, 2.0, 0.0, -2.0, 1.0, 0.0, -1.0]


@pytest.fixture(scope="module")
def vgg() -> Card:
    return artifact.load_card("vgg")


@pytest.fixture(scope="module")
def apple(vgg: Card) -> np.ndarray:
    return to_input(Image.open(BASE_DIR / "static" / "samples" / "apple.jpg"), vgg.preprocessing)


def an_edit(**changes: Any) -> dict[str, Any]:
    return {"layer": "block1/conv1", "out": 5, "in": 2, "kernel": EDGE, **changes}


def clean(card: Card, **parameters: Any) -> dict[str, Any]:
    return kinds.find("surgery").clean(parameters, card)


def computed(card: Card, pixels: np.ndarray, covered: np.ndarray | None = None, **parameters: Any) -> Result:
    return kinds.find("surgery").compute(Work(card, pixels, covered, clean(card, **parameters)))


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp((logits - logits.max()) / temperature)
    return powers / powers.sum()


def test_nothing_asked_is_written_out(vgg: Card) -> None:
    assert clean(vgg) == {"edits": [], "mutes": {}, "side": "clean"}
    assert kinds.find("surgery").priority == Job.Priority.LIVE


def test_the_same_operation_in_another_order_is_the_same_question(vgg: Card) -> None:
    edits = [an_edit(), an_edit(layer="block1/conv1", out=1), an_edit(layer="block4/conv2", out=1)]
    mutes = {"block2/relu1": [4, 3, 3], "block1/relu1": [0], "block3/relu1": []}
    first = clean(vgg, edits=edits, mutes=mutes)
    second = clean(vgg, mutes=dict(reversed(mutes.items())), edits=edits[::-1])
    assert first == second
    assert [one["out"] for one in first["edits"]] == [1, 5, 1]
    assert list(first["mutes"].items()) == [("block1/relu1", [0]), ("block2/relu1", [3, 4])]


def test_of_two_edits_of_one_kernel_the_later_counts(vgg: Card) -> None:
    found = clean(vgg, edits=[an_edit(), an_edit(kernel=[-0.0] * 9)])["edits"]
    assert [str(one) for one in found[0]["kernel"]] == ["0.0"] * 9
    assert len(found) == 1


@pytest.mark.parametrize(
    ("parameters", "field", "sentence"),
    [
        ({"edit": []}, "edit", "no parameter “edit”"),
        ({"side": "left"}, "side", "left"),
        ({"edits": {}}, "edits", "must be a list"),
        ({"edits": [7]}, "edits.0", "names its layer"),
        ({"edits": [an_edit()] * 17}, "edits", "At most 16 kernels"),
        ({"edits": [an_edit(layer="block9/conv1")]}, "edits.0.layer", "no layer called “block9/conv1”"),
        ({"edits": [an_edit(layer="block1/relu1")]}, "edits.0.layer", "only convolutions"),
        (
            {"edits": [an_edit(), an_edit(out=64)]},
            "edits.1.out",
            "no channel “64”: they are numbered 0 to 63",
        ),
        ({"edits": [an_edit(out=-1)]}, "edits.0.out", "no channel “-1”"),
        ({"edits": [an_edit(out=True)]}, "edits.0.out", "no channel “True”"),
        ({"edits": [an_edit(out="5")]}, "edits.0.out", "no channel “5”"),
        ({"edits": [an_edit(**{"in": 3})]}, "edits.0.in", "numbered 0 to 2"),
        ({"edits": [an_edit(kernel=EDGE[:8])]}, "edits.0.kernel", "is 9 numbers"),
        ({"edits": [an_edit(kernel="000000000")]}, "edits.0.kernel", "is 9 numbers"),
        ({"edits": [an_edit(kernel=[*EDGE[:8], float("nan")])]}, "edits.0.kernel", "“nan”"),
        ({"edits": [an_edit(kernel=[*EDGE[:8], None])]}, "edits.0.kernel", "“None”"),
        ({"edits": [an_edit(kernel=[*EDGE[:8], 1e30])]}, "edits.0.kernel", "1e+30 is too large"),
        ({"edits": [an_edit(kernel=[*EDGE[:8], 10**400])]}, "edits.0.kernel", "not a number"),
        ({"mutes": []}, "mutes", "must name layers"),
        ({"mutes": {"block1/conv1": [0]}}, "mutes.block1/conv1", "after a ReLU"),
        ({"mutes": {"nowhere": [0]}}, "mutes.nowhere", "no layer called “nowhere”"),
        ({"mutes": {"block1/relu1": "0,1"}}, "mutes.block1/relu1", "must be a list"),
        ({"mutes": {"block1/relu1": [64]}}, "mutes.block1/relu1", "no channel “64”"),
        ({"mutes": {"block1/relu1": [1.5]}}, "mutes.block1/relu1", "no channel “1.5”"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(
    vgg: Card, parameters: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(KindError) as refused:
        clean(vgg, **parameters)
    assert refused.value.field == field
    assert sentence in str(refused.value)


def test_an_edited_kernel_and_muted_channels_give_what_float64_gives(vgg: Card, apple: np.ndarray) -> None:
    learned = artifact.read_weights(vgg)
    kernel = [3 * one for one in EDGE]
    mutes = {"block3/relu2": list(range(0, 256, 3))}
    found = computed(vgg, apple, edits=[an_edit(kernel=kernel)], mutes=mutes).data
    before = by_hand.logits(vgg, apple, learned)
    altered = {name: value.copy() for name, value in learned.items()}
    altered["block1/conv1/kernel"][:, :, 2, 5] = np.reshape(kernel, (3, 3))

    def silence(name: str, maps: np.ndarray) -> np.ndarray:
        if name in mutes:
            maps[..., mutes[name]] = 0
        return maps

    after = by_hand.logits(vgg, apple, altered, silence)
    np.testing.assert_allclose(found["before"]["logits"], before, atol=2e-3)
    np.testing.assert_allclose(found["after"]["logits"], after, atol=2e-3)
    assert np.abs(before - after).max() > 0.1
    temperature = float(vgg.temperatures(apple[None])[0])
    assert found["temperature"] == pytest.approx(temperature, abs=1e-4)
    for name, logits in (("before", before), ("after", after)):
        expected = softmax(logits, temperature)
        top = found[name]["top"]
        assert [row["index"] for row in top] == list(np.argsort(-expected)[:5])
        assert [row["probability"] for row in top] == pytest.approx(
            list(np.sort(expected)[::-1][:5]), abs=1e-3
        )
        assert top[0]["label"] == vgg.label(top[0]["index"])


def test_with_every_channel_of_the_last_relu_muted_only_the_bias_speaks(vgg: Card, apple: np.ndarray) -> None:
    last = [layer for layer in structure("vgg").layers if layer.kind == "relu"][-1]
    found = computed(vgg, apple, mutes={last.name: list(range(last.shape[0]))}).data
    bias = artifact.read_weights(vgg)["head/dense/bias"]
    np.testing.assert_allclose(found["after"]["logits"], bias, atol=1e-4)


def test_without_a_change_after_is_before(vgg: Card, apple: np.ndarray) -> None:
    found = computed(vgg, apple).data
    assert found["before"] == found["after"]


def test_the_covered_picture_has_its_own_answer_and_temperature(vgg: Card, apple: np.ndarray) -> None:
    covered = apple.copy()
    covered[8:24, 8:24] = 0
    whole, hidden = (
        computed(vgg, apple, covered, edits=[an_edit()], side=side).data for side in ("clean", "covered")
    )
    assert hidden["temperature"] > whole["temperature"]
    assert hidden["before"] != whole["before"]
    expected = by_hand.logits(vgg, covered, artifact.read_weights(vgg))
    np.testing.assert_allclose(hidden["before"]["logits"], expected, atol=2e-3)


def test_a_side_that_is_not_there_is_refused(vgg: Card, apple: np.ndarray) -> None:
    with pytest.raises(KindError, match="no bars"):
        computed(vgg, apple, None, side="covered")


def test_numbers_that_overflow_are_a_sentence(
    vgg: Card, apple: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ml.explain.surgery import Surgeon

    own = Surgeon.answer

    def overflow(self: Surgeon, pixels: np.ndarray, edits: Any = (), mutes: Any = None) -> np.ndarray:
        if edits:
            raise ArithmeticError
        return own(self, pixels)

    monkeypatch.setattr(Surgeon, "answer", overflow)
    with pytest.raises(KindError, match="Try smaller ones") as refused:
        computed(vgg, apple, edits=[an_edit()])
    # As it is stored: English, to be translated for whoever reads it.
    assert str(refused.value) == kind_module.OVERFLOW


# --- as an address holds it ----------------------------------------------------------------------------------


def read(edits: str, mutes: str, card: Card) -> tuple[surgery_text.Operation, list[str]]:
    said: list[str] = []
    return surgery_text.read(edits, mutes, card, said.append), said


def test_what_is_written_into_an_address_is_read_again(vgg: Card) -> None:
    asked = clean(
        vgg,
        edits=[an_edit(kernel=[0.052307, -1, 0, 0, 0, 0, 0, 0, 100]), an_edit(layer="block4/conv2", out=511)],
        mutes={"block2/relu1": [3, 4, 5, 9], "block4/relu2": list(range(512))},
    )
    edits, mutes = surgery_text.write_edits(asked["edits"]), surgery_text.write_mutes(asked["mutes"])
    assert edits.startswith("block1.conv1:5:2:0.052307,-1,0,0,0,0,0,0,100;block4.conv2:511:2:1,0,-1,")
    assert mutes == "block2.relu1:3-5,9;block4.relu2:0-511"
    found, said = read(edits, mutes, vgg)
    assert (found.edits, found.mutes, said) == (asked["edits"], asked["mutes"], [])


@pytest.mark.parametrize(
    ("edits", "mutes"),
    [
        ("block1.conv1:5:2:1,2", ""),
        ("block1.conv1:5:2:1,2,3,4,5,6,7,8,nan", ""),
        ("block1.conv1:5:2:1,2,3,4,5,6,7,8,1e30", ""),
        ("block1.conv1:5:99:1,2,3,4,5,6,7,8,9", ""),
        ("nothing at all", ""),
        ("", "block2.relu1:3,x"),
        ("", "block2.relu1:0-99999999999"),
        ("", "block9.relu1:3"),
        ("", "block2.relu1"),
    ],
)
def test_what_in_an_address_cannot_be_done_is_left_out_and_the_rest_stays(
    vgg: Card, edits: str, mutes: str
) -> None:
    good = "block1.conv1:1:1:0,0,0,0,1,0,0,0,0"
    found, said = read(f"{edits};{good}", f"{mutes};block1.relu1:2", vgg)
    assert len(said) == 1
    assert said[0].startswith(f"“{(edits or mutes)[:60]}” was left out.")
    assert ([one["out"] for one in found.edits], found.mutes) == ([1], {"block1/relu1": [2]})


def test_too_many_kernels_in_an_address_leave_the_first_sixteen(vgg: Card) -> None:
    texts = [f"block1.conv1:{out}:0:0,0,0,0,1,0,0,0,0" for out in range(18)]
    found, said = read(";".join(texts), "", vgg)
    assert [one["out"] for one in found.edits] == list(range(16))
    assert len(said) == 2
    assert "At most 16" in said[0]


def test_an_endless_address_changes_nothing(vgg: Card) -> None:
    found, said = read("block1.conv1:1:1:" + "0," * 5000, "", vgg)
    assert not found
    assert len(said) == 1
