"""A worker's round from tasks, hours, storeys and gates: figures by hand on a street of 300 m."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from shapely import box

from data.rule_tables import read_default
from gis.errors import BadRecordError
from gis.walk_links import Spot
from gis.walk_network import LOCAL
from tasks.notices import propose_again
from tasks.round_plan import PlannedRound, RoundAsk, plan_round
from tasks.round_rules import parse_round_rules
from tests.fixtures.walkways import at, build, gate, roads

RULES = parse_round_rules(read_default("rounds"))
MONDAY = datetime(2026, 11, 23, tzinfo=LOCAL)


def moment(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def task(task_id: str, x: float, **values: Any) -> dict[str, Any]:
    return {
        "task_id": task_id, "kind": "inspection", "priority": "normal", "subject_kind": "rental", "subject_id": "r",
        "due_utc": moment(18, day=1).astimezone(UTC), "again_utc": None, "site_kind": None, "building_id": None,
        "entrance_id": None, "level": None, "geom": at(x, 0), "place_text": task_id, **values,
    }  # fmt: skip


def plan(
    *tasks: dict[str, Any], begin: datetime | None = None, until: datetime | None = None, back: bool = False,
    **ways: Any,
) -> PlannedRound:  # fmt: skip
    network = build(roads(("service", [(0, 0), (300, 0)])), **ways)
    return plan_round(network, RULES, tasks, RoundAsk(Spot(at(0, 0)), begin or moment(9), until or moment(12), back))


def test_times_follow_from_ways_storeys_and_minutes() -> None:
    """140 m are 100 s at 1.4 m/s; the second floor is 36 s up; an inspection of a rental takes ten minutes."""
    made = plan(
        task("far", 280), task("near", 140, building_id="B1", entrance_id="E1", level=2), back=True,
        houses=[("B1", box(130, 0, 150, 10))], doors=[("E1", "B1", 140, 0)],
    )  # fmt: skip
    near, far = made.visits
    assert (near.task["task_id"], far.task["task_id"]) == ("near", "far")
    assert near.begin == moment(9) + timedelta(seconds=136)
    assert near.leave - near.begin == timedelta(minutes=10)
    assert far.begin == near.leave + timedelta(seconds=136)
    assert made.over == far.leave + timedelta(seconds=200)
    assert made.walk == timedelta(seconds=136 + 136 + 200)
    assert (made.wait, made.left_out, made.is_exact) == (timedelta(0), (), True)
    assert near.way is not None
    assert near.way.length_m == pytest.approx(140, abs=1)
    assert made.back is not None
    assert made.back.length_m == pytest.approx(280, abs=1)
    # By 12:00 it has to be over: both may slip by the same, until then or until homes are not called at (11:50).
    assert far.slack == min(moment(12) - made.over, moment(11, 50) - far.begin)


def test_nobody_home_is_visited_when_it_was_promised() -> None:
    tasks = [task("a", 50), task("b", 100), task("c", 150)]
    assert [one.task["task_id"] for one in plan(*tasks).visits] == ["a", "b", "c"]
    # Nobody was at home at a, and the notice says 11:00: it comes last, within half an hour of that.
    tasks[0] = task("a", 50, again_utc=moment(11).astimezone(UTC))
    made = plan(*tasks)
    assert [one.task["task_id"] for one in made.visits] == ["b", "c", "a"]
    assert (made.visits[2].begin, made.visits[2].is_promised) == (moment(11), True)
    # Promised for the evening: not in this round, and it says so.
    tasks[0] = task("a", 50, again_utc=moment(19).astimezone(UTC))
    made = plan(*tasks)
    assert [(one.task["task_id"], one.why) for one in made.left_out] == [("a", "again")]
    # What was promised and missed is an ordinary visit again.
    tasks[0] = task("a", 50, again_utc=moment(8).astimezone(UTC))
    assert [one.is_promised for one in plan(*tasks).visits] == [False, False, False]


def test_hours_days_and_gates_decide() -> None:
    """A school is open 8:00 to 17:00 on weekdays and takes 30 minutes; the gate at 100 m is shut from 22 to 6."""
    school = task("school", 200, subject_kind="site", site_kind="school")
    made = plan(school, begin=moment(7), until=moment(9))
    assert (made.visits[0].begin, made.visits[0].leave) == (moment(8), moment(8, 30))
    assert (made.wait, made.sets_out) == (timedelta(0), moment(8) - made.walk)  # nobody waits at a shut school
    saturday = plan(school, begin=moment(9, day=5), until=moment(12, day=5))
    assert [one.why for one in saturday.left_out] == ["closed"]
    noon = plan(task("home", 50), begin=moment(12), until=moment(13))
    assert [one.why for one in noon.left_out] == ["closed"]  # nobody is called on over noon
    early = plan(
        task("shop", 200, subject_kind="site", site_kind="charging_shed"), begin=moment(5, 30), until=moment(7),
        gates=[gate("D1", 100, 0)],
    )  # fmt: skip
    assert early.visits[0].begin == moment(6) + timedelta(seconds=200 / 1.4)
    assert early.sets_out == moment(6)
    assert early.visits[0].way is not None
    assert [one.gate_id for one in early.visits[0].way.gates] == ["D1"]
    beyond = plan(task("island", 2000), task("nowhere", 0, geom=None), task("ok", 10))
    assert [(one.task["task_id"], one.why) for one in beyond.left_out] == [
        ("island", "no_way"), ("nowhere", "no_place"),
    ]  # fmt: skip


def test_the_pressing_ones_come_first_when_time_is_short() -> None:
    due_now = moment(9, 30).astimezone(UTC)
    made = plan(
        task("low", 20, priority="low"), task("urgent", 280, priority="urgent"), task("due", 250, due_utc=due_now),
        until=moment(9, 26),
    )  # fmt: skip
    assert {one.task["task_id"] for one in made.visits} == {"urgent", "due"}
    (left,) = made.left_out
    assert left.why == "no_time"
    assert left.needed is not None
    assert timedelta(0) < left.needed < timedelta(minutes=15)
    over = plan(task("late", 20, due_utc=moment(8).astimezone(UTC)))
    assert [one.is_late for one in over.visits] == [True]


@pytest.mark.parametrize(
    ("now", "again"),
    [
        (moment(10), moment(19)),  # people are at home in the evening
        (moment(20), moment(19, day=1)),
        (moment(20, day=4), moment(9, 30, day=5)),  # Friday evening: Saturday morning
    ],
)
def test_when_to_come_again(now: datetime, again: datetime) -> None:
    assert propose_again(now) == again


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("shop,x,5,,,", "about is 'shop'"),
        ("kind,dance,5,,,", "expected one of inspection"),
        ("kind,patrol,0,,,", "minutes is '0'"),
        ("kind,patrol,5,8-12,,", "hours is '8-12'"),
        ("kind,patrol,5,12:00-08:00,,", "hours is '12:00-08:00'"),
        ("kind,patrol,5,,128,", "days is '128'"),
        ("kind,patrol,5,,,\nkind,patrol,6,,,", "row 3.*twice"),
    ],
)
def test_a_table_that_cannot_be_names_the_row(line: str, match: str) -> None:
    with pytest.raises(BadRecordError, match=match):
        parse_round_rules(f"about,value,minutes,hours,days,comment\n{line}\n")


def test_the_most_particular_line_counts() -> None:
    rules = parse_round_rules(
        "about,value,minutes,hours,days,comment\nkind,inspection,10,09:00-17:00,12345,\nsite_kind,bank,20,,,\n"
        "site,S1,,10:00-10:05,,\n"
    )

    def find(site_id: str, weekday: int = 1) -> tuple[float, tuple[tuple[float, float], ...]]:
        found = rules.find_time(
            kind="inspection", subject_kind="site", site_id=site_id, site_kind="bank", weekday=weekday
        )
        return found.stay_s, found.windows_s

    nine, ten = (timedelta(hours=h).total_seconds() for h in (9, 10))
    assert find("S2") == (1200, ((nine, nine + 8 * 3600 - 1200),))
    assert find("S1") == (1200, ((ten, ten),))  # shorter than the visit: it begins when they open
    assert find("S2", weekday=6) == (1200, ())
