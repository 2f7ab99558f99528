"""The nearest addresses to one that does not exist, and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from data.addresses.grammar import fold
from data.addresses.parsing import ParsedAddress
from data.addresses.tree import AddressTree, BuildingNode, Place

PENALTIES = {"zone": 0.3, "building": 0.3, "unit": 0.2, "room": 0.2}
"""What a part that differs takes from a candidate's confidence; half of it where the text does not say the part."""
_COMPARED_NAMES = 30
"""Only so many names, those that share most pairs of characters, are compared in full."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address near to the one that was said."""

    text: str
    address_id: str | None
    building_id: str | None
    unit_id: str | None
    confidence: float
    """1 minus the `PENALTIES` of what differs; for names their similarity (difflib)"""
    differs: tuple[tuple[str, str, str], ...]
    """(part, as said, as it is there); parts are zone, building, unit, room, name"""


def find_candidates(tree: AddressTree, parsed: ParsedAddress, limit: int = 5) -> tuple[Candidate, ...]:
    """The `limit` nearest: one slip in the building's or room's number, another zone or entrance, a like name."""
    if not parsed.building:
        return _similar_names(tree, parsed, limit)
    found: list[Candidate] = []
    for number in _one_slip(parsed.building, tree.by_number):
        for node in tree.by_number[number].values():
            found += [_candidate(place, parsed) for place in _near_rooms(node, parsed)]
    found.sort(key=lambda candidate: (-candidate.confidence, len(candidate.text), candidate.text))
    return tuple(found[:limit])


def _near_rooms(node: BuildingNode, parsed: ParsedAddress) -> list[Place]:
    if not parsed.room:
        entrance = node.entrances.get(parsed.unit)
        return [entrance or node.place]
    places = [room for number in _one_slip(parsed.room, node.rooms_by_number) for room in node.rooms_by_number[number]]
    return places or [node.place]


def _candidate(place: Place, parsed: ParsedAddress) -> Candidate:
    differs: list[tuple[str, str, str]] = []
    confidence = 1.0
    for part, penalty in PENALTIES.items():
        said, there = getattr(parsed, part), getattr(place, part)
        if said == there:
            continue
        differs.append((part, said, there))
        confidence -= penalty if said else penalty / 2
    text = place.text or f"{place.zone}{place.building}幢{place.unit}单元"
    return Candidate(
        text, place.address_id, place.building_id, place.unit_id, round(max(confidence, 0.0), 4), tuple(differs)
    )


def _one_slip(number: str, known: Collection[str]) -> list[str]:
    """Known numbers that are this one or one slip away: a digit wrong, missing, too many, or two swapped."""
    characters = "0123456789"
    forms = {number: None}
    for i in range(len(number) + 1):
        left, right = number[:i], number[i:]
        forms |= dict.fromkeys(left + c + right for c in characters)
        if right:
            forms |= dict.fromkeys(left + c + right[1:] for c in characters)
            forms[left + right[1:]] = None
        if len(right) > 1:
            forms[left + right[1] + right[0] + right[2:]] = None
    return [form for form in forms if form in known]


def _similar_names(tree: AddressTree, parsed: ParsedAddress, limit: int) -> tuple[Candidate, ...]:
    said = fold(f"{parsed.zone}{parsed.remainder}").upper()[:60]
    near = difflib.get_close_matches(said, tree.find_names_sharing(said, _COMPARED_NAMES), n=limit, cutoff=0.5)
    found: list[Candidate] = []
    for name in near:
        likeness = round(difflib.SequenceMatcher(None, said, name).ratio(), 4)
        found += [
            Candidate(p.text, p.address_id, p.building_id, p.unit_id, likeness, (("name", said, name),))
            for p in tree.names[name]
        ]
    return tuple(found[:limit])
