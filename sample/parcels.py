"""Parcels: pieces of ground with a purpose of their own, and how their parts are placed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import translate

from sample.plans import Plan, turned


@dataclass
class Landmarks:
    """Parcels (nothing else is built there), buildings, surfaces by kind with their names, ways and fences."""

    parcels: list[Polygon] = field(default_factory=list)
    gardens: list[Polygon] = field(default_factory=list)
    """Parcels that a lane may cross as a footpath."""
    plans: list[Plan] = field(default_factory=list)
    surfaces: list[tuple[str, str | None, Polygon]] = field(default_factory=list)
    ways: list[tuple[str, str | None, float, LineString]] = field(default_factory=list)
    fences: list[tuple[LineString, str]] = field(default_factory=list)
    """Ring and the name of what it encloses."""


def rectangle(centre: tuple[float, float], width: float, depth: float, angle_deg: float) -> Polygon:
    """A rectangle around `centre`, turned counterclockwise."""
    box = shapely.box(-width / 2, -depth / 2, width / 2, depth / 2)
    return translate(turned(box, angle_deg), *centre)


def at_scale(x: float, y: float, factor: float) -> tuple[float, float]:
    """A hand-drawn place at the scale of the skeleton."""
    return (round(x * factor, 3), round(y * factor, 3))


def from_centre(centre: tuple[float, float], angle_deg: float, dx: float, dy: float) -> tuple[float, float]:
    """The place `dx` along and `dy` across a frame that is turned by `angle_deg` about `centre`."""
    turn = np.radians(angle_deg)
    return (
        round(centre[0] + dx * float(np.cos(turn)) - dy * float(np.sin(turn)), 3),
        round(centre[1] + dx * float(np.sin(turn)) + dy * float(np.cos(turn)), 3),
    )
