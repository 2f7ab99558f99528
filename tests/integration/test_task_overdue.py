"""Levels of what is overdue, receivers by their way on foot, and what is known of each register field."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pandas as pd
import pytest

from data.freshness import Difference, decide_proposal, propose
from data.queries import find_field_facts, find_proposals, find_task_counts, find_tasks
from data.viewer import Viewer
from gis.errors import BadRecordError
from gis.walk_links import Spot
from tasks.escalating import parse_levels
from tasks.life_cycle import Action, Priority
from tasks.making import remind_and_escalate
from tasks.proposing import build_candidates, find_walks_s, rank_receivers
from tests.fixtures.tasks import Office, access_store, clock, office
from tests.fixtures.walkways import at, build, roads

__all__ = ["access_store", "clock", "office"]


def test_what_stays_overdue_goes_further_up(office: Office) -> None:
    """data/escalation_rules.csv: a normal task at once to officers, after a day to the commander; urgent after 4 h."""
    normal = office.make()
    urgent = office.make(priority=Priority.URGENT)
    office.clock.move(hours=24)  # both are due now
    told = [remind_and_escalate(office.store, clock=office.clock)[1]]
    for hours in (3, 1, 19, 1, 100):
        office.clock.move(hours=hours)
        told.append(remind_and_escalate(office.store, clock=office.clock)[1])
    assert told == [2, 0, 1, 0, 1, 0]  # both; nothing; urgent after 4 h; nothing; normal after 24 h; nothing
    for one in (normal, urgent):
        office.check_rebuilt(one)
        assert office.read_row(one)["escalation_level"] == 2
    found = find_tasks(office.store, office.officer, now=office.clock(), level=2)
    assert set(found["task_id"]) == {normal, urgent}
    counts = find_task_counts(office.store, office.officer, now=office.clock())
    assert (int(counts["level_1"].sum()), int(counts["level_2"].sum())) == (2, 2)
    office.do(office.worker, urgent, Action.SUBMIT, evidence=office.saw("e1"))  # what is handed in is overdue no more
    assert set(find_tasks(office.store, office.officer, now=office.clock(), level=1)["task_id"]) == {normal}
    with pytest.raises(BadRecordError, match="level is '3', expected 2"):
        parse_levels("priority,level,after_hours,role,comment\nlow,1,0,officer,\nlow,3,9,commander,\n")
    with pytest.raises(BadRecordError, match="whole hours from 10"):
        parse_levels("priority,level,after_hours,role,comment\nlow,1,9,officer,\nlow,2,9,commander,\n")


def test_how_far_somebody_is_counts_on_foot() -> None:
    """Who is 20 m away behind a wall has 340 m to go, by the gap in it; who is 200 m away on the street has 200 m."""
    places = ([(0, 0), (200, 0)], [(200, 0), (400, 0)], [(0, 20), (200, 20)], [(200, 0), (200, 20)])
    ways = roads(*(("service", one) for one in places))
    network = build(ways, walls=[[(-100, 10), (195, 10)], [(205, 10), (500, 10)]])
    place = at(40, 0)
    receivers = pd.DataFrame({
        "kind": "grid", "id": ["wall", "street", "nobody"], "name": ["wall", "street", "nobody"], "grids": "g1",
        "duty_from": None, "duty_to": None, "waiting": 0, "distance_m": [20.0, 200.0, None],
        "at_x_m": [at(40, 20).x, at(240, 0).x, None], "at_y_m": [at(40, 20).y, at(240, 0).y, None],
    })  # fmt: skip
    walks = find_walks_s(network, receivers, Spot(place), datetime(2026, 11, 23, 4, tzinfo=UTC))
    assert walks.tolist()[:2] == pytest.approx([340 / 1.4, 200 / 1.4])
    ranked = rank_receivers(build_candidates(receivers, walks), grid_id="g1", at=time(10))
    assert [one.candidate.name for one in ranked] == ["street", "wall", "nobody"]
    straight = rank_receivers(build_candidates(receivers), grid_id="g1", at=time(10))
    assert [one.candidate.name for one in straight] == ["wall", "street", "nobody"]


def test_every_field_knows_when_by_whom_and_how(office: Office) -> None:
    def find(viewer: Viewer | None = None) -> dict[str, tuple[Any, ...]]:
        rows = find_field_facts(office.store, viewer or office.officer, "unit", "u1").astype(object)
        rows = rows.where(rows.notna(), None)
        told = rows[["value", "how", "by", "verified_utc"]].itertuples(index=False, name=None)
        return dict(zip(rows["field"], told, strict=True))

    first = find()
    assert set(first) == {"use", "residents_count", "floating_count", "area_m2"}
    assert {how for _, how, _, _ in first.values()} <= {"door", "import", None}
    task = office.make()
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    seen = pd.Timestamp(office.clock())
    office.clock.move(hours=1)
    office.do(office.officer, task, Action.CLOSE)
    assert {told[1:] for told in find().values()} == {("door", "grid01", seen)}
    office.clock.move(days=1)
    difference = Difference("p1", "unit", "u1", "moved_in", "residents_count", "4", office.clock(), "多了两人")
    propose(office.store, office.worker, difference, clock=office.clock)
    (row,) = find_proposals(office.store, office.officer, subject_id="u1").to_dict("records")
    decide_proposal(office.store, office.officer, row["proposal_id"], accept=True, clock=office.clock)
    after = find()
    assert (after[row["field"]][0], after[row["field"]][1]) == (row["new_value"], "proposal")
    assert sum(how == "door" for _, how, _, _ in after.values()) == 3  # the other fields are as they were
    assert find(office.neighbour) == {}
    assert find_proposals(office.store, office.officer, with_decided=True, subject_id="u2").empty
