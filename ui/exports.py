"""
Files that leave the desk: CSV and xlsx, whose cells a spreadsheet never takes for formulas (`data/cells.py`). In xlsx
every cell is text besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from data.cell_files import write_csv, write_xlsx
from data.cells import guard

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
    return write_csv(lines) if kind == CSV else write_xlsx(lines)
