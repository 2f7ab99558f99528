"""
Volunteers (万家卫士): who takes part, in which team, with which card; and leaving, which empties what names a person.

A volunteer is an adult who agreed. What is kept: how they want to be called, four digits to tell two of one name apart,
the year of birth, the date of the consent. Where they are is never kept here: a responder's position is, and only from
an accepted dispatch on (incidents/forces.py).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Final

from data.checkin_records import empty_records
from data.incident_writes import Event, append_events, insert_rows
from data.moments import to_stored_time
from data.rights import check_right
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.task_photos import remove_photos
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError
from tasks.booking import get_booker, to_day, write_booked
from tasks.cards import CARDS, draw_number, get_active
from tasks.points import close_account

ADULT_YEARS: Final = 18
_OLDEST_YEARS: Final = 110
CONSENT_TEXT: Final = "2026-11"
"""Which text they agree to (section `points`, consent); another text gets another name."""
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of a team's code: nothing that is read or heard as something else."""


@dataclass(frozen=True)
class NewVolunteer:
    """Who wants to take part; `team_code` is what the team's leader gave them, empty for no team."""

    call_name: str
    birth_year: int
    consent_on: date
    phone_last4: str = ""
    team_code: str = ""
    grid_id: str | None = None
    responder_id: str | None = None


def join(store: Store, viewer: Viewer, new: NewVolunteer, *, clock: Clock) -> str:
    """
    Take a volunteer in; returns the id.

    Raises
    ------
    BadRecordError
        Not an adult for sure, no name, no consent, digits that are none.
    RecordMissingError
        No open team has this code; or there is no such responder of kind volunteer.
    """
    check_right(viewer, "action", "manage_volunteers")
    row = _check(new, to_day(clock()))
    get_key(store, CARDS)  # made before the first volunteer: from then on rows depend on it, and none is made any more
    volunteer_id = f"v-{secrets.token_hex(6)}"

    def work(transaction: Transaction) -> str:
        now = clock()
        team_id = _find_team(transaction, new.team_code)
        _check_responder(transaction, new.responder_id)
        full = {
            "volunteer_id": volunteer_id, "number": draw_number(transaction), "card_issue": 1, **row,
            "team_id": team_id, "grid_id": new.grid_id, "responder_id": new.responder_id, "state": "active",
            "joined_utc": to_stored_time(now), "joined_by": get_booker(viewer),
        }  # fmt: skip
        insert_rows(transaction, "volunteers", [full])
        detail = {"team_id": team_id, "consent_on": new.consent_on.isoformat(), "consent_text": CONSENT_TEXT}
        append_events(transaction, [(volunteer_id, Event("volunteer.joined", now, detail))], table="volunteers")
        return volunteer_id

    return write_booked(store, viewer, "volunteer", volunteer_id, {"what": "join"}, work, clock)


def leave(store: Store, viewer: Viewer, volunteer_id: str, *, clock: Clock) -> int:
    """
    Let a volunteer go, at will: their fields are emptied, their card is worth nothing, what they hold lapses.

    Returns the points that lapsed. Check-ins and entries stay under the bare id, so that the books add up.
    """
    check_right(viewer, "action", "manage_volunteers")

    def work(transaction: Transaction) -> tuple[int, tuple[str, ...]]:
        get_active(transaction, volunteer_id)
        now = clock()
        points = close_account(transaction, volunteer_id, by=get_booker(viewer), at=now)
        transaction.execute(
            "volunteers",
            "UPDATE volunteers SET state = 'left', left_utc = ?, call_name = NULL, phone_last4 = NULL, "
            "birth_year = NULL, responder_id = NULL, team_id = NULL WHERE volunteer_id = ?",
            [to_stored_time(now), volunteer_id],
        )
        transaction.execute(
            "volunteer_teams", "UPDATE volunteer_teams SET leader_id = NULL WHERE leader_id = ?", [volunteer_id]
        )
        photos = empty_records(transaction, [volunteer_id])
        event = Event("volunteer.left", now, {"points_lapsed": points})
        append_events(transaction, [(volunteer_id, event)], table="volunteers")
        return points, photos

    points, photos = write_booked(store, viewer, "volunteer", volunteer_id, {"what": "leave"}, work, clock)
    remove_photos(store, photos)
    return points


