"""
Settings of one community, kept in its file: how long things last, which kinds are sensitive, when to back up.

Only what differs from its default is stored. Settings of the process (port, folder) are in data/settings.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from data.webhooks import check_webhook_url
from gis.errors import BadRecordError

# Domestic violence, sexual offences, minors, suicide (issue 3, part 3); a kind's own mark in the file counts too.
SENSITIVE_KINDS = ("domestic_violence", "sexual_offence", "minors", "self_harm")


@dataclass(frozen=True)
class StoreSettings:
    """
    Values in force; the field's name says its unit.

    Attributes
    ----------
    idle_minutes, session_hours, wall_days
        A session ends when nobody uses it for so long, and in any case after so long; the wall's only after its days.
    opening_minutes, approval_hours
        How long opened fields stay open, and how long a given approval can be used.
    sensitive_kinds
        Codes of kinds (with all below them) that the wall shows as grid and 警情 only.
    backup_hour, backup_keep
        Hour (Asia/Shanghai) of the nightly backup, and how many are kept.
    retention_position_hours, retention_volunteer_position_hours
        Last positions of responders; of volunteers, who are seen only after they accepted a dispatch.
    retention_caller_days
        A caller's name and telephone, and sealed originals of free text.
    retention_moved_out_days
        People who have moved out.
    retention_checkin_days
        The signed record of a check-in, which holds a position; that somebody checked in, and how far off, stays.
    retention_photo_days, retention_evidence_days
        Of a visit, counted from the end of its task: photos; words of what was found, and where the phone was. What was
        in order and what was not stays.
    retention_session_days, retention_opening_days
        Ended sessions and closed openings; the log of looks itself is never shortened.
    answer_urgent_s, answer_normal_s, answer_not_police_s
        Who is sent to an incident of that urgency answers within so long, else dispatchers are told, and after twice
        the time the commander.
    expire_minutes
        A dispatch that nobody answered is given up after so long.
    webhook_url
        Another system of the office that is told of dispatches, empty for none (data/webhooks.py).
    wall_flies
        Whether the wall's camera flies to a new alarm by itself.
    round_hours
        A round of visits, and with it what phones and paper carry outside, is over after so long at the latest.
    points_month_cap, points_keep_months, reservation_days
        Points that a volunteer can earn in a calendar month, months until unused ones expire, and days in which a
        reserved gift is fetched.
    checkin_spot_percent
        Share of check-ins that somebody looks at though nothing is doubtful about them.
    shift_first_hour, shift_length_hours
        When the first shift of a day begins (Asia/Shanghai) and how long each lasts: a silenced wall sounds again then.
    """

    idle_minutes: int = 30
    session_hours: int = 12
    wall_days: int = 30
    opening_minutes: int = 10
    approval_hours: int = 24
    sensitive_kinds: tuple[str, ...] = SENSITIVE_KINDS
    backup_hour: int = 3
    backup_keep: int = 14
    retention_position_hours: int = 24
    retention_volunteer_position_hours: int = 72
    retention_caller_days: int = 730
    retention_moved_out_days: int = 365
    retention_photo_days: int = 365
    retention_evidence_days: int = 1095
    retention_session_days: int = 90
    retention_opening_days: int = 90
    answer_urgent_s: int = 60
    answer_normal_s: int = 180
    answer_not_police_s: int = 600
    expire_minutes: int = 30
    webhook_url: str = ""
    wall_flies: bool = False
    round_hours: int = 24
    shift_first_hour: int = 8
    shift_length_hours: int = 12
    points_month_cap: int = 200
    points_keep_months: int = 24
    reservation_days: int = 14
    checkin_spot_percent: int = 5
    retention_checkin_days: int = 30


# Smallest and largest value that may be set, both included; what is on or off stands in SWITCHES.
LIMITS: Mapping[str, tuple[int, int]] = {
    "idle_minutes": (1, 240),
    "session_hours": (1, 24),
    "wall_days": (1, 366),
    "opening_minutes": (1, 60),
    "approval_hours": (1, 24),
    "backup_hour": (0, 23),
    "backup_keep": (1, 366),
    "retention_position_hours": (1, 168),
    "retention_volunteer_position_hours": (1, 72),
    "retention_caller_days": (30, 3650),
    "retention_moved_out_days": (0, 3650),
    "retention_photo_days": (7, 3650),
    "retention_evidence_days": (30, 3650),
    "retention_session_days": (7, 3650),
    "retention_opening_days": (7, 3650),
    "answer_urgent_s": (10, 900),
    "answer_normal_s": (10, 3600),
    "answer_not_police_s": (10, 7200),
    "expire_minutes": (1, 240),
    "round_hours": (4, 72),
    "shift_first_hour": (0, 23),
    "shift_length_hours": (4, 24),
    "points_month_cap": (1, 10_000),
    "points_keep_months": (1, 120),
    "reservation_days": (1, 90),
    "checkin_spot_percent": (0, 100),
    "retention_checkin_days": (1, 366),
}
SWITCHES = ("wall_flies",)
_NAMES = tuple(field.name for field in fields(StoreSettings))


def read_settings(store: Store) -> StoreSettings:
    """Settings in force; a stored value that today's program does not know is left aside."""
    return _read_settings(store, store.revision("settings"))


@lru_cache(maxsize=4)
def _read_settings(store: Store, _revision: int) -> StoreSettings:
    """Kept until settings are written."""
    stored = {name: json.loads(value) for name, value in store.rows("SELECT name, value FROM settings")}
    known: dict[str, Any] = {name: value for name, value in stored.items() if name in _NAMES}
    if "sensitive_kinds" in known:
        known["sensitive_kinds"] = tuple(known["sensitive_kinds"])
    return StoreSettings(**known)


def put_setting(transaction: Transaction, name: str, value: object, *, changed_by: str, clock: Clock) -> None:
    """
    Store one setting.

    Raises
    ------
    BadRecordError
        There is no such setting, or the value is not allowed; names both and what was expected.
    """
    transaction.execute(
        "settings",
        "INSERT OR REPLACE INTO settings (name, value, changed_utc, changed_by) VALUES (?, ?, ?, ?)",
        [name, json.dumps(check_setting(name, value), ensure_ascii=False), to_stored_time(clock()), changed_by],
    )


def check_setting(name: str, value: object) -> int | str | bool | list[str]:
    """`value` as it is stored, else `BadRecordError`."""
    if name not in _NAMES:
        raise BadRecordError(f"There is no setting '{name[:80]}': expected one of {', '.join(_NAMES)}.")
    if name == "sensitive_kinds":
        if not isinstance(value, list | tuple) or not all(isinstance(code, str) and code for code in value):
            raise BadRecordError("Setting 'sensitive_kinds': expected a list of codes of kinds of incident.")
        return sorted(set(value))
    if name == "webhook_url":
        return check_webhook_url(str(value)) if value else ""
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise BadRecordError(f"Setting '{name}' is {str(value)[:40]}: expected true or false.")
        return value
    low, high = LIMITS[name]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRecordError(f"Setting '{name}' is {str(value)[:40]}: expected a whole number from {low} to {high}.")
    return value
