"""Tasks through the store: each step an event, the row what the events lead to, evidence never lost."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from data.approvals import ask, decide
from data.audit import verify
from data.erasure import Person, build_subject, erase_person
from data.intake import unseal
from data.openings import open_fields
from data.queries import (
    find_incidents_at,
    find_task,
    find_task_counts,
    find_task_events,
    find_task_evidence,
    find_task_findings,
    find_task_incidents,
    find_task_sessions,
    find_tasks,
    find_waiting,
)
from data.viewer import WALL, Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tasks.doing import act
from tasks.life_cycle import Action, Kind, Origin, Receiver, State
from tasks.orders import Order, Session, Wrong
from tasks.receiving import list_actions
from tests.fixtures.tasks import Office, access_store, clock, office

__all__ = ["access_store", "clock", "office"]


_MORE_INCIDENTS = """
INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc, occurred_to_utc, status,
        building_id, unit_id, grid_id)
    SELECT id, 'dispute_neighbour', 'normal', 'call', day, day, day, status, 'b1', unit, 'g1' FROM (VALUES
        ('i3', TIMESTAMP '2026-11-21 01:00:00', 'closed', 'u1'),
        ('i4', TIMESTAMP '2026-11-22 01:00:00', 'handled', NULL),
        ('i5', TIMESTAMP '2026-11-22 02:00:00', 'duplicate', 'u1')) t(id, day, status, unit)
