"""
Hot cells of the sample's two years, beside conditional permutation by drawing, as statistics libraries do it.

The peer draws 9,999 times: its smallest p is 0.0001, and Benjamini–Hochberg over 1,200 cells asks for smaller ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from incidents.hotspots import exact_upper_p, find_hot_cells
from sample import build_community

_DRAWS = 9_999
_ROUNDS = 5


def draw_upper_p(counts: NDArray[np.int64], inside: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.float64]:
    """P(S >= s) of the sum around each cell, by drawing its neighbours' counts from all other cells."""
    padded = np.pad(np.where(inside, counts, 0), 1)
    there = np.pad(inside.astype(np.int64), 1)
    rows, columns = inside.shape
    windows = [(r, c) for r in range(3) for c in range(3) if (r, c) != (1, 1)]
    around = sum(padded[r : r + rows, c : c + columns] for r, c in windows)[inside]
    degree = sum(there[r : r + rows, c : c + columns] for r, c in windows)[inside]
    values = counts[inside]
    draws = np.stack([rng.choice(values.size - 1, size=8, replace=False) for _ in range(_DRAWS)])
    p = np.empty(values.size)
    for i in range(values.size):
        others = np.delete(values, i)
        sums = others[draws[:, : degree[i]]].sum(axis=1)
        p[i] = (1 + np.count_nonzero(sums >= around[i])) / (_DRAWS + 1)
    return p


def _take_s(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def run() -> dict[str, float]:
    """Figures for `docs/benchmarks.md`."""
    tables = build_community().tables
    incidents, boundary = tables["incidents"], tables["community"]["boundary"].iloc[0]
    for column in ("reported_utc", "occurred_from_utc", "occurred_to_utc"):
        incidents[column] = pd.to_datetime(incidents[column]).dt.tz_localize("UTC")
    since = incidents["occurred_from_utc"].min().to_pydatetime()
    until = incidents["occurred_from_utc"].max().to_pydatetime() + timedelta(seconds=1)

    def find() -> object:
        return find_hot_cells(incidents, boundary, since=since, until=until)

    found = find_hot_cells(incidents, boundary, since=since, until=until)
    counts, inside = found.counted.counts, found.counted.inside
    exact = exact_upper_p(counts, inside)
    assert exact is not None
    start = time.process_time()
    drawn = draw_upper_p(counts, inside, np.random.default_rng(7))
    drawn_s = time.process_time() - start
    exact_s = _take_s(lambda: exact_upper_p(counts, inside), _ROUNDS)
    return {
        "cells": int(inside.sum()),
        "incidents": found.n_incidents,
        "hot_cells": int(found.cells["hot"].sum()),
        "whole_s": round(_take_s(find, _ROUNDS), 4),
        "exact_p_s": round(exact_s, 4),
        "drawn_p_s": round(drawn_s, 3),
        "drawn_over_exact": round(drawn_s / exact_s, 1),
        "largest_difference_of_p": round(float(np.abs(exact[inside] - drawn).max()), 4),
        "smallest_exact_p": float(f"{np.nanmin(exact[inside]):.3g}"),
    }
