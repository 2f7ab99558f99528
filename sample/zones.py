"""Grids without gap or overlap, zones, and the blocks between the streets in which houses are put."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from sample.streets import CANAL_WIDTH_M, EMBANKMENT_M, Skeleton, extend


@dataclass(frozen=True)
class BlockStyle:
    """How one block is built over. `angle_deg` turns its rows counterclockwise from east-west."""

    number: int
    zone: str
    seed_point: tuple[float, float]
    angle_deg: float
    year: int
    floors: tuple[int, ...]
    lanes: tuple[tuple[float, str], ...]
    roof: str = "tile"


# Lanes: share of the block's width where the lane runs, and at which end it reaches the street (n, s or b for both).
BLOCKS = (
    BlockStyle(1, "北区", (-350, 250), 3.5, 1991, (5, 6, 6), ((0.46, "b"),), "tile"),
    BlockStyle(2, "北区", (-150, 250), 3.5, 1992, (6, 5), ((0.62, "s"),), "tile"),
    BlockStyle(3, "北区", (50, 260), 4.5, 1994, (6, 5), ((0.37, "b"), (0.73, "s")), "flat"),
    BlockStyle(4, "东区", (270, 270), -3.0, 2009, (6, 9, 11, 6, 10), ((0.44, "b"),), "flat"),
    BlockStyle(5, "东区", (260, -50), -5.0, 2003, (6, 6, 6), ((0.50, "s"),), "tile"),
    BlockStyle(6, "中区", (0, 0), -0.5, 1987, (5,), ((0.31, "n"), (0.66, "n")), "tile"),
    BlockStyle(7, "西区", (-290, -30), 6.0, 1985, (5,), ((0.27, "n"), (0.58, "s")), "tile"),
    BlockStyle(8, "西区", (-260, -300), 5.0, 1986, (5, 5, 6), ((0.30, "s"), (0.66, "n")), "tile"),
    BlockStyle(9, "南区", (0, -300), -2.5, 1996, (6, 6, 5), ((0.42, "b"),), "tile"),
    BlockStyle(10, "南区", (170, -300), -4.0, 1997, (6, 6, 5), ((0.47, "n"),), "flat"),
    BlockStyle(11, "南区", (330, -310), -4.5, 1998, (6, 6, 5), ((0.45, "s"),), "tile"),
)

_OUTER = ("west", "north", "south", "river")
_REACH_M = 75.0
_OVERLAP_M = 0.5
"""Lines that meet are made this much longer before noding: floating-point ends may miss the other line by a hair."""


@dataclass(frozen=True)
class Block:
    """One block: `outline` reaches to the centrelines around it, `yard` is what lies inside the pavements."""

    style: BlockStyle
    outline: Polygon
    yard: Polygon

    @property
    def number(self) -> int:
        """Number of the grid that the block belongs to."""
        return self.style.number


def build_grids(skeleton: Skeleton) -> dict[int, Polygon]:
    """Eleven faces of one noded linework, so that neighbours share every vertex; by grid number."""
    cuts = [_cut(street.line, skeleton) for street in skeleton.streets if street.key not in _OUTER]
    faces = _faces([skeleton.boundary.exterior, *cuts])
    return {style.number: _face_at(style, faces, skeleton) for style in BLOCKS}


def _cut(line: LineString, skeleton: Skeleton) -> LineString:
    """`line` made longer where it ends on an outer street or the river street, so that it cuts the boundary."""
    xy, longer = shapely.get_coordinates(line), shapely.get_coordinates(extend(line, _REACH_M))
    short = shapely.get_coordinates(extend(line, _OVERLAP_M))
    near = [skeleton.boundary.exterior.distance(Point(p)) < _REACH_M * 0.8 for p in (xy[0], xy[-1])]
    start, end = (longer if near[0] else short)[:1], (longer if near[1] else short)[-1:]
    return LineString([*start, *xy, *end])


def _faces(lines: list[BaseGeometry]) -> list[Polygon]:
    noded = shapely.node(shapely.MultiLineString([LineString(shapely.get_coordinates(line)) for line in lines]))
    return list(shapely.get_parts(shapely.polygonize(shapely.get_parts(noded))))


def _face_at(style: BlockStyle, faces: list[Polygon], skeleton: Skeleton) -> Polygon:
    seed = Point(style.seed_point[0] * skeleton.scale, style.seed_point[1] * skeleton.scale)
    return next(face for face in faces if face.contains(seed))


def build_blocks(skeleton: Skeleton) -> dict[int, Block]:
    """The blocks between street centrelines, by grid number; the canal's side ends at the river street."""
    faces = _faces([extend(street.line, _OVERLAP_M) for street in skeleton.streets])
    streets = shapely.union_all([street.line.buffer(street.half_m) for street in skeleton.streets])
    river_side = skeleton.canal.buffer(CANAL_WIDTH_M / 2 + EMBANKMENT_M)
    blocks = {}
    for style in BLOCKS:
        face = _face_at(style, faces, skeleton)
        blocks[style.number] = Block(style, face, largest(face.difference(streets).difference(river_side)))
    return blocks


def zone_yards(blocks: dict[int, Block], skeleton: Skeleton) -> dict[str, Polygon | MultiPolygon]:
    """What lies inside the walls of each zone: its blocks and the lanes between them."""
    outer = shapely.union_all([s.line.buffer(s.half_m) for s in skeleton.streets if s.kind != "inner"])
    river_side = skeleton.canal.buffer(CANAL_WIDTH_M / 2 + EMBANKMENT_M)
    yards: dict[str, Polygon | MultiPolygon] = {}
    for zone in dict.fromkeys(style.zone for style in BLOCKS):
        own = shapely.union_all([b.outline for b in blocks.values() if b.style.zone == zone])
        yards[zone] = largest(own.difference(outer).difference(river_side))
    return yards


def largest(geometry: BaseGeometry) -> Polygon:
    """The largest polygon of a geometry; an empty polygon when there is none."""
    polygons = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"]
    return max(polygons, key=lambda p: p.area) if polygons else Polygon()
