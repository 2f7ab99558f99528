"""
What somebody wants of a task, and what is stored of it: steps, rows of evidence, findings and sessions.

Free texts are masked before anything is built; the original of a masked one is sealed with its evidence.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from data.intake import build_sealed, mask_at_intake
from data.moments import to_stored_time
from data.store import Clock, Store
from data.task_places import TaskPlace
from gis.errors import BadRecordError
from tasks.life_cycle import Action, Finding, Kind, Origin, Priority, Receiver, Step, Task, begin
from tasks.steps import to_columns

PARTIES = (
    *("landlord", "tenant", "owner", "upstairs", "downstairs", "neighbour", "family"),
    *("shop", "customer", "employer", "employee", "property", "passer_by", "other"),
)
"""Who can be party to a dispute: roles, never names."""
ANSWERS = ("ok", "not_ok", "not_applicable")
_MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class NewTask:
    """
    A task as somebody wants it done.

    Attributes
    ----------
    kind, origin, origin_id
        What, and where it comes from: id of the rule, incident or zone.
    subject_kind, subject_id
        `building`, `unit`, `rental`, `site`, `zone` or `incident` and its id: where it is is looked up. Or `place`,
        with `place_text` and, where known, `x_m`, `y_m` in the community's CRS.
    due_utc
        By when, aware.
    receiver
        Who; None: it waits until somebody assigns it.
    note
        What is asked, free text; masked before it is stored.
    key
        The same key makes the same task once; None: a new one each time.
    incidents
        Ids of incidents that it is about.
    """

    kind: Kind
    subject_kind: str
    due_utc: datetime
    subject_id: str | None = None
    origin: Origin = Origin.COMMANDER
    origin_id: str | None = None
    priority: Priority = Priority.NORMAL
    receiver: Receiver | None = None
    note: str = ""
    checklist: str | None = None
    place_text: str = ""
    x_m: float | None = None
    y_m: float | None = None
    key: str | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """
    What was found, frozen when it was taken down.

    `evidence_id` is the sender's choice and stays the same when it is sent again. `x_m`, `y_m` (community's CRS) say
    where the sender was; without them it counts as taken at the task's own place. `clock_skew_s` was added to the
    sender's clock, None where nobody measured it.
    """

    evidence_id: str
    captured_utc: datetime
    text: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    x_m: float | None = None
    y_m: float | None = None
    accuracy_m: float | None = None
    clock_skew_s: float | None = None


@dataclass(frozen=True)
class Wrong:
    """One thing found wrong: item of the checklist (or `other`), by when to mend it, and words."""

    code: str
    rectify_by: date
    text: str = ""


@dataclass(frozen=True)
class Session:
    """A session of a mediation; `parties` are some of `PARTIES`, `settled` is None while it goes on."""

    held_utc: datetime
    parties: tuple[str, ...]
    text: str = ""
    agreement: str = ""
    settled: bool | None = None
    follow_up_on: date | None = None


@dataclass(frozen=True)
class Order:
    """What somebody wants to do with a task; `action_id` is theirs, the same when they try again."""

    action: Action
    action_id: str | None = None
    reason: str = ""
    receiver: Receiver | None = None
    due_utc: datetime | None = None
    captured_utc: datetime | None = None
    evidence: Evidence | None = None
    findings: tuple[Wrong, ...] = ()
    mended: bool | None = None
    session: Session | None = None
    again_utc: datetime | None = None
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """
    What became of an order.

    `refused` says why its step was not taken while its evidence was kept; `is_repeat` that it had been taken before.
    """

    task: Task
    is_repeat: bool = False
    refused: str | None = None
    recheck_id: str | None = None


def build_task(
    new: NewTask, place: TaskPlace, *, by: str, now: datetime, note: str, parent_id: str | None = None
) -> tuple[str, dict[str, object], Step]:
    """Id, row and first step of a task; `note` is masked already."""
    if new.due_utc.tzinfo is None:
        raise BadRecordError(f"The due time {new.due_utc.isoformat()} has no zone: give an aware time.")
    task_id = build_task_id(new.key)
    step = Step(
        Action.CREATE, now, by, receiver=new.receiver, due_utc=new.due_utc, priority=new.priority, kind=new.kind,
        incidents=new.incidents,
    )  # fmt: skip
    row: dict[str, object] = {
        "task_id": task_id, "kind": new.kind.value, "origin": new.origin.value, "origin_id": new.origin_id,
        "parent_id": parent_id, "subject_kind": new.subject_kind, "subject_id": new.subject_id,
        "place_text": place.text, "building_id": place.building_id, "unit_id": place.unit_id, "grid_id": place.grid_id,
        "checklist": new.checklist, "note": note, "created_utc": to_stored_time(now), "created_by": by,
        **to_columns(begin(task_id, step)),
        "geom": None if place.x_m is None or place.y_m is None else (place.x_m, place.y_m),
    }  # fmt: skip
    return task_id, row, step


def build_task_id(key: str | None) -> str:
    """The same id for the same key; a new one without."""
    return f"t-{secrets.token_hex(8)}" if key is None else "t-" + hashlib.sha256(key.encode()).hexdigest()[:16]


def check_order(order: Order) -> None:
    """Raise `BadRecordError` for an answer or a party that is not known."""
    if order.evidence is not None:
        wrong = sorted(set(order.evidence.answers.values()) - set(ANSWERS))
        if wrong:
            raise BadRecordError(f"An answer is '{wrong[0][:40]}', expected one of {', '.join(ANSWERS)}.")
    if order.session is not None:
        unknown = sorted(set(order.session.parties) - set(PARTIES))
        if unknown or not order.session.parties:
            raise BadRecordError(f"Parties are {unknown or 'missing'}, expected some of {', '.join(PARTIES)}.")


def mask_texts(store: Store, order: Order) -> dict[str, str]:
    """Texts of an order as they may be stored."""
    texts = {"reason": order.reason}
    if order.evidence:
        texts["evidence"] = order.evidence.text
    if order.session:
        texts |= {"narrative": order.session.text, "agreement": order.session.agreement}
    texts |= {f"finding{number}": one.text for number, one in enumerate(order.findings)}
    return {name: mask(store, text) for name, text in texts.items()}


def mask(store: Store, text: str) -> str:
    """A text as it may be stored: on one line, of bounded length, numbers and known names masked."""
    plain = " ".join(text.split())[:_MOST_CHARACTERS]
    return mask_at_intake(store, plain) if plain else ""


def build_step(
    task: Task, order: Order, texts: Mapping[str, str], *, by: str, number: int, created: datetime, now: datetime
) -> Step:
    """The step of an order, the `number`-th of its task, which was made at `created` (as stored)."""
    captured = order.captured_utc or (order.evidence.captured_utc if order.evidence else None)
    if captured is not None:  # a phone's clock that is wrong makes no visit before its task, nor in the future
        captured = min(max(captured, created.replace(tzinfo=UTC)), now)
    base = order.evidence.evidence_id if order.evidence else order.action_id or secrets.token_hex(8)
    session = order.session
    step = Step(
        order.action,
        now,
        by,
        reason=texts["reason"] or None,
        receiver=order.receiver if order.action in (Action.ASSIGN, Action.FORWARD) else None,
        due_utc=order.due_utc if order.action in (Action.ASSIGN, Action.EXTEND) else None,
        evidence_id=order.evidence.evidence_id if order.evidence else None,
        captured_utc=captured,
        action_id=order.action_id,
        findings=tuple(Finding(f"{base}-{n}", one.code, one.rectify_by) for n, one in enumerate(order.findings)),
        mended=order.mended,
        again_utc=order.again_utc if order.action is Action.NOBODY_HOME else None,
        incidents=order.incidents if order.action is Action.LINK else (),
    )
    if session is not None and order.action is Action.HOLD_SESSION:
        return replace(step, session_id=f"s-{base}", settled=session.settled, follow_up_on=session.follow_up_on)
    if order.action is Action.DEMAND:
        return replace(step, other_id=build_task_id(build_recheck_key(task, number)))
    return step


def build_links(task_id: str, incidents: Sequence[str]) -> list[dict[str, object]]:
    """Rows that say which incidents a task is about."""
    return [{"task_id": task_id, "incident_id": one} for one in incidents]


def build_recheck_key(task: Task, number: int) -> str:
    """Key of the task that checks again what a step, the `number`-th of its task, demanded."""
    return f"recheck {task.task_id} {number}"


def build_rows(
    task: Task, step: Step, order: Order, texts: Mapping[str, str], key: bytes, *, is_late: bool, clock: Clock
) -> dict[str, list[dict[str, object]]]:
    """Rows of evidence, findings and sessions that a step brings; `key` seals originals of masked texts."""
    rows: dict[str, list[dict[str, object]]] = {}
    said = order.evidence
    if said is not None:
        device = said.x_m is not None and said.y_m is not None
        rows["task_evidence"] = [{
            "evidence_id": said.evidence_id, "task_id": task.task_id, "action_id": order.action_id,
            "sent_by": step.by, "captured_utc": to_stored_time(said.captured_utc),
            "received_utc": to_stored_time(step.at_utc), "place_source": "device" if device else "subject",
            "accuracy_m": said.accuracy_m if device else None, "clock_skew_s": said.clock_skew_s,
            "answers": json.dumps(dict(said.answers), sort_keys=True),
            "narrative": texts["evidence"] or None, "kept_why": task.state.value if is_late else None,
            "geom": (said.x_m, said.y_m) if device else None,
        }]  # fmt: skip
        if texts["evidence"] != " ".join(said.text.split())[:_MOST_CHARACTERS]:
            rows["sealed_texts"] = [
                build_sealed(
                    key, said.text, table="task_evidence", row_id=said.evidence_id, column="narrative", clock=clock
                )
            ]
    if step.findings:
        rows["task_findings"] = [
            {
                "finding_id": one.finding_id, "task_id": task.task_id, "evidence_id": step.evidence_id,
                "code": one.code, "rectify_by": one.rectify_by, "narrative": texts[f"finding{number}"] or None,
            }
            for number, one in enumerate(step.findings)
        ]  # fmt: skip
    if step.session_id is not None and order.session is not None:
        rows["task_sessions"] = [{
            "session_id": step.session_id, "task_id": task.task_id, "held_utc": to_stored_time(order.session.held_utc),
            "held_by": step.by, "parties": " ".join(order.session.parties), "settled": order.session.settled,
            "follow_up_on": order.session.follow_up_on, "narrative": texts["narrative"] or None,
            "agreement": texts["agreement"] or None,
        }]  # fmt: skip
    if fresh := [one for one in step.incidents if one not in task.incidents]:
        rows["task_incidents"] = build_links(task.task_id, fresh)
    return rows
