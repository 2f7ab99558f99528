"""How named queries read: rows come masked for the viewer, times come aware, geometry comes in the store's CRS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd

from data.masking import Frame, drop_persons, mask_frame
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


def read_columns(
    store: Store, tables: Sequence[str], sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> dict[str, list[Any]]:
    """
    Columns of a query over `tables` as plain lists, without any about a person, whoever looks; times are aware.

    For what is asked at every live change: a frame costs more than the query where a handful of rows is asked for.
    Missing values are None.
    """
    columns = drop_persons(store.columns(sql, parameters), tables, store)
    for name, values in columns.items():
        if name.endswith("_utc"):
            columns[name] = [None if value is None else value.replace(tzinfo=UTC) for value in values]
    return columns


def to_records(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns of equal length as one dict a row."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def narrow(sql: str, table: str, key: str, only: frozenset[str] | None) -> tuple[str, dict[str, object]]:
    """`sql` with `{table}` read whole, or only its rows of these keys (by index: four times as fast as a list)."""
    if only is None:
        return sql.replace(f"{{{table}}}", table), {}
    keys: dict[str, object] = {f"only_{n}": name for n, name in enumerate(sorted(only))}
    marks = ", ".join(f"${name}" for name in keys) or "NULL"
    return sql.replace(f"{{{table}}}", f"(SELECT * FROM {table} WHERE {key} IN ({marks}))"), keys


def find_history_start(store: Store, *, days: int = HISTORY_DAYS) -> datetime | None:
    """Aware time `days` before the data end, see `find_data_end`; None where that is not known."""
    end = find_data_end(store)
    return None if end is None else end - timedelta(days=days)


def find_data_end(store: Store) -> datetime | None:
    """
    Up to when incidents are known, aware; None where there is neither a date of the data nor an incident.

    As a rule it is the date of the data (`data_as_of`, of an import). It is just after the last incident where
    incidents go on coming after that date, or stopped long before it: see `choose_end`.
    """
    sql = "SELECT (SELECT max(data_as_of) FROM community) AS of, (SELECT max(reported_utc) FROM incidents) AS last"
    as_of, last = (None if pd.isna(at) else pd.Timestamp(at).to_pydatetime() for at in store.read(sql).iloc[0])
    if as_of is None or last is None:
        only = as_of if last is None else last + timedelta(seconds=1)
        return None if only is None else get_aware(only)
    sql = """SELECT count(*) FILTER (reported_utc > $early AND reported_utc <= $late) AS since,
            count(*) FILTER (reported_utc <= $early AND reported_utc > $first) AS before FROM incidents"""
    early, late = min(as_of, last), max(as_of, last)
    counted = store.read(sql, {"early": early, "late": late, "first": early - timedelta(days=HISTORY_DAYS)}).iloc[0]
    return get_aware(choose_end(as_of, last, n_since=int(counted["since"]), n_before=int(counted["before"])))


def choose_end(as_of: datetime, last: datetime, *, n_since: int, n_before: int) -> datetime:
    """
    Where data end that were true at `as_of` and whose last incident is `last`.

    Parameters
    ----------
    n_since
        Incidents between the two.
    n_before
        Incidents in the `HISTORY_DAYS` before the earlier of the two.
    """
    usual = n_before * (abs(last - as_of) / timedelta(days=HISTORY_DAYS))
    if last > as_of:  # a live system: but a few that were typed much later do not move the end
        return last + timedelta(seconds=1) if n_since >= usual / 4 else as_of
    # An old file that was imported late: so long a silence would happen by luck in less than one of twenty.
    return last + timedelta(seconds=1) if usual > 3 and as_of - last > timedelta(days=7) else as_of


def _set_utc(frame: Frame) -> Frame:
    for column in frame.columns:
        if str(column).endswith("_utc"):
            moments = frame[column]
            if moments.dtype == object:  # a column of nulls alone
                moments = pd.to_datetime(moments)
            frame[column] = moments.dt.tz_localize("UTC")
    return frame
