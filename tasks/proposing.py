"""
Who could do a task (建议接收人): grids, accounts and roles, in an order for which each gives its reasons.

The order looks at this one task: own grid, on duty now, how much waits already, how far. It is no score: nothing is
added up, kept or shown of a person, and who directs may choose anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time

import geopandas as gpd
import pandas as pd

from gis.walk_links import Spot
from gis.walk_network import WalkNetwork
from gis.walk_pace import FOOT_M_S
from gis.walk_search import travel_times_s
from tasks.life_cycle import Receiver

NEAR_M = 60.0
"""Distances are told in steps of so many metres: last positions are no better."""
_NOWHERE_M = 1e9


@dataclass(frozen=True)
class Candidate:
    """
    Somebody to whom a task can be given.

    Attributes
    ----------
    receiver, name
        Who; the name of a grid or an account, never of a person.
    grids
        Grids that they look after; empty for all.
    duty
        From and to, local time; None where no duty is known.
    waiting
        Open tasks that wait for them.
    distance_m, walk_s
        From their last position, straight; and on foot, where ways are known. None where no position is.
    """

    receiver: Receiver
    name: str
    grids: frozenset[str] = frozenset()
    duty: tuple[time, time] | None = None
    waiting: int = 0
    distance_m: float | None = None
    walk_s: float | None = None


@dataclass(frozen=True)
class Proposal:
    """A candidate with codes of the reasons: own_grid or other_grid, on_duty, off_duty or duty_unknown, and figures."""

    candidate: Candidate
    reasons: tuple[str, ...]


def rank_receivers(candidates: Iterable[Candidate], *, grid_id: str | None, at: time, limit: int = 5) -> list[Proposal]:
    """The candidates that suit a task in `grid_id` at local time `at` best, at most `limit`."""
    ranked = sorted(candidates, key=lambda one: _rank(one, grid_id, at))
    return [Proposal(one, _say(one, grid_id, at)) for one in ranked[:limit]]


def is_on_duty(duty: tuple[time, time], at: time) -> bool:
    """Whether `at` is within a duty, which may pass midnight."""
    start, end = duty
    return start <= at < end if start <= end else at >= start or at < end


def _rank(candidate: Candidate, grid_id: str | None, at: time) -> tuple[int, int, int, float, str]:
    own = 0 if grid_id in candidate.grids else 1 if not candidate.grids else 2
    duty = 1 if candidate.duty is None else 0 if is_on_duty(candidate.duty, at) else 2
    return own, duty, candidate.waiting, round(_find_far_m(candidate) / NEAR_M), candidate.name


def _find_far_m(candidate: Candidate) -> float:
    """Metres of way on foot; straight ones where no way is known; far beyond all where no position is, or no way."""
    if candidate.walk_s is not None:
        return min(candidate.walk_s * FOOT_M_S, _NOWHERE_M)
    return _NOWHERE_M if candidate.distance_m is None else candidate.distance_m


def _say(candidate: Candidate, grid_id: str | None, at: time) -> tuple[str, ...]:
    own = "own_grid" if grid_id in candidate.grids else "all_grids" if not candidate.grids else "other_grid"
    if candidate.duty is None:
        return own, "duty_unknown"
    return own, "on_duty" if is_on_duty(candidate.duty, at) else "off_duty"


def find_walks_s(network: WalkNetwork, receivers: pd.DataFrame, place: Spot, at: datetime) -> pd.Series:
    """
    Seconds on foot from where each receiver was last to a place at an aware time, index of `receivers`.

    Infinity where no open way leads there; missing where no position is known.
    """
    known = receivers.dropna(subset=["at_x_m", "at_y_m"])
    points = gpd.GeoSeries(gpd.points_from_xy(known["at_x_m"], known["at_y_m"]), index=known.index, crs=network.crs)
    walks = travel_times_s(network, place, points, at=at) if len(points) else pd.Series(dtype="float64")
    return walks.reindex(receivers.index)


def build_candidates(receivers: pd.DataFrame, walks_s: pd.Series | None = None) -> list[Candidate]:
    """Candidates of `data.task_receivers.find_receivers`; `walks_s` as `find_walks_s` gives them."""
    walks = pd.Series(float("nan"), index=receivers.index) if walks_s is None else walks_s
    return [
        Candidate(
            Receiver(row["kind"], row["id"]),
            str(row["name"]),
            frozenset(str(row["grids"]).split()),
            None if pd.isna(row["duty_from"]) or pd.isna(row["duty_to"]) else (row["duty_from"], row["duty_to"]),
            int(row["waiting"]),
            None if pd.isna(row["distance_m"]) else float(row["distance_m"]),
            None if pd.isna(walk_s) else float(walk_s),
        )
        for row, walk_s in zip(receivers.to_dict("records"), walks.tolist(), strict=True)
    ]
