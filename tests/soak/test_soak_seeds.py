"""The facts of the sample for twenty seeds, the shown one among them."""

from __future__ import annotations

import pytest
import shapely

from sample import build_community


@pytest.mark.soak
@pytest.mark.parametrize("seed", [7, *range(1001, 1020)])
def test_the_facts_hold(seed: int) -> None:
    sample = build_community(seed)
    tables = sample.tables
    boundary = tables["community"]["boundary"].iloc[0]
    grids = tables["grids"]["geom"].to_numpy()
    units, responders = tables["units"], tables["responders"]
    workers = responders[responders["kind"] == "grid_worker"]
    # The facts, exact.
    assert abs(shapely.area(boundary) / 720_000 - 1) < 0.001
    assert len(grids) == 11
    assert shapely.coverage_is_valid(grids)
    assert shapely.area(shapely.symmetric_difference(shapely.union_all(grids), boundary)) < 0.001
    assert (units["residents_count"].sum(), units["floating_count"].sum()) == (15_000, 2_805)
    assert (workers["full_time"].sum(), (~workers["full_time"]).sum()) == (6, 5)
    # The "about".
    assert len(tables["rentals"]) == pytest.approx(900, rel=0.02)
    assert tables["rentals"]["suspected_group"].sum() == pytest.approx(40, rel=0.1)
    assert len(tables["key_sites"]) == pytest.approx(60, rel=0.1)
    assert len(responders) == pytest.approx(80, rel=0.1)
    assert len(tables["incidents"]) == pytest.approx(3_500, rel=0.02)
    assert all(place["times"] <= 3.0 for place in [*sample.truth["hot_places"], *sample.truth["repeat_addresses"]])
    # Every unit has its storey, outline and room; every unit's outline lies in its building.
    assert units[["level", "room", "geom"]].notna().all().all()
    homes = tables["buildings"].set_index("building_id")["geom"].loc[units["building_id"]].to_numpy()
    assert shapely.covers(shapely.buffer(homes, 0.01), units["geom"].to_numpy()).all()
