"""Any number of both networks comes apart into numbers that add up, checked against an independent computation."""

from __future__ import annotations

import json
import math
import statistics
import time
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import artifact
from ml.explain import arithmetic
from ml.explain.arithmetic import cell, chain, displayed
from ml.explain.structure import Structure, structure
from ml.explain.trace import Trace, tracer
from ml.preprocessing import normalise
from tests.ml import make_inputs
from tests.ml.independent import Network

CELLS = 1000
TOLERANCE = 1e-4
PICTURE = 7


class Looked(NamedTuple):
    of: Structure
    trace: Trace
    independent: Network


@cache
def looked_at(name: str) -> Looked:
    """A picture in a shipped network, computed by the product and independently."""
    card = artifact.load_card(name)
    pixels = make_inputs.read()[PICTURE : PICTURE + 1]
    independent = Network(card.folder, normalise(pixels, card.preprocessing))
    return Looked(structure(name), tracer(name).trace(pixels)[0], independent)


def some_cells(
    of: Structure, name: str, kinds: tuple[str, ...], count: int
) -> list[tuple[str, int, int, int]]:
    """Cells of every layer of these kinds in turn, a third of them at a border of the map, the same every time."""
    rng = np.random.default_rng([len(name), count])
    layers = [layer for layer in of.layers if layer.kind in kinds]
    found = []
    for i in range(count):
        layer = layers[i % len(layers)]
        channel, y, x = (int(rng.integers(length)) for length in layer.shape)
        if i % 3 == 0:
            edge = int(rng.integers(4))
            y = (0, layer.shape[1] - 1, y, y)[edge]
            x = (x, x, 0, layer.shape[2] - 1)[edge]
        found.append((layer.name, channel, y, x))
    return found


def test_a_thousand_numbers_of_every_convolution_add_up(shipped):
    of, trace, independent = looked_at(shipped)
    padded, strides = set(), set()
    cells = some_cells(of, shipped, ("convolution",), CELLS)
    assert {place[0] for place in cells} == set(independent.names("Convolution"))
    for place in cells:
        found = arithmetic.convolution_cell(of, trace, *place)
        expected, outside, stride = independent.convolution(*place)
        assert found.total == pytest.approx(expected, abs=TOLERANCE), place
        assert found.stored == pytest.approx(expected, abs=TOLERANCE), place
        assert (found.window.padded, found.stride) == (outside, stride), place
        named = math.fsum(one.sum for one in found.largest) + found.others.sum
        assert named == pytest.approx(found.total, abs=1e-9), place
        assert found.total + found.remainder == pytest.approx(found.stored, abs=1e-12), place
        assert len(found.largest) + found.others.count == found.patch.shape[0]
        padded.add(outside)
        strides.add(stride)
    # Corners, edges and insides; where the stride is 2 as well.
    assert {0, 3, 5} <= padded
    assert strides == ({1} if shipped == "vgg" else {1, 2})


def test_what_is_largest_is_named_first(shipped):
    of, trace, independent = looked_at(shipped)
    for name, channel, y, x in some_cells(of, shipped, ("convolution",), 60):
        found = arithmetic.convolution_cell(of, trace, name, channel, y, x)
        assert np.array_equal(found.kernel, independent.constant(name, 1)[channel])
        sums = (found.patch.astype(np.float64) * found.kernel).sum((1, 2))
        order = sorted(range(len(sums)), key=lambda i: (-abs(sums[i]), i))
        assert [one.channel for one in found.largest] == order[:8]
        for one in found.largest:
            assert one.sum == pytest.approx(sums[one.channel], abs=1e-9)
            assert one.share == pytest.approx(abs(sums[one.channel]) / np.abs(sums).sum())
        shares = math.fsum(one.share for one in found.largest) + found.others.share
        assert shares == pytest.approx(1)


def test_normalisations_add_up(shipped):
    of, trace, independent = looked_at(shipped)
    for name, channel, y, x in some_cells(of, shipped, ("batch_normalisation",), 200):
        found = arithmetic.normalised_cell(of, trace, name, channel, y, x)
        gamma, beta, mean, variance = (independent.constant(name, port)[channel] for port in range(1, 5))
        given_ = independent.read_by(name)[channel, y, x]
        expected = (given_ - mean) / np.sqrt(variance + 1e-5) * gamma + beta
        assert found.total == pytest.approx(expected, abs=TOLERANCE), name
        assert found.stored == pytest.approx(expected, abs=TOLERANCE), name
        assert found.scaled + found.beta == pytest.approx(found.total, abs=1e-12)
        assert found.standardised * found.deviation + found.mean == pytest.approx(found.input, abs=1e-9)


def test_relus_pass_what_is_above_zero(shipped):
    of, trace, independent = looked_at(shipped)
    passed = set()
    for name, channel, y, x in some_cells(of, shipped, ("relu",), 200):
        found = arithmetic.relu_cell(of, trace, name, channel, y, x)
        given_ = independent.read_by(name)[channel, y, x]
        assert found.input == pytest.approx(given_, abs=TOLERANCE)
        assert found.stored == pytest.approx(max(given_, 0.0), abs=TOLERANCE)
        assert found.stored == found.total == (found.input if found.passed else 0)
        passed.add(found.passed)
    assert passed == {True, False}


