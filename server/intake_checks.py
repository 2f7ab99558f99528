"""Checks of what came in that no single field can tell: every problem at once, each with its field and its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from data.queries import find_categories
from data.store import Store
from data.viewer import WALL
from gis.errors import BadRecordError
from incidents.life_cycle import Action
from server.intake_models import ChangeIn, IncidentIn

_AHEAD = timedelta(days=1)
"""Clocks of other systems may be wrong; a report of the day after tomorrow is a mistake of the date."""
_DEGREES = ((180.0, "lon"), (90.0, "lat"))
_OLDEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Problem = tuple[str, str]
"""Field, and why it cannot be used."""


class FieldsError(BadRecordError):
    """Fields that cannot be used; `problems` names each with its reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} field(s) cannot be used; nothing was written. Correct them and send again.")
        self.problems = tuple(problems)


class KnownKinds:
    """The kinds of one store with what urgency is usual for each, read anew after they were written to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: tuple[int, Mapping[str, str]] | None = None

    def get(self) -> Mapping[str, str]:
        """Urgency by code; `normal` where nothing is said."""
        revision, kept = self._store.revision("incident_categories"), self._kept
        if kept is None or kept[0] != revision:
            rows = find_categories(self._store, WALL)
            urgencies = rows["urgency"].fillna("normal")
            kept = self._kept = (revision, dict(zip(rows["category"], urgencies, strict=True)))
        return kept[1]


def check_incidents(known: Collection[str], incidents: Sequence[IncidentIn], now: datetime) -> None:
    """Raise `FieldsError` with all problems of all incidents; `known` are the codes of kinds."""
    problems = [
        (f"[{number}].{field}" if len(incidents) > 1 else field, reason)
        for number, one in enumerate(incidents)
        for field, reason in _find_problems(one, known, now)
    ]
    if problems:
        raise FieldsError(problems)


def check_change(known: Collection[str], change: ChangeIn) -> None:
    """Raise `FieldsError` when a change changes nothing or its parts do not fit."""
    problems = list(find_place_problems("", change.lon, change.lat, change.crs))
    if change.category is not None and change.category not in known:
        problems.append(("category", _unknown_category(change.category)))
    if (change.action is Action.MARK_DUPLICATE) != (change.duplicate_of is not None):
        problems.append(("duplicate_of", "needed with the action mark_duplicate, and only then"))
    given = (change.action, change.address, change.lon, change.lat, change.category, change.urgency)
    if all(value is None for value in given):
        problems.append(("action", "nothing is to be changed: give an action, a place, a category or an urgency"))
    if problems:
        raise FieldsError(problems)


def check_moment(field: str, moment: datetime | None) -> datetime | None:
    """A time of a question, when it can be one."""
    if moment is not None and not _OLDEST <= moment <= _LATEST:
        raise FieldsError([(field, "expected a time from 1990 to 2100")])
    return moment


def _find_problems(one: IncidentIn, known: Collection[str], now: datetime) -> Iterator[Problem]:
    yield from find_place_problems("", one.lon, one.lat, one.crs)
    yield from find_place_problems("caller_", one.caller_lon, one.caller_lat, one.caller_crs)
    if one.category not in known:
        yield "category", _unknown_category(one.category)
    if one.received_at > now + _AHEAD:
        yield "received_at", "lies in the future: check the date and the time zone"
    begun = one.occurred_from or one.received_at
    if one.occurred_to is not None and one.occurred_to < begun:
        yield "occurred_to", "lies before occurred_from (or received_at, where that is absent)"
    if begun > one.received_at + _AHEAD:
        yield "occurred_from", "lies after received_at"


def find_place_problems(prefix: str, lon: float | None, lat: float | None, crs: str | None) -> Iterator[Problem]:
    """What is wrong with coordinates that belong together; `prefix` stands before their fields' names."""
    given = {"lon": lon, "lat": lat, "crs": crs}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return
    for name in missing:
        yield prefix + name, "needed: lon, lat and crs belong together"
    if crs is not None and crs != "LOCAL":
        for limit, name in _DEGREES:
            value = given[name]
            if isinstance(value, float) and abs(value) > limit:
                yield prefix + name, f"expected degrees from {-limit:g} to {limit:g}; for metres say crs LOCAL"


def _unknown_category(category: str) -> str:
    return f"'{category}' is not known: see GET /api/v1/incident-categories"
