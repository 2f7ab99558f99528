"""No sequence of steps, in any order or repeated, reaches a state that cannot be, or loses evidence."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import RefusedError
from tasks.life_cycle import (
    AT_WORK,
    ENDED,
    WITH_REASON,
    Action,
    Finding,
    Kind,
    Receiver,
    State,
    Step,
    Task,
    begin,
    find_allowed,
    is_repeat,
    rebuild,
    take_step,
)
from tasks.steps import to_event, to_step

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
# By hand from the issue: forward, accept, refuse with reason, on site, submit with evidence, send back with reason,
# close; 限期整改 is not done until it is checked again.
LEADS_TO = {
    "assign": {"assigned"}, "forward": {"assigned"}, "accept": {"accepted"}, "refuse": {"waiting"},
    "arrive": {"on_site"}, "submit": {"submitted"}, "send_back": {"accepted"}, "demand": {"rectifying"},
    "extend": {"accepted"}, "recheck": {"closed"}, "drop_recheck": {"submitted"}, "close": {"closed"},
    "cancel": {"cancelled"}, "hold_session": {"on_site"}, "nobody_home": {"accepted"},
}  # fmt: skip
STAYS = {"attach", "link", "remind", "escalate", "keep"}

steps = st.builds(
    lambda action, minute, number, reason, found, mended, settled: Step(
        action, START + timedelta(minutes=minute), f"a-{number % 3}",
        reason="a written reason" if reason else None,
        receiver=Receiver("grid", f"g{number}"),
        due_utc=START + timedelta(days=number),
        evidence_id=f"e{number}" if action in (Action.SUBMIT, Action.ATTACH, Action.NOBODY_HOME, Action.KEEP) else None,
        action_id=f"{action}-{number}",
        findings=(Finding("f", "wiring", date(2026, 12, 1)),) if found and action is Action.SUBMIT else (),
        mended=mended, again_utc=START + timedelta(days=2), session_id=f"s{number}", settled=settled, other_id="t-2",
        incidents=(f"i{number}", "i9") if action is Action.LINK else (),
    ),
    st.sampled_from([a for a in Action if a is not Action.CREATE]), st.integers(0, 500), st.integers(0, 5),
    st.booleans(), st.booleans(), st.sampled_from([None, True, False]), st.sampled_from([None, True, False]),
)  # fmt: skip


def start(kind: Kind) -> Step:
    return Step(
        Action.CREATE, START, "a-0", kind=kind, due_utc=START + timedelta(days=1), receiver=Receiver("role", "officer")
    )


def offer(task: Task, step: Step) -> tuple[Task, Step]:
    """As tasks/doing.py: a step that is refused but brings evidence is kept."""
    try:
        return take_step(task, step), step
    except RefusedError:
        if step.evidence_id is None:
            raise
        kept = Step(Action.KEEP, step.at_utc, step.by, evidence_id=step.evidence_id, action_id=step.action_id)
        return take_step(task, kept), kept


@settings(max_examples=300)
@given(st.sampled_from(list(Kind)), st.lists(steps, max_size=25))
def test_any_sequence_of_steps(kind: Kind, sequence: list[Step]) -> None:
    task, taken, sent = begin("t-1", start(kind)), [start(kind)], set()
    for asked in [one for one in sequence for _ in range(2)]:  # everything comes twice
        before, was_there, sentence = task, is_repeat(task, asked), ""
        try:
            task, step = offer(task, asked)
        except RefusedError as refused:
            sentence = str(refused)
        if sentence:
            allowed = ", ".join(find_allowed(before)) or "nothing"
            assert f"Allowed now: {allowed}." in sentence or "needs" in sentence or "already" in sentence
            assert task is before
            continue
        if was_there:
            assert task is before
            continue
        taken.append(step)
        sent |= {step.evidence_id} - {None}
        if step.action.value in STAYS:
            assert task.state is before.state
        else:
            assert task.state.value in LEADS_TO[step.action.value]
            assert before.state not in ENDED
        assert step.action not in WITH_REASON or step.reason
        if step.action is Action.CLOSE:
            assert before.state is State.SUBMITTED
            assert not task.findings or kind is Kind.RECTIFICATION
            assert kind is not Kind.RECTIFICATION or task.mended
            assert kind is not Kind.DISPUTE or task.settled is not None
        assert (task.closed_utc is not None) == (task.state in ENDED)
        assert (task.receiver is None) == (task.state is State.WAITING) or task.state in ENDED | {State.WAITING}
    assert set(task.evidence) == sent
    assert set(task.incidents) == {one for step in taken for one in step.incidents}
    assert rebuild("t-1", taken) == task
    assert rebuild("t-1", [to_step(to_event(step)) for step in taken]) == task


@given(st.permutations([Action.ACCEPT, Action.ARRIVE, Action.SUBMIT]))
def test_a_phone_that_was_away_may_send_in_any_order(order: list[Action]) -> None:
    task = begin("t-1", start(Kind.INSPECTION))
    for action in order:
        evidence = "e1" if action is Action.SUBMIT else None
        try:
            task = take_step(task, Step(action, START, "a-1", evidence_id=evidence, action_id=action.value))
        except RefusedError:
            assert action is not Action.SUBMIT
    assert (task.state, task.evidence, task.accepted_by) == (State.SUBMITTED, ("e1",), "a-1")


def test_what_is_allowed_in_each_state() -> None:
    at_work = {"assign", "forward", "attach", "nobody_home", "arrive", "submit", "refuse", "accept", "cancel"}
    expected = {
        "waiting": {"assign", "cancel"},
        "assigned": at_work,
        "accepted": at_work - {"accept"},
        "on_site": at_work - {"accept", "arrive", "refuse"},
        "submitted": {"send_back", "close", "cancel"},
        "rectifying": {"cancel"},
        "closed": set(),
        "cancelled": set(),
    }
    for state in State:
        task = Task("t-1", Kind.INSPECTION, state, START)
        assert {action.value for action in find_allowed(task)} == expected[state.value], state
    assert set(AT_WORK) == {State.ASSIGNED, State.ACCEPTED, State.ON_SITE}
