"""Days, hours and weight of a zone: asked in its forms, and said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

import streamlit as st

from data.zone_hours import EVERY_DAY, LEAST_WEIGHT, MOST_WEIGHT
from i18n import Language, t

_WORKDAYS, _WEEKEND = "12345", "67"


def ask_hours(kept: Mapping[str, Any], key: str, lang: Language) -> dict[str, Any]:
    """Widgets of a form, beginning with what is kept; returns the fields of a zone."""
    days = st.pills(
        t("command.weekdays", lang), list(EVERY_DAY), selection_mode="multi", default=list(kept["weekdays"]),
        format_func=lambda day: t(f"command.weekday_{int(day) - 1}", lang), key=f"{key}-weekdays",
    )  # fmt: skip
    first, second, third = st.columns(3)
    begin = first.time_input(
        t("command.hours_from", lang), value=kept["hours_from"], step=1800, key=f"{key}-from",
        help=t("command.hours_help", lang),
    )  # fmt: skip
    end = second.time_input(t("command.hours_to", lang), value=kept["hours_to"], step=1800, key=f"{key}-to")
    weight = third.number_input(
        t("command.weight", lang), min_value=LEAST_WEIGHT, max_value=MOST_WEIGHT, value=float(kept["weight"]), step=0.5,
        key=f"{key}-weight", help=t("command.weight_help", lang),
    )  # fmt: skip
    return {"weekdays": "".join(sorted(days)), "hours_from": begin, "hours_to": end, "weight": weight}


def say_hours(row: Mapping[str, Any], lang: Language) -> str:
    """Days and hours in words: every day 22:00 to 02:00."""
    weekdays = str(row["weekdays"])
    known = {EVERY_DAY: "every_day", _WORKDAYS: "workdays", _WEEKEND: "weekend"}
    days = (
        t(f"command.{known[weekdays]}", lang)
        if weekdays in known
        else t("command.list_comma", lang).join(t(f"command.weekday_{int(day) - 1}", lang) for day in weekdays)
    )
    begin, end = row["hours_from"], row["hours_to"]
    if not isinstance(begin, time) or not isinstance(end, time):
        return t("command.hours_any", lang, days=days)
    key = "command.hours_window" if end > begin else "command.hours_night_through"
    return t(key, lang, days=days, begin=f"{begin:%H:%M}", end=f"{end:%H:%M}")
