"""
Whom to send: those that may and can, by real travel time, each with the reasons; those left out, each with why.

Pure: records, times and a clock in, an order with reasons out. It looks at places, hours and rules, never at how
somebody did before or how often they said no: nothing about a person adds up to a score. Rows of equal time stand in
the order of `duty.KINDS`, then of their ids. Whoever is left out can be chosen by hand all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final

from incidents.duty import BUSY, KINDS, LOCAL, OFFICER, POLICE, REST, Duty, Status, find_duty, is_night
from incidents.sending import May, Sending, SendingRules

STALE: Final = timedelta(minutes=10)
"""A position older than this is named as such: on foot that is 800 m."""


@dataclass(frozen=True)
class Reason:
    """A code with its values; words are made of it where it is shown (catalogue section `ranking`)."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Responder:
    """What is known of one who can be sent; times are aware, duty hours are local."""

    responder_id: str
    call_sign: str
    kind: str
    channel: str | None = None
    vehicle: str = "foot"
    skills: frozenset[str] = frozenset()
    status: str | None = None
    status_utc: datetime | None = None
    duty_from: time | None = None
    duty_to: time | None = None
    no_night_duty: bool = False
    last_sent_utc: datetime | None = None
    last_off_utc: datetime | None = None
    position_utc: datetime | None = None
    has_position: bool = True
    grid_id: str | None = None


@dataclass(frozen=True)
class Need:
    """What has to be met: `lineage` is the kind of the incident and those above it, itself first."""

    lineage: tuple[str, ...]
    urgency: str


@dataclass(frozen=True)
class Way:
    """
    How long one needs to the incident now, infinity where no open way leads there; and with every gate open (`gates`:
    names of the shut ones on that way). `no_way` says why there is none.
    """

    travel_time_s: float
    if_open_s: float | None = None
    gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ranked:
    """
    One row of the ranking.

    `eta` is when they would be there; `coverage_left` is how many others stay ready in the grid where they are now,
    None where that is not known.
    """

    responder_id: str
    call_sign: str
    channel: str | None
    kind: str
    vehicle: str
    travel_time_s: float | None
    eta: datetime | None
    reasons: tuple[Reason, ...]
    coverage_left: int | None = None


