"""What the map of a patrol plan is given: ground, routes in the drawing's units, times in minutes of the first day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from data.queries import find_boundary, find_buildings, find_roads, find_walls, find_zone_records
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t
from ui.command_plan import Plane
from ui.tables import LOCAL

Json = dict[str, Any]
COLOURS = ("#7cc4ee", "#5fd0b4", "#ffbe54", "#c9a2f2", "#f59ac0", "#a8d65c", "#e6e27a", "#8fa8ff", "#d8b08c", "#9adfe8")
"""Of teams in their order; none of them is the red of an alarm."""
_MOST_LETTERS = 16
_MINUTE = timedelta(minutes=1)
_TABLES = ("community", "buildings", "roads", "walls", "zones")


def build_map_data(
    store: Store, viewer: Viewer, panes: Sequence[tuple[str, Json]], call_signs: Mapping[str, str], lang: Language
) -> Json:
    """For one or two plans (title, plan): the first one's shift is the clock's."""
    at, ground = _build_ground(store, viewer.scope, store.revision(*_TABLES))
    midnight = panes[-1][1]["begin_utc"].astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    data: Json = {
        "ground": ground,
        "unit": round(at.unit, 3),
        "begin": (panes[-1][1]["begin_utc"] - midnight) / _MINUTE,
        "end": (panes[-1][1]["end_utc"] - midnight) / _MINUTE,
        "panes": [_build_pane(title, plan, at, call_signs) for title, plan in panes],
        "words": {name: t(f"patrol.map_{name}", lang) for name in ("clock", "play", "pause")},
    }
    data["print"] = str(hash(json.dumps(data, sort_keys=True)))
    return data


def say_team(team: Mapping[str, Any], call_signs: Mapping[str, str]) -> str:
    """Call signs of a team."""
    return " + ".join(call_signs.get(one, one) for one in team["members"])


@lru_cache(maxsize=4)
def _build_ground(store: Store, viewer: Viewer, _revision: int) -> tuple[Plane, str]:
    outline = shapely.union_all(find_boundary(store, viewer).geometry.to_numpy())
    at = Plane(outline)
    parts = [f'<path class="g" d="{at.path(outline)}"/>']
    parts += [f'<path class="r" d="{at.line(shape)}"/>' for shape in find_roads(store, viewer).geometry]
    houses = find_buildings(store, viewer).geometry.simplify(0.3)
    parts += [f'<path class="b" d="{at.path(shape)}"/>' for shape in houses]
    parts += [f'<path class="w" d="{at.line(shape)}"/>' for shape in find_walls(store, viewer).geometry]
    zones = find_zone_records(store, viewer, with_closed=False)
    parts += [f'<path class="z" d="{at.path(shape)}"/>' for shape in zones.geometry]
    return at, "".join(parts)


def _build_pane(title: str, plan: Json, at: Plane, call_signs: Mapping[str, str]) -> Json:
    midnight = plan["begin_utc"].astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)

    def minute(text: str) -> float:
        return float(round((datetime.fromisoformat(text) - midnight) / _MINUTE, 2))

    places = {one["place_id"]: one for one in plan["asked"]["places"]}
    left = [places[one["place_id"]] for one in plan["found"]["left_out"] if one["place_id"] in places]
    return {
        "title": title,
        "box": f"0 0 {at.width:.0f} {at.height:.0f}",
        "teams": [
            _build_team(number, team, at, call_signs, minute)
            for number, team in enumerate(plan["found"]["teams"], start=1)
        ],
        "places": _name_places(plan["found"], at),
        "left": [{"name": one["name"], "at": _point(one, at)} for one in left],
    }


def _name_places(found: Json, at: Plane) -> list[Json]:
    """Each place once: its short name and when somebody comes."""
    times: dict[str, list[str]] = {}
    first: dict[str, Json] = {}
    for team in found["teams"]:
        for stop in team["stops"]:
            begin = datetime.fromisoformat(stop["begin"]).astimezone(LOCAL)
            times.setdefault(stop["place_id"], []).append(f"{begin:%H:%M}")
            first.setdefault(stop["place_id"], stop)
    return [
        {"name": str(stop["name"])[:_MOST_LETTERS], "times": " ".join(sorted(times[place_id])), "at": _point(stop, at)}
        for place_id, stop in first.items()
    ]


def _build_team(number: int, team: Json, at: Plane, call_signs: Mapping[str, str], minute: Any) -> Json:
    stops = [
        {
            "id": stop["stop_id"], "name": stop["name"], "at": _point(stop, at), "out": minute(stop["set_out"]),
            "arrival": minute(stop["arrival"]), "begin": minute(stop["begin"]), "leave": minute(stop["leave"]),
            "locked": stop["is_locked"], "line": _line(stop["way"], at),
        }
        for stop in team["stops"]
    ]  # fmt: skip
    back_minutes = 0.0 if team["back"] is None else float(team["back"]["minutes"])
    home = stops[-1]["leave"] + back_minutes if stops else minute(team["to"])
    return {
        "number": number, "name": say_team(team, call_signs), "colour": COLOURS[(number - 1) % len(COLOURS)],
        "start": _point(team["start"], at), "from": minute(team["from"]), "to": minute(team["to"]), "stops": stops,
        "back": _line(team["back"], at), "home": home,
    }  # fmt: skip


def _line(way: Json | None, at: Plane) -> list[tuple[float, float]]:
    if way is None or not way["line"]:
        return []
    return [(float(x), float(y)) for x, y in at.points(np.array(way["line"], dtype=np.float64)).tolist()]


def _point(one: Mapping[str, Any], at: Plane) -> tuple[float, float]:
    x, y = at.point(shapely.Point(one["x_m"], one["y_m"]))
    return round(x, 1), round(y, 1)
