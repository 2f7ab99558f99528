"""
Did it work, or did it move? Before and after a change, with comparison places and a ring around both.

Weighted displacement difference: Wheeler and Ratcliffe 2018, doi:10.1186/s40163-018-0085-5. The e-test:
`incidents.rates.e_test`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import fisher_exact, norm

from gis.errors import BadRecordError
from incidents.answer import Answer
from incidents.knox import say_p
from incidents.local_statistics import adjust_benjamini_hochberg
from incidents.rates import compare_counts, e_test, normal_interval

DIRECTIONS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
AREAS = ("treated", "control", "treated_ring", "control_ring")


@dataclass(frozen=True)
class Counted:
    """Incidents of an area before and after, and what makes both comparable."""

    before: int
    after: int
    weight: float = 1.0
    """What a count of this area is multiplied by, e.g. 0.5 where it is twice as large as the treated one"""


def find_displacement(
    treated: Counted,
    control: Counted,
    treated_ring: Counted | None = None,
    control_ring: Counted | None = None,
    *,
    parts: Mapping[str, Counted] | None = None,
    before_weight: float = 1.0,
    level: float = 0.95,
) -> Answer:
    """
    The weighted displacement difference: (Δ treated − Δ control) + (Δ ring − Δ ring of control), Δ = after − before.

    Its variance is the sum of all counts, each times its weight squared, because each count is its own estimate of a
    Poisson variance. Below 0 is fewer incidents. Without rings the difference of the areas alone.

    Parameters
    ----------
    parts
        Parts of the ring by name, e.g. its directions: what moved to one of them is lost in the whole ring. Each is
        held against the ring of the control by Fisher's exact test, Benjamini–Hochberg over the parts.
    before_weight
        What counts before are multiplied by where the period before is longer: days after / days before.

    Returns
    -------
    Rows, one an area: area, before, after, weight, change (weighted). Figures: wdd, sd, z, p (two-sided, normal), low,
    high; local (treated − control) and ring (ring − ring of control), each with its own low, high, p; parts (name,
    before, after, q) and moved_to (those that rose); e_test of the treated area alone; verdict: worked, moved (fewer
    there, more in the ring or a part of it), worked_unsure (fewer there, but the whole is not sure), worse, or unclear.

    Raises
    ------
    BadRecordError
        One ring without the other, or counts or weights that are none.
    """
    if (treated_ring is None) != (control_ring is None):
        raise BadRecordError(
            "A ring was given for one area only. Give the ring of the treated area and of the control."
        )
    areas = {
        name: area
        for name, area in zip(AREAS, (treated, control, treated_ring, control_ring), strict=True)
        if area is not None
    }
    for name, area in areas.items():
        if min(area.before, area.after) < 0 or not (np.isfinite(area.weight) and area.weight > 0):
            raise BadRecordError(f"Area '{name}' has {area}, expected counts of 0 or more and a weight above 0.")
    if not (before_weight > 0 and np.isfinite(before_weight)):
        raise BadRecordError(
            f"Weight of the period before is {before_weight}, expected above 0. Give days after / before."
        )

    change = {name: area.weight * (area.after - before_weight * area.before) for name, area in areas.items()}
    variance = {name: area.weight**2 * (area.after + before_weight**2 * area.before) for name, area in areas.items()}
    local = _estimate(change["treated"] - change["control"], variance["treated"] + variance["control"], level)
    ring = None
    whole = local
    if treated_ring is not None:
        ring = _estimate(
            change["treated_ring"] - change["control_ring"],
            variance["treated_ring"] + variance["control_ring"],
            level,
        )
        whole = _estimate(
            sum(change[n] * (-1 if n.startswith("control") else 1) for n in areas), sum(variance.values()), level
        )
    judged = _judge_parts(parts or {}, control_ring or control)
    moved_to = [str(part["name"]) for part in judged if float(str(part["q"])) <= 1 - level]
    verdict = _judge(local, ring, whole, moved_to)
    rows = pd.DataFrame(
        [
            {"area": name, "before": area.before, "after": area.after, "weight": area.weight, "change": change[name]}
            for name, area in areas.items()
        ]
    )
    alone = e_test(treated.after, treated.before, exposure_first=before_weight)
    figures = {
        "wdd": whole["estimate"], **{name: whole[name] for name in ("sd", "z", "p", "low", "high")},
        "local": local, "ring": ring, "verdict": verdict, "e_test": alone,
        "parts": judged, "moved_to": moved_to,
    }  # fmt: skip
    words = {
        "wdd": f"{whole['estimate']:+.0f}", "low": f"{whole['low']:+.0f}", "high": f"{whole['high']:+.0f}",
        "local": f"{local['estimate']:+.0f}", "local_low": f"{local['low']:+.0f}",
        "local_high": f"{local['high']:+.0f}",
        "ring": "" if ring is None else f"{ring['estimate']:+.0f}", "p": say_p(whole["p"]),
    }  # fmt: skip
    n = sum(area.before + area.after for area in areas.values())
    asked = {"before_weight": before_weight, "level": level}
    return Answer("displacement", asked, n, rows, figures, f"change_{verdict}", words)


def _estimate(estimate: float, variance: float, level: float) -> dict[str, float]:
    low, high = normal_interval(estimate, variance, level=level)
    z = estimate / variance**0.5 if variance > 0 else 0.0
    return {
        "estimate": estimate,
        "sd": variance**0.5,
        "z": z,
        "p": float(2 * norm.sf(abs(z))),
        "low": low,
        "high": high,
    }


def _judge_parts(parts: Mapping[str, Counted], control: Counted) -> list[dict[str, object]]:
    tables = [[[part.after, part.before], [control.after, control.before]] for part in parts.values()]
    p = np.array([float(fisher_exact(table, alternative="greater").pvalue) for table in tables])
    return [
        {"name": name, "before": part.before, "after": part.after, "q": float(q)}
        for (name, part), q in zip(parts.items(), adjust_benjamini_hochberg(p), strict=True)
    ]


def _judge(local: dict[str, float], ring: dict[str, float] | None, whole: dict[str, float], moved_to: list[str]) -> str:
    """Fewer where the patrols went; and then whether the ring took them up."""
    if local["low"] > 0:
        return "worse"
    if local["high"] >= 0:
        return "unclear"
    if moved_to or (ring is not None and ring["low"] > 0):
        return "moved"
    return "worked" if whole["high"] < 0 else "worked_unsure"


def count_areas(
    xy: NDArray[np.float64],
    t_days: NDArray[np.float64],
    *,
    centre: tuple[float, float],
    radius_m: float,
    ring_m: float,
    change_days: float,
    before_days: float,
    after_days: float,
) -> tuple[Counted, Counted]:
    """Incidents in a circle and in the ring around it, in the days before the change and from it on, half-open."""
    apart = np.hypot(*(xy - np.array(centre)).T)
    before = (t_days >= change_days - before_days) & (t_days < change_days)
    after = (t_days >= change_days) & (t_days < change_days + after_days)
    inside, around = apart <= radius_m, (apart > radius_m) & (apart <= radius_m + ring_m)
    return (
        Counted(int((inside & before).sum()), int((inside & after).sum())),
        Counted(int((around & before).sum()), int((around & after).sum())),
    )


def count_directions(
    xy: NDArray[np.float64],
    t_days: NDArray[np.float64],
    *,
    centre: tuple[float, float],
    radius_m: float,
    ring_m: float,
    change_days: float,
) -> dict[str, Counted]:
    """Incidents in the eight directions of the ring, before and after; clockwise from grid north."""
    east, north = (xy - np.array(centre)).T
    apart = np.hypot(east, north)
    around = (apart > radius_m) & (apart <= radius_m + ring_m)
    eighth = np.floor(np.degrees(np.arctan2(east, north)) / 45 + 0.5).astype(np.int64) % 8
    before = t_days < change_days
    return {
        name: Counted(int((around & (eighth == i) & before).sum()), int((around & (eighth == i) & ~before).sum()))
        for i, name in enumerate(DIRECTIONS)
    }


def compare_periods(
    names: list[str],
    before: list[int],
    after: list[int],
    *,
    exposure_before: list[float] | None = None,
    exposure_after: list[float] | None = None,
) -> Answer:
    """
    Two counts of each place by the e-test, beside the conditional exact test and the rate ratio's interval.

    Rows in input order: name, before, after, difference (after − before), p (e-test, two-sided), p_exact (conditional),
    ratio (rate after over before), low, high.
    """
    ones = [1.0] * len(names)
    rows = []
    for name, first, second, e_first, e_second in zip(
        names, before, after, exposure_before or ones, exposure_after or ones, strict=True
    ):
        test = compare_counts(second, first, exposure_first=e_second, exposure_second=e_first)
        p = e_test(second, first, exposure_first=e_second, exposure_second=e_first)
        rows.append(
            {
                "name": name, "before": first, "after": second, "difference": second - first, "p": p,
                "p_exact": test.p, "ratio": test.ratio, "low": test.low, "high": test.high,
            }
        )  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["name", "before", "after", "difference", "p", "p_exact", "ratio", "low", "high"]
    )
    changed = int((table["p"] <= 0.05).sum())
    n = int(table["before"].sum() + table["after"].sum())
    words = {
        "before": int(table["before"].sum()), "after": int(table["after"].sum()), "changed": changed,
        "places": len(table),
    }  # fmt: skip
    return Answer("e-test", {"places": len(table)}, n, table, {"changed": changed}, "e_test", words)
