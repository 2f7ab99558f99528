"""The view of a round (今日路线): due visits of a worker or grid as a walk with times, on the map, with its notices."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from data.queries import find_grids, find_key_sites, find_last_place, find_round_tasks, find_zone_owners, get_info
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from gis.errors import RecordMissingError, RefusedError
from gis.walk_links import Spot
from i18n import Language, t
from incidents.walking import NETWORK_TABLES, get_walk_network
from tasks.round_plan import PlannedRound, RoundAsk, plan_round, to_spot
from tasks.round_rules import read_round_rules
from tasks.visit_rounds import MOST_STOPS
from ui.cards import escape_markdown
from ui.components.drawing.component import show_drawing
from ui.files import ReadyFile, show_file
from ui.notice_paper import Notice, print_notices
from ui.report_files import MIME, PDF
from ui.round_map import build_round_map
from ui.tables import LOCAL, format_time, show_empty
from ui.task_words import find_now, say_kind, say_span, to_rows

_DUE = {"today": 0, "three_days": 3, "all": 400}
_FIRST, _LAST = time(8, 30), time(21, 30)
_MOST = MOST_STOPS
"""More visits no day of one worker holds; so many are put in order within a second."""
_USUAL_END = time(17, 30)


def show_round(store: Store, viewer: Viewer, lang: Language) -> None:
    """Ask whose, from where and when; then the walk."""
    now = find_now(store).astimezone(LOCAL)
    whose = _choose_whose(store, viewer, lang)
    starts = _list_starts(store, viewer, now, lang)
    if not starts:
        st.info(t("round.no_start", lang))
        return
    box = st.expander(t("round.setting", lang), expanded=viewer.role is not Role.GRID_WORKER, key="round_setting")
    first, second, third, fourth = box.columns([3, 2, 2, 2])
    start = first.selectbox(t("round.start", lang), list(starts), key=f"round_start_{lang}")
    begin, end = _propose_times(now)
    at = second.time_input(t("round.at", lang), value=begin, step=timedelta(minutes=5), key=f"round_at_{lang}")
    until = third.time_input(t("round.until", lang), value=end, step=timedelta(minutes=15), key=f"round_until_{lang}")
    due = fourth.selectbox(
        t("round.due", lang), list(_DUE), index=1, format_func=lambda name: t(f"round.due_{name}", lang),
        key=f"round_due_{lang}",
    )  # fmt: skip
    back = box.toggle(t("round.back", lang), key=f"round_back_{lang}")
    if until <= at:
        st.warning(t("round.times_wrong", lang))
        return
    ask = RoundAsk(
        starts[start], datetime.combine(now.date(), at, LOCAL), datetime.combine(now.date(), until, LOCAL), back
    )
    due_until = datetime.combine(now.date() + timedelta(days=_DUE[due] + 1), time(), LOCAL)
    found = find_round_tasks(store, viewer, until=due_until, limit=_MOST, **whose)
    rows = [{**row, "geom": point} for row, point in zip(to_rows(found), found.geometry, strict=True)]
    if not rows:
        show_empty(t("round.empty", lang))
        return
    if rows[0]["total"] > len(rows):
        st.caption(t("round.too_many", lang, n=len(rows), all=rows[0]["total"]))
    try:
        plan = _plan(_build_key(store, rows, ask), store, rows, ask)
    except RecordMissingError:
        st.info(t("round.no_roads", lang))
        return
    _show_plan(store, viewer, plan, ask, lang)


@st.cache_resource(max_entries=64, show_spinner=False)
def _plan(key: tuple[object, ...], _store: Store, _rows: list[dict[str, Any]], _ask: RoundAsk) -> PlannedRound:  # noqa: ARG001
    """The round; of the same tasks, ways and times it is looked for once."""
    return plan_round(get_walk_network(_store), read_round_rules(_store), _rows, _ask)


def _build_key(store: Store, rows: list[dict[str, Any]], ask: RoundAsk) -> tuple[object, ...]:
    tasks = tuple((row["task_id"], row["changed_utc"], row["due_utc"], row["priority"]) for row in rows)
    start = (ask.start.point.x, ask.start.point.y, ask.start.building_id, ask.start.entrance_id, ask.start.level)
    ways = store.revision(*NETWORK_TABLES, "rule_tables", "units", "key_sites")
    return (str(store.path), ways, tasks, start, ask.at, ask.until, ask.back)


def _choose_whose(store: Store, viewer: Viewer, lang: Language) -> dict[str, Any]:
    """My own; for who may see more, also those of a grid or of another worker."""
    grids = find_grids(store, viewer)
    names: dict[tuple[str, str], str] = {("account", viewer.account_id or ""): t("round.mine", lang)}
    names |= {("grid", str(one)): str(name) for one, name in zip(grids["grid_id"], grids["name"], strict=True)}
    if viewer.role is not Role.GRID_WORKER:
        people = find_zone_owners(store, viewer)
        names |= {
            ("account", str(row["account_id"])): str(row["name"])
            for row in people.to_dict("records")
            if row["account_id"] != viewer.account_id
        }
    options = list(names)
    start = 0 if viewer.role is Role.GRID_WORKER or len(options) == 1 else 1
    kind, one = st.selectbox(
        t("round.whose", lang), options, index=start, format_func=lambda key: names[key], key=f"round_whose_{lang}"
    )
    return {"grid_id": one} if kind == "grid" else {"account_id": one}


def _list_starts(store: Store, viewer: Viewer, now: datetime, lang: Language) -> dict[str, Spot]:
    """Where the viewer was last today, police offices, then gates of the community's other sites."""
    starts: dict[str, Spot] = {}
    midnight = datetime.combine(now.date(), time(), LOCAL)
    last = find_last_place(store, viewer, since=midnight)
    for row, point in zip(to_rows(last), last.geometry, strict=True):
        at = f"{row['at_utc'].astimezone(LOCAL):%H:%M}"
        starts[t("round.last_place", lang, place=row["place_text"], at=at)] = to_spot({**row, "geom": point})
    sites = find_key_sites(store, viewer)
    order = sites["kind"].ne("police_office")
    for _, row in sites[~order].iterrows():
        starts[str(row["name"])] = Spot(row["geom"])
    if not starts:
        for _, row in sites.iterrows():
            starts[str(row["name"])] = Spot(row["geom"])
    return starts


