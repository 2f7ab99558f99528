"""Words of the dispatch page: reasons of the ranking, states, times that run, what a rule refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from gis.errors import NotAllowedError, RecordMissingError, ShapanError
from i18n import Language, say_age, section, t, term
from incidents.dispatching import DispatchRefusedError
from ui.tables import LOCAL


def say_reason(reason: Any, lang: Language) -> str:
    """One reason of the ranking (`code`, `values`) in words; the code itself where the catalogue has none."""
    words = section("ranking", lang)
    values = {name: _say_value(name, value, lang) for name, value in reason.values.items()}
    if "seconds" in reason.values:
        values["minutes"] = str(_to_minutes(reason.values["seconds"]))
    elif isinstance(reason.values.get("minutes"), int):
        values["age"] = say_age(reason.values["minutes"], lang)
    key = f"ranking.reason_{reason.code}"
    if reason.values.get("gates") and f"{key}_gates" in words:
        key += "_gates"
    if reason.values.get("minutes", 0) is None and f"{key}_unknown" in words:
        key += "_unknown"
    return words[key].format(**values) if key in words else str(reason.code)


def say_travel(seconds: float | None, lang: Language) -> str:
    """A travel time in whole minutes, at least one."""
    return t("dispatch.no_way", lang) if seconds is None else t("dispatch.minutes", lang, n=_to_minutes(seconds))


def say_clock(duration: timedelta) -> str:
    """A running time: minutes and seconds, with hours from the first on."""
    seconds = max(int(duration.total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def say_kind(row: Mapping[str, Any], lang: Language) -> str:
    """The kind of an incident by its name; for who may not know it, that it is one."""
    name = row.get(f"name_{lang}")
    return name if isinstance(name, str) else t("dispatch.some_kind", lang)


def say_refusal(error: ShapanError, lang: Language) -> str:
    """Why something was not done, and the way out."""
    words = section("dispatch", lang)
    if isinstance(error, DispatchRefusedError):
        return words.get(f"dispatch.refused_{error.code}") or t("dispatch.refused_other", lang)
    if isinstance(error, NotAllowedError):
        return t("dispatch.refused_not_allowed", lang)
    if isinstance(error, RecordMissingError):
        return t("dispatch.refused_missing", lang)
    return t("dispatch.refused_other", lang)


def _to_minutes(seconds: Any) -> int:
    return 0 if seconds is None else max(ceil(float(seconds) / 60), 1)


def _say_value(name: str, value: Any, lang: Language) -> str:
    if isinstance(value, list | tuple):
        said = [term("responder", one, lang) if name == "kinds" else str(one) for one in value]
        return t("ranking.then", lang).join(said)
    if isinstance(value, datetime):
        return f"{value.astimezone(LOCAL):%H:%M}"
    if name == "kind":
        return term("responder", value, lang)
    if name == "skill":
        return term("skill", value, lang)
    return "" if value is None else str(value)
