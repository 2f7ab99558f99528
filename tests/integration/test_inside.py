"""A building from inside, and what a tablet chooses from: the sample, and a house that can be reckoned by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely import Point, Polygon, box

from data.store import Store
from data.viewer import WALL
from gis.errors import BadRecordError
from layers import SCENES
from tests.fixtures.small_community import build, found


def read(store: Store, name: str = "inside", **params: str) -> Any:
    return json.loads(SCENES[name].build(store, WALL, "zh", params))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Store]:
    """A house 20 m long and 8 m deep from west to east whose two doors look north, two flats on each of two storeys."""
    with Store(tmp_path / "small.duckdb") as store:
        found(store)
        build(store, "buildings", {"building_id": "b", "name": "1幢", "floors_above": 3, "geom": box(0, 0, 20, 8)})
        doors = [("e1", "1单元", 5.0), ("e2", "2单元", 15.0)]
        build(
            store,
            "entrances",
            *({"entrance_id": one, "building_id": "b", "name": name, "geom": Point(x, 8)} for one, name, x in doors),
        )
        flats = [
            (f"u{level}{n}", f"e{1 + n // 2}", level, f"{level}0{1 + n}", box(5 * n, 0, 5 * n + 5, 8))
            for level in (1, 2)
            for n in range(4)
        ]
        rows = [
            {"unit_id": one, "building_id": "b", "entrance_id": door, "level": level, "room": room, "use": "dwelling",
             "residents_count": 2, "floating_count": 0, "owner_name": "王建国", "geom": shape}
            for one, door, level, room, shape in flats
        ]  # fmt: skip
        build(store, "units", *rows)
        yield store


def test_it_is_seen_from_where_its_doors_are(house: Store) -> None:
    """Who stands north of the house and looks at it has the east at the left hand: the second entrance comes first."""
    inside = read(house, building="b")
    assert inside["size"] == [20.0, 8.0]
    assert [(door["n"], door["x"]) for door in inside["entrances"]] == [("2单元", [5.0, 0.0]), ("1单元", [15.0, 0.0])]
    upper = [(unit["n"], unit["x"][0]) for unit in inside["units"] if unit["l"] == 2]
    assert upper == [("204", 2.5), ("203", 7.5), ("202", 12.5), ("201", 17.5)]
    assert {round(Polygon(ring).area, 1) for unit in inside["units"] for ring in unit["p"]} == {40.0}


def test_its_frame_lies_on_the_table_where_the_house_stands(house: Store) -> None:
    """The corner at the left hand before the doors is the house's north-east; 20 m on and 8 m in is its south-west."""
    inside = read(house, building="b")
    origin, along, inwards = (np.array(inside["at"][name]) for name in ("o", "a", "d"))
    placed = [origin + a * along + d * inwards for a, d in ((0, 0), (20, 8))]
    assert np.allclose(placed, [[20.0, 8.0], [0.0, 0.0]], atol=0.02)
    assert [stairs["x"] for stairs in inside["stairs"]] == [[5.0, 1.6], [15.0, 1.6]]


def test_what_was_reported_from_a_home_is_counted_without_sensitive_kinds(house: Store) -> None:
    kinds = [
        {"category": one, "name_zh": one, "name_en": one, "sensitive": hidden}
        for one, hidden in (("noise", False), ("violence", True))
    ]
    house.write(lambda transaction: transaction.append("incident_categories", pd.DataFrame(kinds)))
    at = datetime(2026, 5, 1, tzinfo=UTC)
    rows = [("i1", "noise", 0), ("i2", "noise", 200), ("i3", "violence", 1)]
    build(
        house, "incidents",
        *(
            {
                "incident_id": one, "category": kind, "urgency": "normal", "source": "call", "status": "closed",
                "building_id": "b", "unit_id": "u10",
                **dict.fromkeys(
                    ("reported_utc", "occurred_from_utc", "occurred_to_utc", "closed_utc"),
                    (at - timedelta(days=days)).replace(tzinfo=None),
                ),
                "geom": Point(1, 1),
            }
            for one, kind, days in rows
        ),
    )  # fmt: skip
    counted = {unit["id"]: unit["i"] for unit in read(house, building="b")["units"]}
    assert counted["u10"] == [2, 1]  # of two noises one within 84 days; the third is sensitive
    assert counted["u11"] == [0, 0]


