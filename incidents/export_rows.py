"""
An export of the 110 system, row by row: what each row says, how it would be placed, and why it cannot be used.

Read by the same rules as `shapan import` (columns by their names in both languages, encodings, times, words), placed by
the same finder as what comes in live. Nothing is written here: the rows that can be used become reports, and those are
taken in together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from data.importing.incident_texts import IncidentTexts, read_incident_texts
from data.importing.options import SourceFile
from data.importing.values import hash_ids
from data.incident_places import Found, Said
from data.store import Store
from incidents.taking_in import Report, TakingIn, build_incident_id

SENT_BY = "110-export"
"""Under which name exports come in: the same number comes in once, whoever brings the file."""
MOST_ROWS = 20_000
_LIMITS = {"number": 80, "address_text": 200, "narrative": 4000, "caller_name": 200, "caller_phone": 200}


@dataclass(frozen=True)
class Row:
    """
    One row: `problem` is why it is refused (a code), else `report` is what would be taken in and `found` its place.

    `is_known`: this number is there already, or stands in the file twice; it is left out.
    """

    number_in_file: int
    number: str | None
    category: str | None
    address: str | None
    problem: str | None = None
    is_known: bool = False
    report: Report | None = None
    found: Found | None = None

    @property
    def is_new(self) -> bool:
        return self.report is not None and not self.is_known


def read_rows(
    store: Store, taking_in: TakingIn, source: SourceFile, urgencies: Mapping[str, str], now: datetime
) -> list[Row]:
    """
    The rows of a file in its order.

    Parameters
    ----------
    urgencies
        Usual urgency by code of the kind, as `find_categories` has them.

    Raises
    ------
    BadFileError, RecordMissingError
        The file cannot be read, lacks a column or is too large; or the store holds no community.
    """
    texts = read_incident_texts(source, most_rows=MOST_ROWS)
    names = _read_names(store)
    rows = [_read_row(texts, place, names, urgencies, taking_in, now) for place in range(len(texts.frame))]
    ids = [build_incident_id(SENT_BY, row.report.source_no) for row in rows if row.report is not None]
    there = {
        one for (one,) in store.rows("SELECT incident_id FROM incidents WHERE incident_id IN (SELECT unnest(?))", [ids])
    }
    return list(_mark_known(rows, there))


def _mark_known(rows: list[Row], there: Collection[str]) -> list[Row]:
    seen = set(there)
    marked = []
    for row in rows:
        if row.report is None:
            marked.append(row)
            continue
        incident_id = build_incident_id(SENT_BY, row.report.source_no)
        marked.append(Row(**{**vars(row), "is_known": incident_id in seen}))
        seen.add(incident_id)
    return marked


def _read_names(store: Store) -> dict[str, str]:
    """Code of a kind by its code and by its name in either language; what two kinds are called means neither."""
    names: dict[str, str] = {}
    twice: set[str] = set()
    for code, zh, en in store.rows("SELECT category, name_zh, name_en FROM incident_categories"):
        for name in {zh, en}:
            if names.setdefault(name, code) != code:
                twice.add(name)
    names = {name: code for name, code in names.items() if name not in twice}
    return names | {code: code for (code,) in store.rows("SELECT category FROM incident_categories")}


def _read_row(
    texts: IncidentTexts,
    place: int,
    names: Mapping[str, str],
    urgencies: Mapping[str, str],
    taking_in: TakingIn,
    now: datetime,
) -> Row:
    row = texts.frame.iloc[place]
    line = texts.first_row + place
    number, address = _text(row["number"]), _text(row["address_text"])
    said = _text(row["subcategory"]) or _text(row["category"])
    code = names.get(said or "") or names.get(_text(row["category"]) or "")
    shown = Row(line, number, code or said, address)
    problem = _find_problem(row, code, now)
    if problem is not None:
        return Row(**{**vars(shown), "problem": problem})
    assert code is not None  # noqa: S101 - a row without a kind has a problem
    reported = (row["reported_utc"] if pd.notna(row["reported_utc"]) else row["occurred_from_utc"]).to_pydatetime()
    begun = reported if pd.isna(row["occurred_from_utc"]) else row["occurred_from_utc"].to_pydatetime()
    ended = begun if pd.isna(row["occurred_to_utc"]) else row["occurred_to_utc"].to_pydatetime()
    closed = None if pd.isna(row["closed_utc"]) else row["closed_utc"].to_pydatetime()
    x, y = row["lon"], row["lat"]
    scene = (
        Said(None, None, None, address) if pd.isna(x) or pd.isna(y) else Said(float(x), float(y), texts.crs, address)
    )
    urgency = row["urgency"] if isinstance(row["urgency"], str) else urgencies.get(code, "normal")
    report = Report(
        reported,
        begun,
        ended,
        code,
        urgency,
        row["source"] if isinstance(row["source"], str) else "call",
        scene,
        # A row without a number is told by what it says: brought a second time it is known.
        number or hash_ids("r-", [str(reported), code, address or "", _text(row["narrative"]) or ""])[:14],
        description=_text(row["narrative"]),
        caller_name=_text(row["caller_name"]),
        caller_phone=_text(row["caller_phone"]),
        closed_at=closed or (reported if row["status"] == "closed" else None),
    )
    return Row(**{**vars(shown), "report": report, "found": taking_in.places.get().find(scene)})


def _find_problem(row: pd.Series, code: str | None, now: datetime) -> str | None:
    """Code of the first reason why a row cannot be used."""
    if row["is_unreadable"]:
        return "time_unreadable"
    reported = row["reported_utc"] if pd.notna(row["reported_utc"]) else row["occurred_from_utc"]
    if pd.isna(reported):
        return "time_missing"
    if reported > now + pd.Timedelta(days=1) or reported.year < 1990:
        return "time_impossible"
    ends = [row[name] for name in ("occurred_to_utc", "closed_utc") if pd.notna(row[name])]
    begun = row["occurred_from_utc"] if pd.notna(row["occurred_from_utc"]) else reported
    if any(end < min(begun, reported) for end in ends):
        return "time_backwards"
    if _text(row["category"]) is None:
        return "category_missing"
    if code is None:
        return "category_unknown"
    if any(len(_text(row[column]) or "") > most for column, most in _LIMITS.items()):
        return "too_long"
    return None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