"""


def test_a_task_goes_from_the_office_to_the_door_and_back(office: Office) -> None:
    task = office.make(note="看看电表，电话13812341234", incidents=("i1",))
    office.do(office.worker, task, Action.ACCEPT, action_id="a1")
    office.clock.move(hours=2)
    office.do(office.worker, task, Action.ARRIVE, action_id="a2")
    done = office.do(
        office.worker, task, Action.SUBMIT, action_id="a3", evidence=office.saw("e1", "王建国在家", x_m=1.2, y_m=0.3)
    )
    assert done.task.state is State.SUBMITTED
    assert office.do(office.officer, task, Action.CLOSE).task.state is State.CLOSED
    office.check_rebuilt(task)
    row = find_task(office.store, office.officer, task).iloc[0]
    assert row["note"] == "看看电表，电话***"
    assert (row["building_id"], row["unit_id"], row["grid_id"]) == ("b1", "u1", "g1")
    (seen,) = find_task_evidence(office.store, office.officer, task).to_dict("records")
    assert (seen["narrative"], seen["place_source"], seen["x_m"], seen["kept_why"]) == ("王**在家", "device", 1.2, None)
    sealed = office.store.read("SELECT subject_table, subject_id FROM sealed_texts")
    assert sealed.to_dict("records") == [{"subject_table": "task_evidence", "subject_id": "e1"}]
    history = find_task_events(office.store, office.officer, task)
    assert history["action"].tolist() == ["create", "accept", "arrive", "submit", "close"]
    assert history["by"].tolist() == ["officer07", "grid01", "grid01", "grid01", "officer07"]
    assert find_task_incidents(office.store, office.officer, task)["linked"].tolist() == [True]
    events = office.store.read("SELECT detail::VARCHAR AS d FROM events WHERE subject_table = 'tasks'")["d"].str.cat()
    assert "王" not in events
    assert verify(office.store).is_whole


def test_what_is_found_is_not_done_before_it_is_checked_again(office: Office) -> None:
    task = office.make(subject_kind="rental", subject_id="r1")
    wrong = (Wrong("wiring", date(2026, 12, 1), "私拉电线"), Wrong("exit", date(2026, 12, 3), "堵了通道"))
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"), findings=wrong)
    with pytest.raises(
        RefusedError, match=r"has to be mended and checked again first\. Allowed now: send_back, demand"
    ):
        office.do(office.officer, task, Action.CLOSE)
    demanded = office.do(office.officer, task, Action.DEMAND)
    assert demanded.task.state is State.RECTIFYING
    check = demanded.recheck_id or ""
    row = office.read_row(check)
    assert (row["kind"], row["parent_id"], row["subject_id"]) == ("rectification", task, "r1")
    assert str(row["due_utc"]) == "2026-12-03 10:00:00"  # 18:00 in Shanghai on the last of the two dates
    assert (row["receiver_kind"], row["receiver_id"]) == ("account", office.worker.account_id)
    office.do(office.worker, check, Action.SUBMIT, evidence=office.saw("e2", "还没有改"), mended=False)
    with pytest.raises(RefusedError, match="It is not mended: give it a later date"):
        office.do(office.officer, check, Action.CLOSE)
    later = office.clock() + timedelta(days=20)
    office.do(office.officer, check, Action.EXTEND, reason="房东外出，缓一周", due_utc=later)
    assert office.rebuild(task).state is State.RECTIFYING
    office.do(office.worker, check, Action.SUBMIT, evidence=office.saw("e3", "已拆除"), mended=True)
    office.do(office.officer, check, Action.CLOSE)
    assert office.rebuild(task).state is State.CLOSED
    for one in (task, check):
        office.check_rebuilt(one)
    assert find_task_findings(office.store, office.officer, task)["code"].tolist() == ["wiring", "exit"]
    assert find_task_evidence(office.store, office.worker, check)["narrative"].tolist() == ["还没有改", "已拆除"]


def test_a_recheck_that_is_dropped_gives_the_findings_back(office: Office) -> None:
    task = office.make()
    office.do(
        office.worker, task, Action.SUBMIT, evidence=office.saw("e1"), findings=(Wrong("other", date(2026, 12, 1)),)
    )
    first = office.do(office.officer, task, Action.DEMAND).recheck_id or ""
    office.do(office.officer, first, Action.CANCEL, reason="弄错了地址")
    assert office.rebuild(task).state is State.SUBMITTED
    second = office.do(office.officer, task, Action.DEMAND).recheck_id or ""
    assert first != second
    office.do(office.officer, task, Action.CANCEL, reason="整幢要拆了")
    assert {office.rebuild(one).state for one in (task, first, second)} == {State.CANCELLED}
    for one in (task, first, second):
        office.check_rebuilt(one)


def test_evidence_stays_when_its_step_comes_too_late(office: Office) -> None:
    task = office.make()
    office.do(office.officer, task, Action.CANCEL, reason="改由别人去")
    late = office.do(office.worker, task, Action.SUBMIT, action_id="s1", evidence=office.saw("e1"))
    assert late.task.state is State.CANCELLED
    assert "submit is not possible" in str(late.refused)
    again = office.do(office.worker, task, Action.SUBMIT, action_id="s1", evidence=office.saw("e1"))
    assert again.is_repeat
    passed = office.make()
    office.do(
        office.worker,
        passed,
        Action.FORWARD,
        reason="今天休息",
        receiver=Receiver("account", str(office.neighbour.account_id)),
    )
    mine = office.do(office.worker, passed, Action.SUBMIT, evidence=office.saw("e2"))
    assert "with another receiver" in str(mine.refused)
    assert mine.task.state is State.ASSIGNED
    kept = office.store.read("SELECT evidence_id, kept_why FROM task_evidence ORDER BY 1")
    assert kept.to_dict("records") == [
        {"evidence_id": "e1", "kept_why": "cancelled"}, {"evidence_id": "e2", "kept_why": "assigned"},
    ]  # fmt: skip
    office.check_rebuilt(task)
    # The neighbour was given a task of another grid: it is theirs now.
    assert office.do(office.neighbour, passed, Action.ACCEPT).task.accepted_by == office.neighbour.account_id
    assert len(find_tasks(office.store, office.neighbour, now=office.clock(), only_mine=True)) == 1
    assert find_tasks(office.store, office.worker, now=office.clock(), only_mine=True).empty


def test_the_same_task_is_made_once(office: Office) -> None:
    made = {office.make(key="rule visit u1 2026-48", origin=Origin.RULE) for _ in range(3)}
    assert len(made) == 1
    assert len(find_task_events(office.store, office.officer, made.pop())) == 1


def test_who_may_do_what(office: Office) -> None:
    task = office.make()
    with pytest.raises(NotAllowedError, match="is not in one of your grids"):
        office.do(office.neighbour, task, Action.ACCEPT)
    with pytest.raises(NotAllowedError, match="may not use action 'direct_task'"):
        office.do(office.worker, task, Action.CANCEL, reason="不想去了")
    with pytest.raises(NotAllowedError, match="may not use action 'work_task'"):
        office.do(WALL, task, Action.ACCEPT)
    with pytest.raises(RefusedError, match="refuse needs a written reason"):
        office.do(office.worker, task, Action.REFUSE, reason="忙")
    with pytest.raises(RecordMissingError, match="There is no account 'nobody'"):
        office.do(office.officer, task, Action.ASSIGN, receiver=Receiver("account", "nobody"))
    with pytest.raises(BadRecordError, match="Parties are"):
        office.do(office.worker, task, Action.HOLD_SESSION, session=Session(office.clock(), ("王建国",)))
    own = office.make(receiver=Receiver("account", str(office.officer.account_id)))
    office.do(office.officer, own, Action.SUBMIT, evidence=office.saw("e9"))
    with pytest.raises(NotAllowedError, match="somebody else has to close it"):
        office.do(office.officer, own, Action.CLOSE)
    row = office.read_row(own)
    assert list_actions(office.officer, office.rebuild(own), row) == (Action.SEND_BACK, Action.CANCEL)
    assert Action.CLOSE in list_actions(office.other, office.rebuild(own), row)
    assert list_actions(Viewer(Role.AUDITOR), office.rebuild(own), row) == ()


def test_a_dispute_ends_when_a_session_says_how(office: Office) -> None:
    task = office.make(kind=Kind.DISPUTE, receiver=Receiver("role", "officer"))
    first = Session(office.clock(), ("upstairs", "downstairs"), "楼上漏水，李小红要求赔偿")
    office.do(office.officer, task, Action.HOLD_SESSION, session=first, action_id="s1")
    office.do(office.officer, task, Action.HOLD_SESSION, session=first, action_id="s1")
    office.do(office.officer, task, Action.ATTACH, evidence=office.saw("e1"))
    office.do(office.officer, task, Action.SUBMIT, evidence=office.saw("e2"))
    with pytest.raises(RefusedError, match="No session says yet whether it is settled"):
        office.do(office.other, task, Action.CLOSE)
    office.do(office.other, task, Action.SEND_BACK, reason="再谈一次")
    office.clock.move(days=2)
    agreed = Session(
        office.clock(), ("upstairs", "downstairs", "property"), "", "修好并赔三百元", settled=True,
        follow_up_on=date(2026, 12, 24),
    )  # fmt: skip
    office.do(office.officer, task, Action.HOLD_SESSION, session=agreed)
    office.do(office.officer, task, Action.SUBMIT, evidence=office.saw("e3"))
    assert office.do(office.other, task, Action.CLOSE).task.settled is True
    office.check_rebuilt(task)
    held = find_task_sessions(office.store, office.officer, task)
    assert held["narrative"].tolist()[0] == "楼上漏水，李**要求赔偿"
    assert held["agreement"].tolist()[1] == "修好并赔三百元"


def test_what_was_agreed_is_asked_after_on_its_day(office: Office) -> None:
    """A session that names a day makes a task for it, once, about the same incident; others make none."""
    task = office.make(kind=Kind.DISPUTE, incidents=("i1",), receiver=Receiver("role", "officer"))
    talk = Session(office.clock(), ("upstairs",), "先谈谈")
    office.do(office.officer, task, Action.HOLD_SESSION, session=talk, action_id="s1")
    assert office.store.read("SELECT count(*) AS n FROM tasks")["n"].iloc[0] == 1
    agreed = Session(office.clock(), ("upstairs",), "", "修好", settled=True, follow_up_on=date(2030, 1, 5))
    for _ in range(2):
        office.do(office.officer, task, Action.HOLD_SESSION, session=agreed, action_id="s2")
    (child,) = office.store.read("SELECT task_id FROM tasks WHERE parent_id = ?", [task])["task_id"]
    row = office.read_row(child)
    assert (row["kind"], row["state"], row["unit_id"], row["receiver_id"]) == (
        "verification", "assigned", "u1", office.officer.account_id,
    )  # fmt: skip
    assert str(row["due_utc"]) == "2030-01-05 10:00:00"  # 18:00 in Shanghai
    linked = office.store.read("SELECT task_id FROM task_incidents ORDER BY 1")["task_id"].tolist()
    assert linked == sorted([task, child])
    office.check_rebuilt(child)
    office.check_rebuilt(task)


def test_a_dispute_is_linked_to_what_happened_at_its_address(office: Office) -> None:
    """By the mediator or who directs, once each; not to another building's, and to nothing by who has no part in it."""
    office.store.write(lambda tx: tx.execute("incidents", _MORE_INCIDENTS))
    task = office.make(kind=Kind.DISPUTE, incidents=("i1",))
    office.do(office.officer, task, Action.LINK, incidents=("i3",), action_id="l1")
    office.do(office.officer, task, Action.LINK, incidents=("i3",), action_id="l1")
    office.do(office.worker, task, Action.ACCEPT)
    office.do(office.worker, task, Action.LINK, incidents=("i3", "i4"))
    for wrong in ("i2", "i-nothing", "i5"):  # the other building's; nobody's; a repetition
        with pytest.raises(RefusedError, match=f"'{wrong}' cannot be linked"):
            office.do(office.worker, task, Action.LINK, incidents=("i4", wrong))
    with pytest.raises(RefusedError, match="not about already"):
        office.do(office.worker, task, Action.LINK, incidents=("i4",))
    with pytest.raises(NotAllowedError):
        office.do(office.neighbour, task, Action.LINK, incidents=("i4",))
    visit = office.make()
    with pytest.raises(RefusedError, match="link is not possible"):
        office.do(office.officer, visit, Action.LINK, incidents=("i1",))
    with pytest.raises(RefusedError, match="cannot be linked"):
        office.make(kind=Kind.DISPUTE, incidents=("i-nothing",))
    linked = office.store.read("SELECT incident_id FROM task_incidents WHERE task_id = ? ORDER BY 1", [task])
    assert linked["incident_id"].tolist() == ["i1", "i3", "i4"]
    assert sorted(office.rebuild(task).incidents) == ["i1", "i3", "i4"]
    office.check_rebuilt(task)
    logged = office.store.read("SELECT detail::VARCHAR AS d FROM audit_log WHERE subject_id = ?", [task])["d"]
    assert sum('"link"' in one for one in logged) == 2


