"""One cell of a layer in text: the table of its sum, one input channel's products, and what comes before and after.

The page's script says the same of any cell (static/js/laboratory/arithmetic-words.js); both take their sentences
from ``learn.figures.cell_words``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.formats import number_format
from numpy.typing import NDArray

from learn.figures import cell_chain
from learn.figures.cell_words import words
from learn.figures.layer_names import spoken
from ml.explain.arithmetic import convolution_cell, displayed, pooling_cell
from ml.explain.cells import ConvolutionCell, PoolingCell
from ml.explain.structure import Structure
from ml.explain.trace import Trace, value

MINUS = "\N{MINUS SIGN}"
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
FEWEST_DIGITS, MOST_DIGITS = 4, 8
COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Chosen:
    """Which cell: all of it exists. ``covered``: of the run with bars. ``input``: an input channel, or None for the one
    that adds or takes away most.
    """

    layer: str
    channel: int
    y: int
    x: int
    covered: bool = False
    input: int | None = None


@dataclass(frozen=True)
class Row:
    """What one input channel adds, and what the sum is with all rows up to this one."""

    channel: int
    name: str
    sum: str
    running: str
    current: bool


@dataclass(frozen=True)
class Product:
    """One value times one weight; ``cell`` says where the value lies, in the padding counts as 0."""

    cell: str
    value: str
    weight: str
    product: str


@dataclass(frozen=True)
class Products:
    """The products of one input channel, what rounding leaves over, and their sum."""

    channel: int
    name: str
    rows: Sequence[Product]
    rounding: str
    sum: str


@dataclass(frozen=True)
class Told:
    """A cell as the page tells it. ``rows`` and ``products`` are those of a convolution; a pooling has neither."""

    sentence: str
    total: str
    window: str
    before: Sequence[cell_chain.Step]
    after: Sequence[cell_chain.Step]
    ends: str
    rows: Sequence[Row] = ()
    others: str = ""
    others_sum: str = ""
    others_running: str = ""
    rounding: str = ""
    total_name: str = ""
    share: str = ""
    products: Products | None = None


class Writer:
    """Writes numbers with the digits of one map and fills in sentences."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        self.words = words()

    def fill(self, name: str, **values: Any) -> str:
        return self.words[name] % values

    def number(self, of: float, digits: int | None = None) -> str:
        """Rounded, in the reader's language, with a true minus sign; a rounded zero has no sign."""
        digits = self.digits if digits is None else digits
        (text,) = displayed([of], digits).terms
        return _written(text, digits)

    def signed(self, of: float) -> str:
        return _plus(self.number(of))

    def term(self, of: float) -> str:
        """With its sign as an operator, to stand behind another number: ``− 0.3430``."""
        text = self.number(of)
        return f"{MINUS} {text.removeprefix(MINUS)}" if text.startswith(MINUS) else f"+ {text}"

    def over(self, terms: Sequence[float], total: float) -> str:
        """What rounding leaves over, with its sign."""
        return _plus(_written(displayed(terms, self.digits, total).rounding, self.digits))

    def tiny(self, of: float) -> str:
        """A number above 0 that may be too small for the digits: 3.1 × 10⁻⁷."""
        if of >= 0.5 * 10.0**-self.digits:
            return self.number(of)
        mantissa, exponent = f"{of:.1e}".split("e")
        return f"{number_format(float(mantissa), 1)} × 10{str(int(exponent)).translate(RAISED)}"


def _written(text: str, digits: int) -> str:
    """Digits with a point and a hyphen, as the reader's language writes them."""
    size = number_format(text.removeprefix("-"), digits)
    return MINUS + size if text.startswith("-") and text.strip("-0.") else size


def _plus(text: str) -> str:
    return text if text.startswith(MINUS) or not text.strip("0.,") else f"+{text}"


