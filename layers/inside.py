"""
One building from inside: entrances, storeys and units as seen from its front, and their outlines.

Everything is in metres of the building's own frame: `a` along the front from left to right as one who stands before its
entrances sees it, `d` the depth behind the front; `at` says where that frame lies on the table. No person and no number
of persons of one home is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.queries import (
    find_buildings,
    find_entrances,
    find_grids,
    find_plan_rooms,
    find_rentals,
    find_unit_incidents,
    find_units,
)
from data.store import Store
from gis.building_front import Coordinates, Front
from gis.errors import BadRecordError
from i18n import section, t
from layers.frame import LocalFrame
from layers.records import to_texts
from layers.scene import Records, Scene, SceneRequest

FLOOR_M = 3.0  # of a storey that nobody measured
_FAR_M = 1000.0
_STAIRS_IN_M = 1.6


class _Drawn(Front):
    """The frame of a building that is drawn, to the centimetre."""

    def turn(self, coordinates: Coordinates) -> Coordinates:
        """As along and depth, to the centimetre."""
        return np.round(super().turn(coordinates), 2)

    def place(self, frame: LocalFrame) -> dict[str, list[float]]:
        """
        The frame on the table, local metres: origin `o`, and the steps of one metre along (`a`) and inwards (`d`).

        Only a step of many metres is exact in coordinates that are kept to the centimetre.
        """
        corners = self.turn_back(_FAR_M * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        origin, along, inwards = frame.to_local(corners)
        return {
            "o": origin.tolist(),
            "a": ((along - origin) / _FAR_M).round(6).tolist(),
            "d": ((inwards - origin) / _FAR_M).round(6).tolist(),
        }

    def rings(self, shape: shapely.Geometry | None) -> list[list[list[float]]]:
        """Outer rings of a shape."""
        polygons = [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon"] if shape is not None else []
        return [self.turn(shapely.get_coordinates(one.exterior)).tolist() for one in polygons]


def _build(request: SceneRequest) -> Records:
    store, viewer = request.store, request.viewer
    building_id = request.params.get("building") or _find_building(store, request.params.get("unit", ""))
    if not building_id:
        return {"id": ""}
    buildings = find_buildings(store, viewer)
    rows = buildings[buildings["building_id"] == building_id]
    if rows.empty:
        raise BadRecordError(f"There is no building '{building_id[:80]}' in this store. Choose it on the table.")
    building = rows.iloc[0]
    entrances = find_entrances(store, viewer)
    entrances = entrances[entrances["building_id"] == building_id].reset_index(drop=True)
    front = _Drawn(building["geom"], shapely.get_coordinates(entrances.geometry.to_numpy()))
    units = find_units(store, viewer, building_id)
    rentals = find_rentals(store, viewer)
    rentals = rentals[(rentals["building_id"] == building_id) & rentals["unit_id"].notna()]
    let = {str(row["unit_id"]): row for row in rentals.to_dict("records")}
    grids = find_grids(store, viewer).set_index("grid_id")["number"]
    counted = find_unit_incidents(store, viewer, building_id).set_index("unit_id")
    alarms = {str(unit): (int(row["total"]), int(row["lately"])) for unit, row in counted.iterrows()}
    words = dict(section("inside", request.lang)) if request.params.get("words") else {}  # for a wall, which has none
    return {
        "id": building_id,
        **({"words": words} if words else {}),
        "name": f"{_text(building['zone'])}{_text(building['name'])}" or t("inside.unnamed", request.lang),
        "address": _text(building["address"]),
        "use": building["use"],
        "grid": int(grids[building["grid_id"]]) if building["grid_id"] in grids.index else None,
        "floors": [int(building["floors_above"]), int(building["floors_below"])],
        "assumed": building["floors_source"] == "assumed",
        "height": float(building["height_m"]),
        "size": front.size_m.round(2).tolist(),
        "at": front.place(request.frame),
        "outline": front.rings(building["geom"]),
        "entrances": _build_entrances(entrances, front),
        "stairs": _build_stairs(entrances, units, front, int(building["floors_above"])),
        "levels": _build_levels(store, building, units),
        "units": _build_units(units, let, alarms, front),
        **_build_plan(find_plan_rooms(store, viewer, building_id), units, front),
    }


def _find_building(store: Store, unit_id: str) -> str:
    """The building of a unit; empty without one."""
    if not unit_id:
        return ""
    rows = store.read("SELECT building_id FROM units WHERE unit_id = ?", [unit_id])
    if rows.empty:
        raise BadRecordError(f"There is no unit '{unit_id[:80]}' in this store. Choose it on the table.")
    return str(rows["building_id"].iloc[0])


def _build_entrances(entrances: gpd.GeoDataFrame, front: _Drawn) -> list[dict[str, object]]:
    """Entrances from left to right."""
    places = front.turn(shapely.get_coordinates(entrances.geometry.to_numpy()))
    records: list[dict[str, object]] = [
        {"id": one, "n": name, "x": place}
        for one, name, place in zip(entrances["entrance_id"], to_texts(entrances["name"]), places.tolist(), strict=True)
    ]
    return sorted(records, key=lambda record: record["x"])  # type: ignore[arg-type, return-value]


def _build_stairs(
    entrances: gpd.GeoDataFrame, units: gpd.GeoDataFrame, front: _Drawn, floors_above: int
) -> list[dict[str, object]]:
    """Where one goes up: behind each entrance that leads to an upper storey. Nobody measured the stairs themselves."""
    if floors_above < 2:
        return []
    upper = set(units.loc[units["level"].fillna(1) > 1, "entrance_id"].dropna())
    places = front.turn(shapely.get_coordinates(entrances.geometry.to_numpy())).tolist()
    deep = float(front.size_m[1])
    inside = [
        [a, round(d + _STAIRS_IN_M if d < deep / 2 else d - _STAIRS_IN_M, 2)]
        for one, (a, d) in zip(entrances["entrance_id"], places, strict=True)
        if not upper or one in upper
    ]
    return [{"x": place} for place in sorted(inside)]


def _build_levels(store: Store, building: pd.Series[Any], units: gpd.GeoDataFrame) -> list[dict[str, object]]:
    """Every storey from the top, as it is drawn: those of the register, else as many as the building has."""
    rows = store.read(
        "SELECT level, name, elevation_m, height_m FROM floors WHERE building_id = ?", [building["building_id"]]
    )
    known = {int(row["level"]): row for row in rows.to_dict("records")}
    above, below = int(building["floors_above"]), int(building["floors_below"])
    levels = set(range(1, above + 1)) | set(range(-below, 0)) | set(known)
    levels |= {int(level) for level in units["level"].dropna()}
    return [
        {
            "l": level,
            "n": _text(known[level]["name"]) if level in known else "",
            "z": float(known[level]["elevation_m"]) if level in known else (level - (level > 0)) * FLOOR_M,
            "h": float(known[level]["height_m"]) if level in known else FLOOR_M,
        }
        for level in sorted(levels, reverse=True)
    ]


def _build_plan(rooms: gpd.GeoDataFrame, units: gpd.GeoDataFrame, front: _Drawn) -> dict[str, object]:
    """Whether outlines are schematic (示意), the landings of such a plan, and its rooms that no unit is in."""
    if (units.geometry.notna() & units["geom_source"].isna()).any():  # outlines of its own are better than any plan
        return {"schematic": False, "landings": [], "rooms": []}
    rows = [{**row, "p": front.rings(row["geom"])} for row in rooms.to_dict("records")]
    empty = [row for row in rows if row["kind"] == "room" and not isinstance(row["unit_id"], str)]
    return {
        "schematic": bool(rows) or bool((units["geom_source"] == "schematic").any()),
        "landings": [{"l": int(row["level"]), "p": row["p"]} for row in rows if row["kind"] == "landing"],
        "rooms": [
            {"l": int(row["level"]), "n": _text(row["number"]), "p": row["p"], "x": _middle(row["p"])} for row in empty
        ],
    }


def _middle(rings: list[list[list[float]]]) -> list[float] | None:
    """A place well inside an outline, for its number."""
    if not rings:
        return None
    inside: list[float] = np.round(shapely.get_coordinates(shapely.Polygon(rings[0]).point_on_surface())[0], 2).tolist()
    return inside


def _build_units(
    units: gpd.GeoDataFrame, let: Mapping[str, dict[str, Any]], alarms: Mapping[str, tuple[int, int]], front: _Drawn
) -> list[dict[str, object]]:
    """Units by storey from the top, and from left to right."""
    records: list[dict[str, object]] = []
    for row in units.to_dict("records"):
        rings = front.rings(row["geom"])
        middle = np.mean([point for ring in rings for point in ring[:-1]], axis=0).tolist() if rings else None
        rental = let.get(str(row["unit_id"]))
        records.append(
            {
                "id": row["unit_id"],
                "l": 1 if pd.isna(row["level"]) else int(row["level"]),
                "e": row["entrance_id"] if isinstance(row["entrance_id"], str) else None,
                "n": str(row["room"]),
                "t": _text(row["name"]),
                "u": row["use"],
                "m": None if pd.isna(row["area_m2"]) else round(float(row["area_m2"]), 1),
                "x": middle,
                "p": rings,
                "r": None if rental is None else _build_rental(rental),
                "v": max(filter(None, (_to_day(row[name]) for name in ("verified_utc", "checked_utc"))), default=None),
                "i": list(alarms.get(str(row["unit_id"]), (0, 0))),
            }
        )
    return sorted(records, key=lambda one: (-int(str(one["l"])), one["x"] or [0.0], str(one["n"])))


def _build_rental(rental: Mapping[str, Any]) -> dict[str, object]:
    """What of a rental is no person's: colour, suspicion, last visit."""
    return {
        "c": _text(rental["colour"]) or None,
        "s": bool(rental["suspected_group"]),
        "ok": not pd.isna(rental["confirmed_utc"]),
        "v": _to_day(rental["last_visit_on"]),
    }


def _to_day(value: Any) -> str | None:
    if value is None or pd.isna(value):
        return None
    return value.isoformat()[:10] if isinstance(value, date) else str(value)[:10]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


INSIDE = Scene(
    "inside",
    (
        "buildings",
        "entrances",
        "floors",
        "units",
        "rentals",
        "grids",
        "community",
        "incidents",
        "plan_rooms",
        "register_checks",
    ),
    _build,
    params=("building", "unit", "words"),
)