def test_a_worker_is_not_told_of_kinds_that_only_officers_see(office: Office) -> None:
    """At the address they are not there; of one that the task is about nothing but that it is."""
    office.store.write(lambda tx: tx.execute("incidents", _MORE_INCIDENTS))
    tree = (
        "INSERT INTO incident_categories (category, name_zh, name_en, sensitive) "
        "VALUES ('theft', '盗窃', 'Theft', true)"
    )
    office.store.write(lambda tx: tx.execute("incident_categories", tree))
    assert find_incidents_at(office.store, office.officer, "b1", unit_id="u1")["incident_id"].tolist() == [
        "i4", "i3", "i1",
    ]  # fmt: skip
    assert find_incidents_at(office.store, office.worker, "b1")["incident_id"].tolist() == ["i4", "i3"]
    assert find_incidents_at(office.store, office.worker, "b2").empty
    task, other = office.make(kind=Kind.DISPUTE, incidents=("i1",)), office.make(subject_id="u1")
    rows = find_task_incidents(office.store, office.worker, task)
    assert rows.loc[rows["incident_id"] == "i1", "category"].isna().all()
    assert "i1" not in find_task_incidents(office.store, office.worker, other)["incident_id"].tolist()
    assert "i1" in find_task_incidents(office.store, office.officer, other)["incident_id"].tolist()


