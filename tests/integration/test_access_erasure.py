"""Erasing a person and letting go what is over: what goes, what stays, and what the log says."""

from __future__ import annotations

import json
from datetime import timedelta

import pandas as pd
import pytest

from data.approvals import ask, decide, get_approval
from data.audit import verify
from data.erasure import Person, build_subject, erase_person, find_rows
from data.intake import read_known_names, take_in
from data.openings import open_fields
from data.retention import RULES, apply_retention, plan_retention
from data.sessions import Sessions
from data.settings_store import put_setting
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tests.fixtures.access import START, Clock, add

COMMANDER = Viewer(Role.COMMANDER, account_id="a1", name="commander")
ADMIN = Viewer(Role.ADMIN, account_id="a2", name="boss")
OFFICER = Viewer(Role.OFFICER, account_id="a3", name="officer")
LI = Person("李小红", "139-8765-4321")
WANG = Person("王建国", "13812341234")
BEFORE = {"unit_id": "u1", "owner_name": "王建国", "owner_phone": "13812341234", "room": "101"}


@pytest.fixture
def store(access_store: Store, clock: Clock) -> Store:
    """The village, with an import's memory of a home, a sealed original and an event."""
    change = {"batch_id": "m1", "table_name": "units", "row_id": "u1", "before": json.dumps(BEFORE)}
    statements = {
        "events": "INSERT INTO events VALUES (1, now(), 'import.done', 'units', 'u1', '{}')",
        "incidents": "UPDATE incidents SET reporter_key = 'k2', reporter_name = '王建国', "
        "reporter_phone = '13500000000' WHERE incident_id = 'i2'",
    }
    access_store.write(lambda tx: tx.append("import_changes", pd.DataFrame([change])))
    access_store.write(lambda tx: [tx.execute(table, sql) for table, sql in statements.items()])
    known = read_known_names(access_store)
    access_store.write(
        lambda tx: take_in(
            access_store, tx, known, "李小红又来电话", table="incidents", row_id="i1", column="narrative", clock=clock
        )
    )
    return access_store


def approve(store: Store, person: Person, clock: Clock) -> str:
    asked = ask(store, COMMANDER, "erase_person", build_subject(store, person), "本人申请删除", clock=clock)
    return decide(store, ADMIN, asked.approval_id, approved=True, clock=clock).approval_id


def find_traces(store: Store, *words: str) -> list[str]:
    """Tables in which a word still stands, the log and approvals included."""
    tables = store.export_tables()
    return sorted(name for name, frame in tables.items() for word in words if word in frame.to_csv())


def test_a_person_is_erased_everywhere_and_nothing_else(store: Store, clock: Clock) -> None:
    rows_before = {name: len(frame) for name, frame in store.export_tables().items()}
    keys_before = store.read("SELECT reporter_key FROM incidents ORDER BY incident_id")["reporter_key"].tolist()
    assert find_rows(store, COMMANDER, LI) == {"occupants": 1, "incidents": 1}
    erased = erase_person(store, COMMANDER, LI, approve(store, LI, clock), clock=clock)
    assert (erased.rows, erased.texts, erased.sealed) == ({"occupants": 1, "incidents": 1}, 2, 1)
    assert find_traces(store, "李小红", "13987654321", "139 8765 4321", "002X", "hash-of-li") == []
    incidents = store.read("SELECT * FROM incidents ORDER BY incident_id")
    assert incidents["narrative"].tolist() == ["李**说王建国的车被盗，电话13812341234"] * 2
    assert incidents["reporter_name"].isna().tolist() == [True, False]
    assert incidents["reporter_key"].iloc[0] != keys_before[0]
    assert incidents["reporter_key"].iloc[1] == keys_before[1]
    rows_after = {name: len(frame) for name, frame in store.export_tables().items()}
    changed = {name for name in rows_after if rows_after[name] != rows_before[name]}
    assert changed - {"revisions"} == {"approvals", "audit_log", "sealed_texts"}
    assert len(store.read("SELECT * FROM events")) == 1
    assert store.read("SELECT owner_name FROM units")["owner_name"].tolist() == ["王建国"] * 2


