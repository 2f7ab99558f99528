"""
A day, or some, once more: each incident of the period with the moments at which it lit up, calmed down and was over.

The wall's masking holds as for live alarms: of a sensitive kind there is the grid and the time, no caller, no name.
What came without steps (an import, the sample) has its report and its end; what lay between is not made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import shapely

from data.queries import find_categories, find_grids, find_incident_states, find_incidents
from data.store import Store
from gis.errors import BadRecordError
from i18n import t
from incidents.life_cycle import ENDED, State, find_state
from incidents.open_alarms import find_loudness
from layers.alarm_places import find_places, name_place, to_local
from layers.scene import Records, Scene, SceneRequest

PERIODS = (1, 3, 7)
"""Days that a replay may have."""
MOST_TOLD = 2000
OVER = 3
"""The code of an incident that has ended; 0 to 2 are `Loudness`."""
_LOCAL = ZoneInfo("Asia/Shanghai")
_OPEN_BEFORE = timedelta(days=2)  # who is still open from before is shown, what was forgotten for weeks is not


def parse_period(params: Mapping[str, str], last: date) -> tuple[datetime, datetime]:
    """
    Aware beginning and end of the `days` from `day` on (2026-11-15, in Shanghai); without one they end with `last`.

    Raises
    ------
    BadRecordError
        One of them cannot be read.
    """
    days = params.get("days", "1")
    if days not in {str(one) for one in PERIODS}:
        raise BadRecordError(f"days is '{days[:20]}', expected one of {', '.join(map(str, PERIODS))}.")
    said = params.get("day") or (last - timedelta(days=int(days) - 1)).isoformat()
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise BadRecordError(f"day is '{said[:20]}', expected a date such as 2026-11-15.") from None
    if not 2000 <= day.year <= 2200:
        raise BadRecordError(f"day is {day}, expected a day of this century.")
    since = datetime.combine(day, time(), _LOCAL)
    return since, since + timedelta(days=int(days))


def _build(request: SceneRequest) -> Records:
    first, last = _find_span(request.store)
    since, until = parse_period(request.params, last)
    rows = find_incidents(request.store, request.viewer, since=since - _OPEN_BEFORE, until=until)
    shapes = rows.geometry.to_numpy()
    has_place = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    rows = rows[has_place & ((rows["reported_utc"] >= since) | ~(rows["closed_utc"] < since))]
    told = rows.tail(MOST_TOLD)
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "since": _to_ms(since),
        "until": _to_ms(until),
        "left_out": len(rows) - len(told),
        "incidents": _tell(request, told),
    }


def _find_span(store: Store) -> tuple[date, date]:
    """The first and last day in Shanghai with an incident; today twice where there is none."""
    row = store.read("SELECT min(reported_utc) AS first, max(reported_utc) AS last FROM incidents").iloc[0]
    if pd.isna(row["last"]):
        return (date(2000, 1, 1),) * 2
    first, last = (
        pd.Timestamp(row[name]).to_pydatetime().replace(tzinfo=UTC).astimezone(_LOCAL).date()
        for name in ("first", "last")
    )
    return first, last


def _tell(request: SceneRequest, rows: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    lang = request.lang
    categories = find_categories(request.store, request.viewer).set_index("category")[f"name_{lang}"].to_dict()
    numbers = find_grids(request.store, request.viewer).set_index("grid_id")["number"].to_dict()
    places = find_places(request.store, request.viewer, request.frame)
    moments = _find_moments(request, rows)
    return [
        {
            "id": row["incident_id"],
            "k": t("alarms.hidden_kind", lang)
            if row["undisclosed"]
            else categories.get(row["category"], row["category"]),
            "p": name_place({**row, "grid_number": numbers.get(row["grid_id"])}, places, lang),
            "u": row["urgency"],
            "x": to_local(row["geom"], request.frame),
            "m": moments[row["incident_id"]],
        }
        for row in rows.to_dict("records")
    ]


def _find_moments(request: SceneRequest, rows: gpd.GeoDataFrame) -> dict[str, list[list[int]]]:
    """`[milliseconds, code]` of each change, in order; the first is the report."""
    steps = find_incident_states(request.store, request.viewer, rows["incident_id"].tolist())
    known: dict[str, list[list[int]]] = {}
    for incident_id, at, state in steps[["incident_id", "at_utc", "state"]].itertuples(index=False, name=None):
        known.setdefault(incident_id, []).append([_to_ms(at), _to_code(state)])
    moments = {}
    for incident_id, reported, closed, status in rows[
        ["incident_id", "reported_utc", "closed_utc", "status"]
    ].itertuples(index=False, name=None):
        ended = [] if pd.isna(closed) else [[_to_ms(closed), OVER]]
        told = known.get(incident_id) or ended
        if not told and find_state(status) in ENDED:
            told = [[_to_ms(reported), OVER]]  # nobody knows when: it is not left burning
        moments[incident_id] = _tidy([[_to_ms(reported), 0], *told])
    return moments


def _to_code(state: str) -> int:
    return OVER if State(state) in ENDED else int(find_loudness(state))


def _tidy(moments: list[list[int]]) -> list[list[int]]:
    """In order, without those that change nothing; a clock that was set back makes none earlier than the report."""
    begun = moments[0][0]
    kept: list[list[int]] = []
    for at, code in moments:
        if not kept or kept[-1][1] != code:
            kept.append([max(at, begun, kept[-1][0] if kept else begun), code])
    return kept


def _to_ms(moment: Any) -> int:
    """Milliseconds of Unix time, as the browser counts."""
    return round(pd.Timestamp(moment).timestamp() * 1000)


# A step commits together with its incident's row, whose revision tells of both.
REPLAY = Scene(
    "replay",
    ("incidents", "incident_categories", "buildings", "addresses", "grids", "community", "settings"),
    _build,
    params=("day", "days"),
    is_told=False,
)
