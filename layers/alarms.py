"""
Open incidents for the wall, in the order in which somebody has to look after them: kind, place, since when, by when.

At most 200 are drawn, the rest are counted; what has no place is listed. Of a sensitive kind there is only the grid.
No caller, no name and nothing that was said comes in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import shapely

from data.queries import find_alarm_ranks, find_alarms, find_categories, find_dispatches
from data.reading import to_records
from data.settings_store import read_settings
from data.store import Store
from data.viewer import Viewer
from i18n import t
from incidents.open_alarms import MOST_DRAWN, Loudness, rank_open
from layers.alarm_places import STANDS_OUT_M, find_places, name_place, to_local
from layers.frame import LocalFrame
from layers.records import Ring, to_polygons
from layers.scene import Records, Scene, SceneRequest

_MOST_LISTED = 50  # without a place, and handled ones that wait for their papers
_TABLES = (
    "incidents", "dispatches", "incident_categories", "buildings", "units", "floors", "addresses", "grids", "community",
    "settings",
)  # fmt: skip
_NO_KIND: Mapping[str, Any] = {"target_minutes": None, "symbol": None, "colour": None}
_ALIKE = ("urgency", "status", "category", "is_placed")

Row = dict[str, Any]


def _build(request: SceneRequest) -> Records:
    settings = read_settings(request.store)
    kinds = _find_kinds(request.store, request.viewer.scope, request.store.revision("incident_categories"))
    found, ranks = _find_open(request)
    ranked = rank_open(
        {**row, "target_minutes": kinds.get(row["category"], _NO_KIND)["target_minutes"]} for row in ranks
    )
    first = _choose_first(ranked)
    if found is None:
        found = find_alarms(request.store, request.viewer, only=first)
    known = {row["incident_id"]: row for row in found if row["incident_id"] in first}
    # Without those that ended between the two questions.
    told = [{**known[row["incident_id"]], **row} for row in ranked if row["incident_id"] in known]
    return {
        "flies": settings.wall_flies,
        "shift": [settings.shift_first_hour, settings.shift_length_hours],
        "counts": _count(ranked),
        "alarms": _tell(request, told, kinds) if told else [],
    }


def _find_open(request: SceneRequest) -> tuple[list[Row] | None, list[Row]]:
    """
    What is open, and the rows that are to be ranked, of those that are alike with how many there are.

    Of a handful each is its own row; of so many that not all are shown the places are asked later: None.
    """
    found = find_alarms(request.store, request.viewer, most=MOST_DRAWN + 1)
    if len(found) > MOST_DRAWN:
        return None, find_alarm_ranks(request.store, request.viewer, most=MOST_DRAWN)
    placed = [{**row, "is_placed": row["geom"] is not None} for row in found]
    alike = Counter(_find_alike(row) for row in placed)
    return found, [{**row, "alike": alike[_find_alike(row)]} for row in placed]


def _find_alike(row: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in _ALIKE)


def _choose_first(ranked: Iterable[Row]) -> set[str]:
    """Ids of those that are told: of each part the first."""
    left = {(False, True): MOST_DRAWN, (False, False): _MOST_LISTED, True: _MOST_LISTED}
    first = set()
    for row in ranked:
        is_done = row["loudness"] is Loudness.DONE
        part = is_done or (is_done, row["is_placed"])
        if left[part] > 0:
            left[part] -= 1
            first.add(row["incident_id"])
    return first


def _count(ranked: Iterable[Row]) -> dict[str, int]:
    """How many are open, from one row of each that are alike."""
    counts: Counter[str] = Counter()
    for row in {_find_alike(row): row for row in ranked}.values():
        is_done = row["loudness"] is Loudness.DONE
        counts["done" if is_done else "placed" if row["is_placed"] else "unplaced"] += row["alike"]
        counts["loud"] += row["alike"] if row["loudness"] is Loudness.LOUD else 0
    return {
        "open": counts["placed"] + counts["unplaced"],
        "loud": counts["loud"],
        "done": counts["done"],
        "unplaced": counts["unplaced"],
        "not_drawn": max(0, counts["placed"] - MOST_DRAWN),
        "drawn": min(counts["placed"], MOST_DRAWN),
    }


@lru_cache(maxsize=4)
def _find_kinds(store: Store, viewer: Viewer, _revision: int) -> Mapping[str, Row]:
    """Kinds of incident by code, kept until they are written: they change once a year, alarms all day."""
    kinds = find_categories(store, viewer)
    columns = {str(name): kinds[name].astype(object).where(kinds[name].notna(), None).tolist() for name in kinds}
    return {row["category"]: row for row in to_records(columns)}


@lru_cache(maxsize=4)
def _find_under_way(store: Store, viewer: Viewer, _revision: int) -> dict[str, tuple[str, ...]]:
    """Call signs of those who were sent to each incident, kept until somebody is sent or stood down."""
    sent = find_dispatches(store, viewer, active=True)
    by_incident: dict[str, list[str]] = {}
    for incident_id, call_sign in zip(sent["incident_id"], sent["call_sign"], strict=True):
        by_incident.setdefault(incident_id, []).append(call_sign)
    return {incident_id: tuple(signs) for incident_id, signs in by_incident.items()}


def _tell(request: SceneRequest, rows: Iterable[Row], kinds: Mapping[str, Row]) -> list[Row]:
    lang = request.lang
    places = find_places(request.store, request.viewer, request.frame)
    under_way = _find_under_way(request.store, request.viewer.scope, request.store.revision("dispatches", "responders"))
    records = []
    for row in rows:
        kind = kinds.get(row["category"], _NO_KIND)
        name = kind.get(f"name_{lang}", row["category"])
        record: Row = {
            "id": row["incident_id"],
            "k": t("alarms.hidden_kind", lang) if row["undisclosed"] else name,
            "p": name_place(row, places, lang),
            "u": row["urgency"],
            "s": row["status"],
            "l": int(row["loudness"]),
            "at": _to_ms(row["reported_utc"]),
            "due": _to_ms(row["due_utc"]),
            "x": to_local(row["geom"], request.frame),
            "pick": _choose_pick(row),
            "to": list(under_way.get(row["incident_id"], ())),
        }
        if kind["symbol"]:
            record |= {"g": kind["symbol"], "c": kind["colour"]}
        body = places.find_body(row["building_id"])
        if body is not None:
            record |= {"top": body.top_m, "rings": body.rings}
            if row["home"] and row["floor_m"] is not None:
                storey = (float(row["floor_m"]), float(row["floor_height_m"]))
                record |= {
                    "storey": [round(metres, 2) for metres in storey],
                    "home": _draw_home(bytes(row["home"]), request.frame),
                }
        records.append(record)
    return records


@lru_cache(maxsize=4 * MOST_DRAWN)
def _draw_home(outline: bytes, frame: LocalFrame) -> list[Ring]:
    """Rings just outside a home; while many are open the same ones are drawn again and again."""
    around = shapely.buffer(shapely.from_wkb(outline), STANDS_OUT_M, join_style="mitre")
    return [polygon[0] for polygon in to_polygons([around], frame)[0]]


def _choose_pick(row: Mapping[str, Any]) -> dict[str, str] | None:
    """What is selected when the alarm is: the home, the building, else the grid."""
    for kind, column in (("unit", "unit_id"), ("building", "building_id"), ("grid", "grid_id")):
        if row[column] is not None:
            return {"kind": kind, "id": row[column]}
    return None


def _to_ms(moment: datetime | None) -> int | None:
    """Milliseconds of Unix time, as the browser counts; None where there is no time."""
    return None if moment is None else round(moment.timestamp() * 1000)


ALARMS = Scene("alarms", _TABLES, _build, waits=False)
