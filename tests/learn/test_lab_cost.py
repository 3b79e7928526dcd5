"""Width and depth: counts against networks that are built, times from a file, and addresses that make no sense."""

from __future__ import annotations

import html
import itertools
import json
import re
import statistics

import numpy as np
import pytest
from django.urls import reverse

from benchmarks import __main__ as runner
from benchmarks import cost as benchmark
from learn.figures import cost
from learn.figures.cost import BY_NAME, NETWORKS, REFERENCE, Network
from learn.laboratory import cost as page_of
from ml import networks

ADDRESS = reverse("learn:laboratory-figure", args=["cost"])
# Width 1 has no projection in its first group.
BUILT = [Network(10, 1), Network(16, 2), Network(22, 1), Network(28, 3), Network(28, 10)]
shipped = pytest.mark.skipif(not cost.FILE.exists(), reason="the times have not been measured yet")


# --- counts ---------------------------------------------------------------------------------------------------


def layers_of(network: Network) -> list[tuple[str, int]]:
    """Name and parameters of each layer that has some, in order, from the paper's table 1 and nothing else."""
    found = [("stem/conv", 27 * 16)]
    before = 16
    for group, base in enumerate((16, 32, 64), 1):
        channels = base * network.width
        for block in range(1, network.blocks + 1):
            name = f"group{group}/block{block}"
            found.append((f"{name}/bn1", 4 * before))
            if block == 1 and (before != channels or group > 1):
                found.append((f"{name}/shortcut", before * channels))
            found.append((f"{name}/conv1", 9 * before * channels))
            found.append((f"{name}/bn2", 4 * channels))
            found.append((f"{name}/conv2", 9 * channels * channels))
            before = channels
    return [*found, ("head/bn", 4 * before), ("head/dense", 100 * before + 100)]


@pytest.mark.parametrize("network", BUILT, ids=lambda one: one.name)
def test_parameters_are_those_of_the_network_that_is_built_layer_by_layer(network):
    built = networks.build("wideresnet", depth=network.depth, width=network.width)
    table = networks.layer_table(built)
    expected = layers_of(network)
    found = {row["name"]: row["parameters"] for row in table if row["parameters"]}
    assert found == dict(expected)
    assert network.parameters == built.count_params() == sum(count for _, count in expected)
    for stage in network.stages():
        own = [count for name, count in found.items() if name.startswith(f"{stage.key}/")]
        assert stage.parameters == sum(own), stage.key
        convolutions = [
            row for row in table if row["kind"] == "Conv2D" and row["name"].startswith(f"{stage.key}/")
        ]
        assert stage.convolutions == len(convolutions)
        assert all(row["shape"] == [stage.side, stage.side, stage.channels] for row in convolutions)
    written = sum(int(np.prod(row["shape"])) for row in table if row["kind"] == "Conv2D")
    assert network.written == written


@pytest.mark.parametrize("network", BUILT, ids=lambda one: one.name)
def test_multiply_adds_are_those_that_cards_are_given(network):
    built = networks.build("wideresnet", depth=network.depth, width=network.width)
    assert network.multiply_adds == networks.multiply_adds(built)


def test_the_parts_add_up_for_all_72():
    assert len(NETWORKS) == 72
    for network in NETWORKS:
        stages = network.stages()
        assert sum(stage.parameters for stage in stages) == network.parameters
        assert sum(stage.multiply_adds for stage in stages) == network.multiply_adds
        assert sum(stage.convolutions * stage.side**2 * stage.channels for stage in stages) == network.written


def span(network: Network, place: int) -> tuple[int, int]:
    """First and last row of the picture that a row of the last maps depends on, walked back layer by layer.

    A convolution of stride 1 reads a row more on both sides; one of stride 2 reads rows 2 i to 2 i + 2.
    """
    strides = [1] + [1] * 2 * network.blocks + ([2] + [1] * (2 * network.blocks - 1)) * 2
    first = last = place
    for stride in reversed(strides):
        first, last = (first - 1, last + 1) if stride == 1 else (2 * first, 2 * last + 2)
    return first, last


