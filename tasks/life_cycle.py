"""
Life of a task (任务): which step may follow which, and what the steps lead to.

    waiting → assigned → accepted → on_site → submitted → closed
       └ refused ┘           └ sent back ┘        └ rectifying (限期整改) → re-checked → closed
                                                                and cancelled, from any open state

Nobody at home (`nobody_home`) is no end: the task goes back to accepted, with when the worker comes again. Nothing is
kept but steps: the state is what they lead to (`rebuild`). Evidence is never lost: what arrives when its step is not
possible any more (another closed the task, it was forwarded while the phone was away) is kept by the step `keep`,
which changes nothing else. Who did two things at once has done the first: arriving is accepting, submitting is both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from gis.errors import RefusedError

MIN_REASON_LENGTH = 4


class Kind(StrEnum):
    """What is to be done."""

    INSPECTION = "inspection"
    VERIFICATION = "verification"
    RECTIFICATION = "rectification"
    DISPUTE = "dispute"
    PATROL = "patrol"
    OTHER = "other"


class Origin(StrEnum):
    """Where a task comes from."""

    RULE = "rule"
    INCIDENT = "incident"
    ZONE = "zone"
    COMMANDER = "commander"


class Priority(StrEnum):
    """How pressing it is."""

    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"


class State(StrEnum):
    """Where a task is; the words of `tasks.state`."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    ON_SITE = "on_site"
    SUBMITTED = "submitted"
    RECTIFYING = "rectifying"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What somebody does; the first is always `CREATE`, and never again."""

    CREATE = "create"
    ASSIGN = "assign"
    FORWARD = "forward"
    ACCEPT = "accept"
    REFUSE = "refuse"
    ARRIVE = "arrive"
    ATTACH = "attach"
    NOBODY_HOME = "nobody_home"
    HOLD_SESSION = "hold_session"
    LINK = "link"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    DEMAND = "demand"
    EXTEND = "extend"
    RECHECK = "recheck"
    DROP_RECHECK = "drop_recheck"
    CLOSE = "close"
    CANCEL = "cancel"
    REMIND = "remind"
    ESCALATE = "escalate"
    KEEP = "keep"


ENDED = frozenset({State.CLOSED, State.CANCELLED})
OPEN = tuple(state for state in State if state not in ENDED)
AT_WORK = (State.ASSIGNED, State.ACCEPTED, State.ON_SITE)
BY_RECEIVER = frozenset(
    {
        *(Action.FORWARD, Action.ACCEPT, Action.REFUSE, Action.ARRIVE, Action.ATTACH, Action.NOBODY_HOME),
        *(Action.HOLD_SESSION, Action.LINK, Action.SUBMIT),
    }
)
"""What the receiver does; the rest is for who directs, and `BY_ITSELF` follows from a clock or another task."""
BY_ITSELF = frozenset({Action.REMIND, Action.ESCALATE, Action.RECHECK, Action.DROP_RECHECK, Action.KEEP})
WITH_REASON = frozenset({Action.FORWARD, Action.REFUSE, Action.SEND_BACK, Action.EXTEND, Action.CANCEL})
_SAME: Mapping[State, State] = MappingProxyType({state: state for state in AT_WORK})
# Action → the state that it leads to from each state in which it may be taken.
_MOVES: Mapping[Action, Mapping[State, State]] = MappingProxyType(
    {
        Action.ASSIGN: dict.fromkeys((State.WAITING, *AT_WORK), State.ASSIGNED),
        Action.FORWARD: dict.fromkeys(AT_WORK, State.ASSIGNED),
        Action.ACCEPT: {State.ASSIGNED: State.ACCEPTED},
        Action.REFUSE: dict.fromkeys((State.ASSIGNED, State.ACCEPTED), State.WAITING),
        Action.ARRIVE: dict.fromkeys((State.ASSIGNED, State.ACCEPTED), State.ON_SITE),
        Action.ATTACH: _SAME,
        Action.NOBODY_HOME: dict.fromkeys(AT_WORK, State.ACCEPTED),
        Action.HOLD_SESSION: dict.fromkeys(AT_WORK, State.ON_SITE),
        Action.LINK: {state: state for state in OPEN},
        Action.SUBMIT: dict.fromkeys(AT_WORK, State.SUBMITTED),
        Action.SEND_BACK: {State.SUBMITTED: State.ACCEPTED},
        Action.DEMAND: {State.SUBMITTED: State.RECTIFYING},
        Action.EXTEND: {State.SUBMITTED: State.ACCEPTED},
        Action.RECHECK: {State.RECTIFYING: State.CLOSED},
        Action.DROP_RECHECK: {State.RECTIFYING: State.SUBMITTED},
        Action.CLOSE: {State.SUBMITTED: State.CLOSED},
        Action.CANCEL: dict.fromkeys(OPEN, State.CANCELLED),
        Action.REMIND: {state: state for state in OPEN},
        Action.ESCALATE: {state: state for state in OPEN},
        Action.KEEP: {state: state for state in State},
    }
)


@dataclass(frozen=True)
class Receiver:
    """Who is to do it: `account`, `grid` (whoever looks after it) or `role`, and its id."""

    kind: str
    id: str


@dataclass(frozen=True)
class Finding:
    """What was found wrong: its own id, a code of the checklist, and by when it has to be mended."""

    finding_id: str
    code: str
    rectify_by: date


@dataclass(frozen=True)
class Step:
    """
    One thing that was done. Ids, codes and masked reasons only: it is stored as an event.

    Attributes
    ----------
    action, at_utc, by
        What; when it came to us, aware; id of an account or `server`, never a person's name.
    reason
        As it may be stored; needed where `WITH_REASON` says so.
    receiver, due_utc, priority
        With `create`, `assign`, `forward`; `due_utc` with `extend` and `demand` too.
    evidence_id
        Evidence that came with it.
    captured_utc
        When it was done where the phone was away, aware.
    action_id
        The sender's own id: the same id twice is one step.
    findings
        With `submit`.
    mended
        With `submit` of a rectification: whether what was found is mended.
    session_id, settled, follow_up_on
        With `hold_session` of a dispute.
    again_utc, level
        With `nobody_home`: when the worker comes again. With `escalate`: how far word goes; without one the first.
    other_id
        The re-check that `demand` made, or whose end is told by `recheck`.
    incidents
        With `create` and, of a dispute, `link`: ids of incidents that it is about.
    """

    action: Action
    at_utc: datetime
    by: str
    reason: str | None = None
    receiver: Receiver | None = None
    due_utc: datetime | None = None
    priority: Priority | None = None
    evidence_id: str | None = None
    captured_utc: datetime | None = None
    action_id: str | None = None
    findings: tuple[Finding, ...] = ()
    mended: bool | None = None
    session_id: str | None = None
    settled: bool | None = None
    follow_up_on: date | None = None
    again_utc: datetime | None = None
    level: int | None = None
    other_id: str | None = None
    kind: Kind | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What the steps of one task lead to; times are aware, `…_by` are ids of accounts."""

    task_id: str
    kind: Kind
    state: State
    due_utc: datetime
    priority: Priority = Priority.NORMAL
    receiver: Receiver | None = None
    accepted_by: str | None = None
    submitted_by: str | None = None
    submitted_utc: datetime | None = None
    changed_utc: datetime | None = None
    closed_utc: datetime | None = None
    sent_back_count: int = 0
    forwarded_count: int = 0
    absent_count: int = 0
    again_utc: datetime | None = None
    reminded_utc: datetime | None = None
    escalated_utc: datetime | None = None
    escalation_level: int = 0
    mended: bool | None = None
    settled: bool | None = None
    follow_up_on: date | None = None
    recheck_id: str | None = None
    findings: tuple[Finding, ...] = ()
    evidence: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    action_ids: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


