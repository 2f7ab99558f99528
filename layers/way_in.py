"""
The way on foot from the nearest open gate to the door of a building, home or key site: a line, metres and minutes.

It is of places alone: nobody who walks it, and nothing of who lives there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from data.store import Store
from gis.errors import RecordMissingError
from layers.frame import LocalFrame
from tasks.pack_facts import find_way

_SQL: Mapping[str, str] = {
    "building": "SELECT building_id, NULL AS unit_id, ST_AsWKB(ST_PointOnSurface(geom)) AS geom FROM buildings "
    "WHERE building_id = ?",
    "unit": "SELECT u.building_id, u.unit_id, ST_AsWKB(ST_PointOnSurface(b.geom)) AS geom "
    "FROM units u JOIN buildings b USING (building_id) WHERE u.unit_id = ?",
    "site": "SELECT building_id, NULL AS unit_id, ST_AsWKB(geom) AS geom FROM key_sites WHERE site_id = ?",
}
KINDS = tuple(_SQL)


def build_way_in(store: Store, frame: LocalFrame, kind: str, place_id: str, *, at: datetime) -> dict[str, Any] | None:
    """
    The way at an aware time; None where no open way from a gate is known.

    Returns
    -------
    `l` (line in local metres, from the gate), `gate` (its name, or None), `m` metres, `s` seconds, and `verified`,
    False where walls and gates are not.

    Raises
    ------
    RecordMissingError
        There is no such place.
    """
    rows = store.read_geo(_SQL[kind], [place_id])
    if rows.empty:
        raise RecordMissingError(f"There is no {kind} '{place_id[:60]}'. Choose it on the table again.")
    row, point = rows.iloc[0], rows.geometry.iloc[0]
    asked = {
        "x_m": point.x, "y_m": point.y,
        **{name: row[name] if isinstance(row[name], str) else None for name in ("building_id", "unit_id")},
    }  # fmt: skip
    way = find_way(store, asked, at=at)
    if way is None:
        return None
    return {
        "l": frame.to_local(np.asarray(shapely.get_coordinates(way.route.line))).round(1).tolist(),
        "gate": way.gate.name,
        "m": round(way.route.length_m),
        "s": round(way.route.travel_time_s),
        "verified": way.route.is_verified,
    }