def digits_for(largest: float) -> int:
    """Digits behind the point for a map whose largest size is ``largest``: four, more for the smallest maps."""
    if not np.isfinite(largest) or largest <= 0:
        return FEWEST_DIGITS
    return min(MOST_DIGITS, max(FEWEST_DIGITS, 3 - int(np.floor(np.log10(largest)))))


def tell(of: Structure, trace: Trace, chosen: Chosen) -> Told:
    """The cell in text. Raises KeyError and IndexError for one that does not exist, ValueError for a damaged trace."""
    layer = of.layer(chosen.layer)
    output = value(of, trace, layer.name)[chosen.channel]
    writer = Writer(digits_for(float(np.abs(output).max())))
    if layer.kind == "convolution":
        return _convolution(of, trace, chosen, writer)
    return _pooling(of, trace, chosen, writer)


def _place(of: Structure, chosen: Chosen, writer: Writer) -> str:
    place = writer.fill(
        "place",
        network=of.card.title,
        layer=spoken(chosen.layer),
        channel=chosen.channel,
        row=cell_chain.line(chosen.y),
        column=cell_chain.line(chosen.x),
    )
    return f"{place}, {writer.words['covered']}" if chosen.covered else place


def _convolution(of: Structure, trace: Trace, chosen: Chosen, writer: Writer) -> Told:
    layer = of.layer(chosen.layer)
    cell = convolution_cell(of, trace, chosen.layer, chosen.channel, chosen.y, chosen.x)
    is_picture = of.layer(layer.inputs[0]).kind == "input"
    drawn = cell.largest[0].channel if chosen.input is None else chosen.input
    sums = [one.sum for one in cell.largest]
    others = cell.others
    shown = displayed([*sums, others.sum] if others.count else sums, writer.digits, cell.total)
    # Of the written numbers, so that whoever adds them up on paper finds the same.
    running = np.cumsum([round(one, writer.digits) for one in [*sums, others.sum]])
    after = cell_chain.after(of, trace, chosen, cell.total, writer)
    middle = len(cell.window.rows) // 2
    at = (drawn, cell.window.rows[middle], cell.window.columns[middle])
    return Told(
        sentence=_sentence(of, chosen, cell, after, writer, is_picture),
        total=writer.number(cell.total),
        window=cell_chain.window(of, layer, cell.window, writer),
        before=cell_chain.before(of, trace, chosen.layer, at, writer),
        after=after,
        ends=cell_chain.ends(of, chosen.layer, writer),
        rows=[
            Row(
                one.channel,
                input_name(one.channel, is_picture, writer, short=True),
                writer.signed(one.sum),
                writer.number(float(running[place])),
                one.channel == drawn,
            )
            for place, one in enumerate(cell.largest)
        ],
        others=writer.fill("others_row", count=_grouped(others.count)) if others.count else "",
        others_sum=writer.signed(others.sum),
        others_running=writer.number(float(running[-1])),
        rounding=_plus(_written(shown.rounding, writer.digits)),
        total_name=writer.fill("total_row", products=_grouped(cell.products.size)),
        share=_shares(cell, writer),
        products=_products(cell, drawn, input_name(drawn, is_picture, writer), writer),
    )


def _shares(cell: ConvolutionCell, writer: Writer) -> str:
    """How much the named channels add or take away, and how many of all do the one and the other."""
    drawn = writer.fill(
        "share",
        share=round(100 * sum(one.share for one in cell.largest)),
        count=_grouped(len(cell.channels)),
    )
    sides = writer.fill(
        "sides",
        first=round(100 * cell.largest[0].share),
        adds=_grouped(sum(one.sum > 0 for one in cell.channels)),
        takes=_grouped(sum(one.sum < 0 for one in cell.channels)),
    )
    return f"{drawn} {sides}"


