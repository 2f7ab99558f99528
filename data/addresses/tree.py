"""The address tree in memory: community, zones, buildings, entrances, rooms, and places that have only a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from data.addresses.aliases import Aliases
from data.addresses.grammar import fold
from data.addresses.numerals import to_canonical_number
from data.addresses.parsing import ParsedAddress, parse_address


@dataclass(frozen=True, slots=True)
class Place:
    """One node: a building, an entrance, a room or a named place."""

    text: str
    zone: str = ""
    building: str = ""
    unit: str = ""
    room: str = ""
    address_id: str | None = None
    building_id: str | None = None
    unit_id: str | None = None


@dataclass(slots=True)
class BuildingNode:
    """One building of the tree with what is in it."""

    place: Place
    entrances: dict[str, Place] = field(default_factory=dict)
    rooms: dict[tuple[str, str], Place] = field(default_factory=dict)
    rooms_by_number: dict[str, list[Place]] = field(default_factory=dict)
    rivals: set[str] = field(default_factory=set)
    """Other buildings of the same number in the same zone: nobody can tell which is meant"""
    others: dict[str, Place] = field(default_factory=dict)
    """Shop fronts, garages and cellars by what stands after the building: 门面房3号"""


class AddressTree:
    """
    Standard addresses arranged for looking up.

    Parameters
    ----------
    addresses
        Columns of `addresses`. A row with a building number goes into the tree, one without is a named place.
    aliases
        Other names; the names found in `addresses` are added.
    buildings
        Columns building_id, name, zone, number of `buildings`, for buildings that have no standard address.
    community
        Its name; None: the one that most addresses carry.
    """

    def __init__(
        self,
        addresses: pd.DataFrame,
        aliases: Aliases,
        *,
        buildings: pd.DataFrame | None = None,
        community: str | None = None,
    ) -> None:
        """Read the frames once."""
        self.by_number: dict[str, dict[str, BuildingNode]] = {}
        self.names: dict[str, list[Place]] = {}
        self._pairs: dict[str, list[str]] | None = None
        zones = {
            _text(zone) for frame in (addresses, buildings) if frame is not None for zone in _column(frame, "zone")
        }
        self.zones = zones - {""}
        known = [community] if community else []
        self.aliases = aliases.knowing(communities=known, zones=self.zones)
        communities: Counter[str] = Counter()
        self.prefixes: Counter[str] = Counter()
        for row in _rows(addresses):
            full_text = _text(row.get("full_text"))
            parsed = parse_address(full_text, self.aliases)
            communities[parsed.community] += 1
            self.prefixes[parsed.prefix] += 1
            self._add_address(row, full_text, parsed)
        for row in _rows(buildings) if buildings is not None else ():
            self._add_building(row)
        found = community or next((name for name, _ in communities.most_common() if name), "")
        self.community = self.aliases.communities.get(fold(found).upper(), found)
        if self.community:
            self.aliases = self.aliases.knowing(communities=[self.community])

    def nodes(self) -> Iterator[BuildingNode]:
        """All buildings that have a number."""
        for zones in self.by_number.values():
            yield from zones.values()

    def find_names_sharing(self, text: str, limit: int) -> list[str]:
        """Names that share most pairs of neighbouring characters with `text`; each place by one name."""
        if self._pairs is None:
            self._pairs = {}
            shortest: dict[int, str] = {}
            for name, places in self.names.items():
                for place in places:
                    shortest[id(place)] = min(name, shortest.get(id(place), name), key=len)
            for name in dict.fromkeys(shortest.values()):
                for pair in _pairs(name):
                    self._pairs.setdefault(pair, []).append(name)
        shared: Counter[str] = Counter()
        for pair in _pairs(text):
            shared.update(self._pairs.get(pair, ()))
        return [name for name, _ in shared.most_common(limit)]

    def _add_address(self, row: dict[str, Any], full_text: str, parsed: ParsedAddress) -> None:
        address_id, building_id, unit_id = (
            _text(row.get(key)) or None for key in ("address_id", "building_id", "unit_id")
        )
        zone = _text(row.get("zone"))
        building = _number(row.get("building"))
        if not building:
            self._add_name(
                Place(full_text, zone, "", "", "", address_id, building_id, unit_id), full_text, parsed.remainder
            )
            return
        unit, room = _number(row.get("unit")), _number(row.get("room"))
        place = Place(full_text, zone, building, unit, room, address_id, building_id, unit_id)
        node = self._node(zone, building, building_id)
        if room:
            if (unit, room) not in node.rooms:
                node.rooms[unit, room] = place
                node.rooms_by_number.setdefault(room, []).append(place)
            if unit:
                node.entrances.setdefault(unit, Place("", zone, building, unit, building_id=building_id))
        elif parsed.remainder:
            node.others.setdefault(parsed.remainder, place)
        elif unit:
            node.entrances[unit] = place
        else:
            node.place = place

    def _add_building(self, row: dict[str, Any]) -> None:
        building_id, name, number = _text(row.get("building_id")), _text(row.get("name")), _number(row.get("number"))
        zone = _text(row.get("zone"))
        if number:
            self._node(zone, number, building_id)
        if name and not (number and parse_address(name, self.aliases).building == number):
            self._add_name(Place(name, zone, number, building_id=building_id), name)

    def _add_name(self, place: Place, *names: str) -> None:
        for name in {fold(name).upper() for name in names if name}:
            others = self.names.setdefault(name, [])
            if all(other.building_id != place.building_id or place.building_id is None for other in others):
                others.append(place)

    def _node(self, zone: str, building: str, building_id: str | None) -> BuildingNode:
        zones = self.by_number.setdefault(building, {})
        if zone not in zones:
            zones[zone] = BuildingNode(Place(f"{zone}{building}幢", zone, building, building_id=building_id))
        node = zones[zone]
        if building_id and node.place.building_id and node.place.building_id != building_id:
            node.rivals.add(building_id)
        return node


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}


def _column(frame: pd.DataFrame, name: str) -> list[Any]:
    return frame[name].tolist() if name in frame else []


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    wanted = ("address_id", "full_text", "zone", "building", "unit", "room", "building_id", "unit_id", "name", "number")
    present = [name for name in wanted if name in frame]
    for values in zip(*(frame[name].tolist() for name in present), strict=True):
        yield dict(zip(present, values, strict=True))


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()  # NaN differs from itself


def _number(value: object) -> str:
    text = fold(_text(value))
    return to_canonical_number(text) if text else ""