def test_additions_name_both_sides():
    of, trace, independent = looked_at("wideresnet")
    for name, channel, y, x in some_cells(of, "wideresnet", ("add",), 200):
        found = arithmetic.add_cell(of, trace, name, channel, y, x)
        expected = [independent.read_by(name, port)[channel, y, x] for port in (0, 1)]
        assert [number for _, number in found.terms] == pytest.approx(expected, abs=TOLERANCE)
        assert tuple(source for source, _ in found.terms) == of.layer(name).inputs
        assert found.total == pytest.approx(sum(expected), abs=TOLERANCE)
        assert abs(found.remainder) < TOLERANCE


def test_a_max_pooling_names_its_four_cells_and_which_wins():
    of, trace, independent = looked_at("vgg")
    for name, channel, y, x in some_cells(of, "vgg", ("max_pool",), 200):
        found = arithmetic.pooling_cell(of, trace, name, channel, y, x)
        rows, columns = (2 * y, 2 * y + 1), (2 * x, 2 * x + 1)
        assert (found.window.rows, found.window.columns) == (rows, columns)
        four = {(r, c): independent.read_by(name)[channel, r, c] for r in rows for c in columns}
        expected = max(four.values())
        assert found.patch.ravel() == pytest.approx(list(four.values()), abs=TOLERANCE)
        assert four[found.winner] == pytest.approx(expected, abs=1e-5)
        assert found.stored == pytest.approx(expected, abs=TOLERANCE)
        assert found.remainder == 0


def test_averages_and_logits_add_up(shipped):
    of, trace, independent = looked_at(shipped)
    for channel in range(0, 100, 7):
        average = arithmetic.pooling_cell(of, trace, "head/pool", channel)
        whole = independent.read_by("head/pool")[channel]
        assert average.patch.shape == whole.shape
        assert average.winner is None
        assert average.total == pytest.approx(whole.mean(), abs=TOLERANCE)
        assert average.stored == pytest.approx(whole.mean(), abs=TOLERANCE)
        logit = arithmetic.dense_cell(of, trace, "head/dense", channel)
        features, weights = independent.read_by("head/pool").mean((1, 2)), independent.dense()
        expected = float(weights[0][channel] @ features + weights[1][channel])
        assert logit.total == pytest.approx(expected, abs=TOLERANCE)
        assert logit.stored == pytest.approx(expected, abs=TOLERANCE)
        named = math.fsum(one.sum for one in logit.largest) + logit.others.sum + logit.bias
        assert named == pytest.approx(logit.total, abs=1e-9)
        assert logit.bias == weights[1][channel]


def test_one_breakdown_takes_less_than_a_tenth_of_a_second(shipped):
    of, trace, _ = looked_at(shipped)
    spent = []
    for place in some_cells(of, shipped, ("convolution",), 60):
        begin = time.perf_counter()
        arithmetic.convolution_cell(of, trace, *place).to_dict()
        spent.append(time.perf_counter() - begin)
    assert statistics.median(spent) < 0.1


@pytest.fixture
def small(random_folder, inputs) -> tuple[Structure, Trace]:
    """A small Wide ResNet with random weights and a picture in it."""
    return structure("wideresnet"), tracer("wideresnet").trace(inputs[:1])[0]


def test_a_stride_says_what_it_leaves_out_and_the_padding_where_zeros_were_added(small):
    found = arithmetic.convolution_cell(*small, "group2/block1/conv1", 0, 15, 3)
    assert found.window.rows == (30, 31, 32)
    assert found.window.columns == (6, 7, 8)
    assert found.window.inside.tolist() == [[True] * 3, [True] * 3, [False] * 3]
    assert not found.patch[:, 2].any()
    # It is the last row, so no row follows; to the right the window that begins in column 7 is left out.
    assert (found.window.passed_rows, found.window.passed_columns) == ((), (7,))
    assert (found.window.unread_rows, found.window.unread_columns) == ((), ())
    shortcut = arithmetic.convolution_cell(*small, "group2/block1/shortcut", 0, 1, 1)
    assert (shortcut.window.rows, shortcut.window.columns) == ((2,), (2,))
    assert shortcut.window.unread_rows == tuple(range(1, 32, 2))


def test_a_corner_of_a_convolution_reads_four_cells_and_five_zeros(small):
    found = arithmetic.convolution_cell(*small, "stem/conv", 0, 0, 0)
    assert found.window.rows == found.window.columns == (-1, 0, 1)
    assert found.window.padded == 5
    assert not found.products[:, ~found.window.inside].any()