def _sentence(
    of: Structure,
    chosen: Chosen,
    cell: ConvolutionCell,
    after: Sequence[cell_chain.Step],
    writer: Writer,
    is_picture: bool,
) -> str:
    total = writer.fill("sum", products=_grouped(cell.products.size), total=writer.number(cell.total))
    listed = ", ".join(
        writer.fill("item", channel=one.channel, sum=writer.signed(one.sum)) for one in cell.largest
    )
    others = cell.others
    sums = [one.sum for one in cell.largest]
    parts = [f"{_place(of, chosen, writer)}: {total}"]
    if others.count:
        parts.append(writer.fill("largest", count=_grouped(len(cell.channels)), list=listed))
        parts.append(
            writer.fill("others", count=_grouped(others.count), sum=writer.signed(others.sum)),
        )
        sums.append(others.sum)
    else:
        parts.append(writer.fill("every", list=listed))
    parts.append(writer.fill("rounding", sum=writer.over(sums, cell.total)))
    parts.append(stored_sentence(cell.total, cell.stored, writer))
    if cell.window.padded:
        parts.append(writer.fill("padding", count=cell.window.padded, all=cell.window.inside.size))
    return " ".join([*parts, *(f"{step.title}: {step.text}" for step in after)])


def stored_sentence(total: float, stored: float, writer: Writer) -> str:
    """What the network stored, and by how much the sum in double precision differs."""
    written = writer.number(stored, writer.digits + 4)
    if stored == total:
        return writer.fill("exact", stored=written)
    return writer.fill("stored", stored=written, difference=writer.tiny(abs(stored - total)))


def _products(cell: ConvolutionCell, channel: int, name: str, writer: Writer) -> Products:
    grid: NDArray[np.float64] = cell.products[channel]
    total = float(grid.sum())
    rows = [
        Product(
            writer.fill(
                "cell" if cell.window.inside[i, j] else "cell_padding",
                row=cell_chain.line(row),
                column=cell_chain.line(column),
            ),
            writer.number(float(cell.patch[channel, i, j])),
            writer.number(float(cell.kernel[channel, i, j])),
            writer.signed(float(grid[i, j])),
        )
        for i, row in enumerate(cell.window.rows)
        for j, column in enumerate(cell.window.columns)
    ]
    return Products(
        channel, name, rows, writer.over(list(map(float, grid.flat)), total), writer.signed(total)
    )


def _pooling(of: Structure, trace: Trace, chosen: Chosen, writer: Writer) -> Told:
    layer = of.layer(chosen.layer)
    cell = pooling_cell(of, trace, chosen.layer, chosen.channel, chosen.y, chosen.x)
    after = cell_chain.after(of, trace, chosen, cell.total, writer)
    at = (chosen.channel, *(cell.winner or (0, 0)))
    parts = [
        f"{_place(of, chosen, writer)}: {_pool_sum(cell, writer)}",
        stored_sentence(cell.total, cell.stored, writer),
        *(f"{step.title}: {step.text}" for step in after),
    ]
    return Told(
        sentence=" ".join(parts),
        total=writer.number(cell.total),
        window=cell_chain.window(of, layer, cell.window, writer),
        before=cell_chain.before(of, trace, chosen.layer, at, writer) if cell.winner else (),
        after=after,
        ends=cell_chain.ends(of, chosen.layer, writer),
    )


def _pool_sum(cell: PoolingCell, writer: Writer) -> str:
    total = writer.number(cell.total)
    if cell.winner is None:
        return writer.fill("average_sum", count=cell.patch.size, total=total)
    shown = [writer.number(float(one)) for one in cell.patch[cell.window.inside]]
    row, column = map(cell_chain.line, cell.winner)
    return writer.fill(
        "pool_sum", values=cell_chain.listed(shown, writer), total=total, row=row, column=column
    )


def input_name(channel: int, is_picture: bool, writer: Writer, *, short: bool = False) -> str:
    """``input channel 17``, or ``17`` in a table of them; those of the picture have their colours."""
    if is_picture and channel < len(COLOURS):
        colour = writer.words[COLOURS[channel]]
        return writer.fill("colour_short" if short else "colour", channel=channel, colour=colour)
    return str(channel) if short else writer.fill("channel", channel=channel)


def _grouped(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
