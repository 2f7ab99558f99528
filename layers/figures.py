"""Figures of the left rail and counts of the layers: read by the browser again whenever a table changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from data.queries import get_info
from data.store import Store
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    info = get_info(request.store)
    written = request.store.find_written_utc()
    return {
        "figures": info.to_dict(),
        "counts": {
            **_count_ground(request.store, request.store.revision("land", "walls", "gates", "roads", "zones")),
            "buildings": info.buildings,
            "grids": info.grids,
            "rentals": info.rentals - info.suspected_group_rentals,
            "group_rentals": info.suspected_group_rentals,
            "responders": info.responders,
            "key_sites": info.key_sites,
        },
        "changed": None if written is None else written.isoformat().replace("+00:00", "Z"),
    }


@lru_cache(maxsize=8)
def _count_ground(store: Store, _revision: int) -> Mapping[str, int]:
    """What lies on the ground, counted again only after that was written."""
    return store.read_first(
        """SELECT (SELECT count(*) FROM land WHERE kind = 'tree') AS trees,
            (SELECT count(*) FROM land WHERE kind <> 'tree') AS land, (SELECT count(*) FROM walls) AS walls,
            (SELECT count(*) FROM gates) AS gates, (SELECT count(*) FROM roads) AS roads,
            (SELECT count(*) FROM zones WHERE status = 'open') AS zones"""
    )


FIGURES = Scene(
    "figures",
    (
        "community", "grids", "units", "buildings", "rentals", "key_sites", "incidents", "roads",
        "land", "walls", "gates", "zones",
    ),
    _build,
)  # fmt: skip
