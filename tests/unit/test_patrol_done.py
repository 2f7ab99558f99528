"""Done against planned, reckoned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.patrol_done import (
    Missed,
    PlannedStop,
    Presence,
    State,
    StopDone,
    compare,
    compare_places,
)

ZERO = datetime(2026, 11, 28, 11, tzinfo=UTC)
LATER = ZERO + timedelta(hours=12)


def minute(n: float) -> datetime:
    return ZERO + timedelta(minutes=n)


def stop(stop_id: str, place: str, begin: float, team: int = 0) -> PlannedStop:
    return PlannedStop(stop_id, team, place, minute(begin), minute(begin + 12))


def there(person: str, place: str | None, begin: float, end: float, source: str = "position") -> Presence:
    return Presence(person, place, minute(begin), minute(end), source)


MEMBERS = [["p1", "g1"], ["p2"]]
STOPS = [stop("1", "a", 0), stop("2", "b", 60), stop("3", "a", 180), stop("4", "a", 60, team=1)]


def judge(*presences: Presence, now: datetime = LATER, **more: object) -> dict[str, StopDone]:
    rows = compare(STOPS, MEMBERS, presences, now=now, **more)  # type: ignore[arg-type]
    return {row.stop.stop_id: row for row in rows}


def test_minutes_of_a_team_are_counted_once_and_go_to_the_nearest_stop() -> None:
    rows = judge(there("p1", "a", -3, 8), there("g1", "a", 5, 10, "check_in"), there("p1", "a", 185, 190))
    assert (rows["1"].state, rows["1"].minutes, rows["1"].first) == (State.DONE, pytest.approx(13), minute(-3))
    assert rows["1"].sources == ("check_in", "position")
    assert (rows["3"].state, rows["3"].minutes) == (State.SHORT, pytest.approx(5))
    # Another team at the same place made nothing of this one's stops.
    assert judge(there("p2", "a", 0, 12))["1"].state is State.MISSED


def test_a_check_in_says_that_they_were_there_not_how_long() -> None:
    rows = judge(there("g1", "a", 3, 3, "check_in"), there("v1", "b", 62, 62, "check_in"))
    assert (rows["1"].state, rows["1"].minutes, rows["1"].sources) == (State.CHECKED, 0, ("check_in",))
    assert rows["2"].state is State.MISSED  # a volunteer's check-in is not the team's
    with_radio = judge(there("g1", "a", 3, 3, "check_in"), there("p1", "a", 2, 7))
    assert with_radio["1"].state is State.SHORT
    (a, b) = compare_places(STOPS, [there("v1", "b", 62, 62, "check_in"), there("v1", "b", 162, 162, "check_in")])
    assert (a.gap_minutes, b.gap_minutes) == (None, pytest.approx(100))
    assert (a.check_ins, b.check_ins) == (0, 2)


def test_why_a_stop_was_missed() -> None:
    elsewhere = there("p1", None, 55, 70)
    rows = judge(elsewhere, away=[(1, minute(65), None)])
    assert {n: rows[n].missed for n in rows} == {
        "1": Missed.NOT_HEARD, "2": Missed.ELSEWHERE, "3": Missed.NOT_HEARD, "4": Missed.SENT,
    }  # fmt: skip
    said = judge(elsewhere, said={"2": "救护车在门口"})["2"]
    assert (said.missed, said.said) == (Missed.SAID, "救护车在门口")
    assert judge(away=[(1, minute(0), minute(59))])["4"].missed is Missed.NOT_HEARD  # back before it


def test_what_may_still_come_is_not_missed() -> None:
    rows = judge(there("p2", "a", 60, 63), now=minute(80))
    assert [rows[n].state for n in "1234"] == [State.MISSED, State.TO_COME, State.TO_COME, State.TO_COME]


def test_gaps_and_minutes_of_places() -> None:
    rows = compare_places(STOPS, [there("p1", "a", 0, 10), there("g1", "a", 8, 12), there("p2", "a", 100, 101)])
    assert [row.place for row in rows] == ["a", "b"]
    # Planned at a: 0-12, 60-72 (the other team), 180-192: the longest gap is 108 minutes.
    assert (rows[0].planned_minutes, rows[0].planned_gap_minutes) == (pytest.approx(36), pytest.approx(108))
    assert (rows[0].minutes, rows[0].gap_minutes) == (pytest.approx(13), pytest.approx(88))
    assert (rows[1].planned_minutes, rows[1].minutes, rows[1].gap_minutes) == (pytest.approx(12), 0, None)