@dataclass(frozen=True)
class Ranking:
    """Rows to be sent, first the quickest; those left out, with why; and, where nobody can, what would help."""

    at: datetime
    rows: tuple[Ranked, ...]
    left_out: tuple[Ranked, ...]
    advice: tuple[Reason, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists; times stay objects."""
        return asdict(self)


def rank_responders(
    responders: Sequence[Responder],
    ways: Mapping[str, Way],
    need: Need,
    *,
    rules: SendingRules,
    at: datetime,
) -> Ranking:
    """
    Rank everybody with a radio for one incident.

    Parameters
    ----------
    responders
        Everybody, on duty or not.
    ways
        By responder id; who has no position is not in it.
    need
        Of the incident.
    rules
        What may be sent to what.
    at
        Aware time.
    """
    sending = {kind: rules.find(need.lineage, kind) for kind in {one.kind for one in responders}}
    judged = [_judge(one, ways.get(one.responder_id), need, sending[one.kind], at) for one in responders]
    ready = [one for one, (_, against) in zip(responders, judged, strict=True) if not against]
    in_grid = Counter(one.grid_id for one in ready if one.grid_id is not None)
    police = [one.responder_id for one in ready if one.kind in POLICE]
    rows, left_out = [], []
    for one, (reasons, against) in zip(responders, judged, strict=True):
        row = _to_row(one, ways.get(one.responder_id), at, (*against, *reasons))
        if against:
            left_out.append(row)
            continue
        left = in_grid[one.grid_id] - 1 if one.grid_id is not None else None
        more = [Reason("last_in_grid", {"grid_id": one.grid_id})] if left == 0 else []
        more += [Reason("last_police")] if police == [one.responder_id] else []
        rows.append(_to_row(one, ways[one.responder_id], at, (*reasons, *more), left))
    rows.sort(key=_order)
    left_out.sort(key=_order)
    return Ranking(at, tuple(rows), tuple(left_out), _advise(rows, left_out, responders, ways, sending, at))


def _to_row(
    one: Responder, way: Way | None, at: datetime, reasons: Sequence[Reason], coverage: int | None = None
) -> Ranked:
    is_known = way is not None and way.travel_time_s < float("inf")
    time_s = way.travel_time_s if way is not None and is_known else None
    eta = None if time_s is None else at + timedelta(seconds=time_s)
    return Ranked(
        one.responder_id, one.call_sign, one.channel, one.kind, one.vehicle, time_s, eta, tuple(reasons), coverage
    )


def _order(row: Ranked) -> tuple[float, int, str]:
    time_s = float("inf") if row.travel_time_s is None else row.travel_time_s
    return time_s, KINDS.index(row.kind) if row.kind in KINDS else len(KINDS), row.responder_id


def _judge(
    one: Responder, way: Way | None, need: Need, sending: Sending, at: datetime
) -> tuple[list[Reason], list[Reason]]:
    """What is to be known about sending somebody, and what speaks against it; all of it, not the first only."""
    duty = find_duty(one.status, one.status_utc, one.duty_from, one.duty_to, at)
    reasons, against = _judge_duty(one, duty, need, at)
    if sending.may is May.NO:
        against.append(Reason("may_not", {"category": sending.rule_category, "kind": one.kind}))
    elif sending.may is May.WITH_POLICE and one.kind != OFFICER:
        reasons.append(Reason("with_police", {"category": sending.rule_category}))
    if sending.skill is not None:
        if sending.skill in one.skills:
            reasons.append(Reason("has_skill", {"skill": sending.skill}))
        elif sending.is_skill_needed:
            against.append(Reason("skill_missing", {"skill": sending.skill}))
    if one.no_night_duty and is_night(at):
        against.append(Reason("not_at_night"))
    if not one.has_position or way is None:
        against.append(Reason("no_position"))
    elif way.travel_time_s == float("inf"):
        against.append(Reason("unreachable", {"gates": list(way.gates)}))
    if one.has_position and (one.position_utc is None or at - one.position_utc > STALE):
        minutes = None if one.position_utc is None else int((at - one.position_utc) / timedelta(minutes=1))
        reasons.append(Reason("stale_position", {"minutes": minutes}))
    return reasons, against


def _judge_duty(one: Responder, duty: Duty, need: Need, at: datetime) -> tuple[list[Reason], list[Reason]]:
    reasons: list[Reason] = []
    against: list[Reason] = []
    hours = {"from": one.duty_from, "to": one.duty_to}
    if duty.status is Status.OFF:
        against.append(Reason("off_duty", {**hours, "said": duty.is_said and one.status == Status.OFF}))
    elif duty.status is Status.NOT_READY:
        against.append(Reason("not_ready"))
    elif duty.status in BUSY:
        against.append(Reason("busy", {"status": duty.status.value}))
    elif not duty.is_said:
        reasons.append(Reason("by_roster", hours))
    elif not duty.is_in_hours:
        reasons.append(Reason("beyond_hours", hours))
    rested = None if one.last_off_utc is None else one.last_off_utc + REST
    if rested is not None and duty.status is Status.READY and one.last_off_utc is not None and one.last_off_utc <= at:
        if at < rested and need.urgency == "urgent":
            reasons.append(Reason("rest_cut_short", {"until": rested}))
        elif at < rested:
            against.append(Reason("resting", {"until": rested}))
    return reasons, against


_PASSING: Final = frozenset({"resting", "not_ready", "busy"})


def _advise(
    rows: Sequence[Ranked],
    left_out: Sequence[Ranked],
    responders: Sequence[Responder],
    ways: Mapping[str, Way],
    sending: Mapping[str, Sending],
    at: datetime,
) -> tuple[Reason, ...]:
    """What would help where nobody can, or no police among those that can though they are needed."""
    found: list[Reason] = []
    if rows:
        needs_police = any(reason.code == "with_police" for row in rows for reason in row.reasons)
        if needs_police and not any(row.kind == OFFICER for row in rows):
            found.append(Reason("no_police"))
        else:
            return ()
    codes = {
        row.responder_id: {r.code for r in row.reasons} & _AGAINST
        for row in left_out
        if not rows or row.kind == OFFICER
    }
    shut = [
        (way.if_open_s, row)
        for row in left_out
        if codes.get(row.responder_id) == {"unreachable"}
        and (way := ways.get(row.responder_id)) is not None
        and way.if_open_s is not None
        and way.if_open_s < float("inf")
        and way.gates
    ]
    if shut:
        seconds, row = min(shut, key=lambda pair: (pair[0], pair[1].responder_id))
        gates = list(ways[row.responder_id].gates)
        found.append(Reason("open_gate", {"gates": gates, "call_sign": row.call_sign, "seconds": seconds}))
    for code in sorted(_PASSING):
        first = next((row for row in left_out if codes.get(row.responder_id) == {code}), None)
        if first is not None:
            found.append(Reason(f"ask_{code}", {"call_sign": first.call_sign, "seconds": first.travel_time_s}))
    unknown = [row.call_sign for row in left_out if codes.get(row.responder_id) == {"no_position"}]
    if unknown:
        found.append(Reason("ask_position", {"call_signs": unknown, "count": len(unknown)}))
    next_on = _find_next_on(responders, codes, at)
    if next_on is not None:
        found.append(next_on)
    allowed = sorted((kind for kind, one in sending.items() if one.may is not May.NO), key=_rank_kind)
    found.append(Reason("ask_neighbours", {"kinds": allowed}))
    return tuple(found)


_AGAINST: Final = frozenset(
    {"off_duty", "not_ready", "busy", "resting", "may_not", "skill_missing", "not_at_night", "no_position",
     "unreachable"}
)  # fmt: skip


def _rank_kind(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _find_next_on(responders: Sequence[Responder], codes: Mapping[str, set[str]], at: datetime) -> Reason | None:
    """Whose duty begins next, of those that nothing but their hours (and so their position) speaks against."""
    begins = []
    for one in responders:
        against = codes.get(one.responder_id, set())
        if one.duty_from is None or "off_duty" not in against or against - {"off_duty", "no_position"}:
            continue
        local = at.astimezone(LOCAL)
        begin = datetime.combine(local.date(), one.duty_from, LOCAL)
        begins.append((begin if begin > local else begin + timedelta(days=1), one.responder_id, one.call_sign))
    if not begins:
        return None
    begin, _, call_sign = min(begins)
    return Reason("wait_for_duty", {"call_sign": call_sign, "at": begin})
