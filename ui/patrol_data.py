"""What a patrol plan can be made of: places from zones, hot places and fixed points, people by their duty hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.patrols import to_plan
from data.queries import (
    find_buildings,
    find_forces,
    find_gates,
    find_grids,
    find_key_sites,
    find_patrol_plans,
    find_zone_records,
)
from data.store import Store
from data.viewer import Viewer
from data.zone_hours import ZoneHours
from gis.walk_pace import Vehicle
from i18n import Language, t, term
from incidents.duty import NIGHT, VOLUNTEER
from incidents.patrol_rates import reckon_rates
from incidents.patrol_shift import Start, Wish
from incidents.patrol_teams import LEAST_DUTY, Person
from ui.command_data import Question, Situation, find_situation
from ui.command_words import say_name
from ui.tables import LOCAL

RATE_WEEKS = 52
DATA: Language = "zh"
"""Names are stored with the plan: they are data, in the language of the data, whoever plans."""
MOST_PEOPLE = 8
_DAY = timedelta(days=1)
_MOST_HOT = 20
_OFFICE = "police_office"

Json = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A place that can be chosen: its stop, its outline, and for a zone its days and hours."""

    wish: Wish
    outline: BaseGeometry
    is_open_then: bool
    """A zone of other days or hours is not chosen unasked."""


@dataclass(frozen=True)
class Duty:
    """A responder who is on duty in the shift: the longest part of it that their hours cover."""

    person: Person
    call_sign: str
    start: Start

    def say(self, lang: Language) -> str:
        """Call sign, kind and hours."""
        begin, end = (at.astimezone(LOCAL) for at in (self.person.from_utc, self.person.to_utc))
        kind = term("responder", self.person.kind, lang)
        return f"{self.call_sign} · {kind} · {begin:%H:%M}–{end:%H:%M}"


def find_shift_hours(store: Store, viewer: Viewer) -> list[tuple[time, time]]:
    """Duty hours that people have, the most usual first."""
    forces = find_forces(store, viewer)
    known = forces.dropna(subset=["duty_from", "duty_to"])
    counts = Counter(zip(known["duty_from"], known["duty_to"], strict=True))
    return [hours for hours, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]


def get_shift(day: date, hours: tuple[time, time]) -> tuple[datetime, datetime]:
    """Begin and end, aware; an end that is not after the begin is on the next day."""
    begin, end = (datetime.combine(day, at, LOCAL) for at in hours)
    return begin, end if end > begin else end + _DAY


def find_candidates(
    store: Store, viewer: Viewer, begin: datetime, end: datetime
) -> tuple[list[Candidate], Situation | None]:
    """Open zones, hot places outside of them, then fixed points; with the incidents that rates are reckoned from."""
    situation = find_situation(store, viewer, Question(RATE_WEEKS))
    houses = find_buildings(store, viewer)
    grids = find_grids(store, viewer)
    found = _list_zones(find_zone_records(store, viewer, with_closed=False), begin, end)
    zones = [one.outline for one in found]
    for place in () if situation is None else situation.places[:_MOST_HOT]:
        if not any(shapely.intersects(place.hot.geometry, zone) for zone in zones):
            key = (place.hot.place_ids or place.hot.cell_ids)[0]
            middle = place.hot.geometry.representative_point()
            wish = _to_wish(f"hot:{key}", say_name(place, DATA), "hot", middle)
            found.append(Candidate(wish, place.hot.geometry, True))
    found += _list_fixed(find_key_sites(store, viewer), find_gates(store, viewer), houses)
    return [_place(one, houses, grids) for one in found], situation


def with_rates(chosen: Sequence[Candidate], situation: Situation | None) -> list[Wish]:
    """The chosen places with what they expect by the hour."""
    if not chosen:
        return []
    xy, hour, days = np.empty((0, 2)), np.empty(0), 1.0
    if situation is not None:
        begin = pd.to_datetime(situation.rows["occurred_from_utc"], utc=True).dt.tz_convert(LOCAL)
        since = max(situation.first, situation.until - timedelta(weeks=RATE_WEEKS))
        kept = (begin >= since).to_numpy()
        xy = shapely.get_coordinates(situation.rows.geometry.to_numpy())[kept]
        hour = (begin.dt.hour + begin.dt.minute / 60).to_numpy(np.float64)[kept]
        days = (situation.until - since) / _DAY
    points = [one.wish.spot.point for one in chosen]
    rates = reckon_rates([one.outline for one in chosen], points, xy, hour, days=days)
    return [
        replace(one.wish, expected_per_h=tuple(float(rate) for rate in row))
        for one, row in zip(chosen, rates, strict=True)
    ]


