"""Streets, the canal and the outer boundary: the bones that everything else hangs on. Local metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
import shapely.ops
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from sample.place import AREA_M2

STREET_MARGIN_M = 11.0
"""Half a main street with its pavement, and half the canal: how far the boundary lies outside the outer centrelines."""

CANAL_WIDTH_M = 22.0
EMBANKMENT_M = 15.0

# Drawn by hand, before scaling: an old quarter that grew between three streets and a canal. Four inner streets form a
# pinwheel around the middle, so that no street runs straight through.
_CORNER_NW, _CORNER_NE = (-446.0, 368.0), (438.0, 436.0)
_CORNER_SE, _CORNER_SW = (446.0, -462.0), (-384.0, -416.0)
_A, _B, _C, _D = (-136.0, 112.0), (152.0, 136.0), (141.0, -160.0), (-114.0, -136.0)
_WEST_GATE, _NORTH_GATE, _SOUTH_GATE = (-447.0, 84.0), (176.0, 414.0), (-92.0, -436.0)
_BRIDGE = (398.0, -186.0)

_CONTROL: dict[str, tuple[tuple[float, float], ...]] = {
    "west": (_CORNER_NW, (-457.0, 230.0), _WEST_GATE, (-431.0, -120.0), (-408.0, -280.0), _CORNER_SW),
    "north": (_CORNER_NW, (-250.0, 390.0), (-40.0, 394.0), _NORTH_GATE, (310.0, 432.0), _CORNER_NE),
    "south": (_CORNER_SW, (-230.0, -434.0), _SOUTH_GATE, (90.0, -440.0), (290.0, -458.0), _CORNER_SE),
    "canal": (_CORNER_NE, (455.0, 330.0), (444.0, 220.0), (408.0, 110.0), (392.0, 0.0), (398.0, -100.0), _BRIDGE,
              (428.0, -270.0), (455.0, -360.0), _CORNER_SE),
    "ring_north": (_WEST_GATE, (-300.0, 96.0), _A, (10.0, 118.0), _B),
    "ring_east": (_NORTH_GATE, (170.0, 280.0), _B, (152.0, -20.0), _C),
    "ring_south": (_BRIDGE, (270.0, -178.0), _C, (20.0, -144.0), _D),
    "ring_west": (_SOUTH_GATE, (-100.0, -290.0), _D, (-130.0, -10.0), _A),
    "lane_1": ((-252.0, 99.0), (-256.0, 240.0), (-250.0, 390.0)),
    "lane_2": ((-40.0, 115.0), (-48.0, 260.0), (-40.0, 394.0)),
    "lane_3": ((152.0, 66.0), (260.0, 60.0), (396.0, 40.0)),
    "lane_4": ((-424.0, -170.0), (-270.0, -176.0), (-110.0, -186.0)),
    "lane_5": ((78.0, -151.0), (86.0, -300.0), (90.0, -440.0)),
    "lane_6": ((262.0, -178.0), (258.0, -300.0), (252.0, -455.0)),
}  # fmt: skip

# (key, name, kind, carriageway width in metres)
_STREETS = (
    ("west", "万户路", "main", 16.0),
    ("north", "新村北路", "main", 15.0),
    ("south", "新村南路", "main", 16.0),
    ("river", "滨河路", "secondary", 8.0),
    ("ring_north", "和顺路", "secondary", 12.0),
    ("ring_east", "新村东路", "secondary", 11.0),
    ("ring_south", "新村中路", "secondary", 12.0),
    ("ring_west", "长庆路", "secondary", 11.0),
    ("lane_1", "北一巷", "inner", 7.0),
    ("lane_2", "北二巷", "inner", 7.0),
    ("lane_3", "临河巷", "inner", 7.0),
    ("lane_4", "西一巷", "inner", 6.5),
    ("lane_5", "南一巷", "inner", 7.0),
    ("lane_6", "南二巷", "inner", 6.5),
)
_PAVEMENT_M = {"main": 3.5, "secondary": 3.0, "inner": 1.8}


@dataclass(frozen=True)
class Street:
    """A street with a name; the line is its centreline."""

    key: str
    name: str
    kind: str
    width_m: float
    line: LineString

    @property
    def half_m(self) -> float:
        """Half the street, pavement included."""
        return self.width_m / 2 + _PAVEMENT_M[self.kind]


@dataclass(frozen=True)
class Skeleton:
    """Boundary, streets and canal."""

    boundary: Polygon
    ring: Polygon
    canal: LineString
    promenade: LineString
    streets: tuple[Street, ...]
    scale: float

    def street(self, key: str) -> Street:
        """The street with this key."""
        return next(s for s in self.streets if s.key == key)

    @property
    def water(self) -> BaseGeometry:
        """The canal inside the boundary."""
        return extend(self.canal, 60).buffer(CANAL_WIDTH_M / 2, cap_style="flat").intersection(self.boundary)


def smooth(points: np.ndarray, *, steps: int = 8) -> LineString:
    """Catmull-Rom curve through all `points`, shape (n, 2)."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
        )
    return LineString(np.round(np.vstack([*pieces, points[-1:]]), 3))