@pytest.mark.parametrize("depth", cost.DEPTHS)
def test_the_rows_that_a_place_depends_on_are_those_found_by_walking_back(depth):
    network = Network(depth, 3)
    spans = [span(network, place) for place in range(8)]
    assert {last - first + 1 for first, last in spans} == {network.reach}
    assert network.in_a_row == depth - 3
    sees_all = all(first <= 0 and last >= cost.SIDE - 1 for first, last in spans)
    assert sees_all == (network.reach >= cost.WHOLE)


def test_the_formulas_that_are_shown_give_the_counts():
    for network in (Network(10, 1), Network(40, 12)):
        wanted = (network.parameters, network.multiply_adds)
        for text, count in zip(page_of.formulas(network), wanted, strict=True):
            left, right = text.partition(": ")[2].replace(",", "").split(" = ")
            sum_of_all = left.replace("×", "*").replace("−", "-").replace("²", "**2")
            assert eval(sum_of_all) == int(right) == count


def test_what_the_lesson_builds_on_holds_for_every_pair():
    pairs = list(itertools.permutations(NETWORKS, 2))
    four = [(a, b) for a, b in pairs if 3.6 <= b.parameters / a.parameters <= 4.4]
    one_slider = [(a, b) for a, b in four if a.depth == b.depth or a.width == b.width]
    assert {(a.depth == b.depth, b.width / a.width) for a, b in one_slider} == {(True, 2.0)}
    twins = [
        (deep, wide)
        for deep, wide in pairs
        if deep.depth > 2 * wide.depth and abs(deep.parameters / wide.parameters - 1) < 0.1
    ]
    assert len(twins) > 10
    assert all(deep.written > wide.written for deep, wide in twins)
    budget = [n.name for n in NETWORKS if n.parameters > 5e6 and n.multiply_adds < 1e9]
    assert [name for name in budget if BY_NAME[name].reach >= cost.WHOLE] == ["22-5", "28-4", "40-3"]
    assert len(budget) == 6
    for network in NETWORKS:
        # The last group holds about three quarters of the parameters, and no more than half of the work.
        last = network.stages()[3]
        assert 0.65 < last.parameters / network.parameters < 0.85
        assert last.multiply_adds / network.multiply_adds < 0.5


# --- times ----------------------------------------------------------------------------------------------------


def row_of(network: Network, ms: float) -> dict:
    row = {"depth": network.depth, "width": network.width, "engine": "OpenVINO 1.2", "threads": 2}
    for key, own in (("ms_alone", ms), ("ms_in_32", ms / 2)):
        row |= {key: own, f"{key}_low": 0.9 * own, f"{key}_high": 1.2 * own}
    return row


