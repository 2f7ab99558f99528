"""The community in figures: what `shapan info` prints and the pages' head shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from data.store import Store
from gis.errors import RecordMissingError

_INFO = """
SELECT c.name, c.synthetic, c.crs, c.data_as_of,
    round(ST_Area(c.boundary) / 1e6, 6) AS area_km2,
    (SELECT count(*) FROM grids) AS grids,
    (SELECT coalesce(sum(residents_count), 0)::BIGINT FROM units) AS residents,
    (SELECT coalesce(sum(floating_count), 0)::BIGINT FROM units) AS floating_residents,
    (SELECT count(*) FILTER (full_time) FROM responders WHERE kind = 'grid_worker') AS grid_workers_full_time,
    (SELECT count(*) FILTER (NOT full_time) FROM responders WHERE kind = 'grid_worker') AS grid_workers_part_time,
    (SELECT count(*) FROM buildings) AS buildings,
    (SELECT count(*) FROM units) AS units,
    (SELECT count(*) FROM rentals) AS rentals,
    (SELECT count(*) FROM rentals WHERE suspected_group) AS suspected_group_rentals,
    (SELECT count(*) FROM key_sites) AS key_sites,
    (SELECT count(*) FROM responders) AS responders,
    (SELECT count(*) FROM incidents) AS incidents,
    (SELECT round(coalesce(sum(ST_Length(geom)), 0) / 1000, 3) FROM roads) AS roads_km,
    (SELECT max(version) FROM schema_migrations) AS schema_version,
    (SELECT coalesce(max(revision), 0) FROM revisions) AS revision
FROM community c
"""


@dataclass(frozen=True)
class CommunityInfo:
    """
    One community in figures.

    `area_km2` is None where there is no boundary; `data_as_of` is aware (UTC), None where nobody said it.
    """

    name: str
    synthetic: bool
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
    Figures of the community, in one statement, so that they belong together.

    Raises
    ------
    RecordMissingError
        The store holds no community yet.
    """
    rows = store.read(_INFO).astype(object)
    if rows.empty:
        raise RecordMissingError(
            f"Store '{store.path.stem}' holds no community yet. "
            f"Bring one in with 'shapan import FOLDER --store {store.path.stem}', "
            "or make the sample with 'shapan demo --store NAME'."
        )
    values: dict[str, Any] = {str(n): None if pd.isna(v) else v for n, v in rows.iloc[0].items()}
    as_of = values.pop("data_as_of")
    return CommunityInfo(
        **values, data_as_of=None if as_of is None else pd.Timestamp(as_of).to_pydatetime().replace(tzinfo=UTC)
    )
