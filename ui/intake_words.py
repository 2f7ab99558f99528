"""Words for incidents on the page of calls: kinds with their symbol, states, how sure a place is, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import Any

import pandas as pd

from i18n import Language, t

SURE, LIKELY = 0.9, 0.6  # as ui/components/intake/intake.js has it


def build_kind_names(kinds: pd.DataFrame, lang: Language) -> dict[str, str]:
    """Each kind by its name."""
    return dict(zip(kinds["category"].astype(str), kinds[f"name_{lang}"].astype(str), strict=True))


def say_sureness(confidence: object, reason: object, lang: Language) -> str:
    """How sure a place is, and what counts most against it; empty where nothing was said about it."""
    words = t(f"intake.reason_{reason}", lang) if isinstance(reason, str) else ""
    if not isinstance(confidence, float) or pd.isna(confidence):
        return words
    level = "sure" if confidence >= SURE else "likely" if confidence >= LIKELY else "unsure"
    return f"{t(f'intake.level_{level}', lang)} {confidence:.0%} · {words}".removesuffix(" · ")


def say_duration(duration: timedelta, lang: Language) -> str:
    """Minutes and seconds, or hours and minutes, or days."""
    seconds = int(duration.total_seconds())
    if seconds < 3600:
        return t("intake.minutes", lang, minutes=seconds // 60, seconds=f"{seconds % 60:02d}")
    if seconds < 86400:
        return t("intake.hours", lang, hours=seconds // 3600, minutes=f"{seconds // 60 % 60:02d}")
    return t("intake.days", lang, days=seconds // 86400, hours=seconds // 3600 % 24)


def build_symbol(kind: Mapping[str, Any]) -> str:
    """The kind's symbol in its colour, as markup."""
    symbol = kind["symbol"] if isinstance(kind["symbol"], str) else ""
    colour = kind["colour"] if isinstance(kind["colour"], str) else "#9fb3cb"
    style = (
        "display:inline-block;min-width:1.6rem;text-align:center;border-radius:50%;line-height:1.6rem;font-weight:700;"
        f"color:#0b1420;background:{escape(colour)}"
    )
    return f'<span style="{style}">{escape(symbol)}</span>'