def find_allowed(task: Task) -> tuple[Action, ...]:
    """What somebody may do now, in the order of the enumeration; what follows by itself is not among it."""
    return tuple(a for a in Action if a not in BY_ITSELF and task.state in _MOVES.get(a, {}) and _suits(task, a))


def _suits(task: Task, action: Action) -> bool:
    """Whether an action is one of this kind of task, and of what it holds."""
    if action in (Action.HOLD_SESSION, Action.LINK):
        return task.kind is Kind.DISPUTE
    if action is Action.EXTEND:
        return task.kind is Kind.RECTIFICATION
    if action is Action.DEMAND:
        return bool(task.findings) and task.kind is not Kind.RECTIFICATION
    return action is not Action.CLOSE or find_obstacle(task) is None


def find_obstacle(task: Task) -> str | None:
    """Code of what stands against closing a submitted task: `findings`, `not_mended`, `not_settled`, or None."""
    if task.kind is Kind.RECTIFICATION:
        return None if task.mended else "not_mended"
    if task.findings:
        return "findings"
    if task.kind is Kind.DISPUTE and task.settled is None:
        return "not_settled"
    return None


def begin(task_id: str, step: Step) -> Task:
    """The task after its first step, `CREATE`, which says kind, due time, priority and perhaps a receiver."""
    if step.action is not Action.CREATE or step.kind is None or step.due_utc is None:
        raise RefusedError(f"Task '{task_id}' is not there yet: its first step is create, with a kind and a due time.")
    return Task(
        task_id, step.kind, State.ASSIGNED if step.receiver else State.WAITING, step.due_utc,
        step.priority or Priority.NORMAL, step.receiver, changed_utc=step.at_utc, incidents=step.incidents,
        action_ids=frozenset({step.action_id} if step.action_id else ()),
    )  # fmt: skip


