"""Near repeats of the workbench: chains with their links, and the plan that draws them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data.store import Store
from data.viewer import Viewer
from incidents.answer import Answer
from incidents.near_repeats import DAYS, DISTANCES_M, find_chains, find_near_repeats
from ui.command_data import TABLES, Question, Situation, find_situation
from ui.command_plan import Plane, draw_buildings, draw_ground

REACHES_M, REACHES_DAYS = tuple(int(one) for one in DISTANCES_M), tuple(int(one) for one in DAYS)
DEFAULT_M, DEFAULT_DAYS = 50, 7
ROLES = ("originator", "repeat", "near_repeat", "single")
_MOST_CHAINS = 8


@dataclass(frozen=True)
class Chain:
    """Incidents that follow one another."""

    number: int
    members: NDArray[np.int64]
    """Positions in `Links.rows`, in order of time"""
    first: datetime
    last: datetime
    repeats: int
    near_repeats: int

    @property
    def size(self) -> int:
        """How many incidents."""
        return int(self.members.size)


@dataclass(frozen=True)
class Links:
    """Near repeats of a period."""

    rows: pd.DataFrame
    """The incidents of the period, reindexed from 0"""
    xy: NDArray[np.float64]
    chains: Answer
    """`find_chains`"""
    bands: Answer
    """`find_near_repeats`"""
    longest: tuple[Chain, ...]


def find_links(store: Store, viewer: Viewer, question: Question, metres: float, days: float) -> Links | None:
    """Chains and bands for a question; None with fewer than two incidents in the period."""
    return _compute(store, viewer.scope, question, metres, days, store.revision(*TABLES))


@lru_cache(maxsize=24)
def _compute(
    store: Store, viewer: Viewer, question: Question, metres: float, days: float, _revision: int
) -> Links | None:
    situation = find_situation(store, viewer, question)
    if situation is None or situation.n < 2:
        return None
    rows = situation.rows[situation.in_period].reset_index(drop=True)
    begin = pd.to_datetime(rows["occurred_from_utc"], utc=True)
    t_days = ((begin - situation.since) / pd.Timedelta(days=1)).to_numpy(np.float64)
    xy = shapely.get_coordinates(rows.geometry.to_numpy())
    held = {"units": rows["unit_id"].to_numpy(object), "buildings": rows["building_id"].to_numpy(object)}
    chains = find_chains(xy, t_days, distance_m=metres, days=days, **held)
    bands = find_near_repeats(xy, t_days, **held)
    return Links(rows, xy, chains, bands, _find_longest(chains.rows, begin))


def _find_longest(rows: pd.DataFrame, begin: pd.Series) -> tuple[Chain, ...]:
    found = []
    sizes = rows.loc[rows["chain_size"] > 1].groupby("chain").size()
    for number in sizes.sort_values(ascending=False, kind="stable").head(_MOST_CHAINS).index:
        members = np.flatnonzero(rows["chain"].to_numpy() == number)
        members = members[np.argsort(begin.to_numpy()[members], kind="stable")]
        roles = rows["role"].iloc[members]
        found.append(
            Chain(
                int(number), members, begin.iloc[members[0]].to_pydatetime(), begin.iloc[members[-1]].to_pydatetime(),
                int((roles == "repeat").sum()), int((roles == "near_repeat").sum()),
            )
        )  # fmt: skip
    return tuple(found)


def build_links_map(situation: Situation, links: Links, *, title: str, on: int | None) -> str:
    """
    The plan with a line from each incident to each that follows it, and each incident by its role.

    `on` is the number of the chain that is lit.
    """
    at = Plane(situation.outline)
    parts = [draw_ground(situation, at), *draw_buildings(situation, at, lambda _: "", picks=True)]
    xy = at.points(links.xy)
    chain, role = links.chains.rows["chain"].to_numpy(), links.chains.rows["role"].to_numpy()
    pairs = np.asarray(links.chains.figures["links"], dtype=np.int64).reshape(-1, 2)
    for lit in (False, True):
        chosen = pairs[(chain[pairs[:, 0]] == on) == lit]
        lines = "".join(
            f"M{x1:g} {y1:g}L{x2:g} {y2:g}"
            for (x1, y1), (x2, y2) in zip(xy[chosen[:, 0]].tolist(), xy[chosen[:, 1]].tolist(), strict=True)
            if (x1, y1) != (x2, y2)
        )
        if lines:
            parts.append(f'<path class="k{" on" if lit else ""}" d="{lines}"/>')
    radius = {"single": 2.5, "originator": 5.0, "repeat": 4.5, "near_repeat": 4.5}
    order = sorted(range(len(xy)), key=lambda i: (chain[i] == on, -ROLES.index(role[i])))
    parts += [
        f'<circle class="o {escape(str(role[i]))}" cx="{xy[i, 0]:g}" cy="{xy[i, 1]:g}" '
        f'r="{radius[role[i]] * at.unit * (1.5 if chain[i] == on else 1):.3g}"/>'
        for i in order
    ]
    return at.wrap(parts, title)


def find_chain_outline(links: Links, chain: Chain, *, around_m: float = 12.0) -> Any:
    """What a zone around a chain would be."""
    return shapely.MultiPoint(links.xy[chain.members]).convex_hull.buffer(around_m)
