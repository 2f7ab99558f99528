"""Freshness on the board: the three most valuable mends today, differences that wait to be accepted, suspicions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import streamlit as st

from data.freshness import decide_proposal
from data.queries import find_freshness, find_mends, find_proposals, find_verdicts
from data.rights import Right, get_right
from data.store import Store, utc_now
from data.task_places import find_task_places
from data.viewer import Viewer
from gis.errors import NotAllowedError, ShapanError
from i18n import Language, t
from tasks.doing import create_task
from tasks.group_rentals import VerdictAction, find_verdict_actions
from tasks.life_cycle import Kind, Origin, Priority, Receiver
from tasks.orders import NewTask
from tasks.rules import read_visit_rules
from tasks.verdicts import decide_verdict, find_verdict
from ui.cards import escape_markdown
from ui.notes import put_note
from ui.tables import LOCAL, format_time
from ui.task_words import find_now, say_mark, to_rows

PAGE = "board"
_OLD_DAYS = 90
_SHOWN = 20


def show_fresh(store: Store, viewer: Viewer, lang: Language) -> None:
    """Mends, differences and suspicions."""
    now = find_now(store)
    ages = find_freshness(store, viewer, now=now)
    visited = ages[ages["records"] > 0]
    old = int((visited["age_days"].isna() | (visited["age_days"] > _OLD_DAYS)).sum())
    st.caption(t("board.fresh_text", lang, n=len(visited), old=old, days=_OLD_DAYS))
    _show_mends(store, viewer, lang)
    _show_proposals(store, viewer, lang)
    _show_verdicts(store, viewer, lang)


def _show_mends(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("board.mends", lang))
    st.caption(t("board.mends_rule", lang))
    rules = read_visit_rules(store)
    cycles = {rule.value: max(rule.cycle_days, 1) for rule in rules if rule.about in ("rental_colour", "site_kind")}
    rows = to_rows(find_mends(store, viewer, now=find_now(store), cycles=cycles))
    if not rows:
        st.caption(t("board.mends_none", lang))
    for row in rows:
        place = find_task_places(store, row["kind"], [row["id"]]).get(row["id"])
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            known = (
                t("board.known_days", lang, n=round(row["age_days"])) if row["known_utc"] else t("board.never", lang)
            )
            mark = say_mark(row["kind"], row["mark"], lang)
            words = [
                mark,
                known,
                t("board.people", lang, n=int(row["people"])),
                t("board.cycle", lang, n=row["cycle_days"]),
            ]
            words += [t("board.suspected", lang)] if row["suspected"] else []
            text = place.text if place is not None else row["id"]
            st.markdown(f"**{escape_markdown(text)}**  \n{escape_markdown(' · '.join(words))}")
            if st.button(t("board.mend", lang), key=f"mend-{row['id']}", type="primary"):
                _do(lang, "mended", partial(_send, store, viewer, row))


def _send(store: Store, viewer: Viewer, row: Mapping[str, Any]) -> None:
    """A verification by tomorrow evening, for whoever looks after that grid."""
    tomorrow = utc_now().astimezone(LOCAL).date() + timedelta(days=1)
    receiver = Receiver("grid", row["grid_id"]) if row["grid_id"] else Receiver("role", "officer")
    new = NewTask(
        Kind.VERIFICATION, row["kind"], datetime.combine(tomorrow, time(18), LOCAL).astimezone(UTC), row["id"],
        origin=Origin.COMMANDER, priority=Priority.NORMAL, receiver=receiver, checklist="rental",
        key=f"mend {row['kind']} {row['id']} {tomorrow}",
    )  # fmt: skip
    create_task(store, viewer, new, clock=utc_now)


def _show_proposals(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("board.proposals", lang))
    rows = to_rows(find_proposals(store, viewer))
    if not rows:
        st.caption(t("board.proposals_none", lang))
    may = get_right(viewer.role, "action", "decide_proposal") is not Right.NO
    for row in rows[:_SHOWN]:
        place = find_task_places(store, row["subject_kind"], [row["subject_id"]]).get(row["subject_id"])
        with st.container(border=True):
            what = t(f"board.what_{row['what']}", lang)
            field = t(f"board.field_{row['field']}", lang)
            text = place.text if place is not None else row["subject_id"]
            change = f"{field} {row['old_value'] or '–'} → {row['new_value']}"
            st.markdown(f"**{escape_markdown(text)}** · {what} · {escape_markdown(change)}")
            seen = t("board.seen", lang, who=row["proposed_by_name"], at=format_time(row["seen_utc"]))
            st.caption(escape_markdown(" · ".join(filter(None, (seen, row["note"])))))
            if may:
                with st.container(horizontal=True):
                    for accept, name in ((True, "accept"), (False, "reject")):
                        if st.button(t(f"board.{name}", lang), key=f"{name}-{row['proposal_id']}"):
                            act = partial(
                                decide_proposal, store, viewer, row["proposal_id"], accept=accept, clock=utc_now
                            )
                            _do(lang, f"{name}ed", act)


def _show_verdicts(store: Store, viewer: Viewer, lang: Language) -> None:
    st.subheader(t("board.verdicts", lang))
    st.caption(t("board.verdicts_text", lang))
    rows = [row for row in to_rows(find_verdicts(store, viewer)) if row["state"] not in ("expired", "dismissed")]
    if not rows:
        st.caption(t("board.verdicts_none", lang))
    for row in rows[:_SHOWN]:
        with st.container(border=True):
            state = t(f"board.verdict_{row['state']}", lang)
            st.markdown(
                f"**{escape_markdown(row['place_text'])}** · {state} · {escape_markdown(row['suspicion_reason'] or '')}"
            )
            facts = [t("board.since_day", lang, at=format_time(row["since_utc"]))]
            facts += [t("board.expires", lang, at=format_time(row["expires_utc"]))] if row["expires_utc"] else []
            facts += [row["reason"]] if row["reason"] else []
            st.caption(escape_markdown(" · ".join(facts)))
            _ask_verdict(store, viewer, row["rental_id"], lang)


def _ask_verdict(store: Store, viewer: Viewer, rental_id: str, lang: Language) -> None:
    actions = find_verdict_actions(find_verdict(store, rental_id))
    rights = {VerdictAction.DISPUTE: "dispute_verdict"}
    allowed = [
        one for one in actions if get_right(viewer.role, "action", rights.get(one, "decide_verdict")) is not Right.NO
    ]
    if not allowed:
        return
    with st.popover(t("board.decide", lang)), st.form(key=f"verdict-{rental_id}", border=False):
        action = st.radio(
            t("board.decide", lang), allowed, format_func=lambda one: t(f"board.verdict_do_{one}", lang),
            label_visibility="collapsed",
        )  # fmt: skip
        reason = st.text_input(t("tasks.reason", lang), max_chars=200, help=t("tasks.reason_help", lang))
        if st.form_submit_button(t("board.decide", lang), type="primary"):
            _do(lang, "decided", lambda: decide_verdict(store, viewer, rental_id, action, reason, clock=utc_now))


def _do(lang: Language, done: str, work: Callable[[], object]) -> None:
    try:
        result = work()
    except NotAllowedError:
        put_note(PAGE, "problem", t("tasks.not_yours", lang))
    except ShapanError:
        put_note(PAGE, "problem", t("board.failed", lang))
    else:
        is_outdated = result == "outdated"
        put_note(
            PAGE, "problem" if is_outdated else "done", t("board.outdated" if is_outdated else f"board.{done}", lang)
        )
    st.rerun()
