"""CSV and xlsx files of text alone, as they leave the office; who makes the cells guards them (data/cells.py)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from data.cells import clean

_NOT_IN_NAMES = str.maketrans("[]:*?/\\", "       ")
_LONGEST_NAME = 31  # of a sheet (Microsoft, "Excel specifications and limits")


def write_csv(lines: Iterable[Sequence[str]]) -> bytes:
    """Every cell in quotes, UTF-8 with the mark by which Excel reads Chinese as such."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(lines)
    return buffer.getvalue().encode("utf-8-sig")


def write_xlsx(lines: Iterable[Sequence[str]], *, name: str = "") -> bytes:
    """One sheet, called `name`, in which every cell is text."""
    return write_book([(name, lines)])


def write_book(sheets: Iterable[tuple[str, Iterable[Sequence[str]]]]) -> bytes:
    """Sheets by their names, in which every cell is text; what may not stand in a name becomes a space."""
    from openpyxl import Workbook  # 9 MB, which a server that only draws the wall never needs
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for name, lines in sheets:
        sheet = book.create_sheet(name[:_LONGEST_NAME].translate(_NOT_IN_NAMES) or "1")
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
