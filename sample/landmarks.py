"""Parcels with a purpose of their own: school, market, park, police office and the rest. Drawn by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import rotate, translate

from sample.open_ground import open_ground
from sample.parcels import Landmarks, at_scale, from_centre, rectangle
from sample.plans import Door, Plan, Room, strip
from sample.zones import largest


def _house(
    centre: tuple[float, float],
    size: tuple[float, float],
    angle_deg: float,
    *,
    block: int,
    zone: str,
    use: str,
    floors: int,
    name: str,
    year: int,
    storey_m: float = 3.6,
    door_side: str = "s",
    rooms: int = 0,
    roof: str = "flat",
    outline: Polygon | None = None,
    tags: tuple[str, ...] = (),
) -> Plan:
    width, depth = size
    shape = outline or shapely.box(-width / 2, -depth / 2, width / 2, depth / 2)
    half = depth / 2
    door = Door((0.0, -half), (0.0, -half - 4), 180.0) if door_side == "s" else Door((0.0, half), (0.0, half + 4), 0.0)
    cuts = np.linspace(-width / 2, width / 2, max(rooms, 1) + 1)
    kind = {"market": "shop", "hotel": "other", "warehouse": "storage"}.get(use, "office")
    cells = tuple(Room(strip(shape, a, b), 0, kind) for a, b in itertools.pairwise(cuts))
    return Plan(
        block, zone, use, shape, angle_deg, floors, storey_m, year, roof, "框架", (door,), cells, None, name, centre,
        tags=tags,
    )  # fmt: skip


def build_landmarks(factor: float) -> Landmarks:
    """All parcels; `factor` is the scale of the skeleton."""
    marks = Landmarks()
    _school(marks, factor)
    _kindergarten(marks, factor)
    _middle(marks, factor)
    _market(marks, factor)
    _single_houses(marks, factor)
    _towers(marks, factor)
    open_ground(marks, factor)
    return marks


def _school(marks: Landmarks, factor: float) -> None:
    centre, angle = at_scale(-147, 300, factor), 3.5
    marks.parcels.append(rectangle(centre, 168, 132, angle))
    common: dict[str, Any] = {"block": 2, "zone": "北区", "use": "school", "year": 1998}
    marks.plans += [
        _house(
            from_centre(centre, angle, -36, -14), (64, 13), angle, floors=5, name="万户小学教学楼", rooms=6, **common
        ),
        _house(
            from_centre(centre, angle, -36, 20), (64, 13), angle, floors=4, name="万户小学综合楼", rooms=6, **common
        ),
        _house(from_centre(centre, angle, -46, 49), (38, 15), angle, floors=2, name="万户小学食堂", rooms=2, **common),
    ]
    track = rotate(LineString([(-20, 0), (20, 0)]).buffer(27), angle + 90, origin=(0, 0))
    marks.surfaces.append(("pitch", "万户小学操场", translate(track, *from_centre(centre, angle, 44, 4))))
    marks.surfaces.append(("square", None, rectangle(from_centre(centre, angle, -36, 3), 60, 14, angle)))
    ring = rectangle(centre, 160, 124, angle).exterior
    marks.fences.append((ring, "万户小学"))
    spine = [from_centre(centre, angle, 0, -92), from_centre(centre, angle, 0, 34)]
    marks.ways.append(("service", None, 4.5, LineString(spine)))
    for dx, dy in ((-36, -24.5), (-36, 9.5)):
        marks.ways.append(
            ("footpath", None, 3.0, LineString([from_centre(centre, angle, dx, dy), from_centre(centre, angle, 0, dy)]))
        )
    marks.ways.append(
        ("footpath", None, 3.0, LineString([from_centre(centre, angle, -46, 34), from_centre(centre, angle, 0, 34)]))
    )


def _kindergarten(marks: Landmarks, factor: float) -> None:
    centre, angle = at_scale(-190, 50, factor), 5.0
    marks.parcels.append(rectangle(centre, 78, 66, angle))
    shape = largest(shapely.union_all([shapely.box(-26, -6, 26, 6), shapely.box(-26, -20, -14, -6)]))
    marks.plans.append(
        _house(
            from_centre(centre, angle, 0, 16), (52, 12), angle, block=7, zone="西区", use="kindergarten", floors=3,
            name="万户幼儿园", year=2004, rooms=4, outline=shape,
        )
    )  # fmt: skip
    marks.surfaces.append(("pitch", "万户幼儿园活动场", rectangle(from_centre(centre, angle, 13, -12), 36, 24, angle)))
    marks.fences.append((rectangle(centre, 68, 58, angle).exterior, "万户幼儿园"))
    corners = [from_centre(centre, angle, x, y) for x, y in ((0, 6), (30, 6), (30, 29), (30, 52))]
    marks.ways.append(("footpath", None, 3.5, LineString(corners)))


def _middle(marks: Landmarks, factor: float) -> None:
    centre, angle = at_scale(-62, -88, factor), -2.0
    marks.parcels.append(rectangle(centre, 86, 84, angle))
    marks.plans += [
        _house(
            from_centre(centre, angle, -8, 28), (46, 15), angle, block=6, zone="中区", use="police", floors=4,
            name="万户新村警务室", year=2015, rooms=5,
        ),
        _house(
            from_centre(centre, angle, 32, -8), (15, 40), angle, block=6, zone="中区", use="public", floors=3,
            name="万户新村党群服务中心", year=2012, rooms=2,
        ),
    ]  # fmt: skip
    marks.surfaces.append(("square", "警民广场", rectangle(from_centre(centre, angle, -12, -10), 62, 48, angle)))
    marks.ways += [
        (
            "footpath",
            None,
            5.0,
            LineString([from_centre(centre, angle, -8, 16.5), from_centre(centre, angle, -8, -60)]),
        ),
        ("footpath", None, 3.0, LineString([from_centre(centre, angle, -8, -32), from_centre(centre, angle, 32, -32)])),
    ]


def _market(marks: Landmarks, factor: float) -> None:
    centre, angle = at_scale(-52, -188, factor), -3.0
    marks.parcels.append(rectangle(centre, 76, 60, angle))
    marks.plans.append(
        _house(
            from_centre(centre, angle, 0, -4), (60, 34), angle, block=9, zone="南区", use="market", floors=2,
            name="万户菜市场", year=2006, rooms=12, storey_m=4.5, door_side="n",
        )
    )  # fmt: skip
    marks.surfaces.append(("square", None, rectangle(from_centre(centre, angle, 0, 21), 58, 12, angle)))
    marks.ways.append(
        ("footpath", None, 5.0, LineString([from_centre(centre, angle, 0, 17), from_centre(centre, angle, 0, 60)]))
    )


def _single_houses(marks: Landmarks, factor: float) -> None:
    houses = [
        _house(at_scale(42, -232, factor), (32, 13), -2.5, block=9, zone="南区", use="public", floors=2, year=2008,
               name="老年活动中心", rooms=2),
        _house(at_scale(-20, 318, factor), (30, 13), 4.0, block=3, zone="北区", use="public", floors=3, year=2010,
               name="社区文化站", rooms=2),
        _house(at_scale(-384, -300, factor), (15, 38), 6.0, block=8, zone="西区", use="clinic", floors=3, year=2001,
               name="万户社区卫生服务站", rooms=2, tags=("west",)),
        _house(at_scale(122, 375, factor), (40, 16), 4.0, block=3, zone="北区", use="hotel", floors=7, year=2005,
               name="新村宾馆", storey_m=3.3, rooms=8, door_side="n"),
        _house(at_scale(352, -388, factor), (52, 22), -4.5, block=11, zone="南区", use="warehouse", floors=1, year=1999,
               name="滨河仓库", storey_m=7.0, rooms=3, door_side="n"),
        _house(at_scale(334, -424, factor), (34, 14), -4.0, block=11, zone="南区", use="warehouse", floors=2, year=1999,
               name="滨河仓库二号库", storey_m=4.2, rooms=2, door_side="n"),
    ]  # fmt: skip
    marks.plans += houses
    marks.parcels += [house.place(house.outline).buffer(8, join_style="mitre") for house in houses]


def _towers(marks: Landmarks, factor: float) -> None:
    """Three point blocks by the canal: a cross of 27 by 24 m, four dwellings a floor, one lobby."""
    shape = largest(shapely.union_all([shapely.box(-13.5, -8, 13.5, 8), shapely.box(-8, -12, 8, 12)]))
    quarters = (
        shapely.box(-20, -20, 0, 0), shapely.box(0, -20, 20, 0), shapely.box(0, 0, 20, 20), shapely.box(-20, 0, 0, 20),
    )  # fmt: skip
    rooms = tuple(Room(largest(shape.intersection(quarter)), 0) for quarter in quarters)
    for (x, y), floors in zip(((366, 372), (352, 290), (330, 205)), (18, 24, 26), strict=True):
        centre = at_scale(x, y, factor)
        marks.plans.append(
            Plan(
                4, "东区", "residential", shape, -3.0, floors, 2.9, 2012, "flat", "剪力墙",
                (Door((0.0, 12.0), (0.0, 17.0), 0.0),), rooms, None, None, centre, floors_below=1, tags=("tower",),
            )
        )  # fmt: skip
        marks.parcels.append(rectangle(centre, 52, 48, -3.0))
        marks.surfaces.append(("square", None, rectangle(from_centre(centre, -3.0, 0, 18), 20, 8, -3.0)))
