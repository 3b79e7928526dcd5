"""Tables as CSV files that may be opened in a spreadsheet without running anything."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# A cell that begins like this is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Rows that are sent in one piece: a piece a row would be a system call a row.
ROWS_A_PIECE = 200
# Spreadsheets take a file without it for one in the system's old character set.
BYTE_ORDER_MARK = "\ufeff"


def safe_cell(text: Any) -> str:
    """A value as a cell that stays text: what would be a formula gets an apostrophe in front.

    A number is no formula, whatever its sign; nothing is an empty cell.
    """
    if text is None:
        return ""
    if isinstance(text, (int, float)):
        return str(text)
    words = str(text)
    return f"'{words}" if words.startswith(FORMULA) else words


def csv_pieces(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a CSV file, every cell made safe, some hundred to a piece."""
    written: list[str] = []
    writer = csv.writer(_Lines(written))
    writer.writerow([safe_cell(cell) for cell in header])
    for number, row in enumerate(rows, 1):
        writer.writerow([safe_cell(cell) for cell in row])
        if number % ROWS_A_PIECE == 0:
            yield "".join(written)
            written.clear()
    yield "".join(written)


def csv_response(
    filename: str, header: Iterable[Any], rows: Iterable[Iterable[Any]], *, mark: bool = True
) -> StreamingHttpResponse:
    """A CSV file to download, sent while its rows are read. ``mark=False`` leaves the byte order mark out."""

    def content() -> Iterator[str]:
        if mark:
            yield BYTE_ORDER_MARK
        yield from csv_pieces(header, rows)

    response = StreamingHttpResponse(content(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, filename)
    response["X-Content-Type-Options"] = "nosniff"
    return response


class _Lines:
    """A file for `csv.writer` that keeps what is written."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def write(self, text: str) -> None:
        self._written.append(text)
