"""The X-ray on the shipped VGG: the kind against the tensors, and its page without scripts against what is stored."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from learn import explanations, kinds
from learn.figures.xray import digits_for, where_alike
from learn.kinds import KindError
from learn.models import Explanation
from ml import artifact
from tests.learn.looking import ON, explained, member, only_vgg

PAGE = "/learn/laboratory/xray/"


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_vgg(tmp_path / "artifacts", monkeypatch)


@pytest.fixture
def row(vgg: None, no_wake_ups: list[str], db: None) -> Explanation:
    """The X-ray of the apple with its bar."""
    return explained("xray")


def page(client: Client, **query: Any) -> str:
    answer = client.get(PAGE, {"on": ON, **query}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def still(html: str) -> str:
    return html[html.index("data-laboratory-still") :]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def meta_of(row: Explanation) -> dict[str, Any]:
    return json.loads(explanations.open_member(row, "meta.json"))


# -- the kind ------------------------------------------------------------------------------------------------


def test_it_has_no_parameters_and_says_so() -> None:
    kind = kinds.find("xray")
    card = artifact.load_card("vgg")
    assert kind.clean({}, card) == {}
    with pytest.raises(KindError, match="layer") as refused:
        kind.clean({"layer": "block1/conv1"}, card)
    assert refused.value.field == "layer"
    assert kind.for_samples == ({},)


def test_it_keeps_both_runs_and_says_where_they_differ(row: Explanation) -> None:
    assert row.result["covered"] is True
    assert len(json.dumps(row.result)) < 64_000
    assert [block["name"] for block in row.result["blocks"]][:2] == ["pictures", "block1"]
    clean, covered = (member(row, f"{side}/block1.conv1.npy") for side in ("clean", "covered"))
    assert clean.shape == (64, 32, 32)
    stem = meta_of(row)["layers"][1]
    assert stem["change"] == pytest.approx(np.linalg.norm(covered - clean) / np.linalg.norm(clean), rel=1e-5)
    logits = member(row, "covered/logits.npy")
    assert meta_of(row)["logits"]["covered"] == pytest.approx(logits, rel=1e-6)
    assert np.linalg.norm(clean) != np.linalg.norm(covered)


def block(name: str, change: float | None) -> dict[str, Any]:
    return {"name": name, "change": change}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ((0.0, 0.0, 0.0, 0.0), "The bars change nothing that this network sees."),
        ((0.5, 0.4, 0.09, 0.02), "From block2 on, the two runs differ by less than a tenth"),
        ((0.5, 0.05, 0.4, 0.02), "From head on, the two runs differ by less than a tenth"),
        ((0.5, 0.7, 0.2, 0.3), "block1 most (0.70), block2 least (0.20), the answer by 0.30."),
        ((0.5, 0.7, None, 0.3), "block1 most (0.70), block1 least (0.70), the answer by 0.30."),
        ((None, None, None, None), ""),
    ],
    ids=["same", "fades", "returns", "stays", "silent", "nothing"],
)
def test_where_two_runs_become_alike_is_one_sentence(changes: tuple[float | None, ...], says: str) -> None:
    names = ("pictures", "block1", "block2", "head")
    text = where_alike([block(name, change) for name, change in zip(names, changes, strict=True)])
    assert says.replace("block", "block ") in text
    assert bool(says) == bool(text)


def test_a_scale_decides_how_many_digits_say_something() -> None:
    assert [digits_for(scale) for scale in (0.013, 0.1, 3.5, 9.9, 10.0, 120.0)] == [4, 3, 2, 2, 2, 2]


# -- the page without scripts --------------------------------------------------------------------------------


def test_without_an_x_ray_the_page_says_so_and_a_form_asks_for_it(
    client: Client, vgg: None, no_wake_ups: list[str], db: None
) -> None:
    html = still(page(client))
    assert "No X-ray of this picture was made yet." in html
    assert "Make the X-ray of VGG" in html
    answer = client.post(
        "/learn/laboratory/explanations/", {"on": ON, "network": "vgg", "kind": "xray", "then": "xray"}
    )
    assert answer.status_code == 302
    assert answer["Location"].startswith(PAGE)
    assert Explanation.objects.get().kind == "xray"
    assert "The X-ray is being made." in still(page(client))


def test_a_form_that_is_refused_leads_back_with_the_sentence(
    client: Client, vgg: None, no_wake_ups: list[str], db: None
) -> None:
    given = {"on": ON, "network": "vgg", "kind": "xray", "then": "xray", "parameters": '{"depth": 3}'}
    answer = client.post("/learn/laboratory/explanations/", given, follow=True)
    assert answer.redirect_chain[0][0].startswith(PAGE)
    assert "depth" in answer.content.decode()
    assert not Explanation.objects.exists()
    assert client.post("/learn/laboratory/explanations/", given | {"then": "//elsewhere"}).status_code == 404


def test_the_overview_tells_every_block_and_how_much_it_changes(client: Client, row: Explanation) -> None:
    html = still(page(client))
    for one in row.result["blocks"]:
        if one["name"] != "pictures":
            assert f"{one['change']:.2f}" in html
    assert "strips/block1.pool.png" in html
    assert "the answer by" in html


def test_a_block_tells_the_numbers_of_its_layers(client: Client, row: Explanation) -> None:
    html = still(page(client, network="vgg", block="block3"))
    found = {layer["name"]: layer for layer in meta_of(row)["layers"]}["block3/relu2"]
    said = found["statistics"]["clean"]
    digits = digits_for(found["scale"])
    assert f"from {said['minimum']:.{digits}f} to {said['maximum']:.{digits}f}" in html
    assert f"{found['change']:.2f}" in html
    assert "block4" not in html.partition("<table")[2].partition("</table")[0]


def test_a_layer_tells_its_numbers_in_every_view(client: Client, row: Explanation) -> None:
    html = still(page(client, layer="block2/conv1", show="difference"))
    assert "sheets/block2.conv1.difference.png" in html
    clean, covered = (member(row, f"{side}/block2.conv1.npy") for side in ("clean", "covered"))
    smallest = re.search(r"smallest</th>(.*?)</tr>", html, re.S)
    assert smallest
    shown = [number(text) for text in re.findall(r">([−\d.]+)<", smallest[1])]
    right = [clean.min(), covered.min(), (covered - clean).min()]
    assert shown == pytest.approx(right, abs=0.006)


def test_a_channel_tells_its_cell_and_shows_its_map(client: Client, row: Explanation) -> None:
    html = still(page(client, layer="block2/conv1", channel=17, y=3, x=5))
    clean, covered = (member(row, f"{side}/block2.conv1.npy")[17, 3, 5] for side in ("clean", "covered"))
    said = re.search(r"Row 4, column 6:(.*?)</p>", html, re.S)
    assert said
    shown = [number(text) for text in re.findall(r'number">([−\d.]+)<', said[1])]
    assert shown == pytest.approx([clean, covered, covered - clean], abs=6e-5)
    order = member(row, "channels/block2.conv1.npy")[0].astype(int).tolist()
    place = order.index(17)
    assert f'viewBox="{place % 16 * 17} {place // 16 * 17} 16 16"' in html


def test_a_layer_between_the_stored_ones_is_told_too(client: Client, row: Explanation) -> None:
    html = still(page(client, layer="block1/relu1", channel=5, y=0, x=0))
    card = artifact.load_card("vgg")
    weights = artifact.read_weights(card)
    one = member(row, "clean/block1.conv1.npy")[5, 0, 0]
    gamma, beta, mean, variance = (
        float(weights[f"block1/bn1/{part}"][5])
        for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    right = max(0.0, gamma * (one - mean) / np.sqrt(variance + 1e-5) + beta)
    said = re.search(r'Row 1, column 1:.*?number">([−\d.]+)<', html, re.S)
    assert said
    assert number(said[1]) == pytest.approx(right, abs=1e-4)


def test_the_last_layers_channels_are_classes(client: Client, row: Explanation) -> None:
    html = still(page(client, layer="head/dense", channel=0))
    assert "Apple" in html
    assert f"{meta_of(row)['logits']['clean'][0]:.4f}" in html


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"layer": "block9/conv1"}, "There is no layer “block9/conv1” here."),
        ({"block": "group1/block1"}, "There is no block “group1/block1” here."),
        ({"layer": "block1/conv1", "channel": "64"}, "There is no channel “64” in this layer."),
        ({"layer": "block1/conv1", "channel": "1.5"}, "There is no channel “1.5” in this layer."),
        ({"layer": "block1/conv1", "channel": "3", "y": "-7"}, "There is no row “-6” in this layer."),
        ({"layer": "block1/conv1", "channel": "3", "x": "1e9"}, "There is no column “1e9” in this layer."),
        ({"show": "negative"}, "“negative” is not to be seen here."),
        ({"bars": "[]", "show": "difference"}, "There are no bars on this picture."),
    ],
    ids=["layer", "block", "channel", "half", "row", "column", "view", "bars"],
)
def test_what_does_not_exist_is_said_and_the_nearest_shown(
    client: Client, vgg: None, no_wake_ups: list[str], db: None, query: dict[str, str], says: str
) -> None:
    assert says in page(client, **query)


def test_an_address_full_of_nonsense_is_answered(client: Client, row: Explanation) -> None:
    nonsense = {"layer": "<script>", "channel": "NaN", "y": "inf", "x": "٣", "range": "∞", "show": "\x00"}
    html = client.get(PAGE, {"on": ON, **nonsense}).content.decode()
    assert "<script>”" not in html
    assert "There is no layer" in html