def test_sealed_words_open_with_a_purpose_and_the_log_knows(office: Office) -> None:
    task = office.make()
    original = "打13812345678找李小红"
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1", original))
    (row,) = find_task_evidence(office.store, office.officer, task).to_dict("records")
    assert (row["is_sealed"], "13812345678" in row["narrative"]) == (True, False)

    def read(viewer: Viewer) -> str:
        return unseal(office.store, viewer, "task_evidence", "e1", "narrative", clock=office.clock)

    with pytest.raises(NotAllowedError, match="Open the masked fields with a reason first"):
        read(office.officer)
    with pytest.raises(BadRecordError, match="at least 5"):
        open_fields(office.store, office.officer, "task", task, reason="看", clock=office.clock)
    with pytest.raises(NotAllowedError):
        open_fields(office.store, office.neighbour, "task", task, reason="想看看原来怎么写的", clock=office.clock)
    opening = open_fields(office.store, office.officer, "task", task, reason="核对联系方式", clock=office.clock)
    assert read(opening.apply(office.officer)) == original
    with pytest.raises(NotAllowedError):
        read(office.other)  # it is open to who asked only
    log = office.store.read("SELECT action FROM audit_log WHERE subject_kind = 'task' ORDER BY seq")["action"]
    assert log.tolist()[-2:] == ["open_field", "look"]
    assert verify(office.store).is_whole


