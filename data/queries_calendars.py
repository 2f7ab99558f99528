"""Calendars, for comparing incidents on their days with those on others."""

from __future__ import annotations

import pandas as pd

from data.reading import read_rows
from data.rights import governed
from data.store import Store
from data.viewer import Viewer


@governed
def find_calendar_days(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Days of all calendars: calendar, day, by name and date."""
    return read_rows(
        store, viewer, ("calendar_days",), "SELECT calendar, day FROM calendar_days ORDER BY calendar, day"
    )
