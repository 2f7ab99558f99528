"""Words of tasks: kinds, states, receivers, times left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from data.audit import SERVER
from data.queries import get_info
from data.store import Store, utc_now
from i18n import Language, t, term
from ui.tables import LOCAL

AT_WORK = ("waiting", "assigned", "accepted", "on_site")


def find_now(store: Store) -> datetime:
    """The present; of the invented sample, whose time stands still, the moment when its data were true."""
    info = get_info(store)
    return info.data_as_of if info.synthetic and info.data_as_of is not None else utc_now()


def say_kind(code: object, lang: Language) -> str:
    """What a task's kind is called."""
    return t(f"tasks.kind_{code}", lang)


def say_state(code: object, lang: Language) -> str:
    """What a task's state is called."""
    return t(f"tasks.state_{code}", lang)


def say_receiver(row: Mapping[str, Any], lang: Language) -> str:
    """Who is to do it: grid, account or role; 待分派 while nobody is."""
    kind = row.get("receiver_kind")
    if not isinstance(kind, str) or kind == "none":
        return t("tasks.nobody", lang)
    if kind == "role":
        return term("role", row.get("receiver_id") or row.get("receiver"), lang)
    return str(row.get("receiver") or row.get("receiver_id"))


def say_mark(kind: str, mark: str, lang: Language) -> str:
    """Colour of a rental, or kind of a key site."""
    return t(f"tasks.colour_{mark}", lang) if kind == "rental" else term("site_kind", mark, lang)


def say_who(name: object, lang: Language) -> str:
    """An account's name; the server's own steps say so."""
    return t("tasks.by_server", lang) if name == SERVER else str(name) if isinstance(name, str) else ""


def say_due(row: Mapping[str, Any], now: datetime, lang: Language) -> str:
    """When it is due, and how much is left or over."""
    due: datetime = row["due_utc"]
    local = due.astimezone(LOCAL)
    at = f"{local:%m-%d %H:%M}" if local.year == now.astimezone(LOCAL).year else f"{local:%Y-%m-%d}"
    if row["state"] not in AT_WORK:
        return t("tasks.due", lang, at=at)
    left = due - now
    return t("tasks.overdue_by" if left < timedelta(0) else "tasks.due_in", lang, at=at, left=say_span(left, lang))


def say_span(span: timedelta, lang: Language) -> str:
    """A span in its largest unit: days, hours or minutes."""
    seconds = abs(span.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3_600)):
        if seconds >= length:
            return t(f"tasks.{unit}", lang, n=int(seconds // length))
    return t("tasks.minutes", lang, n=max(int(seconds // 60), 1))


def is_overdue(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether it should have been submitted by now."""
    return row["state"] in AT_WORK and bool(row["due_utc"] < now)


def to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None where something is missing and Python's own times."""
    plain = frame.astype(object)
    return [
        {
            str(name): None if pd.isna(value) else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }
        for row in plain.drop(columns="geom", errors="ignore").to_dict("records")
    ]
