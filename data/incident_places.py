"""
Where an incident is: by coordinates in a named system, by an address in words, or by both.

Of both, an address that leads to a building is taken for the place: coordinates that come with a call are often those
of the caller's telephone. How far the two lie apart is always kept; more than 50 m is said.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from data.addresses import AddressMatch, AddressMatcher, Aliases
from data.store import Store
from gis.china import from_bd09, from_gcj02
from gis.crs import WGS84, Coordinates, transform_xy
from gis.errors import RecordMissingError

DISAGREE_M: Final = 50.0
"""Coordinates and address farther apart than this disagree: the issue's figure."""
FAR_OUT_M: Final = 1_000.0
"""Coordinates farther than this from the community's boundary are of another place, or of another system."""
COORDINATES_CONFIDENCE: Final = 0.8
"""Of coordinates alone: a point, nobody's door. A convention of ours, between `zone_inferred` and what is `near`."""
DISAGREE_FACTOR: Final = 0.5
"""What is left of the confidence when the two disagree, as `ambiguous_unit` does among addresses."""

CGCS2000: Final = "EPSG:4490"
SYSTEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "WGS84": "WGS 84, degrees (GPS, 北斗)",
        "CGCS2000": "CGCS2000, degrees (国家2000)",
        "GCJ02": "GCJ-02, degrees (高德, 腾讯)",
        "BD09": "BD-09, degrees (百度)",
        "LOCAL": "the community's own metric system, east and north in metres",
    }
)


@dataclass(frozen=True)
class Said:
    """What was said about a place: `x`, `y` in `crs` (a name of `SYSTEMS`), and an address in words; or either."""

    x: float | None = None
    y: float | None = None
    crs: str | None = None
    address: str | None = None


@dataclass(frozen=True)
class Found:
    """
    A place, or why there is none.

    Attributes
    ----------
    x_m, y_m
        In the community's CRS, metres; None while it is not placed.
    building_id, unit_id, grid_id
        What is there, as far as it is known.
    source
        `coordinates`, `address` or `both`; None while it is not placed.
    confidence
        0 to 1.
    reason
        Code of what counts most against it: a finding of the address matcher, or `coordinates_only`, `agree`,
        `disagree`, `outside_community`, `nothing_said`.
    gap_m
        Metres between coordinates and address, 0 inside of the building; None unless both lead somewhere.
    address
        Standard address of what was found.
    candidates
        Standard addresses that may have been meant.
    """

    x_m: float | None = None
    y_m: float | None = None
    building_id: str | None = None
    unit_id: str | None = None
    grid_id: str | None = None
    source: str | None = None
    confidence: float = 0.0
    reason: str = "nothing_said"
    gap_m: float | None = None
    address: str | None = None
    candidates: tuple[str, ...] = ()

    @property
    def is_placed(self) -> bool:
        return self.x_m is not None


@dataclass(frozen=True)
class Suggestion:
    """An address that may be meant: how sure, 0 to 1, and why not more; `similar` is what comes near to the text."""

    address: str
    building_id: str | None
    unit_id: str | None
    confidence: float
    reason: str


def to_metric(x: float, y: float, crs: str, community_crs: str) -> tuple[float, float]:
    """Coordinates in a system of `SYSTEMS` → the community's CRS, metres."""
    if crs == "LOCAL":
        return x, y
    found = to_metric_all([(x, y)], crs, community_crs)[0]
    return float(found[0]), float(found[1])


def to_metric_all(places: Sequence[tuple[float, float]], crs: str, community_crs: str) -> Coordinates:
    """As `to_metric`, of many in one system; shape (n, 2)."""
    place: Coordinates = np.array(places, dtype=np.float64).reshape(-1, 2)
    if crs == "LOCAL":
        return place
    if crs == "GCJ02":
        place = from_gcj02(place)
    elif crs == "BD09":
        place = from_bd09(place)
    return transform_xy(place, CGCS2000 if crs == "CGCS2000" else WGS84, community_crs)