def find_people(store: Store, viewer: Viewer, begin: datetime, end: datetime) -> list[Duty]:
    """Who is on duty for an hour of the shift at least, police first, then the longest there."""
    forces = find_forces(store, viewer)
    grids = find_grids(store, viewer).set_index("grid_id")
    office = _find_office(store, viewer)
    people = []
    for row in forces.drop(columns="geom").to_dict("records"):
        hours = _find_hours(row, begin, end)
        if hours is None:
            continue
        grid = None if pd.isna(row["home_grid_id"]) else str(row["home_grid_id"])
        vehicle = str(row["vehicle"]) if row["vehicle"] in set(Vehicle) else Vehicle.FOOT.value
        person = Person(str(row["responder_id"]), str(row["kind"]), Vehicle(vehicle), *hours, grid_id=grid)
        start = office if person.is_police or grid not in grids.index else _start_of(grids.loc[grid])
        if start is not None:
            people.append(Duty(person, str(row["call_sign"]), start))
    return sorted(people, key=lambda one: (not one.person.is_police, one.person.from_utc - one.person.to_utc))


def choose_people(people: Sequence[Duty], joint: int) -> list[str]:
    """Whom a new plan begins with: police, one guard for each joint patrol, volunteers never unasked."""
    police = [one for one in people if one.person.is_police]
    guards = [one for one in people if not one.person.is_police and one.person.kind != VOLUNTEER]
    chosen = [*police[: MOST_PEOPLE - min(joint, len(guards))], *guards[:joint]]
    return [one.person.responder_id for one in (chosen or guards[:MOST_PEOPLE])]


def find_plans(store: Store, viewer: Viewer) -> list[Json]:
    """Plans, the latest shift first."""
    return [to_plan(row) for row in find_patrol_plans(store, viewer).to_dict("records")]


def count_planned(plans: Sequence[Json], begin: datetime, end: datetime) -> dict[str, int]:
    """Visits that approved plans of other shifts of the same day make, by place; one of this shift is replaced."""
    day = begin.astimezone(LOCAL).date()
    counts: Counter[str] = Counter()
    for plan in plans:
        is_that_day = plan["begin_utc"].astimezone(LOCAL).date() == day
        is_apart = plan["end_utc"] <= begin or plan["begin_utc"] >= end
        if plan["state"] in ("approved", "running", "done") and is_that_day and is_apart:
            counts.update(stop["place_id"] for team in plan["found"]["teams"] for stop in team["stops"])
    return dict(counts)


def find_base(plans: Sequence[Json], plan: Json) -> Json | None:
    """What a plan is compared with: the last that was approved before it, of the same hours if there is one."""
    earlier = [
        one
        for one in plans
        if one["plan_id"] != plan["plan_id"]
        and one["state"] in ("approved", "running", "done")
        and one["begin_utc"] <= plan["begin_utc"]
    ]
    hours = plan["begin_utc"].astimezone(LOCAL).time()
    same = [one for one in earlier if one["begin_utc"].astimezone(LOCAL).time() == hours]
    return next(iter(same or earlier), None)


def find_call_signs(store: Store, viewer: Viewer) -> dict[str, str]:
    """Call signs by responder."""
    forces = find_forces(store, viewer)
    return dict(zip(forces["responder_id"].astype(str), forces["call_sign"].astype(str), strict=True))


def _list_zones(zones: gpd.GeoDataFrame, begin: datetime, end: datetime) -> list[Candidate]:
    found = []
    for row in zones.to_dict("records"):
        has_hours = isinstance(row["hours_from"], time) and isinstance(row["hours_to"], time)
        hours = ZoneHours(
            str(row["weekdays"]),
            row["hours_from"] if has_hours else None,
            row["hours_to"] if has_hours else None,
        )
        days = [begin.astimezone(LOCAL).date() + n * _DAY for n in (-1, 0, 1)]
        windows = [window for day in days if (window := hours.find_window(day)) is not None]
        within = tuple((max(a, begin), min(b, end)) for a, b in windows if a < end and b > begin)
        is_whole = any(a <= begin and b >= end for a, b in within)
        wish = _to_wish(f"zone:{row['zone_id']}", str(row["name"]), "zone", row["geom"].representative_point())
        wish = replace(
            wish, weight=float(row["weight"]), hours_utc=() if is_whole or not within else within,
            needs_joint=bool(str(row["partners"] or "").strip()),
        )  # fmt: skip
        found.append(Candidate(wish, row["geom"], bool(within)))
    return found


