"""What one account did with tasks on one day, for its own report: nobody reads another's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pandas as pd

from data.moments import to_stored_time
from data.rights import check_right
from data.store import Store
from data.viewer import Viewer

_LOCAL = ZoneInfo("Asia/Shanghai")
_DONE = """
SELECT e.at_utc, e.kind, t.task_id, t.kind AS task_kind, t.place_text, t.state, t.findings_count, t.mended, t.settled,
    e.reason
FROM (
    SELECT event_id, at_utc, substr(kind, 6) AS kind, subject_id, detail ->> 'reason' AS reason FROM events
    WHERE subject_table = 'tasks' AND at_utc >= $since AND at_utc < $until AND (detail ->> 'by') = $me
) e JOIN tasks t ON t.task_id = e.subject_id
ORDER BY e.event_id
"""
_PHOTOS = """SELECT count(*) AS n FROM task_photos
    WHERE sent_by = $me AND received_utc >= $since AND received_utc < $until"""


def find_day(store: Store, viewer: Viewer, day: date) -> tuple[pd.DataFrame, int]:
    """Steps that the viewer's own account took on `day` (Shanghai), in order, with their tasks; and photos it sent."""
    check_right(viewer, "action", "work_task")
    start = datetime.combine(day, time(), _LOCAL)
    parameters = {
        "since": to_stored_time(start),
        "until": to_stored_time(datetime.combine(date.fromordinal(day.toordinal() + 1), time(), _LOCAL)),
        "me": viewer.account_id,
    }
    rows = store.read(_DONE, parameters)
    rows["at_utc"] = pd.to_datetime(rows["at_utc"]).dt.tz_localize(UTC)
    return rows, int(store.read(_PHOTOS, parameters)["n"].iloc[0])
