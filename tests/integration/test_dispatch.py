"""Sending people: the dispatch, the incident's steps and the log in one transaction; twice is once; two at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.dispatch_writes import to_plain
from data.queries import find_decision, find_dispatches, find_own_dispatches
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from incidents.dispatches import Decision, answer, find_own_responder, hand_over, send
from incidents.dispatching import DispatchAction, DispatchRefusedError, Way
from incidents.life_cycle import Action
from incidents.taking_in import Correction, TakingIn
from tests.fixtures.access import START, Clock
from tests.fixtures.dispatch import (
    OFFICER,
    WORKER,
    add_responders,
    check_rebuilt,
    dispatch_clock,
    dispatch_store,
    read_dispatches,
    take_in,
)
from tests.fixtures.intake import build_store

__all__ = ["dispatch_clock", "dispatch_store"]

WHY = "two are needed there"


def get_status(store: Store, incident_id: str) -> str:
    return str(store.read("SELECT status FROM incidents WHERE incident_id = ?", [incident_id])["status"].iloc[0])


def get_responder(store: Store, responder_id: str) -> tuple[Any, ...]:
    """Status, and how many seconds after the start it was said, they were sent, and came free."""
    row = store.read("SELECT * FROM responders WHERE responder_id = ?", [responder_id]).iloc[0]
    times = [to_plain(dict(row))[name] for name in ("status_utc", "last_sent_utc", "last_off_utc")]
    return row["status"], *(None if at is None else (at - START).total_seconds() for at in times)


def test_one_goes_there_and_is_free_again(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    decision = Decision({"rows": [{"responder_id": "r2", "travel_time_s": 71.0}]}, rank=1, by_hand=False)
    sent = send(store, OFFICER, incident_id, "r2", decision=decision, clock=clock)
    assert (sent.is_new, get_status(store, incident_id)) == (True, "dispatched")
    told = sent.dispatch.dispatch_id
    assert get_responder(store, "r2") == ("off", None, None, None)
    for action, expected, responder in (
        (DispatchAction.ACCEPT, "accepted", ("on_the_way", 40, 40, None)),
        (DispatchAction.DEPART, "accepted", ("on_the_way", 80, 40, None)),
        (DispatchAction.ARRIVE, "on_scene", ("on_scene", 120, 40, None)),
        (DispatchAction.STAND_DOWN, "on_scene", ("ready", 160, 40, 160)),
    ):
        clock.move(seconds=40)
        answer(store, WALL, told, action, clock=clock)
        assert (get_status(store, incident_id), get_responder(store, "r2")) == (expected, responder)
    (row,) = find_dispatches(store, WALL, incident_id=incident_id).to_dict("records")
    assert (row["call_sign"], row["channel"], row["state"], row["answered_way"]) == (
        "卫士02",
        "4",
        "stood_down",
        "voice",
    )
    assert (row["arrived_utc"] - row["sent_utc"]).total_seconds() == 120
    kept = find_decision(store, OFFICER, sent.dispatch.decision_id or "").iloc[0]
    assert (json.loads(kept["advice"]), kept["rank"], kept["by_hand"]) == (decision.advice, 1, False)
    log = store.read("SELECT actor, detail FROM audit_log WHERE subject_kind = 'dispatch' ORDER BY seq")
    assert log["actor"].tolist() == ["officer07", *["wall"] * 4]
    assert json.loads(log["detail"].iloc[0]) == {"what": "send", "incident": incident_id, "responder": "r2"}
    check_rebuilt(store)


def test_twice_is_once_and_everybody_else_hears_why_not(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    one, other, nowhere = take_in(store, clock), take_in(store, clock), take_in(store, clock, address="nowhere at all")
    first = send(store, OFFICER, one, "r2", clock=clock)
    again = send(store, WALL, one, "r2", clock=clock)
    assert (again.is_new, again.dispatch) == (False, first.dispatch)
    told = first.dispatch.dispatch_id
    accepted = answer(store, OFFICER, told, DispatchAction.ACCEPT, clock=clock)
    clock.move(seconds=5)
    assert answer(store, OFFICER, told, DispatchAction.ACCEPT, clock=clock) == accepted

    refusals = {
        "busy": lambda: send(store, OFFICER, other, "r2", clock=clock),
        "no_place": lambda: send(store, OFFICER, nowhere, "r1", clock=clock),
        "meanwhile": lambda: send(store, OFFICER, one, "r1", reason=WHY, seen=[], clock=clock),
        "reason": lambda: send(store, OFFICER, one, "r1", clock=clock),
        "same": lambda: hand_over(store, OFFICER, told, "r2", reason=WHY, clock=clock),
        "not_now": lambda: answer(store, OFFICER, told, DispatchAction.EXPIRE, clock=clock),
    }
    before = store.export_tables()
    for code, call in refusals.items():
        with pytest.raises(DispatchRefusedError) as refused:
            call()
        assert refused.value.code == code
    with pytest.raises(DispatchRefusedError, match="卫士02 was sent there by officer07"):
        send(store, OFFICER, one, "r1", reason=WHY, seen=[], clock=clock)
    with pytest.raises(RecordMissingError, match="no responder 'r9'"):
        send(store, OFFICER, one, "r9", reason=WHY, clock=clock)
    for role in (Role.GRID_WORKER, Role.VOLUNTEER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(NotAllowedError):
            send(store, Viewer(role), one, "r1", clock=clock)
    after = store.export_tables()
    assert all(before[table].equals(after[table]) for table in before), "what was refused changed nothing"
    assert send(store, OFFICER, one, "r1", reason=WHY, seen=[told], clock=clock).dispatch.kind == "reinforcement"
    answer(store, OFFICER, find_dispatches(store, OFFICER, responder_id="r1")["dispatch_id"].iloc[0],
           DispatchAction.DECLINE, clock=clock)  # fmt: skip
    assert get_responder(store, "r1")[0] == "off", "who cannot go is as ready as before"
    check_rebuilt(store)


def test_nobody_left_means_that_it_waits_again(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    one, other = take_in(store, clock), take_in(store, clock)
    first = send(store, OFFICER, one, "r2", clock=clock).dispatch.dispatch_id
    answer(store, OFFICER, first, DispatchAction.ACCEPT, clock=clock)
    more = send(store, OFFICER, one, "r3", reason=WHY, clock=clock).dispatch.dispatch_id
    answer(store, OFFICER, first, DispatchAction.DECLINE, clock=clock)
    assert get_status(store, one) == "dispatched", "the one who is left has not answered"
    send(store, OFFICER, other, "r3", divert=True, clock=clock)
    assert (get_status(store, one), get_status(store, other)) == ("placed", "dispatched")
    with pytest.raises(DispatchRefusedError, match=r"is stood_down: accept is not possible\. Allowed now: nothing"):
        answer(store, OFFICER, more, DispatchAction.ACCEPT, clock=clock)
    check_rebuilt(store)


def test_handing_over_needs_a_reason_and_is_one_step(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    first = send(store, OFFICER, incident_id, "r2", clock=clock).dispatch.dispatch_id
    answer(store, OFFICER, first, DispatchAction.ARRIVE, clock=clock)
    clock.move(minutes=1)
    with pytest.raises(DispatchRefusedError, match="written reason"):
        hand_over(store, OFFICER, first, "r3", reason=" ", clock=clock)
    new = hand_over(store, OFFICER, first, "r3", reason="王建国 13812341234 下班了", clock=clock)
    assert (new.dispatch.kind, new.dispatch.from_dispatch_id) == ("hand_over", first)
    assert hand_over(store, OFFICER, first, "r3", reason=WHY, clock=clock).dispatch == new.dispatch
    states = [one.state.value for one in read_dispatches(store, incident_id)]
    assert (states, get_status(store, incident_id)) == (["handed_over", "sent"], "on_scene")
    reasons = "".join(store.read("SELECT detail FROM events")["detail"]) + str(
        store.read("SELECT reason FROM dispatches")["reason"].tolist()
    )
    assert "王**" in reasons
    assert "王建国" not in reasons
    assert "13812341234" not in reasons
    check_rebuilt(store)


@pytest.mark.parametrize("action", [Action.CANCEL, Action.MARK_DUPLICATE])
def test_whoever_is_still_on_it_is_free_when_it_ends(
    dispatch_store: Store, dispatch_clock: Clock, action: Action
) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id, other = take_in(store, clock), take_in(store, clock)
    send(store, OFFICER, incident_id, "r2", clock=clock)
    duplicate_of = other if action is Action.MARK_DUPLICATE else None
    TakingIn(store, clock).change(incident_id, Correction("as it turned out", action, duplicate_of), by="officer07")
    (one,) = read_dispatches(store, incident_id)
    assert (one.state, one.reason) == ("stood_down", "the incident has ended")
    with pytest.raises(DispatchRefusedError, match="Reopen it first"):
        send(store, OFFICER, incident_id, "r3", clock=clock)
    check_rebuilt(store)


def test_a_responder_answers_for_themselves_alone(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    own = send(store, OFFICER, incident_id, "r1", way=Way.IN_APP, clock=clock).dispatch.dispatch_id
    others = send(store, OFFICER, incident_id, "r2", reason=WHY, clock=clock).dispatch.dispatch_id
    assert (find_own_responder(store, WORKER), find_own_responder(store, OFFICER)) == ("r1", None)
    (seen,) = find_own_dispatches(store, WORKER, "r1").to_dict("records")
    assert (seen["address"], seen["room"], seen["call_sign"]) == ("小村12幢1单元101室", "101", "网格01")
    accepted = answer(store, WORKER, own, DispatchAction.ACCEPT, way=Way.IN_APP, clock=clock)
    assert accepted.answered_way is Way.IN_APP
    with pytest.raises(NotAllowedError, match="another's"):
        answer(store, WORKER, others, DispatchAction.ACCEPT, way=Way.IN_APP, clock=clock)
    with pytest.raises(NotAllowedError):
        answer(store, WORKER, own, DispatchAction.STAND_DOWN, reason=WHY, clock=clock)


def test_two_dispatchers_at_once(dispatch_store: Store, dispatch_clock: Clock) -> None:
    """Of eight who all saw an empty list and send at one moment one wins; who chose the same is no second one."""
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    results: list[str] = []
    gate = threading.Barrier(8)

    def press(number: int) -> None:
        gate.wait()
        try:
            send(store, OFFICER, incident_id, f"r{number % 3 + 1}", reason=WHY, seen=[], clock=clock)
            results.append("sent")
        except DispatchRefusedError as error:
            results.append(error.code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = read_dispatches(store, incident_id)
    same = sum(f"r{number % 3 + 1}" == winner.responder_id for number in range(8))
    assert (results.count("sent"), results.count("meanwhile")) == (same, 8 - same)
    check_rebuilt(store)


# Any order, repeated, by anybody: whatever happens, rows and events agree and nothing impossible is stored.

_ACTS = st.tuples(
    st.sampled_from(["send", "hand_over", "finish", *DispatchAction]),
    st.integers(0, 2), st.integers(0, 5), st.booleans(), st.booleans(),
)  # fmt: skip
_OF_INCIDENT = {"sent": "dispatched", "accepted": "accepted", "on_the_way": "accepted", "on_scene": "on_scene"}
_ORDER = ["placed", "dispatched", "accepted", "on_scene"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Clock]:
    clock = Clock()
    store = build_store(tmp_path_factory.mktemp("crowd") / "crowd.duckdb", clock)
    add_responders(store)
    return store, clock


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=st.lists(_ACTS, max_size=14))
def test_no_sequence_reaches_an_illegal_state(
    crowd: tuple[Store, Clock], acts: list[tuple[str, int, int, bool, bool]]
) -> None:
    store, clock = crowd
    store.write(lambda tx: [tx.execute(t, f"DELETE FROM {t}") for t in ("dispatches", "events", "incidents")] and None)
    ids = [take_in(store, clock), take_in(store, clock)]
    for what, number, which, flag, has_reason in acts:
        clock.move(seconds=10)
        reason = WHY if has_reason else None
        told = [one.dispatch_id for incident_id in ids for one in read_dispatches(store, incident_id)]
        try:
            if what == "send":
                send(store, OFFICER, ids[which % 2], f"r{number + 1}", reason=reason, divert=flag, clock=clock)
            elif what == "finish":
                for action in (Action.HANDLE, Action.CLOSE):
                    TakingIn(store, clock).change(ids[which % 2], Correction(WHY, action), by="o")
            elif told and what == "hand_over":
                hand_over(store, OFFICER, told[which % len(told)], f"r{number + 1}", reason=reason or "", divert=flag,
                          clock=clock)  # fmt: skip
            elif told:
                answer(store, OFFICER, told[which % len(told)], DispatchAction(what), reason=reason, clock=clock)
        except RefusedError:
            pass
        active = store.read("SELECT incident_id, responder_id, state FROM dispatches WHERE ended_utc IS NULL")
        assert active["responder_id"].is_unique, "nobody is in two places"
        for incident_id in ids:
            states = active.loc[active["incident_id"] == incident_id, "state"]
            status = get_status(store, incident_id)
            if status in _ORDER[:3]:
                assert status == max((_OF_INCIDENT[one] for one in states), key=_ORDER.index, default="placed")
            if status == "closed":
                assert states.empty
    check_rebuilt(store)
