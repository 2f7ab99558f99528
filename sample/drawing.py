"""Drawing incidents from the baseline: place, kind and time, with the planted places and the series of thefts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from sample.categories import KINDS, hour_shares
from sample.place import AS_OF, HISTORY_DAYS, INCIDENTS, SHANGHAI
from sample.planted import ALL_HOURS, Planted
from sample.scene import Scene

POLICE_FOUND_SHARE = 0.08
SERIES_THEFTS = 11
SERIES_DAYS = 56
SERIES_STEP_M = 100.0
SERIES_STEP_DAYS = 6.0

_SEASON_PEAK_DAY = 205
"""Day of the year around which most happens (late July), with a swing of 15 %."""


@dataclass(frozen=True)
class Drawn:
    """
    Incidents before they become rows. `frame` has place, kind, minute (of the history, Shanghai), found (by the
    police) and planted (key or None); `expected` is the number of baseline incidents reported by others.
    """

    frame: pd.DataFrame
    expected: float
    series: dict[str, object]


def draw_incidents(
    scene: Scene, planted: list[Planted], office: tuple[float, float], rng: np.random.Generator
) -> Drawn:
    """About INCIDENTS incidents: the baseline, what the police found themselves, the planted extras, the series."""
    found = round(INCIDENTS * POLICE_FOUND_SHARE)
    more = [(place.times - 1.0) * place.shares(scene) for place in planted]
    reported = round((INCIDENTS - found - SERIES_THEFTS) / (1 + sum(float(extra.sum()) for extra in more)))
    everywhere = np.arange(len(scene.places))
    all_kinds = tuple(range(len(KINDS)))
    frames = [_draw(scene.rates, everywhere, all_kinds, ALL_HOURS, (0, HISTORY_DAYS), reported, None, rng)]
    frames.append(_found(scene, office, found, rng))
    for place, extra in zip(planted, more, strict=True):
        count = round(reported * float(extra.sum()))
        span = (place.first, place.last)
        frames.append(_draw(scene.rates, place.places, place.kinds, place.hours, span, count, place.key, rng))
    frame, series = _series(scene, planted, reported, rng)
    frames.append(frame)
    return Drawn(pd.concat(frames, ignore_index=True), float(reported), series)


def _draw(
    rates: np.ndarray,
    places: np.ndarray,
    kinds: tuple[int, ...],
    hours: tuple[int, ...],
    days: tuple[int, int],
    count: int,
    key: str | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """`count` incidents in proportion to `rates` among `places`, `kinds` and `hours`, on days [first, last)."""
    hourly = np.array([hour_shares(KINDS[k]) for k in kinds])[:, list(hours)]
    weights = rates[np.ix_(places, np.array(kinds))] * hourly.sum(axis=1)[None, :]
    flat = np.cumsum(weights.ravel())
    picks = np.searchsorted(flat, rng.random(count) * flat[-1], side="right")
    place, kind = np.divmod(picks, len(kinds))
    minutes = np.empty(count, dtype=np.int64)
    for column, k in enumerate(kinds):
        own = np.flatnonzero(kind == column)
        hour = rng.choice(np.array(hours), size=len(own), p=hourly[column] / hourly[column].sum())
        day = rng.choice(np.arange(*days), size=len(own), p=_day_shares(KINDS[k].weekend, days))
        minutes[own] = day * 1440 + hour * 60 + rng.integers(0, 60, len(own))
    return pd.DataFrame(
        {"place": places[place], "kind": np.array(kinds)[kind], "minute": minutes, "found": False, "planted": key}
    )


@cache
def _day_shares(weekend: float, days: tuple[int, int]) -> np.ndarray:
    """Share of each day: Friday to Sunday `weekend` times the other days, a slow swing over the year."""
    start = pd.Timestamp(AS_OF.astimezone(SHANGHAI)).tz_localize(None) - pd.Timedelta(days=HISTORY_DAYS)
    dates = pd.date_range(start, periods=HISTORY_DAYS)[days[0] : days[1]]
    week = np.where(dates.day_of_week >= 4, weekend, 1.0)
    season = 1 + 0.15 * np.cos(2 * np.pi * (dates.day_of_year.to_numpy() - _SEASON_PEAK_DAY) / 365.25)
    shares: np.ndarray = week * season
    shares /= shares.sum()
    return shares


def _found(scene: Scene, office: tuple[float, float], count: int, rng: np.random.Generator) -> pd.DataFrame:
    """What patrols find lies where patrols go: by the office, on streets and in shops. It is no hot spot."""
    xy = scene.places[["x", "y"]].to_numpy()
    near = 0.15 + np.exp(-np.hypot(*(xy - np.array(office)).T) / 130.0)
    outside = np.isin(scene.places["place_class"].to_numpy(), [2, 3, 4])
    codes = ("traffic.blocked", "order.gambling", "order.drunk", "theft.other", "violence.fight", "traffic.crash")
    kinds = tuple(i for i, kind in enumerate(KINDS) if kind.code in codes)
    rates = scene.rates * (near * outside)[:, None]
    frame = _draw(rates, np.arange(len(xy)), kinds, ALL_HOURS, (0, HISTORY_DAYS), count, None, rng)
    return frame.assign(found=True)


def _series(
    scene: Scene, planted: list[Planted], reported: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, object]]:
    """
    A near-repeat series of battery and e-bike thefts in one zone: each within 100 m and 6 days of the one before.

    Within its zone and its eight weeks it adds twice what the baseline expects there, so thefts triple, no more.
    """
    codes = ("theft.ebike", "theft.battery")
    kinds = np.array([i for i, kind in enumerate(KINDS) if kind.code in codes])
    classes = scene.places["place_class"].to_numpy()
    used = np.zeros(len(classes), dtype=bool)
    for other in planted:
        used[other.places] = True
    zone = (scene.places["zone"] == "西区").to_numpy()
    doors = np.flatnonzero((classes == 1) & zone & ~used)
    baseline = reported * float(scene.rates[np.ix_(np.flatnonzero(zone), kinds)].sum()) * SERIES_DAYS / HISTORY_DAYS
    count = min(SERIES_THEFTS, int(2.0 * baseline))
    first = HISTORY_DAYS - 130
    xy = scene.places[["x", "y"]].to_numpy()
    middle = xy[doors].mean(axis=0)
    place = int(doors[np.argmin(np.hypot(*(xy[doors] - middle).T))])
    minute = first * 1440 + 60 * 2
    rows = []
    for _ in range(count):
        rows.append((place, int(rng.choice(kinds)), minute))
        reach = doors[np.hypot(*(xy[doors] - xy[place]).T) <= SERIES_STEP_M]
        place = int(rng.choice(reach))
        days = float(rng.uniform(1.5, SERIES_STEP_DAYS - 1.0))
        night = int(rng.integers(0, 5)) * 60 + int(rng.integers(0, 60))
        minute = (minute // 1440 + round(days)) * 1440 + night
    frame = pd.DataFrame(rows, columns=["place", "kind", "minute"]).assign(found=False, planted="near-repeat")
    return frame, {
        "zone": "西区", "categories": list(codes), "first_day": first, "days": SERIES_DAYS,
        "baseline_expected": round(baseline, 2), "times": round((baseline + count) / baseline, 2),
        "step_m": SERIES_STEP_M, "step_days": SERIES_STEP_DAYS,
    }  # fmt: skip
