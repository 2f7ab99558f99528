"""
From a door to the ways: straight links of at most 50 m that cross no water, and no wall but at an open gate.

A place in a house is reached by the house's doors, and by the nearest point of its outline where no door is known. A
door has one link, the shortest that is free; and where ways around it are not connected with each other (a gate is
shut, or the map has a hole) one to each part. A link through another house is used only where no other is: one walks
around it. Of links of equal length the one to the earlier way is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from gis.walk_cuts import GATE_REACH_M, NO_GATE
from gis.walk_network import Booleans, Geometries, Integers, WalkNetwork
from gis.walk_pace import Floats

REACH_M: Final = 50.0
"""A place farther than this from every way is unreachable."""
_TRIED: Final = 16
"""Pieces that are looked at for a door; behind sixteen others none is the nearest free one."""
_ASIDE_M: Final = 0.5
"""A link never ends at a gate itself, where nobody could tell on which side it is."""
_NO_LENGTH_M: Final = 0.3
_BLOCKED: Final = -2


@dataclass(frozen=True)
class Spot:
    """A place to come from or go to, in the network's CRS; house, door and storey as far as they are known."""

    point: shapely.Point
    building_id: str | None = None
    entrance_id: str | None = None
    level: int | None = None


@dataclass(frozen=True)
class Doors:
    """Where spots are left: a point or an outline each; `spot` says whose it is, `door_id` which entrance."""

    spot: Integers
    shapes: Geometries
    door_ids: tuple[str | None, ...]


@dataclass(frozen=True)
class Links:
    """
    Links, shape (n,) each, by spot and then the nearest first.

    Attributes
    ----------
    spot, door
        Index of the spot, and of its door in `Doors`.
    piece, at_m
        The piece that it leads to, and how far along.
    length_m
        Of the link.
    gate
        Index of the gate that it goes through, `NO_GATE` for none.
    begin
        Where it begins, x and y in metres, shape (n, 2).
    """

    spot: Integers
    door: Integers
    piece: Integers
    at_m: Floats
    length_m: Floats
    gate: Integers
    begin: Floats


def find_doors(network: WalkNetwork, spots: Sequence[Spot]) -> Doors:
    """Where each spot is left: by the house's doors, else from the spot itself."""
    houses = network.houses
    points = np.array([spot.point for spot in spots], dtype=object)
    inside: dict[int, int] = {}
    if len(houses.building_ids) and len(points):
        for spot, house in sorted(zip(*houses.tree.query(points, predicate="intersects").tolist(), strict=True)):
            inside.setdefault(spot, house)
    owner: list[int] = []
    shapes: list[shapely.Geometry] = []
    door_ids: list[str | None] = []
    for number, spot in enumerate(spots):
        house = houses.index.get(spot.building_id or "", inside.get(number, -1))
        known = houses.doors[house] if house >= 0 else ()
        chosen = [door for door in known if door[0] == spot.entrance_id] or list(known)
        if not chosen:
            chosen = [("", houses.footprints[house] if house >= 0 else spot.point)]
        for door_id, shape in chosen:
            owner.append(number)
            shapes.append(shape)
            door_ids.append(door_id or None)
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return Doors(np.array(owner, dtype=np.int64), array, tuple(door_ids))


def find_links(
    network: WalkNetwork, doors: Doors, *, part: Integers, is_open: Booleans, is_allowed: Sequence[Booleans]
) -> tuple[Links, ...]:
    """
    Links from doors through gates that are open: for each of `is_allowed` those to the pieces that it allows.

    `part` numbers, for each node, the part of the network that hangs together while these gates are open.
    """
    door, piece = network.tree.query(doors.shapes, predicate="dwithin", distance=REACH_M)
    away_m = shapely.distance(doors.shapes[door], network.lines[piece])
    order = np.lexsort([piece, away_m, door])
    pairs = _Pairs(network, doors, door[order], piece[order], is_open)
    # One group for each mask, door and part, its pairs from the nearest on.
    part_of = np.unique(np.column_stack([pairs.door, part[network.first[pairs.piece]]]), axis=0, return_inverse=True)[1]
    rows = [np.flatnonzero(allowed[pairs.piece]) for allowed in is_allowed]
    groups = [part_of.ravel()[some] for some in rows]
    return tuple(pairs.to_links(_choose(pairs, some, group)) for some, group in zip(rows, groups, strict=True))


