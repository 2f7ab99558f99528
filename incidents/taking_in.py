"""
Taking incidents in: what was reported becomes a row with a place, masked words and its first steps; and changing one.

The one way in for the interface of other systems and for whoever types a call in by hand. The rules are those of
`life_cycle`; the place comes from `data.incident_places`.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from data.audit import Entry
from data.incident_changes import Change, Stored, change_incident
from data.incident_places import Found, Places, Said
from data.incident_writes import NewIncident, build_reporter_key
from data.intake import KnownNames, mask_at_intake, read_known_names
from data.intake_writer import IntakeWriter
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from gis.errors import RecordMissingError
from incidents.dispatch_steps import release
from incidents.life_cycle import ADOPTED, Action, Case, State, Step, rebuild, take_step
from incidents.steps import list_events, list_steps, to_correction, to_event

_NAME_TABLES = ("occupants", "units", "rentals", "key_sites", "responders", "accounts")
# Names of callers come in with each call; until they are read anew a call's own caller is masked by itself.
_NAMES_KEPT = timedelta(minutes=1)
NOTHING_SAID, NOWHERE = Said(), Found()


@dataclass(frozen=True)
class Report:
    """
    What was reported, as it was said; times are aware.

    `said` is the scene, `caller_said` where the caller was: two things. `source_no` is the number in the sender's own
    system, under which it comes in once; `number` what it is called here when it has none there. `closed_at` is given
    for what is over already.
    """

    received_at: datetime
    occurred_from: datetime
    occurred_to: datetime
    category: str
    urgency: str
    source: str
    said: Said
    source_no: str | None = None
    description: str | None = None
    caller_name: str | None = None
    caller_phone: str | None = None
    caller_said: Said = NOTHING_SAID
    closed_at: datetime | None = None
    number: str | None = None


@dataclass(frozen=True)
class Correction:
    """What is to be changed of an incident; `reason` is always needed, anything else may be absent."""

    reason: str
    action: Action | None = None
    duplicate_of: str | None = None
    said: Said | None = None
    category: str | None = None
    urgency: str | None = None


class TakingIn:
    """Takes incidents into one open store; used from any thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._names: tuple[int, int, datetime, KnownNames] | None = None
        self.places = Places(store)
        self.writer = IntakeWriter(store, clock)

    def build(self, report: Report, *, sent_by: str) -> tuple[NewIncident, tuple[str, ...]]:
        """
        An incident as it is to be written, and which fields this store may not keep.

        Raises
        ------
        RecordMissingError
            The store holds no community: nothing can be placed.
        """
        incident_id = build_incident_id(sent_by, report.source_no)
        finder = self.places.get()
        found = finder.find(report.said)
        own = KnownNames.build([report.caller_name] if report.caller_name else [])
        texts = {
            "address_text": report.said.address,
            "narrative": report.description,
            "caller_address": report.caller_said.address,
        }
        masked = {column: self._mask(text, own) for column, text in texts.items()}
        caller = replace(report.caller_said, address=None)
        kept, left_out = self._keep_caller(report, NOWHERE if caller == NOTHING_SAID else finder.find(caller), masked)
        # Of what is over, the steps are as old as it is; of what comes in now they are of now.
        now = self._clock() if report.closed_at is None else report.received_at
        steps = [Step(Action.RECEIVE, now, sent_by)]
        if found.is_placed:
            steps.append(Step(Action.PLACE, now, sent_by))
        if report.closed_at is not None:
            steps += [Step(action, report.closed_at, sent_by, ADOPTED) for action in (Action.HANDLE, Action.CLOSE)]
        case = rebuild(incident_id, steps)
        row = NewIncident(
            incident_id,
            report.source_no or report.number,
            report.category,
            report.urgency,
            report.source,
            report.received_at,
            report.occurred_from,
            report.occurred_to,
            case.state.value,
            sent_by,
            replace(report.said, address=masked["address_text"]),
            found,
            masked["narrative"],
            kept,
            {
                column: text
                for column, text in texts.items()
                if text is not None and text != masked[column] and column not in left_out
            },
            list_events(incident_id, steps),
            report.closed_at,
        )
        return row, left_out

    def change(self, incident_id: str, correction: Correction, *, by: str) -> tuple[Case, Found | None]:
        """
        Change an incident; returns what its steps lead to now, and the new place if one was given.

        Raises
        ------
        RecordMissingError
            There is no such incident, or not the one that it is to repeat.
        RefusedError
            The action is not allowed now; the sentence names those that are. Nothing was changed.
        """
        found, said = None, correction.said
        sealed: dict[str, str] = {}
        own = KnownNames.build([])
        reason = self._mask(correction.reason, own) or ""
        if said is not None:
            found = self.places.get().find(said)
            if not found.is_placed:
                raise RecordMissingError(
                    f"The place cannot be found ({found.reason}). Give coordinates, or one of: "
                    f"{', '.join(found.candidates) or 'a standard address'}."
                )
            masked = self._mask(said.address, own)
            if said.address is not None and masked != said.address:
                sealed["address_text"] = said.address
            said = replace(said, address=masked)
        led_to: list[Case] = []

        def decide(stored: Stored) -> Change:
            steps = list_steps(stored)
            case = rebuild(incident_id, steps)
            had_steps = bool(stored.events)
            events = () if had_steps else list_events(incident_id, steps)
            now = self._clock()
            for action in _list_actions(correction):
                other = correction.duplicate_of if action is Action.MARK_DUPLICATE else None
                case = take_step(case, step := Step(action, now, by, reason, other))
                events = (*events, to_event(step, case))
            values: dict[str, object] = {
                name: value
                for name, value in (("category", correction.category), ("urgency", correction.urgency))
                if value is not None
            }
            led_to.append(case)
            return Change(
                case.state.value,
                (*events, *([to_correction(values, by, reason, now)] if values else [])),
                (said, found) if said is not None and found is not None else None,
                drop_place=stored.has_place and case.state is State.RECEIVED,
                closed_utc=None if case.is_open else case.entered[-1][1],
                values={**values, "duplicate_of": case.duplicate_of},
                sealed=sealed,
            )

        def describe(change: Change) -> Entry:
            return Entry(
                "change",
                by,
                subject_kind="incident",
                subject_id=incident_id,
                reason=reason,
                detail={"state": change.status, "steps": len(change.events)},
            )

        def also(transaction: Transaction, change: Change) -> None:
            release(transaction, incident_id, change, at_utc=self._clock(), by=by)

        change_incident(self._store, incident_id, decide, describe, also=also, clock=self._clock)
        return led_to[-1], found

    def _keep_caller(
        self, report: Report, caller: Found, masked: Mapping[str, str | None]
    ) -> tuple[dict[str, object], tuple[str, ...]]:
        """Columns about the caller that this store may keep, and names of the fields that it may not."""
        phone = report.caller_phone
        key = build_reporter_key(get_key(self._store, "callers"), phone) if phone else None
        said: dict[str, object | None] = {
            "caller_name": report.caller_name,
            "caller_phone": report.caller_phone,
            "caller_address": masked["caller_address"],
            "caller_place": f"POINT ({caller.x_m:.2f} {caller.y_m:.2f})" if caller.is_placed else None,
        }
        # As for imports: no person comes into the invented sample, nor into a file that is not encrypted.
        if self.places.get().is_synthetic or not self._store.is_encrypted:
            given = tuple(name for name, value in said.items() if value is not None)
            return {"reporter_key": key}, given
        columns = {"caller_name": "reporter_name", "caller_phone": "reporter_phone"}
        return {"reporter_key": key, **{columns.get(name, name): value for name, value in said.items()}}, ()

    def _mask(self, text: str | None, own: KnownNames) -> str | None:
        return None if text is None else own.mask(mask_at_intake(self._get_names(), text))

    def _get_names(self) -> KnownNames:
        with self._lock:
            now, people = self._clock(), self._store.revision(*_NAME_TABLES)
            calls = self._store.revision("incidents")
            kept = self._names
            if kept is None or kept[0] != people or (kept[1] != calls and not now - _NAMES_KEPT < kept[2] <= now):
                kept = self._names = (people, calls, now, read_known_names(self._store))
            return kept[3]


def build_incident_id(sent_by: str, source_no: str | None) -> str:
    """The same id for the same number of the same system, so that it comes in once; else a new one."""
    if source_no is None:
        return f"a-{secrets.token_hex(10)}"
    return "a-" + hashlib.sha256(f"{sent_by}\x1f{source_no}".encode()).hexdigest()[:20]


def _list_actions(correction: Correction) -> tuple[Action, ...]:
    """A place that is given is a step of its own, before the one that was asked for; reopening comes before it."""
    placed = (Action.PLACE,) if correction.said is not None else ()
    asked = () if correction.action is None else (correction.action,)
    return (*asked, *placed) if correction.action in (Action.REOPEN, Action.SEND_BACK) else (*placed, *asked)
