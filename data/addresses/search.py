"""The wall's search box: an address, a building, a site, a grid, by whatever people type."""

from __future__ import annotations

import re
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from data.addresses.aliases import NO_ALIASES, Aliases
from data.addresses.candidates import Candidate, find_candidates
from data.addresses.grammar import fold
from data.addresses.matching import AddressMatcher
from data.addresses.numerals import to_canonical_number
from data.addresses.parsing import ParsedAddress, parse_address
from data.addresses.tree import BuildingNode, Place

_NUMBER = r"([\d〇零一二三四五六七八九十]{1,3})"
_GRID = re.compile(rf"^(?:第?{_NUMBER}号?(?:综合)?网格|(?:综合)?网格第?{_NUMBER}号?)$")


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One place that fits."""

    kind: str
    """room, unit (entrance), building, site or grid"""
    id: str
    """address_id of a room or entrance where there is one, else building_id; site_id; grid_id"""
    label: str
    building_id: str | None
    unit_id: str | None
    x_m: float | None
    """Where to fly, metres in the community's CRS; None when the frames have no geometry"""
    y_m: float | None
    score: float
    """1 for all that was said, less for a part of a name or where a part of the address is missing"""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found, and what was understood."""

    hits: tuple[SearchHit, ...]
    total: int
    """Hits before the limit"""
    understood: ParsedAddress
    understood_as: str
    """address, name, grid or nothing"""
    nearest: tuple[Candidate, ...]
    """Near addresses, when there are no hits"""


class PlaceSearch:
    """
    Search over the places of one community; any frame may be None or empty.

    Parameters
    ----------
    addresses, buildings, sites, grids
        Rows of `addresses`, `buildings`, `key_sites`, `grids`; with geometry the hits say where they are.
    aliases
        Rows of `aliases`; those of kind site and building find their canonical name.
    community
        The community's name, where no address carries it.
    """

    def __init__(
        self,
        addresses: pd.DataFrame | None,
        buildings: pd.DataFrame | None = None,
        sites: pd.DataFrame | None = None,
        grids: pd.DataFrame | None = None,
        aliases: Aliases = NO_ALIASES,
        *,
        community: str | None = None,
    ) -> None:
        """Arrange the frames once."""
        if addresses is None:
            addresses = pd.DataFrame({"address_id": [], "full_text": []})
        self._matcher = AddressMatcher(addresses, aliases, buildings=buildings, community=community)
        self._places = {
            key: _positions(frame, key)
            for key, frame in (("address_id", addresses), ("building_id", buildings))
            if frame is not None
        }
        self._named: list[tuple[str, SearchHit]] = []
        for name, places in self._matcher.tree.names.items():
            self._named += [(name, self._to_hit(p, "room" if p.unit_id else "building")) for p in places]
        self._grid_ids: dict[str, str] = {}
        self._add_named(sites, "site")
        self._add_named(grids, "grid")

    def _add_named(self, frame: pd.DataFrame | None, kind: str) -> None:
        if frame is None:
            return
        positions = _positions(frame, f"{kind}_id")
        buildings = frame["building_id"] if "building_id" in frame else pd.Series([None] * len(frame))
        for key, name, building in zip(frame[f"{kind}_id"], frame["name"], buildings, strict=True):
            x_m, y_m = positions.get(str(key), (None, None))
            inside = str(building) if isinstance(building, str) else None
            self._named.append(
                (fold(str(name)).upper(), SearchHit(kind, str(key), str(name), inside, None, x_m, y_m, 1.0))
            )
        if kind == "grid" and "number" in frame:
            self._grid_ids = {
                str(number): str(key) for number, key in zip(frame["number"], frame["grid_id"], strict=True)
            }

    def find(self, text: str, limit: int = 10) -> SearchResult:
        """
        Places that fit, best first, at most `limit`. Never raises.

        A name fits when it holds what was typed. An address fits every building that it can mean: 12幢 finds that of
        each zone.
        """
        parsed = parse_address(text, self._matcher.tree.aliases)
        said = fold(text).upper()
        if not said:
            return SearchResult((), 0, parsed, "nothing", ())
        as_grid = self._find_grid(said)
        by_name = self._find_names(said, parsed)
        by_address = self._find_addresses(parsed)
        hits = sorted([*as_grid, *by_name, *by_address], key=lambda hit: (-hit.score, _natural(hit.label)))
        hits = list({(hit.kind, hit.id): hit for hit in reversed(hits)}.values())[::-1]
        understood_as = "grid" if as_grid else "address" if not parsed.is_empty else "name" if by_name else "nothing"
        nearest = () if hits else find_candidates(self._matcher.tree, parsed)
        return SearchResult(tuple(hits[:limit]), len(hits), parsed, understood_as, nearest)

    def _find_grid(self, said: str) -> list[SearchHit]:
        match = _GRID.match(said)
        if match is None:
            return []
        grid_id = self._grid_ids.get(to_canonical_number(match[1] or match[2]))
        return [hit for _, hit in self._named if hit.kind == "grid" and hit.id == grid_id]

    def _find_names(self, said: str, parsed: ParsedAddress) -> list[SearchHit]:
        aliases = self._matcher.tree.aliases
        wanted = {said, parsed.remainder.upper()} if parsed.community or parsed.prefix or parsed.zone else {said}
        wanted |= {table[w].upper() for w in list(wanted) for table in (aliases.sites, aliases.buildings) if w in table}
        found: list[SearchHit] = []
        for name, hit in self._named:
            shares = [len(w) / len(name) for w in wanted if w and w in name]
            # Rooms of a named building are listed only when the room itself is said.
            if shares and (hit.kind != "room" or max(shares) == 1):
                # A whole name counts 1, a part of it from 0.5 to 0.9 by its length.
                score = 1.0 if max(shares) == 1 else 0.5 + 0.4 * max(shares)
                found.append(_with_score(hit, score))
        return found

    def _find_addresses(self, parsed: ParsedAddress) -> list[SearchHit]:
        tree = self._matcher.tree
        if parsed.community and tree.community and parsed.community != tree.community:
            return []
        if parsed.building:
            nodes = [n for zone, n in tree.by_number.get(parsed.building, {}).items() if parsed.zone in ("", zone)]
            return [hit for node in nodes for hit in self._inside(node, parsed)]
        if parsed.zone and not (parsed.unit or parsed.room or parsed.remainder):
            return [
                self._to_hit(node.place, "building", 0.6) for node in tree.nodes() if node.place.zone == parsed.zone
            ]
        return []

    def _inside(self, node: BuildingNode, parsed: ParsedAddress) -> list[SearchHit]:
        if parsed.remainder in node.others:
            return [self._to_hit(node.others[parsed.remainder], "room")]
        if parsed.room:
            rooms = [r for r in node.rooms_by_number.get(parsed.room, []) if parsed.unit in ("", r.unit)]
            if rooms:
                return [self._to_hit(room, "room") for room in rooms]
        entrance = node.entrances.get(parsed.unit)
        if entrance is not None:
            return [self._to_hit(entrance, "unit", 0.8 if parsed.room else 1.0)]
        return [self._to_hit(node.place, "building", 0.7 if parsed.room or parsed.unit else 1.0)]

    def _to_hit(self, place: Place, kind: str, score: float = 1.0) -> SearchHit:
        x_m, y_m = self._places.get("address_id", {}).get(place.address_id or "", (None, None))
        if x_m is None:
            x_m, y_m = self._places.get("building_id", {}).get(place.building_id or "", (None, None))
        label = place.text or f"{place.zone}{place.building}幢{place.unit}单元"
        if kind == "building":
            key = place.building_id or place.address_id or label
        else:
            key = place.address_id or f"{place.building_id}/{place.unit}"
        return SearchHit(kind, key, label, place.building_id, place.unit_id, x_m, y_m, score)


def _positions(frame: pd.DataFrame, key: str) -> dict[str, tuple[float, float]]:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
        return {}
    points = frame.geometry.representative_point()
    known = points.notna() & ~points.is_empty
    return {
        str(k): (float(x), float(y))
        for k, x, y in zip(frame[key][known], points[known].x, points[known].y, strict=True)
    }


def _with_score(hit: SearchHit, score: float) -> SearchHit:
    return SearchHit(hit.kind, hit.id, hit.label, hit.building_id, hit.unit_id, hit.x_m, hit.y_m, score)


def _natural(label: str) -> tuple[tuple[int, str], ...]:
    """Sort key that puts 2幢 before 12幢."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", label))
