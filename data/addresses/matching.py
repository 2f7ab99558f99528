"""Matching a text to the address tree: how far it got, how sure that is, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import pandas as pd

from data.addresses.aliases import NO_ALIASES, Aliases
from data.addresses.candidates import Candidate, find_candidates
from data.addresses.grammar import fold
from data.addresses.parsing import ParsedAddress, parse_address
from data.addresses.tree import AddressTree, BuildingNode, Place

FACTORS: Mapping[str, float] = MappingProxyType(
    {
        "exact": 1.0,  # every part that is said exists, and nothing had to be added
        "named": 1.0,  # the name of exactly one place
        "community_not_said": 0.95,  # but everything else fits
        "prefix_unexplained": 0.95,  # something before the community's name that the addresses do not have
        "unit_inferred": 0.95,  # entrance not said, one room of that number in the building
        "zone_inferred": 0.9,  # zone not said, one building of that number
        "no_rooms_registered": 0.9,  # room said, the register has none for this building
        "zone_inferred_from_room": 0.8,  # zone not said, several such buildings, one with that room
        "near": 0.6,  # 对面, 旁边, 附近: beside the place, not in it
        "ambiguous_unit": 0.5,  # building sure, several rooms of that number
        "no_such_unit": 0.5,  # building sure, no such entrance
        "no_such_room": 0.5,  # building or entrance sure, no such room
        "no_such_part": 0.5,  # building sure, no such shop front, garage or cellar
        "zone_only": 0.5,  # a zone is said and nothing in it
    }
)
"""What each finding leaves of the confidence; it starts at 1 and is multiplied by the factor of every finding."""

UNMATCHED = (
    "empty", "not_understood", "another_community", "another_place", "no_building", "no_such_zone", "no_such_building",
    "ambiguous_zone", "ambiguous_name",
)  # fmt: skip
"""Reasons for no match at all: confidence 0."""

_NEAR = re.compile(
    r"^(?:的)?(?:.{0,8}之间|-?\d{1,3}(?:幢|栋|号楼)|与|和|到|至"
    r"|[东西南北]?(?:对面|旁边?|附近|后面|前面|门口|边上|侧|隔壁|路口))"
)
# Parts of an address that were not understood: 3元402, A402, 3-4-402; not a telephone number, not a date.
_INDOORS = re.compile(r"^[-/]?(?!\d{6}|\d{4}年)(?:\d{1,4}|[A-Za-z]\d)")
_PART = re.compile(r"[^室]{0,6}?(?:门面|商铺|店面|车库|车位|储藏|地下室|柜台|摊位)")
_PIECES = re.compile(
    r"(?:\d{6})?(?:([\u3400-\u9fff]{2,7}?)(?:省|自治区))?(?:([\u3400-\u9fff]{2,6}?)市)?(?:([\u3400-\u9fff]{1,6}?)[区县])?"
)
_LOCAL = re.compile(
    r"\d{6}|[\u3400-\u9fff]{1,6}?(?:街道|社区|居委会|镇|乡)|[\u3400-\u9fff]{1,8}?(?:路|街|大道|巷|弄)\d{1,5}(?:-\d{1,3})?号院?"
    r"|我们?家?|住?在|位于|地址|[省市区县:,、.]"
)


@dataclass(frozen=True, slots=True)
class AddressMatch:
    """Where a text led in the address tree."""

    parsed: ParsedAddress
    """What was read"""
    address_id: str | None
    building_id: str | None
    unit_id: str | None
    level_of_match: str
    """room, unit (entrance), building, zone or none"""
    confidence: float
    """0 to 1: the product of `FACTORS` of all findings; 0 for the reasons of `UNMATCHED`"""
    reason: str
    """The finding that counts most against it; exact or named when none does"""
    findings: tuple[str, ...]
    """All findings"""
    values: Mapping[str, str]
    """For the sentence that says the reason: zone, building, unit, room, community, prefix, remainder as said"""
    candidates: tuple[Candidate, ...]
    """The nearest addresses, at most 5, when the text did not lead as far as it says"""

    @property
    def is_complete(self) -> bool:
        """The match goes as deep as the text does."""
        if self.level_of_match == "none":
            return False
        failed = {"ambiguous_unit", "no_such_unit", "no_such_room", "no_such_part", "no_rooms_registered", "near"}
        return self.level_of_match != "zone" and failed.isdisjoint(self.findings)


class AddressMatcher:
    """
    Matches texts to the standard addresses of one community.

    Never guesses between two places: a text that fits several is not matched, and they are listed. A text that names
    another community, city or district is not matched, however well its numbers fit.

    Parameters
    ----------
    addresses
        Rows of `addresses`.
    aliases
        Rows of `aliases`, as `Aliases`.
    buildings
        Rows of `buildings`, for places known by a name or without standard address.
    community
        The community's name; None: the one that most addresses carry.
    """

    def __init__(
        self,
        addresses: pd.DataFrame,
        aliases: Aliases = NO_ALIASES,
        *,
        buildings: pd.DataFrame | None = None,
        community: str | None = None,
    ) -> None:
        """Build the tree once; matching does not change it."""
        self.tree = AddressTree(addresses, aliases, buildings=buildings, community=community)
        prefix = next((text for text, _ in self.tree.prefixes.most_common() if text), "")
        self._pieces = _pieces(prefix)

    def match(self, text: str, *, with_candidates: bool = True) -> AddressMatch:
        """
        Match one text. Never raises.

        `with_candidates=False` spares the search for near addresses.
        """
        parsed = parse_address(text, self.tree.aliases)
        findings: list[str] = []
        place, level = self._find(fold(text), parsed, findings)
        worst = min(findings, key=lambda finding: FACTORS.get(finding, 0.0))
        confidence = 1.0
        for finding in findings:
            confidence *= FACTORS.get(finding, 0.0)
        values = {
            key: str(getattr(parsed, key))
            for key in ("community", "zone", "building", "unit", "room", "prefix", "remainder")
            if getattr(parsed, key)
        }
        result = AddressMatch(
            parsed,
            place.address_id if place else None,
            place.building_id if place else None,
            place.unit_id if place else None,
            level,
            round(confidence, 4),
            worst,
            tuple(findings),
            values,
            (),
        )
        if result.is_complete or not with_candidates or worst in ("empty", "another_community", "another_place"):
            return result
        return replace(result, candidates=find_candidates(self.tree, parsed))

    def _find(self, text: str, parsed: ParsedAddress, findings: list[str]) -> tuple[Place | None, str]:
        if not text:
            return _nowhere(findings, "empty")
        if named := self._find_named(text, parsed):
            if len(named) > 1:
                return _nowhere(findings, "ambiguous_name")
            findings.append("named")
            return named[0], "room" if named[0].unit_id else "building"
        if parsed.community and parsed.community != self.tree.community:
            return _nowhere(findings, "another_community")
        if self._is_elsewhere(parsed.prefix):
            return _nowhere(findings, "another_place")
        if parsed.is_empty:
            return _nowhere(findings, "not_understood")
        if parsed.zone and parsed.zone not in self.tree.zones:
            return _nowhere(findings, "no_such_zone")
        if not parsed.building:
            if not parsed.zone or parsed.unit or parsed.room:
                return _nowhere(findings, "no_building")
            findings.append("zone_only")
            return None, "zone"
        node = self._find_building(parsed, findings)
        if node is None:
            return None, "none"
        if not parsed.community and self.tree.community:
            findings.append("community_not_said")
        if parsed.prefix and self._unexplained(parsed.prefix):
            findings.append("prefix_unexplained")
        if _NEAR.match(parsed.remainder):
            findings.append("near")
        place, level = _find_inside(node, parsed, findings)
        if not findings:
            findings.append("exact")
        return place, level

    def _find_named(self, text: str, parsed: ParsedAddress) -> list[Place]:
        names = self.tree.names
        if not names:
            return []
        own = parsed.community in ("", self.tree.community) and not self._is_elsewhere(parsed.prefix)
        whole = names.get(text.upper(), [])
        if whole or not own:
            return whole
        rest = f"{parsed.zone}{parsed.remainder}" if not (parsed.building or parsed.unit or parsed.room) else ""
        return names.get(rest.upper(), []) or names.get(parsed.remainder.upper() if rest else "", [])

    def _find_building(self, parsed: ParsedAddress, findings: list[str]) -> BuildingNode | None:
        zones = self.tree.by_number.get(parsed.building, {})
        if parsed.zone:
            node = zones.get(parsed.zone)
            if node is None or node.rivals:
                findings.append("ambiguous_zone" if node else "no_such_building")
                return None
            return node
        if len(zones) == 1:
            zone, node = next(iter(zones.items()))
            if node.rivals:
                findings.append("ambiguous_zone")
                return None
            if zone:
                findings.append("zone_inferred")
            return node
        fitting = [node for node in zones.values() if parsed.room and not node.rivals and _holds(node, parsed)]
        if len(fitting) == 1:
            findings.append("zone_inferred_from_room")
            return fitting[0]
        findings.append("ambiguous_zone" if zones else "no_such_building")
        return None

    def _is_elsewhere(self, prefix: str) -> bool:
        """Province, city or district is said, and it is another one than in the community's own addresses."""
        return any(said and own and said != own for said, own in zip(_pieces(prefix), self._pieces, strict=True))

    def _unexplained(self, prefix: str) -> str:
        rest = _LOCAL.sub("", prefix)
        for piece in sorted(filter(None, self._pieces), key=len, reverse=True):
            rest = rest.replace(piece, "")
        return _LOCAL.sub("", rest).strip()


