"""The back-test of every forecast map on the community's own history, of any units: cells, or pieces of street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from incidents.answer import Answer
from incidents.density import density_at
from incidents.forecasts import DENSITY, find_back_test
from incidents.units import UnitCounts

Floats = NDArray[np.float64]

WEEKS = 104
PERIOD_DAYS = 28
MEMORY = 12
CELL_M = 50.0
BANDWIDTH_M = 100.0


def back_test_units(units: UnitCounts, xy: Floats, t_days: Floats, edges: Sequence[float]) -> Answer:
    """
    Forecasts of each finished period from the `MEMORY` before it, held against what came.

    The maps are last period's counts (the plain rival), the mean of the periods before, and a kernel density of their
    incidents.

    Parameters
    ----------
    units
        What the incidents were counted in. Shares are of the units' area, of street pieces of their length.
    xy, t_days
        The same incidents, shape (n, 2) and (n,).
    edges
        Edges of the finished periods in the days of `t_days`, ascending.

    Returns
    -------
    See `find_back_test`.
    """
    period = np.searchsorted(np.asarray(edges), t_days, side="right") - 1
    n_periods = len(edges) - 1
    counts = np.column_stack([units.count(period == k) for k in range(n_periods)])
    middle = shapely.get_coordinates(shapely.centroid(units.geometry))
    density: list[Floats | None] = []
    for k in range(n_periods):
        before = xy[(period >= k - MEMORY) & (period < k)]
        usable = k >= MEMORY and len(before)
        density.append(density_at(middle, before, bandwidth_m=BANDWIDTH_M) * units.size if usable else None)
    size = units.size if units.kind in ("segment", "building") else None
    answer = find_back_test(counts, size=size, maps={DENSITY: density}, memory=MEMORY)
    asked = {**answer.asked, "on": units.kind, "period_days": PERIOD_DAYS, "bandwidth_m": BANDWIDTH_M}
    ground = "analysis.ground_length" if units.kind == "segment" else "analysis.ground_area"
    words = {**answer.words, "ground": ground}
    return replace(answer, asked=asked, words=words, left_out={"outside": units.n_outside})
