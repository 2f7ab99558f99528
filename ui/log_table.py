"""Rows of the log as a table of words."""

from __future__ import annotations

import pandas as pd

from i18n import Language, t, term
from ui.log_words import list_actions, say_actor, say_detail, say_reason, say_subject
from ui.tables import format_second, show_table

COLUMNS = ("at", "who", "role", "what", "subject", "reason", "detail", "address")


def show_rows(rows: pd.DataFrame, lang: Language) -> None:
    """Rows of the log as a table."""
    show_table([t(f"audit.{name}", lang) for name in COLUMNS], build_cells(rows, lang), narrow=frozenset({0, 1, 2, 3}))


def build_cells(rows: pd.DataFrame, lang: Language) -> list[list[str]]:
    """Each row in words, in the order of the columns."""
    actions = list_actions(lang)
    return [
        [
            format_second(row["at_utc"]),
            say_actor(str(row["actor"]), lang),
            term("role", row["role"], lang) if isinstance(row["role"], str) else "",
            actions.get(str(row["action"]), str(row["action"])),
            say_subject(row["subject_kind"], row["subject_id"], lang),
            say_reason(row["reason"], row.get("incident_id"), lang),
            say_detail(str(row["detail"]), lang),
            row["address"] if isinstance(row["address"], str) else "",
        ]
        for row in rows.to_dict("records")
    ]