def extend(line: LineString, by_m: float) -> LineString:
    """`line` made longer by `by_m` at both ends, straight on."""
    xy = shapely.get_coordinates(line)
    first, last = xy[0] - xy[1], xy[-1] - xy[-2]
    start = xy[0] + first / np.hypot(*first) * by_m
    end = xy[-1] + last / np.hypot(*last) * by_m
    return LineString(np.vstack([start, xy, end]))


def build_skeleton() -> Skeleton:
    """Scale the hand-drawn lines until the boundary holds exactly the area that is wanted."""
    low, high = 0.7, 1.3
    for _ in range(60):
        scale = (low + high) / 2
        low, high = (scale, high) if _outline(scale)[0].area < AREA_M2 else (low, scale)
    boundary, ring = _outline(scale)
    curves = {key: smooth(np.array(points) * scale) for key, points in _CONTROL.items()}
    shift = CANAL_WIDTH_M / 2 + EMBANKMENT_M + 5.5
    river = beside(extend(curves["canal"], 80), -shift, simplified_m=0.4)
    curves["river"] = _between(river, curves["north"], curves["south"])
    for key in ("lane_1", "lane_2", "lane_3", "lane_4", "lane_5", "lane_6"):
        curves[key] = _between(extend(curves[key], 30), *_ends_on(key, curves))
    promenade = beside(extend(curves["canal"], 80), -(CANAL_WIDTH_M / 2 + 9.5), simplified_m=0.3)
    curves["promenade"] = _between(promenade, curves["north"], curves["south"])
    streets = tuple(Street(key, name, kind, width, curves[key]) for key, name, kind, width in _STREETS)
    return Skeleton(boundary, ring, curves["canal"], curves["promenade"], streets, scale)


def _outline(scale: float) -> tuple[Polygon, Polygon]:
    west, north, south, canal = (
        shapely.get_coordinates(smooth(np.array(_CONTROL[key]) * scale)) for key in ("west", "north", "south", "canal")
    )
    ring = Polygon(np.vstack([north, canal[1:], south[::-1][1:], west[::-1][1:-1]]))
    return ring.buffer(STREET_MARGIN_M, join_style="mitre"), ring


def _ends_on(key: str, curves: dict[str, LineString]) -> tuple[LineString, LineString]:
    first, last = {
        "lane_1": ("ring_north", "north"),
        "lane_2": ("ring_north", "north"),
        "lane_3": ("ring_east", "river"),
        "lane_4": ("west", "ring_west"),
        "lane_5": ("ring_south", "south"),
        "lane_6": ("ring_south", "south"),
    }[key]
    return curves[first], curves[last]


def _between(line: LineString, first: LineString, last: LineString) -> LineString:
    """The part of `line` from where it crosses `first` to where it crosses `last`."""
    ends = [Point(shapely.get_coordinates(line.intersection(extend(other, 60)))[0]) for other in (first, last)]
    start, stop = sorted(line.project(end) for end in ends)
    return cast(LineString, shapely.ops.substring(line, start, stop))


def beside(line: LineString, distance_m: float, *, simplified_m: float = 0.0) -> LineString:
    """The line at `distance_m` to the left of `line`, to the right when negative."""
    return cast(LineString, line.offset_curve(distance_m).simplify(simplified_m))
