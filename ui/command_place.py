"""One place of any kind: its lines, its incidents, and what can be done there: patrol, or a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from data.rights import Right, get_right
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui.cards import escape_markdown
from ui.command_data import Situation
from ui.command_repeats_data import Ground
from ui.command_state import Prefill, choose_ground, start_zone
from ui.command_task import offer_task
from ui.command_words import say_change, say_kind, say_status
from ui.tables import format_time, show_empty, show_table

_MOST_INCIDENTS = 60
_BLOCK_M = 8.0
_WAY_M = 12.0


def show_ground(store: Store, viewer: Viewer, situation: Situation, ground: Ground, lang: Language) -> None:
    """Its lines and buttons; the incidents are drawn by `show_incidents`, over the whole width."""
    st.subheader(escape_markdown(ground.name))
    lines = [
        t("bench.place_kind", lang, kind=t(f"bench.by_{ground.key.partition(':')[0]}", lang)),
        say_own_count(ground, situation, lang),
        say_callers(ground, lang),
        say_kinds(situation, ground.inside & situation.in_period, lang),
    ]
    for line in filter(None, lines):
        st.markdown(escape_markdown(line))
    with st.container(horizontal=True):
        prefill = build_ground_prefill(ground, situation, lang)
        if prefill is not None:
            offer(store, viewer, prefill, "command", lang)
        st.button(t("command.back", lang), key="command_ground_back", on_click=choose_ground, args=(None,))


def offer(store: Store, viewer: Viewer, prefill: Prefill, key: str, lang: Language) -> None:
    """The buttons of a place: patrol here, or make a task."""
    if get_right(viewer.role, "action", "manage_zones") is not Right.NO:
        st.button(
            t("command.patrol", lang), key=f"{key}_patrol", type="primary", on_click=start_zone, args=(prefill,)
        )  # fmt: skip
    offer_task(store, viewer, prefill, key, lang)


def say_own_count(ground: Ground, situation: Situation, lang: Language) -> str:
    """A place against itself."""
    if ground.change is None:
        return t("bench.no_change", lang, n=ground.count)
    return say_change(ground.change, situation.question.weeks, lang)


def say_callers(ground: Ground, lang: Language) -> str:
    """N of M from one caller, where it is half or more of at least two; empty else. No caller is ever listed."""
    if ground.n_one_caller < 2 or 2 * ground.n_one_caller < ground.count:
        return ""
    return t("command.one_caller", lang, n=ground.n_one_caller, total=ground.count).strip()


def say_kinds(situation: Situation, own: NDArray[np.bool_], lang: Language) -> str:
    """The kinds of some incidents, most first; empty where there are none."""
    tops = situation.rows.loc[own, "category"].value_counts()
    if not len(tops):
        return ""
    kinds = t("command.list_comma", lang).join(f"{say_kind(situation, k, lang)} {n}" for k, n in tops.head(6).items())
    return t("command.kinds_of", lang, kinds=kinds)


def build_ground_prefill(ground: Ground, situation: Situation, lang: Language) -> Prefill | None:
    """The form of a zone around the place; None where nobody knows where it is."""
    if ground.geometry is None:
        return None
    outline = find_ground_outline(ground)
    by, _, place = ground.key.partition(":")
    is_place = by in ("building", "unit", "address")
    known = by in ("building", "unit")
    return Prefill(
        name=ground.name[:40], reason=say_own_count(ground, situation, lang)[:390], wkt=outline.wkt,
        kind="repeat_alarm" if is_place else "beat", kinds=situation.question.kinds,
        subject_kind=by if known else "", subject_id=place if known else "",
        incidents=find_incident_ids(situation, ground.inside),
    )  # fmt: skip


def find_incident_ids(situation: Situation, inside: NDArray[np.bool_]) -> tuple[str, ...]:
    """Ids of the incidents of the period there."""
    return tuple(situation.rows.loc[inside & situation.in_period, "incident_id"].astype(str))


def find_ground_outline(ground: Ground) -> Any:
    """What a zone around it would be: a grid as it is, a house or a piece of road a little wider."""
    if ground.key.startswith("grid:"):
        return ground.geometry
    return ground.geometry.buffer(_WAY_M if ground.key.startswith("segment:") else _BLOCK_M)


def show_incidents(situation: Situation, inside: NDArray[np.bool_], lang: Language) -> None:
    """Time, kind and standard address: callers and what they said are opened at the desk, for a purpose."""
    rows = situation.rows[inside & situation.in_period].sort_values("occurred_from_utc", ascending=False)
    st.subheader(t("command.incidents", lang, n=len(rows)))
    if rows.empty:
        show_empty(t("command.nothing_here", lang))
        return
    show_table(
        [t(f"command.head_{name}", lang) for name in ("at", "kind", "address", "status")],
        _to_cells(situation, rows.head(_MOST_INCIDENTS), lang),
        narrow=frozenset({0}),
    )
    if len(rows) > _MOST_INCIDENTS:
        st.caption(t("bench.more_incidents", lang, n=_MOST_INCIDENTS, of=len(rows)))
    st.caption(t("command.incidents_text", lang))


def _to_cells(situation: Situation, rows: pd.DataFrame, lang: Language) -> Sequence[Sequence[str]]:
    return [
        [
            format_time(row["occurred_from_utc"]), say_kind(situation, row["category"], lang),
            row["address"] if isinstance(row["address"], str) else "", say_status(row["status"], lang),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip
