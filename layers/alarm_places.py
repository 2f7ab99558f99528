"""Where an alarm is, in words and shapes: the building that is lit, and the shortest name by which people find it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import shapely

from data.queries import find_bodies
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from layers.frame import LocalFrame
from layers.records import Ring, to_polygons

NEAR_M = 60.0
"""Farther away a building says nothing about where something is."""

STANDS_OUT_M = 0.5
"""What is lit stands so far out of the wall that it is seen before it."""

_MOST_NEAR = 1000


@dataclass(frozen=True)
class Body:
    """A building: its name, its top above ground, and its outline in the store's CRS."""

    name: str
    top_m: float
    outline: shapely.Geometry
    frame: LocalFrame

    @cached_property
    def rings(self) -> list[Ring]:
        """Outlines just outside its walls in local metres, drawn when an alarm asks: of thousands a few are lit."""
        around = shapely.buffer(self.outline, STANDS_OUT_M, join_style="mitre")
        polygons, _ = to_polygons([around], self.frame)
        return [polygon[0] for polygon in polygons]


@dataclass(frozen=True)
class Places:
    """Buildings by id, the nearest one, and what standard addresses may begin with, the longest first."""

    bodies: Mapping[str, Body]
    ids: tuple[str, ...]
    tree: shapely.STRtree
    beginnings: tuple[str, ...]
    near: dict[tuple[float, float], str | None] = field(default_factory=dict)
    """Where an alarm was: the id of the nearest building; every change of any alarm asks for that of all again."""

    def find_body(self, building_id: object) -> Body | None:
        return self.bodies.get(building_id) if isinstance(building_id, str) else None

    def find_near(self, point: shapely.Point) -> Body | None:
        """The building nearest to a point of the store, None where there is none near."""
        where = (point.x, point.y)
        try:  # the wall and its replay are drawn on two threads: what one clears the other may have just found
            nearest = self.near[where]
        except KeyError:
            found = self.tree.query_nearest(point, max_distance=NEAR_M, all_matches=False)
            nearest = self.ids[int(found[0])] if len(found) else None
            if len(self.near) >= _MOST_NEAR:
                self.near.clear()
            self.near[where] = nearest
        return self.find_body(nearest)

    def shorten(self, address: str) -> str:
        """A standard address without province, city and community, which everybody here knows."""
        for beginning in self.beginnings:
            if address.startswith(beginning) and len(address) > len(beginning):
                return address.removeprefix(beginning)
        return address


@dataclass(frozen=True)
class _Known:
    """Places as of a revision of the buildings, and of what else they are made of."""

    buildings: int
    others: int
    places: Places


_MOST_KNOWN = 4  # one for each kind of viewer that a process draws for
_known: WeakKeyDictionary[Store, dict[tuple[Viewer, LocalFrame], _Known]] = WeakKeyDictionary()
_lock = threading.Lock()


def find_places(store: Store, viewer: Viewer, frame: LocalFrame) -> Places:
    """Places of the store as they are now; after a write that names its buildings only those are read again."""
    key, revision = (viewer.scope, frame), store.revision("buildings")
    others = store.revision("addresses", "community")
    with _lock:
        known = _known.setdefault(store, {}).get(key)
    if known is not None and (known.buildings, known.others) == (revision, others):
        return known.places
    touched = store.find_changed("buildings", known.buildings) if known and known.others == others else None
    if known is None or touched is None:
        places = _read_places(store, viewer.scope, frame)
    else:
        places = _renew(known.places, find_bodies(store, viewer.scope, only=touched), touched, frame)
    with _lock:
        kept = _known[store]
        kept[key] = _Known(revision, others, places)
        while len(kept) > _MOST_KNOWN:
            kept.pop(next(iter(kept)))
    return places


def _read_places(store: Store, viewer: Viewer, frame: LocalFrame) -> Places:
    bodies = _to_bodies(find_bodies(store, viewer), frame)
    community = store.read_first("SELECT name, address_prefix FROM community")
    prefix = community["address_prefix"] or ""
    return _build_places(bodies, (prefix + community["name"], prefix))


def _to_bodies(found: Mapping[str, list[Any]], frame: LocalFrame) -> dict[str, Body]:
    columns = zip(*(found[name] for name in ("building_id", "zone", "name", "height_m", "geom")), strict=True)
    return {
        building_id: Body((zone or "") + (name or ""), round(height_m, 2), outline, frame)
        for building_id, zone, name, height_m, outline in columns
    }


def _build_places(bodies: Mapping[str, Body], beginnings: tuple[str, ...]) -> Places:
    return Places(bodies, tuple(bodies), shapely.STRtree([body.outline for body in bodies.values()]), beginnings)


def _renew(known: Places, found: Mapping[str, list[Any]], touched: frozenset[str], frame: LocalFrame) -> Places:
    """`known` with the rows that were touched as they are now; the tree stays where every outline does."""
    there = _to_bodies(found, frame)
    is_same = there.keys() == touched <= known.bodies.keys() and all(
        shapely.equals_exact(body.outline, known.bodies[one].outline, 0.0) for one, body in there.items()
    )
    bodies = dict(known.bodies)
    for building_id in touched - there.keys():
        bodies.pop(building_id, None)
    bodies.update(there)
    return replace(known, bodies=bodies) if is_same else _build_places(bodies, known.beginnings)


def name_place(row: Mapping[Any, Any], places: Places, lang: Language) -> str:
    """
    The shortest name of where an alarm is: home, building, beside which building, grid; a sensitive one's grid only.

    `row` is one of `find_alarms`.
    """
    number = row["grid_number"]
    grid = "" if pd.isna(number) else t("alarms.grid", lang, number=f"{int(number):02d}")
    point = row["geom"]
    if point is None or point.is_empty:
        return t("alarms.no_place", lang)
    if row["undisclosed"]:
        return grid
    if isinstance(row["address"], str) and row["address"]:
        return places.shorten(row["address"])
    body = places.find_body(row["building_id"])
    if body is not None and body.name:
        return body.name
    near = places.find_near(point)
    if near is not None and near.name:
        return t("alarms.near", lang, place=near.name)
    return grid or t("alarms.outside", lang)


def to_local(point: shapely.Point | None, frame: LocalFrame) -> list[float] | None:
    """A point of the store in local metres, None where there is none."""
    if point is None or point.is_empty:
        return None
    x, y = frame.to_local(np.array([[point.x, point.y]]))[0].tolist()
    return [x, y]
