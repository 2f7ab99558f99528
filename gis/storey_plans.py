"""
Schematic plans (示意) of one storey: from a footprint, its doors and rooms for each landing, outlines of rooms.

Real communities rarely have drawings. What is certain is the outline, where one goes in, and how many homes there are
on a landing; the rest is drawn as such houses are built: the house is cut between its entrances, each part has its
landing behind the door, wide enough that every home of the part opens to it, and homes of equal size lie side by side.
Single-ended houses and market halls get an aisle along their middle instead, with rooms at both sides.

Rooms and landings together are the footprint, no two overlap, and every room has a wall of at least `DOOR_M` in common
with its landing: a result that is not so is refused, never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from gis.building_front import Front
from gis.plan_problems import PlanProblemError

DOOR_M = 0.6
"""Least wall that a room shares with its landing: one has to get in."""
MOST_ROOMS = 60
_LANDING_DEPTH_M, _LANDING_SHARE = 2.4, 0.35
_BESIDE_M = 1.0  # how far a landing reaches past the last wall between two homes
_SAME_DOOR_M = 2.5  # doors that are nearer along the front lead to one landing
_AISLE_M, _AISLE_SHARE = 2.6, 0.25
_LINK_M = 1.6
_FREE_M = 0.7  # a landing stays off the end walls of its part
_LEAST_ROOM_M2 = 2.0
_SPECK_M2 = 1e-6
_GRID_M = 1e-4  # all corners lie on it, so that what meets meets exactly, whichever way the house is turned
_AREA_TOLERANCE = 1e-6


@dataclass(frozen=True)
class DoorPlan:
    """A door: its key, where it is (CRS), and how many rooms its landing has on this storey."""

    key: str
    at: Point
    rooms: int


@dataclass(frozen=True)
class PlannedRoom:
    """A room behind a door; `index` counts from 1, from left to right as one stands before the front."""

    door: str
    index: int
    outline: Polygon


@dataclass(frozen=True)
class StoreyPlan:
    """Rooms and what leads to them: landings and aisles, by the key of their door."""

    rooms: tuple[PlannedRoom, ...]
    landings: tuple[tuple[str, Polygon], ...]


@dataclass
class _Part:
    """A part of the house with its door, in the frame of the front."""

    key: str
    door: Point
    rooms: int
    outline: Polygon


def plan_storey(footprint: BaseGeometry, doors: Sequence[DoorPlan], *, is_hall: bool = False) -> StoreyPlan:
    """
    The plan of one storey.

    Parameters
    ----------
    footprint
        Outline of the storey, metric CRS, in one piece and without courtyards that cut it.
    doors
        At least one; without a known entrance a point on the outline that was assumed.
    is_hall
        An aisle along the middle with rooms at both sides, whatever the number.

    Raises
    ------
    BadRecordError
        The outline is in several pieces, the numbers cannot be, or this shape cannot be divided so.
    """
    outline = _check(footprint, doors)
    front = Front(outline, shapely.get_coordinates([door.at for door in doors]))
    turned = _one_piece(shapely.set_precision(shapely.transform(outline, front.turn), _GRID_M))
    parts = _cut_between(
        turned, [_Part(d.key, Point(front.turn(np.array(d.at.coords))[0]), d.rooms, turned) for d in doors]
    )
    rooms: list[PlannedRoom] = []
    landings: list[tuple[str, Polygon]] = []
    for part in parts:
        shapes, ways = _divide(part, is_hall=is_hall)
        shapes.sort(key=lambda shape: (round(shape.centroid.x, 1), shape.centroid.y))
        back = [_to_crs(shape, front) for shape in shapes]
        rooms += [PlannedRoom(part.key, number, shape) for number, shape in enumerate(back, start=1)]
        landings += [(part.key, _to_crs(way, front)) for way in ways]
    return StoreyPlan(tuple(rooms), tuple(landings))


def _to_crs(shape: Polygon, front: Front) -> Polygon:
    """Back in the CRS, rid of spikes that would cross when they are turned."""
    return shapely.transform(_one_piece(shapely.set_precision(shape, _GRID_M)), front.turn_back)


def _check(footprint: BaseGeometry, doors: Sequence[DoorPlan]) -> Polygon:
    pieces = [one for one in shapely.get_parts(footprint) if one.geom_type == "Polygon" and one.area > _LEAST_ROOM_M2]
    if len(pieces) != 1 or not pieces[0].is_valid:
        raise PlanProblemError(
            "pieces",
            f"The outline has {len(pieces)} pieces, expected one. Mend the outline, or draw the plan.",
            n=len(pieces),
        )
    if not doors or any(not 1 <= door.rooms <= MOST_ROOMS for door in doors):
        numbers = ", ".join(str(door.rooms) for door in doors) or "no door"
        raise PlanProblemError(
            "rooms", f"Rooms for each landing are {numbers}: expected 1 to {MOST_ROOMS} behind at least one door.",
            most=MOST_ROOMS,
        )  # fmt: skip
    total = sum(door.rooms for door in doors)
    if pieces[0].area < total * 2 * _LEAST_ROOM_M2:
        raise PlanProblemError(
            "small",
            f"{total} rooms do not fit on {pieces[0].area:.0f} m²: expected {2 * _LEAST_ROOM_M2:.0f} m² for each. "
            "Give fewer.",
            n=total, area_m2=round(pieces[0].area), least_m2=round(2 * _LEAST_ROOM_M2),
        )  # fmt: skip
    outline: Polygon = pieces[0]
    return outline


def _cut_between(outline: Polygon, doors: list[_Part]) -> list[_Part]:
    """The house cut half-way between its doors; doors beside one another share a part."""
    ordered = sorted(doors, key=lambda door: (door.door.x, door.key))
    merged: list[_Part] = []
    for door in ordered:
        if merged and door.door.x - merged[-1].door.x < _SAME_DOOR_M:
            merged[-1].rooms += door.rooms
        else:
            merged.append(door)
    cuts = [(left.door.x + right.door.x) / 2 for left, right in pairwise(merged)]
    strips = _cut_at(outline, cuts)
    kept: list[Polygon] = []
    spare: list[Polygon] = []
    for part, pieces in zip(merged, strips, strict=True):
        pieces.sort(key=lambda piece: (round(piece.distance(part.door), 3), -piece.area))
        kept.append(pieces[0])
        spare += pieces[1:]
    for part, shape in zip(merged, _give_away(kept, spare), strict=True):
        part.outline = shape
    return merged


def _cut_at(shape: BaseGeometry, cuts: Sequence[float]) -> list[list[Polygon]]:
    """Pieces of a shape between upright lines at `cuts`, from the left."""
    low, high = shape.bounds[1] - 1, shape.bounds[3] + 1
    edges = [shape.bounds[0] - 1, *cuts, shape.bounds[2] + 1]
    return [
        _polygons(shapely.intersection(shape, shapely.box(a, low, b, high), grid_size=_GRID_M))
        for a, b in pairwise(edges)
    ]


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon" and one.area > _SPECK_M2]


def _share_m(one: BaseGeometry, other: BaseGeometry) -> float:
    """Length of the wall that two shapes have in common."""
    return float(shapely.length(one.boundary.intersection(other.buffer(5 * _GRID_M))))


def _give_away(kept: list[Polygon], spare: list[Polygon]) -> list[Polygon]:
    """Every spare piece joins the shape with which it shares most of its wall."""
    shapes, waiting = list(kept), sorted(spare, key=lambda piece: -piece.area)
    while waiting:
        shares = [
            (max((_share_m(piece, shape), i) for i, shape in enumerate(shapes)), n) for n, piece in enumerate(waiting)
        ]
        (share, i), n = max(shares)
        if share <= 1e-6:
            raise PlanProblemError(
                "shape", "The outline falls into pieces that no landing reaches. Draw the plan instead."
            )
        shapes[i] = _one_piece(shapely.union(shapes[i], waiting.pop(n), grid_size=_GRID_M))
    return shapes


def _one_piece(shape: BaseGeometry) -> Polygon:
    pieces = _polygons(shape)
    if len(pieces) != 1:
        raise PlanProblemError(
            "shape", "A room would be in two pieces: this shape cannot be divided so. Draw the plan instead."
        )
    return pieces[0]


def _divide(part: _Part, *, is_hall: bool) -> tuple[list[Polygon], list[Polygon]]:
    """Rooms of a part and what leads to them; the second way of doing it where the first is not possible."""
    if part.rooms == 1 and is_hall:
        return [part.outline], []  # one room is the whole of it
    ways = [_divide_hall] if is_hall or _is_at_end(part) else [_divide_landing, _divide_hall]
    problem: PlanProblemError | None = None
    for way in ways:
        try:
            rooms, landings = way(part)
            _check_plan(part, rooms, landings)
        except PlanProblemError as error:
            problem = error
        else:
            return rooms, landings
    raise problem or PlanProblemError("shape", "This shape cannot be divided. Draw the plan instead.")


def _is_at_end(part: _Part) -> bool:
    """The door is in a gable: nothing lies at its sides."""
    left, _, right, _ = part.outline.bounds
    return min(part.door.x - left, right - part.door.x) < _FREE_M + 0.2


def _divide_landing(part: _Part) -> tuple[list[Polygon], list[Polygon]]:
    """A landing along the wall of the door, homes side by side behind and beside it."""
    left, _, right, _ = part.outline.bounds
    cuts = _find_cuts(part.outline, part.rooms)
    around = [
        part.door.x - _BESIDE_M,
        part.door.x + _BESIDE_M,
        *(c - _BESIDE_M for c in cuts),
        *(c + _BESIDE_M for c in cuts),
    ]
    low, high = max(left + _FREE_M, min(around)), min(right - _FREE_M, max(around))
    ring = part.outline.exterior
    inside = ring.intersection(shapely.box(low, part.outline.bounds[1] - 1, high, part.outline.bounds[3] + 1))
    lines = shapely.get_parts(shapely.line_merge(inside)) if inside.geom_type == "MultiLineString" else [inside]
    curve = min(lines, key=lambda line: line.distance(part.door))
    depth = min(_LANDING_DEPTH_M, _LANDING_SHARE * part.outline.area / max(right - left, 1e-9))
    band = curve.buffer(depth, cap_style="flat", join_style="mitre")
    pieces = _polygons(shapely.intersection(part.outline, band, grid_size=_GRID_M))
    if not pieces:
        raise PlanProblemError("shape", "There is no room for a landing behind the door. Draw the plan instead.")
    landing = min(pieces, key=lambda piece: (round(piece.distance(part.door), 2), -piece.area))
    return _fill(part.outline, landing, [(shapely.difference(part.outline, landing, grid_size=_GRID_M), cuts)])


def _divide_hall(part: _Part) -> tuple[list[Polygon], list[Polygon]]:
    """An aisle along the middle, reached from the door, rooms at both sides."""
    outline = part.outline
    left, _, right, _ = outline.bounds
    depth = outline.area / max(right - left, 1e-9)
    middle = _find_middle(outline)
    aisle: BaseGeometry = middle.buffer(min(_AISLE_M, _AISLE_SHARE * depth) / 2, cap_style="flat", join_style="mitre")
    link = LineString([part.door, middle.interpolate(middle.project(part.door))])
    if link.length > 0.1:
        aisle = aisle.union(link.buffer(_LINK_M / 2, cap_style="flat"))
    pieces = _polygons(shapely.intersection(outline, aisle, grid_size=_GRID_M))
    if not pieces:
        raise PlanProblemError("shape", "There is no room for an aisle. Draw the plan instead.")
    landing = max(pieces, key=lambda piece: piece.area)
    sides = sorted(_polygons(shapely.difference(outline, landing, grid_size=_GRID_M)), key=lambda piece: -piece.area)
    chosen = [side for side in sides if side.area > _LEAST_ROOM_M2][: part.rooms]
    counts = _allot(part.rooms, [side.area for side in chosen])
    return _fill(outline, landing, [(side, _find_cuts(side, n)) for side, n in zip(chosen, counts, strict=True)])


def _find_middle(outline: Polygon) -> LineString:
    """The line half-way between front and back, over the whole length and out at both ends."""
    left, low, right, high = outline.bounds
    points = []
    for x in np.linspace(left + 0.05, right - 0.05, max(3, int((right - left) / 2) + 1)):
        cut = outline.intersection(LineString([(x, low - 1), (x, high + 1)]))
        pieces = [one for one in shapely.get_parts(cut) if one.geom_type == "LineString"]
        if pieces:
            longest = max(pieces, key=lambda one: one.length)
            points.append((float(x), float(longest.centroid.y)))
    line = LineString(points).simplify(0.4)
    first, last = line.coords[0], line.coords[-1]
    return LineString([(first[0] - 1, first[1]), *line.coords, (last[0] + 1, last[1])])


def _allot(rooms: int, areas: Sequence[float]) -> list[int]:
    """So many rooms for areas: each at least one, the rest in proportion."""
    counts = [1] * len(areas)
    for _ in range(rooms - len(areas)):
        i = max(range(len(areas)), key=lambda i: areas[i] / (counts[i] + 1))
        counts[i] += 1
    return counts


def _find_cuts(shape: BaseGeometry, count: int) -> list[float]:
    """Where upright lines cut a shape into `count` parts of the same area."""
    left, low, right, high = shape.bounds
    cuts = []
    for share in np.arange(1, count) / count:
        a, b = left, right
        for _ in range(28):  # to less than a millimetre on any building
            x = (a + b) / 2
            if shape.intersection(shapely.box(left - 1, low - 1, x, high + 1)).area < share * shape.area:
                a = x
            else:
                b = x
        cuts.append((a + b) / 2)
    return cuts


def _fill(
    outline: Polygon, landing: Polygon, sides: Sequence[tuple[BaseGeometry, Sequence[float]]]
) -> tuple[list[Polygon], list[Polygon]]:
    """Rooms out of the sides of a landing; what reaches no landing by itself joins its neighbour."""
    rooms: list[Polygon] = []
    spare: list[Polygon] = []
    for side, cuts in sides:
        for pieces in _cut_at(side, cuts):
            reaching = [piece for piece in pieces if _share_m(piece, landing) >= DOOR_M]
            if not reaching:
                raise PlanProblemError("shape", "A room would not reach its landing: this shape cannot be divided so.")
            main = max(reaching, key=lambda piece: piece.area)
            rooms.append(main)
            spare += [piece for piece in pieces if piece is not main]
    known = shapely.union_all([landing, *rooms, *spare], grid_size=_GRID_M)
    spare += _polygons(shapely.difference(outline, known, grid_size=_GRID_M))
    shapes = _give_away([*rooms, landing], spare)
    return shapes[:-1], [shapes[-1]]


def _check_plan(part: _Part, rooms: Sequence[Polygon], landings: Sequence[Polygon]) -> None:
    area = sum(shape.area for shape in (*rooms, *landings))
    if len(rooms) != part.rooms or abs(area - part.outline.area) > max(0.01, _AREA_TOLERANCE * part.outline.area):
        raise PlanProblemError("shape", "Rooms and landing do not make up the storey: this shape cannot be divided so.")
    ways = MultiPolygon(list(landings))
    if any(shape.area < _LEAST_ROOM_M2 or _share_m(shape, ways) < DOOR_M for shape in rooms):
        raise PlanProblemError(
            "landing", f"{part.rooms} rooms do not fit at one landing of this storey. Give fewer, or draw the plan.",
            n=part.rooms,
        )  # fmt: skip
