"""Anybody's table, for the command line: columns of numbers from a CSV, or one sentence that says what is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gis.errors import BadFileError

MOST_BYTES = 400_000_000
MOST_ROWS = 5_000_000
FARTHEST = 1e9
"""Numbers beyond are no metres and no days of this planet."""


def read_table(path: Path, *, encoding: str | None = None) -> pd.DataFrame:
    """
    The table of a CSV with a header, every value as text.

    Raises
    ------
    BadFileError
        The file is missing, a folder, too large, empty, of another encoding, or no table.
    """
    name = path.name
    if not path.is_file():
        raise BadFileError(f"There is no file '{path}'. Give the path of a CSV with a header.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise BadFileError(
            f"'{name}' has {size:,} bytes, expected at most {MOST_BYTES:,}. Split it, or keep fewer columns."
        )
    data = path.read_bytes()
    if not data.strip():
        raise BadFileError(f"'{name}' is empty, expected a header and rows. Export it again.")
    wanted = encoding or "utf-8-sig"
    try:
        text = data.decode(wanted)
    except LookupError:
        raise BadFileError(f"There is no encoding '{wanted}'. Use e.g. --encoding GB18030.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadFileError(
            f"'{name}' is not {'UTF-8' if encoding is None else encoding}: line {line} cannot be read. "
            "Save it as UTF-8, or name its encoding, e.g. --encoding GB18030."
        ) from None
    if "\x00" in text:
        raise BadFileError(f"'{name}' holds zero bytes: it is UTF-16 or no text. Save it as UTF-8, or give --encoding.")
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, skipinitialspace=True, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BadFileError(
            f"'{name}' is no table: {str(error).strip()}. Give a CSV with commas and a header."
        ) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise BadFileError(
            f"'{name}' has rows with more values than its header has columns ({len(table.columns)}). Name each column."
        )
    header = [column.strip().lower() for column in next(csv.reader(io.StringIO(text)))]
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise BadFileError(f"'{name}' has the column '{twice}' twice. Name each column once.")
    table.columns = [str(column).strip().lower() for column in table.columns]
    if table.empty:
        raise BadFileError(f"'{name}' has a header and no rows. Export it again.")
    if len(table) > MOST_ROWS:
        raise BadFileError(f"'{name}' has {len(table):,} rows, expected at most {MOST_ROWS:,}. Take a part of it.")
    return table


def check_columns(table: pd.DataFrame, wanted: Sequence[str], name: str) -> None:
    """Refuse a table that lacks a column, naming what it has."""
    missing = [column for column in wanted if column not in table]
    if missing:
        has = ", ".join(map(str, table.columns[:12]))
        raise BadFileError(f"'{name}' lacks the column {', '.join(missing)}; it has {has}. Rename or add it.")


def read_numbers(table: pd.DataFrame, columns: Sequence[str], name: str) -> np.ndarray:
    """
    Columns as numbers, shape (rows, columns).

    Raises
    ------
    BadFileError
        A column is missing, or a value is no finite number, naming the first such line.
    """
    check_columns(table, columns, name)
    numbers = np.empty((len(table), len(columns)))
    for index, column in enumerate(columns):
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
        bad = ~np.isfinite(values) | (np.abs(values) > FARTHEST)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise BadFileError(
                f"'{name}' line {row + 2}, column {column}: '{str(table[column].iloc[row])[:40]}', expected a finite "
                f"number of at most {FARTHEST:g}{_hint(column)}. Rows with this: {int(bad.sum())}. Correct them, or "
                "leave them out."
            )
        numbers[:, index] = values
    return numbers


def _hint(column: str) -> str:
    return {"x": " (metres)", "y": " (metres)", "t": " (days)"}.get(column, "")
