"""What rules ask for, reminders, receivers, verdicts on group rentals, and what is known how freshly."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.freshness import Difference, decide_proposal, propose
from data.queries import (
    find_checks,
    find_freshness,
    find_mends,
    find_proposals,
    find_tasks,
    find_verdicts,
)
from data.rule_tables import read_default, read_rule_table
from data.task_receivers import find_receivers
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RefusedError
from server.jobs import Scheduler
from server.task_jobs import build_task_jobs
from tasks.due import Subject, find_due
from tasks.group_rentals import (
    RentalFacts,
    VerdictAction,
    VerdictState,
    VerdictStep,
    find_suspicion,
    parse_clauses,
    rebuild_verdict,
    take_verdict_step,
)
from tasks.life_cycle import Action, Kind, Receiver
from tasks.making import make_due_tasks, remind_and_escalate
from tasks.proposing import Candidate, build_candidates, rank_receivers
from tasks.rules import parse_visit_rules, read_visit_rules, replace_rules
from tasks.verdicts import decide_verdict, find_verdict, reckon_verdicts
from tests.fixtures.tasks import Office, access_store, clock, office

__all__ = ["access_store", "clock", "office"]
TODAY = date(2026, 11, 23)
CHIEF = Viewer(Role.COMMANDER, account_id="a-chief", name="chief")
RULES = parse_visit_rules(read_default("visits"))


def rental(colour: str, days_ago: int | None, **more: str) -> Subject:
    since = None if days_ago is None else TODAY - timedelta(days=days_ago)
    return Subject("rental", f"{colour}{days_ago}", {"rental_colour": colour, **more}, since)


# Three weeks, two weeks, one week, not allowed (at once), a suspicion within three days, after an incident seven days,
# sites by their kind: domain.md and the issue, by hand.
@pytest.mark.parametrize(
    ("subject", "due_on", "rule"),
    [
        (rental("green", 21), TODAY, "rental-green"),
        (rental("green", 20), TODAY + timedelta(days=1), "rental-green"),
        (rental("green", 17), None, None),
        (rental("yellow", 13), TODAY + timedelta(days=1), "rental-yellow"),
        (rental("orange", 30), TODAY, "rental-orange"),
        (rental("red", 1), TODAY, "rental-red"),
        (rental("red", 0), None, None),
        (rental("green", None), TODAY, "rental-green"),
        (rental("green", 2, suspected_group="yes"), TODAY + timedelta(days=1), "group-rental"),
        (Subject("site", "k", {"site_kind": "gas_shop"}, TODAY - timedelta(days=14)), TODAY, "gas_shop"),
        (Subject("site", "k", {"site_kind": "office"}, None), None, None),
        (Subject("unit", "u", {"after_incident": "dispute.family"}, TODAY - timedelta(days=5), "i"),
         TODAY + timedelta(days=2), "after-dispute"),
        (Subject("unit", "u", {"after_incident": "theft.ebike"}, TODAY - timedelta(days=7), "i"), None, None),
    ],
)  # fmt: skip
def test_each_rule_of_the_table(subject: Subject, due_on: date | None, rule: str | None) -> None:
    due = find_due([subject], RULES, today=TODAY, ahead_days=3)
    assert [(one.due_on, one.rule.rule_id) for one in due] == ([] if due_on is None else [(due_on, rule)])
    waiting = frozenset({(subject.kind, subject.id, one.rule.kind.value) for one in due})
    assert find_due([subject], RULES, today=TODAY, ahead_days=3, waiting=waiting) == []


def test_an_office_changes_its_rules_and_takes_them_back(office: Office) -> None:
    text = read_rule_table(office.store, "visits")
    changed = text.replace(
        "rental-green,rental_colour,green,inspection,21", "# ours\nrental-green,rental_colour,green,inspection,28"
    )
    replace_rules(office.store, CHIEF, "visits", changed, clock=office.clock)
    assert next(one for one in read_visit_rules(office.store) if one.rule_id == "rental-green").cycle_days == 28
    assert "# ours" in read_rule_table(office.store, "visits")
    for bad, why in (
        (changed.replace(",28,", ",soon,"), "row 2 .'rental-green'.: cycle_days is 'soon', expected whole days"),
        (changed.replace("colour,yellow", "colour,green"), "rental_colour green has rule 'rental-green' too"),
        (changed.replace("rule_id,about", "id,about"), "expected rule_id,about,value"),
        (changed.replace("three weeks", "three, weeks"), "9 cells, expected 8"),
    ):
        with pytest.raises(BadRecordError, match=why):
            replace_rules(office.store, CHIEF, "visits", bad, clock=office.clock)
    with pytest.raises(NotAllowedError):
        replace_rules(office.store, office.officer, "visits", text, clock=office.clock)
    replace_rules(office.store, CHIEF, "visits", None, clock=office.clock)
    assert read_rule_table(office.store, "visits") == text


def test_the_due_list_makes_nothing_twice(office: Office) -> None:
    office.store.write(lambda tx: tx.execute("rentals", "UPDATE rentals SET colour = 'green', tenants_count = 2"))
    made = make_due_tasks(office.store, clock=office.clock)
    assert len(made) == 1
    assert make_due_tasks(office.store, clock=office.clock, viewer=office.officer) == []
    (task,) = made
    row = office.read_row(task)
    assert (row["origin_id"], row["receiver_kind"], row["receiver_id"]) == ("rental-green", "grid", "g1")
    assert str(row["due_utc"]) == "2026-11-23 10:00:00"
    office.check_rebuilt(task)
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    assert make_due_tasks(office.store, clock=office.clock) == []
    office.do(office.officer, task, Action.CLOSE)
    visited = office.store.read("SELECT last_visit_on, verified_utc FROM rentals").iloc[0]
    assert visited["last_visit_on"].date() == TODAY
    checks = find_checks(office.store, office.officer, "rental", "r1")
    assert set(checks["field"]) == {"colour", "rooms_count", "beds_count", "tenants_count"}
    assert set(checks["how"] + checks["by"] + checks["role"]) == {"doorgrid01grid_worker"}
    office.clock.move(days=17)
    assert make_due_tasks(office.store, clock=office.clock) == []
    office.clock.move(days=1)  # three days before its three weeks are over
    (following,) = make_due_tasks(office.store, clock=office.clock)
    office.do(office.officer, following, Action.CANCEL, reason="已经搬空了")
    office.clock.move(days=17)
    assert make_due_tasks(office.store, clock=office.clock) == []  # counted from the day it was decided against
    with pytest.raises(NotAllowedError):
        make_due_tasks(office.store, clock=office.clock, viewer=office.worker)


def test_an_incident_asks_for_one_visit(office: Office) -> None:
    office.store.write(
        lambda tx: tx.execute("incidents", "UPDATE incidents SET category = 'dispute.family' WHERE incident_id = 'i1'")
    )
    office.clock.move(days=2)  # the day before the incident is a week old
    (task,) = [
        one for one in make_due_tasks(office.store, clock=office.clock) if office.read_row(one)["unit_id"] == "u1"
    ]
    assert office.read_row(task)["subject_kind"] == "unit"
    assert office.store.read("SELECT incident_id FROM task_incidents")["incident_id"].tolist() == ["i1"]
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    office.do(office.officer, task, Action.CLOSE)
    office.clock.move(days=3)
    assert make_due_tasks(office.store, clock=office.clock) == []


def test_each_is_reminded_of_once_and_reported_once(office: Office) -> None:
    soon, late, done = (office.make(due_utc=office.clock() + timedelta(hours=hours)) for hours in (30, 2, 2))
    office.do(office.worker, done, Action.SUBMIT, evidence=office.saw("e1"))
    assert remind_and_escalate(office.store, clock=office.clock) == (1, 0)
    assert remind_and_escalate(office.store, clock=office.clock) == (0, 0)
    office.clock.move(hours=8)
    assert remind_and_escalate(office.store, clock=office.clock) == (1, 1)
    assert remind_and_escalate(office.store, clock=office.clock) == (0, 0)
    for one in (soon, late, done):
        office.check_rebuilt(one)
    assert office.read_row(done)["reminded_utc"] is None
    assert find_tasks(office.store, office.officer, now=office.clock(), only_overdue=True)["task_id"].tolist() == [late]


def test_a_receiver_is_proposed_with_reasons(office: Office) -> None:
    day, night = (time(8), time(17)), (time(22), time(6))
    candidates = [
        Candidate(Receiver("grid", "g2"), "second", frozenset({"g2"}), day, 0, 10.0),
        Candidate(Receiver("grid", "g1"), "first", frozenset({"g1"}), day, 9, 900.0),
        Candidate(Receiver("account", "a"), "own, on duty, less waits", frozenset({"g1"}), day, 2, 900.0),
        Candidate(Receiver("account", "b"), "own, asleep", frozenset({"g1"}), night, 0, 5.0),
        Candidate(Receiver("role", "officer"), "officers"),
    ]
    ranked = rank_receivers(candidates, grid_id="g1", at=time(10))
    assert [one.candidate.name for one in ranked] == [
        "own, on duty, less waits", "first", "own, asleep", "officers", "second",
    ]  # fmt: skip
    assert ranked[0].reasons == ("own_grid", "on_duty")
    assert ranked[2].reasons == ("own_grid", "off_duty")
    assert ranked[3].reasons == ("all_grids", "duty_unknown")
    assert rank_receivers(candidates, grid_id="g1", at=time(23))[0].candidate.name == "own, asleep"
    office.make()
    receivers = find_receivers(office.store, office.officer, x_m=1.0, y_m=0.5)
    found = {one.receiver.id: one for one in build_candidates(receivers)}
    assert found["g1"].waiting == 1
    assert found[str(office.worker.account_id)].grids == {"g1"}
    assert {"officer", "commander"} <= set(found)


# Group rentals: the three rule sets, by hand from domain.md


@pytest.mark.parametrize(
    ("rule_set", "people", "rooms", "area_m2", "level", "clause"),
    [
        ("nanjing-2014", 5, 3, 49.0, 3, "area"),  # 9.8 m² each
        ("nanjing-2014", 5, 3, 50.0, 3, None),  # 10 m² is not under 10
        ("nanjing-2014", 3, 3, 20.0, 3, None),  # four adults or more
        ("nanjing-2014", 1, 1, 30.0, -1, "basement"),
        ("nanjing-2014", 7, 3, 100.0, 3, "rooms"),
        ("shanghai", 7, 3, 100.0, 3, "per_room"),
        ("shanghai", 6, 3, 100.0, 3, None),
        ("shanghai", 4, 4, 19.0, 3, "area"),  # under 5 m² even of built area
        ("beijing-2013", 4, 4, 19.0, 3, "area"),
        ("beijing-2013", 5, 2, 60.0, 3, "per_room"),
        ("beijing-2013", None, 2, 60.0, 3, None),
    ],
)
def test_each_city_counts_its_own(
    rule_set: str, people: int | None, rooms: int, area_m2: float, level: int, clause: str | None
) -> None:
    text = "\n".join(
        line.replace(",yes,", ",no,").replace(",no,", ",yes,")
        if line.startswith(rule_set)
        else line.replace(",yes,", ",no,")
        for line in read_default("group_rentals").splitlines()
    )
    found = find_suspicion(RentalFacts("r", people, rooms, area_m2, level), parse_clauses(text))
    assert (found and (found.clause.rule_set, found.clause.clause)) == (clause and (rule_set, clause))


def suspect(office: Office, **figures: float) -> None:
    values = {"tenants_count": 6, "rooms_count": 3, "area_m2": 40.0, **figures}
    sets = ", ".join(f"{name} = {value}" for name, value in values.items())
    office.store.write(lambda tx: tx.execute("rentals", f"UPDATE rentals SET {sets}"))


def test_a_verdict_is_suspected_until_a_person_decides(office: Office) -> None:
    suspect(office)
    assert reckon_verdicts(office.store, clock=office.clock) == {"suspect": 1}
    assert reckon_verdicts(office.store, clock=office.clock) == {}
    (shown,) = find_verdicts(office.store, office.worker).to_dict("records")
    assert (shown["state"], shown["suspicion_reason"]) == ("suspected", "南京2014：40㎡住6人（人均6.7㎡，不足10㎡）")
    with pytest.raises(NotAllowedError, match="decide_verdict"):
        decide_verdict(office.store, office.worker, "r1", VerdictAction.CONFIRM, "看过现场", clock=office.clock)
    with pytest.raises(RefusedError, match="needs a reason"):
        decide_verdict(office.store, office.officer, "r1", VerdictAction.CONFIRM, "是", clock=office.clock)
    decide_verdict(office.store, office.officer, "r1", VerdictAction.CONFIRM, "现场七张床", clock=office.clock)
    decide_verdict(office.store, office.worker, "r1", VerdictAction.DISPUTE, "房东说是一家人", clock=office.clock)
    verdict = decide_verdict(
        office.store, office.other, "r1", VerdictAction.DISMISS, "确是一家三代", clock=office.clock
    )
    assert verdict == find_verdict(office.store, "r1")
    assert not office.store.read("SELECT suspected_group FROM rentals")["suspected_group"].iloc[0]
    assert reckon_verdicts(office.store, clock=office.clock) == {}  # the same figures again: a person has decided
    suspect(office, tenants_count=8)
    assert reckon_verdicts(office.store, clock=office.clock) == {"suspect": 1}
    suspect(office, tenants_count=2)
    assert reckon_verdicts(office.store, clock=office.clock) == {"clear": 1}
    suspect(office, tenants_count=8)
    assert reckon_verdicts(office.store, clock=office.clock) == {"suspect": 1}
    row = office.store.read("SELECT state, since_utc, expires_utc FROM verdicts").iloc[0]
    assert row["expires_utc"] - row["since_utc"] == timedelta(days=30)
    office.clock.move(days=30)
    assert reckon_verdicts(office.store, clock=office.clock) == {"expire": 1}
    assert reckon_verdicts(office.store, clock=office.clock) == {}
    verdict = find_verdict(office.store, "r1")
    assert verdict is not None
    stored = office.store.read("SELECT state, clause, decided_by FROM verdicts").iloc[0]
    assert (verdict.state.value, verdict.clause) == (stored["state"], stored["clause"]) == ("expired", "area")
    assert verdict.decided_by is None
    assert pd.isna(stored["decided_by"])


@given(st.lists(st.tuples(st.sampled_from(list(VerdictAction)), st.booleans()), max_size=15))
def test_no_sequence_makes_a_verdict_without_a_person(steps: list[tuple[VerdictAction, bool]]) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    verdict, taken = None, []
    for number, (action, with_reason) in enumerate(steps):
        step = VerdictStep(
            action,
            at + timedelta(days=number),
            "a-1",
            "a written reason" if with_reason else None,
            "s",
            "c",
            {"x": 1.0},
        )
        try:
            verdict = take_verdict_step("r", verdict, step)
        except RefusedError:
            continue
        taken.append(step)
        assert (verdict.state is VerdictState.SUSPECTED) == (verdict.expires_utc is not None)
        assert verdict.state is not VerdictState.CONFIRMED or (step.action is VerdictAction.CONFIRM and step.reason)
    assert rebuild_verdict("r", taken) == verdict


# What is known, and how freshly


def differ(office: Office, **values: object) -> Difference:
    given: dict[str, object] = {
        "proposal_id": "p1", "subject_kind": "unit", "subject_id": "u1", "what": "moved_in",
        "field": "residents_count", "new_value": "4", "seen_utc": office.clock(), "note": "王建国说多了两人",
    }  # fmt: skip
    return Difference(**{**given, **values})  # type: ignore[arg-type]


def test_nothing_overwrites_the_register_without_acceptance(office: Office) -> None:
    read = lambda: office.store.read("SELECT residents_count AS n FROM units WHERE unit_id = 'u1'")["n"].iloc[0]  # noqa: E731
    assert propose(office.store, office.worker, differ(office), clock=office.clock)
    assert not propose(office.store, office.worker, differ(office), clock=office.clock)
    assert read() == 2
    (waiting,) = find_proposals(office.store, office.officer).to_dict("records")
    assert (waiting["old_value"], waiting["new_value"], waiting["note"]) == ("2", "4", "王**说多了两人")
    with pytest.raises(NotAllowedError, match="decide_proposal"):
        decide_proposal(office.store, office.worker, "p1", accept=True, clock=office.clock)
    assert decide_proposal(office.store, office.officer, "p1", accept=True, clock=office.clock) == "accepted"
    assert read() == 4
    (check,) = find_checks(office.store, office.worker, "unit", "u1").to_dict("records")
    assert (check["field"], check["how"], check["by"], check["role"]) == (
        "residents_count",
        "proposal",
        "grid01",
        "grid_worker",
    )
    with pytest.raises(RefusedError, match="is accepted already"):
        decide_proposal(office.store, office.officer, "p1", accept=False, clock=office.clock)
    propose(office.store, office.worker, differ(office, proposal_id="p2", new_value="5"), clock=office.clock)
    propose(office.store, office.officer, differ(office, proposal_id="p3", new_value="3"), clock=office.clock)
    with pytest.raises(NotAllowedError, match="your own proposal"):
        decide_proposal(office.store, office.officer, "p3", accept=True, clock=office.clock)
    assert decide_proposal(office.store, office.other, "p3", accept=True, clock=office.clock) == "accepted"
    assert decide_proposal(office.store, office.other, "p2", accept=True, clock=office.clock) == "outdated"
    assert read() == 3
    kinds = office.store.read("SELECT kind FROM events WHERE kind LIKE 'register.%' ORDER BY event_id")["kind"].tolist()
    assert kinds == [
        f"register.{one}" for one in ("proposed", "accepted", "proposed", "proposed", "accepted", "outdated")
    ]
    for bad in (
        {"field": "owner_name"}, {"new_value": "many"}, {"field": "use", "new_value": "palace"}, {"what": "vanished"},
    ):  # fmt: skip
        with pytest.raises(BadRecordError):
            propose(office.store, office.worker, differ(office, proposal_id="p9", **bad), clock=office.clock)
    with pytest.raises(NotAllowedError, match="is not in one of your grids"):
        propose(office.store, office.neighbour, differ(office, proposal_id="p9"), clock=office.clock)


def test_the_age_of_what_is_known_and_what_is_worth_a_visit(office: Office) -> None:
    cycles = {"green": 21}
    office.store.write(lambda tx: tx.execute("rentals", "UPDATE rentals SET colour = 'green', tenants_count = 3"))
    ages = find_freshness(office.store, office.officer, now=office.clock()).set_index("building_id")
    assert ages.loc["b1", ["records", "unknown"]].tolist() == [1, 1]
    assert pd.isna(ages.loc["b1", "age_days"])
    (mend,) = find_mends(office.store, office.officer, now=office.clock(), cycles=cycles).to_dict("records")
    assert mend["value"] == pytest.approx(3 * 365 / 21)  # never verified counts as a year
    task = office.make(subject_kind="rental", subject_id="r1", kind=Kind.VERIFICATION)
    assert find_mends(office.store, office.officer, now=office.clock(), cycles=cycles).empty
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    office.do(office.officer, task, Action.CLOSE)
    office.clock.move(days=42)
    ages = find_freshness(office.store, office.officer, now=office.clock()).set_index("building_id")
    assert ages.loc["b1", "age_days"] == pytest.approx(42)
    (mend,) = find_mends(office.store, office.worker, now=office.clock(), cycles=cycles).to_dict("records")
    assert (mend["value"], mend["how"]) == (pytest.approx(6), "door")  # three people, two cycles
    assert find_mends(office.store, office.neighbour, now=office.clock(), cycles=cycles).empty


def test_the_server_makes_up_for_a_night_and_leaves_the_sample_alone(office: Office) -> None:
    office.store.write(lambda tx: tx.execute("rentals", "UPDATE rentals SET colour = 'orange'"))
    office.store.write(lambda tx: tx.execute("community", "UPDATE community SET synthetic = true"))
    for job in build_task_jobs(office.store, office.clock):
        job.work()
    assert office.store.read("SELECT count(*) AS n FROM tasks")["n"].iloc[0] == 0
    office.store.write(lambda tx: tx.execute("community", "UPDATE community SET synthetic = false"))
    jobs = Scheduler(build_task_jobs(office.store, office.clock), office.clock)
    assert jobs.run_due() == []
    office.clock.move(hours=16)  # 14:00 → 06:00: half past four is over
    assert jobs.run_due() == ["due tasks", "task reminders", "points"]
    assert office.store.read("SELECT count(*) AS n FROM tasks")["n"].iloc[0] == 1
    office.clock.move(days=1)
    assert jobs.run_due() == ["due tasks", "task reminders", "points"]
    counted = office.store.read("SELECT kind, count(*) AS n FROM events GROUP BY ALL ORDER BY kind")
    assert dict(counted.itertuples(index=False, name=None)) == {"task.create": 1, "task.remind": 1, "task.escalate": 1}