class PlaceFinder:
    """Finds places in one community as it was when this was built; used from any thread."""

    def __init__(self, store: Store) -> None:
        community = store.read_geo("SELECT name, synthetic, ST_AsWKB(boundary) AS geom FROM community")
        crs = store.crs()
        if community.empty or crs is None:
            raise RecordMissingError("This store holds no community yet: import one first, with 'shapan import'.")
        self.crs: str = crs
        name = str(community["name"].iloc[0])
        self.is_synthetic = bool(community["synthetic"].iloc[0])
        self._boundary = community.geometry.iloc[0]
        self._buildings = _Shapes(store.read_geo("SELECT building_id AS id, ST_AsWKB(geom) AS geom FROM buildings"))
        self._grids = _Shapes(store.read_geo("SELECT grid_id AS id, ST_AsWKB(geom) AS geom FROM grids ORDER BY number"))
        self._units = _Shapes(
            store.read_geo("SELECT unit_id AS id, ST_AsWKB(geom) AS geom FROM units WHERE geom IS NOT NULL")
        )
        self._spots: dict[tuple[str | None, str | None], tuple[float, float, str | None]] = {}
        addresses = store.read("SELECT * EXCLUDE (geom) FROM addresses")
        self._addresses = dict(zip(addresses["address_id"], addresses["full_text"], strict=True))
        self._of_unit = dict(
            store.read("SELECT unit_id, address_id FROM units WHERE address_id IS NOT NULL").itertuples(
                index=False, name=None
            )
        )
        self._of_building = dict(
            store.read("SELECT building_id, address_id FROM buildings WHERE address_id IS NOT NULL").itertuples(
                index=False, name=None
            )
        )
        aliases = Aliases.from_frame(store.read("SELECT * FROM aliases"), communities=[name])
        buildings = store.read("SELECT * EXCLUDE (geom) FROM buildings")
        self._matcher = AddressMatcher(addresses, aliases, buildings=buildings, community=name)

    def find(self, said: Said) -> Found:
        """The place that was said. Never raises for a place that cannot be found: `reason` says why."""
        point = None
        if said.x is not None and said.y is not None and said.crs is not None:
            point = to_metric(said.x, said.y, said.crs, self.crs)
        match = self._matcher.match(said.address) if said.address and said.address.strip() else None
        if point is None or not np.isfinite(point).all():
            return self._by_address(match)
        if match is not None and match.building_id is not None:
            return self._by_both(point, match)
        if not self._is_near(point):
            return Found(reason="outside_community", candidates=_names(match))
        return self._by_coordinates(point, match)

    def suggest(self, text: str) -> list[Suggestion]:
        """Addresses that may be meant by what was typed so far: where it leads, then what is near to it."""
        match = self._matcher.match(text)
        found = self._by_address(match)
        options = []
        if found.is_placed and found.address is not None:
            options.append(Suggestion(found.address, found.building_id, found.unit_id, match.confidence, match.reason))
        options += [
            Suggestion(near.text, near.building_id, near.unit_id, near.confidence, "similar")
            for near in match.candidates
            if near.text != found.address
        ]
        return options

    def find_address(self, building_id: str | None, unit_id: str | None = None) -> str | None:
        """Standard address of a home, else of its building; None where it has none."""
        address_id = self._of_unit.get(unit_id) or self._of_building.get(building_id)
        return self._addresses.get(address_id)

    def to_lonlats(self, places: Sequence[Found]) -> list[tuple[float, float] | None]:
        """Places in WGS 84, degrees, None for what is not placed; many at once cost hardly more than one."""
        points = [(place.x_m, place.y_m) for place in places if place.x_m is not None and place.y_m is not None]
        lonlats = iter(transform_xy(np.array(points), self.crs, WGS84).tolist() if points else [])
        return [tuple(next(lonlats)) if place.is_placed else None for place in places]

    def _is_near(self, point: tuple[float, float]) -> bool:
        return self._boundary is None or bool(shapely.distance(self._boundary, shapely.Point(point)) <= FAR_OUT_M)

    def _by_coordinates(self, point: tuple[float, float], match: AddressMatch | None) -> Found:
        building_id = self._buildings.find(point)
        return Found(
            *point,
            building_id,
            None,
            self._grids.find(point),
            "coordinates",
            COORDINATES_CONFIDENCE,
            "coordinates_only",
            address=self.find_address(building_id, None),
            candidates=_names(match),
        )

    def _by_address(self, match: AddressMatch | None) -> Found:
        if match is None:
            return Found()
        spot = self._find_spot(match)
        if spot is None:
            return Found(reason=match.reason, candidates=_names(match))
        x_m, y_m, grid_id = spot
        return Found(
            x_m,
            y_m,
            match.building_id,
            match.unit_id,
            grid_id,
            "address",
            match.confidence,
            match.reason,
            address=self.find_address(match.building_id, match.unit_id),
            candidates=_names(match),
        )

    def _by_both(self, point: tuple[float, float], match: AddressMatch) -> Found:
        found = self._by_address(match)
        outline = self._buildings.get(match.building_id)
        if outline is None:
            return found
        gap_m = float(shapely.distance(outline, shapely.Point(point)))
        agrees = gap_m <= DISAGREE_M
        best = max(match.confidence, COORDINATES_CONFIDENCE)
        return Found(
            found.x_m,
            found.y_m,
            found.building_id,
            found.unit_id,
            found.grid_id,
            "both",
            best if agrees else round(match.confidence * DISAGREE_FACTOR, 4),
            "agree" if agrees else "disagree",
            round(gap_m, 2),
            found.address,
            found.candidates,
        )

    def _find_spot(self, match: AddressMatch) -> tuple[float, float, str | None] | None:
        """A point inside of the home, else of the building, and its grid; worked out once for each."""
        key = (match.unit_id, match.building_id)
        if key not in self._spots:
            unit = self._units.get(match.unit_id)
            shape = unit if unit is not None else self._buildings.get(match.building_id)
            if shape is None:
                return None
            inside = shapely.point_on_surface(shape)
            point = float(inside.x), float(inside.y)
            self._spots[key] = (*point, self._grids.find(point))
        return self._spots[key]


class Places:
    """The `PlaceFinder` of a store, built anew after the place's tables were written to."""

    _TABLES = ("community", "grids", "buildings", "units", "addresses", "aliases")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: tuple[int, PlaceFinder] | None = None

    def get(self) -> PlaceFinder:
        """The finder of this moment; `RecordMissingError` while the store holds no community."""
        with self._lock:
            revision = self._store.revision(*self._TABLES)
            if self._kept is None or self._kept[0] != revision:
                self._kept = (revision, PlaceFinder(self._store))
            return self._kept[1]


class _Shapes:
    """Shapes by id, and which of them holds a point."""

    def __init__(self, frame: gpd.GeoDataFrame) -> None:
        self._ids = frame["id"].astype(object).tolist()
        self._shapes = np.asarray(frame.geometry, dtype=object)
        self._index = dict(zip(self._ids, self._shapes, strict=True))
        self._tree = shapely.STRtree(self._shapes)

    def get(self, shape_id: str | None) -> shapely.Geometry | None:
        return self._index.get(shape_id)

    def find(self, point: tuple[float, float]) -> str | None:
        hits = self._tree.query(shapely.Point(point), predicate="intersects")
        return str(self._ids[int(hits.min())]) if len(hits) else None


def _names(match: AddressMatch | None) -> tuple[str, ...]:
    return () if match is None else tuple(candidate.text for candidate in match.candidates)
