"""
The planted pattern: where, when and how much more than the baseline. Nothing is ever more than three times as much.

A planted place multiplies the baseline of some kinds at some hours on some days by `times`; the extra incidents are
drawn from that same baseline, so that the intensity is exactly `times` the baseline and looks like it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample.categories import KINDS, hour_shares, kinds_of
from sample.place import HISTORY_DAYS, LayoutError
from sample.scene import Scene

MOST_TIMES = 3.0
ALL_HOURS = tuple(range(24))
EVENING = (*range(17, 24), 0, 1, 2)
DAYTIME = tuple(range(7, 21))

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
        shares: np.ndarray = rates * hours[None, :] * span
        return shares


_HOME_LIFE = kinds_of("violence", "dispute", "noise", "theft", "fraud", "help")
_STREET_LIFE = kinds_of("theft", "violence", "dispute", "noise", "order", "traffic")
_BROAD = kinds_of("theft", "violence", "dispute", "noise", "order", "help", "complaint", "fraud")

# Key, kinds, hours, times, radius in metres: what is hot at some hours only is wider, or chance would hide it.
_HOT = (
    ("hot-1", _BROAD, ALL_HOURS, 3.0, 62.0),
    ("hot-2", _BROAD, EVENING, 3.0, 80.0),
    ("hot-3", _STREET_LIFE, ALL_HOURS, 3.0, 66.0),
    ("hot-4", _HOME_LIFE, ALL_HOURS, 3.0, 62.0),
    ("hot-5", _BROAD, DAYTIME, 3.0, 76.0),
    ("hot-6", _BROAD, ALL_HOURS, 2.8, 62.0),
)
HOT_RADIUS_M = 62.0
_APART_M = 165.0
_TOO_BUSY_QUANTILE = 0.9
"""Places busier than this share of all are passed over: around the towers everything is many even without a cause."""
_HOMES, _SHOPS = 5, 5


def plant(scene: Scene) -> list[Planted]:
    """Choose the places: busy ones, far from each other, so that evidence adds up and places stay apart."""
    xy = scene.places[["x", "y"]].to_numpy()
    repeats = _repeats(scene)
    taken = np.array([int(place.places[0]) for place in repeats])

    def around(centre: np.ndarray, radius_m: float = HOT_RADIUS_M) -> np.ndarray:
        return np.setdiff1d(np.flatnonzero(np.hypot(*(xy - centre).T) <= radius_m), taken)

    doors, busy = _doors(scene, xy)
    centres = _busy_centres(doors, busy, len(_HOT) + 2)
    planted = [
        Planted(key, "hot", around(centres[i], radius_m), kinds, hours, times)
        for i, (key, kinds, hours, times, radius_m) in enumerate(_HOT)
    ]
    worked, moved = centres[len(_HOT) :]
    to = _beside(doors, busy, moved, centres)
    return [
        *planted,
        Planted("patrol-worked", "patrol_worked", around(worked), _BROAD, ALL_HOURS, 2.8, 0, WORKED_DAY),
        Planted("patrol-moved-from", "patrol_moved_from", around(moved), _BROAD, ALL_HOURS, 2.8, 0, MOVED_DAY),
        Planted("patrol-moved-to", "patrol_moved_to", around(to), _BROAD, ALL_HOURS, 2.8, MOVED_DAY),
        *repeats,
    ]


def _doors(scene: Scene, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Doors that may be a centre, shape (n, 2), and the baseline share within HOT_RADIUS_M of each."""
    doors = xy[(scene.places["place_class"] == 1).to_numpy()]
    rates = scene.rates.sum(axis=1)
    busy = np.array([rates[np.hypot(*(xy - door).T) <= HOT_RADIUS_M].sum() for door in doors])
    kept = busy <= np.quantile(busy, _TOO_BUSY_QUANTILE)
    return doors[kept], busy[kept]


def _busy_centres(doors: np.ndarray, busy: np.ndarray, count: int) -> list[np.ndarray]:
    """The busiest doors, each at least `_APART_M` from those before."""
    chosen: list[np.ndarray] = []
    for index in np.argsort(-busy, kind="stable"):
        if len(chosen) < count and all(np.hypot(*(doors[index] - other)) >= _APART_M for other in chosen):
            chosen.append(doors[index])
    if len(chosen) < count:
        raise LayoutError(f"Room for {len(chosen)} planted places, expected {count}: change the sample's layout.")
    return chosen


def _beside(doors: np.ndarray, busy: np.ndarray, moved: np.ndarray, centres: list[np.ndarray]) -> np.ndarray:
    """The busiest door near `moved` whose surroundings touch no other planted place."""
    away = np.hypot(*(doors - moved).T)
    clear = np.all([np.hypot(*(doors - other).T) > 2 * HOT_RADIUS_M for other in centres], axis=0)
    for reach_m in (220.0, 320.0, 480.0):
        near = np.where(clear & (away <= reach_m), busy, -1.0)
        if near.max() >= 0:
            best: np.ndarray = doors[int(np.argmax(near))]
            return best
    raise LayoutError("The sample has no free place beside the patrol that moved the trouble: change the layout.")


def _repeats(scene: Scene) -> list[Planted]:
    """The homes and shops that had most anyway, and now have three times of it."""
    classes = scene.places["place_class"].to_numpy()
    busy = scene.rates.sum(axis=1)
    planted: list[Planted] = []
    for place_class, count, kinds in ((0, _HOMES, _HOME_LIFE), (2, _SHOPS, tuple(range(len(KINDS))))):
        own = np.flatnonzero(classes == place_class)
        for place in own[np.argsort(-busy[own], kind="stable")][:count]:
            key = f"repeat-{len(planted) + 1}"
            planted.append(Planted(key, "repeat_address", np.array([place]), kinds, ALL_HOURS, MOST_TIMES))
    return planted
