"""
Incidents at the same place and time: offered as possible duplicates, never merged.

Two are alike when both are open, were reported within ten minutes of each other, and are in the same home, or in the
same building where the home of one of them is not known, or near by where no building is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import hypot
from typing import Final

from data.store import Store, Transaction

DUPLICATE_WITHIN: Final = timedelta(minutes=10)
DUPLICATE_M: Final = 30.0
"""Two places without a building are one when they are this near: a doorway and the way before it."""
SHOWN_DUPLICATES: Final = 5

# One flat question, grouped below: joining and ranking in SQL took six milliseconds of planning for ten incidents.
_COLUMNS = "incident_id, reported_utc, building_id, unit_id, ST_X(geom), ST_Y(geom)"
_ONE = f"SELECT {_COLUMNS} FROM incidents WHERE incident_id = ? AND geom IS NOT NULL"
_NEAR = f"""
SELECT {_COLUMNS} FROM incidents
WHERE reported_utc BETWEEN ? AND ? AND geom IS NOT NULL AND status NOT IN ('closed', 'cancelled', 'duplicate')
    AND CASE WHEN building_id IS NULL
        THEN ST_X(geom) BETWEEN ? AND ? AND ST_Y(geom) BETWEEN ? AND ?
        ELSE list_contains(?::VARCHAR[], unit_id) OR (unit_id IS NULL AND list_contains(?::VARCHAR[], building_id))
            OR list_contains(?::VARCHAR[], building_id) END
"""
_NOWHERE = (1.0, 0.0, 1.0, 0.0)  # an interval that nothing lies in


@dataclass(frozen=True)
class Spot:
    """When (UTC, as it is stored) and where an incident was, in the community's CRS."""

    incident_id: str
    reported_utc: datetime
    building_id: str | None
    unit_id: str | None
    x_m: float
    y_m: float

    def is_alike(self, other: Spot) -> bool:
        """Whether the other may be the same: near in time and at the same place."""
        if self.incident_id == other.incident_id or abs(self.reported_utc - other.reported_utc) > DUPLICATE_WITHIN:
            return False
        if self.building_id is None and other.building_id is None:
            return hypot(self.x_m - other.x_m, self.y_m - other.y_m) <= DUPLICATE_M
        if self.building_id != other.building_id:
            return False
        return self.unit_id is None or other.unit_id is None or self.unit_id == other.unit_id


def find_alike(transaction: Transaction, spots: Sequence[Spot]) -> dict[str, tuple[str, ...]]:
    """
    For each spot the open incidents that may be the same, nearest in time first, at most 5.

    Asked after the insert, so that those that came in together find each other.
    """
    return _find(transaction.rows, spots)


def find_possible_duplicates(store: Store, incident_id: str) -> tuple[str, ...]:
    """Open incidents that may be the same as this one, nearest in time first, at most 5: offered, never merged."""
    spots = [Spot(*row) for row in store.rows(_ONE, [incident_id])]
    return _find(store.rows, spots).get(incident_id, ())


def _find(
    read: Callable[[str, Sequence[object]], Iterable[tuple[object, ...]]], spots: Sequence[Spot]
) -> dict[str, tuple[str, ...]]:
    if not spots:
        return {}
    rows = read(_NEAR, _build_parameters(spots))
    by_building: dict[str | None, list[Spot]] = {}
    for row in rows:
        other = Spot(*row)  # type: ignore[arg-type]  # the columns of the query above
        by_building.setdefault(other.building_id, []).append(other)
    return {spot.incident_id: _choose(spot, by_building) for spot in spots}


def _choose(spot: Spot, by_building: Mapping[str | None, Sequence[Spot]]) -> tuple[str, ...]:
    alike = [
        (abs(spot.reported_utc - other.reported_utc), other.incident_id)
        for other in by_building.get(spot.building_id, ())
        if spot.is_alike(other)
    ]
    return tuple(incident_id for _, incident_id in sorted(alike)[:SHOWN_DUPLICATES])


def _build_parameters(spots: Sequence[Spot]) -> list[object]:
    """Wide enough for all of them at once: their span of time, their homes and buildings, the box of the others."""
    loose = [spot for spot in spots if spot.building_id is None]
    box = _NOWHERE
    if loose:
        xs, ys = [spot.x_m for spot in loose], [spot.y_m for spot in loose]
        box = (min(xs) - DUPLICATE_M, max(xs) + DUPLICATE_M, min(ys) - DUPLICATE_M, max(ys) + DUPLICATE_M)
    return [
        min(spot.reported_utc for spot in spots) - DUPLICATE_WITHIN,
        max(spot.reported_utc for spot in spots) + DUPLICATE_WITHIN,
        *box,
        sorted({spot.unit_id for spot in spots if spot.unit_id is not None}),
        sorted({spot.building_id for spot in spots if spot.building_id is not None}),
        # A home that is not known may be any of the building.
        sorted({spot.building_id for spot in spots if spot.building_id is not None and spot.unit_id is None}),
    ]
