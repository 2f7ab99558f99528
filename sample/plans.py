"""What a building of the sample is before it becomes rows: outline, doors and rooms in a frame of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import affine_transform, rotate
from shapely.geometry.base import BaseGeometry

G = TypeVar("G", bound=BaseGeometry)


@dataclass(frozen=True)
class Door:
    """A door on the wall, local metres, and the end of the path that leads to it."""

    at: tuple[float, float]
    path_to: tuple[float, float] | None = None
    outward_deg: float = 0.0
    """Clockwise from the building's own north."""


@dataclass(frozen=True)
class Room:
    """One room of a storey, local metres; `door` indexes the building's doors."""

    outline: Polygon
    door: int | None
    use: str = "dwelling"


@dataclass(frozen=True)
class Plan:
    """
    A building. Its frame: x along the length, y to the north, turned counterclockwise by `angle_deg` about the
    frame's (0, 0) and then moved by `origin` to get local metres of the community.
    """

    block: int
    zone: str
    use: str
    outline: Polygon
    angle_deg: float
    floors: int
    storey_m: float
    year: int
    roof: str
    structure: str
    doors: tuple[Door, ...]
    typical: tuple[Room, ...] = ()
    ground: tuple[Room, ...] | None = None
    """Rooms of the ground floor where they differ from the typical storey."""
    name: str | None = None
    origin: tuple[float, float] = (0.0, 0.0)
    floors_below: int = 0
    ground_storey_m: float | None = None
    street: str | None = None
    key: str = ""
    tags: tuple[str, ...] = ()

    def place(self, geometry: G) -> G:
        """A geometry of the building's frame in the community's local metres."""
        turn = np.radians(self.angle_deg)
        cos, sin = float(np.cos(turn)), float(np.sin(turn))
        return affine_transform(geometry, [cos, -sin, sin, cos, *self.origin])

    @cached_property
    def footprint(self) -> Polygon:
        """Outline in the community's local metres, to the centimetre."""
        return to_centimetres(self.place(self.outline))

    @property
    def height_m(self) -> float:
        """Height of the top above ground."""
        return round((self.ground_storey_m or self.storey_m) + (self.floors - 1) * self.storey_m, 2)

    def moved(self, **changes: object) -> Plan:
        """The same with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]


def to_centimetres(geometry: G) -> G:
    """Coordinates rounded to the centimetre, so that what meets, meets exactly."""
    return shapely.transform(geometry, lambda xy: np.round(xy, 2))


def turned(geometry: G, angle_deg: float) -> G:
    """`geometry` turned counterclockwise about (0, 0)."""
    return rotate(geometry, angle_deg, origin=(0, 0))


def stair_rooms(outline: Polygon, edges: Sequence[float], per_stair: Sequence[int]) -> tuple[Room, ...]:
    """
    Dwellings of one storey: between neighbouring `edges` (x, metres) lies a stair with so many dwellings side by side.

    Of three dwellings the middle one is the smallest, as it is in such houses. Together they are the outline.
    """
    rooms = []
    for stair, (left, right, count) in enumerate(zip(edges, edges[1:], per_stair, strict=False)):
        shares = {2: (0.0, 0.5, 1.0), 3: (0.0, 0.37, 0.63, 1.0)}[count]
        cuts = [left + (right - left) * share for share in shares]
        rooms += [Room(strip(outline, a, b), stair) for a, b in itertools.pairwise(cuts)]
    return tuple(rooms)


def strip(outline: Polygon, left: float, right: float) -> Polygon:
    """The part of `outline` between two x, metres."""
    _, low, _, high = outline.bounds
    parts = shapely.get_parts(outline.intersection(shapely.box(left, low - 1, right, high + 1)))
    return cast(Polygon, max(parts, key=shapely.area))  # where a wall lies on the cut, it comes along as a line


def front_shops(outline: Polygon, width_m: float) -> tuple[Room, ...]:
    """Shops side by side along the length, each about `width_m` wide, over the whole depth."""
    left, _, right, _ = outline.bounds
    count = max(1, round((right - left) / width_m))
    cuts = np.linspace(left, right, count + 1)
    return tuple(Room(strip(outline, a, b), None, "shop") for a, b in itertools.pairwise(cuts))


def door_line(plan: Plan, door: Door) -> LineString | None:
    """The path from the door, local metres of the community."""
    if door.path_to is None:
        return None
    return to_centimetres(plan.place(LineString([door.at, door.path_to])))
