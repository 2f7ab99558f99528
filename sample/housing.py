"""Rows of houses: lanes through a block, rows that face south, a path behind each row, stairs on the north side."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from sample.plans import Door, Plan, stair_rooms, turned
from sample.zones import Block, BlockStyle, largest

LANE_M = 5.0
PATH_M = 3.2
PATH_FROM_WALL_M = 3.8
GABLE_TO_LANE_M = 3.4
STOREY_M = 2.8
SPACING = (1.12, 1.34)
"""Distance to the next row to the south as a multiple of the height, as it was built in this climate."""


@dataclass
class Housing:
    """Houses and ways of one block, local metres of the community; a way is (kind, width in metres, line)."""

    plans: list[Plan] = field(default_factory=list)
    ways: list[tuple[str, float, LineString]] = field(default_factory=list)


@dataclass(frozen=True)
class Lane:
    """A north-south lane; x in the block's turned frame."""

    x: float
    line: LineString
    open_ends: str


def build_lanes(block: Block, parcels: BaseGeometry) -> list[Lane]:
    """The block's lanes in its turned frame; a closed end stops short of the wall."""
    angle = block.style.angle_deg
    outline, yard = turned(block.outline, -angle), turned(block.yard, -angle)
    obstacles = turned(parcels, -angle)
    left, low, right, high = yard.bounds
    lanes = []
    for share, ends in block.style.lanes:
        x = round(left + share * (right - left), 3)
        line = LineString([(x, low - 60), (x, high + 60)])
        whole = _longest(line.intersection(outline))
        inside = _longest(line.intersection(yard.buffer(-4)))
        south = whole.bounds[1] if ends in ("s", "b") else inside.bounds[1]
        north = whole.bounds[3] if ends in ("n", "b") else inside.bounds[3]
        kept = LineString([(x, south), (x, north)]).difference(obstacles.buffer(2))
        lanes.append(Lane(x, _longest(kept), ends))
    return lanes


def build_housing(
    block: Block, lanes: list[Lane], taken: BaseGeometry, gardens: BaseGeometry, rng: np.random.Generator
) -> Housing:
    """Fill the block's yard, without what is `taken`, with rows between its lanes."""
    style = block.style
    area = turned(block.yard.buffer(-2.5).difference(taken), -style.angle_deg)
    shapely.prepare(area)
    housing = Housing()
    for lane in lanes:
        line = turned(lane.line, style.angle_deg)
        housing.ways += [("inner", LANE_M, part) for part in shapely.get_parts(line.difference(gardens))]
        housing.ways += [("footpath", 3.0, part) for part in shapely.get_parts(line.intersection(gardens))]
    left, low, right, high = area.bounds
    xs = [left, *(lane.x for lane in lanes), right]
    for column, (a, b) in enumerate(itertools.pairwise(xs)):
        west = lanes[column - 1] if column else None
        east = lanes[column] if column < len(lanes) else None
        span = (a + (LANE_M / 2 + GABLE_TO_LANE_M if west else 0), b - (LANE_M / 2 + GABLE_TO_LANE_M if east else 0))
        _fill_column(housing, style, area, span, (low, high), (west, east), rng)
    return housing


def _fill_column(
    housing: Housing,
    style: BlockStyle,
    area: BaseGeometry,
    span: tuple[float, float],
    heights: tuple[float, float],
    lanes: tuple[Lane | None, Lane | None],
    rng: np.random.Generator,
) -> None:
    y = heights[0] + float(rng.uniform(0, 4))
    while y < heights[1]:
        floors = int(rng.choice(style.floors))
        depth = round(float(rng.uniform(11.2, 12.8)) + (1.2 if floors > 6 else 0), 1)
        needed = shapely.box(span[0], y - 1.9, span[1], y + depth + PATH_FROM_WALL_M + PATH_M / 2 + 0.4)
        houses: list[Plan] = []
        for left, right in free_intervals(area, needed):
            houses += _fill_interval(style, area, (left, right), y, depth, floors, rng)
        if not houses:
            y += 3.0
            continue
        housing.plans += houses
        path = _path(houses, y + depth + PATH_FROM_WALL_M, area, lanes)
        housing.ways.append(("service", PATH_M, turned(path, style.angle_deg)))
        tallest = max(house.height_m for house in houses)
        y += depth + max(tallest * float(rng.uniform(*SPACING)), 15.5)


def free_intervals(area: BaseGeometry, needed: Polygon) -> list[tuple[float, float]]:
    """Stretches of x in which the whole strip `needed` lies inside `area`."""
    left, _, right, _ = needed.bounds
    blocked = sorted(part.bounds[::2] for part in shapely.get_parts(needed.difference(area)) if part.area > 0.01)
    free, at = [], left
    for start, stop in blocked:
        if start > at:
            free.append((at, start))
        at = max(at, stop)
    if right > at:
        free.append((at, right))
    return free