def is_repeat(task: Task, step: Step) -> bool:
    """Whether this step was taken already, by the sender's own id."""
    return step.action_id is not None and step.action_id in task.action_ids


def take_step(task: Task, step: Step) -> Task:
    """
    The task after `step`; a step that was taken already changes nothing.

    Raises
    ------
    RefusedError
        The step may not follow: the sentence names those that may. Or it needs a reason, a receiver, evidence or a
        later date and has none. Nothing was changed.
    """
    if is_repeat(task, step):
        return task
    target = _MOVES.get(step.action, {}).get(task.state)
    if target is None or not _suits(task, step.action):
        allowed = ", ".join(find_allowed(task)) or "nothing"
        obstacle = find_obstacle(task) if step.action is Action.CLOSE and target else None
        why = {
            "findings": " What was found has to be mended and checked again first.",
            "not_mended": " It is not mended: give it a later date.",
            "not_settled": " No session says yet whether it is settled.",
        }.get(obstacle or "", "")
        raise RefusedError(
            f"Task '{task.task_id}' is {task.state}: {step.action} is not possible.{why} Allowed now: {allowed}."
        )
    _check_step(task, step)
    return _apply(task, step, target)


def _check_step(task: Task, step: Step) -> None:
    if step.action in WITH_REASON and len((step.reason or "").strip()) < MIN_REASON_LENGTH:
        raise RefusedError(
            f"Task '{task.task_id}': {step.action} needs a written reason of at least {MIN_REASON_LENGTH} characters."
        )
    if step.action in (Action.ASSIGN, Action.FORWARD) and step.receiver is None:
        raise RefusedError(f"Task '{task.task_id}': {step.action} needs a receiver. Choose an account, grid or role.")
    if step.action is Action.FORWARD and step.receiver == task.receiver:
        raise RefusedError(f"Task '{task.task_id}' is with that receiver already. Choose another.")
    if step.action in (Action.SUBMIT, Action.ATTACH, Action.NOBODY_HOME) and step.evidence_id is None:
        raise RefusedError(f"Task '{task.task_id}': {step.action} needs evidence. Say what was found.")
    if step.action is Action.SUBMIT and task.kind is Kind.RECTIFICATION and step.mended is None:
        raise RefusedError(f"Task '{task.task_id}' is a re-check: say whether what was found is mended.")
    if step.action is Action.HOLD_SESSION and step.session_id is None:
        raise RefusedError(f"Task '{task.task_id}': a session needs an id.")
    if step.action is Action.LINK and not set(step.incidents) - set(task.incidents):
        raise RefusedError(f"Task '{task.task_id}': link needs incidents that it is not about already. Choose some.")
    if step.action in (Action.DEMAND, Action.RECHECK) and step.other_id is None:
        raise RefusedError(f"Task '{task.task_id}': {step.action} needs the task that checks again.")
    if step.action is Action.NOBODY_HOME and (step.again_utc or step.at_utc) <= (step.captured_utc or step.at_utc):
        raise RefusedError(f"Task '{task.task_id}': nobody_home needs a later time at which you come again.")
    if step.action is Action.EXTEND and (step.due_utc is None or step.due_utc <= step.at_utc):
        raise RefusedError(f"Task '{task.task_id}': extend needs a date that is still to come.")