def add_team(store: Store, viewer: Viewer, name: str, *, grid_id: str | None = None, clock: Clock) -> tuple[str, str]:
    """A new team; returns its id and the code that its leader gives to who may join."""
    check_right(viewer, "action", "manage_volunteers")
    text = " ".join(name.split())[:40]
    if not text:
        raise BadRecordError("A team needs a name. Say where it is at home.")
    team_id = f"m-{secrets.token_hex(4)}"

    def work(transaction: Transaction) -> tuple[str, str]:
        now = clock()
        taken = {code for (code,) in transaction.rows("SELECT code FROM volunteer_teams")}
        code = next(one for one in iter(_draw_code, "") if one not in taken)
        row = {"team_id": team_id, "name": text, "code": code, "leader_id": None, "grid_id": grid_id,
               "made_utc": to_stored_time(now)}  # fmt: skip
        insert_rows(transaction, "volunteer_teams", [row])
        event = Event("team.made", now, {"grid_id": grid_id})
        append_events(transaction, [(team_id, event)], table="volunteer_teams")
        return team_id, code

    return write_booked(store, viewer, "team", team_id, {"what": "make"}, work, clock)


def lead_team(store: Store, viewer: Viewer, team_id: str, volunteer_id: str, *, clock: Clock) -> None:
    """Who leads a team: one of its members."""
    check_right(viewer, "action", "manage_volunteers")

    def work(transaction: Transaction) -> None:
        row = get_active(transaction, volunteer_id)
        if row["team_id"] != team_id:
            raise RefusedError(f"Volunteer '{volunteer_id}' is not of team '{team_id[:40]}'. Choose a member.")
        transaction.execute(
            "volunteer_teams", "UPDATE volunteer_teams SET leader_id = ? WHERE team_id = ?", [volunteer_id, team_id]
        )
        event = Event("team.led", clock(), {"leader_id": volunteer_id})
        append_events(transaction, [(team_id, event)], table="volunteer_teams")

    write_booked(store, viewer, "team", team_id, {"what": "lead"}, work, clock)


def _check(new: NewVolunteer, today: date) -> dict[str, object]:
    name = " ".join(new.call_name.split())[:20]
    if not name:
        raise BadRecordError("A volunteer needs a name to be called by. It need not be their own.")
    age = today.year - new.birth_year
    # Only the year is known: whoever turns eighteen this year may not have yet.
    if not ADULT_YEARS < age <= _OLDEST_YEARS:
        raise BadRecordError(
            f"Year of birth {new.birth_year} gives an age of {age}, expected more than {ADULT_YEARS} and at most "
            f"{_OLDEST_YEARS}: only adults take part. Correct it, or wait until next year."
        )
    if new.consent_on > today:
        raise BadRecordError(f"The consent is dated {new.consent_on}, after today, {today}. Let them sign first.")
    if new.phone_last4 and not re.fullmatch(r"\d{4}", new.phone_last4, re.ASCII):
        raise BadRecordError(f"'{new.phone_last4[:8]}' are not four digits. Give the last four of the telephone.")
    return {
        "call_name": name, "phone_last4": new.phone_last4 or None, "birth_year": str(new.birth_year),
        "consent_on": new.consent_on, "consent_text": CONSENT_TEXT,
    }  # fmt: skip


def _find_team(transaction: Transaction, code: str) -> str | None:
    typed = "".join(code.split()).upper()
    if not typed:
        return None
    rows = transaction.rows(
        "SELECT team_id FROM volunteer_teams WHERE code = ? AND closed_utc IS NULL", [typed]
    )  # fmt: skip
    if not rows:
        raise RecordMissingError(f"No team has the code '{typed[:12]}'. Ask the team's leader again.")
    return str(rows[0][0])


def _check_responder(transaction: Transaction, responder_id: str | None) -> None:
    if responder_id is None:
        return
    rows = transaction.rows("SELECT kind FROM responders WHERE responder_id = ?", [responder_id])
    if not rows or rows[0][0] != "volunteer":
        raise RecordMissingError(f"There is no volunteer '{responder_id[:40]}' among those with radios.")


def _draw_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(6))
