"""
Life cycle of an incident: which step may follow which, and what the steps say about it.

    received → placed → dispatched → accepted → on_scene → handled → closed
                                                       └ and cancelled, duplicate, from any open state

A step back (`send_back`, to the state that it came from), a step around (`handle` without sending anybody), `cancel`,
`mark_duplicate`, `reopen` and moving a place that was found need a written reason. Nothing is kept but steps: the state
is what they lead to (`rebuild`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from gis.errors import RefusedError

MIN_REASON_LENGTH = 5
IMPORT, ADOPTED = "import", "as it was imported"


class State(StrEnum):
    """Where an incident is; the words of `incidents.status`."""

    RECEIVED = "received"
    PLACED = "placed"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ON_SCENE = "on_scene"
    HANDLED = "handled"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"


class Action(StrEnum):
    """What somebody does; the first is always `RECEIVE`, and never again."""

    RECEIVE = "receive"
    PLACE = "place"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    HANDLE = "handle"
    CLOSE = "close"
    SEND_BACK = "send_back"
    CANCEL = "cancel"
    MARK_DUPLICATE = "mark_duplicate"
    REOPEN = "reopen"


CHAIN = (
    State.RECEIVED,
    State.PLACED,
    State.DISPATCHED,
    State.ACCEPTED,
    State.ON_SCENE,
    State.HANDLED,
    State.CLOSED,
)
ENDED = frozenset({State.CLOSED, State.CANCELLED, State.DUPLICATE})
_OPEN = tuple(state for state in CHAIN if state not in ENDED)
_IMPORTED: Mapping[str, State] = MappingProxyType({"new": State.PLACED, "arrived": State.ON_SCENE})

# Action → the state that it leads to from each state it may be taken in; `_find_target` knows what else decides.
_MOVES: Mapping[Action, Mapping[State, State]] = MappingProxyType(
    {
        Action.PLACE: {
            State.RECEIVED: State.PLACED,
            # The place was wrong: it is moved, the work goes on.
            **{state: state for state in _OPEN if state is not State.RECEIVED},
        },
        Action.DISPATCH: {State.PLACED: State.DISPATCHED},
        Action.ACCEPT: {State.DISPATCHED: State.ACCEPTED},
        # Who has arrived has accepted, whether they said so or not.
        Action.ARRIVE: {State.DISPATCHED: State.ON_SCENE, State.ACCEPTED: State.ON_SCENE},
        # Settled on the telephone, nobody was sent: with a reason.
        Action.HANDLE: {
            State.RECEIVED: State.HANDLED,
            State.PLACED: State.HANDLED,
            State.ON_SCENE: State.HANDLED,
        },
        Action.CLOSE: {State.HANDLED: State.CLOSED},
        # Where it came from is found in its history; one chain back at the most.
        Action.SEND_BACK: {state: before for before, state in pairwise(_OPEN)},
        Action.CANCEL: dict.fromkeys(_OPEN, State.CANCELLED),
        Action.MARK_DUPLICATE: dict.fromkeys(_OPEN, State.DUPLICATE),
        Action.REOPEN: dict.fromkeys(ENDED, State.PLACED),
    }
)
_ALWAYS_WITH_REASON = frozenset({Action.SEND_BACK, Action.CANCEL, Action.MARK_DUPLICATE, Action.REOPEN})


@dataclass(frozen=True)
class Step:
    """
    One thing that was done.

    Attributes
    ----------
    action
        What.
    at_utc
        When, aware.
    by
        Who: name of an account or of a key, never of a person.
    reason
        Why, as it may be stored; needed where `needs_reason` says so.
    duplicate_of
        The incident that this one repeats, with `MARK_DUPLICATE` only.
    """

    action: Action
    at_utc: datetime
    by: str
    reason: str | None = None
    duplicate_of: str | None = None


@dataclass(frozen=True)
class Case:
    """What the steps of one incident lead to."""

    incident_id: str
    state: State
    has_place: bool = False
    duplicate_of: str | None = None
    entered: tuple[tuple[State, datetime], ...] = field(default=())
    """Each change of state in order, with its aware time"""

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


@dataclass(frozen=True)
class Stay:
    """How long an incident was in a state; `duration` is None while it still is."""

    state: State
    from_utc: datetime
    duration: timedelta | None


def find_state(status: str) -> State:
    """The state that a stored word means; imports of earlier versions wrote `new` and `arrived`."""
    return _IMPORTED.get(status) or State(status)


def find_allowed(case: Case) -> tuple[Action, ...]:
    """What may be done now, in the order of the enumeration."""
    return tuple(action for action in Action if case.state in _MOVES.get(action, {}))


def needs_reason(case: Case, action: Action) -> bool:
    """Whether `action` needs a written reason: going back, ending early, going around, moving a place."""
    if action is Action.PLACE:
        return case.has_place
    if action is Action.HANDLE:
        return case.state is not State.ON_SCENE
    return action in _ALWAYS_WITH_REASON


def begin(incident_id: str, step: Step) -> Case:
    """The case after its first step, `RECEIVE`."""
    if step.action is not Action.RECEIVE:
        raise RefusedError(f"Incident '{incident_id}' is not there yet: its first step is receive, not {step.action}.")
    return Case(incident_id, State.RECEIVED, entered=((State.RECEIVED, step.at_utc),))


def take_step(case: Case, step: Step) -> Case:
    """
    The case after `step`.

    Raises
    ------
    RefusedError
        The step may not follow: the sentence names those that may. Or it needs a reason and has none, or it names an
        incident to be a duplicate of that cannot be one. Nothing was changed.
    """
    target = _MOVES.get(step.action, {}).get(case.state)
    if target is None:
        allowed = ", ".join(find_allowed(case)) or "nothing"
        raise RefusedError(
            f"Incident '{case.incident_id}' is {case.state}: {step.action} is not possible. Allowed now: {allowed}."
        )
    if needs_reason(case, step.action) and len((step.reason or "").strip()) < MIN_REASON_LENGTH:
        raise RefusedError(
            f"Incident '{case.incident_id}' is {case.state}: {step.action} needs a written reason of at least "
            f"{MIN_REASON_LENGTH} characters."
        )
    if (step.action is Action.MARK_DUPLICATE) != (step.duplicate_of is not None):
        raise RefusedError("duplicate_of belongs to mark_duplicate, and mark_duplicate needs it: name the incident.")
    if step.duplicate_of == case.incident_id:
        raise RefusedError(f"Incident '{case.incident_id}' cannot be a duplicate of itself: name the other one.")
    target = _find_target(case, step.action, target)
    has_place = (case.has_place or step.action is Action.PLACE) and target is not State.RECEIVED
    changed = ((target, step.at_utc),) if target is not case.state else ()
    return Case(case.incident_id, target, has_place, step.duplicate_of, (*case.entered, *changed))


def _find_target(case: Case, action: Action, target: State) -> State:
    """Where an action leads that looks at what was before: reopened or sent back, it needs a place to be `placed`."""
    if action is Action.REOPEN:
        return State.PLACED if case.has_place else State.RECEIVED
    if action is Action.SEND_BACK:
        rank = CHAIN.index(case.state)
        came_from = next(state for state, _ in reversed(case.entered) if state in CHAIN[:rank])
        is_unplaced = came_from is State.RECEIVED and case.state is not State.PLACED
        return State.PLACED if is_unplaced and case.has_place else came_from
    return target


def adopt(status: str, *, has_place: bool, reported_utc: datetime, closed_utc: datetime | None) -> tuple[Step, ...]:
    """
    Steps of an incident that came without any (an import, the sample), as far as its row tells; nobody took them.

    What lies between is not made up: a row that says `on_scene` was dispatched and has arrived, when is not known.
    """
    state = find_state(status)
    actions = {
        State.PLACED: (Action.PLACE,),
        State.DISPATCHED: (Action.PLACE, Action.DISPATCH),
        State.ACCEPTED: (Action.PLACE, Action.DISPATCH, Action.ACCEPT),
        State.ON_SCENE: (Action.PLACE, Action.DISPATCH, Action.ARRIVE),
        State.HANDLED: (Action.PLACE, Action.HANDLE),
        State.CLOSED: (Action.PLACE, Action.HANDLE, Action.CLOSE),
        State.CANCELLED: (Action.PLACE, Action.CANCEL),
    }.get(state, ())
    if not has_place:
        actions = tuple(action for action in actions if action is not Action.PLACE)
    ended = {Action.HANDLE, Action.CLOSE, Action.CANCEL}
    return tuple(
        Step(action, closed_utc if action in ended and closed_utc else reported_utc, IMPORT, reason=ADOPTED)
        for action in (Action.RECEIVE, *actions)
    )


def rebuild(incident_id: str, steps: Iterable[Step]) -> Case:
    """The case after all its steps in order; `RefusedError` when they cannot have followed one another."""
    first, *others = steps
    case = begin(incident_id, first)
    for step in others:
        case = take_step(case, step)
    return case


def list_stays(case: Case) -> tuple[Stay, ...]:
    """How long each state lasted, in order; a clock that was set back makes no negative time."""
    ends = [at for _, at in case.entered[1:]]
    stays = [Stay(state, at, max(end - at, timedelta(0))) for (state, at), end in zip(case.entered, ends, strict=False)]
    if case.entered:
        state, at = case.entered[-1]
        stays.append(Stay(state, at, None))
    return tuple(stays)
