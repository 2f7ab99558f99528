"""Parser of standard addresses (标准地址) down to the room. It only reads: whether a place exists is for `matching`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data.addresses.aliases import NO_ALIASES, Aliases
from data.addresses.grammar import (
    ADMINISTRATIVE,
    COMMUNITY,
    INDOORS,
    LEVEL_START,
    ROAD,
    SEVERAL_ROOMS,
    STRUCTURE,
    fold,
    smooth,
)
from data.addresses.numerals import to_canonical_number, to_zone

_SEPARATORS = ",、:;。. /"


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """Parts of an address in canonical form; an empty string (level: None) where the text says nothing."""

    community: str = ""
    """Canonical name of the community: 万户新村"""
    zone: str = ""
    """Part of the community: 西区, A区, 3区"""
    building: str = ""
    """Number of the building: 12, 12-1, A3, 甲"""
    unit: str = ""
    """Entrance (单元): 3, 甲, 东"""
    room: str = ""
    """Room number: 402, 402A"""
    level: int | None = None
    """Storey, only where the text says it: 4楼, -1层; never worked out from the room"""
    remainder: str = ""
    """What follows and is none of these: remarks, garages, shop fronts; the whole text when nothing was understood"""
    prefix: str = ""
    """What came before the community: province, city, district, street, road with number"""

    @property
    def is_empty(self) -> bool:
        """Nothing of the structure was understood."""
        return not (self.community or self.zone or self.building or self.unit or self.room)


def parse_address(text: str, aliases: Aliases = NO_ALIASES) -> ParsedAddress:
    """
    Parts of an address as people write it.

    Understands 幢/栋/号楼/#/座, 单元/门 or their absence (a number of 3 or 4 digits directly before 室 or at the
    end is a room), 12-3-402, entrances 甲乙丙 and 东西中, zones, storeys, Chinese, full-width and zero-padded
    numbers, and other names from `aliases`. Never raises; time grows linearly with the length of the text.
    """
    text = smooth(fold(text).strip(_SEPARATORS))
    found = aliases.find_community(text)
    if found is not None and STRUCTURE.search(text, 0, found[0]) is None:
        start, community = found[1], found[2]
        prefix = text[: found[0]].strip(_SEPARATORS)
    else:
        community, prefix, start = _find_unlisted_community(text, aliases)
    if aliases.buildings:
        text = _replace_building(text, start, aliases)

    tail = aliases.tail.match(text, start)
    zone = building = unit = room = ""
    level: int | None = None
    end = start
    if tail is not None and tail.lastindex:
        end = tail.end()
        zone, building, unit = _read_tail(tail, aliases)
    if building or unit:
        indoors = INDOORS.match(text, end)
        if indoors is not None and indoors.lastindex:
            end = indoors.end()
            if indoors[1]:
                level = _to_level(indoors[1])
            if said := indoors[2] or indoors[3]:
                if SEVERAL_ROOMS.match(text, end):
                    end = indoors.start(2 if indoors[2] else 3)  # 401-402 is neither of them for sure
                else:
                    room = to_canonical_number(said.rstrip("号室房"))
    remainder = _strip_remark(text[end:])
    if level is None and remainder and (match := LEVEL_START.match(remainder)):
        level = _to_level(match[0])
    return ParsedAddress(community, zone, building, unit, room, level, remainder, prefix)


def _find_unlisted_community(text: str, aliases: Aliases) -> tuple[str, str, int]:
    """(community, prefix, position) by the shape of the text alone."""
    administrative = ADMINISTRATIVE.match(text)
    start = administrative.end() if administrative is not None else 0
    tail = aliases.tail.match(text, start)
    if (tail is not None and (tail.lastindex or 0) > 1) or aliases.replace_building(text, start) is not text:
        return "", text[:start], start  # a zone and building of ours, or a building's other name
    road = ROAD.match(text, start)
    for position in ([road.end()] if road else []) + [start]:
        match = COMMUNITY.match(text, position)
        if match is not None:
            return match[0], text[:position], match.end()
    return "", text[:start], start


def _replace_building(text: str, start: int, aliases: Aliases) -> str:
    replaced = aliases.replace_building(text, start)
    if replaced is not text:
        return replaced
    tail = aliases.tail.match(text, start)
    zone_only = tail is not None and tail.lastindex == 1
    return aliases.replace_building(text, tail.end()) if tail is not None and zone_only else text


def _read_tail(tail: re.Match[str], aliases: Aliases) -> tuple[str, str, str]:
    (zone, b1, u1, u7, u2, u3, b2, u4, b3, b4, u5, u6) = tail.groups("")
    building = b1 or b2 or b3 or b4
    unit = u1 or u7 or u2 or u3 or u4 or u5 or u6
    if zone:
        zone = aliases.zones.get(zone.upper()) or to_zone(zone)
    return (
        zone,
        to_canonical_number(building) if building else "",
        to_canonical_number(unit) if unit else "",
    )


def _to_level(text: str) -> int | None:
    number = text[:-1]
    below = number[0] in "-负地Bb"
    digits = to_canonical_number(number.lstrip("-负地下Bb") or "0")
    if not digits.isdecimal() or digits == "0":
        return None
    return -int(digits) if below else int(digits)


def _strip_remark(text: str) -> str:
    text = text.strip(_SEPARATORS)
    return text[1:-1].strip(_SEPARATORS) if text[:1] == "(" and text[-1] == ")" and _is_enclosed(text) else text


def _is_enclosed(text: str) -> bool:
    """The bracket at the start is closed by the one at the end, not before."""
    depth = 0
    for c in text[:-1]:
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return False
    return True
