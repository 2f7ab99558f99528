"""What to decide now: at most five things, the most pressing first, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import shapely

from incidents.baselines import MORE
from incidents.briefing import EMERGING, PERSISTENT
from ui.command_data import Place, Situation, ZoneState

MOST = 5
_COVERED = 0.5
_BLOCK_M = 8.0
_SOON = timedelta(days=7)


@dataclass(frozen=True)
class Decision:
    """One thing: a zone whose time has come, or a place without one."""

    reason: str
    """moved, worse, review, more, persistent, emerging or cluster"""
    zone: ZoneState | None = None
    place: Place | None = None
    number: int = 0
    """Of the place in the list, from 1"""


def find_decisions(situation: Situation, zones: Sequence[ZoneState], *, today: date) -> list[Decision]:
    """At most `MOST`: zones that moved trouble or made it worse, reviews, then places that no open zone covers."""
    open_zones = [zone for zone in zones if zone.row["status"] == "open"]
    found = [
        Decision(zone.effect.verdict, zone=zone)
        for zone in open_zones
        if zone.effect is not None and zone.effect.verdict in ("moved", "worse")
    ]
    told = {str(one.zone.row["zone_id"]) for one in found if one.zone is not None}
    found += [
        Decision("review", zone=zone)
        for zone in open_zones
        if zone.row["review_on"] <= today + _SOON and zone.row["zone_id"] not in told
    ]
    bare = [
        (number, place)
        for number, place in enumerate(situation.places, start=1)
        if not any(covers(zone, place, situation) for zone in open_zones)
    ]
    found += [Decision("more", place=place, number=number) for number, place in bare if place.verdict == MORE]
    if is_fresh(situation):
        found.append(Decision("cluster"))
    for trend in (PERSISTENT, EMERGING):
        found += [
            Decision(trend, place=place, number=number)
            for number, place in bare
            if place.verdict != MORE and place.standing is not None and place.standing.trend == trend
        ]
    return found[:MOST]


def is_fresh(situation: Situation) -> bool:
    """Whether the scan found a cluster beyond luck."""
    p = None if situation.cluster is None else situation.cluster.figures["p"]
    return p is not None and float(str(p)) <= 0.05


def covers(zone: ZoneState, place: Place, situation: Situation) -> bool:
    """Whether at least half of the place's incidents of the period lie in the zone, else of all."""
    points = situation.rows.geometry.to_numpy()
    own = place.inside & situation.in_period
    own = own if own.any() else place.inside
    return bool(own.any()) and float(shapely.intersects(zone.geometry, points[own]).mean()) >= _COVERED


def find_outline(place: Place, situation: Situation) -> Any:
    """What a zone around the place would be: its area with its houses, a little larger."""
    houses = situation.buildings.geometry.loc[situation.buildings.index.intersection(list(place.hot.place_ids))]
    shapes = [place.hot.geometry, *houses, *situation.rows.geometry[place.inside & situation.in_period]]
    outline = shapely.union_all([one.buffer(_BLOCK_M) for one in shapes])
    return outline if outline.geom_type == "Polygon" else outline.convex_hull


def find_cluster_outline(situation: Situation) -> Any:
    """The circle that the scan found."""
    figures = situation.cluster.figures if situation.cluster is not None else {}
    return shapely.Point(float(str(figures["x"])), float(str(figures["y"]))).buffer(float(str(figures["radius_m"])))
