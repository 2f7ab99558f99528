"""Moments: aware for everybody, UTC without zone inside the store."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd


def to_stored_time(moment: datetime) -> datetime:
    """An aware time as the store holds it: UTC without zone."""
    if moment.tzinfo is None:
        raise ValueError(f"Time {moment.isoformat()} has no zone: give an aware time, e.g. datetime(..., tzinfo=UTC).")
    return moment.astimezone(UTC).replace(tzinfo=None)


def to_aware(value: object) -> datetime | None:
    """A time that the store gave as an aware one; None for a missing one."""
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return pd.Timestamp(value).to_pydatetime().replace(tzinfo=UTC)  # type: ignore[arg-type]


def get_aware(value: object) -> datetime:
    """As `to_aware`, for a column that is never null."""
    moment = to_aware(value)
    if moment is None:
        raise ValueError("A time is missing in a column that is never null.")
    return moment
