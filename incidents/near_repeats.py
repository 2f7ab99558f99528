"""
Near repeats: what follows an incident at the same unit, in the same building, or close by, within days; and chains.

Bands are [a, b). Source of the method: Townsley, Homel and Chaseling 2003, doi:10.1093/bjc/43.3.615; of the words
originator, repeat and near repeat: Ratcliffe and Rengert 2008, doi:10.1057/palgrave.sj.8350068.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import poisson

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.close_pairs import (
    check_events,
    check_reach,
    find_close_pairs,
    find_space_pairs,
    is_storable,
    order_pairs,
)
from incidents.knox import say_p

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Names = NDArray[np.object_]

DISTANCES_M = (50.0, 100.0, 200.0)
DAYS = (3.0, 7.0, 14.0, 30.0)
SAME_UNIT, SAME_BUILDING, SAME_PLACE = "same unit", "same building", "same place"
_SAID = {SAME_UNIT: "analysis.same_unit", SAME_BUILDING: "analysis.same_building", SAME_PLACE: "analysis.same_place"}


def find_near_repeats(
    xy: Floats,
    t_days: Floats,
    *,
    distances_m: Sequence[float] = DISTANCES_M,
    days: Sequence[float] = DAYS,
    units: Names | None = None,
    buildings: Names | None = None,
    permutations: int = 0,
    rng: np.random.Generator | None = None,
) -> Answer:
    """
    Pairs of incidents by how far and how long apart, against times dealt out at random.

    Parameters
    ----------
    xy, t_days
        Places in metres, shape (n, 2), and times in days, shape (n,).
    distances_m, days
        Upper edges of the bands, ascending. A pair at the very same place is a band of its own.
    units, buildings
        Ids where known, else None, shape (n,): pairs of the same unit, and of the same building but not unit, are bands
        of their own whatever their distance.
    permutations
        Shuffles of the times, 0 for none.

    Returns
    -------
    Rows, one a band of distance and of days: distance, days, pairs, expected (under permutation, closed form), ratio,
    p_poisson (P(X ≥ pairs)), p_permutation (null without), p (the last known), sure (p, or p_poisson where there are
    fewer than 20 shuffles a band, ≤ 0.05 after Bonferroni over the bands). Figures: pairs and bands.

    Raises
    ------
    BadRecordError
        Bad events or bands, or more pairs within the widest band than can be held.
    """
    check_events(xy, t_days)
    edges_m, edges_d = check_edges(distances_m, "distance"), check_edges(days, "days")
    check_reach(float(edges_m[-1]), float(edges_d[-1]))
    if not is_storable(xy, float(edges_m[-1])):
        raise BadRecordError(f"Too many pairs lie within {edges_m[-1]:g} m. Choose narrower bands or a shorter period.")
    pairs = find_space_pairs(xy, float(edges_m[-1]))
    first, second = pairs[:, 0], pairs[:, 1]
    names, band = _name_bands(xy, first, second, edges_m, units, buildings)
    kept = band >= 0
    first, second, band = first[kept], second[kept], band[kept]
    n_bands, n_gaps = len(names), edges_d.size

    def count(times: Floats) -> Counts:
        gap = np.searchsorted(edges_d, np.abs(times[first] - times[second]), side="right")
        found: Counts = np.bincount(band * (n_gaps + 1) + gap, minlength=n_bands * (n_gaps + 1))
        return found.reshape(n_bands, n_gaps + 1)[:, :n_gaps]

    observed = count(t_days)
    by_band = np.bincount(band, minlength=n_bands)
    total = len(xy) * (len(xy) - 1) / 2
    expected = np.outer(by_band, _pairs_by_gap(t_days, edges_d)) / total
    p_poisson = np.where(expected > 0, poisson.sf(observed - 1, np.maximum(expected, 1e-300)), 1.0)
    p_permutation = np.full(observed.shape, np.nan)
    if permutations:
        rng = rng or np.random.default_rng(0)
        reached = np.zeros(observed.shape, dtype=np.int64)
        for _ in range(permutations):
            reached += count(rng.permutation(t_days)) >= observed
        p_permutation = (reached + 1) / (permutations + 1)
    p = p_permutation if permutations else p_poisson
    tested = max(int((expected > 0).sum()), 1)
    # A few shuffles have no p small enough to be sure of one among many bands.
    sure = (p if 20 * tested <= permutations + 1 else p_poisson) * tested <= 0.05
    gaps = _name_edges(edges_d)
    rows = pd.DataFrame(
        {
            "distance": np.repeat(names, n_gaps),
            "days": np.tile(gaps, n_bands),
            "pairs": observed.ravel(),
            "expected": expected.ravel(),
            "ratio": np.divide(observed, expected, out=np.full(observed.shape, np.nan), where=expected > 0).ravel(),
            "p_poisson": p_poisson.ravel(),
            "p_permutation": p_permutation.ravel(),
            "p": p.ravel(),
            "sure": sure.ravel(),
        }
    )
    asked = {"distances_m": list(distances_m), "days": list(days), "permutations": permutations}
    figures = {"pairs": int(observed.sum()), "bands": len(rows), "sure": int(sure.sum())}
    strongest = rows[rows["sure"]].sort_values("ratio", ascending=False)
    if strongest.empty:
        return Answer("near-repeat", asked, len(xy), rows, figures, "near_none", {"n": len(xy)})
    best = strongest.iloc[0]
    words = {
        "times": f"{best['ratio']:.1f}", "distance": _SAID.get(best["distance"], f"{best['distance']} m"),
        "days": best["days"], "n": int(best["pairs"]),
        "expected": f"{best['expected']:.1f}", "p": say_p(float(best["p"])),
    }  # fmt: skip
    return Answer("near-repeat", asked, len(xy), rows, figures, "near_found", words)


def find_chains(
    xy: Floats,
    t_days: Floats,
    *,
    distance_m: float,
    days: float,
    units: Names | None = None,
    buildings: Names | None = None,
) -> Answer:
    """
    Chains of incidents: connected components of pairs at most `distance_m` and `days` apart, both inclusive.

    Returns
    -------
    Rows in input order: chain (from 1, in the order of their first rows), chain_size, role (originator: the first of a
    chain; repeat: follows one at the same unit, building or place; near_repeat: follows one close by; single), follows
    (position of the latest incident that it follows, null for none), links (pairs it is in). Figures: chains (of two
    or more), singles, largest, links (positions of the pairs, earlier first, to be drawn).
    """
    check_events(xy, t_days)
    check_reach(distance_m, days)
    n = len(xy)
    pairs = order_pairs(find_close_pairs(xy, t_days, distance_m=distance_m, days=days), t_days)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    _, first_row = np.unique(label, return_index=True)
    rank = np.empty(first_row.size, dtype=np.int64)
    rank[np.argsort(first_row)] = np.arange(1, first_row.size + 1)
    chain = rank[label]
    size = np.bincount(chain)[chain]

    same = _is_same_place(xy, pairs, units, buildings)
    follows = np.full(n, -1, dtype=np.int64)
    latest = np.lexsort((pairs[:, 0], t_days[pairs[:, 0]]))
    follows[pairs[latest, 1]] = pairs[latest, 0]
    repeats = np.zeros(n, dtype=bool)
    repeats[pairs[same, 1]] = True
    # What follows nothing although its chain begins elsewhere: another beginning of the same chain.
    role = np.select([size == 1, follows < 0, repeats], ["single", "originator", "repeat"], "near_repeat")
    rows = pd.DataFrame(
        {
            "chain": chain,
            "chain_size": size,
            "role": role,
            "follows": pd.Series(follows, dtype="Int64").mask(follows < 0),
            "links": np.bincount(pairs.ravel(), minlength=n),
        }
    )
    sizes = np.bincount(chain)[1:]
    figures = {
        "chains": int((sizes > 1).sum()), "singles": int((sizes == 1).sum()), "largest": int(sizes.max()),
        "repeats": int((role == "repeat").sum()), "near_repeats": int((role == "near_repeat").sum()),
        "links": pairs.tolist(),
    }  # fmt: skip
    words = {**figures, "n": n, "metres": f"{distance_m:g}", "days": f"{days:g}"}
    words.pop("links")
    asked = {"distance_m": distance_m, "days": days}
    return Answer("near-repeat", asked, n, rows, figures, "chains", words)


def check_edges(edges: Sequence[float], name: str) -> Floats:
    """Upper edges of bands as an array: finite, positive, ascending."""
    array = np.asarray(edges, dtype=np.float64)
    if array.size == 0 or not np.isfinite(array).all() or array[0] <= 0 or (np.diff(array) <= 0).any():
        raise BadRecordError(f"Bands of {name} are {list(edges)}, expected ascending numbers above 0, e.g. 50,100,200.")
    return array


def _name_bands(
    xy: Floats, first: Counts, second: Counts, edges_m: Floats, units: Names | None, buildings: Names | None
) -> tuple[list[str], Counts]:
    """Names of the bands of distance, and the band of each pair, −1 beyond the last."""
    apart = np.hypot(*(xy[first] - xy[second]).T)
    names = [SAME_PLACE, *_name_edges(edges_m)]
    band = np.where(apart == 0, 0, 1 + np.searchsorted(edges_m, apart, side="right"))
    band = np.where(band > edges_m.size, -1, band)
    for label, ids in ((SAME_BUILDING, buildings), (SAME_UNIT, units)):
        if ids is not None:
            names = [label, *names]
            band = np.where(_is_same(ids, first, second), 0, np.where(band < 0, -1, band + 1))
    return names, band.astype(np.int64)


def _is_same(ids: Names, first: Counts, second: Counts) -> NDArray[np.bool_]:
    codes, _ = pd.factorize(np.asarray(ids, dtype=object))
    same: NDArray[np.bool_] = (codes[first] == codes[second]) & (codes[first] >= 0)
    return same


def _is_same_place(xy: Floats, pairs: Counts, units: Names | None, buildings: Names | None) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (xy[pairs[:, 0]] == xy[pairs[:, 1]]).all(axis=1)
    for ids in (units, buildings):
        if ids is not None:
            same |= _is_same(ids, pairs[:, 0], pairs[:, 1])
    return same


def _pairs_by_gap(t_days: Floats, edges: Floats) -> Floats:
    """Pairs of all events by band of days, shape (bands,)."""
    ordered = np.sort(t_days)
    position = np.arange(ordered.size)
    below = [float((np.searchsorted(ordered, ordered + edge, side="left") - position - 1).sum()) for edge in edges]
    return np.diff(np.array([0.0, *below]))


def _name_edges(edges: Floats) -> list[str]:
    return [f"{low:g}-{high:g}" for low, high in zip([0.0, *edges[:-1].tolist()], edges.tolist(), strict=True)]
