"""Patrol plans in the store: states and events, tasks and presences; two who plan at once; what was done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.audit import verify
from data.moments import get_aware
from data.patrols import (
    PlanDraft,
    approve_plan,
    drop_plan,
    end_plan,
    propose_plan,
    rebuild_plans,
    revise_plan,
    say_reason,
    start_plan,
    to_plan,
)
from data.queries import find_own_patrols, find_patrol_plans, find_patrol_presences
from data.retention import apply_retention
from data.runtime import Runtime
from data.secret_files import get_secret_path
from data.settings import Settings
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from i18n import t
from incidents.forces import PositionReport, take_positions
from incidents.patrol_following import follow_patrols, put_presences
from layers import SCENES
from server.events import EventHub
from server.phone_patrol import PATH, build_patrol_routes
from server.state import AppState
from tasks.cards import get_card
from tasks.checkin_points import add_point, build_draft
from tasks.checkin_rules import Way
from tasks.checkins import check_in
from tasks.volunteers import NewVolunteer, join
from tests.fixtures.access import START, Clock, found

COMMANDER = Viewer(Role.COMMANDER, account_id="a-1", name="chief")
OFFICER = Viewer(Role.OFFICER, account_id="a-2", name="officer07")
BEGIN, END = START + timedelta(hours=1), START + timedelta(hours=5)
BASE: dict[str, Any] = {"start": {"name": "警务室", "x_m": 0.0, "y_m": 0.0}, "back": None}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Store]:
    """A village with three people on duty, its boundary far around."""
    path: Path = tmp_path_factory.mktemp("patrols") / "demo.duckdb"
    with Store(path, clock=clock) as opened:
        opened.write(found)
        opened.write(lambda tx: tx.execute("occupants", "DELETE FROM occupants"))  # nothing depends on a secret yet
        sql = """INSERT INTO responders (responder_id, call_sign, kind, full_time, status, duty_from, duty_to)
            SELECT 'p' || n, '警员0' || n, 'officer', true, 'off', TIME '00:00', TIME '00:00' FROM range(1, 4) t(n)"""
        opened.write(lambda tx: tx.execute("responders", sql))
        yield opened


@pytest.fixture(autouse=True)
def anew(store: Store, clock: Clock) -> None:
    clock.now = START
    tables = ("patrol_plans", "patrol_stops", "patrol_members", "patrol_presences", "patrol_reasons", "events")
    store.write(lambda tx: [tx.execute(table, f"DELETE FROM {table}") for table in tables])
    store.write(lambda tx: tx.execute("responders", "UPDATE responders SET geom = NULL, position_utc = NULL"))


def way(x: float, *gates: str) -> dict[str, Any]:
    shut = [{"gate_id": one, "name": one, "closes_at": "22:00", "opens_at": "06:00"} for one in gates]
    return {"line": [[0.0, 0.0], [x, 0.0]], "length_m": x, "minutes": x / 84, "gates": shut}


def stop(place: str, x: float, minutes: float) -> dict[str, Any]:
    begin = BEGIN + timedelta(minutes=minutes)
    return {
        "stop_id": f"1-{place}-{minutes:g}", "place_id": place, "name": place, "x_m": x, "y_m": 0.0,
        "arrival": begin.isoformat(), "begin": begin.isoformat(), "covered": 0.1, "is_locked": False,
        "slack_minutes": 5.0, "way": way(x, "北门" if x else ""),
        "leave": (begin + timedelta(minutes=12)).isoformat(),
    }  # fmt: skip


def draft(*stops: dict[str, Any], seed: int = 1) -> PlanDraft:
    teams = [
        {"members": ["p1", "p2"], "stops": list(stops or (stop("a", 0, 10), stop("b", 300, 40))), **BASE},
        {"members": ["p3"], "stops": [], **BASE},
    ]
    return PlanDraft(BEGIN, END, seed, {"places": []}, {"teams": teams, "left_out": []})


def read_plans(store: Store) -> dict[str, dict[str, Any]]:
    rows = store.read("SELECT * FROM patrol_plans")
    return {str(row["plan_id"]): to_plan(row) for row in rows.to_dict("records")}


def rebuild(store: Store) -> dict[str, dict[str, Any]]:
    rows = store.read("SELECT kind, subject_id, at_utc, detail::VARCHAR AS detail FROM events ORDER BY event_id")
    return rebuild_plans((a, b, get_aware(c), d) for a, b, c, d in rows.itertuples(index=False))


def test_rows_are_what_the_events_lead_to(store: Store, clock: Clock) -> None:
    first = propose_plan(store, OFFICER, draft(), clock=clock)
    clock.move(minutes=3)
    revise_plan(store, OFFICER, first, draft(stop("b", 300, 20), seed=7), seen=1, clock=clock)
    approve_plan(store, COMMANDER, first, seen=2, clock=clock)
    second = propose_plan(store, COMMANDER, draft(), clock=clock)
    drop_plan(store, COMMANDER, second, clock=clock)
    clock.move(hours=1)
    start_plan(store, None, first, clock=clock)
    say_reason(store, OFFICER, first, "1-b-20", "救护车停在门口，电话13812341234", clock=clock)
    end_plan(store, COMMANDER, first, clock=clock)
    plans = read_plans(store)
    assert plans == rebuild(store)
    assert {one["state"] for one in plans.values()} == {"done", "dropped"}
    row = plans[first]
    assert (row["revision"], row["seed"], row["proposed_by"], row["approved_by"]) == (2, 7, "a-2", "a-1")
    assert (row["started_by"], row["ended_by"]) == ("server", "a-1")
    stops = store.read("SELECT place_id, team_no, stop_no FROM patrol_stops WHERE plan_id = ?", [first])
    assert list(stops.itertuples(index=False, name=None)) == [("b", 1, 1)]
    assert "13812341234" not in store.read("SELECT reason FROM patrol_reasons").to_json()
    assert "13812341234" not in store.read("SELECT detail::VARCHAR AS d FROM events").to_json()
    assert verify(store).is_whole


def test_a_plan_of_the_same_hours_and_people_is_replaced(store: Store, clock: Clock) -> None:
    first, later = propose_plan(store, OFFICER, draft(), clock=clock), draft()
    assert approve_plan(store, COMMANDER, first, seen=1, clock=clock) == ()
    evening = PlanDraft(END, END + timedelta(hours=2), 1, later.asked, later.found)
    other = propose_plan(store, OFFICER, evening, clock=clock)
    assert approve_plan(store, COMMANDER, other, seen=1, clock=clock) == ()
    second = propose_plan(store, OFFICER, draft(stop("b", 300, 20)), clock=clock)
    assert approve_plan(store, COMMANDER, second, seen=1, clock=clock) == (first,)
    states = {plan_id: row["state"] for plan_id, row in read_plans(store).items()}
    assert states == {first: "dropped", other: "approved", second: "approved"}
    assert read_plans(store) == rebuild(store)


def test_steps_that_may_not_follow_are_refused(store: Store, clock: Clock) -> None:
    plan_id = propose_plan(store, OFFICER, draft(), clock=clock)
    with pytest.raises(NotAllowedError):
        approve_plan(store, OFFICER, plan_id, seen=1, clock=clock)
    with pytest.raises(NotAllowedError):
        propose_plan(store, Viewer(Role.GRID_WORKER, frozenset({"g1"})), draft(), clock=clock)
    revise_plan(store, OFFICER, plan_id, draft(), seen=1, clock=clock)
    with pytest.raises(RefusedError, match="at revision 2, you looked at 1"):
        approve_plan(store, COMMANDER, plan_id, seen=1, clock=clock)
    with pytest.raises(RefusedError, match="at revision 2, you looked at 1"):
        revise_plan(store, COMMANDER, plan_id, draft(), seen=1, clock=clock)
    with pytest.raises(RefusedError, match="is proposed, expected approved"):
        start_plan(store, COMMANDER, plan_id, clock=clock)
    with pytest.raises(RefusedError, match="nothing of it can have been missed"):
        say_reason(store, COMMANDER, plan_id, "1-a-10", "下雨", clock=clock)
    approve_plan(store, COMMANDER, plan_id, seen=2, clock=clock)
    with pytest.raises(RefusedError, match="is approved, expected proposed"):
        revise_plan(store, OFFICER, plan_id, draft(), seen=2, clock=clock)
    with pytest.raises(RecordMissingError, match="no patrol plan 'p-0'"):
        drop_plan(store, COMMANDER, "p-0", clock=clock)
    start_plan(store, COMMANDER, plan_id, clock=clock)
    with pytest.raises(RecordMissingError, match="has no stop 'x'"):
        say_reason(store, COMMANDER, plan_id, "x", "下雨", clock=clock)


def walk(store: Store, clock: Clock, responder_id: str, x: float, at: datetime) -> None:
    clock.now = at
    take_positions(store, [PositionReport(x, 0.0, at, responder_id, accuracy_m=10)], clock=clock)
    follow_patrols(store, clock=clock)


def read_presences(store: Store) -> list[tuple[Any, ...]]:
    rows = store.read(
        "SELECT responder_id, place_id, from_utc, to_utc FROM patrol_presences ORDER BY from_utc, place_id"
    )
    plain = rows.astype(object).where(rows.notna(), None)
    return [
        (who, place, *((get_aware(at) - BEGIN) / timedelta(minutes=1) for at in times))
        for who, place, *times in plain.itertuples(index=False)
    ]


def test_a_patrol_is_followed_at_its_places_and_nowhere_else(store: Store, clock: Clock) -> None:
    plan_id = propose_plan(store, OFFICER, draft(), clock=clock)
    approve_plan(store, COMMANDER, plan_id, seen=1, clock=clock)
    walk(store, clock, "p1", 0.0, BEGIN - timedelta(minutes=1))
    assert read_plans(store)[plan_id]["state"] == "approved"
    for minutes, x in ((9, 150), (11, 40), (14, 0), (18, 59), (21, 70), (40, 290), (47, 300)):
        walk(store, clock, "p1", x, BEGIN + timedelta(minutes=minutes))
    walk(store, clock, "p2", 5.0, BEGIN + timedelta(minutes=48))
    # 50 m and the 10 m of the position's accuracy around a place; after seven minutes of silence it is another visit.
    assert read_presences(store) == [
        ("p1", None, 9, 9), ("p1", "a", 11, 18), ("p1", None, 21, 21), ("p1", "b", 40, 40), ("p1", "b", 47, 47),
        ("p2", "a", 48, 48),
    ]  # fmt: skip
    places = find_patrol_presences(store, OFFICER, plan_id=plan_id)
    assert set(places.loc[places["place_id"] == "b"].geometry.x) == {300.0}  # the place, not the person
    follow_patrols(store, clock=clock)
    assert len(read_presences(store)) == 6  # the same positions once more add nothing
    clock.now = END + timedelta(seconds=1)
    follow_patrols(store, clock=clock)
    assert read_plans(store)[plan_id]["state"] == "done"
    walk(store, clock, "p1", 0.0, END + timedelta(minutes=2))
    assert len(read_presences(store)) == 6
    checked = {"place_id": "b", "responder_id": "p2", "from_utc": BEGIN, "to_utc": BEGIN, "source": "check_in"}
    for _ in range(2):
        put_presences(store, plan_id, [checked])
    assert len(read_presences(store)) == 7
    clock.now = END + timedelta(days=30)
    apply_retention(store, clock=clock)
    clock.now += timedelta(hours=1)
    assert apply_retention(store, clock=clock)["patrol_presences"] == 0
    assert {row[0] for row in read_presences(store)} == {None}  # whose they were is forgotten, the minutes stay


def test_a_check_in_that_counts_is_a_presence_of_the_plan(store: Store, clock: Clock) -> None:
    plan_id = propose_plan(store, OFFICER, draft(), clock=clock)
    approve_plan(store, COMMANDER, plan_id, seen=1, clock=clock)
    start_plan(store, OFFICER, plan_id, clock=clock)
    today = START.date()
    near, far = (build_draft("东门岗亭", "夜间多次报警", x, 0.0, today=today) for x in (340.0, 100.0))
    points = [add_point(store, OFFICER, one, is_open=True, clock=clock) for one in (near, far)]
    volunteer = join(store, OFFICER, NewVolunteer("王阿姨", 1970, today), clock=clock)
    # The store had no secret before its first volunteer, as the sample has none: it is made in time.
    assert get_card(store, OFFICER, volunteer).secret
    assert get_secret_path(store.path).exists()
    clock.now = BEGIN + timedelta(minutes=42)
    for point in points:
        check_in(store, OFFICER, volunteer, point, Way.SCANNER, clock=clock)
    store.write(lambda tx: tx.execute("checkins", "UPDATE checkins SET state = 'counted'"))
    found = find_patrol_presences(store, OFFICER, plan_id=plan_id)
    # 40 m from stop b; the other point is 100 m from every stop.
    assert found[["place_id", "responder_id", "source"]].to_numpy().tolist() == [["b", volunteer, "check_in"]]
    assert found["from_utc"].iloc[0] == found["to_utc"].iloc[0] == clock()
    store.write(lambda tx: tx.execute("checkins", "UPDATE checkins SET state = 'pending'"))
    assert find_patrol_presences(store, OFFICER, plan_id=plan_id).empty


def test_whoever_walks_sees_their_own_route_only(store: Store, clock: Clock) -> None:
    plan_id = propose_plan(store, OFFICER, draft(), clock=clock)
    worker = Viewer(Role.GRID_WORKER, frozenset({"g1"}))
    assert find_own_patrols(store, worker, "p1", now=START).empty  # not approved yet
    approve_plan(store, COMMANDER, plan_id, seen=1, clock=clock)
    (row,) = find_own_patrols(store, worker, "p1", now=START).to_dict("records")
    assert [one["place_id"] for one in json.loads(row["team"])["stops"]] == ["a", "b"]
    assert json.loads(find_own_patrols(store, worker, "p3", now=START)["team"].iloc[0])["members"] == ["p3"]
    assert find_own_patrols(store, worker, "p1", now=END).empty
    with pytest.raises(NotAllowedError):
        find_patrol_plans(store, worker)
    assert len(find_patrol_plans(store, OFFICER, since=datetime(2027, 1, 1, tzinfo=UTC))) == 0


def open_phone(store: Store, clock: Clock, viewer: Viewer) -> TestClient:
    """The page as it is served, behind a door that has found out who asks."""
    runtime = Runtime(store, Settings(store.path.parent), is_demo=False)
    app = Starlette(routes=build_patrol_routes(AppState(runtime, clock, SCENES, EventHub(), "t", clock())))

    async def door(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["viewer"] = viewer
        await app(scope, receive, send)

    return TestClient(door)


def test_the_phone_of_who_walks_says_what_is_next(store: Store, clock: Clock) -> None:
    store.write(lambda tx: tx.execute("account_responders", "INSERT INTO account_responders VALUES ('a-2', 'p2')"))
    phone = open_phone(store, clock, OFFICER)
    assert t("patrol.phone_none", "zh") in phone.get(PATH).text
    plan_id = propose_plan(store, OFFICER, draft(), clock=clock)
    assert t("patrol.phone_none", "zh") in phone.get(PATH).text  # it is not approved
    approve_plan(store, COMMANDER, plan_id, seen=1, clock=clock)
    # By hand: the first stop begins ten minutes after 15:00, the second, by the north gate, at 15:40.
    for moved, stop_id, word in (
        (timedelta(), "1-a-10", t("patrol.phone_next", "zh")),
        (timedelta(minutes=12), "1-a-10", t("patrol.phone_now", "zh")),
        (timedelta(minutes=25), "1-b-40", t("patrol.phone_gates", "zh", gates="北门（22:00 关）")),
    ):
        clock.now = BEGIN + moved
        page = phone.get(PATH).text
        assert (f'data-stop="{stop_id}"' in page, word in page) == (True, True)
    assert "15:10–15:22" in page
    assert "15:40–15:52" in page
    assert "<svg" in page
    clock.now = BEGIN + timedelta(hours=2)
    assert t("patrol.phone_over", "en", name="警务室") in phone.get(f"{PATH}?lang=en").text
    assert t("patrol.phone_none", "zh") in open_phone(store, clock, COMMANDER).get(PATH).text
