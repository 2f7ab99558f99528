"""What lies on the ground: walls and gates, green, water, squares, parking, sheds and trees. Local metres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import numpy as np
import shapely
from shapely import LineString, Point, STRtree
from shapely.geometry.base import BaseGeometry

from sample.layout import Layout, RawWay
from sample.streets import CANAL_WIDTH_M, EMBANKMENT_M
from sample.zones import zone_yards

TREES = 900
LEAST_APART_M = 4.5


@dataclass(frozen=True)
class Gate:
    """A gate; `hours` are closing and opening time in Shanghai."""

    name: str
    kind: str
    at: Point
    hours: tuple[time, time] | None


@dataclass(frozen=True)
class Ground:
    """Walls (kind, height in metres, line), gates, land (kind, name, polygon) and trees (point, height in metres)."""

    walls: list[tuple[str, float, LineString]]
    gates: list[Gate]
    land: list[tuple[str, str | None, BaseGeometry]]
    trees: list[tuple[Point, float]]


def build_ground(layout: Layout, ways: list[RawWay], rng: np.random.Generator) -> Ground:
    """Ground for the finished buildings and ways."""
    houses = shapely.union_all([plan.footprint for plan in layout.plans])
    roads = shapely.union_all([way.line.buffer(way.width_m / 2) for way in ways])
    walls, gates = _walls_and_gates(layout, ways, houses)
    land = _land(layout, houses, roads, ways, rng)
    return Ground(walls, gates, land, _trees(layout, houses, roads, land, rng))


def _walls_and_gates(
    layout: Layout, ways: list[RawWay], houses: BaseGeometry
) -> tuple[list[tuple[str, float, LineString]], list[Gate]]:
    """A wall around each zone, open at squares, interrupted by shops, with a gate wherever a way passes."""
    shops = shapely.union_all([p.footprint for p in layout.plans if p.use in ("commercial", "mixed")])
    squares = [area for kind, _, area in layout.marks.surfaces if kind in ("square", "green")]
    open_places = shapely.union_all([shops.buffer(6), houses.buffer(0.8), *[area.buffer(9) for area in squares]])
    yards = zone_yards(layout.blocks, layout.skeleton)
    rings: list[tuple[str, BaseGeometry, float, str]] = [
        ("wall", yard.buffer(-0.7).exterior, 2.2, zone) for zone, yard in yards.items()
    ]
    rings += [("fence", ring, 1.8, name) for ring, name in layout.marks.fences]
    tree = STRtree([way.line for way in ways])
    walls, gates = [], []
    for kind, ring, height, zone in rings:
        line: BaseGeometry = ring.difference(open_places) if kind == "wall" else ring
        numbers: dict[str, int] = {}
        for index in sorted(tree.query(line, predicate="intersects").tolist()):
            way = ways[index]
            for at in shapely.get_parts(line.intersection(way.line)):
                if at.geom_type == "Point":
                    gates.append(_gate(zone, kind, way, at, ring, numbers))
            opening = way.line.buffer(way.width_m / 2 + 0.6)
            line = line.difference(opening)
        walls += [
            (kind, height, part.simplify(0.1))
            for part in shapely.get_parts(shapely.line_merge(line))
            if part.geom_type == "LineString" and part.length > 4
        ]
    return walls, gates


def _gate(zone: str, kind: str, way: RawWay, at: Point, ring: BaseGeometry, numbers: dict[str, int]) -> Gate:
    vehicle = way.width_m >= 4.5
    centre = ring.envelope.centroid
    dx, dy = at.x - centre.x, at.y - centre.y
    side = ("东" if dx > 0 else "西") if abs(dx) > abs(dy) else ("北" if dy > 0 else "南")
    if kind == "fence":
        return Gate(f"{zone}{side}门", "vehicle" if vehicle else "pedestrian", at, (time(18, 30), time(6, 30)))
    label = f"{side}{'门' if vehicle else '便门'}"
    numbers[label] = numbers.get(label, 0) + 1
    name = f"{zone}{label}" + ("" if numbers[label] == 1 else f"{numbers[label]}号")
    # Every zone keeps its first vehicle gate open all night; footpaths' doors are locked, as the property firm does.
    closes = not vehicle or numbers[label] > 1
    return Gate(name, "vehicle" if vehicle else "pedestrian", at, (time(22, 0), time(6, 0)) if closes else None)


def _land(
    layout: Layout, houses: BaseGeometry, roads: BaseGeometry, ways: list[RawWay], rng: np.random.Generator
) -> list[tuple[str, str | None, BaseGeometry]]:
    """Surfaces that do not overlap: water, pitches, squares, parking, and green on what is left between the rows."""
    skeleton = layout.skeleton
    land: list[tuple[str, str | None, BaseGeometry]] = [("water", "丽人河", skeleton.water)]
    covered: BaseGeometry = shapely.union_all([skeleton.water, houses.buffer(0.3), roads])
    order = {"water": 0, "pitch": 1, "parking": 2, "square": 3, "green": 4}
    for kind, name, area in sorted(layout.marks.surfaces, key=lambda s: order[s[0]]):
        free = area if kind == "water" else area.difference(covered)
        land += [(kind, name, part) for part in _solid(free, 6)]
        covered = covered.union(area)
    bays = _parking(ways, covered, rng)
    land += [("parking", None, bay) for bay in bays]
    covered = shapely.union_all([covered, *[bay.buffer(0.3) for bay in bays]])
    bank = skeleton.canal.buffer(CANAL_WIDTH_M / 2 + EMBANKMENT_M).intersection(skeleton.boundary)
    land += [("green", "丽人河风光带", part) for part in _solid(bank.difference(covered), 20)]
    aprons = covered.union(houses.buffer(1.8)).union(roads.buffer(0.7))
    for block in layout.blocks.values():
        # Opened by 1.2 m: no green slivers between a path and a wall.
        free = block.yard.buffer(-1.5).difference(aprons).buffer(-1.6).buffer(1.2).simplify(0.25)
        land += [("green", None, part) for part in _solid(free, 40)]
    return land


def _solid(geometry: BaseGeometry, least_m2: float) -> list[BaseGeometry]:
    return [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area >= least_m2]


def _parking(ways: list[RawWay], covered: BaseGeometry, rng: np.random.Generator) -> list[BaseGeometry]:
    """Bays of 2.5 x 5 m in groups, along the lanes and on the far side of the paths behind the rows."""
    groups: list[BaseGeometry] = []
    tree = STRtree(shapely.get_parts(covered.buffer(0.05)))
    for way in ways:
        if way.kind != "service" or way.line.length < 30 or rng.random() < 0.35:
            continue
        count = int(rng.integers(4, 9))
        start = float(rng.uniform(4, max(5.0, way.line.length - count * 2.5 - 4)))
        first, last = (way.line.interpolate(start + d) for d in (0, count * 2.5))
        along = np.array([last.x - first.x, last.y - first.y])
        length = float(np.hypot(*along))
        if length < count * 2.5 - 0.1:
            continue
        along /= length
        if along[0] < 0:
            first, along = last, -along
        side = np.array([-along[1], along[0]])
        base = np.array([first.x, first.y]) + side * (way.width_m / 2 + 0.1)
        corners = [base, base + along * length, base + along * length + side * 5, base + side * 5]
        bay = shapely.Polygon(np.round(corners, 2))
        if len(tree.query(bay, predicate="intersects")) == 0:
            groups.append(bay)
    return groups


def _trees(
    layout: Layout,
    houses: BaseGeometry,
    roads: BaseGeometry,
    land: list[tuple[str, str | None, BaseGeometry]],
    rng: np.random.Generator,
) -> list[tuple[Point, float]]:
    """Rows of trees along streets and canal, loose ones in the green; never in a wall, on a road or in water."""
    streets = []
    for street in layout.skeleton.streets:
        if street.kind == "inner":
            continue
        apart_m = 18.0 if street.kind == "main" else 24.0
        for side in (1, -1):
            kerb = street.line.offset_curve(side * (street.width_m / 2 + 1.3))
            streets += [kerb.interpolate(d) for d in np.arange(6.0, kerb.length - 6, apart_m)]
    bank = layout.skeleton.canal.offset_curve(-(CANAL_WIDTH_M / 2 + 4.5))
    streets += [bank.interpolate(d + float(rng.uniform(-2, 2))) for d in np.arange(8.0, bank.length - 8, 13.0)]
    no_trees = [area for kind, _, area in land if kind in ("water", "pitch", "parking")]
    edge = layout.skeleton.boundary.exterior.buffer(1.0)
    hard = shapely.union_all([houses.buffer(1.6), roads.buffer(0.4), edge, *no_trees])
    shapely.prepare(hard)
    kept = [p for p in streets if layout.skeleton.boundary.contains(p) and not hard.intersects(p)]
    greens = [area.buffer(-0.8) for kind, _, area in land if kind == "green"]
    shares = np.array([area.area for area in greens])
    shares /= shares.sum()
    shapely.prepare(greens)
    xy = shapely.get_coordinates(kept)
    while len(xy) < TREES:
        area = greens[int(rng.choice(len(greens), p=shares))]
        left, low, right, high = area.bounds
        point = Point(float(rng.uniform(left, right)), float(rng.uniform(low, high)))
        near = (np.abs(xy - [point.x, point.y]) < LEAST_APART_M).all(axis=1).any()
        if not near and area.contains(point) and not hard.intersects(point):
            xy = np.vstack([xy, [point.x, point.y]])
    heights = np.round(rng.normal(7.5, 1.8, len(xy)).clip(3.5, 13.0), 1)
    return list(zip([Point(at) for at in np.round(xy, 2)], heights.tolist(), strict=True))
