"""Figures of the left rail and counts of the layers: read by the browser again whenever a table changes."""

from __future__ import annotations

import pandas as pd

from data.queries import get_info
from layers.scene import Records, Scene, SceneRequest


def _build(request: SceneRequest) -> Records:
    info = get_info(request.store)
    counts = request.store.read(
        """SELECT (SELECT count(*) FROM land WHERE kind = 'tree') AS trees,
            (SELECT count(*) FROM land WHERE kind <> 'tree') AS land, (SELECT count(*) FROM walls) AS walls,
            (SELECT count(*) FROM gates) AS gates, (SELECT count(*) FROM roads) AS roads"""
    ).iloc[0]
    changed = request.store.read("SELECT max(changed_utc) AS at FROM revisions")["at"].iloc[0]
    return {
        "figures": info.to_dict(),
        "counts": {
            **{str(name): int(value) for name, value in counts.items()},
            "buildings": info.buildings,
            "grids": info.grids,
            "rentals": info.rentals - info.suspected_group_rentals,
            "group_rentals": info.suspected_group_rentals,
            "responders": info.responders,
            "key_sites": info.key_sites,
        },
        "changed": None if pd.isna(changed) else f"{pd.Timestamp(changed).isoformat()}Z",
    }


FIGURES = Scene(
    "figures",
    (
        "community", "grids", "units", "buildings", "rentals", "key_sites", "incidents", "roads",
        "land", "walls", "gates",
    ),
    _build,
)  # fmt: skip
