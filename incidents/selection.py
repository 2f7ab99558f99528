"""Which incidents an analysis of places may use: reported by others, in the period, of the kinds asked for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

import pandas as pd

from gis.errors import BadRecordError

REPORTED_BY_OTHERS = ("call", "counter", "app")
"""What the police found themselves shows where they patrol, not where things happen: it never feeds hotspots."""

Frame = TypeVar("Frame", bound=pd.DataFrame)


def select_reported(
    incidents: Frame, *, since: datetime, until: datetime, kinds: Collection[str] | None
) -> tuple[Frame, int]:
    """
    Incidents in [since, until), of `kinds` (None: all), reported by others; and how many the police found.

    The time is `occurred_from_utc`: when it happened, or the earliest it can have; UTC unless it has a zone.

    Raises
    ------
    BadRecordError
        The period has no zone, or ends before it begins.
    """
    if since.tzinfo is None or until.tzinfo is None:
        raise BadRecordError(f"Period {since} to {until} has no time zone. Give aware times, e.g. with UTC.")
    if until <= since:
        raise BadRecordError(f"Period ends at {until}, before it begins at {since}. Swap them.")
    occurred = pd.to_datetime(incidents["occurred_from_utc"], utc=True)
    chosen = (occurred >= since) & (occurred < until)
    if kinds is not None:
        chosen &= incidents["category"].isin(list(kinds))
    reported = incidents["source"].isin(REPORTED_BY_OTHERS)
    return incidents[chosen & reported], int((chosen & ~reported).sum())
