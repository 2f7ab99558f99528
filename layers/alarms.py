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

from data.queries import find_alarms, find_categories, find_dispatches
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
    rows = find_alarms(request.store, request.viewer)
    if rows.empty:  # most of the day: nothing is ranked, and no place is looked for
        counts = dict.fromkeys(("open", "loud", "done", "unplaced", "not_drawn", "drawn"), 0)
        shift = [settings.shift_first_hour, settings.shift_length_hours]
        return {"flies": settings.wall_flies, "shift": shift, "counts": counts, "alarms": []}
    revision = request.store.revision("incident_categories")
    categories = _find_categories(request.store, request.viewer.scope, revision)
    ranked = rank_open(
        rows.assign(target_minutes=rows["category"].map(categories.set_index("category")["target_minutes"]))
    )
    is_placed = ranked.geometry.notna() & ~ranked.geometry.is_empty
    loudness = ranked["loudness"]
    placed = ranked.index[is_placed & (loudness < Loudness.DONE)]
    unplaced = ranked.index[~is_placed & (loudness < Loudness.DONE)]
    done = ranked.index[loudness == Loudness.DONE]
    told = sorted([*placed[:MOST_DRAWN], *unplaced[:_MOST_LISTED], *done[:_MOST_LISTED]])
    return {
        "flies": settings.wall_flies,
        "shift": [settings.shift_first_hour, settings.shift_length_hours],
        "counts": {
            "open": len(placed) + len(unplaced),
            "loud": int((loudness == Loudness.LOUD).sum()),
            "done": len(done),
            "unplaced": len(unplaced),
            "not_drawn": max(0, len(placed) - MOST_DRAWN),
            "drawn": min(len(placed), MOST_DRAWN),
        },
        "alarms": _tell(request, ranked.loc[told], categories),
    }


@lru_cache(maxsize=4)
def _find_categories(store: Store, viewer: Viewer, _revision: int) -> pd.DataFrame:
    """Kinds of incident, kept until they are written: they change once a year, alarms all day."""
    return find_categories(store, viewer)


def _tell(request: SceneRequest, rows: gpd.GeoDataFrame, categories: pd.DataFrame) -> list[dict[str, Any]]:
    lang = request.lang
    places = find_places(request.store, request.viewer, request.frame)
    kinds = categories.set_index("category")
    names = kinds[f"name_{lang}"].to_dict()
    symbols, colours = kinds["symbol"].dropna().to_dict(), kinds["colour"].dropna().to_dict()
    sent = find_dispatches(request.store, request.viewer, active=True)
    under_way = sent.groupby("incident_id")["call_sign"].agg(list).to_dict()
    homes = _draw_homes(rows, request.frame)
    records = []
    for number, row in enumerate(rows.to_dict("records")):
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
            "to": under_way.get(row["incident_id"], []),
        }
        if symbol := symbols.get(row["category"]):
            record |= {"g": symbol, "c": colours.get(row["category"])}
        body = places.find_body(row["building_id"])
        if body is not None:
            record |= {"top": body.top_m, "rings": body.rings}
            if number in homes:
                storey = (float(row["floor_m"]), float(row["floor_height_m"]))
                record |= {"storey": [round(metres, 2) for metres in storey], "home": homes[number]}
        records.append(record)
    return records


def _draw_homes(rows: gpd.GeoDataFrame, frame: LocalFrame) -> dict[int, list[Ring]]:
    """Rings just outside the homes whose outline and storey are known, by the row's number."""
    outlines = [bytes(home) if isinstance(home, bytes | bytearray) else None for home in rows["home"]]
    known = [n for n, outline in enumerate(outlines) if outline and pd.notna(rows["floor_m"].iloc[n])]
    shapes = shapely.buffer(shapely.from_wkb([outlines[n] for n in known]), STANDS_OUT_M, join_style="mitre")
    polygons, owners = to_polygons(gpd.GeoSeries(shapes), frame)
    homes: dict[int, list[Ring]] = {}
    for polygon, owner in zip(polygons, owners.tolist(), strict=True):
        homes.setdefault(known[owner], []).append(polygon[0])
    return homes


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
