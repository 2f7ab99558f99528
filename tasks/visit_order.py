"""In which order a phone's round is walked: as a planned round, from where its worker was last or from the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import geopandas as gpd

from data.queries import find_key_sites, find_last_place, find_round_tasks
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError
from gis.walk_links import Spot
from gis.walk_network import LOCAL
from incidents.walking import get_walk_network
from tasks.round_plan import RoundAsk, plan_round, to_spot
from tasks.round_rules import read_round_rules

_OVER = time(21, 30)
_AHEAD = timedelta(days=400)
_MOST = 300


def order_visits(store: Store, viewer: Viewer, task_ids: Sequence[str], *, now: datetime) -> list[str]:
    """
    Tasks in the order in which they are walked from an aware time on, those that the plan leaves out last.

    As they were given where there is no plan: no roads, nowhere to begin, or the day is over.
    """
    found = find_round_tasks(store, viewer, until=now + _AHEAD, account_id=viewer.account_id, limit=_MOST)
    rows = [row for row in _to_rows(found) if row["task_id"] in task_ids]
    start = _find_start(store, viewer, now)
    local = now.astimezone(LOCAL)
    if start is None or len(rows) < 2 or local.time() >= _OVER:
        return list(task_ids)
    ask = RoundAsk(start, local, datetime.combine(local.date(), _OVER, LOCAL))
    try:
        plan = plan_round(get_walk_network(store), read_round_rules(store), rows, ask)
    except (RecordMissingError, BadRecordError):
        return list(task_ids)
    walked = [str(one.task["task_id"]) for one in plan.visits]
    return [*walked, *(one for one in task_ids if one not in walked)]


def _find_start(store: Store, viewer: Viewer, now: datetime) -> Spot | None:
    midnight = datetime.combine(now.astimezone(LOCAL).date(), time(), LOCAL)
    last = _to_rows(find_last_place(store, viewer, since=midnight))
    if last:
        return to_spot(last[0])
    sites = find_key_sites(store, viewer)
    offices = sites[sites["kind"] == "police_office"]
    chosen = offices if len(offices) else sites
    return Spot(chosen.geometry.iloc[0]) if len(chosen) else None


def _to_rows(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is missing, and their points."""
    points = list(frame.geometry)
    plain = frame.drop(columns=[frame.geometry.name]).astype(object)
    plain = plain.where(plain.notna(), None)
    rows = [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
    return [{**row, "geom": point} for row, point in zip(rows, points, strict=True)]
