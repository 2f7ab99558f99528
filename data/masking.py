"""
Masking: the one door through which a person's field leaves the store, but for an export that two persons agreed on
(data/exporting.py).

Which columns hold persons is learned from the schema of the file itself (comments that begin with `[person]`), so a
column that a later migration adds is masked from its first day. Who sees what:

    wall, volunteer, auditor     person columns are not in the frame at all
    grid_worker                  masked in rows of their own grids, None in all others
    officer, commander, admin    masked in every row
    any of the last two lines, once opened       clear, in the rows of the subject that was opened for a reason

Whoever adds a person column chooses its mask by its name (`*name`, `*phone`, the free texts below); any other
person column stays None until its subject is opened (data/openings.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd

from data.looks import log_looks
from data.store import Clock, Store, utc_now
from data.viewer import Role, Viewer

Frame = TypeVar("Frame", bound=pd.DataFrame)

WITHOUT_PERSONS = frozenset({Role.WALL, Role.VOLUNTEER, Role.AUDITOR})
_SEES_SENSITIVE = frozenset({Role.OFFICER, Role.COMMANDER, Role.ADMIN})
_FREE_TEXT = frozenset({"narrative", "address_text", "agreement"})
# To anybody who knows one call, a caller's hash tells all others: queries count by it, nobody sees it.
_NEVER_SHOWN = frozenset({"reporter_key", "identity_hash"})

# What has to be opened for the persons of a row: column that holds the subject's id → its kind. A named query may call
# the row's own key `id`. Opening a home opens who owns, lets and lives in it, never who called the police from there.
_SUBJECTS: Mapping[str, Mapping[str, str]] = {
    "buildings": {"building_id": "building", "id": "building"},
    "units": {"unit_id": "unit", "id": "unit"},
    "rentals": {"rental_id": "rental", "unit_id": "unit"},
    "occupants": {"occupant_id": "occupant", "unit_id": "unit"},
    "key_sites": {"site_id": "site", "id": "site"},
    "responders": {"responder_id": "responder"},
    "volunteers": {"volunteer_id": "volunteer"},
    "incidents": {"incident_id": "incident"},
    # Words of a visit were masked when they came in; nothing opens them but the sealed original.
    "task_evidence": {},
    "task_findings": {},
    "task_sessions": {},
    "checkins": {},
}

# \d is every Unicode digit, so full-width １３８ too. Digits may be split by spaces or hyphens, as people write them.
_SEPARATOR = r"[\s\-－—·.]?"
# GB 11643: 17 digits and a check character.
_IDENTITY = rf"(?<!\d)\d(?:{_SEPARATOR}\d){{16}}{_SEPARATOR}[\dXxＸｘ](?!\d)"
_MOBILE = rf"(?<!\d)(?:[+＋]?[8８][6６]{_SEPARATOR})?[1１](?:{_SEPARATOR}\d){{10}}(?!\d)"
# Area code 010, 02x, 0xxx and 7 or 8 digits of the subscriber; or the bare subscriber's number.
_LANDLINE = rf"(?<!\d)(?:[(（]?[0０]\d{{2,3}}[)）]?{_SEPARATOR})?[2-9２-９]\d{{2,3}}{_SEPARATOR}\d{{4}}(?!\d)"
# Two numbers written without anything between them; nothing else in a call has as many digits.
_RUN = r"\d{15,}[XxＸｘ]?"
_NUMBERS = re.compile("|".join((_IDENTITY, _RUN, _MOBILE, _LANDLINE)))


def is_shown_persons(viewer: Viewer) -> bool:
    """True for roles that may see a person's field at all, masked or clear."""
    return viewer.role not in WITHOUT_PERSONS


def sees_sensitive(viewer: Viewer) -> bool:
    """True for roles that see kind and place of a sensitive incident: the officer and up."""
    return viewer.role in _SEES_SENSITIVE


def mask_name(value: str) -> str:
    """First character and `**`, whatever the length: 张三 and 欧阳小明 alike."""
    text = value.strip()
    return f"{text[0]}**" if text else ""


def mask_phone(value: str) -> str:
    """First three and last four characters of at least eight digits, else `***`: 138****1234."""
    text = re.sub(r"[^\d+＋]", "", value)
    return f"{text[:3]}****{text[-4:]}" if sum(c.isdigit() for c in text) >= 8 else "***"