def test_every_cell_is_json_that_says_what_the_page_shows(small):
    of, trace = small
    for layer in of.layers[1:]:
        found = cell(of, trace, layer.name, 0)
        values = json.loads(json.dumps(found.to_dict()))
        assert (values["layer"], values["kind"]) == (layer.name, layer.kind)
        assert values["total"] + values["remainder"] == pytest.approx(values["stored"], abs=1e-12)
        assert values.get("source", layer.inputs[0]) == layer.inputs[0]
    values = cell(of, trace, "group3/block1/conv2", 5, 7, 7).to_dict()
    assert (values["inputs"], values["others"]["count"], len(values["largest"])) == (64, 56, 8)
    first = values["largest"][0]
    assert sum(map(sum, first["products"])) == pytest.approx(first["sum"])
    assert np.shape(first["patch"]) == np.shape(first["kernel"]) == (3, 3)
    assert values["window"]["rows"] == [6, 7, 8]


def test_the_order_is_the_networks_own(random_folder):
    plain, wide = structure("vgg"), structure("wideresnet")
    assert chain(plain, "block2/conv1") == ("block2/conv1", "block2/bn1", "block2/relu1")
    block = "group2/block1"
    assert chain(wide, f"{block}/conv1") == (f"{block}/bn1", f"{block}/relu1", f"{block}/conv1")
    assert chain(wide, f"{block}/conv2") == (*(f"{block}/{n}" for n in ("bn2", "relu2", "conv2", "add")),)
    assert chain(wide, f"{block}/shortcut") == (
        *(f"{block}/{n}" for n in ("bn1", "relu1", "shortcut", "add")),
    )
    assert chain(wide, "stem/conv") == ("stem/conv",)


@pytest.mark.parametrize(
    ("ask", "error", "sentence"),
    [
        (
            lambda of, trace: cell(of, trace, "stem/conv", 16, 0, 0),
            IndexError,
            "stem/conv has channels 0 to 15, not 16.",
        ),
        (
            lambda of, trace: cell(of, trace, "stem/conv", 0, 0, 32),
            IndexError,
            "stem/conv has rows 0 to 31 and columns 0 to 31, not row 0, column 32.",
        ),
        (
            lambda of, trace: cell(of, trace, "head/dense", 3, -1, 0),
            IndexError,
            "head/dense has rows 0 to 0 and columns 0 to 0, not row -1, column 0.",
        ),
        (
            lambda of, trace: cell(of, trace, "stem/bn", 0),
            KeyError,
            "wideresnet has no layer called 'stem/bn'.",
        ),
        (
            lambda of, trace: cell(of, trace, "pictures", 0),
            ValueError,
            "pictures is the input: its numbers are not computed from others.",
        ),
        (
            lambda of, trace: arithmetic.convolution_cell(of, trace, "head/bn", 0, 0, 0),
            ValueError,
            "head/bn is a batch normalisation, not a convolution.",
        ),
        (
            lambda of, trace: arithmetic.pooling_cell(of, trace, "head/relu", 0),
            ValueError,
            "head/relu is a ReLU, not a max pooling or an average pooling.",
        ),
        (lambda of, trace: chain(of, "head/relu"), ValueError, "head/relu is a ReLU, not a convolution."),
    ],
    ids=["channel", "column", "row", "layer", "input", "kind", "pooling", "chain"],
)
def test_what_does_not_exist_is_refused_with_a_sentence(small, ask, error, sentence):
    with pytest.raises(error) as caught:
        ask(*small)
    assert caught.value.args[0] == sentence


def test_numbers_that_are_not_finite_are_refused(small):
    of, trace = small
    bad = {**trace.convolutions, "stem/conv": np.full(of.layer("stem/conv").shape, np.nan, np.float32)}
    with pytest.raises(ValueError, match="stem/conv holds numbers in this trace that are not finite"):
        cell(of, replace(trace, convolutions=bad), "group1/block1/conv1", 0)


NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(NUMBERS, max_size=12), st.integers(0, 6), st.none() | NUMBERS)
def test_the_digits_on_the_page_add_up(terms, digits, total):
    shown = displayed(terms, digits, total)
    assert sum(map(Decimal, shown.terms)) + Decimal(shown.rounding) == Decimal(shown.total)
    step = Decimal(1).scaleb(-digits)
    for term, text in zip(terms, shown.terms, strict=True):
        assert abs(Decimal(term) - Decimal(text)) <= step / 2
        assert len(text.partition(".")[2]) == digits
        assert not (Decimal(text) == 0 and text.startswith("-"))
    if total is None:
        assert abs(Decimal(shown.rounding)) <= step * (len(terms) + 1) / 2


def test_what_is_rounded_away_is_said():
    assert displayed([0.0004, 0.0004, -0.0001], 3) == (["0.000", "0.000", "0.000"], "0.001", "0.001")
    assert displayed([1.25, -0.5], 0, total=1.0) == (["1", "0"], "1", "0")
    assert displayed([1e30, -12.345], 1).terms == ["1000000000000000019884624838656.0", "-12.3"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_are_shown(bad):
    for terms, total in (([bad, 1.0], None), ([1.0], bad)):
        with pytest.raises(ValueError, match="Only finite numbers can be added up"):
            displayed(terms, 3, total)


@pytest.mark.parametrize("digits", [-1, 13])
def test_too_few_or_too_many_digits_are_refused(digits):
    with pytest.raises(ValueError, match=f"Numbers are shown with 0 to 12 digits, not {digits}"):
        displayed([1.0], digits)
