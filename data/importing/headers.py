"""Where the header of a table stands: above it there may be a title, who filled it in and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import pandas as pd

from data.importing.columns import known_headers, normalise_header

# A title, who filled it in, how to fill it in, a line of groups: more than that stands above no header.
SEARCHED_ROWS: Final = 15
_FEWEST: Final = 2
_TOTAL: Final = re.compile(r"^(?:合\s*计|总\s*计|小\s*计|共\s*计|总数|total|sum)[:：]?$", re.IGNORECASE)


@cache
def _known() -> frozenset[str]:
    return known_headers()


def find_header(rows: Sequence[Sequence[object]]) -> int | None:
    """
    Number of the row, from 0, that holds the names of the columns; None when no row has two cells.

    It is the first row, among the first 15, of whose cells more than half are names of columns as they are known; else
    the one with most such names, and the first with two cells when no row has two.
    """
    filled = [[str(cell).strip() for cell in row if cell is not None and str(cell).strip()] for row in rows]
    known = [sum(normalise_header(cell) in _known() for cell in row) for row in filled[:SEARCHED_ROWS]]
    for row, (cells, names) in enumerate(zip(filled, known, strict=False)):
        if names >= _FEWEST and names > len(cells) / 2:
            return row
    if known and max(known) >= _FEWEST:
        return known.index(max(known))
    return next((i for i, row in enumerate(filled[:SEARCHED_ROWS]) if len(row) >= _FEWEST), None)


def find_totals(frame: pd.DataFrame) -> pd.Series:
    """Rows that are a sum below a table: a cell says 合计 where the others have names or numbers."""
    found = pd.Series(False, index=frame.index)
    for column in list(frame.columns)[:3]:
        text = frame[column]
        if text.dtype == "str":
            found |= text.str.strip().str.fullmatch(_TOTAL.pattern, case=False, na=False)
    return found
