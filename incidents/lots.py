"""
Start dates by lot: comparison comes from beginning at different dates, never from leaving a hot place unpatrolled.

The lot is drawn and stored, seed and all, before anything begins; whoever has the seed can draw it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from gis.errors import BadRecordError
from incidents.answer import Answer


def draw_start_dates(places: Sequence[str], dates: Sequence[date], *, seed: int) -> Answer:
    """
    Deal start dates out to places at random, as evenly as can be; every place gets one.

    Rows in the order of the places: place_id, start, order (of the lot, from 1). The same places (in whatever order),
    dates and seed give the same lot.

    Raises
    ------
    BadRecordError
        No places or dates, one of them twice, or more dates than places.
    """
    for what, given in (("places", places), ("dates", dates)):
        if not given or len(set(given)) != len(given):
            raise BadRecordError(f"{len(given)} {what}, {len(set(given))} of them different: expected each once.")
    if len(dates) > len(places):
        raise BadRecordError(f"{len(dates)} dates for {len(places)} places: a date would have none. Give fewer dates.")
    rng = np.random.default_rng(seed)
    ordered = sorted(places)
    lot = [ordered[i] for i in rng.permutation(len(ordered))]
    by_date = np.array_split(np.arange(len(lot)), len(dates))
    start = {lot[i]: day for part, day in zip(by_date, sorted(dates), strict=True) for i in part.tolist()}
    rows = pd.DataFrame(
        {"place_id": list(places), "start": [start[p] for p in places], "order": [lot.index(p) + 1 for p in places]}
    )
    asked = {"seed": seed, "dates": sorted(dates)}
    words = {"places": len(places), "dates": len(dates), "seed": seed}
    return Answer("lots", asked, len(places), rows, {"seed": seed}, "lots", words)
