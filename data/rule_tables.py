"""Rules as data: the product's tables (`data/*_rules.csv`), or an office's own in the store. What they mean: tasks/."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from data.audit import build_entry, write_audited
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError

TABLES: Final = {
    "visits": "visit_rules.csv",
    "group_rentals": "group_rental_rules.csv",
    "checklists": "checklists.csv",
    "rounds": "round_rules.csv",
    "escalation": "escalation_rules.csv",
}
_MOST_CHARACTERS: Final = 200_000


def read_rule_table(store: Store, name: str) -> str:
    """The table in force as CSV text, comments included."""
    rows = store.read("SELECT content FROM rule_tables WHERE name = ?", [name])
    return read_default(name) if rows.empty else str(rows["content"].iloc[0])


def read_default(name: str) -> str:
    """The product's own table."""
    return files("data").joinpath(TABLES[name]).read_text(encoding="utf-8")


def parse_rows(name: str, text: str) -> list[dict[str, str]]:
    """
    Rows of a table by column, comments left out; cells without spaces around them.

    Raises
    ------
    BadRecordError
        A column is missing or unknown, or a row has more cells than the header.
    """
    return parse_table(name, text, next(csv.reader(_drop_comments(read_default(name)))))


def parse_table(name: str, text: str, expected: Sequence[str]) -> list[dict[str, str]]:
    """As `parse_rows`, for a table with the columns `expected`."""
    expected = list(expected)
    lines = list(csv.reader(_drop_comments(text.lstrip("\ufeff"))))
    if not lines or [cell.strip() for cell in lines[0]] != expected:
        raise BadRecordError(
            f"Rule table '{name}': the first line that is no comment is {','.join(lines[0] if lines else [])[:120]!r}, "
            f"expected {','.join(expected)}. Take the table that is in force and change its rows."
        )
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if len(cells) != len(expected):
            raise BadRecordError(
                f"Rule table '{name}', row {number}: {len(cells)} cells, expected {len(expected)}. "
                "Put a cell with a comma in quotation marks."
            )
        rows.append({column: cell.strip() for column, cell in zip(expected, cells, strict=True)})
    return rows


def put_rule_table(store: Store, viewer: Viewer, name: str, text: str | None, *, clock: Clock) -> None:
    """
    Let a table be in force that has been checked (tasks/rules.py); None brings the product's own back.

    Raises
    ------
    NotAllowedError
        The role may not.
    """
    check_right(viewer, "action", "manage_rules")
    if text is not None and len(text) > _MOST_CHARACTERS:
        raise BadRecordError(f"Rule table '{name}' has {len(text)} characters, expected at most {_MOST_CHARACTERS}.")

    def put(transaction: Transaction) -> None:
        transaction.execute("rule_tables", "DELETE FROM rule_tables WHERE name = ?", [name])
        if text is not None:
            transaction.execute(
                "rule_tables",
                "INSERT INTO rule_tables (name, content, changed_utc, changed_by) VALUES (?, ?, ?, ?)",
                [name, text, to_stored_time(clock()), viewer.account_id or viewer.role.value],
            )

    detail = {"what": "rules", "table": name, "is_default": text is None}
    entry = build_entry(viewer, "change", subject_kind="rules", subject_id=name, detail=detail)
    write_audited(store, put, lambda _: [entry], clock=clock)


def _drop_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