def _find_inside(node: BuildingNode, parsed: ParsedAddress, findings: list[str]) -> tuple[Place, str]:
    building = (node.place, "building")
    if not parsed.room and parsed.remainder in node.others:
        return node.others[parsed.remainder], "room"
    if _PART.match(parsed.remainder):
        findings.append("no_such_part")
    entrance = node.entrances.get(parsed.unit) if parsed.unit else None
    if parsed.room and not node.rooms:
        findings.append("no_rooms_registered")
        return (entrance, "unit") if entrance else building
    if parsed.unit and entrance is None:
        alone = node.rooms.get(("", parsed.room)) if not node.entrances else None
        if alone is not None:
            findings.append("unit_inferred")
            return alone, "room"
        findings.append("no_such_unit")
        return building
    if parsed.room and parsed.unit:
        room = node.rooms.get((parsed.unit, parsed.room))
        if room is None:
            findings.append("no_such_room")
            return (entrance, "unit") if entrance else building
        return room, "room"
    if parsed.room:
        rooms = node.rooms_by_number.get(parsed.room, [])
        if len(rooms) == 1:
            if rooms[0].unit:
                findings.append("unit_inferred")
            return rooms[0], "room"
        findings.append("ambiguous_unit" if rooms else "no_such_room")
        return building
    if _INDOORS.match(parsed.remainder) and not {"near", "no_such_part"} & set(findings):
        findings.append("no_such_part")
    return (entrance, "unit") if entrance else building


def _holds(node: BuildingNode, parsed: ParsedAddress) -> bool:
    if parsed.unit:
        return (parsed.unit, parsed.room) in node.rooms
    return parsed.room in node.rooms_by_number


def _nowhere(findings: list[str], reason: str) -> tuple[None, str]:
    findings.append(reason)
    return None, "none"


def _pieces(prefix: str) -> tuple[str, str, str]:
    match = _PIECES.match(prefix)
    province, city, district = match.groups("") if match else ("", "", "")
    return province, city, district
