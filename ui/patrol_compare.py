"""Today's plan and the proposed one side by side under one clock, and what changes at each place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui.components.patrol.component import show_routes
from ui.patrol_map import build_map_data
from ui.patrol_words import say_shift, say_time
from ui.tables import show_empty, show_table

Json = dict[str, Any]
_MINUTE = timedelta(minutes=1)


def show_compare(
    store: Store, viewer: Viewer, plan: Json, base: Json | None, call_signs: Mapping[str, str], lang: Language
) -> None:
    """Draw it; without an earlier plan it says so."""
    if base is None:
        show_empty(t("patrol.no_base", lang))
        return
    panes = [
        (t("patrol.pane_base", lang, shift=say_shift(base)), base),
        (t("patrol.pane_plan", lang, shift=say_shift(plan)), plan),
    ]
    show_routes(build_map_data(store, viewer, panes, call_signs, lang), key=f"patrol-compare-{plan['plan_id']}")
    first, second = st.columns(2)
    for column, (title, one) in zip((first, second), panes, strict=True):
        found = one["found"]
        share = found["covered"] / found["expected"] if found["expected"] else 0.0
        visits = sum(len(team["stops"]) for team in found["teams"])
        column.metric(title, f"{100 * share:.1f} %", help=t("patrol.covered_help", lang))
        column.caption(t("patrol.pane_figures", lang, visits=visits, teams=len(found["teams"])))
    st.subheader(t("patrol.changes", lang))
    rows = list_changes(base, plan, lang)
    if rows:
        heads = [t(f"patrol.head_{name}", lang) for name in ("place", "before", "after", "times", "verdict")]
        show_table(heads, rows, narrow=frozenset({1, 2}))
    else:
        st.caption(t("patrol.no_changes", lang))


def list_changes(base: Json, plan: Json, lang: Language) -> list[list[str]]:
    """Places whose visits differ, those with the largest difference first."""
    before, after = _by_place(base), _by_place(plan)
    names = {**{k: v[0] for k, v in before.items()}, **{k: v[0] for k, v in after.items()}}
    rows = []
    for place_id, name in names.items():
        old, new = (found.get(place_id, (name, 0.0, []))[1:] for found in (before, after))
        if old[1] == new[1]:
            continue
        verdict = "new" if not old[1] else "gone" if not new[1] else "more" if new[0] > old[0] else "fewer"
        if old[1] and new[1] and abs(new[0] - old[0]) < 1:
            verdict = "moved"
        cells = [
            name, t("patrol.minutes", lang, n=f"{old[0]:.0f}"), t("patrol.minutes", lang, n=f"{new[0]:.0f}"),
            t("patrol.arrow", lang, before=_join(old[1], lang), after=_join(new[1], lang)),
            t(f"patrol.verdict_{verdict}", lang),
        ]  # fmt: skip
        rows.append((-abs(new[0] - old[0]), name, cells))
    return [cells for _, _, cells in sorted(rows)]


def _by_place(plan: Json) -> dict[str, tuple[str, float, list[str]]]:
    """Name, minutes and begins of the visits of each place."""
    found: dict[str, tuple[str, float, list[str]]] = {}
    for team in plan["found"]["teams"]:
        for stop in team["stops"]:
            name, minutes, times = found.get(stop["place_id"], (stop["name"], 0.0, []))
            stay = (datetime.fromisoformat(stop["leave"]) - datetime.fromisoformat(stop["begin"])) / _MINUTE
            found[stop["place_id"]] = (name, minutes + stay, sorted([*times, say_time(stop["begin"])]))
    return found


def _join(times: list[str], lang: Language) -> str:
    return t("patrol.list_join", lang).join(times) or t("patrol.nobody_there", lang)
