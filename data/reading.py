"""How named queries read: rows come masked for the viewer, times come aware, geometry comes in the store's CRS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import geopandas as gpd
import pandas as pd

from data.masking import Frame, mask_frame
from data.moments import get_aware
from data.store import Store
from data.viewer import Viewer

HISTORY_DAYS = 84  # twelve whole weeks: every weekday counts equally often in "lately"


def read_rows(
    store: Store,
    viewer: Viewer,
    tables: Sequence[str],
    sql: str,
    parameters: Sequence[object] | Mapping[str, object] = (),
    *,
    aliases: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Rows of a query over `tables`, masked for `viewer`; columns that end in `_utc` are aware."""
    return _set_utc(mask_frame(store.read(sql, parameters), tables, viewer, store, aliases=aliases))


def read_shapes(
    store: Store,
    viewer: Viewer,
    tables: Sequence[str],
    sql: str,
    parameters: Sequence[object] | Mapping[str, object] = (),
    *,
    aliases: Mapping[str, str] | None = None,
) -> gpd.GeoDataFrame:
    """As `read_rows`, with `geom` (selected as WKB) as geometry in the community's CRS."""
    return _set_utc(mask_frame(store.read_geo(sql, parameters), tables, viewer, store, aliases=aliases))


def find_history_start(store: Store, *, days: int = HISTORY_DAYS) -> datetime | None:
    """Aware time `days` before the data were true (else before the last incident); None where neither is known."""
    sql = "SELECT coalesce((SELECT max(data_as_of) FROM community), (SELECT max(reported_utc) FROM incidents)) AS at"
    rows = store.read(sql)
    at = rows["at"].iloc[0]
    return None if pd.isna(at) else get_aware(at) - timedelta(days=days)


def _set_utc(frame: Frame) -> Frame:
    for column in frame.columns:
        if str(column).endswith("_utc"):
            frame[column] = pd.to_datetime(frame[column]).dt.tz_localize("UTC")
    return frame
