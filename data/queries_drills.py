"""The drill of a drill store and its alarms: what has come in by now, nothing of what is still to come."""

from __future__ import annotations

import pandas as pd

from data.masking import sees_sensitive
from data.queries_incidents import CATEGORY_TREE
from data.reading import read_rows
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_DRILL = """
SELECT drill_id, scenario, copied_from, made_utc, started_utc, (SELECT count(*) FROM drill_alarms) AS alarms,
    (SELECT max(after_s) FROM drill_alarms) AS last_after_s
FROM drills
"""
_ALARMS = (
    CATEGORY_TREE
    + """SELECT a.alarm_no, a.after_s, a.incident_id, a.expectation, i.category, i.urgency, i.status, i.reported_utc,
    coalesce(ua.full_text, ba.full_text, a.address) AS address
FROM drill_alarms a JOIN incidents i USING (incident_id) LEFT JOIN kinds k ON k.category = i.category
    LEFT JOIN units u ON u.unit_id = i.unit_id LEFT JOIN addresses ua ON ua.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses ba ON ba.address_id = b.address_id
WHERE $sees_all OR NOT coalesce(k.sensitive, false)
ORDER BY a.alarm_no
"""
)


@governed
def find_drill(store: Store, viewer: Viewer) -> pd.DataFrame:
    """The drill: one row with the number of its alarms and when the last one comes; none in any other store."""
    return read_rows(store, viewer, ("drills",), _DRILL)


@governed
def find_drill_alarms(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Alarms that have come in, with kind, urgency and state as they are now, the place and what was expected."""
    return read_rows(store, viewer, ("drill_alarms",), _ALARMS, {"sees_all": sees_sensitive(viewer)})
