"""
Open incidents for the wall's table: where each is down to the home, and nothing of who called.

Mostly a handful is open: `find_alarms` tells where each is. A bad night may leave thousands open: then it is asked
first which may come first and how many there are (`find_alarm_ranks`), then of the few that are shown where each is.

Of a sensitive kind a role below the officer gets its grid, its time and its urgency: `undisclosed` is true, its kind is
not told and its place is a point of the grid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import shapely

from data.hidden_kinds import list_hidden
from data.masking import sees_sensitive
from data.reading import read_columns, to_records
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_RANKS = """
WITH seen AS (
    SELECT *, coalesce(list_contains($hidden::VARCHAR[], category), false) AS undisclosed
    FROM incidents
    WHERE status NOT IN ('closed', 'cancelled', 'duplicate')
        AND ($grids IS NULL OR list_contains($grids, grid_id))
), told AS (
    SELECT incident_id, urgency, status, reported_utc, CASE WHEN NOT undisclosed THEN category END AS category,
        CASE WHEN undisclosed THEN coalesce(grid_id IN (SELECT grid_id FROM grids), false) ELSE geom IS NOT NULL END
            AS is_placed
    FROM seen
)
SELECT *, count(*) OVER alike AS alike FROM told
WINDOW alike AS (PARTITION BY urgency, status, category, is_placed)
QUALIFY row_number() OVER (alike ORDER BY reported_utc, incident_id) <= $most
"""
_ALARMS = """
SELECT incident_id, urgency, status, reported_utc, grid_id, category, building_id, unit_id, ST_AsWKB(geom) AS geom
FROM incidents WHERE status NOT IN ('closed', 'cancelled', 'duplicate')"""
# Joined to the incidents they took three times as long as the incidents themselves, and they change once a month.
_HOMES = """
SELECT u.unit_id, a.full_text, coalesce(f.elevation_m, (u.level - 1) * 3.0), coalesce(f.height_m, 3.0), ST_AsWKB(u.geom)
FROM units u LEFT JOIN addresses a USING (address_id)
    LEFT JOIN floors f ON f.building_id = u.building_id AND f.level = u.level
WHERE u.unit_id IN (SELECT unnest(?::VARCHAR[]))
"""
_BUILDINGS = """
SELECT b.building_id, a.full_text FROM buildings b LEFT JOIN addresses a USING (address_id)
WHERE b.building_id IN (SELECT unnest(?::VARCHAR[]))
"""
_GRIDS = "SELECT grid_id, number, ST_AsWKB(ST_PointOnSurface(geom)) FROM grids"
_PLACE_TABLES = ("units", "addresses", "floors", "buildings", "grids")
_NO_HOME = (None, None, 3.0, None)


class _Places:
    """Homes, houses and grids of one revision, read when an alarm is first there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._homes: dict[str, tuple[Any, ...]] = {}
        self._addresses: dict[str, str | None] = {}
        self.grids: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in store.rows(_GRIDS)}

    def find_homes(self, ids: Iterable[str | None]) -> list[tuple[Any, ...]]:
        """Of each home its address, storey, height of the storey (metres) and outline; nothing where there is none."""
        ids = list(ids)
        if missing := sorted({one for one in ids if one is not None} - self._homes.keys()):
            self._homes |= dict.fromkeys(missing, _NO_HOME)
            self._homes |= {row[0]: row[1:] for row in self._store.rows(_HOMES, [missing])}
        return [_NO_HOME if one is None else self._homes[one] for one in ids]

    def find_addresses(self, ids: Iterable[str | None]) -> list[str | None]:
        """Of each house its standard address."""
        ids = list(ids)
        if missing := sorted({one for one in ids if one is not None} - self._addresses.keys()):
            self._addresses |= dict.fromkeys(missing, None)
            self._addresses |= dict(self._store.rows(_BUILDINGS, [missing]))
        return [None if one is None else self._addresses[one] for one in ids]


@lru_cache(maxsize=4)
def _get_places(store: Store, _revision: int) -> _Places:
    return _Places(store)


@governed
def find_alarm_ranks(store: Store, viewer: Viewer, *, most: int) -> list[dict[str, Any]]:
    """
    Of the incidents that are not over those that may be among the first, and how many there are.

    Rows of equal urgency, status, kind and `is_placed` are alike: among them only the time of the report decides which
    comes first. Of those that are alike the `most` oldest are told, and in `alike` how many there are.
    """
    hidden, grids = _limit(store, viewer, "find_alarm_ranks")
    return to_records(read_columns(store, ("incidents",), _RANKS, {"hidden": hidden, "grids": grids, "most": most}))


@governed
def find_alarms(
    store: Store, viewer: Viewer, *, only: Collection[str] | None = None, most: int | None = None
) -> list[dict[str, Any]]:
    """
    Every incident that is not over, or `only` those of these ids, or the first `most` that are found; points.

    Returns
    -------
    Kind, urgency, status, time of the report, place (`address` is the standard address of the home or the building) and
    of a known home its outline `home` (WKB), its storey's height above ground `floor_m` and that storey's own height.
    `geom` is None where nobody knows the place. A grid worker gets the rows of their own grids.
    """
    hidden, grids = _limit(store, viewer, "find_alarms")
    sql = _ALARMS
    asked: dict[str, object] = {}
    if grids is not None:
        sql, asked["grids"] = f"{sql} AND list_contains($grids, grid_id)", grids
    if only is not None:
        sql, asked["only"] = f"{sql} AND incident_id IN (SELECT unnest($only::VARCHAR[]))", list(only)
    if most is not None:
        sql = f"{sql} LIMIT {most}"
    rows = to_records(read_columns(store, ("incidents",), sql, asked))
    if not rows:  # most of the day: nothing is known of any place
        return rows
    for row in rows:
        row["undisclosed"] = row["category"] in hidden
        if row["undisclosed"]:
            row |= {"category": None, "building_id": None, "unit_id": None, "geom": None}
    places = _get_places(store, store.revision(*_PLACE_TABLES))
    homes = places.find_homes(row["unit_id"] for row in rows)
    addresses = places.find_addresses(row["building_id"] for row in rows)
    for row, home, address in zip(rows, homes, addresses, strict=True):
        number, middle = places.grids.get(row["grid_id"], (None, None))
        point = middle if row["undisclosed"] else row["geom"]
        row |= {
            "geom": None if point is None else shapely.from_wkb(point),
            "grid_number": number,
            "address": home[0] or address,
            "floor_m": home[1],
            "floor_height_m": home[2],
            "home": home[3],
        }
    return rows


def _limit(store: Store, viewer: Viewer, query: str) -> tuple[list[str], list[str] | None]:
    """Kinds of which this viewer does not learn the place, and the grids whose rows they get (None: all)."""
    return list_hidden(store, sees_all=sees_sensitive(viewer)), find_grid_limit(viewer, "query", query)
