"""
What was seen at a door and comes in later: a visit, nobody home, a difference to the register.

Time and place are those of the door: the phone's clock, set right by what it was found to be off when the round was
loaded. Everything is harmless when it is sent again: ids are the phone's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np

from data.freshness import Difference, propose
from data.store import Clock, Store
from data.viewer import Viewer
from gis.crs import transform_xy
from gis.errors import BadRecordError
from tasks.doing import act
from tasks.life_cycle import Action
from tasks.notices import propose_again
from tasks.orders import Evidence, Order, Wrong
from tasks.visit_rounds import put_last

MOST_SKEW_S: Final = 400 * 86_400
"""A phone whose battery was empty may be years off; more than this is a mistake in what was sent."""
_WGS84: Final = "EPSG:4326"


@dataclass(frozen=True)
class Where:
    """Where the phone was (WGS 84, degrees), with the radius that it gave in metres."""

    lon: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True)
class Found:
    """One thing found wrong: item of the checklist or `other`, by when to mend it, words."""

    code: str
    rectify_by: date
    text: str = ""


@dataclass(frozen=True)
class Seen:
    """
    One thing that a phone kept.

    Attributes
    ----------
    key
        The phone's own id, the same whenever it is sent.
    kind
        `visit`, `nobody_home` or `difference`.
    device_utc, skew_s
        The phone's clock at the door (aware), and what has to be added to it.
    where
        None where the phone did not say.
    answers, text, findings, mended
        Of a visit; `mended` of a re-check.
    again_utc
        Of nobody home: when the worker comes again, as the notice says; None: as proposed.
    subject_kind, subject_id, what, field, new_value
        Of a difference.
    """

    key: str
    kind: str
    task_id: str
    device_utc: datetime
    skew_s: float = 0.0
    where: Where | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    findings: tuple[Found, ...] = ()
    mended: bool | None = None
    subject_kind: str = ""
    subject_id: str = ""
    what: str = ""
    field_name: str = ""
    new_value: str = ""
    again_utc: datetime | None = None

    @property
    def captured_utc(self) -> datetime:
        """When it was seen, by our clock."""
        return self.device_utc + timedelta(seconds=self.skew_s)


def take_seen(store: Store, viewer: Viewer, seen: Seen, *, clock: Clock) -> dict[str, Any]:
    """
    Take it in; says in `state` what the task is now, and in `kept` that it came too late for its step.

    Raises
    ------
    NotAllowedError, RecordMissingError
        The task is another's, or there is none.
    RefusedError, BadRecordError
        It cannot be, and there was no evidence to keep.
    """
    if abs(seen.skew_s) > MOST_SKEW_S:
        raise BadRecordError(f"The phone's clock is said to be {seen.skew_s:.0f} s off. Load the round again.")
    if seen.kind == "difference":
        return _propose(store, viewer, seen, clock=clock)
    is_visit = seen.kind == "visit"
    again = None if is_visit else seen.again_utc or propose_again(seen.captured_utc)
    order = Order(
        Action.SUBMIT if is_visit else Action.NOBODY_HOME,
        seen.key,
        captured_utc=seen.captured_utc,
        evidence=_build_evidence(store, seen),
        findings=tuple(Wrong(one.code, one.rectify_by, one.text) for one in seen.findings) if is_visit else (),
        mended=seen.mended if is_visit else None,
        again_utc=again,
    )
    done = act(store, viewer, seen.task_id, order, clock=clock)
    if not is_visit:
        put_last(store, viewer, seen.task_id, clock=clock)
    return {"task": seen.task_id, "state": done.task.state.value, "kept": done.refused is not None}


def _build_evidence(store: Store, seen: Seen) -> Evidence:
    x_m = y_m = accuracy_m = None
    if seen.where is not None:
        rows = store.read("SELECT crs FROM community")
        if not rows.empty:
            place = transform_xy(np.array([[seen.where.lon, seen.where.lat]]), _WGS84, str(rows["crs"].iloc[0]))
            x_m, y_m, accuracy_m = float(place[0, 0]), float(place[0, 1]), seen.where.accuracy_m
    return Evidence(
        seen.key, seen.captured_utc, seen.text, dict(seen.answers), x_m, y_m, accuracy_m, clock_skew_s=seen.skew_s
    )


def _propose(store: Store, viewer: Viewer, seen: Seen, *, clock: Clock) -> dict[str, Any]:
    difference = Difference(
        seen.key, seen.subject_kind, seen.subject_id, seen.what, seen.field_name, seen.new_value,
        min(seen.captured_utc, clock()), seen.text, seen.task_id,
    )  # fmt: skip
    propose(store, viewer, difference, clock=clock)
    return {"task": seen.task_id, "proposal": seen.key, "kept": False}
