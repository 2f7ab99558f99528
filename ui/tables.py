"""
Tables, states and times of the desk pages, as markup: every value escaped, because a name may be `<script>`.

Streamlit's own data frame is not used: its menu hands out files that no log knows of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import streamlit as st

LOCAL = ZoneInfo("Asia/Shanghai")
_STYLE = (Path(__file__).parent / "tables.css").read_text(encoding="utf-8")


def show_style() -> None:
    """The tables' style, once a page."""
    st.html(f"<style>{_STYLE}</style>")


def show_table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    narrow: frozenset[int] = frozenset(),
    dim: frozenset[int] = frozenset(),
) -> None:
    """
    A table; on a phone each row is a card with its heads before the values.

    Parameters
    ----------
    heads, rows
        Plain text.
    narrow
        Columns that are not broken into lines.
    dim
        Rows that matter no more.
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f"<tr{' class=sh-dim' if number in dim else ''}>{_build_cells(heads, row, narrow)}</tr>"
        for number, row in enumerate(rows)
    )
    st.html(f'<div class="sh-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _build_cells(heads: Sequence[str], row: Sequence[str], narrow: frozenset[int]) -> str:
    return "".join(
        f'<td data-head="{escape(heads[column], quote=True)}"{" class=sh-narrow" if column in narrow else ""}>'
        f"{escape(text)}</td>"
        for column, text in enumerate(row)
    )


def show_lead(text: str) -> None:
    """What the page is for, under its title."""
    st.html(f'<p class="sh-lead">{escape(text)}</p>')


def show_empty(text: str) -> None:
    """Nothing is here, and what to do next."""
    st.html(f'<div class="sh-empty">{escape(text)}</div>')


def show_state(state: str, title: str, text: str = "") -> None:
    """A state with a colour: `whole`, `broken` or `unknown`; the words say it too."""
    more = f" · {escape(text)}" if text else ""
    html = f'<div class="sh-state" data-state="{escape(state)}" role="status"><b>{escape(title)}</b>{more}</div>'
    st.html(html)


def format_time(moment: object) -> str:
    """An aware time as people here read it, to the minute; empty for a missing one."""
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}" if isinstance(moment, datetime) and moment == moment else ""


def format_second(moment: object) -> str:
    """As `format_time`, to the second."""
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}" if isinstance(moment, datetime) and moment == moment else ""
