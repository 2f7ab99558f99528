"""What became of a plan: stop by stop, place by place, and why what was missed was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from data.moments import to_aware
from data.patrols import say_reason
from data.queries import find_patrol_dispatches, find_patrol_presences, find_patrol_reasons
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, t
from incidents.patrol_done import PlannedStop, Presence, State, StopDone, compare, compare_places, to_presences
from ui.notes import put_note
from ui.patrol_form import PAGE
from ui.patrol_map import say_team
from ui.tables import LOCAL, show_empty, show_table

Json = dict[str, Any]


def show_done(store: Store, viewer: Viewer, plan: Json, call_signs: Mapping[str, str], lang: Language) -> None:
    """Draw it."""
    if plan["state"] not in ("running", "done"):
        show_empty(t("patrol.not_begun", lang))
        return
    rows, presences = read_done(store, viewer, plan, now=utc_now())
    over = [row for row in rows if row.state is not State.TO_COME]
    first, second, third, fourth = st.columns(4)
    planned, minutes = (sum(getattr(row, name) for row in over) for name in ("planned_minutes", "minutes"))
    first.metric(t("patrol.done_minutes", lang), f"{minutes:.0f} / {planned:.0f}", help=t("patrol.done_help", lang))
    whole = _count(rows, State.DONE) + _count(rows, State.CHECKED)
    second.metric(t("patrol.done_stops", lang), f"{whole} / {len(over)}")
    third.metric(t("patrol.short_stops", lang), _count(rows, State.SHORT))
    fourth.metric(t("patrol.missed_stops", lang), _count(rows, State.MISSED))
    st.caption(t("patrol.done_basis", lang))
    names = {one["place_id"]: one["name"] for one in plan["asked"]["places"]}
    teams = [say_team(team, call_signs) for team in plan["found"]["teams"]]
    heads = ("team", "place", "stay", "there", "minutes", "state", "reason")
    show_table(
        [t(f"patrol.head_{name}", lang) for name in heads],
        [_say_row(row, teams, names, lang) for row in rows],
        narrow=frozenset({2, 3, 4}),
        dim=frozenset(n for n, row in enumerate(rows) if row.state is State.TO_COME),
    )
    if get_right(viewer.role, "action", "plan_patrol") is not Right.NO:
        _ask_reason(store, viewer, plan, [row for row in over if row.state in (State.SHORT, State.MISSED)], names, lang)
    st.subheader(t("patrol.by_place", lang))
    stops = [row.stop for row in rows]
    cells = [
        [
            names.get(one.place, one.place), f"{one.minutes:.0f} / {one.planned_minutes:.0f}",
            str(one.check_ins), _say_gap(one.gap_minutes, lang), _say_gap(one.planned_gap_minutes, lang),
        ]
        for one in compare_places(stops, presences)
    ]  # fmt: skip
    show_table(
        [t(f"patrol.head_{name}", lang) for name in ("place", "minutes", "check_ins", "gap", "planned_gap")], cells
    )


def read_done(
    store: Store, viewer: Viewer, plan: Json, *, now: datetime
) -> tuple[tuple[StopDone, ...], list[Presence]]:
    """Stops of a plan with what became of each, in the order of their times; and the presences they rest on."""
    plan_id, teams = plan["plan_id"], plan["found"]["teams"]
    stops = [
        PlannedStop(
            stop["stop_id"], number, stop["place_id"], datetime.fromisoformat(stop["begin"]),
            datetime.fromisoformat(stop["leave"]),
        )
        for number, team in enumerate(teams)
        for stop in team["stops"]
    ]  # fmt: skip
    presences = to_presences(find_patrol_presences(store, viewer, plan_id=plan_id))
    away = [
        (int(row["team_no"]) - 1, row["sent_utc"].to_pydatetime(), to_aware(row["ended_utc"]))
        for row in find_patrol_dispatches(store, viewer, plan_id).to_dict("records")
    ]
    reasons = find_patrol_reasons(store, viewer, plan_id)
    said = dict(zip(reasons["stop_id"].astype(str), reasons["reason"].astype(str), strict=True))
    members = [team["members"] for team in teams]
    rows = compare(
        sorted(stops, key=lambda one: (one.begin, one.team)), members, presences, now=now, away=away, said=said
    )
    return rows, presences


def _count(rows: Sequence[StopDone], state: State) -> int:
    return sum(row.state is state for row in rows)


def _say_row(row: StopDone, teams: Sequence[str], names: Mapping[str, str], lang: Language) -> list[str]:
    begin, leave = (at.astimezone(LOCAL) for at in (row.stop.begin, row.stop.leave))
    why = row.said or ("" if row.missed is None else t(f"patrol.missed_{row.missed.value}", lang))
    sources = t("patrol.list_join", lang).join(t(f"patrol.source_{one}", lang) for one in row.sources)
    return [
        f"{row.stop.team + 1} · {teams[row.stop.team]}",
        names.get(row.stop.place, row.stop.place),
        f"{begin:%H:%M}–{leave:%H:%M}",
        "" if row.first is None else f"{row.first.astimezone(LOCAL):%H:%M}",
        f"{row.minutes:.0f} / {row.planned_minutes:.0f}",
        t(f"patrol.done_{row.state.value}", lang) + (f" · {sources}" if sources else ""),
        why,
    ]


def _say_gap(minutes: float | None, lang: Language) -> str:
    return t("patrol.one_visit", lang) if minutes is None else t("patrol.minutes", lang, n=f"{minutes:.0f}")


def _ask_reason(
    store: Store, viewer: Viewer, plan: Json, rows: Sequence[StopDone], names: Mapping[str, str], lang: Language
) -> None:
    if not rows:
        return
    known = {row.stop.stop_id: row for row in rows}

    def say(stop_id: str) -> str:
        stop = known[stop_id].stop
        return f"{stop.team + 1} · {stop.begin.astimezone(LOCAL):%H:%M} {names.get(stop.place, stop.place)}"

    with (
        st.expander(t("patrol.say_reason", lang), key="patrol_reason"),
        st.form(key="patrol_reason_form", border=False),
    ):
        stop_id = st.selectbox(t("patrol.which_stop", lang), list(known), format_func=say)
        reason = st.text_input(t("patrol.reason", lang), max_chars=200)
        if st.form_submit_button(t("patrol.save", lang), type="primary"):
            try:
                say_reason(store, viewer, plan["plan_id"], stop_id, reason, clock=utc_now)
            except ShapanError:
                st.error(t("patrol.reason_short", lang))
                return
            put_note(PAGE, "done", t("patrol.reason_kept", lang))
            st.rerun()