def mask_text(value: str) -> str:
    """Free text with telephone and identity numbers as `***`; names in it stay, so the wall gets none of it."""
    return _NUMBERS.sub("***", value)


def find_tables_with_persons(store: Store) -> dict[str, tuple[str, ...]]:
    """Person columns by table, as the file's own schema says."""
    return dict(store.person_columns)


def mask_frame(
    frame: Frame,
    table: str | Sequence[str],
    viewer: Viewer,
    store: Store,
    *,
    aliases: Mapping[str, str] | None = None,
    clock: Clock = utc_now,
) -> Frame:
    """
    The frame as this viewer may see it. What they see clear is written into the log of looks before they get it.

    Parameters
    ----------
    frame
        Rows of one table or a join. A grid worker's own rows are told by its column `grid_id`; without one, none is.
    table
        Table that the columns come from, or all tables of a join.
    viewer
        Who looks.
    store
        The store that the frame was read from; its schema says which columns hold persons.
    aliases
        Columns that the query renamed: name in the frame → `table.column` of the schema.
    clock
        Time of the look, where one is written down.

    Returns
    -------
    A new frame: without person columns for roles that see none, else with masked values, clear in opened rows.
    """
    persons = _find_person_columns(frame.columns, [table] if isinstance(table, str) else table, aliases or {}, store)
    hidden = [c for c in frame.columns if (aliases or {}).get(str(c), str(c)).rpartition(".")[2] in _NEVER_SHOWN]
    if not is_shown_persons(viewer):
        return frame.drop(columns=[*hidden, *persons])
    shown = frame.drop(columns=hidden)
    if not persons:
        return shown
    mine = _find_own_rows(shown, viewer)
    looked: set[tuple[str, str]] = set()
    for column, (table_name, original) in persons.items():
        mask = _choose_mask(original)
        subjects = _find_opened(shown, table_name, viewer)
        looked.update(subject for subject, own in zip(subjects, mine, strict=True) if subject and own)
        shown[column] = pd.Series(
            [
                None if not own or pd.isna(value) else value if clear else mask(str(value))
                for value, own, clear in zip(shown[column], mine, subjects, strict=True)
            ],
            index=shown.index,
            dtype=object,
        )
    if looked:
        log_looks(store, viewer, frozenset(looked), clock=clock)
    return shown


def drop_persons(columns: Mapping[str, list[Any]], tables: Sequence[str], store: Store) -> dict[str, list[Any]]:
    """Columns of a query over `tables` without those about a person: nobody has to be asked who looks."""
    persons = _find_person_columns(columns, tables, {}, store)
    return {name: values for name, values in columns.items() if name not in persons and name not in _NEVER_SHOWN}


def _find_person_columns(
    names: Iterable[object], tables: Sequence[str], aliases: Mapping[str, str], store: Store
) -> dict[str, tuple[str, str]]:
    """Person columns among `names` → table and name in the schema."""
    found = {}
    for column in map(str, names):
        table, _, original = aliases.get(column, column).rpartition(".")
        owner = next((t for t in ([table] if table else tables) if original in store.person_columns.get(t, ())), None)
        if owner is not None:
            found[column] = (owner, original)
    return found


def _find_opened(frame: pd.DataFrame, table: str, viewer: Viewer) -> list[tuple[str, str] | None]:
    """For each row the subject by which it is open to this account, None where it is not."""
    opened: list[tuple[str, str] | None] = [None] * len(frame)
    if viewer.account_id is None or not viewer.openings:
        return opened
    for column, kind in _SUBJECTS.get(table, {}).items():
        if column in frame.columns:
            subjects = [(kind, str(value)) for value in frame[column]]
            opened = [was or (s if s in viewer.openings else None) for was, s in zip(opened, subjects, strict=True)]
    return opened


def _find_own_rows(frame: pd.DataFrame, viewer: Viewer) -> list[bool]:
    if viewer.role != Role.GRID_WORKER and viewer.grids is None:
        return [True] * len(frame)
    if "grid_id" not in frame.columns or viewer.grids is None:
        return [False] * len(frame)
    return [grid in viewer.grids for grid in frame["grid_id"]]


def _choose_mask(column: str) -> Callable[[str], str | None]:
    if column in _FREE_TEXT:
        return mask_text
    if column.endswith("name"):
        return mask_name
    if column.endswith("phone"):
        return mask_phone
    return lambda _value: None
