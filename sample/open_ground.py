"""Open ground: the park with its pond, gardens between the rows, yards for balls and cars."""

from __future__ import annotations

import numpy as np
from shapely import LineString, Point, Polygon
from shapely.affinity import translate

from sample.parcels import Landmarks, at_scale, from_centre, rectangle
from sample.plans import turned
from sample.streets import smooth
from sample.zones import largest


def open_ground(marks: Landmarks, factor: float) -> None:
    """Add all open ground to `marks`; `factor` is the scale of the skeleton."""
    _park(marks, factor)
    _gardens(marks, factor)
    _yards(marks, factor)


def _park(marks: Landmarks, factor: float) -> None:
    park, park_angle = at_scale(76, -88, factor), -1.0
    outline = [(-46, -48), (48, -52), (52, 40), (30, 52), (-20, 50), (-46, 34)]
    area = translate(turned(Polygon(outline), park_angle), *park)
    marks.parcels.append(area.buffer(2))
    shore = [(-22, -6), (-6, 16), (16, 20), (30, 6), (24, -18), (2, -14), (-14, -22), (-22, -6)]
    pond = Polygon(smooth(np.array(shore)))
    pond = largest(translate(pond.buffer(0), *park))
    marks.surfaces += [
        ("water", "丽人湖", pond),
        ("square", "丽人园广场", Point(from_centre(park, 0, -30, 30)).buffer(10)),
        ("green", "丽人园", area),
    ]
    loop = largest(pond.buffer(7).simplify(0.5)).exterior
    start = Point(from_centre(park, 0, -30, 30))
    onto = loop.interpolate(loop.project(start))
    south = Point(from_centre(park, 0, 8, -66))
    onto_south = loop.interpolate(loop.project(south))
    marks.ways += [
        ("footpath", "湖滨步道", 2.5, LineString(loop.coords)),
        ("footpath", None, 2.5, LineString([(start.x, start.y), (onto.x, onto.y)])),
        ("footpath", None, 2.5, LineString([(south.x, south.y), (onto_south.x, onto_south.y)])),
        ("footpath", None, 2.5, LineString([(start.x, start.y), from_centre(park, 0, -30, 75)])),
    ]


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
        centre = at_scale(x, y, factor)
        area = rectangle(centre, width, depth, angle)
        marks.gardens.append(area)
        marks.surfaces += [
            ("square", name, Point(centre).buffer(9)),
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
        centre = at_scale(x, y, factor)
        marks.parcels.append(rectangle(centre, width + 4, depth + 4, angle))
        marks.surfaces.append((kind, name, rectangle(centre, width, depth, angle)))