def _propose_times(now: datetime) -> tuple[time, time]:
    """From now on, or from the beginning of work; until its end, or the evening where that is near."""
    begin = now.time().replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    begin = min(max(begin, _FIRST), time(20))
    return begin, _USUAL_END if begin < time(16, 30) else _LAST


def _show_plan(store: Store, viewer: Viewer, plan: PlannedRound, ask: RoundAsk, lang: Language) -> None:
    total = t(
        "round.total", lang, n=len(plan.visits), walk=_to_minutes(plan.walk), wait=_to_minutes(plan.wait),
        over=_say_time(plan.over), out=_say_time(plan.sets_out),
    )  # fmt: skip
    st.markdown(f"**{escape_markdown(total)}**")
    notes = [t("round.exact" if plan.is_exact else "round.searched", lang)]
    notes += [] if plan.is_verified else [t("round.unverified", lang)]
    st.caption(escape_markdown(" · ".join(notes)))
    left, right = st.columns([3, 2], gap="large")
    with right:
        show_drawing(build_round_map(store, viewer, plan, ask.start.point, title=t("round.map", lang)), key="round_map")
        st.caption(t("round.map_legend", lang))
        _offer_papers(store, plan, lang)
    with left:
        for number, one in enumerate(plan.visits, start=1):
            _show_visit(number, one, lang)
        if plan.left_out:
            st.subheader(t("round.left_out", lang))
            st.markdown("\n".join(f"- {_say_left(one, lang)}" for one in plan.left_out))


def _show_visit(number: int, one: Any, lang: Language) -> None:
    marks = f":orange-badge[{t('round.late', lang)}] " if one.is_late else ""
    marks += f":violet-badge[{t('tasks.priority_urgent', lang)}] " if one.task["priority"] == "urgent" else ""
    marks += f":blue-badge[{t('round.promised', lang)}] " if one.is_promised else ""
    href = f"/tasks?{urlencode({'task': one.task['task_id'], 'lang': lang})}"
    words = [
        t("round.walk", lang, n=_to_minutes(one.walk)),
        say_kind(one.task["kind"], lang),
        t("round.stay", lang, n=_to_minutes(one.leave - one.begin)),
    ]
    wait = one.begin - one.arrival
    words += [t("round.wait", lang, at=_say_time(one.arrival), n=_to_minutes(wait))] if wait.seconds >= 60 else []
    words += [t("round.slack", lang, n=_to_minutes(one.slack))] if one.slack < timedelta(hours=2) else []
    gates = [gate.name for gate in one.way.gates if gate.name] if one.way is not None else []
    words += [t("round.through", lang, gates=t("tasks.comma", lang).join(gates))] if gates else []
    words += [t("round.absent", lang, n=one.task["absent_count"])] if one.task["absent_count"] else []
    with st.container(border=True):
        place = escape_markdown(one.task["place_text"])
        st.markdown(f"**{number} · {_say_time(one.begin)}** {marks}[{place}]({href})")
        st.caption(escape_markdown(" · ".join(words)))


def _say_left(one: Any, lang: Language) -> str:
    why = t(f"round.why_{one.why}", lang)
    if one.why == "again":
        why = t("round.why_again_at", lang, at=format_time(one.task["again_utc"]))
    if one.needed is not None:
        why = t("round.why_no_time_n", lang, left=say_span(one.needed, lang))
    return f"{escape_markdown(one.task['place_text'])} · {escape_markdown(why)}"


def _offer_papers(store: Store, plan: PlannedRound, lang: Language) -> None:
    """Packs in the order of the round, and a notice for each home where nobody may open."""
    if not plan.visits:
        return
    asked = "".join(f"&task={one.task['task_id']}" for one in plan.visits)
    st.link_button(t("round.packs", lang), f"/packs.pdf?lang={lang}{asked}", width="stretch")
    if st.button(t("round.notices", lang), help=t("round.notices_help", lang), key="notices", width="stretch"):
        make_notices(store, [one.task for one in plan.visits], lang)


def make_notices(store: Store, tasks: list[Any], lang: Language) -> None:
    """A file of notices, one for each task; when somebody comes again is filled in where it is agreed."""
    info = get_info(store)
    mark = t("table.drill", lang) if info.drill else t("table.synthetic", lang) if info.synthetic else ""
    notices = [
        Notice(
            one["place_text"], str(one["kind"]), format_time(one["changed_utc"]) if one.get("again_utc") else "",
            format_time(one["again_utc"]) if one.get("again_utc") else "",
        )
        for one in tasks
    ]  # fmt: skip
    try:
        content = print_notices(notices, office=info.name, printed=format_time(utc_now()), mark=mark, lang=lang)
    except RefusedError:
        st.error(t("command.report_no_font", lang))
        return
    name = f"notices-{utc_now().astimezone(LOCAL):%Y%m%d}.pdf"
    show_file(ReadyFile(name, MIME[PDF], content), t("round.notices_ready", lang), t("audit.download", lang, name=name))


def _say_time(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%H:%M}"


def _to_minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