@pytest.fixture
def times(tmp_path, monkeypatch):
    """A file of made-up times for a few networks, in the place of the measured ones."""
    file = tmp_path / "cost.json"
    monkeypatch.setattr(cost, "FILE", file)
    rows = [
        row_of(Network(depth, width), depth * width / 10) for depth in (16, 28, 40) for width in (1, 4, 10)
    ]
    file.write_text(json.dumps({"hardware": "an abacus", "rows": rows}), encoding="utf-8")
    return file


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def data_in(text: str) -> dict:
    found = re.search(r'<script id="cost-data" type="application/json">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


@pytest.mark.django_db
def test_the_page_shows_the_times_of_the_file_and_says_which_are_missing(client, times):
    text = page(client)
    assert "an abacus, with OpenVINO 1.2 in float32 on 2 cores" in text
    assert "63 networks have not been measured" in text
    data = data_in(text)
    known = {one["name"]: one for one in data["networks"]}
    assert len(known) == 72
    assert known["16-4"]["times"] == {
        "1": pytest.approx([5.76, 6.4, 7.68]),
        "32": pytest.approx([2.88, 3.2, 3.84]),
    }
    assert known["16-4"]["values"]["rate"] == pytest.approx(Network(16, 4).multiply_adds / 6.4e-3)
    assert known["10-1"]["times"] is None
    assert "alone" not in known["10-1"]["values"]
    assert known["16-10"]["texts"]["together"] == "8.00"
    assert known["28-1"]["texts"]["alone"] == "2.80"
    ticks = [tick["text"] for tick in data["axes"]["multiply_adds"]["ticks"]]
    assert ticks == ["100 million", "1 billion", "10 billion"]
    assert data["axes"]["times"]["low"] < np.log10(0.8) < np.log10(28) < data["axes"]["times"]["high"]


@pytest.mark.django_db
def test_without_scripts_there_are_both_networks_the_plan_the_chart_and_all_times(client, times):
    still = page(client, "?wrn=40-4&pin=16-10&batch=32&join=width&against=parameters")
    still = still[still.index("data-laboratory-still") :]
    assert "40-4 against 16-10" in still
    for count in (Network(40, 4).stages()[2].parameters, Network(40, 4).stages()[2].multiply_adds):
        assert f"{count:,}" in still
    assert "Milliseconds a picture against parameters" in still
    assert still.count('class="own"') == 1
    assert still.count("<polyline") == 3
    assert "Milliseconds a picture, pictures at once: 32" in still
    assert "8.00" in still  # 40-4, 32 at once


@pytest.mark.django_db
def test_one_that_was_not_measured_is_said_so(client, times):
    still = page(client, "?wrn=10-1")
    assert still.count("not measured") >= 3
    assert "The table below has the numbers" in still


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        '{"hardware": "h", "rows": []}',
        '{"hardware": "h", "rows": [{"depth": 10}]}',
        json.dumps({"hardware": "h", "rows": [row_of(Network(10, 1), -1)]}),
        json.dumps({"hardware": "h", "rows": [row_of(Network(10, 1), 0)]}),
        json.dumps({"hardware": "h", "rows": [row_of(Network(10, 1), float("nan"))]}),
    ],
    ids=["missing", "empty", "list", "no rows", "no times", "negative", "zero", "no number"],
)
def test_without_usable_times_the_counts_stand_and_a_sentence_says_so(client, times, content):
    if content is None:
        times.unlink()
    else:
        times.write_text(content, encoding="utf-8")
    text = page(client)
    assert "has not been measured here yet" in text
    assert f"{Network(16, 4).parameters:,}" in text
    assert data_in(text)["axes"] is None
    assert "cost-still" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?wrn=11-4", "no network “11-4” here: depths go from 10 to 40"),
        ("?wrn=9999-9999", "40-12 is shown"),
        ("?wrn=0-0", "10-1 is shown"),
        ("?wrn=wide", "16-4 is shown"),
        ("?wrn=-4-4", "16-4 is shown"),
        ("?wrn=28-10.5", "16-4 is shown"),
        ("?pin=%00", "28-10 is shown"),
        ("?against=money", "“money” cannot be chosen under “Across”. “multiply-adds” is shown"),
        ("?join=hands", "“hands” cannot be chosen under “Lines join networks of”"),
        ("?batch=33", "“33” cannot be chosen under “Pictures at once”. “one” is shown"),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_near_is_shown(client, times, query, sentence):
    assert sentence in page(client, query)


def lesson(client):
    return html.unescape(client.get(reverse("learn:page", args=["width"])).content.decode())


@pytest.mark.django_db
def test_the_lesson_counts_how_often_the_wide_one_of_a_pair_was_faster(client, times):
    assert "pairs of equal work" not in lesson(client)
    # Each layer waits a millisecond, so the deep one always takes longer, but for one pair.
    rows = [row_of(network, network.in_a_row + network.multiply_adds / 1e9) for network in NETWORKS]
    pairs = cost.rivals(NETWORKS)
    fast = next(row for row in rows if (row["depth"], row["width"]) == (34, 3))
    fast |= row_of(Network(34, 3), 0.5)
    times.write_text(json.dumps({"hardware": "an abacus", "rows": rows}), encoding="utf-8")
    text = lesson(client)
    assert f"there are {len(pairs)} pairs of equal work" in text
    assert f"faster in {len(pairs) - 1} of them" in text
    assert re.search(r"took \d\.\d\d times as long", text)
    # A layer's millisecond is much beside the work of a thin network, and little beside that of a wide one.
    thin, wide = re.findall(r"([\d.]+) ms in (?:networks of width 1|those of width 3 and more)", text)
    assert float(thin) > 5 * float(wide)
    assert "These times are of 2 cores" in text


