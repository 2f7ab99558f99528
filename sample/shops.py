"""Shops along the streets: rows of one or two storeys with their backs to the houses (门面房)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from sample.plans import Door, Plan, front_shops
from sample.streets import Skeleton, Street, beside
from sample.zones import Block


@dataclass(frozen=True)
class ShopStreet:
    """A stretch of a street with shops; side 1 is left of the line's direction, -1 right; shares of its length."""

    street: str
    side: int
    start: float
    stop: float
    floors: tuple[int, ...] = (1, 2, 2)


SHOP_STREETS = (
    ShopStreet("west", 1, 0.05, 0.44),
    ShopStreet("west", 1, 0.50, 0.80),
    ShopStreet("north", -1, 0.02, 0.24),
    ShopStreet("ring_north", 1, 0.05, 0.97),
    ShopStreet("ring_north", -1, 0.30, 0.50, (1,)),
    ShopStreet("ring_west", 1, 0.20, 0.52, (2, 1)),
    ShopStreet("ring_east", 1, 0.04, 0.42),
    ShopStreet("ring_south", 1, 0.62, 0.80, (1, 2)),
)
DEPTH_M = 8.5
SHOP_WIDTH_M = 4.8


def build_shops(
    skeleton: Skeleton, blocks: dict[int, Block], taken: BaseGeometry, rng: np.random.Generator
) -> list[Plan]:
    """Rows of shops with their fronts at the pavement; they keep 2 m from what is `taken`."""
    plans: list[Plan] = []
    used: BaseGeometry = taken.buffer(2)
    shapely.prepare(used)
    built: list[BaseGeometry] = []
    for stretch in SHOP_STREETS:
        street = skeleton.street(stretch.street)
        front = beside(street.line, stretch.side * (street.half_m + 0.6))
        at, stop = stretch.start * front.length, stretch.stop * front.length
        while at < stop - 12:
            length = float(rng.uniform(19, 36))
            plan = _row(street, front, at, min(length, stop - at), stretch, blocks, rng)
            if plan is None or any(other.intersects(plan.footprint) for other in (used, *built)):
                at += 4.0
                continue
            plans.append(plan)
            built.append(plan.footprint.buffer(0.4))
            at += length + float(rng.choice([0.8, 0.8, 1.2, 5.0]))
    return plans


def _row(
    street: Street,
    front: LineString,
    at: float,
    length: float,
    stretch: ShopStreet,
    blocks: dict[int, Block],
    rng: np.random.Generator,
) -> Plan | None:
    """A row from `at` metres along `front`; its own south is the street. None where it leaves its block's yard."""
    start, end = (np.array(front.interpolate(d).coords[0]) for d in (at, at + length))
    # With the street to the south the house lies left of its own x: swap the ends for the right-hand side.
    if stretch.side == -1:
        start, end = end, start
    along = end - start
    width = round(float(np.hypot(*along)), 2)
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    outline: Polygon = shapely.box(0, 0, width, DEPTH_M)
    floors = int(rng.choice(stretch.floors))
    rooms = front_shops(outline, SHOP_WIDTH_M + float(rng.uniform(-0.6, 0.8)))
    middle = shapely.Point(width / 2, 0)
    plan = Plan(
        0, "", "commercial", outline, angle, floors, 3.4, 1993 + int(rng.integers(0, 12)), "flat", "砖混",
        (Door((width / 2, 0.0), None, 180.0),), rooms, rooms, None, (float(start[0]), float(start[1])),
        street=street.name,
    )  # fmt: skip
    block = next((b for b in blocks.values() if b.yard.buffer(0.3).covers(plan.footprint)), None)
    if block is None:
        return None
    centre_line = street.line.interpolate(street.line.project(plan.place(middle)))
    back = shapely.Point(plan.origin)
    turn = np.radians(-angle)
    dx, dy = centre_line.x - back.x, centre_line.y - back.y
    foot = (float(dx * np.cos(turn) - dy * np.sin(turn)), float(dx * np.sin(turn) + dy * np.cos(turn)))
    door = Door((width / 2, 0.0), foot, 180.0)
    return plan.moved(block=block.number, zone=block.style.zone, doors=(door,))
