"""
The statistics beside esda (Gi*), pointpats (Knox) and KDEpy (density). Processor seconds, one core each.

Peers get the same input in one run, after a small run that lets them compile. What a peer needs before it can begin
(its graph of neighbours) is counted, because ours needs none.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.real_incidents import measure_city, measure_million
from incidents.density import density_on_grid
from incidents.gi_star import find_hot_points
from incidents.hotspots import adjust_benjamini_hochberg, exact_upper_p, gi_star
from incidents.knox import find_knox

_SHUFFLES = 999
_SIDES = (100, 316, 1000)
_PEER_SIDES = (100, 316)
_POINTS = 1_000_000
_GRID, _CELL_M, _RADIUS_M = 96, 25.0, 150.0


def make_counts(side: int) -> NDArray[np.int64]:
    """Sparse clustered counts on a square lattice, as incidents make them."""
    rng = np.random.default_rng(side)
    return rng.poisson(rng.gamma(0.2, 2.0, (side, side))).astype(np.int64)


def take_s(work: Callable[[], object], rounds: int = 3) -> float:
    """Processor seconds, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def ask_esda(counts: NDArray[np.int64], shuffles: int) -> Any:
    """Gi* of esda on the same lattice, graph included."""
    from esda.getisord import G_Local
    from libpysal.weights import lat2W

    weights = lat2W(*counts.shape, rook=False, silence_warnings=True)
    return G_Local(
        counts.ravel().astype(float), weights, transform="B", permutations=shuffles, star=True, n_jobs=1, seed=7
    )


def compare_gi_star() -> list[dict[str, float | int | None]]:
    """z and p by number of cells; None where the peer would take minutes."""
    ask_esda(make_counts(10), 9)  # compiles
    rows = []
    for side in _SIDES:
        counts = make_counts(side)

        def find_all(counts: NDArray[np.int64] = counts) -> object:
            p = exact_upper_p(counts)
            return gi_star(counts), None if p is None else adjust_benjamini_hochberg(p)

        ours_z, ours_p = take_s(lambda c=counts: gi_star(c)), take_s(lambda c=counts: exact_upper_p(c))
        row: dict[str, float | int | None] = {
            "cells": side**2, "z_s": ours_z, "exact_p_s": ours_p, "all_s": take_s(find_all), "esda_z_s": None,
            "esda_p_s": None, "z_ratio": None, "p_ratio": None, "largest_difference_of_z": None,
        }  # fmt: skip
        if side in _PEER_SIDES:
            start = time.process_time()
            peer = ask_esda(counts, 0)
            row["esda_z_s"] = time.process_time() - start
            row["largest_difference_of_z"] = float(np.abs(peer.Zs - gi_star(counts).ravel()).max())
            start = time.process_time()
            ask_esda(counts, _SHUFFLES)
            row["esda_p_s"] = time.process_time() - start
            row["z_ratio"], row["p_ratio"] = row["esda_z_s"] / ours_z, row["esda_p_s"] / ours_p
        rows.append(row)
    return rows


def compare_knox() -> dict[str, float]:
    """The Knox test of 10,000 and 100,000 events over two years in a city's density, 100 m and 14 days."""
    from pointpats.spacetime import Knox

    rng = np.random.default_rng(1)
    xy, t_days = rng.uniform(0, 3_000, (10_000, 2)), rng.uniform(0, 730, 10_000)
    more, times = rng.uniform(0, 9_500, (100_000, 2)), rng.uniform(0, 730, 100_000)
    Knox(xy[:100], t_days[:100, None], 100, 14, permutations=9)
    start = time.process_time()
    peer = Knox(xy, t_days[:, None], 100, 14, permutations=99)
    peer_s = time.process_time() - start
    ours = find_knox(xy, t_days, distance_m=100, days=14)
    if peer.statistic_ != ours.figures["observed"]:
        raise AssertionError(f"The peer counts {peer.statistic_} close pairs, we {ours.figures['observed']}.")
    ours_s = take_s(lambda: find_knox(xy, t_days, distance_m=100, days=14))
    return {
        "closed_form_s": ours_s,
        "shuffled_99_s": take_s(lambda: find_knox(xy, t_days, distance_m=100, days=14, permutations=99), 1),
        "pointpats_99_s": peer_s,
        "ratio": peer_s / ours_s,
        "closed_form_100k_s": take_s(lambda: find_knox(more, times, distance_m=100, days=14), 1),
    }


def compare_density() -> dict[str, float]:
    """Quartic density of 1,000,000 points on 96 × 96 cells of 25 m, radius 150 m."""
    from KDEpy import FFTKDE, TreeKDE

    rng = np.random.default_rng(2)
    xy = np.concatenate([rng.normal(0, 300, (_POINTS // 2, 2)), rng.uniform(-1000, 1000, (_POINTS // 2, 2))])
    west = -_GRID * _CELL_M / 2

    def ours() -> NDArray[np.float64]:
        return density_on_grid(xy, west, west, _GRID, _GRID, _CELL_M, bandwidth_m=_RADIUS_M)

    middles = west + (np.arange(_GRID) + 0.5) * _CELL_M
    nodes = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1).reshape(-1, 2)
    start = time.process_time()
    TreeKDE(kernel="biweight", bw=_RADIUS_M / 7**0.5, norm=2).fit(xy).evaluate(nodes)
    tree_s = time.process_time() - start
    # The fast one wants a grid around all points, and spreads each over the four nodes around it.
    wide = np.linspace(-2_000, 2_000, 161)
    start = time.process_time()
    FFTKDE(kernel="biweight", bw=_RADIUS_M / 7**0.5, norm=2).fit(xy).evaluate(
        np.stack(np.meshgrid(wide, wide, indexing="ij"), axis=-1).reshape(-1, 2)
    )
    fft_s = time.process_time() - start
    ours_s = take_s(ours)
    return {"ours_s": ours_s, "tree_s": tree_s, "ratio": tree_s / ours_s, "fft_s": fft_s}


def run() -> dict[str, Any]:
    """Figures for `docs/benchmarks.md`."""
    warnings.simplefilter("ignore")
    grid = np.stack(np.meshgrid(np.arange(316.0), np.arange(316.0)), axis=-1).reshape(-1, 2)
    counts = make_counts(316).ravel()
    return {
        "gi_star": compare_gi_star(),
        "places_100k_s": take_s(lambda: find_hot_points(grid, counts, band_m=1.5), 1),
        "knox": compare_knox(),
        "density": compare_density(),
        "million": measure_million(),
        "city": measure_city(),
        "city_load": os.getloadavg()[0],
    }