def test_the_board_counts_by_grid_and_kind(office: Office) -> None:
    now = office.clock()
    office.make(due_utc=now - timedelta(hours=1))
    back, done, late = (
        office.make(subject_id=unit, receiver=Receiver("role", "officer")) for unit in ("u1", "u1", "u2")
    )
    office.do(office.officer, back, Action.SUBMIT, evidence=office.saw("e1"))
    office.do(office.other, back, Action.SEND_BACK, reason="照片看不清")
    for number, one in enumerate((done, late)):
        if one == late:
            office.clock.move(days=3)
        office.do(office.officer, one, Action.SUBMIT, evidence=office.saw(f"f{number}"))
        office.do(office.other, one, Action.CLOSE)
    counts = find_task_counts(office.store, office.officer, now=now).set_index("grid_id")
    assert counts.loc["g1", ["open", "overdue", "sent_back", "closed", "on_time"]].tolist() == [2, 1, 1, 1, 1]
    assert counts.loc["g2", ["open", "overdue", "sent_back", "closed", "on_time"]].tolist() == [0, 0, 0, 1, 0]
    assert set(find_task_counts(office.store, office.worker, now=now)["grid_id"]) == {"g1"}
    waiting = find_waiting(office.store, office.officer, now=now)
    assert waiting[["waits_for", "receiver_kind", "receiver_id", "tasks", "overdue"]].values.tolist() == [
        ["accept", "grid", "g1", 1, 1], ["do", "role", "officer", 1, 0],
    ]  # fmt: skip
    assert find_tasks(office.store, office.officer, now=now, only_overdue=True)["receiver"].tolist() == ["第1网格"]


def test_any_order_and_any_repeat_through_the_store(office: Office) -> None:
    """Whatever comes in whatever order, twice: each row is what its events lead to, and each evidence is there."""
    rng = random.Random(20261128)
    tasks = [office.make(kind=kind) for kind in (Kind.INSPECTION, Kind.DISPUTE)]
    who = {Action.ACCEPT: office.worker, Action.ARRIVE: office.worker, Action.REFUSE: office.worker}
    orders = []
    for task in tasks:
        for number, action in enumerate(a for a in Action if a.value not in ("create", "keep", "extend")):
            brings = action in (Action.SUBMIT, Action.ATTACH, Action.NOBODY_HOME)
            evidence = office.saw(f"{task}-{number}") if brings else None
            wrong = (Wrong("other", date(2026, 12, 1)),) if action is Action.SUBMIT and rng.random() < 0.5 else ()
            orders += [(task, Order(
                action, f"{task}-{action}", reason="有理由的", evidence=evidence, findings=wrong,
                receiver=Receiver("grid", "g1"), again_utc=office.clock() + timedelta(days=1),
                session=Session(office.clock(), ("tenant",), settled=True) if action is Action.HOLD_SESSION else None,
            ))] * 2  # fmt: skip
    rng.shuffle(orders)
    sent = set()
    for task, order in orders:
        office.clock.move(minutes=1)
        viewer = who.get(order.action) or rng.choice([office.worker, office.officer, office.other])
        sent |= {order.evidence.evidence_id} if order.evidence else set()
        try:
            act(office.store, viewer, task, order, clock=office.clock)
        except RefusedError:
            assert order.evidence is None
    made = office.store.read("SELECT task_id FROM tasks")["task_id"]
    assert len(made) >= len(tasks)
    for task in made:
        office.check_rebuilt(task)
    rows = office.store.read("SELECT task_id, evidence_id FROM task_evidence")
    assert set(rows["evidence_id"]) == sent
    assert not rows["evidence_id"].duplicated().any()
    kept = {(task, one) for task in made for one in office.rebuild(task).evidence}
    assert kept == set(rows.itertuples(index=False, name=None))
    assert verify(office.store).is_whole


def test_erasing_a_person_reaches_what_was_said_at_the_door(office: Office) -> None:
    """A name that nobody knew when it was written is found once it is asked for."""
    task = office.make(kind=Kind.DISPUTE, note="赵晓梅来过", receiver=Receiver("role", "officer"))
    office.do(office.officer, task, Action.ATTACH, evidence=office.saw("e1", "赵晓梅说的"))
    office.store.write(
        lambda tx: tx.execute("units", "UPDATE units SET owner_name = '赵晓梅', owner_phone = '13011112222'")
    )
    person = Person("赵晓梅", "13011112222")
    commander = Viewer(Role.COMMANDER, account_id="a1", name="chief")
    subject = build_subject(office.store, person)
    asked = ask(office.store, commander, "erase_person", subject, "本人申请删除", clock=office.clock)
    admin = Viewer(Role.ADMIN, account_id="a2", name="boss")
    approval = decide(office.store, admin, asked.approval_id, approved=True, clock=office.clock)
    erase_person(office.store, commander, person, approval.approval_id, clock=office.clock)
    texts = office.store.read("SELECT note FROM tasks UNION ALL SELECT narrative FROM task_evidence")["note"].tolist()
    assert texts == ["赵**来过", "赵**说的"]
