"""A small table that an office keeps (CSV or .xlsx), cell by cell as text; what cannot be used is named by its cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

from data.cells import unguard
from data.importing.columns import normalise_header
from data.importing.encoding import decode_text
from gis.errors import BadFileError

MOST_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class Problem:
    """What cannot be used: the row in the file (the header is 1; 0: none), our column, a code, and what stood there."""

    row: int
    column: str
    code: str
    value: str = ""


def read_sheet(name: str, content: bytes, *, most_rows: int) -> list[list[str]]:
    """
    The rows of a file, its header first.

    Raises
    ------
    BadFileError
        It cannot be read, is empty or too large.
    """
    if len(content) > MOST_BYTES:
        raise BadFileError(f"{name}: {len(content):,} bytes, expected at most {MOST_BYTES:,}. Is this the right file?")
    is_book = name.lower().endswith(".xlsx")
    table = _read_xlsx(name, content, most_rows) if is_book else _read_csv(name, content)
    if not table:
        raise BadFileError(f"{name}: it is empty. Expected a line with the names of the columns and a row for each.")
    if len(table) - 1 > most_rows:
        raise BadFileError(f"{name}: {len(table) - 1:,} rows, expected at most {most_rows:,}. Is this the right file?")
    return table


def find_columns(
    name: str, header: Sequence[str], headers: Mapping[str, tuple[str, ...]], needed: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """
    Where our columns stand, and the titles that mean nothing here; `headers` as `normalise_header` leaves them.

    Raises
    ------
    BadFileError
        One that is needed is missing.
    """
    spelled = {spelling: column for column, spellings in headers.items() for spelling in spellings}
    places: dict[str, int] = {}
    not_read = []
    for place, title in enumerate(header):
        column = spelled.get(normalise_header(title))
        if column is None or column in places:
            not_read.append(title.strip())
        else:
            places[column] = place
    if missing := [column for column in needed if column not in places]:
        wanted = "; ".join(f"{column} ({'/'.join(headers[column][:2])})" for column in missing)
        raise BadFileError(f"{name}: a column is missing: expected {wanted}. Rename the columns.")
    return places, [title for title in not_read if title]


def _read_csv(name: str, content: bytes) -> list[list[str]]:
    text, _ = decode_text(content, name)
    first = text.lstrip("\r\n ").split("\n", 1)[0]
    try:
        rows = csv.reader(io.StringIO(text), delimiter=max(",\t;", key=first.count))
        return [[unguard(cell) for cell in row] for row in rows]
    except csv.Error as error:
        raise BadFileError(f"{name}: cannot be read as CSV: {str(error)[:120]}. Export it again.") from error


def _read_xlsx(name: str, content: bytes, most_rows: int) -> list[list[str]]:
    import openpyxl  # 10 MB, which a server that only draws the wall never needs

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        rows = [list(row) for row in book.worksheets[0].iter_rows(max_row=most_rows + 2, values_only=True)]
    except Exception as error:
        raise BadFileError(f"{name}: cannot be read as .xlsx: {str(error)[:120]}. Save it again.") from error
    return [[unguard(_say(cell)) for cell in row] for row in rows]


def _say(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
