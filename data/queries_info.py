"""The community in figures: what `shapan info` prints and the pages' head shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from data.moments import get_aware
from data.store import Store
from gis.errors import RecordMissingError

# Each part is read again only after its table was written: whoever reports an incident counts incidents, no roads.
_PARTS = {
    "community": """SELECT name, synthetic, coalesce(drill, false) AS drill, crs, data_as_of,
        round(ST_Area(boundary) / 1e6, 6) AS area_km2,
        (SELECT max(version) FROM schema_migrations) AS schema_version FROM community""",
    "grids": "SELECT count(*) AS grids FROM grids",
    "units": """SELECT coalesce(sum(residents_count), 0)::BIGINT AS residents,
        coalesce(sum(floating_count), 0)::BIGINT AS floating_residents, count(*) AS units FROM units""",
    "responders": """SELECT count(*) FILTER (full_time AND kind = 'grid_worker') AS grid_workers_full_time,
        count(*) FILTER (NOT full_time AND kind = 'grid_worker') AS grid_workers_part_time, count(*) AS responders
        FROM responders""",
    "buildings": "SELECT count(*) AS buildings FROM buildings",
    "rentals": """SELECT count(*) AS rentals, count(*) FILTER (suspected_group) AS suspected_group_rentals
        FROM rentals""",
    "key_sites": "SELECT count(*) AS key_sites FROM key_sites",
    "incidents": "SELECT count(*) AS incidents FROM incidents",
    "roads": "SELECT round(coalesce(sum(ST_Length(geom)), 0) / 1000, 3) AS roads_km FROM roads",
}
_MOST_TRIES = 5


@dataclass(frozen=True)
class CommunityInfo:
    """
    One community in figures.

    `drill` is true in a drill store. `area_km2` is None where there is no boundary; `data_as_of` is aware (UTC), None
    where nobody said it.
    """

    name: str
    synthetic: bool
    drill: bool
    crs: str
    data_as_of: datetime | None
    area_km2: float | None
    grids: int
    residents: int
    floating_residents: int
    grid_workers_full_time: int
    grid_workers_part_time: int
    buildings: int
    units: int
    rentals: int
    suspected_group_rentals: int
    key_sites: int
    responders: int
    incidents: int
    roads_km: float
    schema_version: int
    revision: int

    def to_dict(self) -> dict[str, object]:
        """As JSON knows it; the time in ISO 8601."""
        return {**asdict(self), "data_as_of": self.data_as_of.isoformat() if self.data_as_of else None}


def get_info(store: Store) -> CommunityInfo:
    """
    Figures of the community, all of one revision, so that they belong together.

    Raises
    ------
    RecordMissingError
        The store holds no community yet.
    """
    for _ in range(_MOST_TRIES):
        revision = store.revision()
        parts = {table: _find_part(store, table, store.revision(table)) for table in _PARTS}
        if store.revision() == revision:
            break
    if not parts["community"]:
        raise RecordMissingError(
            f"Store '{store.path.stem}' holds no community yet. "
            f"Bring one in with 'shapan import FOLDER --store {store.path.stem}', "
            "or make the sample with 'shapan demo --store NAME'."
        )
    values: dict[str, Any] = {name: value for part in parts.values() for name, value in part.items()}
    as_of = values.pop("data_as_of")
    return CommunityInfo(**values, data_as_of=None if as_of is None else get_aware(as_of), revision=revision)


@lru_cache(maxsize=64)
def _find_part(store: Store, table: str, _revision: int) -> Mapping[str, Any]:
    """Figures of one table, None where one is not known; empty where the table is."""
    return store.read_first(_PARTS[table])