def test_undoing_an_import_brings_nobody_back(store: Store, clock: Clock) -> None:
    erased = erase_person(store, COMMANDER, WANG, approve(store, WANG, clock), clock=clock)
    assert erased.rows == {"units": 2, "rentals": 1, "import_changes": 1}
    before = json.loads(str(store.read("SELECT before FROM import_changes")["before"].iloc[0]))
    assert before == {**BEFORE, "owner_name": None, "owner_phone": None}
    assert find_traces(store, "13812341234") == []
    # The caller of the same name has another telephone: somebody else.
    assert store.read("SELECT reporter_name FROM incidents WHERE incident_id = 'i2'")["reporter_name"][0] == "王建国"


def test_the_identity_number_finds_the_same_person(store: Store, clock: Clock) -> None:
    person = Person(identity_hash="hash-of-li")
    erase_person(store, COMMANDER, person, approve(store, person, clock), clock=clock)
    assert find_traces(store, "李小红", "13987654321") == []


def test_calls_of_one_caller_still_count_as_one(store: Store, clock: Clock) -> None:
    store.write(
        lambda tx: tx.execute("incidents", "UPDATE incidents SET reporter_key = 'k1', reporter_name = '李小红'")
    )
    erase_person(store, COMMANDER, LI, approve(store, LI, clock), clock=clock)
    keys = store.read("SELECT reporter_key FROM incidents")["reporter_key"]
    assert keys.nunique() == 1
    assert keys.iloc[0].startswith("erased-")


def test_the_log_of_an_erasure_names_nobody(store: Store, clock: Clock) -> None:
    approval = approve(store, LI, clock)
    erase_person(store, COMMANDER, LI, approval, clock=clock)
    row = store.read("SELECT * FROM audit_log WHERE action = 'erase'").iloc[0]
    assert row["subject_id"] == build_subject(store, LI) == build_subject(store, Person("李小红 ", "+86 13987654321"))
    assert json.loads(row["detail"])["approval"] == approval
    assert verify(store).is_whole


def test_erasing_needs_a_second_person_for_this_very_person(store: Store, clock: Clock) -> None:
    approval = approve(store, WANG, clock)
    with pytest.raises(RefusedError, match="is for something else"):
        erase_person(store, COMMANDER, LI, approval, clock=clock)
    with pytest.raises(NotAllowedError, match="Role 'officer' may not use action 'erase_person'"):
        erase_person(store, OFFICER, WANG, approval, clock=clock)
    with pytest.raises(NotAllowedError):
        find_rows(store, OFFICER, WANG)
    assert len(find_traces(store, "李小红")) == 2
    erase_person(store, COMMANDER, WANG, approval, clock=clock)
    with pytest.raises(RefusedError, match="was used already"):
        erase_person(store, COMMANDER, WANG, approval, clock=clock)


def test_nobody_to_erase_leaves_the_approval_usable(store: Store, clock: Clock) -> None:
    nobody = Person("没有这人", "13000000000")
    approval = approve(store, nobody, clock)
    with pytest.raises(RecordMissingError, match="Nobody like that is in the store"):
        erase_person(store, COMMANDER, nobody, approval, clock=clock)
    assert get_approval(store, approval).used_utc is None


@pytest.mark.parametrize(("name", "phone"), [(None, None), ("张伟", None), ("张伟", "没有"), (None, "13812341234")])
def test_a_name_alone_is_nobody(name: str | None, phone: str | None) -> None:
    with pytest.raises(BadRecordError, match="Whom to erase is not clear"):
        Person(name, phone)


# Retention


