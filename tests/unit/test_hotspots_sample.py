"""What was planted in the sample community is found, by people who only read the incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import shapely

from incidents.hotspots import HotCells, HotPlace, find_hot_cells, rank_hot_places
from incidents.repeats import find_repeat_places
from sample import SampleCommunity


def analyse(community: SampleCommunity, cell_m: float) -> tuple[HotCells, list[HotPlace]]:
    """Hot cells and top ten of the last twelve months."""
    tables = community.tables
    until = datetime.fromisoformat(community.truth["data_as_of"])
    since = until - timedelta(days=365)
    boundary = shapely.union_all(tables["grids"].geometry.to_numpy())
    dwellings = tables["units"].groupby("building_id").size()
    exposure = dwellings.reindex(tables["buildings"]["building_id"], fill_value=0)
    incidents = tables["incidents"]
    hot = find_hot_cells(incidents, boundary, since=since, until=until, cell_m=cell_m)
    repeats = find_repeat_places(incidents, since=since, until=until, exposure=exposure)
    return hot, rank_hot_places(hot, repeats)


def is_found(planted: dict[str, Any], place: HotPlace) -> bool:
    """The place is one of the planted one's buildings, or the area shares ground with its cells."""
    ground = shapely.union_all([shapely.Polygon(cell["polygon"]) for cell in planted["cells"]])
    if place.kind == "area":
        return bool(place.geometry.intersects(ground))
    return bool(set(place.place_ids) & set(planted["buildings"]))


@pytest.mark.parametrize("cell_m", [25.0, 50.0])
def test_most_planted_places_are_in_the_top_ten(sample_community: SampleCommunity, cell_m: float) -> None:
    hot, top = analyse(sample_community, cell_m)
    planted = sample_community.truth["hot_places"]
    found = [place["key"] for place in planted if any(is_found(place, listed) for listed in top)]
    assert len(top) == 10
    assert len(found) > len(planted) / 2, found
    assert hot.law == "exact"


def test_every_incident_is_counted_or_said_to_be_left_out(sample_community: SampleCommunity) -> None:
    hot, _ = analyse(sample_community, 25.0)
    incidents = sample_community.tables["incidents"]
    occurred = pd.to_datetime(incidents["occurred_from_utc"], utc=True)
    in_period = int(((occurred >= hot.since) & (occurred < hot.until)).sum())
    assert hot.n_incidents == hot.cells["count"].sum()
    assert hot.n_incidents + hot.n_outside + hot.n_police_found == in_period
    assert hot.n_police_found > 0


def test_hot_cells_lie_where_something_was_planted(sample_community: SampleCommunity) -> None:
    hot, _ = analyse(sample_community, 25.0)
    cells = hot.cells[hot.cells["hot"]]
    truth = sample_community.truth
    planted = [*truth["hot_places"], *truth["repeat_addresses"], truth["patrol_worked"], *_moved(truth)]
    ground = shapely.union_all([shapely.Polygon(cell["polygon"]) for place in planted for cell in place["cells"]])
    assert len(cells) >= 1  # the exact law is strict: see the decision on hotspots
    # A cell is hot for what lies around it too: one cell's width is allowed.
    assert cells.geometry.distance(ground).le(25.0).mean() >= 0.75


def _moved(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [place for place in truth["patrol_moved"].values() if isinstance(place, dict) and "cells" in place]
