"""CSV and .xlsx: every cell as text, the header decides first whether the body is read at all."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from datetime import date, datetime, time
from typing import Final

import pandas as pd

from data.importing.columns import holds_numbers_of_persons
from data.importing.encoding import decode_text
from data.importing.kinds import find_kind
from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from data.importing.sources import MAX_FILE_BYTES, Dataset
from gis.errors import BadFileError

MAX_COLUMNS: Final = 500
# The registers of 万户新村 have about 7,000 rows; a file of two millions is something else.
MAX_ROWS: Final = 2_000_000
_MISSING: Final = ["", "NULL", "null", "None", "NaN", "nan", "#N/A", "/"]
_SKIPPED: Final = re.compile(r"line (\d+)")
_HEADER_ROWS: Final = 5
_MAX_HEADER_CHARACTERS: Final = 100_000


def read_csv(dataset: Dataset, options: ImportOptions, report: ImportReport) -> list[Layer]:
    """A CSV file as one table; a table of no known kind is counted and not read."""
    text, codec = decode_text(dataset.parts[next(iter(dataset.parts))], dataset.source, option=options.encoding)
    text = text.replace("\0", "")
    first = text.lstrip("\r\n ").split("\n", 1)[0][:_MAX_HEADER_CHARACTERS]
    separator = max(",\t;|", key=first.count)
    try:
        header = next(csv.reader([first], delimiter=separator), [])
    except csv.Error:
        header = []
    _check_header(dataset.source, header)
    layer = Layer(dataset.source, dataset.stem, pd.DataFrame(), encoding=codec, first_row=2, records=text.count("\n"))
    if not _is_known(layer, header, options):
        layer.frame = pd.DataFrame(columns=[str(name).strip() for name in header[:MAX_COLUMNS]])
        return [layer]
    if len(header) > MAX_COLUMNS or layer.records > MAX_ROWS:
        raise BadFileError(
            f"{dataset.source}: {len(header):,} columns and {layer.records:,} lines, expected at most {MAX_COLUMNS} "
            f"and {MAX_ROWS:,}. Cut the file to the community first."
        )
    layer.frame, skipped = _parse(text, separator, dataset.source)
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


def _check_header(source: str, header: list[str]) -> None:
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
                na_values=_MISSING,
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


def read_xlsx(dataset: Dataset, report: ImportReport) -> list[Layer]:
    """Every sheet with a header; cells as they are shown, formulas as their last result."""
    data = dataset.parts[".xlsx"]
    import openpyxl  # 10 MB, which a server that only draws the wall never needs

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_FILE_BYTES // 4:
                raise BadFileError(f"{dataset.source}: too large for a workbook of a community. Save the sheet as CSV.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}
    except BadFileError:
        raise
    except Exception as error:
        raise BadFileError(f"{dataset.source}: cannot be read as .xlsx: {str(error)[:120]}. Save it again.") from error
    layers = []
    for title, rows in sheets.items():
        head = next(
            (i for i, row in enumerate(rows[:_HEADER_ROWS]) if sum(cell is not None for cell in row) >= 2), None
        )
        if head is None:
            if rows:
                report.add("left_out", "empty_sheet", f"{dataset.source}/{title}", "sheet without a header line")
            continue
        columns = [str(cell).strip() if cell is not None else f"column {i + 1}" for i, cell in enumerate(rows[head])]
        _check_header(f"{dataset.source}/{title}", columns)
        body = [[_cell_text(cell) for cell in row] for row in rows[head + 1 :] if any(cell is not None for cell in row)]
        frame = pd.DataFrame(body, columns=_unique(columns), dtype="str")
        layers.append(
            Layer(
                source=f"{dataset.source}/{title}" if len(sheets) > 1 else dataset.source,
                name=f"{title} {dataset.stem}",
                frame=frame,
                first_row=head + 2,
                records=len(frame),
            )
        )
    return layers


def _unique(columns: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for column in columns:
        seen[column] = seen.get(column, 0) + 1
        result.append(column if seen[column] == 1 else f"{column}.{seen[column] - 1}")
    return result


def _cell_text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return None if text in _MISSING else text
