"""What must hold for every seed, not only for the one that is shown."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sample import build_community


@pytest.mark.soak
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=2**31 - 1))
def test_the_facts_hold_for_any_seed(seed: int) -> None:
    sample = build_community(seed)
    tables = sample.tables
    assert tables["units"]["residents_count"].sum() == 15_000
    assert tables["units"]["floating_count"].sum() == 2_805
    assert 5_300 <= (tables["units"]["use"] == "dwelling").sum() <= 6_800
    assert (len(tables["rentals"]), tables["rentals"]["suspected_group"].sum()) == (900, 40)
    assert 55 <= len(tables["key_sites"]) <= 65
    assert abs(len(tables["incidents"]) / 3_500 - 1) < 0.01
    assert abs(shapely.area(tables["community"]["boundary"].iloc[0]) / 720_000 - 1) < 0.001
    footprints = tables["buildings"]["geom"].to_numpy()
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    assert (first == second).all()
    roads = tables["roads"]
    surfaces = shapely.buffer(roads["geom"].to_numpy(), roads["width_m"].to_numpy() / 2, cap_style="flat")
    at, of = shapely.STRtree(footprints).query(surfaces, predicate="intersects")
    assert shapely.area(shapely.intersection(surfaces[at], footprints[of])).max(initial=0) < 0.1
    ends = {tuple(np.round(line.coords[i], 2)) for line in roads["geom"] for i in (0, -1)}
    assert {tuple(np.round(point.coords[0], 2)) for point in tables["entrances"]["geom"]} <= ends
    assert tables["addresses"]["full_text"].is_unique
    assert tables["community"]["seed"].iloc[0] == seed
    assert all(place["times"] <= 3.0 for place in [*sample.truth["hot_places"], *sample.truth["repeat_addresses"]])
