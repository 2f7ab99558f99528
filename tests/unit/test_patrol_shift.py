"""A shift on the ground: a hand-made community whose gate closes at ten, teams, rates, and the ways between stops."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
import shapely

from gis.errors import BadRecordError
from gis.walk_network import WalkNetwork
from gis.walk_pace import FOOT_M_S, Vehicle
from incidents.duty import LOCAL
from incidents.patrol_plan import ImpossiblePatrolError
from incidents.patrol_planning import ENOUGH, Ask, from_json, make_draft, plan_again, to_json
from incidents.patrol_rates import REACH_M, assign, reckon_rates
from incidents.patrol_shift import Kept, Start, Wish
from incidents.patrol_slots import PatrolRules
from incidents.patrol_teams import NotPlanned, Person, build_teams
from incidents.patrol_ways import LEAVE_EARLY_S, list_moments
from tests.fixtures import walkways
from tests.fixtures.walkways import EAST_M, NORTH_M, gate, roads

DAY = datetime(2026, 11, 28, tzinfo=LOCAL)
BEGIN, END = DAY + timedelta(hours=19), DAY + timedelta(hours=23)
RULES = PatrolRules(gap_minutes=60, search_s=0, seed=5)


@pytest.fixture(scope="module")
def network() -> WalkNetwork:
    """One street of 600 m; a wall crosses it at 400 m, with a gate that is shut from 22:00 to 06:00."""
    return walkways.build(
        roads(("inner", [(0, 0), (400, 0)]), ("inner", [(400, 0), (600, 0)])),
        gates=[gate("G", 400, 0, closes=time(22), opens=time(6))],
        walls=[[(400, -300), (400, 300)]],
    )


def wish(name: str, x: float, **more: Any) -> Wish:
    given: dict[str, Any] = {"expected_per_h": (0.1,) * 24, "grid_id": "g1", "kind": "hot"}
    return Wish(**{**given, "place_id": name, "name": name, "x_m": EAST_M + x, "y_m": NORTH_M + 5, **more})


def person(name: str, kind: str = "officer", begin: datetime = BEGIN, end: datetime = END, **more: Any) -> Person:
    return Person(
        **{"responder_id": name, "kind": kind, "vehicle": Vehicle.FOOT, "from_utc": begin, "to_utc": end, **more}
    )


def ask(*wishes: Wish, people: tuple[Person, ...] = (person("p1"),), **more: Any) -> Ask:
    starts = {one.responder_id: Start("警务室", EAST_M, NORTH_M + 5) for one in people}
    return Ask(BEGIN, END, wishes, people, starts, **{"rules": RULES, **more})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_place_behind_a_gate_is_visited_while_it_is_open(network: WalkNetwork) -> None:
    assert list_moments(network, BEGIN, END) == [BEGIN, DAY + timedelta(hours=22)]
    found = make_draft(network, ask(wish("near", 100), wish("behind", 500))).found
    (team,) = found["teams"]
    behind = next(stop for stop in team["stops"] if stop["place_id"] == "behind")
    assert [one["name"] for one in behind["way"]["gates"]] == ["G门"]
    assert (behind["way"]["gates"][0]["closes_at"], behind["way"]["gates"][0]["opens_at"]) == ("22:00", "06:00")
    last = DAY + timedelta(hours=22) - timedelta(seconds=LEAVE_EARLY_S)
    assert all(at(stop["leave"]) <= last for stop in team["stops"] if stop["place_id"] == "behind")
    # Over by ten minutes before: whoever is inside is out again, so every leg has a way at its hour.
    assert all(stop["way"] is not None for stop in [*team["stops"], {"way": team["back"]}])


def test_times_are_those_of_the_network_and_of_the_settings(network: WalkNetwork) -> None:
    found = make_draft(network, ask(wish("a", 140), wish("b", 300))).found
    previous, place = BEGIN, -5.0
    for stop in found["teams"][0]["stops"]:
        x = 140.0 if stop["place_id"] == "a" else 300.0
        # By hand: along the street at 1.4 m/s, and 5 m to and from it.
        expected_s = 0.0 if x == place else (abs(x - max(place, 0.0)) + 10) / FOOT_M_S
        assert (at(stop["arrival"]) - at(stop["set_out"])).total_seconds() == pytest.approx(expected_s, abs=0.5)
        # Free until five minutes before they have to go.
        assert at(stop["set_out"]) >= previous
        assert at(stop["arrival"]) <= at(stop["begin"])
        assert at(stop["begin"]) - at(stop["arrival"]) <= timedelta(minutes=5, seconds=1)
        assert at(stop["leave"]) - at(stop["begin"]) == timedelta(minutes=12)
        previous, place = at(stop["leave"]), x
        assert stop["covered"] == pytest.approx(0.1 * 12 / 60)
    assert found["expected"] == pytest.approx(2 * 0.1 * 4)


def test_what_is_behind_a_shut_gate_all_night_has_no_way(network: WalkNetwork) -> None:
    late = person("p1", begin=DAY + timedelta(hours=22, minutes=30), end=DAY + timedelta(hours=26))
    night = Ask(late.from_utc, late.to_utc, (wish("behind", 500), wish("near", 50)), (late,),
                {"p1": Start("警务室", EAST_M, NORTH_M)}, RULES)  # fmt: skip
    assert make_draft(network, night).found["left_out"] == [
        {"place_id": "behind", "why": "no_way", "needed_minutes": None}
    ]
    with pytest.raises(ImpossiblePatrolError, match="No open way leads to fixed point 'must'") as caught:
        make_draft(network, Ask(night.begin, night.end, (wish("must", 500, must=True),), (late,), night.starts, RULES))
    assert caught.value.places == ("must",)


def test_locked_stays_removed_goes_and_the_question_is_stored_whole(network: WalkNetwork) -> None:
    first = ask(wish("a", 100), wish("b", 200), wish("c", 300), people=(person("p1"), person("p2")))
    draft = make_draft(network, first)
    assert from_json(to_json(first), BEGIN, END) == from_json(draft.asked, BEGIN, END)
    made = [(n, stop) for n, team in enumerate(draft.found["teams"]) for stop in team["stops"]]
    (team, kept), (other, gone) = made[0], made[-1]
    locked = Kept(team, kept["place_id"], at(kept["begin"]))
    removed = Kept(other, gone["place_id"], at(gone["begin"]))
    again = plan_again(network, draft.asked, BEGIN, END, locked=[locked], removed=[removed]).found
    same = [stop for stop in again["teams"][team]["stops"] if stop["is_locked"]]
    assert [one["place_id"] for one in same] == [kept["place_id"]]
    assert at(same[0]["begin"]) - at(kept["begin"]) <= timedelta(seconds=1)
    count = sum(stop["place_id"] == gone["place_id"] for t in draft.found["teams"] for stop in t["stops"])
    now = sum(stop["place_id"] == gone["place_id"] for t in again["teams"] for stop in t["stops"])
    assert now == count - 1


def test_a_place_that_is_taken_out_altogether_says_so(network: WalkNetwork) -> None:
    draft = make_draft(network, ask(wish("a", 100, must=True, most_visits=1), wish("b", 200)))
    stop = next(one for one in draft.found["teams"][0]["stops"] if one["place_id"] == "a")
    again = plan_again(network, draft.asked, BEGIN, END, locked=[], removed=[Kept(0, "a", at(stop["begin"]))]).found
    assert {"place_id": "a", "why": "removed", "needed_minutes": None} in again["left_out"]


def test_a_place_has_no_more_visits_a_day_than_asked(network: WalkNetwork) -> None:
    found = make_draft(network, ask(wish("a", 100), wish("b", 200), most_a_day=2, planned={"a": 1, "b": 2})).found
    assert [stop["place_id"] for stop in found["teams"][0]["stops"]] == ["a"]
    assert found["left_out"] == [{"place_id": "b", "why": ENOUGH, "needed_minutes": None}]


def test_stops_are_as_long_as_trials_support(network: WalkNetwork) -> None:
    for minutes in (9.0, 17.0):
        with pytest.raises(BadRecordError, match="expected 10 to 16"):
            make_draft(network, ask(wish("a", 100), rules=PatrolRules(stop_minutes=minutes, search_s=0)))


def test_a_joint_patrol_goes_where_one_is_wanted(network: WalkNetwork) -> None:
    people = (person("p1"), person("g2", "estate_guard", grid_id="g2"), person("g1", "estate_guard", grid_id="g1"))
    wanted = wish("beat", 150, needs_joint=True)
    found = make_draft(network, ask(wanted, wish("other", 250), people=people, joint=1)).found
    assert found["teams"][0]["members"] == ["p1", "g1"]
    assert found["teams"][0]["is_joint"]
    assert all(stop["place_id"] != "beat" for team in found["teams"][1:] for stop in team["stops"])
    assert any(stop["place_id"] == "beat" for stop in found["teams"][0]["stops"])
    alone = make_draft(network, ask(wanted, people=people)).found
    assert alone["left_out"] == [{"place_id": "beat", "why": "not_allowed", "needed_minutes": None}]


def test_teams_by_beat_hours_and_who_may_not_walk_alone() -> None:
    people = (
        person("a1", "auxiliary"), person("a2", "auxiliary"), person("p1", vehicle=Vehicle.EBIKE),
        person("g1", "unit_guard", grid_id="g1", begin=BEGIN + timedelta(hours=1)),
        person("g9", "estate_guard", grid_id="g9"), person("late", begin=END - timedelta(minutes=59)),
    )  # fmt: skip
    teams, left_out = build_teams(people, ["g1"], joint=1)
    assert [tuple(one.responder_id for one in team.members) for team in teams] == [("p1", "g1"), ("g9",)]
    assert (teams[0].from_utc, teams[0].vehicle, teams[0].grid_id) == (people[3].from_utc, Vehicle.FOOT, "g1")
    assert set(left_out) == {
        NotPlanned("late", "short_duty"), NotPlanned("a1", "auxiliary_alone"), NotPlanned("a2", "auxiliary_alone")
    }  # fmt: skip
    teams, left_out = build_teams(people[:3])
    assert [tuple(one.responder_id for one in team.members) for team in teams] == [("p1", "a1")]
    assert left_out == (NotPlanned("a2", "auxiliary_alone"),)


def test_an_incident_is_expected_at_one_place_only_and_hours_add_up() -> None:
    middles = [shapely.Point(0, 0), shapely.Point(60, 0)]
    xy = np.array([[10.0, 0.0], [31.0, 0.0], [100.0, 0.0], [REACH_M + 61.0, 0.0]])
    assert assign(middles, middles, xy).tolist() == [0, 1, 1, -1]
    hour = np.array([23.5, 2.0, 2.5, 12.0])
    rates = reckon_rates(middles, middles, xy, hour, days=10)
    # The hours of a place add up to its incidents a day, whatever is mixed in.
    assert rates.sum(axis=1) == pytest.approx([0.1, 0.2])
    # By hand, K = 12: place 0 has one at 23; the whole has one at 23, two at 2, one at 12.
    assert rates[0, 23] == pytest.approx(0.1 * (0.5 + 12 * (0.5 / 4)) / 13)
    assert rates[0, 0] == pytest.approx(0.1 * (0.25 + 12 * (0.25 / 4)) / 13)
    assert reckon_rates(middles, middles, np.empty((0, 2)), np.empty(0), days=1).sum() == 0


def test_the_times_are_utc_and_aware(network: WalkNetwork) -> None:
    draft = make_draft(network, ask(wish("a", 100)))
    assert at(draft.found["teams"][0]["from"]).utcoffset() == datetime.now(UTC).utcoffset()
