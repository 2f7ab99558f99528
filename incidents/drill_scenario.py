"""
The scenario of a drill: a CSV of what happens when and where; read whole, or refused with every error in it.

Columns, in any order, the first line names them:

    minutes              after the start of the drill, 0 to 1440, e.g. 2.5
    address, or x,y,crs  where: in words, or coordinates in one of the systems of the intake; both may be given
    category             code of a kind of the community, e.g. theft.ebike
    urgency              urgent, normal or not_police; empty: the kind's own
    said                 what is said on the telephone; may be empty
    expectation          what is expected of those who are drilled; may be empty, the column may be missing
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from data.incident_places import SYSTEMS, Said
from gis.errors import BadFileError

MOST_BYTES: Final = 1_000_000
MOST_ALARMS: Final = 500
MOST_MINUTES: Final = 24 * 60.0
COLUMNS: Final = ("minutes", "address", "x", "y", "crs", "category", "urgency", "said", "expectation")
URGENCIES: Final = ("urgent", "normal", "not_police")
_NEEDED: Final = frozenset({"minutes", "category"})
_LONGEST: Final[Mapping[str, int]] = {"address": 200, "said": 1000, "expectation": 500}
_DEGREES: Final[Mapping[str, float]] = {"x": 180.0, "y": 90.0}
_SHOWN: Final = 60

Fault = tuple[str, str, str]
"""Column, value as it stands there, and what was expected."""


@dataclass(frozen=True)
class ScenarioAlarm:
    """One alarm: seconds after the start, where, what; `line` is that of the file, from 1."""

    line: int
    after_s: float
    where: Said
    category: str
    urgency: str
    said: str | None
    expectation: str | None


def read_scenario(content: bytes, name: str, usual: Mapping[str, str]) -> tuple[ScenarioAlarm, ...]:
    """
    Alarms in the order of their times, those of one time in the order of the file.

    Parameters
    ----------
    content
        CSV with commas, in UTF-8 or GB18030.
    name
        Of the file, for what is said of it.
    usual
        Codes of the community's kinds with the urgency that is usual for each.

    Raises
    ------
    BadFileError
        It is no such table, or values cannot be used: each is named with its line and what was expected.
    """
    lines = _read_lines(content, name)
    header_line, header = next(lines, (1, []))
    columns = [cell.strip().lower() for cell in header]
    _check_header(columns, header_line, name)
    alarms: list[ScenarioAlarm] = []
    faults: list[str] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            faults.append(f"line {line}: {len(cells)} values, expected {len(columns)} as in the first line")
            continue
        row = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
        found = [f"line {line}, {column}: '{value[:_SHOWN]}', expected {expected}"
                 for column, value, expected in _find_faults(row, usual)]  # fmt: skip
        faults += found
        if not found:
            alarms.append(_to_alarm(line, row, usual))
    if faults:
        raise BadFileError(
            f"'{name}' has {len(faults)} error(s), nothing was made:\n  " + "\n  ".join(faults) + "\nCorrect them, "
            "then repeat it. The columns are explained in docs/drills.md."
        )
    if not 1 <= len(alarms) <= MOST_ALARMS:
        raise BadFileError(f"'{name}' has {len(alarms)} alarms, expected 1 to {MOST_ALARMS}. Add or leave out some.")
    return tuple(sorted(alarms, key=lambda alarm: alarm.after_s))


def _read_lines(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line on which each begins."""
    if len(content) > MOST_BYTES:
        raise BadFileError(f"'{name}' has {len(content):,} bytes, expected at most {MOST_BYTES:,}. Give a scenario.")
    text = None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    if text is None or "\x00" in text:
        raise BadFileError(f"'{name}' is no text in UTF-8 or GB18030. Save it as CSV in UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadFileError(
            f"'{name}' line {line}: {error}, expected values with commas between them. Put a value that holds a comma "
            "or a quotation mark into quotation marks."
        ) from None


def _check_header(columns: list[str], line: int, name: str) -> None:
    unknown = [column for column in columns if column not in COLUMNS]
    missing = sorted(_NEEDED - set(columns))
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if not ({"address"} <= set(columns) or {"x", "y", "crs"} <= set(columns)):
        missing.append("address (or x, y and crs)")
    problems = [
        f"{what} {', '.join(repr(column[:_SHOWN]) for column in found)}"
        for what, found in (("unknown:", unknown), ("missing:", missing), ("twice:", twice))
        if found
    ]
    if problems:
        raise BadFileError(
            f"'{name}' line {line}: columns {'; '.join(problems)}; expected some of {', '.join(COLUMNS)}. Name them in "
            "the first line."
        )


def _find_faults(row: Mapping[str, str], usual: Mapping[str, str]) -> Iterator[Fault]:
    minutes = _to_number(row["minutes"])
    if minutes is None or not 0 <= minutes <= MOST_MINUTES:
        yield "minutes", row["minutes"], f"a number from 0 to {MOST_MINUTES:.0f}"
    yield from _find_place_faults(row)
    if row["category"] not in usual:
        known = ", ".join(sorted(usual)[:8])
        yield "category", row["category"], f"a code of this community's kinds, e.g. {known}"
    if row.get("urgency") and row["urgency"] not in URGENCIES:
        yield "urgency", row["urgency"], f"{', '.join(URGENCIES)} or nothing"
    for column, most in _LONGEST.items():
        if len(row.get(column, "")) > most:
            yield column, row[column], f"at most {most} characters, not {len(row[column])}"


def _find_place_faults(row: Mapping[str, str]) -> Iterator[Fault]:
    given = [column for column in ("x", "y", "crs") if row.get(column)]
    if not given:
        if not row.get("address"):
            yield "address", "", "an address, or x, y and crs"
        return
    crs = row.get("crs", "")
    if crs not in SYSTEMS:
        yield "crs", crs, f"one of {', '.join(SYSTEMS)}"
    for column, most in _DEGREES.items():
        value = _to_number(row.get(column, ""))
        if value is None:
            yield column, row.get(column, ""), "a number: x, y and crs go together"
        elif crs in SYSTEMS and crs != "LOCAL" and abs(value) > most:
            yield column, row[column], f"degrees from -{most:.0f} to {most:.0f} in {crs}"


def _to_alarm(line: int, row: Mapping[str, str], usual: Mapping[str, str]) -> ScenarioAlarm:
    has_place = bool(row.get("crs"))
    where = Said(
        float(row["x"]) if has_place else None,
        float(row["y"]) if has_place else None,
        row["crs"] if has_place else None,
        row.get("address") or None,
    )
    return ScenarioAlarm(
        line,
        float(row["minutes"]) * 60,
        where,
        row["category"],
        row.get("urgency") or usual[row["category"]],
        row.get("said") or None,
        row.get("expectation") or None,
    )


def _to_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e9 else None
