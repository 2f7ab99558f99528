"""Excel workbooks (.xlsx): every sheet that has a header, cells as they are shown, merged cells filled."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

import pandas as pd

from data.importing.headers import SEARCHED_ROWS, find_header
from data.importing.layer import Layer
from data.importing.report import ImportReport
from data.importing.sources import MAX_FILE_BYTES, Dataset
from data.importing.tables import MISSING, check_header
from gis.errors import BadFileError

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_MERGED: Final = re.compile(rb'<mergeCell ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')
Rows = list[list[object]]
Merge = tuple[int, int, int]


def read_xlsx(dataset: Dataset, report: ImportReport) -> list[Layer]:
    """Every sheet with a header; cells as they are shown, formulas as their last result."""
    sheets = _read_sheets(dataset)
    layers = []
    for title, (rows, merged) in sheets.items():
        source = f"{dataset.source}/{title}" if len(sheets) > 1 else dataset.source
        head = find_header(rows[:SEARCHED_ROWS])
        if head is None:
            if rows:
                report.add("left_out", "empty_sheet", f"{dataset.source}/{title}", "sheet without a header line")
            continue
        above = sum(any(cell is not None for cell in row) for row in rows[:head])
        report.add("left_out", "above_header", source, "lines above the header of the table", count=above)
        filled = _fill_merged(rows, merged, head)
        report.add("derived", "merged_cells", source, "cells merged over several rows, read for each", count=filled)
        width = max(len(row) for row in rows[head:])
        names = [*rows[head], *[None] * (width - len(rows[head]))]
        columns = [str(cell).strip() if cell is not None else f"column {i + 1}" for i, cell in enumerate(names)]
        check_header(source, columns)
        numbers = [i for i in range(head + 1, len(rows)) if any(cell is not None for cell in rows[i])]
        body = [[_cell_text(cell) for cell in rows[i]] + [None] * (width - len(rows[i])) for i in numbers]
        frame = pd.DataFrame(body, columns=_unique(columns), dtype="str")
        # Columns with neither name nor cell are formatting.
        empty = [
            own for own, cell in zip(frame.columns, names, strict=True) if cell is None and frame[own].isna().all()
        ]
        layers.append(
            Layer(
                source=source,
                name=f"{title} {dataset.stem}",
                frame=frame.drop(columns=empty),
                first_row=head + 2,
                row_numbers=[i + 1 for i in numbers],
                records=len(frame),
            )
        )
    return layers


def _read_sheets(dataset: Dataset) -> dict[str, tuple[Rows, list[Merge]]]:
    """Cells of every sheet by its title, and (column, first row, last row), from 0, of the cells merged downwards."""
    import openpyxl  # 10 MB, which a server that only draws the wall never needs

    data = dataset.parts[".xlsx"]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_FILE_BYTES // 4:
                raise BadFileError(f"{dataset.source}: too large for a workbook of a community. Save the sheet as CSV.")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            result: dict[str, tuple[Rows, list[Merge]]] = {}
            for sheet in book.worksheets:
                # Some programs write that a sheet is one cell large, and openpyxl believes them.
                sheet.reset_dimensions()
                rows: Rows = [list(row) for row in sheet.iter_rows(values_only=True)]
                result[sheet.title] = (rows, _find_merged(archive, sheet))
    except BadFileError:
        raise
    except Exception as error:
        raise BadFileError(f"{dataset.source}: cannot be read as .xlsx: {str(error)[:120]}. Save it again.") from error
    return result


def _find_merged(archive: zipfile.ZipFile, sheet: ReadOnlyWorksheet) -> list[Merge]:
    """A sheet that is read row by row does not tell of its merged cells: they stand at the end of its part."""
    from openpyxl.utils import column_index_from_string

    part = archive.read(str(getattr(sheet, "_worksheet_path")))  # noqa: B009 - openpyxl's types leave it out
    found = []
    for left, top, right, bottom in _MERGED.findall(part[part.rfind(b"</sheetData>") :]):
        if top != bottom:
            first, last = column_index_from_string(left.decode()), column_index_from_string(right.decode())
            found += [(column - 1, int(top) - 1, int(bottom) - 1) for column in range(first, min(last, first + 3) + 1)]
    return found


def _fill_merged(rows: Rows, merged: list[Merge], head: int) -> int:
    """What stands in a cell that is merged over rows below the header, in each of them; returns how many."""
    filled = 0
    for column, top, bottom in merged:
        if top <= head or bottom >= len(rows) or column >= len(rows[top]) or rows[top][column] is None:
            continue
        for row in rows[top + 1 : bottom + 1]:
            row.extend([None] * (column + 1 - len(row)))
            if row[column] is None and any(cell is not None for cell in row):
                row[column] = rows[top][column]
                filled += 1
    return filled


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
    return None if text in MISSING else text