def _apply(task: Task, step: Step, target: State) -> Task:
    """The task after a step that may follow."""
    after = replace(
        task,
        state=target,
        changed_utc=step.at_utc,
        evidence=_add(task.evidence, step.evidence_id),
        sessions=_add(task.sessions, step.session_id),
        incidents=(*task.incidents, *(one for one in step.incidents if one not in task.incidents)),
        action_ids=task.action_ids | ({step.action_id} if step.action_id else set()),
        closed_utc=step.at_utc if target in ENDED and task.is_open else task.closed_utc,
    )
    match step.action:
        case Action.ASSIGN | Action.FORWARD:
            after = replace(
                after, receiver=step.receiver, accepted_by=None, due_utc=step.due_utc or task.due_utc,
                forwarded_count=task.forwarded_count + (step.action is Action.FORWARD),
            )  # fmt: skip
        case Action.REFUSE:
            after = replace(after, receiver=None, accepted_by=None)
        case Action.ACCEPT | Action.ARRIVE | Action.HOLD_SESSION | Action.SUBMIT | Action.NOBODY_HOME:
            after = replace(after, accepted_by=task.accepted_by or step.by)
        case Action.SEND_BACK:
            after = replace(after, sent_back_count=task.sent_back_count + 1, submitted_by=None, submitted_utc=None)
        case Action.EXTEND:
            after = replace(
                after, due_utc=step.due_utc or task.due_utc, mended=None, submitted_by=None, submitted_utc=None,
                reminded_utc=None, escalated_utc=None, escalation_level=0,
            )  # fmt: skip
        case Action.DEMAND:
            after = replace(after, recheck_id=step.other_id)
        case Action.DROP_RECHECK:
            after = replace(after, recheck_id=None)
        case Action.REMIND:
            after = replace(after, reminded_utc=step.at_utc)
        case Action.ESCALATE:
            level = max(task.escalation_level, step.level or 1)
            after = replace(after, escalated_utc=step.at_utc, escalation_level=level)
    if step.action is Action.HOLD_SESSION:
        settled = step.settled if step.settled is not None else task.settled
        after = replace(after, settled=settled, follow_up_on=step.follow_up_on or task.follow_up_on)
    if step.action is Action.NOBODY_HOME:
        after = replace(after, absent_count=task.absent_count + 1, again_utc=step.again_utc)
    if step.action is Action.SUBMIT:
        after = replace(
            after, submitted_by=step.by, submitted_utc=step.captured_utc or step.at_utc, findings=step.findings,
            mended=step.mended,
        )  # fmt: skip
    return after


def _add(items: tuple[str, ...], item: str | None) -> tuple[str, ...]:
    return items if item is None or item in items else (*items, item)


def rebuild(task_id: str, steps: Iterable[Step]) -> Task:
    """The task after all its steps in order; `RefusedError` when they cannot have followed one another."""
    first, *others = steps
    task = begin(task_id, first)
    for step in others:
        task = take_step(task, step)
    return task
