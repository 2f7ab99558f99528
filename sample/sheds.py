"""E-bike sheds: long low roofs along the inner side of the walls, where nothing else stands."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import LineString, Polygon, STRtree

from sample.plans import Door, Plan
from sample.zones import Block

DEPTH_M = 3.8
PER_BLOCK = 3
APART_M = 55.0
DOOR_TO_WAY_M = 10.0


def build_sheds(
    blocks: dict[int, Block], plans: list[Plan], ways: list[tuple[LineString, float]], rng: np.random.Generator
) -> list[Plan]:
    """Up to three sheds a block, numbered within their zone; `ways` are lines and widths, metres."""
    taken = STRtree(
        [plan.footprint.buffer(2.5) for plan in plans] + [line.buffer(width / 2 + 0.8) for line, width in ways]
    )
    near = STRtree([line for line, _ in ways])
    sheds: list[Plan] = []
    numbers: dict[str, int] = {}
    for block in blocks.values():
        edge = block.yard.buffer(-2.2).exterior
        centres: list[shapely.Point] = []
        for at in np.arange(float(rng.uniform(0, 20)), edge.length - 20, 7.0):
            length = round(float(rng.uniform(11, 18)), 1)
            shed = _shed(block, edge, float(at), length)
            centre = shed.footprint.centroid
            if len(centres) == PER_BLOCK or any(centre.distance(other) < APART_M for other in centres):
                continue
            if len(taken.query(shed.footprint, predicate="intersects")) or not block.yard.covers(shed.footprint):
                continue
            door = shed.place(shapely.Point(shed.doors[0].at))
            if len(near.query(door, predicate="dwithin", distance=DOOR_TO_WAY_M)) == 0:
                continue
            numbers[block.style.zone] = numbers.get(block.style.zone, 0) + 1
            centres.append(centre)
            sheds.append(shed.moved(name=f"{numbers[block.style.zone]}号车棚"))
    return sheds


def _shed(block: Block, edge: shapely.LinearRing, at: float, length: float) -> Plan:
    """A shed whose back is at `edge`, from `at` metres on; its door opens to the inside."""
    ends = [np.array(edge.interpolate(d).coords[0]) for d in (at, at + length)]
    # The inside of a ring that runs counterclockwise lies to its left: make that the shed's north.
    start, end = ends if edge.is_ccw else ends[::-1]
    along = end - start
    width = float(np.hypot(*along))
    outline: Polygon = shapely.box(0, 0, width, DEPTH_M)
    return Plan(
        block.number, block.style.zone, "shed", outline, float(np.degrees(np.arctan2(along[1], along[0]))), 1, 2.6,
        2016, "flat", "钢", (Door((width / 2, DEPTH_M), (width / 2, DEPTH_M + 1.5), 0.0),),
        origin=(float(start[0]), float(start[1])),
    )  # fmt: skip
