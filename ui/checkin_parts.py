"""What the parts of the pages of check-ins and points have in common: words, receipts, and their page for notes."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from i18n import Language, t
from tasks.checkins import Taken

PAGE = "checkins"
_RECEIPT = (
    '<div class="sh-receipt" data-state="{state}" role="status" style="border:2px solid {colour};border-radius:.8rem;'
    'padding:1rem 1.4rem;margin:.4rem 0 1rem"><div style="font-size:2.4rem;font-weight:700;line-height:1.2">{head}'
    "</div>"
    '<div style="font-size:1.5rem;line-height:1.5">{text}</div></div>'
)
_COLOURS = {"counted": "#5fd0b4", "pending": "#ffbe54", "rejected": "#6d8098"}


def say_doubts(doubts: str, lang: Language) -> str:
    """Codes of doubts in words."""
    return t("checkins.comma", lang).join(t(f"checkins.doubt_{code}", lang) for code in doubts.split())


def show_receipt(taken: Taken, who: str, lang: Language) -> None:
    """What became of a check-in, large: it is read across a counter by people of seventy."""
    key = "repeat" if taken.is_repeat else taken.state
    head = t(f"checkins.receipt_{key}", lang, points=taken.points)
    text = t("checkins.receipt_balance", lang, who=who, balance=taken.balance)
    if taken.is_capped:
        text += t("checkins.receipt_capped", lang)
    st.html(_RECEIPT.format(state=taken.state, colour=_COLOURS[taken.state], head=escape(head), text=escape(text)))


def say_person(row: Mapping[Any, Any]) -> str:
    """A volunteer as everybody may see it: number of the card and masked name."""
    name = row.get("call_name")
    return f"{row['number']} {name}" if isinstance(name, str) else str(row["number"])


def to_plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is missing."""
    rows = pd.DataFrame(frame).astype(object)
    return [{str(k): v for k, v in row.items()} for row in rows.where(rows.notna(), None).to_dict("records")]