@pytest.fixture
def old(store: Store, clock: Clock) -> Store:
    """Something of each kind, all of it true at the start."""
    for number, kind in enumerate(("officer", "volunteer")):
        store.write(
            lambda tx, kind=kind, number=number: tx.execute(
                "responders",
                "INSERT INTO responders (responder_id, call_sign, kind, full_time, position_utc, geom) "
                "VALUES (?, ?, ?, true, ?, ST_Point(1, 1))",
                [f"p{number}", kind, kind, START.replace(tzinfo=None)],
            )
        )
    store.write(lambda tx: tx.execute("occupants", "UPDATE occupants SET moved_out_on = DATE '2026-11-23'"))
    store.write(
        lambda tx: tx.execute(
            "intake_answers",
            "INSERT INTO intake_answers VALUES ('a', 'b', 201, '{}', ?)",
            [START.replace(tzinfo=None)],
        )
    )
    store.write(
        lambda tx: tx.execute(
            "webhook_outbox",
            "INSERT INTO webhook_outbox VALUES ('m', ?, '{}', 1, NULL, ?, NULL)",
            [START.replace(tzinfo=None), START.replace(tzinfo=None)],
        )
    )
    store.write(
        lambda tx: tx.execute(
            "patrol_presences",
            "INSERT INTO patrol_presences VALUES ('pp', 'p', NULL, 'p0', ?, ?, 'position', NULL)",
            [START.replace(tzinfo=None), START.replace(tzinfo=None)],
        )
    )
    store.write(
        lambda tx: tx.execute(
            "checkins",
            "INSERT INTO checkins (checkin_id, volunteer_id, point_id, way, done_utc, received_utc, state, doubts, "
            "is_spot_check, points, entered_by, record, record_sha256) "
            "VALUES ('c', 'v', 'p', 'phone', $at, $at, 'counted', '', false, 1, 'o', '{}', '')",
            {"at": START.replace(tzinfo=None)},
        )
    )
    store.write(lambda tx: [tx.execute(sql.split()[2], sql, {"at": START.replace(tzinfo=None)}) for sql in VISITED])
    sessions = Sessions(store, clock)
    sessions.end(sessions.start(add(store, clock, "w2")))
    sessions.close()
    open_fields(store, OFFICER, "unit", "u1", reason="a reason that is long enough", clock=clock)
    return store


# A visit whose task ended at `START`, and a round that was over then.
VISITED = (
    "INSERT INTO tasks BY NAME SELECT 't' AS task_id, 'dispute' AS kind, 'commander' AS origin, "
    "'unit' AS subject_kind, "
    "'' AS place_text, '' AS note, $at::TIMESTAMP AS created_utc, 'a' AS created_by, 'closed' AS state, "
    "'normal' AS priority, $at::TIMESTAMP AS due_utc, $at::TIMESTAMP AS changed_utc, $at::TIMESTAMP AS closed_utc, "
    "0 AS sent_back_count, 0 AS forwarded_count, 0 AS absent_count, 0 AS findings_count, 1 AS evidence_count",
    "INSERT INTO task_evidence BY NAME SELECT 'e' AS evidence_id, 't' AS task_id, 'a' AS sent_by, "
    "$at::TIMESTAMP AS captured_utc, $at::TIMESTAMP AS received_utc, 'device' AS place_source, '{}' AS answers, "
    "'w' AS narrative, ST_Point(1, 2) AS geom",
    "INSERT INTO task_photos SELECT 'p', 't', 'e', 'a', 'image/jpeg', 1, 1, 1, $at::TIMESTAMP, $at::TIMESTAMP",
    "INSERT INTO task_findings SELECT 'f', 't', 'e', 'exit', $at::DATE, 'w'",
    "INSERT INTO task_sessions SELECT 's', 't', $at::TIMESTAMP, 'a', 'tenant', NULL, NULL, 'w', 'w'",
    "INSERT INTO visit_rounds SELECT 'v', 'a', $at::TIMESTAMP, $at::TIMESTAMP, NULL, NULL",
    "INSERT INTO visit_stops SELECT 'v', 't', 1 WHERE $at IS NOT NULL",
    "INSERT INTO visit_answers SELECT 'k', 'a', 'h', '{}', $at::TIMESTAMP",
)
WHEN_OVER = {
    "photos": timedelta(days=365),
    "evidence": timedelta(days=1095),
    "findings": timedelta(days=1095),
    "mediations": timedelta(days=1095),
    "visit_stops": timedelta(days=90),
    "visit_rounds": timedelta(days=90),
    "visit_answers": timedelta(days=60),
    "positions": timedelta(hours=24),
    "volunteer_positions": timedelta(hours=72),
    "sealed_texts": timedelta(days=730),
    "intake_answers": timedelta(days=7),
    "webhook": timedelta(days=90),
    "patrol_presences": timedelta(days=30),
    "checkin_records": timedelta(days=30),
    "sessions": timedelta(days=90),
    "openings": timedelta(days=90, minutes=10),
}


