"""
Where a check-in point could be, pure: for each hot place the nearest gate, where somebody is anyway, so that a
volunteer never waits alone in a corner and a poster hangs where posters hang.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shapely import Point
from shapely.geometry.base import BaseGeometry

REACH_M: Final = 250.0
APART_M: Final = 60.0


@dataclass(frozen=True)
class Spot:
    """A public spot with the name that a poster may say; place in metres."""

    name: str
    at: Point


@dataclass(frozen=True)
class Suggestion:
    """A spot for the hot place of number `place` in what was given."""

    place: int
    spot: Spot
    gap_m: float


def suggest_points(
    places: Sequence[BaseGeometry], spots: Sequence[Spot], taken: Sequence[Point], *, most: int = 5
) -> list[Suggestion]:
    """
    Spots for the hottest places first, at most one for each.

    Parameters
    ----------
    places
        Hot places in their order, metres; one that has a point in reach needs no other.
    spots
        Public spots with a name.
    taken
        Points that there are: nothing is suggested nearer than `APART_M` to one, nor to another suggestion.
    """
    kept, found = list(taken), list[Suggestion]()
    for number, place in enumerate(places):
        if any(place.distance(point) <= REACH_M / 2 for point in taken):
            continue
        near = sorted(
            ((place.distance(spot.at), spot.name, spot) for spot in spots if spot.name), key=lambda one: one[:2]
        )
        for gap_m, _, spot in near:
            if gap_m > REACH_M:
                break
            if all(spot.at.distance(other) >= APART_M for other in kept):
                found.append(Suggestion(number, spot, gap_m))
                kept.append(spot.at)
                break
        if len(found) == most:
            break
    return found
