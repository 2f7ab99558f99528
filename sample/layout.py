"""Everything that is built, in order: what was placed first is not built over by what comes later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from sample.housing import LANE_M, build_housing, build_lanes
from sample.landmarks import build_landmarks
from sample.parcels import Landmarks
from sample.place import subject_rng
from sample.plans import Plan, door_line, front_shops, to_centimetres
from sample.sheds import build_sheds
from sample.shops import build_shops
from sample.streets import Skeleton, build_skeleton
from sample.zones import Block, build_blocks, build_grids


@dataclass(frozen=True)
class RawWay:
    """A way before noding: kind, name, width in metres, line."""

    kind: str
    name: str | None
    width_m: float
    line: LineString


@dataclass(frozen=True)
class Layout:
    """Streets, grids, blocks, parcels, buildings and ways, local metres."""

    skeleton: Skeleton
    grids: dict[int, shapely.Polygon]
    blocks: dict[int, Block]
    marks: Landmarks
    plans: tuple[Plan, ...]
    ways: tuple[RawWay, ...]

    @property
    def doors(self) -> list[shapely.Point]:
        """Every door, local metres."""
        return [to_centimetres(plan.place(shapely.Point(door.at))) for plan in self.plans for door in plan.doors]


def build_layout(seed: int) -> Layout:
    """Lay the community out; only lengths, storeys and gaps depend on the seed, not the streets and parcels."""
    rng = subject_rng(seed, "layout")
    skeleton = build_skeleton()
    blocks = build_blocks(skeleton)
    marks = build_landmarks(skeleton.scale)
    parcels, gardens = shapely.union_all(marks.parcels), shapely.union_all(marks.gardens)
    mark_ways = shapely.union_all([line.buffer(width / 2 + 1.5) for _, _, width, line in marks.ways])
    lanes = {number: build_lanes(block, parcels) for number, block in blocks.items()}
    lane_space = [
        shapely.affinity.rotate(lane.line, blocks[number].style.angle_deg, origin=(0, 0)).buffer(LANE_M / 2 + 1.5)
        for number, own in lanes.items()
        for lane in own
    ]
    shops = build_shops(skeleton, blocks, shapely.union_all([parcels, gardens, mark_ways, *lane_space]), rng)
    behind_shops = [shop.footprint.buffer(5) for shop in shops]
    taken = shapely.union_all([parcels.buffer(3), gardens.buffer(1), mark_ways, *behind_shops])
    plans = [*marks.plans, *shops]
    ways = [RawWay(s.kind, s.name, s.width_m, s.line) for s in skeleton.streets]
    ways.append(RawWay("footpath", "滨河步道", 2.4, skeleton.promenade))
    ways += [RawWay(*way) for way in marks.ways]
    for number, block in blocks.items():
        housing = build_housing(block, lanes[number], taken, gardens, rng)
        plans += [_mixed(plan, skeleton, shops, rng) for plan in housing.plans]
        ways += [RawWay(kind, None, width, line) for kind, width, line in housing.ways]
    plans += build_sheds(blocks, plans, [(way.line, way.width_m) for way in ways], rng)
    ways += [
        RawWay("footpath", None, 1.6, line) for plan in plans for door in plan.doors if (line := door_line(plan, door))
    ]
    return Layout(skeleton, build_grids(skeleton), blocks, marks, tuple(plans), tuple(ways))


def _mixed(plan: Plan, skeleton: Skeleton, shops: list[Plan], rng: np.random.Generator) -> Plan:
    """Houses whose south front stands at a street get shops on the ground floor; in the others people live there."""
    left, low, right, _ = plan.outline.bounds
    view = plan.place(shapely.box(left, low - 15, right, low))
    streets: list[BaseGeometry] = [s.line for s in skeleton.streets if s.kind != "inner"]
    at_street = any(view.intersects(line.buffer(9)) for line in streets)
    if not at_street or any(view.intersects(shop.footprint) for shop in shops) or "slab" in plan.tags:
        return plan
    shops_in_front = front_shops(plan.outline, 6.4 + float(rng.uniform(0, 1)))
    return plan.moved(use="mixed", ground=shops_in_front, ground_storey_m=3.4)
