"""
What a schematic plan of a building is made from, and the rooms it leads to: pure, so that a plan can be taken back by
making it anew from what it was made from before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import shapely
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis.building_front import Front
from gis.plan_problems import PlanProblemError
from gis.storey_plans import MOST_ROOMS, DoorPlan, StoreyPlan, plan_storey

KINDS: Final = ("landings", "hall")
_NUMBER = re.compile(r"[\w\-]{1,12}")


@dataclass(frozen=True)
class PlanSpec:
    """
    Attributes
    ----------
    kind
        `landings` (homes behind stairs) or `hall` (a single room, or stalls at both sides of an aisle).
    rooms
        Rooms by entrance; the key is empty where no entrance is known.
    storeys
        Storeys that differ: level → rooms by entrance. JSON's keys are texts.
    names
        Numbers given by hand: `level|entrance|index` → number.
    through
        Numbered through the whole storey, not anew behind each entrance.
    """

    kind: str
    rooms: Mapping[str, int]
    storeys: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    through: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    def with_storey(self, level: int, rooms: Mapping[str, int] | None) -> PlanSpec:
        """Another number of rooms on one storey; None: as the others. Its numbers by hand are forgotten."""
        storeys = {key: value for key, value in self.storeys.items() if key != str(level)}
        if rooms is not None:
            storeys[str(level)] = dict(rooms)
        names = {key: name for key, name in self.names.items() if not key.startswith(f"{level}|")}
        return replace(self, storeys=storeys, names=names)

    def with_name(self, level: int, entrance: str, index: int, number: str) -> PlanSpec:
        """Another number for one room; empty: as it is counted."""
        names = dict(self.names)
        names.pop(key := f"{level}|{entrance}|{index}", None)
        return replace(self, names={**names, key: number.strip()} if number.strip() else names)


@dataclass(frozen=True)
class Entrance:
    """An entrance of the register; its key is empty for one that was assumed."""

    key: str
    at: Point


@dataclass(frozen=True)
class Room:
    """A room of the plan: where it is and what its number is; outline in the CRS."""

    level: int
    entrance: str
    index: int
    number: str
    outline: Polygon


@dataclass(frozen=True)
class Plan:
    """Rooms of all storeys, and what leads to them by level."""

    rooms: tuple[Room, ...]
    landings: tuple[tuple[int, Polygon], ...]


def parse_spec(content: Mapping[str, Any]) -> PlanSpec:
    """The specification that `to_dict` gave."""
    return PlanSpec(
        content["kind"], content["rooms"], content.get("storeys", {}), content.get("names", {}),
        bool(content.get("through", False)),
    )  # fmt: skip


def assume_entrance(footprint: BaseGeometry, doors: Sequence[Point] = ()) -> Entrance:
    """The middle of the front, for a building whose entrances nobody knows."""
    front = Front(footprint, _coordinates(doors))
    place = front.turn_back(_coordinates([Point(front.size_m[0] / 2, 0.0)]))[0]
    return Entrance("", Point(place))


def build_plan(spec: PlanSpec, footprint: BaseGeometry, entrances: Sequence[Entrance], levels: Sequence[int]) -> Plan:
    """
    Rooms of all storeys.

    Raises
    ------
    BadRecordError
        The specification names other entrances or storeys, a number is given twice, or the shape cannot be divided.
    """
    doors = list(entrances) or [assume_entrance(footprint)]
    _check(spec, doors, levels)
    known: dict[tuple[int, ...], StoreyPlan] = {}
    rooms: list[Room] = []
    landings: list[tuple[int, Polygon]] = []
    for level in levels:
        counts = {**spec.rooms, **spec.storeys.get(str(level), {})}
        storey_doors = [DoorPlan(door.key, door.at, counts[door.key]) for door in doors if counts.get(door.key, 0) > 0]
        key = tuple(counts.get(door.key, 0) for door in doors)
        if key not in known:
            known[key] = plan_storey(footprint, storey_doors, is_hall=spec.kind == "hall")
        plan = known[key]
        landings += [(level, way) for _, way in plan.landings]
        for count, room in enumerate(plan.rooms, start=1):
            number = _number(spec, level, room.door, room.index, count, len(levels))
            rooms.append(Room(level, room.door, room.index, number, room.outline))
    _check_numbers(rooms, through=spec.through)
    return Plan(tuple(rooms), tuple(landings))


def _number(spec: PlanSpec, level: int, entrance: str, index: int, count: int, storeys: int) -> str:
    given = spec.names.get(f"{level}|{entrance}|{index}")
    if given:
        return given
    n = count if spec.through else index
    if spec.kind == "hall" and storeys == 1:
        return str(n)
    return f"{level}{n:02d}" if level > 0 else f"B{-level}{n:02d}"


def _check(spec: PlanSpec, doors: Sequence[Entrance], levels: Sequence[int]) -> None:
    if spec.kind not in KINDS:
        raise PlanProblemError("kind", f"A plan's kind is '{spec.kind[:20]}', expected one of {', '.join(KINDS)}.")
    known = {door.key for door in doors}
    named = {key for counts in (spec.rooms, *spec.storeys.values()) for key in counts}
    if not named <= known or not any(spec.rooms.values()):
        raise PlanProblemError(
            "doors",
            f"The plan counts rooms behind {', '.join(sorted(named)) or 'nothing'}, the building has "
            f"{', '.join(sorted(known))}. Give rooms for its own entrances.",
        )
    if any(not 0 <= n <= MOST_ROOMS for counts in (spec.rooms, *spec.storeys.values()) for n in counts.values()):
        raise PlanProblemError(
            "rooms", f"Rooms for each landing are 0 to {MOST_ROOMS}. Correct the number.", most=MOST_ROOMS
        )
    if strange := [level for level in spec.storeys if level not in {str(one) for one in levels}]:
        raise PlanProblemError(
            "storey", f"The building has no storey {strange[0][:10]}. Its storeys are {levels[0]} to {levels[-1]}.",
            level=strange[0][:10], first=levels[0], last=levels[-1],
        )  # fmt: skip
    if bad := [name for name in spec.names.values() if not _NUMBER.fullmatch(name)]:
        raise PlanProblemError(
            "number", f"Room number '{bad[0][:20]}' is not one: expected 1 to 12 letters, figures or hyphens.",
            number=bad[0][:20],
        )  # fmt: skip


def _check_numbers(rooms: Sequence[Room], *, through: bool) -> None:
    seen: set[tuple[str, str]] = set()
    for room in rooms:
        key = ("" if through else room.entrance, room.number)
        if key in seen:
            raise PlanProblemError(
                "twice", f"Room number {room.number} would be there twice. Give it another one.", number=room.number
            )
        seen.add(key)


def _coordinates(points: Sequence[Point]) -> Any:
    return shapely.get_coordinates(list(points))
