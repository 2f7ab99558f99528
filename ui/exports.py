"""
Files that leave the desk: CSV and xlsx, whose cells a spreadsheet never takes for formulas (`data/cells.py`). In xlsx
every cell is text besides.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from data.cells import clean, guard

CSV, XLSX = "csv", "xlsx"
FORMATS = (CSV, XLSX)
MIME = {CSV: "text/csv", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def build_file(kind: str, watermark: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """
    A whole file: the watermark (who took it out, and when) in the first line, then heads and rows.

    Parameters
    ----------
    kind
        One of `FORMATS`.
    watermark
        Plain text.
    heads, rows
        All values are written as text.
    """
    lines = ([guard(value) for value in line] for line in ([watermark], heads, *rows))
    return _build_csv(lines) if kind == CSV else _build_workbook(lines)


def _build_csv(lines: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(lines)
    return buffer.getvalue().encode("utf-8-sig")  # the mark by which Excel reads Chinese as UTF-8


def _build_workbook(lines: Iterable[Sequence[str]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("1")
    for line in lines:
        cells = []
        for text in line:
            cell = WriteOnlyCell(sheet, value=clean(text))
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
