"""
Rules of one dispatch: somebody with a radio is sent to an incident, answers, goes, is there, is free again.

    sent → accepted → on_the_way → on_scene → stood_down
      └ declined, expired              └ and stood_down, handed_over from any of the four

Nothing is kept but acts: the state is what they lead to (`rebuild`). An act that was done already changes nothing, so
that a key pressed twice, or by two people, does it once. Declining costs nothing: nothing here counts it.

`align` says which steps of the incident follow from its dispatches: the first that is sent dispatches it, the first
that accepts accepts it, and when nobody is on the way any more it waits for somebody again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gis.errors import RefusedError
from incidents.life_cycle import CHAIN, MIN_REASON_LENGTH, Action, Case, State, Step, take_step

COMMANDER_AFTER: Final = 2
"""Times the time to answer after which the commander is told."""
COMMANDER_LEVEL: Final = 2
NOBODY_LEFT: Final = "nobody is on the way any more"
ENDED_WITH_INCIDENT: Final = "the incident has ended"


class DispatchState(StrEnum):
    """Where a dispatch is; the words of `dispatches.state`."""

    SENT = "sent"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ON_SCENE = "on_scene"
    STOOD_DOWN = "stood_down"
    HANDED_OVER = "handed_over"
    DECLINED = "declined"
    EXPIRED = "expired"


class DispatchAction(StrEnum):
    """What somebody does about a dispatch; the first is always `SEND`, and never again."""

    SEND = "send"
    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"
    STAND_DOWN = "stand_down"
    HAND_OVER = "hand_over"
    DECLINE = "decline"
    ESCALATE = "escalate"
    EXPIRE = "expire"


class Way(StrEnum):
    """How it was said: over the radio, on the responder's own page, by another system, on paper."""

    VOICE = "voice"
    IN_APP = "in_app"
    WEBHOOK = "webhook"
    SLIP = "slip"


class Kind(StrEnum):
    """Why somebody was sent: the first, one more, or instead of another."""

    FIRST = "first"
    REINFORCEMENT = "reinforcement"
    HAND_OVER = "hand_over"


ACTIVE: Final = (DispatchState.SENT, DispatchState.ACCEPTED, DispatchState.ON_THE_WAY, DispatchState.ON_SCENE)
_MOVES: Mapping[DispatchAction, Mapping[DispatchState, DispatchState]] = MappingProxyType(
    {
        DispatchAction.ACCEPT: {DispatchState.SENT: DispatchState.ACCEPTED},
        # Who goes or is there has accepted, whether they said so or not.
        DispatchAction.DEPART: dict.fromkeys(ACTIVE[:2], DispatchState.ON_THE_WAY),
        DispatchAction.ARRIVE: dict.fromkeys(ACTIVE[:3], DispatchState.ON_SCENE),
        DispatchAction.STAND_DOWN: dict.fromkeys(ACTIVE, DispatchState.STOOD_DOWN),
        DispatchAction.HAND_OVER: dict.fromkeys(ACTIVE, DispatchState.HANDED_OVER),
        DispatchAction.DECLINE: dict.fromkeys(ACTIVE[:3], DispatchState.DECLINED),
        DispatchAction.ESCALATE: {DispatchState.SENT: DispatchState.SENT},
        DispatchAction.EXPIRE: {DispatchState.SENT: DispatchState.EXPIRED},
    }
)
# Each is done when the dispatch is in one of these: asked for once more it changes nothing.
_DONE: Mapping[DispatchAction, tuple[DispatchState, ...]] = MappingProxyType(
    {
        DispatchAction.ACCEPT: ACTIVE[1:],
        DispatchAction.DEPART: ACTIVE[2:],
        DispatchAction.ARRIVE: ACTIVE[3:],
        DispatchAction.STAND_DOWN: (DispatchState.STOOD_DOWN,),
        DispatchAction.HAND_OVER: (DispatchState.HANDED_OVER,),
        DispatchAction.DECLINE: (DispatchState.DECLINED,),
        DispatchAction.EXPIRE: (DispatchState.EXPIRED,),
    }
)
ANSWERS: Final = (DispatchAction.ACCEPT, DispatchAction.DECLINE, DispatchAction.DEPART, DispatchAction.ARRIVE)
"""What a responder says themselves."""
_OF_INCIDENT: Mapping[DispatchState, State] = MappingProxyType(
    {
        DispatchState.SENT: State.DISPATCHED,
        DispatchState.ACCEPTED: State.ACCEPTED,
        DispatchState.ON_THE_WAY: State.ACCEPTED,
        DispatchState.ON_SCENE: State.ON_SCENE,
    }
)
_SENDABLE = (State.PLACED, State.DISPATCHED, State.ACCEPTED, State.ON_SCENE)
_ALIGNED = (State.PLACED, State.DISPATCHED, State.ACCEPTED)


