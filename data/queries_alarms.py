"""
Open incidents for the wall's table: where each is down to the home, and nothing of who called.

Asked in two steps, because a bad night may leave thousands open: which may come first and how many there are
(`find_alarm_ranks`), then of the few that are shown where each is (`find_alarms`).

Of a sensitive kind a role below the officer gets its grid, its time and its urgency: `undisclosed` is true, its kind is
not told and its place is a point of the grid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import geopandas as gpd
import pandas as pd

from data.hidden_kinds import list_hidden
from data.masking import sees_sensitive
from data.reading import read_rows, to_ids
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_SEEN = """
WITH seen AS (
    SELECT *, coalesce(list_contains($hidden::VARCHAR[], category), false) AS undisclosed
    FROM incidents
    WHERE status NOT IN ('closed', 'cancelled', 'duplicate')
        AND ($grids IS NULL OR list_contains($grids, grid_id))
)"""
_RANKS = (
    _SEEN
    + """, told AS (
    SELECT incident_id, urgency, status, reported_utc, CASE WHEN NOT undisclosed THEN category END AS category,
        CASE WHEN undisclosed THEN coalesce(grid_id IN (SELECT grid_id FROM grids), false) ELSE geom IS NOT NULL END
            AS is_placed
    FROM seen
)
SELECT *, count(*) OVER alike AS alike FROM told
WINDOW alike AS (PARTITION BY urgency, status, category, is_placed)
QUALIFY row_number() OVER (alike ORDER BY reported_utc, incident_id) <= $most
ORDER BY incident_id
"""
)
_ALARMS = (
    _SEEN
    + """
SELECT incident_id, urgency, status, reported_utc, grid_id, undisclosed,
    CASE WHEN NOT undisclosed THEN category END AS category,
    CASE WHEN NOT undisclosed THEN building_id END AS building_id,
    CASE WHEN NOT undisclosed THEN unit_id END AS unit_id,
    CASE WHEN NOT undisclosed THEN ST_AsWKB(geom) END AS geom
FROM seen WHERE $only IS NULL OR incident_id IN (SELECT unnest($only::VARCHAR[]))
ORDER BY incident_id
"""
)
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
def find_alarm_ranks(store: Store, viewer: Viewer, *, most: int) -> pd.DataFrame:
    """
    Of the incidents that are not over those that may be among the first, and how many there are.

    Rows of equal urgency, status, kind and `is_placed` are alike: among them only the time of the report decides which
    comes first. Of those that are alike the `most` oldest are told, and in `alike` how many there are.
    """
    limit = _limit(store, viewer, "find_alarm_ranks")
    return read_rows(store, viewer, ("incidents",), _RANKS, {**limit, "most": most})


@governed
def find_alarms(store: Store, viewer: Viewer, *, only: Collection[str] | None = None) -> gpd.GeoDataFrame:
    """
    Every incident that is not over, or `only` those of these ids; points, missing where nobody knows the place.

    Returns
    -------
    Kind, urgency, status, time of the report, place (`address` is the standard address of the home or the building) and
    of a known home its outline `home` (WKB), its storey's height above ground `floor_m` and that storey's own height.
    A grid worker gets the rows of their own grids.
    """
    asked = {**_limit(store, viewer, "find_alarms"), "only": None if only is None else list(only)}
    rows = read_rows(store, viewer, ("incidents",), _ALARMS, asked)
    places = _get_places(store, store.revision(*_PLACE_TABLES))
    unit_ids, building_ids, grid_ids = (to_ids(rows[name]) for name in ("unit_id", "building_id", "grid_id"))
    homes = places.find_homes(unit_ids)
    addresses = places.find_addresses(building_ids)
    grids = [places.grids.get(one or "", (None, None)) for one in grid_ids]
    shapes = [
        grid[1] if hidden else geom
        for hidden, geom, grid in zip(rows["undisclosed"].tolist(), rows["geom"].tolist(), grids, strict=True)
    ]
    told = rows.assign(
        geom=pd.Series(shapes, rows.index, dtype="object"),
        grid_number=pd.Series([grid[0] for grid in grids], rows.index, dtype="Int64"),
        address=pd.Series(
            [home[0] or address for home, address in zip(homes, addresses, strict=True)], rows.index, dtype="str"
        ),
        floor_m=pd.Series([home[1] for home in homes], rows.index, dtype="float64"),
        floor_height_m=pd.Series([home[2] for home in homes], rows.index, dtype="float64"),
        home=pd.Series([home[3] for home in homes], rows.index, dtype="object"),
    )
    return store.to_geo(told)


def _limit(store: Store, viewer: Viewer, query: str) -> dict[str, object]:
    """Kinds of which this viewer does not learn the place, and the grids whose rows they get (None: all)."""
    hidden = list_hidden(store, sees_all=sees_sensitive(viewer))
    return {"hidden": hidden, "grids": find_grid_limit(viewer, "query", query)}
