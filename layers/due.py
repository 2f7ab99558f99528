"""
Visits that are due within three days: over each building a plate by the most pressing one, and words with the counts.

Counts of places: who has to make them is not told. The present is when a task was last written (tasks that fall due are
written by the server, server/task_jobs.py); of the invented sample, whose time stands still, when it was true.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from data.moments import get_aware
from data.queries import find_due_visits
from data.store import Store
from gis.walk_network import LOCAL
from i18n import Language, t
from layers.palette import DUE
from layers.records import lift, to_points, to_polygons
from layers.scene import Records, Scene, SceneRequest

AHEAD_DAYS = 3
_OVER_ROOF_M = 4.4  # above the plates of freshness
_PLATE_M = 0.5
_WORDS_OVER_PLATE_M = 4.0
_DRAWS = {
    "buildings": "building_id, height_m, base_m, geom",
    "community": "community_id, crs, boundary, data_as_of, synthetic",
}


def find_present(store: Store) -> datetime:
    """When a task was last written; of the invented sample when it was true."""
    rows = store.read("SELECT max(data_as_of) FILTER (synthetic) AS at FROM community")
    if rows["at"].notna().any():
        return get_aware(rows["at"].iloc[0])
    changed = store.read("SELECT max(changed_utc) AS at FROM revisions WHERE table_name = 'tasks'")
    return get_aware(changed["at"].iloc[0]) if changed["at"].notna().any() else datetime(2026, 1, 1, tzinfo=UTC)


def say_counts(overdue: int, today: int, tasks: int, lang: Language) -> str:
    """Overdue, due today and later, each only where there is one."""
    counts = {"overdue": overdue, "today": today, "later": tasks - overdue - today}
    return t("round.comma", lang).join(t(f"round.layer_{name}", lang, n=n) for name, n in counts.items() if n)


def _build(request: SceneRequest) -> Records:
    now = find_present(request.store)
    midnight = datetime.combine(now.astimezone(LOCAL).date() + timedelta(days=1), time(), LOCAL)
    frame = find_due_visits(
        request.store, request.viewer, now=now, today=midnight, until=midnight + timedelta(days=AHEAD_DAYS)
    ).reset_index(drop=True)
    polygons, owners = to_polygons(frame.geometry, request.frame)
    tops = (frame["base_m"].fillna(0) + frame["height_m"] + _OVER_ROOF_M).round(1).tolist()
    counts = list(zip(frame["overdue"].tolist(), frame["today"].tolist(), frame["tasks"].tolist(), strict=True))
    points, ids = to_points(frame.geometry, request.frame), frame["building_id"].tolist()
    records: list[dict[str, object]] = []
    seen: set[int] = set()
    for polygon, owner in zip(polygons, owners, strict=True):
        overdue, today, tasks = counts[owner]
        colour = DUE["overdue" if overdue else "today" if today else "later"]
        record: dict[str, object] = {"p": lift(polygon, tops[owner]), "h": _PLATE_M, "c": colour, "id": ids[owner]}
        if owner not in seen:  # one label for a building of several parts
            seen.add(owner)
            x, y = points[owner]
            words = say_counts(overdue, today, tasks, request.lang)
            record |= {"t": words, "x": [x, y, round(tops[owner] + _WORDS_OVER_PLATE_M, 1)]}
        records.append(record)
    return records


DUE_VISITS = Scene("due_visits", ("tasks", "buildings", "community"), _build, draws=_DRAWS)