def test_a_home_was_last_verified_when_any_of_its_fields_was(house: Store) -> None:
    """The register's own date, a check of the home, and one of the rental in it: the newest counts."""
    rental = {"rental_id": "r", "unit_id": "u20", "building_id": "b", "suspected_group": False}
    checks = [("unit", "u20", "2026-03-01"), ("unit", "u21", "2026-04-02"), ("rental", "r", "2026-05-03")]
    rows = [
        {"subject_kind": kind, "subject_id": one, "field": "use", "verified_utc": pd.Timestamp(day), "how": "door"}
        for kind, one, day in checks
    ]
    house.write(lambda tx: tx.append("rentals", pd.DataFrame([rental])))
    house.write(lambda tx: tx.append("register_checks", pd.DataFrame(rows)))
    house.write(lambda tx: tx.execute("units", "UPDATE units SET verified_utc = '2026-04-20' WHERE unit_id = 'u21'"))
    days = {unit["id"]: unit["v"] for unit in read(house, building="b")["units"]}
    assert (days["u20"], days["u21"], days["u22"]) == ("2026-05-03", "2026-04-20", None)


def test_storeys_without_units_are_there_too(house: Store) -> None:
    inside = read(house, building="b")
    assert [level["l"] for level in inside["levels"]] == [3, 2, 1]
    assert [level["z"] for level in inside["levels"]] == [6.0, 3.0, 0.0]


def test_a_unit_leads_to_its_building_and_nothing_else_is_guessed(house: Store) -> None:
    assert read(house, unit="u11") == read(house, building="b")
    assert read(house) == {"id": ""}
    for params in ({"unit": "nowhere"}, {"building": "nowhere"}):
        with pytest.raises(BadRecordError, match="nowhere"):
            read(house, **params)


def test_nobody_is_in_it(house: Store) -> None:
    text = SCENES["inside"].build(house, WALL, "zh", {"building": "b"}).decode()
    assert "王" not in text
    assert "residents" not in text


def test_every_building_of_the_sample_has_all_its_units_inside_its_outline(sample_store: Store) -> None:
    sizes = sample_store.read("SELECT building_id, count(*) AS n FROM units GROUP BY building_id ORDER BY n DESC")
    for building, number in [*sizes.head(3).itertuples(index=False), *sizes.tail(3).itertuples(index=False)]:
        inside = read(sample_store, building=str(building))
        assert len(inside["units"]) == number
        doors = {door["id"] for door in inside["entrances"]}
        assert all(unit["e"] in doors or unit["e"] is None for unit in inside["units"])
        long, deep = inside["size"]
        corners = [point for unit in inside["units"] for ring in unit["p"] for point in ring]
        assert all(-0.6 <= a <= long + 0.6 and -0.6 <= d <= deep + 0.6 for a, d in corners)
        ids = Counter(unit["id"] for unit in inside["units"])
        assert max(ids.values()) == 1


def test_a_rental_says_its_colour_and_suspicion(sample_store: Store) -> None:
    row = sample_store.read(
        "SELECT unit_id, colour FROM rentals WHERE suspected_group AND unit_id IS NOT NULL ORDER BY rental_id LIMIT 1"
    ).iloc[0]
    units = read(sample_store, unit=str(row["unit_id"]))["units"]
    rental = next(unit["r"] for unit in units if unit["id"] == row["unit_id"])
    assert (rental["s"], rental["ok"], rental["c"]) == (True, False, row["colour"])


def test_a_tablet_chooses_from_all_buildings_grids_and_sites(sample_store: Store) -> None:
    directory = read(sample_store, "directory")
    counts = {name: len(directory[name]) for name in ("buildings", "grids", "sites")}
    told = sample_store.read(
        "SELECT (SELECT count(*) FROM buildings) b, (SELECT count(*) FROM grids) g, (SELECT count(*) FROM key_sites) s"
    ).iloc[0]
    assert counts == {"buildings": told["b"], "grids": told["g"], "sites": told["s"]}
    assert any(one["n"] == "东区13幢" for one in directory["buildings"])
    places = [abs(value) for one in directory["buildings"] for ring in one["p"] for point in ring for value in point]
    assert 100 < max(places) < 700  # local metres of a community 849 m square
