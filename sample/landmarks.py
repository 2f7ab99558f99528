"""Parcels with a purpose of their own: school, market, park, police office and the rest. Drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import LineString, Point, Polygon
from shapely.affinity import rotate, scale, translate

from sample.plans import Door, Plan, Room, strip
from sample.streets import smooth


@dataclass
class Landmarks:
    """Parcels (nothing else is built there), buildings, surfaces by kind with their names, ways and fences."""

    parcels: list[Polygon] = field(default_factory=list)
    gardens: list[Polygon] = field(default_factory=list)
    """Parcels that a lane may cross as a footpath."""
    plans: list[Plan] = field(default_factory=list)
    surfaces: list[tuple[str, str | None, Polygon]] = field(default_factory=list)
    ways: list[tuple[str, str | None, float, LineString]] = field(default_factory=list)
    fences: list[tuple[LineString, str]] = field(default_factory=list)
    """Ring and the name of what it encloses."""


def _rectangle(centre: tuple[float, float], width: float, depth: float, angle_deg: float) -> Polygon:
    box = shapely.box(-width / 2, -depth / 2, width / 2, depth / 2)
    return translate(rotate(box, angle_deg, origin=(0, 0)), *centre)


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
    cells = tuple(Room(strip(shape, a, b), 0, kind) for a, b in zip(cuts, cuts[1:], strict=False))
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
    _gardens(marks, factor)
    _yards(marks, factor)
    return marks


def _at(x: float, y: float, factor: float) -> tuple[float, float]:
    return (round(x * factor, 3), round(y * factor, 3))


def _local(centre: tuple[float, float], angle_deg: float, dx: float, dy: float) -> tuple[float, float]:
    turn = np.radians(angle_deg)
    return (
        round(centre[0] + dx * float(np.cos(turn)) - dy * float(np.sin(turn)), 3),
        round(centre[1] + dx * float(np.sin(turn)) + dy * float(np.cos(turn)), 3),
    )


def _school(marks: Landmarks, factor: float) -> None:
    centre, angle = _at(-147, 300, factor), 3.5
    marks.parcels.append(_rectangle(centre, 168, 132, angle))
    common = {"block": 2, "zone": "北区", "use": "school", "year": 1998}
    marks.plans += [
        _house(_local(centre, angle, -36, -14), (64, 13), angle, floors=5, name="万户小学教学楼", rooms=6, **common),
        _house(_local(centre, angle, -36, 20), (64, 13), angle, floors=4, name="万户小学综合楼", rooms=6, **common),
        _house(_local(centre, angle, -46, 49), (38, 15), angle, floors=2, name="万户小学食堂", rooms=2, **common),
    ]
    track = shapely.LineString([(-20, 0), (20, 0)]).buffer(27)
    field_ = scale(track, 1, 1)
    marks.surfaces.append(("pitch", "万户小学操场", translate(rotate(field_, angle + 90, origin=(0, 0)), *_local(centre, angle, 44, 4))))
    marks.surfaces.append(("square", None, _rectangle(_local(centre, angle, -36, 3), 60, 14, angle)))
    ring = _rectangle(centre, 160, 124, angle).exterior
    marks.fences.append((ring, "万户小学"))
    spine = [_local(centre, angle, 0, -92), _local(centre, angle, 0, 34)]
    marks.ways.append(("service", None, 4.5, LineString(spine)))
    for dx, dy in ((-36, -24.5), (-36, 9.5)):
        marks.ways.append(
            ("footpath", None, 3.0, LineString([_local(centre, angle, dx, dy), _local(centre, angle, 0, dy)]))
        )
    marks.ways.append(
        ("footpath", None, 3.0, LineString([_local(centre, angle, -46, 34), _local(centre, angle, 0, 34)]))
    )


def _kindergarten(marks: Landmarks, factor: float) -> None:
    centre, angle = _at(-190, 50, factor), 5.0
    marks.parcels.append(_rectangle(centre, 78, 66, angle))
    shape = shapely.union_all([shapely.box(-26, -6, 26, 6), shapely.box(-26, -20, -14, -6)])
    marks.plans.append(
        _house(
            _local(centre, angle, 0, 16), (52, 12), angle, block=7, zone="西区", use="kindergarten", floors=3,
            name="万户幼儿园", year=2004, rooms=4, outline=shape,
        )
    )  # fmt: skip
    marks.surfaces.append(("pitch", "万户幼儿园活动场", _rectangle(_local(centre, angle, 13, -12), 36, 24, angle)))
    marks.fences.append((_rectangle(centre, 68, 58, angle).exterior, "万户幼儿园"))
    marks.ways.append(
        ("footpath", None, 3.5, LineString([_local(centre, angle, 0, 6), _local(centre, angle, 30, 6), _local(centre, angle, 30, 29), _local(centre, angle, 30, 52)]))
    )


def _middle(marks: Landmarks, factor: float) -> None:
    centre, angle = _at(-62, -88, factor), -2.0
    marks.parcels.append(_rectangle(centre, 86, 84, angle))
    marks.plans += [
        _house(
            _local(centre, angle, -8, 28), (46, 15), angle, block=6, zone="中区", use="police", floors=4,
            name="万户新村警务室", year=2015, rooms=5,
        ),
        _house(
            _local(centre, angle, 32, -8), (15, 40), angle, block=6, zone="中区", use="public", floors=3,
            name="万户新村党群服务中心", year=2012, rooms=2,
        ),
    ]  # fmt: skip
    marks.surfaces.append(("square", "警民广场", _rectangle(_local(centre, angle, -12, -10), 62, 48, angle)))
    marks.ways += [
        ("footpath", None, 5.0, LineString([_local(centre, angle, -8, 16.5), _local(centre, angle, -8, -60)])),
        ("footpath", None, 3.0, LineString([_local(centre, angle, -8, -32), _local(centre, angle, 32, -32)])),
    ]
    park, park_angle = _at(76, -88, factor), -1.0
    outline = [(-46, -48), (48, -52), (52, 40), (30, 52), (-20, 50), (-46, 34)]
    area = translate(rotate(Polygon(outline), park_angle, origin=(0, 0)), *park)
    marks.parcels.append(area.buffer(2))
    pond = Polygon(smooth(np.array([(-22, -6), (-6, 16), (16, 20), (30, 6), (24, -18), (2, -14), (-14, -22), (-22, -6)])))
    pond = translate(pond.buffer(0), *park)
    marks.surfaces += [
        ("water", "丽人湖", pond),
        ("square", "丽人园广场", Point(_local(park, 0, -30, 30)).buffer(10)),
        ("green", "丽人园", area),
    ]
    loop = pond.buffer(7).simplify(0.5).exterior
    start = Point(_local(park, 0, -30, 30))
    onto = loop.interpolate(loop.project(start))
    south = Point(_local(park, 0, 8, -66))
    onto_south = loop.interpolate(loop.project(south))
    marks.ways += [
        ("footpath", "湖滨步道", 2.5, LineString(loop.coords)),
        ("footpath", None, 2.5, LineString([(start.x, start.y), (onto.x, onto.y)])),
        ("footpath", None, 2.5, LineString([(south.x, south.y), (onto_south.x, onto_south.y)])),
        ("footpath", None, 2.5, LineString([(start.x, start.y), _local(park, 0, -30, 75)])),
    ]


def _market(marks: Landmarks, factor: float) -> None:
    centre, angle = _at(-52, -188, factor), -3.0
    marks.parcels.append(_rectangle(centre, 76, 60, angle))
    marks.plans.append(
        _house(
            _local(centre, angle, 0, -4), (60, 34), angle, block=9, zone="南区", use="market", floors=2,
            name="万户菜市场", year=2006, rooms=12, storey_m=4.5, door_side="n",
        )
    )  # fmt: skip
    marks.surfaces.append(("square", None, _rectangle(_local(centre, angle, 0, 21), 58, 12, angle)))
    marks.ways.append(("footpath", None, 5.0, LineString([_local(centre, angle, 0, 17), _local(centre, angle, 0, 60)])))


def _single_houses(marks: Landmarks, factor: float) -> None:
    houses = [
        _house(_at(42, -232, factor), (32, 13), -2.5, block=9, zone="南区", use="public", floors=2, year=2008,
               name="老年活动中心", rooms=2),
        _house(_at(-20, 318, factor), (30, 13), 4.0, block=3, zone="北区", use="public", floors=3, year=2010,
               name="社区文化站", rooms=2),
        _house(_at(-384, -300, factor), (15, 38), 6.0, block=8, zone="西区", use="clinic", floors=3, year=2001,
               name="万户社区卫生服务站", rooms=2, tags=("west",)),
        _house(_at(122, 375, factor), (40, 16), 4.0, block=3, zone="北区", use="hotel", floors=7, year=2005,
               name="新村宾馆", storey_m=3.3, rooms=8, door_side="n"),
        _house(_at(352, -388, factor), (52, 22), -4.5, block=11, zone="南区", use="warehouse", floors=1, year=1999,
               name="滨河仓库", storey_m=7.0, rooms=3, door_side="n"),
        _house(_at(334, -424, factor), (34, 14), -4.0, block=11, zone="南区", use="warehouse", floors=2, year=1999,
               name="滨河仓库二号库", storey_m=4.2, rooms=2, door_side="n"),
    ]  # fmt: skip
    marks.plans += houses
    marks.parcels += [house.place(house.outline).buffer(8, join_style="mitre") for house in houses]


def _towers(marks: Landmarks, factor: float) -> None:
    """Three point blocks by the canal: a cross of 27 by 24 m, four dwellings a floor, one lobby."""
    shape = shapely.union_all([shapely.box(-13.5, -8, 13.5, 8), shapely.box(-8, -12, 8, 12)])
    quarters = (
        shapely.box(-20, -20, 0, 0), shapely.box(0, -20, 20, 0), shapely.box(0, 0, 20, 20), shapely.box(-20, 0, 0, 20),
    )  # fmt: skip
    rooms = tuple(Room(shape.intersection(quarter), 0) for quarter in quarters)
    for (x, y), floors in zip(((366, 372), (352, 290), (330, 205)), (18, 24, 26), strict=True):
        centre = _at(x, y, factor)
        marks.plans.append(
            Plan(
                4, "东区", "residential", shape, -3.0, floors, 2.9, 2012, "flat", "剪力墙",
                (Door((0.0, 12.0), (0.0, 17.0), 0.0),), rooms, None, None, centre, floors_below=1, tags=("tower",),
            )
        )  # fmt: skip
        marks.parcels.append(_rectangle(centre, 52, 48, -3.0))
        marks.surfaces.append(("square", None, _rectangle(_local(centre, -3.0, 0, 18), 20, 8, -3.0)))


# Small gardens and squares between the rows: centre, width, depth, angle, name of the square in it.
_GARDENS = (
    ((-358, 262), 74, 44, 3.5, "北苑健身广场"),
    ((70, 250), 66, 46, 4.5, "北苑小游园"),
    ((296, 128), 84, 44, -3.0, "东苑广场"),
    ((240, -60), 62, 44, -5.0, "东苑小游园"),
    ((0, 48), 58, 40, -0.5, "中心花园"),
    ((-352, -58), 80, 46, 6.0, "西苑健身广场"),
    ((-205, -300), 74, 48, 5.0, "西苑小游园"),
    ((8, -330), 64, 46, -2.5, "南苑广场"),
    ((206, -290), 66, 48, -4.0, "南苑小游园"),
    ((318, -262), 70, 40, -4.5, "南苑健身广场"),
)


def _gardens(marks: Landmarks, factor: float) -> None:
    for (x, y), width, depth, angle, name in _GARDENS:
        centre = _at(x, y, factor)
        area = _rectangle(centre, width, depth, angle)
        marks.gardens.append(area)
        marks.surfaces += [
            ("square", name, translate(rotate(shapely.Point(0, 0).buffer(9), 0), *centre)),
            ("green", None, area.buffer(-3).buffer(3)),
        ]


# Open yards: kind, centre, width, depth, angle, name.
_YARDS = (
    ("pitch", (-336, -252), 30, 18, 5.0, "西苑篮球场"),
    ("parking", (132, -372), 46, 34, -4.0, "南苑停车场"),
    ("parking", (-232, -112), 52, 32, 6.0, "西苑停车场"),
    ("pitch", (334, -24), 30, 18, -5.0, "东苑篮球场"),
    ("parking", (-336, 140), 44, 32, 3.5, "北苑停车场"),
    ("parking", (206, 200), 50, 32, -3.0, "东苑停车场"),
)


def _yards(marks: Landmarks, factor: float) -> None:
    for kind, (x, y), width, depth, angle, name in _YARDS:
        centre = _at(x, y, factor)
        marks.parcels.append(_rectangle(centre, width + 4, depth + 4, angle))
        marks.surfaces.append((kind, name, _rectangle(centre, width, depth, angle)))
