"""Rows of buildings, entrances, floors, units and standard addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

from sample.numbering import HOUSES, Named
from sample.plans import Plan, Room, to_centimetres

Row = dict[str, Any]


@dataclass
class Registers:
    """Rows of the registers, geometry in local metres."""

    buildings: list[Row] = field(default_factory=list)
    entrances: list[Row] = field(default_factory=list)
    floors: list[Row] = field(default_factory=list)
    units: list[Row] = field(default_factory=list)
    addresses: list[Row] = field(default_factory=list)


def build_registers(named: list[Named], grids: dict[int, shapely.Polygon]) -> Registers:
    """Rows of all buildings; a building belongs to the grid that holds its representative point."""
    registers = Registers()
    for building in named:
        _building(registers, building, grids)
        _floors(registers, building)
        _units(registers, building)
    return registers


def grid_id(number: int) -> str:
    """Id of the grid with this number."""
    return f"G{number:02d}"


def _building(registers: Registers, building: Named, grids: dict[int, shapely.Polygon]) -> None:
    plan, key = building.plan, building.building_id
    footprint = plan.footprint
    at = footprint.representative_point()
    grid = next(number for number, face in grids.items() if face.covers(at))
    registers.buildings.append(
        {
            "building_id": key, "name": building.name, "zone": plan.zone, "number": building.number,
            "address_id": f"A-{key}", "grid_id": grid_id(grid), "use": plan.use, "floors_above": plan.floors,
            "floors_below": plan.floors_below, "height_m": plan.height_m, "base_m": 0.0, "height_source": "file",
            "floors_source": "file", "year_built": plan.year, "structure": plan.structure, "roof": plan.roof,
            "geom": footprint,
        }
    )  # fmt: skip
    registers.addresses.append(_address(f"A-{key}", building.address, building, geom=at))
    for index, door in enumerate(plan.doors):
        unit = building.unit_numbers[index]
        point = to_centimetres(plan.place(Point(door.at)))
        entrance = f"{key}-E{index + 1}"
        registers.entrances.append(
            {
                "entrance_id": entrance, "building_id": key, "name": building.entrance_name(index),
                "unit_number": unit, "bearing_deg": round((door.outward_deg - plan.angle_deg) % 360, 2), "geom": point,
            }
        )  # fmt: skip
        if unit is not None:
            text = building.entrance_address(index)
            registers.addresses.append(_address(f"A-{entrance}", text, building, unit=unit, geom=point))


def _floors(registers: Registers, building: Named) -> None:
    plan = building.plan
    elevation = 0.0
    for level in range(1, plan.floors + 1):
        height = plan.ground_storey_m if level == 1 and plan.ground_storey_m else plan.storey_m
        registers.floors.append(_floor(building, level, elevation, height))
        elevation = round(elevation + height, 2)
    for below in range(1, plan.floors_below + 1):
        registers.floors.append(_floor(building, -below, -3.6 * below, 3.6))


def _floor(building: Named, level: int, elevation: float, height: float) -> Row:
    return {
        "floor_id": f"{building.building_id}-F{level}", "building_id": building.building_id, "level": level,
        "name": f"{level}层", "elevation_m": elevation, "height_m": height, "geom": building.plan.footprint,
    }  # fmt: skip


def _units(registers: Registers, building: Named) -> None:
    plan = building.plan
    shapes = {id(room): _placed(plan, room) for room in (*plan.typical, *(plan.ground or ()))}
    for level in range(1, plan.floors + 1):
        ground = level == 1 and plan.ground is not None
        if plan.use == "commercial" and not ground:
            continue  # the upper storey belongs to the shop below
        rooms = plan.ground if ground and plan.ground else plan.typical
        seen: dict[int | None, int] = {}
        for room in rooms:
            seen[room.door] = seen.get(room.door, 0) + 1
            _unit(registers, building, level, room, seen[room.door], shapes[id(room)])


def _placed(plan: Plan, room: Room) -> BaseGeometry:
    return shapely.transform(plan.place(room.outline), lambda xy: xy.round(3))


def _unit(registers: Registers, building: Named, level: int, room: Room, count: int, shape: BaseGeometry) -> None:
    key = building.building_id
    house = building.plan.use in HOUSES
    # Dwellings are counted behind each entrance; where entrances have no names, through the whole house.
    named = room.door is not None and building.unit_numbers[room.door] is not None
    if house and room.use == "dwelling" and not named and room.door:
        count += sum(1 for other in building.plan.typical if other.door is not None and other.door < room.door)
    door = 0 if room.door is None else room.door
    shop = room.use == "shop"
    number = str(count) if shop and level == 1 else f"{level}{count:02d}"
    unit = building.unit_numbers[door] if room.door is not None else None
    if shop and level == 1:
        text = f"{building.address}门面房{number}号" if house else f"{building.address}{number}号门面房"
        text = f"{building.address[:-1]}-{number}号" if building.street_number else text
    else:
        text = f"{building.entrance_address(door)}{number}室"
    unit_id = f"{key}-E{door + 1}-{number}" if room.door is not None else f"{key}-S{number}"
    registers.units.append(
        {
            "unit_id": unit_id, "building_id": key,
            "entrance_id": f"{key}-E{door + 1}" if room.door is not None or not house else None,
            "level": level, "room": number, "name": None, "address_id": f"A-{unit_id}", "use": room.use,
            "area_m2": round(shape.area, 1), "geom": shape,
        }
    )  # fmt: skip
    registers.addresses.append(
        _address(
            f"A-{unit_id}", text, building, unit=unit, level=level, room=None if shop and level == 1 else number,
            unit_id=unit_id, geom=shape.representative_point(),
        )
    )  # fmt: skip


def _address(key: str, text: str, building: Named, **fields: Any) -> Row:
    row: Row = {
        "address_id": key, "full_text": text, "zone": None if building.street_number else building.plan.zone,
        "building": building.number, "unit": None, "level": None, "room": None, "building_id": building.building_id,
        "unit_id": None, "geom": None,
    }  # fmt: skip
    return row | fields
