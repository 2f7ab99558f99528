"""
How files of the station's existing platform look (警网通 and the like): layouts are data, read and written alike.

A layout says for each column its title, which of our fields it is, and what codes are called there. What is written is
read back as it was, and no cell is a formula. Pure: text and bytes in, records out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from data.cell_files import write_csv, write_xlsx
from data.cells import guard_back, unguard_back
from data.rule_tables import parse_table
from gis.errors import BadRecordError
from incidents.sheets import Problem, read_sheet

HEADER: Final = ("layout", "content", "file", "sheet", "field", "header", "form", "codes")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tasks": ("number", "kind", "place", "note", "priority", "due", "state", "done", "result", "findings"),
    "verified": (
        *("place", "residents_count", "floating_count", "use", "tenants_count", "rooms_count", "beds_count"),
        *("verified", "how"),
    ),
}
FORMS: Final = ("text", "code", "date", "time", "number")
FILES: Final = ("csv", "xlsx")
MOST_ROWS: Final = 20_000
_LOCAL: Final = ZoneInfo("Asia/Shanghai")
_TIME: Final = "%Y-%m-%d %H:%M"
_TIMES_READ: Final = (_TIME, "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d", "%Y/%m/%d")
Record = Mapping[str, str]
"""Our field → value as text: codes are ours, times ISO 8601 in Shanghai; what is not said is missing or empty."""


@dataclass(frozen=True)
class Column:
    """One column: our field, their title, how it is written, and their words by our codes."""

    field: str
    header: str
    form: str
    codes: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """One file: its name, whether it holds `tasks` or `verified` records, csv or xlsx, and its columns in order."""

    name: str
    content: str
    file: str
    sheet: str
    columns: tuple[Column, ...]


def parse_layouts(text: str) -> dict[str, Layout]:
    """
    Layouts of a table by name.

    Raises
    ------
    BadRecordError
        Names the row and what is wrong with it.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(parse_table("platform_layouts", text, HEADER), start=2):
        first = found.setdefault(row["layout"], [row])[0]
        problem = _find_problem(row, first, found[row["layout"]])
        if problem:
            raise BadRecordError(f"Layouts, row {number} ('{row['layout'][:40]}'): {problem}")
        if row is not first:
            found[row["layout"]].append(row)
    return {name: _build(name, rows) for name, rows in found.items()}


def write_file(layout: Layout, records: Iterable[Record]) -> bytes:
    """Records as the platform's file."""
    lines = [[guard_back(column.header) for column in layout.columns]]
    lines += [[guard_back(_to_theirs(column, record.get(column.field, ""))) for column in layout.columns] for record in records]  # fmt: skip # noqa: E501
    return write_csv(lines) if layout.file == "csv" else write_xlsx(lines, name=layout.sheet)


def read_file(layout: Layout, content: bytes) -> tuple[list[tuple[int, Record]], list[Problem]]:
    """
    Records of a file, each with its row (the header is 1), and what cannot be used.

    Raises
    ------
    BadFileError
        The file cannot be read at all, or is too large.
    BadRecordError
        A column of the layout is missing in it.
    """
    table = read_sheet(f"{layout.name}.{layout.file}", content, most_rows=MOST_ROWS)
    titles = [unguard_back(title.strip()) for title in table[0]]
    missing = [column.header for column in layout.columns if column.header not in titles]
    if missing:
        raise BadRecordError(
            f"The file has no column '{missing[0][:40]}', which layout '{layout.name}' expects; it has "
            f"{', '.join(titles)[:200]}. Choose another layout, or change it."
        )
    places = [(column, titles.index(column.header)) for column in layout.columns]
    records: list[tuple[int, Record]] = []
    problems: list[Problem] = []
    for number, cells in enumerate(table[1:], start=2):
        said = [(column, unguard_back(cells[at].strip()) if at < len(cells) else "") for column, at in places]
        if not any(cell for _, cell in said):
            continue
        record: dict[str, str] = {}
        for column, cell in said:
            ours = _to_ours(column, cell)
            if ours is None:
                problems.append(Problem(number, column.header, f"bad_{column.form}", cell[:80]))
            elif ours:
                record[column.field] = ours
        if not any(one.row == number for one in problems):
            records.append((number, record))
    return records, problems


def _find_problem(row: Mapping[str, str], first: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> str | None:
    if row["content"] not in FIELDS or row["file"] not in FILES or row["form"] not in FORMS:
        return f"expected content {'/'.join(FIELDS)}, file {'/'.join(FILES)} and form {'/'.join(FORMS)}."
    if row["field"] not in FIELDS[row["content"]]:
        return f"field '{row['field'][:40]}' is not known: expected one of {', '.join(FIELDS[row['content']])}."
    if not row["layout"] or not row["header"]:
        return "its name or header is empty."
    if any(row[name] != first[name] for name in ("content", "file", "sheet")):
        return "content, file and sheet are the same for all columns of a layout."
    if row is not first and any(row[name] == other[name] for other in rows for name in ("field", "header")):
        return f"field '{row['field']}' or header '{row['header'][:40]}' is there twice."
    words = [part.partition("=") for part in row["codes"].split(";") if part]
    if (row["form"] == "code") != bool(words) or not all(ours and theirs for ours, _, theirs in words):
        return "codes are written ours=theirs;ours=theirs, for form 'code' only."
    return None


def _build(name: str, rows: Sequence[Mapping[str, str]]) -> Layout:
    columns = []
    for row in rows:
        pairs = (part.partition("=") for part in row["codes"].split(";") if part)
        columns.append(Column(row["field"], row["header"], row["form"], {ours: theirs for ours, _, theirs in pairs}))
    return Layout(name, rows[0]["content"], rows[0]["file"], rows[0]["sheet"], tuple(columns))


def _to_theirs(column: Column, value: str) -> str:
    if column.form == "code":
        return column.codes.get(value, value)
    if column.form in ("date", "time") and value:
        at = datetime.fromisoformat(value).astimezone(_LOCAL)
        return f"{at:%Y-%m-%d}" if column.form == "date" else f"{at:{_TIME}}"
    return " ".join(value.split())


def _to_ours(column: Column, cell: str) -> str | None:
    """Our value; empty for an empty cell, None where it cannot be read. Of two codes with one word it is the first."""
    if not cell:
        return ""
    if column.form == "code":
        known = {theirs: ours for ours, theirs in reversed(list(column.codes.items()))}
        return known.get(cell) or (cell if cell in column.codes else None)
    if column.form in ("date", "time"):
        return _read_time(cell)
    if column.form == "number":
        try:
            number = float(cell)
        except ValueError:
            return None
        return f"{number:g}" if 0 <= number <= 1_000_000 else None
    return " ".join(cell.split())


def _read_time(cell: str) -> str | None:
    for form in _TIMES_READ:
        try:
            return datetime.strptime(cell, form).replace(tzinfo=_LOCAL).isoformat()
        except ValueError:
            continue
    return None
