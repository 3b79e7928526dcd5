"""Numbers taken apart, as the page tells them without scripts, against float64 by hand; what an address asks for."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from django.test import Client

from learn import explaining, explanations, subjects
from learn.subjects import Subject
from tests import taken_apart
from tests.taken_apart import CELLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

PAGE = "/learn/laboratory/arithmetic/"
ON = "sample:apple"


@pytest.fixture
def apple() -> Subject:
    return subjects.find(None, ON)


def stored(subject: Subject, network: str) -> None:
    """As a worker leaves it."""
    explanations.ask(subject, network, "xray")
    explaining.drain()


def page(client: Client, **query: Any) -> str:
    answer = client.get(PAGE, {"on": ON, **query}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def cell_page(client: Client, name: str, **query: Any) -> str:
    cell = CELLS[name]
    place = {"network": cell.network, "layer": cell.layer, "channel": cell.channel, "y": cell.y, "x": cell.x}
    return page(client, **place, **query)


def still(html: str) -> str:
    """What is read without scripts, tags and all."""
    found = re.search(r"<details class=\"lab-still\".*?</details>\s*<script", html, re.S)
    assert found
    return found[0]


def sentence(html: str) -> str:
    found = re.search(r"<p>([^<]* channel \d+, row [^<]*)</p>", still(html))
    assert found, "no cell is told"
    return found[1]


def rows(html: str, caption: str) -> list[list[str]]:
    """The texts of the table whose caption or label contains ``caption``, row by row."""
    table = next(one for one in re.findall(r"<table.*?</table>", still(html), re.S) if caption in one)
    found = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
    ]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in found]


@pytest.mark.parametrize("network", ["vgg", "wideresnet"])
def test_cells_are_told_as_float64_by_hand_has_them(client: Client, apple: Subject, network: str) -> None:
    stored(apple, network)
    cells = {name: cell for name, cell in CELLS.items() if cell.network == network}
    for run, seen in (("clean", apple.clean), ("covered", apple.covered)):
        for name, cell in cells.items():
            told = sentence(cell_page(client, name, run=run))
            assert ("with bars" in told) == (run == "covered")
            taken_apart.agree(taken_apart.read(told), cell, seen[network])


def test_the_tables_add_up_in_their_own_digits(client: Client, apple: Subject) -> None:
    stored(apple, "vgg")
    html = cell_page(client, "in the middle", input=3)
    number = taken_apart.number
    sums = rows(html, "add or take away")[1:]
    added = [number(row[1]) for row in sums if len(row) > 1 and row[1]]
    assert round(sum(added), 6) == number(sums[-1][-1])
    running = [number(row[2]) for row in sums[:9]]
    assert [round(sum(added[: place + 1]), 6) for place in range(9)] == running
    products = rows(html, "input channel 3")[1:]
    assert len(products) == 9 + 2
    assert round(sum(number(row[-1]) for row in products[:-1]), 6) == number(products[-1][-1])


def test_it_is_said_how_many_channels_add_and_how_many_take_away(client: Client, apple: Subject) -> None:
    stored(apple, "vgg")
    html = cell_page(client, "in the middle")
    sums = taken_apart.expected(CELLS["in the middle"], apple.clean["vgg"]).sums
    found = re.search(
        r"The first alone makes up (\d+)%. Channels that add: (\d+); that take away: (\d+).", html
    )
    assert found
    # Sums of nothing but rounding may fall to either side.
    unclear = ((np.abs(sums) > 0) & (np.abs(sums) < 1e-6)).sum()
    assert abs(int(found[2]) - (sums > 0).sum()) <= unclear
    assert abs(int(found[3]) - (sums < 0).sum()) <= unclear
    assert int(found[1]) == round(100 * np.abs(sums).max() / np.abs(sums).sum())


def test_padding_is_named_and_counts_as_nothing(client: Client, apple: Subject) -> None:
    stored(apple, "vgg")
    html = cell_page(client, "first layer, a corner", input=0)
    padded = [row for row in rows(html, "input channel 0, red") if "padding" in row[0]]
    assert len(padded) == 5
    assert {(row[1], row[3]) for row in padded} == {("0.0000", "0.0000")}
    assert taken_apart.read(sentence(html)).padding == 5


def test_a_pooling_says_which_of_four_wins(client: Client, apple: Subject) -> None:
    stored(apple, "vgg")
    told = sentence(page(client, network="vgg", layer="block1/pool", channel=8, y=3, x=6))
    found = re.search(
        r"the largest of ([\d.]+), ([\d.]+), ([\d.]+) and ([\d.]+) is ([\d.]+), from row (\d+), column (\d+)",
        told,
    )
    assert found
    assert max(map(float, found.groups()[:4])) == float(found[5])
    winner = list(map(float, found.groups()[:4])).index(float(found[5]))
    assert (int(found[6]), int(found[7])) == (7 + winner // 2, 13 + winner % 2)


def test_what_stride_and_padding_do_is_said(client: Client, apple: Subject) -> None:
    stored(apple, "wideresnet")
    html = cell_page(client, "a shortcut")
    assert "one cell: row 7, column 19" in html
    assert "16 × 16 cells; with stride 1 it would have 32 × 32" in html
    assert "are not read at all" in still(html)
    html = cell_page(client, "stride 2 at the padded edge")
    assert "rows 15 to 17 and columns 15 to 17" in html
    assert "Padding: 1 at the bottom, 1 at the right" in html


def test_each_network_has_its_own_order(client: Client, apple: Subject) -> None:
    for network in ("vgg", "wideresnet"):
        stored(apple, network)
    vgg = still(cell_page(client, "in the middle"))
    assert re.search(r"After</h2>.*batch normalisation 2.*ReLU 2", vgg, re.S)
    wide = still(cell_page(client, "what is added"))
    before, after = wide.split("After</h2>")
    assert re.search(r"Before</h2>.*block 4, batch normalisation 2.*block 4, ReLU 2", before, re.S)
    assert after.index("Group 3, block 4, addition") < after.index("Head, batch normalisation")
    assert "from group 3, block 3, addition" in after


def test_before_anything_is_computed_it_says_what_to_do(client: Client) -> None:
    html = still(page(client))
    assert "not computed for this picture yet" in html
    asked = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html.split('method="post"')[1])
    answer = client.post("/learn/laboratory/explanations/", dict(asked))
    assert answer.status_code == 302
    assert answer["Location"].startswith(PAGE)
    assert "are being computed" in still(page(client))
    explaining.drain()
    assert "the sum of 27 products" in sentence(page(client))


@pytest.mark.parametrize(
    ("query", "sentence_", "chosen"),
    [
        (
            {"layer": "block9/conv9"},
            "VGG has no layer “block9/conv9”. Block 1, convolution 1",
            "block1/conv1",
        ),
        (
            {"layer": "block2/relu1"},
            "Block 2, ReLU 1 is told as a step of block 2, convolution 1",
            "block2/conv1",
        ),
        ({"channel": "64"}, "no channel “64”: this layer has the channels 0 to 63. 63 is shown", "63"),
        ({"channel": "nan"}, "no channel “nan”", "0"),
        ({"y": "-4"}, "no row “-3”: this layer has the rows 1 to 32. 1 is shown", "0"),
        ({"x": "1e99"}, "no column “1e99”", "31"),
        ({"input": "3"}, "no input channel “3”: this layer reads the channels 0 to 2", ""),
        ({"run": "sideways"}, "“sideways” is neither clean nor covered", "clean"),
        ({"run": "covered", "bars": "[]"}, "There are no bars on this picture", None),
    ],
)
def test_what_does_not_exist_is_said_and_the_nearest_is_shown(
    client: Client, query: dict[str, str], sentence_: str, chosen: str | None
) -> None:
    html = page(client, network="vgg", **query)
    corrections = re.search(r"data-laboratory-corrections.*?</div>", html, re.S)
    assert corrections
    assert sentence_ in corrections[0]
    if chosen is None:
        return
    (key,) = query
    if key in ("layer", "y", "x"):
        field = re.search(rf'<select [^>]*name="{key}".*?</select>', still(html), re.S)
        assert field
        assert f'<option value="{chosen}" selected>' in field[0]
    elif key == "run":
        assert 'value="clean" checked' in html
    else:
        assert re.search(rf'name="{key}"[^>]* value="{chosen}"', html)


def test_the_page_brings_every_layer_that_can_be_chosen(client: Client) -> None:
    found = re.search(
        r'<script id="arithmetic-data" type="application/json">(.*?)</script>', page(client), re.S
    )
    assert found
    networks = json.loads(found[1])["networks"]
    assert len([name for name in networks["wideresnet"]["shapes"] if "conv" in name]) == 25
    assert networks["vgg"]["shapes"]["block2/conv1"] == [128, 16, 16, 64]
    assert networks["wideresnet"]["belongs"]["head/bn"] == "group3/block4/conv2"