@pytest.mark.parametrize(("rule", "after"), WHEN_OVER.items())
def test_each_kind_goes_when_its_time_is_over_and_not_before(old: Store, rule: str, after: timedelta) -> None:
    assert plan_retention(old, START + after)[rule] == 0
    assert plan_retention(old, START + after + timedelta(seconds=1))[rule] == 1


def test_callers_and_those_who_moved_out_go_by_their_day(old: Store) -> None:
    reported = START.replace(day=20, hour=1)
    assert plan_retention(old, reported + timedelta(days=730))["callers"] == 0
    assert plan_retention(old, reported + timedelta(days=730, seconds=1))["callers"] == 2
    assert plan_retention(old, START + timedelta(days=365))["moved_out"] == 0
    assert plan_retention(old, START + timedelta(days=366))["moved_out"] == 1


def test_what_the_dry_run_says_goes_and_the_log_says_so(old: Store, clock: Clock) -> None:
    clock.move(days=1096)
    log_before = len(old.read("SELECT seq FROM audit_log"))
    planned = plan_retention(old, clock())
    assert set(planned) == {rule.name for rule in RULES}
    assert all(planned.values())
    assert apply_retention(old, clock=clock) == planned
    assert not any(plan_retention(old, clock()).values())
    row = old.read("SELECT * FROM audit_log ORDER BY seq DESC LIMIT 1").iloc[0]
    assert (row["action"], row["actor"], json.loads(row["detail"])) == ("retention", "server", planned)
    assert find_traces(old, "李小红") == ["incidents"], "in words of incidents that came in unmasked"
    assert len(old.read("SELECT * FROM incidents")) == 2
    assert len(old.read("SELECT * FROM responders WHERE geom IS NULL AND position_utc IS NULL")) == 2
    assert not any(apply_retention(old, clock=clock).values())
    assert len(old.read("SELECT seq FROM audit_log")) == log_before + 1, "a day without anything is not logged"
    assert verify(old).is_whole


def test_settings_shorten_it(old: Store, clock: Clock) -> None:
    old.write(lambda tx: put_setting(tx, "retention_position_hours", 1, changed_by="boss", clock=clock))
    clock.move(hours=2)
    assert {name for name, count in apply_retention(old, clock=clock).items() if count} == {"positions"}


def test_a_clock_that_was_set_back_lets_nothing_go(old: Store, clock: Clock) -> None:
    clock.move(days=-400)
    assert not any(apply_retention(old, clock=clock).values())


def test_who_asks_for_it_needs_the_right(old: Store, clock: Clock) -> None:
    with pytest.raises(NotAllowedError):
        apply_retention(old, viewer=OFFICER, clock=clock)
    clock.move(days=2)
    apply_retention(old, viewer=ADMIN, clock=clock)
    assert old.read("SELECT actor FROM audit_log WHERE action = 'retention'")["actor"].tolist() == ["boss"]


def test_the_invented_sample_keeps_its_people_with_radios(old: Store, clock: Clock) -> None:
    old.write(lambda tx: tx.execute("community", "UPDATE community SET synthetic = true"))
    clock.move(days=2)
    assert plan_retention(old, clock())["positions"] == 1
    assert apply_retention(old, clock=clock)["positions"] == 0
    assert apply_retention(old, viewer=ADMIN, clock=clock)["positions"] == 1