@pytest.mark.django_db
def test_it_is_about_networks_and_shows_no_picture_to_choose(client):
    assert 'class="lab-subject"' not in page(client)


def test_numbers_are_rounded_and_not_cut_off():
    assert [page_of.milliseconds(one) for one in (1.8497, 0.996, 23.96)] == ["1.85", "1.00", "24.0"]
    assert [page_of.ratio(one) for one in (0.07649, 3.996, 13.26)] == ["0.076", "4.00", "13.3"]


def test_an_axis_has_room_for_every_value_and_ticks_within():
    axis = cost.axis([0.3, 2, 55], (1, 3))
    assert axis.ticks == pytest.approx((0.3, 1, 3, 10, 30))
    assert 0 < axis.share(0.3) < axis.share(2) < axis.share(55) < 1


# --- the measurement ------------------------------------------------------------------------------------------


def test_the_benchmark_measures_a_network_and_the_figure_reads_it(tmp_path, monkeypatch):
    file = tmp_path / "cost.json"
    for module in (benchmark, cost):
        monkeypatch.setattr(module, "FILE", file)
    monkeypatch.setattr(cost, "NETWORKS", (Network(10, 1),))
    (row,) = benchmark.measure()
    found = cost.measured()
    assert found is not None
    assert found.engine.startswith("OpenVINO 2")
    assert found.threads == 2
    assert row["repetitions"] >= 5
    time = found.times[Network(10, 1)]
    assert 0 < time[1].low <= time[1].median <= time[1].high
    assert time[32].median > 0

    def never(network):
        raise AssertionError(f"{network} was measured again")

    monkeypatch.setattr(benchmark, "measured_apart", never)
    assert benchmark.measure() == [row]
    # Times of another machine do not stand beside this one's.
    monkeypatch.setattr(benchmark, "processor", lambda: "another")
    with pytest.raises(AssertionError, match="measured again"):
        benchmark.measure()


def test_a_network_that_cannot_be_measured_ends_the_run():
    with pytest.raises(RuntimeError, match="11-1 was not measured"):
        benchmark.measured_apart(Network(11, 1))


def test_the_command_writes_where_the_figure_reads(monkeypatch, tmp_path):
    file = tmp_path / "cost.json"
    assert {"cost": cost.FILE} == runner.ELSEWHERE
    monkeypatch.setitem(runner.ELSEWHERE, "cost", file)
    monkeypatch.setitem(runner.MORE, "cost", lambda: [{"depth": 10}])
    monkeypatch.setattr("sys.argv", ["benchmarks", "cost"])
    assert runner.main() == 0
    assert json.loads(file.read_text())["rows"] == [{"depth": 10}]
    assert not (runner.RESULTS / "cost.json").exists()


# --- what was measured on the reference machine -----------------------------------------------------------------


@shipped
def test_the_shipped_times_are_of_all_networks():
    found = cost.measured(cost.FILE)
    assert found is not None
    assert set(found.times) == set(NETWORKS)
    assert REFERENCE in found.times


@shipped
def test_a_network_of_40_thin_layers_does_a_tenth_less_than_one_of_10_and_takes_longer():
    """What the lesson's last task asks for, as its hint says, beyond what the repetitions differ by."""
    found = cost.measured(cost.FILE)
    assert found is not None
    thin, wide = Network(40, 1), Network(10, 3)
    assert thin.multiply_adds <= 0.9 * wide.multiply_adds
    assert found.times[thin][1].low > found.times[wide][1].high


@shipped
def test_the_thinnest_networks_take_longest_for_their_work():
    """What the lesson's last task says of a picture by itself: layers of width 1 do not fill even two cores."""
    found = cost.measured(cost.FILE)
    assert found is not None
    pace = {network: own[1].median / network.multiply_adds for network, own in found.times.items()}
    for depth in cost.DEPTHS:
        wider = [pace[Network(depth, width)] for width in cost.WIDTHS[2:]]
        assert pace[Network(depth, 1)] > 1.1 * statistics.median(wider)