def _list_fixed(sites: gpd.GeoDataFrame, gates: gpd.GeoDataFrame, houses: gpd.GeoDataFrame) -> list[Candidate]:
    outlines = houses.set_index("building_id").geometry
    found = []
    for row in sites.to_dict("records"):
        if row["building_id"] in outlines.index:
            shape = outlines[row["building_id"]]
            wish = _to_wish(f"site:{row['site_id']}", str(row["name"]), "fixed", shape.representative_point())
            found.append(Candidate(replace(wish, building_id=str(row["building_id"])), shape, False))
    for row in gates.to_dict("records"):
        name = str(row["name"] or row["gate_id"])
        found.append(Candidate(_to_wish(f"gate:{row['gate_id']}", name, "fixed", row["geom"]), row["geom"], False))
    return found


def _to_wish(place_id: str, name: str, kind: str, middle: Any) -> Wish:
    return Wish(place_id, name, kind, float(middle.x), float(middle.y), (0.0,) * 24)


def _place(one: Candidate, houses: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> Candidate:
    """With the house that its stop stands before, and its grid."""
    point = one.wish.spot.point
    house = houses.loc[houses.geometry.intersects(point), "building_id"]
    grid = grids.loc[grids.geometry.intersects(point), "grid_id"]
    wish = replace(
        one.wish,
        building_id=one.wish.building_id or (None if house.empty else str(house.iloc[0])),
        grid_id=None if grid.empty else str(grid.iloc[0]),
    )
    return replace(one, wish=wish)


def _find_office(store: Store, viewer: Viewer) -> Start | None:
    """The police office; where none is known, the middle of the houses."""
    sites, houses = find_key_sites(store, viewer), find_buildings(store, viewer).set_index("building_id")
    offices = sites[(sites["kind"] == _OFFICE) & sites["building_id"].isin(houses.index)]
    if not offices.empty:
        row = offices.iloc[0]
        middle = houses.geometry[row["building_id"]].representative_point()
        return Start(str(row["name"]), float(middle.x), float(middle.y), str(row["building_id"]))
    if houses.empty:
        return None
    middle = shapely.centroid(shapely.union_all(houses.geometry.to_numpy()))
    nearest = houses.geometry.distance(middle).idxmin()
    at = houses.geometry[nearest].representative_point()
    return Start(str(houses.at[nearest, "name"] or nearest), float(at.x), float(at.y), str(nearest))


def _start_of(grid: Mapping[str, Any] | pd.Series) -> Start | None:
    shape = grid["geom"]
    if shape is None or shape.is_empty:
        return None
    middle = shape.representative_point()
    name = t("patrol.start_grid", DATA, name=str(grid["name"] or grid["number"]))
    return Start(name, float(middle.x), float(middle.y))


def _find_hours(row: Mapping[Any, Any], begin: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    """The longest part of the shift within duty hours; without the night for who has none."""
    duty_from, duty_to = row["duty_from"], row["duty_to"]
    if not isinstance(duty_from, time) or not isinstance(duty_to, time):
        return None
    first = begin.astimezone(LOCAL).date()
    spans = [get_shift(first + n * _DAY, (duty_from, duty_to)) for n in (-1, 0, 1)]
    parts = [(max(a, begin), min(b, end)) for a, b in spans if min(b, end) > max(a, begin)]
    if bool(row["no_night_duty"]):
        night = [get_shift(first + n * _DAY, NIGHT) for n in (-1, 0, 1)]
        for a, b in night:
            parts = [piece for c, d in parts for piece in ((c, min(d, a)), (max(c, b), d)) if piece[0] < piece[1]]
    best = max(parts, key=lambda part: part[1] - part[0], default=None)
    return best if best is not None and best[1] - best[0] >= LEAST_DUTY else None
