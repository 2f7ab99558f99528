"""
Open incidents for the wall, in the order in which somebody has to look after them: kind, place, since when, by when.

At most 200 are drawn, the rest are counted; what has no place is listed. Of a sensitive kind there is only the grid.
No caller, no name and nothing that was said comes in here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from data.queries import find_alarm_ranks, find_alarms, find_categories, find_dispatches
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


def _build(request: SceneRequest) -> Records:
    settings = read_settings(request.store)
    rows = find_alarm_ranks(request.store, request.viewer, most=MOST_DRAWN)
    said: dict[str, object] = {
        "flies": settings.wall_flies,
        "shift": [settings.shift_first_hour, settings.shift_length_hours],
    }
    if rows.empty:  # most of the day: nothing is ranked, and no place is looked for
        counts = dict.fromkeys(("open", "loud", "done", "unplaced", "not_drawn", "drawn"), 0)
        return {**said, "counts": counts, "alarms": []}
    revision = request.store.revision("incident_categories")
    categories = _find_categories(request.store, request.viewer.scope, revision)
    targets = rows["category"].map(categories.set_index("category")["target_minutes"])
    ranked = rank_open(rows.assign(target_minutes=targets))
    is_done = ranked["loudness"] == Loudness.DONE
    first = [
        *ranked.index[~is_done & ranked["is_placed"]][:MOST_DRAWN],
        *ranked.index[~is_done & ~ranked["is_placed"]][:_MOST_LISTED],
        *ranked.index[is_done][:_MOST_LISTED],
    ]
    told = ranked.loc[sorted(first), ["incident_id", "loudness", "due_utc"]]
    found = find_alarms(request.store, request.viewer, only=told["incident_id"].tolist())
    return {
        **said,
        "counts": _count(ranked.drop_duplicates(["urgency", "status", "category", "is_placed"])),
        "alarms": _tell(request, _join(found, told), categories),
    }


def _join(found: gpd.GeoDataFrame, told: pd.DataFrame) -> gpd.GeoDataFrame:
    """Where each is, in the order of `told`; without those that ended between the two questions."""
    places = pd.Index(found["incident_id"]).get_indexer(pd.Index(told["incident_id"]))
    is_there = places >= 0
    kept = told[is_there]
    rows = found.iloc[places[is_there]].reset_index(drop=True)
    return rows.assign(loudness=kept["loudness"].to_numpy(), due_utc=kept["due_utc"].array)


def _count(kinds: pd.DataFrame) -> dict[str, int]:
    """How many are open, from one row of each that are alike."""
    n, is_done = kinds["alike"], kinds["loudness"] == Loudness.DONE
    placed, unplaced = int(n[~is_done & kinds["is_placed"]].sum()), int(n[~is_done & ~kinds["is_placed"]].sum())
    return {
        "open": placed + unplaced,
        "loud": int(n[kinds["loudness"] == Loudness.LOUD].sum()),
        "done": int(n[is_done].sum()),
        "unplaced": unplaced,
        "not_drawn": max(0, placed - MOST_DRAWN),
        "drawn": min(placed, MOST_DRAWN),
    }


@lru_cache(maxsize=4)
def _find_categories(store: Store, viewer: Viewer, _revision: int) -> pd.DataFrame:
    """Kinds of incident, kept until they are written: they change once a year, alarms all day."""
    return find_categories(store, viewer)


@lru_cache(maxsize=4)
def _find_under_way(store: Store, viewer: Viewer, _revision: int) -> dict[str, tuple[str, ...]]:
    """Call signs of those who were sent to each incident, kept until somebody is sent or stood down."""
    sent = find_dispatches(store, viewer, active=True)
    by_incident: dict[str, list[str]] = {}
    for incident_id, call_sign in zip(sent["incident_id"], sent["call_sign"], strict=True):
        by_incident.setdefault(incident_id, []).append(call_sign)
    return {incident_id: tuple(signs) for incident_id, signs in by_incident.items()}


def _tell(request: SceneRequest, rows: gpd.GeoDataFrame, categories: pd.DataFrame) -> list[dict[str, Any]]:
    lang = request.lang
    places = find_places(request.store, request.viewer, request.frame)
    kinds = categories.set_index("category")
    names = kinds[f"name_{lang}"].to_dict()
    symbols, colours = kinds["symbol"].dropna().to_dict(), kinds["colour"].dropna().to_dict()
    under_way = _find_under_way(request.store, request.viewer.scope, request.store.revision("dispatches", "responders"))
    records = []
    for row in pd.DataFrame(rows).to_dict("records"):
        record: dict[str, Any] = {
            "id": row["incident_id"],
            "k": t("alarms.hidden_kind", lang) if row["undisclosed"] else names.get(row["category"], row["category"]),
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
        if symbol := symbols.get(row["category"]):
            record |= {"g": symbol, "c": colours.get(row["category"])}
        body = places.find_body(row["building_id"])
        if body is not None:
            record |= {"top": body.top_m, "rings": body.rings}
            home = row["home"]
            if isinstance(home, bytes | bytearray) and home and pd.notna(row["floor_m"]):
                storey = (float(row["floor_m"]), float(row["floor_height_m"]))
                record |= {
                    "storey": [round(metres, 2) for metres in storey],
                    "home": _draw_home(bytes(home), request.frame),
                }
        records.append(record)
    return records


@lru_cache(maxsize=4 * MOST_DRAWN)
def _draw_home(outline: bytes, frame: LocalFrame) -> list[Ring]:
    """Rings just outside a home; while many are open the same ones are drawn again and again."""
    around = shapely.buffer(shapely.from_wkb([outline]), STANDS_OUT_M, join_style="mitre")
    return [polygon[0] for polygon in to_polygons(gpd.GeoSeries(around), frame)[0]]


def _choose_pick(row: dict[Any, Any]) -> dict[str, str] | None:
    """What is selected when the alarm is: the home, the building, else the grid."""
    for kind, column in (("unit", "unit_id"), ("building", "building_id"), ("grid", "grid_id")):
        if isinstance(row[column], str):
            return {"kind": kind, "id": row[column]}
    return None


def _to_ms(moment: object) -> int | None:
    """Milliseconds of Unix time, as the browser counts; None where there is no time."""
    return None if pd.isna(moment) else round(pd.Timestamp(moment).timestamp() * 1000)  # type: ignore[call-overload, arg-type]


ALARMS = Scene("alarms", _TABLES, _build, waits=False)
