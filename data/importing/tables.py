"""CSV and .xlsx: every cell as text, the header decides first whether the body is read at all."""

from __future__ import annotations

import csv
import io
import re
import warnings
from typing import Final

import pandas as pd

from data.importing.columns import holds_numbers_of_persons
from data.importing.encoding import decode_text
from data.importing.headers import SEARCHED_ROWS, find_header
from data.importing.kinds import find_kind
from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from data.importing.sources import Dataset
from gis.errors import BadFileError

MAX_COLUMNS: Final = 500
# The registers of 万户新村 have about 7,000 rows; a file of two millions is something else.
MAX_ROWS: Final = 2_000_000
MISSING: Final = [
    "", "NULL", "null", "None", "NaN", "nan", "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "/"
]  # fmt: skip
# How programs keep a number from being read as one: ="0101", '0101.
_GUARDED: Final = r"""^(?:="(.*)"|['’](.*))$"""
_WHOLE_FLOAT: Final = r"^-?\d+\.0+$"
_SKIPPED: Final = re.compile(r"line (\d+)")
_MAX_HEADER_CHARACTERS: Final = 100_000


def read_csv(dataset: Dataset, options: ImportOptions, report: ImportReport) -> list[Layer]:
    """A CSV file as one table; a table of no known kind is counted and not read."""
    text, codec = decode_text(dataset.parts[next(iter(dataset.parts))], dataset.source, option=options.encoding)
    text = text.replace("\0", "")
    if "\n" not in text:  # lines of an old Macintosh
        text = text.replace("\r", "\n")
    separator, header, lines = _find_csv_header(text)
    # Lines above the header (a title, sep=;) are cut off; rows are still counted from the file's first.
    above = sum(bool(line.strip()) for line in text.split("\n", lines)[:-1]) if lines else 0
    report.add("left_out", "above_header", dataset.source, "lines above the header of the table", count=above)
    text = text.split("\n", lines)[-1] if lines else text
    check_header(dataset.source, header)
    layer = Layer(
        dataset.source, dataset.stem, pd.DataFrame(), encoding=codec, first_row=lines + 2, records=text.count("\n")
    )
    if not _is_known(layer, header, options):
        layer.frame = pd.DataFrame(columns=[str(name).strip() for name in header[:MAX_COLUMNS]])
        return [layer]
    if len(header) > MAX_COLUMNS or layer.records > MAX_ROWS:
        raise BadFileError(
            f"{dataset.source}: {len(header):,} columns and {layer.records:,} lines, expected at most {MAX_COLUMNS} "
            f"and {MAX_ROWS:,}. Cut the file to the community first."
        )
    frame, skipped = _parse(text, separator, dataset.source)
    layer.frame, skipped = _clean_cells(frame), [number + lines for number in skipped]
    layer.records = len(layer.frame) + len(skipped)
    report.add(
        "refused",
        "too_many_cells",
        dataset.source,
        "rows have more cells than the header has columns",
        count=len(skipped),
        rows=[f"row {number}" for number in skipped],
    )
    return [layer]


def _find_csv_header(text: str) -> tuple[str, list[str], int]:
    """Separator, names of the columns, and how many lines stand above them."""
    head = text[:_MAX_HEADER_CHARACTERS].split("\n")[: SEARCHED_ROWS + 1]
    told = re.fullmatch(r"sep=(.)\r?", head[0])
    best: tuple[int, str, list[str], int] = (-1, ",", [], 0)
    for separator in told[1] if told else ",\t;|":
        reader = csv.reader((f"{line}\n" for line in head), delimiter=separator)
        rows, starts = [], []
        try:
            while True:
                starts.append(reader.line_num)
                rows.append(next(reader))
        except (StopIteration, csv.Error):
            pass
        found = find_header(rows)
        if found is not None and (width := sum(bool(cell.strip()) for cell in rows[found])) > best[0]:
            best = (width, separator, rows[found], starts[found])
    if best[0] < 0:  # one column
        first = next((i for i, line in enumerate(head) if line.strip()), 0)
        return ",", [head[first].strip()], first
    return best[1:]


def check_header(source: str, header: list[str]) -> None:
    """What is no header must not get into a sentence that names the columns."""
    if holds_numbers_of_persons(header):
        raise BadFileError(
            f"{source}: the first line is no header: it holds a telephone or identity number. Put a line with the "
            "names of the columns above it."
        )


def _is_known(layer: Layer, header: list[str], options: ImportOptions) -> bool:
    named = layer.name in options.kinds or layer.source in options.kinds
    return named or find_kind(layer.name, header, "none") is not None


def _parse(text: str, separator: str, source: str) -> tuple[pd.DataFrame, list[int]]:
    """Every cell as text, and the numbers of the lines that have too many."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                dtype="str",
                keep_default_na=False,
                na_values=MISSING,
                on_bad_lines="warn",
                index_col=False,
                skipinitialspace=True,
            )
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
            raise BadFileError(f"{source}: cannot be read as CSV: {str(error)[:200]}. Export it again.") from error
    skipped = [
        int(n)
        for w in caught
        if issubclass(w.category, pd.errors.ParserWarning)
        for n in _SKIPPED.findall(str(w.message))
    ]
    frame.columns = [str(column).strip() for column in frame.columns]
    return frame, skipped


def _clean_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells without what programs put around a number; columns of whole numbers without the `.0` of a float."""
    for column in frame.columns:
        text = frame[column]
        if text.dtype != "str":
            continue
        guarded = text.str.startswith(("=", "'", "’"), na=False)
        if guarded.any():
            inner = text[guarded].str.extract(_GUARDED)
            frame.loc[guarded, column] = inner[0].fillna(inner[1]).fillna(text[guarded])
        there = frame[column].dropna()
        # One look at the first value spares nearly every column.
        if len(there) and ".0" in str(there.iloc[0]) and bool(there.str.fullmatch(_WHOLE_FLOAT).all()):
            frame[column] = frame[column].str.replace(r"\.0+$", "", regex=True)
    return frame