class DispatchRefusedError(RefusedError):
    """A rule of dispatch forbids it; `code` says which, for the words of a page."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Act:
    """
    One thing that was done about a dispatch.

    Attributes
    ----------
    action, at_utc
        What, and when (aware).
    by
        Who wrote it down: name of an account, never of a person; `server` for what the clock did.
    way
        How the responder said it, with what they say.
    reason
        Why, as it may be stored.
    level
        With `ESCALATE`: 1 the dispatchers, 2 the commander.
    """

    action: DispatchAction
    at_utc: datetime
    by: str
    way: Way | None = None
    reason: str | None = None
    level: int = 0


@dataclass(frozen=True)
class Dispatch:
    """One responder sent to one incident: what its acts lead to; times are aware, None for what has not happened."""

    dispatch_id: str
    incident_id: str
    responder_id: str
    kind: Kind
    way: Way
    state: DispatchState
    sent_utc: datetime
    sent_by: str
    decision_id: str | None = None
    from_dispatch_id: str | None = None
    answered_way: Way | None = None
    accepted_utc: datetime | None = None
    departed_utc: datetime | None = None
    arrived_utc: datetime | None = None
    ended_utc: datetime | None = None
    reason: str | None = None
    level: int = 0
    escalated_utc: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


@dataclass(frozen=True)
class Limits:
    """How long an answer may take by the incident's urgency, and when an unanswered dispatch is given up."""

    answer: Mapping[str, timedelta]
    expire: timedelta


def find_allowed(dispatch: Dispatch) -> tuple[DispatchAction, ...]:
    """What may be done now, in the order of the enumeration."""
    return tuple(action for action in DispatchAction if dispatch.state in _MOVES.get(action, {}))


def is_done(dispatch: Dispatch, act: Act) -> bool:
    """Whether `act` was done already: once more it changes nothing."""
    if act.action is DispatchAction.ESCALATE:
        return dispatch.level >= act.level
    return dispatch.state in _DONE.get(act.action, ())


def needs_reason(dispatch: Dispatch, action: DispatchAction) -> bool:
    """Taking somebody off before they have been there needs a reason, and handing over always; declining never."""
    if action is DispatchAction.STAND_DOWN:
        return dispatch.state is not DispatchState.ON_SCENE
    return action is DispatchAction.HAND_OVER


