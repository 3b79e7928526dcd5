"""Where it looked, as the server shows it: still maps, sentences and tables, and addresses that ask for what is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from learn.figures import heat, looked
from tests.learn.looking import APPLE, ON, explained, member, only_vgg, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups", "vgg")]

PAGE = "/learn/laboratory/looked/"
SWEET_PEPPER = 83


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_vgg(tmp_path / "artifacts", monkeypatch)


def page(client: Client, **query: Any) -> str:
    return shown(client, PAGE, **query)


def setup_in(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="looked-setup" type="application/json">(.*?)</script>', html, re.S)
    assert found
    return json.loads(found[1])


def corrections(html: str) -> list[str]:
    found = re.search(r"data-laboratory-corrections.*?>(.*?)</div>", html, re.S)
    assert found
    return re.findall(r"<p>(.*?)</p>", found[1], re.S)


def still(html: str) -> str:
    return html[html.index("data-laboratory-still") :]


def place(values: np.ndarray, cell: int) -> str:
    row, column = divmod(cell, values.shape[1])
    return f"row {row + 1}, column {column + 1} of {values.shape[1]} ("


def test_what_is_not_computed_yet_is_said_and_can_be_chosen(client: Client) -> None:
    html = still(page(client))
    assert "This map is not computed yet." in html
    assert "looked-still" not in html
    for name in ("class", "versus", "map"):
        assert f'name="{name}"' in html


def test_the_class_activation_map_is_drawn_said_and_adds_up(client: Client) -> None:
    row = explained("class_map")
    maps, (biases, logits) = member(row, "maps.npy"), member(row, "logits.npy")
    html = still(page(client, **{"class": APPLE}))
    assert html.count("<rect ") == 16
    mean, bias, logit = maps[APPLE].mean(), biases[APPLE], logits[APPLE]
    said = re.search(r"Mean of the 16 squares ([\d.]+) ([+−]) bias ([\d.]+)(.*?) = ([\d.]+), the logit", html)
    assert said
    assert float(said[1]) == pytest.approx(mean, abs=6e-4)
    assert float(said[3]) == pytest.approx(abs(bias), abs=6e-4)
    assert float(said[5]) == pytest.approx(logit, abs=6e-4)
    rounding = re.search(r"([+−]) rounding ([\d.]+)", said[4])
    signed = [float(said[1]), float(said[3]) * (1 if said[2] == "+" else -1)]
    if rounding:
        signed.append(float(rounding[2]) * (1 if rounding[1] == "+" else -1))
    # What is printed adds up, digit by digit.
    assert round(sum(signed), 3) == float(said[5])
    assert f"is strongest in {place(maps[APPLE], int(maps[APPLE].argmax()))}" in html


def test_why_not_another_class_is_the_difference_of_both_maps(client: Client) -> None:
    row = explained("class_map")
    maps, (_, logits) = member(row, "maps.npy"), member(row, "logits.npy")
    html = still(page(client, versus=SWEET_PEPPER))
    difference = maps[APPLE] - maps[SWEET_PEPPER]
    said = re.search(r"= ([−\d.]+), the difference of the logits of apple and sweet pepper", html)
    assert said
    assert float(said[1].replace("−", "-")) == pytest.approx(logits[APPLE] - logits[SWEET_PEPPER], abs=6e-4)
    strongest = place(difference, int(difference.argmax()))
    assert f"evidence for apple rather than sweet pepper is strongest in {strongest}" in html
    assert "white 0" in html


def test_covering_says_which_square_matters_and_hatches_the_others(client: Client) -> None:
    row = explained("occlusion", grid=8)
    changes, before = member(row, "changes.npy")[..., APPLE], member(row, "log_odds.npy")[APPLE]
    html = still(page(client, map="cover"))
    least = int(changes.argmin())
    assert f"Strongest in {place(changes, least)}" in html
    said = re.search(
        r"lowers the log-odds of apple by ([\d.]+), its probability from ([\d.]+)% to ([\d.]+)%", html
    )
    assert said
    assert float(said[1]) == pytest.approx(-changes.min(), abs=0.051)
    assert float(said[2]) == pytest.approx(100 / (1 + np.exp(-before)), abs=0.051)
    assert float(said[3]) == pytest.approx(100 / (1 + np.exp(-(before + changes.min()))), abs=0.051)
    hatched = int((np.abs(changes) < np.abs(changes).max() / 20).sum())
    assert hatched > 0
    assert html.count("url(#still-hatch-vgg)") == hatched
    assert html.count('<th scope="row">row') == 8


def test_covering_against_another_class_is_the_change_of_their_ratio(client: Client) -> None:
    row = explained("occlusion", grid=4)
    changes, before = member(row, "changes.npy"), member(row, "log_odds.npy")

    def log(odds: np.ndarray) -> np.ndarray:
        return np.log(1 / (1 + np.exp(-odds)))

    after = log(before + changes)
    ratio = after[..., APPLE] - after[..., SWEET_PEPPER]
    ratio -= log(before)[APPLE] - log(before)[SWEET_PEPPER]
    html = still(page(client, map="cover", grid=4, versus=SWEET_PEPPER))
    assert place(ratio, int(ratio.argmin())) in html
    shown = [
        float(text.replace("−", "-")) for text in re.findall(r'<td class="numeric">([+−\d.]+)</td>', html)
    ]
    assert shown == pytest.approx(ratio.reshape(-1).tolist(), abs=0.051)


def test_a_layer_has_its_own_map(client: Client) -> None:
    explained("layer_map", layer="block3/relu2")
    html = still(page(client, map="layer", layer="block3/relu2"))
    assert html.count("<rect ") == 64
    assert "block3/relu2" in html


def test_the_tests_of_a_map_stand_beside_it(client: Client) -> None:
    explained("class_map")
    result = explained("trust", map="class_activation").result
    html = still(page(client))
    verdicts = {True: "passed", False: "failed", None: "not testable"}
    assert f"Its top fifth against random masks: {verdicts[result['masks']['passed']]}." in html
    assert f"The same map on random weights: {verdicts[result['weights']['passed']]}." in html
    assert f"more than {result['masks']['beaten']} of {result['masks']['n']} of them" in html


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"class": "100"}, "There is no class of this number."),
        ({"class": "-1"}, "There is no class of this number."),
        ({"class": "apple"}, "There is no class of this number."),
        ({"class": "1.5"}, "There is no class of this number."),
        ({"versus": "100"}, "There is no other class of this number"),
        ({"class": "3", "versus": "3"}, "There is no other class of this number"),
        ({"map": "rainbow"}, "There is no such kind of map."),
        (
            {"map": "layer", "layer": "block2/conv1"},
            "The next layer that has one, block 2, ReLU 1, is shown.",
        ),
        ({"map": "layer", "layer": "head/dense"}, "at head, dense layer. Block 4, ReLU 2 is shown."),
        ({"map": "layer", "layer": "stem"}, "No map is offered at a layer called “stem”."),
        ({"grid": "5"}, "There is no grid of this size."),
        ({"grid": "inf"}, "There is no grid of this size."),
        ({"opacity": "200"}, "The opacity goes from 0 to 100."),
        ({"opacity": "nan"}, "The opacity goes from 0 to 100."),
    ],
)
def test_what_does_not_exist_is_said_and_the_nearest_shown(
    client: Client, query: dict[str, str], sentence: str
) -> None:
    html = page(client, **query)
    assert any(sentence in one for one in corrections(html)), corrections(html)


def test_the_nearest_grid_and_layer_are_chosen(client: Client) -> None:
    html = page(client, map="cover", grid="14")
    assert '<option value="16" selected>' in html
    assert setup_in(page(client, map="layer", layer="block2/conv1"))["layer"] == "block2/relu1"


def test_an_address_without_mistakes_has_no_corrections(client: Client) -> None:
    query = {"class": 53, "versus": 0, "map": "cover", "layer": "block1/relu1", "grid": 16, "opacity": 0}
    html = page(client, **query, coarse=1, row=3, column=4)
    assert corrections(html) == []
    assert setup_in(html)["layers"] == {
        "vgg": [f"block{block}/relu{i}" for block in (1, 2, 3, 4) for i in (1, 2)]
    }


def test_the_likeliest_classes_come_first_in_the_list(client: Client) -> None:
    explained("answers")
    html = page(client)
    first = re.search(r'<optgroup label="Likeliest">(.*?)</optgroup>', html, re.S)
    assert first
    names = re.findall(r">([^<]+)</option>", first[1])
    assert names[:2] == ["apple", "sweet pepper"]
    assert len(names) == 5


def test_a_frame_shows_what_is_stored(client: Client) -> None:
    explained("class_map")
    answer = client.get(f"{PAGE}embed/", {"on": ON}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert b"the logit of apple" in answer.content


# --- words and colours -----------------------------------------------------------------------------------------


def test_a_constant_map_says_that_nothing_stands_out() -> None:
    flat = looked.Found(np.full((4, 4), 2.5))
    scale = heat.scale_of([flat.values], diverging=False)
    assert looked.in_words(flat, scale, "apple", "").startswith("Nothing stands out")
    assert scale.colour(2.5) == "#808080"


@pytest.mark.parametrize(
    ("total", "text"),
    [
        ((1.0004, 0.5, 1.5004), "Mean of the 4 squares 1.000 + bias 0.500 = 1.500, the logit of apple."),
        ((1.0004, 0.5004, 1.5008), "1.000 + bias 0.500 + rounding 0.001 = 1.501,"),
        ((-1.0, -0.25, -1.25), "−1.000 − bias 0.250 = −1.250,"),
    ],
)
def test_the_printed_sum_adds_up(total: tuple[float, float, float], text: str) -> None:
    assert text in looked.sum_in_words(total, 4, "apple", "")


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (0, "row 1, column 1 of 4 (top left)"),
        (5, "row 2, column 2 of 4 (middle)"),
        (7, "row 2, column 4 of 4 (right)"),
        (13, "row 4, column 2 of 4 (bottom)"),
    ],
)
def test_a_cell_is_named_by_row_column_and_where_it_lies(cell: int, name: str) -> None:
    assert heat.cell_name(cell, (4, 4)) == name


def test_signed_maps_are_white_at_zero_red_below_and_blue_above() -> None:
    scale = heat.scale_of([np.array([[-1.0, 2.0]])], diverging=True)
    assert (scale.low, scale.high) == (-2.0, 2.0)
    assert scale.colour(0.0) == "#ffffff"
    assert scale.colour(-2.0) == "#67001f"
    assert scale.colour(2.0) == "#053061"


def test_a_failed_test_is_said() -> None:
    masks = {"passed": False}
    weights = {"passed": True}
    assert "Do not rely on it" in looked.warning({"masks": masks, "weights": weights})
    assert "both" in looked.warning({"masks": masks, "weights": masks})
    assert "learned nothing" in looked.warning({"masks": weights, "weights": masks})
    assert looked.warning({"masks": {"passed": None}, "weights": weights}) == ""