def _choose(pairs: _Pairs, rows: Integers, group: Integers) -> Integers:
    """Of each group's pairs the nearest that is free; through a house only from doors that have no other."""
    order = np.argsort(group, kind="stable")
    rows, group = rows[order], group[order]
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]])) if len(group) else group
    ends = np.append(starts[1:], len(group))
    clear, last = np.full(len(starts), -1), np.full(len(starts), -1)
    for number in range(_TRIED):
        asked = np.flatnonzero((clear < 0) & (starts + number < ends))
        if not len(asked):
            break
        pair = rows[starts[asked] + number]
        gate, in_house = pairs.check(pair)
        free = gate > _BLOCKED
        clear[asked[free & ~in_house]] = pair[free & ~in_house]
        first_last = free & in_house & (last[asked] < 0)
        last[asked[first_last]] = pair[first_last]
    clear, last = clear[clear >= 0], last[last >= 0]
    return np.sort(np.concatenate([clear, last[~np.isin(pairs.door[last], pairs.door[clear])]]))


class _Pairs:
    """Doors with the pieces within reach, the nearest first; a straight line is drawn and checked once, when asked."""

    def __init__(self, network: WalkNetwork, doors: Doors, door: Integers, piece: Integers, is_open: Booleans) -> None:
        self._network, self._doors, self._is_open = network, doors, is_open
        self.door, self.piece = door, piece
        self._is_checked = np.zeros(len(door), dtype=bool)
        self._gate = np.full(len(door), NO_GATE, dtype=np.int64)
        self._in_house = np.zeros(len(door), dtype=bool)
        self._at_m = np.zeros(len(door))
        self._begin, self._end = np.zeros((len(door), 2)), np.zeros((len(door), 2))

    def check(self, which: Integers) -> tuple[Integers, Booleans]:
        """See `_check_straight`, for some of the pairs."""
        new = which[~self._is_checked[which]]
        if len(new):
            self._draw(new)
            self._gate[new], self._in_house[new] = _check_straight(
                self._network, self._begin[new], self._end[new], is_open=self._is_open
            )
            self._is_checked[new] = True
        return self._gate[which], self._in_house[which]

    def _draw(self, new: Integers) -> None:
        network, piece = self._network, self.piece[new]
        shortest = shapely.shortest_line(self._doors.shapes[self.door[new]], network.lines[piece])
        self._begin[new] = shapely.get_coordinates(shapely.get_point(shortest, 0))
        at_m = shapely.line_locate_point(network.lines[piece], shapely.get_point(shortest, -1))
        length_m = network.length_m[piece]
        aside_m = np.minimum(_ASIDE_M, length_m / 2)
        at_m = np.maximum(at_m, np.where(network.cut_first[piece], aside_m, 0.0))
        at_m = np.minimum(at_m, np.where(network.cut_last[piece], length_m - aside_m, length_m))
        self._at_m[new] = at_m
        self._end[new] = shapely.get_coordinates(shapely.line_interpolate_point(network.lines[piece], at_m))

    def to_links(self, which: Integers) -> Links:
        """The chosen ones."""
        door = self.door[which]
        link_m = np.linalg.norm(self._end[which] - self._begin[which], axis=1)
        return Links(
            self._doors.spot[door], door, self.piece[which], self._at_m[which], link_m, self._gate[which],
            self._begin[which],
        )  # fmt: skip


def take_links(links: Links, which: Booleans | Integers) -> Links:
    """Some of the links."""
    return Links(*(getattr(links, name)[which] for name in Links.__dataclass_fields__))


def _check_straight(
    network: WalkNetwork, begin: Floats, end: Floats, *, is_open: Booleans
) -> tuple[Integers, Booleans]:
    """
    For each straight line from `begin` to `end`, shape (n, 2): the gate that it goes through (`NO_GATE` for none, less
    than that where a wall or a closed gate is in its way), and whether it leads through a house.
    """
    lines = np.asarray(shapely.linestrings(np.stack([begin, end], axis=1)), dtype=object)
    gate = np.full(len(lines), NO_GATE, dtype=np.int64)
    is_line = np.linalg.norm(end - begin, axis=1) > _NO_LENGTH_M

    line, barrier = network.barrier_tree.query(lines, predicate="intersects")
    through = np.full(len(line), _BLOCKED, dtype=np.int64)
    if len(network.gates) and len(line):
        crossing = shapely.intersection(lines[line], network.barriers[barrier])
        one, near = network.gate_tree.query_nearest(crossing, max_distance=GATE_REACH_M, all_matches=False)
        through[one] = near
    bar_line, bar = network.bar_tree.query(lines, predicate="intersects")
    line, through = np.concatenate([line, bar_line]), np.concatenate([through, network.bar_gate[bar]])
    for one, found in sorted(set(zip(line[is_line[line]].tolist(), through[is_line[line]].tolist(), strict=True))):
        # Two gates one after the other are no straight walk to the next way.
        is_free = found >= 0 and is_open[found] and gate[one] == NO_GATE
        gate[one] = found if is_free else _BLOCKED
    in_house = np.zeros(len(lines), dtype=bool)
    hits, _ = network.houses.shrunk_tree.query(lines, predicate="intersects")
    in_house[hits] = True
    return gate, in_house