def take_act(dispatch: Dispatch, act: Act) -> Dispatch:
    """
    The dispatch after `act`; itself when that was done already.

    Raises
    ------
    DispatchRefusedError
        It may not follow: the sentence names what may. Or it needs a reason. Nothing was changed.
    """
    if is_done(dispatch, act):
        return dispatch
    target = _MOVES.get(act.action, {}).get(dispatch.state)
    if target is None:
        allowed = ", ".join(find_allowed(dispatch)) or "nothing"
        raise DispatchRefusedError(
            "not_now",
            f"Dispatch '{dispatch.dispatch_id}' is {dispatch.state}: {act.action} is not possible. Allowed now: "
            f"{allowed}. Send them again if they are needed.",
        )
    if needs_reason(dispatch, act.action):
        check_reason(act.reason, f"{act.action} of a dispatch that is {dispatch.state}")
    if act.action is DispatchAction.ESCALATE:
        return replace(dispatch, level=act.level, escalated_utc=act.at_utc)
    changed = replace(dispatch, state=target)
    if target in ACTIVE[1:]:
        # What was not said is not made up: who arrived without a word has no time of leaving.
        changed = replace(changed, accepted_utc=dispatch.accepted_utc or act.at_utc)
        changed = replace(changed, answered_way=dispatch.answered_way or act.way)
    if target is DispatchState.ON_THE_WAY:
        return replace(changed, departed_utc=act.at_utc)
    if target is DispatchState.ON_SCENE:
        return replace(changed, arrived_utc=act.at_utc)
    if target not in ACTIVE:
        return replace(changed, ended_utc=act.at_utc, reason=act.reason)
    return changed


def check_reason(reason: str | None, what: str) -> None:
    """`DispatchRefusedError` for a reason that is too short; `what` begins the sentence."""
    if len((reason or "").strip()) < MIN_REASON_LENGTH:
        raise DispatchRefusedError(
            "reason", f"{what} needs a written reason of at least {MIN_REASON_LENGTH} characters."
        )


def rebuild(first: Dispatch, acts: Iterable[Act]) -> Dispatch:
    """The dispatch as it was sent, after all acts that followed in order."""
    dispatch = first
    for act in acts:
        dispatch = take_act(dispatch, act)
    return dispatch


def check_sendable(case: Case) -> None:
    """`DispatchRefusedError` when nobody can be sent to this incident now, with the way out."""
    if case.state in _SENDABLE:
        return
    if case.state is State.RECEIVED:
        raise DispatchRefusedError(
            "no_place", f"Incident '{case.incident_id}' has no place yet: nobody is sent to nowhere. Place it first."
        )
    way_out = "Send it back first." if case.is_open else "Reopen it first."
    raise DispatchRefusedError("ended", f"Incident '{case.incident_id}' is {case.state}. {way_out}")


def align(case: Case, states: Collection[DispatchState], *, at_utc: datetime, by: str) -> tuple[Step, ...]:
    """
    Steps of an incident that follow from the states of its dispatches; none where a person decides (on scene, after).

    Parameters
    ----------
    case
        The incident as it is.
    states
        States of all its dispatches, after what just happened.
    at_utc, by
        When and who, for the steps.
    """
    wanted = max(
        (_OF_INCIDENT[state] for state in states if state in _OF_INCIDENT), key=CHAIN.index, default=State.PLACED
    )
    steps: list[Step] = []
    while case.state in _ALIGNED and case.state is not wanted:
        if CHAIN.index(case.state) > CHAIN.index(wanted):
            step = Step(Action.SEND_BACK, at_utc, by, NOBODY_LEFT)
        elif case.state is State.PLACED:
            step = Step(Action.DISPATCH, at_utc, by)
        else:
            step = Step(Action.ARRIVE if wanted is State.ON_SCENE else Action.ACCEPT, at_utc, by)
        case = take_step(case, step)
        steps.append(step)
    return tuple(steps)


def find_due(dispatch: Dispatch, urgency: str, limits: Limits, now: datetime) -> Act | None:
    """
    What the clock does about a dispatch that nobody has answered: dispatchers, then the commander, then given up.

    An urgency that the limits do not name is taken for the most urgent of them.
    """
    if dispatch.state is not DispatchState.SENT:
        return None
    waited = now - dispatch.sent_utc
    answer = limits.answer.get(urgency) or min(limits.answer.values())
    if waited >= max(limits.expire, answer * (COMMANDER_AFTER + 1)):
        return Act(DispatchAction.EXPIRE, now, "server")
    level = COMMANDER_LEVEL if waited >= answer * COMMANDER_AFTER else 1 if waited >= answer else 0
    return Act(DispatchAction.ESCALATE, now, "server", level=level) if level > dispatch.level else None
