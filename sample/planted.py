"""
The planted pattern: where, when and how much more than the baseline. Nothing is ever more than three times as much.

A planted place multiplies the baseline of some kinds at some hours on some days by `times`; the extra incidents are
drawn from that same baseline, so that the intensity is exactly `times` the baseline and looks like it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample.categories import KINDS, hour_shares, kinds_of
from sample.place import HISTORY_DAYS
from sample.scene import Scene

MOST_TIMES = 3.0
ALL_HOURS = tuple(range(24))
EVENING = tuple([*range(17, 24), 0, 1, 2])
NIGHT = tuple([*range(19, 24), *range(6)])
DAY = tuple(range(7, 21))

WORKED_DAY = HISTORY_DAYS - 240
MOVED_DAY = HISTORY_DAYS - 230


@dataclass(frozen=True)
class Planted:
    """More of `kinds` at `places` (indexes) in `hours` from day `first` up to day `last` of the history."""

    key: str
    role: str
    places: np.ndarray
    kinds: tuple[int, ...]
    hours: tuple[int, ...]
    times: float
    first: int = 0
    last: int = HISTORY_DAYS

    def shares(self, scene: Scene) -> np.ndarray:
        """Baseline share of each place and kind that is multiplied, shape (places, kinds)."""
        hours = np.array([hour_shares(KINDS[k])[list(self.hours)].sum() for k in self.kinds])
        span = (self.last - self.first) / HISTORY_DAYS
        rates: np.ndarray = scene.rates[np.ix_(self.places, np.array(self.kinds))]
        return rates * hours[None, :] * span


_STREET_LIFE = kinds_of("theft", "violence", "dispute", "noise", "order")
_HOME_LIFE = kinds_of("violence", "dispute", "noise", "theft", "fraud", "help")
_BROAD = kinds_of("theft", "violence", "dispute", "noise", "order", "help", "complaint", "fraud")

# Key, kinds, hours, times.
_HOT = (
    ("hot-1", _BROAD, ALL_HOURS, 3.0),
    ("hot-2", _STREET_LIFE, EVENING, 3.0),
    ("hot-3", _BROAD, ALL_HOURS, 2.9),
    ("hot-4", _HOME_LIFE, ALL_HOURS, 3.0),
    ("hot-5", _BROAD, ALL_HOURS, 2.8),
    ("hot-6", _STREET_LIFE, ALL_HOURS, 3.0),
)
HOT_RADIUS_M = 62.0
_APART_M = 165.0


def plant(scene: Scene, rng: np.random.Generator) -> list[Planted]:
    """Choose the places: busy ones, far from each other, so that evidence adds up and places stay apart."""
    xy = scene.places[["x", "y"]].to_numpy()
    busy = scene.rates.sum(axis=1)
    centres = _busy_centres(xy, scene, 9)
    planted = [
        Planted(key, "hot", _around(xy, centres[i]), kinds, hours, times)
        for i, (key, kinds, hours, times) in enumerate(_HOT)
    ]
    worked, moved = centres[6], centres[7]
    to = _beside(xy, scene, moved, centres)
    planted += [
        Planted("patrol-worked", "patrol_worked", _around(xy, worked), _BROAD, ALL_HOURS, 2.8, 0, WORKED_DAY),
        Planted("patrol-moved-from", "patrol_moved_from", _around(xy, moved), _BROAD, ALL_HOURS, 2.8, 0, MOVED_DAY),
        Planted("patrol-moved-to", "patrol_moved_to", _around(xy, to), _BROAD, ALL_HOURS, 2.8, MOVED_DAY),
    ]
    used = np.zeros(len(xy), dtype=bool)
    for place in planted:
        used[place.places] = True
    return planted + _repeats(scene, busy, used, rng)


def _busy_centres(xy: np.ndarray, scene: Scene, count: int) -> list[np.ndarray]:
    """Doors around which the baseline is highest, each at least `_APART_M` from those before."""
    doors = np.flatnonzero((scene.places["place_class"] == 1).to_numpy())
    busy = scene.rates.sum(axis=1)
    around = np.array([busy[np.hypot(*(xy - xy[door]).T) <= HOT_RADIUS_M].sum() for door in doors])
    chosen: list[np.ndarray] = []
    for index in np.argsort(-around, kind="stable"):
        at = xy[doors[index]]
        if all(np.hypot(*(at - other)) >= _APART_M for other in chosen):
            chosen.append(at)
        if len(chosen) == count:
            break
    return chosen


def _beside(xy: np.ndarray, scene: Scene, moved: np.ndarray, centres: list[np.ndarray]) -> np.ndarray:
    """The busiest door 130 to 190 m from `moved` that is not near another planted place."""
    doors = np.flatnonzero((scene.places["place_class"] == 1).to_numpy())
    busy = scene.rates.sum(axis=1)
    best, at_best = -1.0, moved
    for door in doors:
        away = float(np.hypot(*(xy[door] - moved)))
        clear = all(np.hypot(*(xy[door] - other)) > 2 * HOT_RADIUS_M for other in centres)
        around = float(busy[np.hypot(*(xy - xy[door]).T) <= HOT_RADIUS_M].sum())
        if 130 <= away <= 210 and clear and around > best:
            best, at_best = around, xy[door]
    return at_best


def _around(xy: np.ndarray, centre: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.hypot(*(xy - centre).T) <= HOT_RADIUS_M)


def _repeats(scene: Scene, busy: np.ndarray, used: np.ndarray, rng: np.random.Generator) -> list[Planted]:
    """Homes and shops that had more than their share anyway, and now three times of it."""
    classes = scene.places["place_class"].to_numpy()
    everything = tuple(range(len(KINDS)))
    planted = []
    for place_class, count, kinds, times in (
        (0, 6, kinds_of("dispute", "noise", "violence", "help"), 3.0),
        (2, 4, everything, 2.8),
    ):
        free = np.flatnonzero((classes == place_class) & ~used)
        top = free[np.argsort(-busy[free], kind="stable")][: count * 2]
        for place in np.sort(rng.choice(top, size=count, replace=False)):
            key = f"repeat-{len(planted) + 1}"
            planted.append(Planted(key, "repeat_address", np.array([place]), kinds, ALL_HOURS, times))
    return planted