def _fill_interval(
    style: BlockStyle,
    area: BaseGeometry,
    interval: tuple[float, float],
    y: float,
    depth: float,
    floors: int,
    rng: np.random.Generator,
) -> list[Plan]:
    """Houses side by side from west to east; lengths follow from stairs of 12 to 20 m."""
    houses = []
    at, end = interval[0] + float(rng.uniform(0, 2)), interval[1]
    while end - at >= 34:
        choice = _choose_stairs(end - at, rng)
        if choice is None:
            break
        widths, per_stair = choice
        offset = float(rng.choice([0.0, 0.0, -0.6, -1.2]))
        outline = _outline(at, y + offset, widths, depth, area, rng)
        houses.append(_walk_up(style, outline, at, y, depth, offset, floors, widths, per_stair, rng))
        at += sum(widths) + float(rng.uniform(6.5, 10.5))
    return houses


def _choose_stairs(room: float, rng: np.random.Generator) -> tuple[list[float], list[int]] | None:
    """Stair widths, metres, and dwellings per stair that fit into `room`; never a rest too short for a house."""
    options = []
    for stairs in (2, 3, 4, 5):
        for count, low, high in ((2, 14.4, 17.4), (3, 19.0, 22.0)):
            if (stairs > 2 and count == 3) or stairs * low < 34:
                continue
            widest = min(high, room / stairs, 74 / stairs)
            if widest < low:
                continue
            rest = room - stairs * widest - 8
            if 6 < rest < 34 and stairs < 5:
                continue
            options.append((stairs, count, low, widest))
    if not options:
        return None
    stairs, count, low, widest = options[int(rng.integers(len(options)))]
    width = round(float(rng.uniform(max(low, widest - 1.2), widest)), 2)
    return [width] * stairs, [count] * stairs


def _outline(
    x: float, y: float, widths: list[float], depth: float, area: BaseGeometry, rng: np.random.Generator
) -> Polygon:
    """A bar, a bar with a short wing to the south, or one whose eastern half stands forward; a bar if no room."""
    length = sum(widths)
    plain = shapely.box(0, 0, length, depth)
    parts = [plain]
    kind = rng.random()
    if kind < 0.18 and length > 38:
        wing = 7.0 if rng.random() < 0.5 else length - 7.0
        parts = [plain, shapely.box(wing - 7.0, -5.5, wing + 7.0, 0)]
    elif kind < 0.42:
        middle = sum(widths[: len(widths) // 2])
        parts = [shapely.box(0, 0, middle, depth), shapely.box(middle, -1.8, length, depth)]
    outline = largest(shapely.union_all(parts))
    return outline if area.covers(translate(outline, x, y)) else plain


def _walk_up(
    style: BlockStyle,
    outline: Polygon,
    x: float,
    y: float,
    depth: float,
    offset: float,
    floors: int,
    widths: list[float],
    per_stair: list[int],
    rng: np.random.Generator,
) -> Plan:
    edges = [0.0, *np.cumsum(widths).tolist()]
    doors = tuple(
        Door(((a + b) / 2, depth), ((a + b) / 2, depth - offset + PATH_FROM_WALL_M))
        for a, b in itertools.pairwise(edges)
    )
    origin = turned(shapely.Point(x, y + offset), style.angle_deg)
    tall = floors > 6
    return Plan(
        style.number, style.zone, "residential", outline, style.angle_deg, floors, 2.9 if tall else STOREY_M,
        style.year + int(rng.integers(0, 4)), "flat" if tall else style.roof, "框架" if tall else "砖混",
        doors, stair_rooms(outline, edges, per_stair), None, None, (origin.x, origin.y), tags=("slab",) if tall else (),
    )  # fmt: skip


def _path(houses: list[Plan], y: float, area: BaseGeometry, lanes: tuple[Lane | None, Lane | None]) -> LineString:
    """The path behind a row, made longer to the lanes beside it where nothing is in the way."""
    starts, ends = [], []
    for house in houses:
        origin = turned(shapely.Point(house.origin), -house.angle_deg)
        starts.append(origin.x + house.doors[0].at[0])
        ends.append(origin.x + house.doors[-1].at[0])
    left, right = min(starts) - 2, max(ends) + 2
    for lane, side in zip(lanes, ("west", "east"), strict=True):
        if lane is None or not lane.line.bounds[1] <= y <= lane.line.bounds[3]:
            continue
        reach = LineString([(left if side == "west" else right, y), (lane.x, y)])
        beside = reach.difference(shapely.box(lane.x - 8, y - 9, lane.x + 8, y + 9))
        if beside.is_empty or area.buffer(0.5).covers(beside):
            left, right = (lane.x, right) if side == "west" else (left, lane.x)
    return LineString([(left, y), (right, y)])


def _longest(geometry: BaseGeometry) -> LineString:
    lines = [part for part in shapely.get_parts(geometry) if part.geom_type == "LineString"]
    return max(lines, key=lambda line: line.length) if lines else LineString()
