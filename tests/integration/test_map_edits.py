"""Gates and walls by hand: rows are what the events add up to, imports leave them alone, each change can be undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from data.audit import verify
from data.importing import ImportOptions, SourceFile, import_sources, undo_import
from data.map_edits import (
    KEYS,
    GateDraft,
    WallDraft,
    add_gate,
    add_wall,
    change_gate,
    change_wall,
    confirm_features,
    rebuild_map,
    remove_feature,
    undo_map_change,
)
from data.queries import find_map_changes, find_map_knowledge
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tests.fixtures.small_community import CORNER_M, found
from tests.integration.import_support import LAT, LON, feature, geojson, square

AT = datetime(2026, 11, 28, 4, tzinfo=UTC)
OFFICER = Viewer(Role.OFFICER, account_id="a-1", name="officer07")
MIDDLE = (CORNER_M[0] + 100, CORNER_M[1] + 100)
GATE = GateDraft(Point(*MIDDLE), "vehicle", "东门", time(22), time(6))
WALL = WallDraft(LineString([MIDDLE, (MIDDLE[0] + 30, MIDDLE[1])]))


def now() -> datetime:
    return AT


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "place.duckdb", clock=now) as opened:
        yield found(opened)


def read_state(store: Store) -> dict[tuple[str, str], dict[str, Any]]:
    """Both tables, as JSON would say them."""
    state = {}
    for table, key in KEYS.items():
        for row in store.read(f"SELECT * EXCLUDE (geom), ST_AsText(geom) AS geom FROM {table}").to_dict("records"):
            plain = {
                str(name): None if pd.isna(value) else value.isoformat() if hasattr(value, "isoformat") else value
                for name, value in row.items()
            }
            state[table, str(row[key])] = plain
    return state


def read_events(store: Store) -> list[tuple[str, str, str, str]]:
    rows = store.read("SELECT kind, subject_table, subject_id, detail FROM events ORDER BY event_id")
    return [tuple(map(str, row)) for row in rows.itertuples(index=False)]  # type: ignore[misc]


def check_rebuilt(store: Store) -> None:
    """The touched rows of both tables are what the events lead to."""
    assert {one: row for one, row in rebuild_map(read_events(store)).items() if row is not None} == read_state(store)


def last_change(store: Store) -> int:
    return int(find_map_changes(store, OFFICER)["event_id"].iloc[0])


def test_a_wall_and_a_gate_are_drawn_changed_and_taken_off(store: Store) -> None:
    gate_id, wall_id = add_gate(store, OFFICER, GATE, clock=now), add_wall(store, OFFICER, WALL, clock=now)
    gate = read_state(store)["gates", gate_id]
    assert (gate["name"], gate["closes_at"], gate["opens_at"]) == ("东门", "22:00:00", "06:00:00")
    assert gate["verified_utc"] == "2026-11-28T04:00:00"
    wall = read_state(store)["walls", wall_id]
    assert (wall["kind"], wall["height_m"], wall["batch_id"]) == ("wall", 2.2, None)
    known = find_map_knowledge(store, OFFICER)
    assert (known.gates, known.gates_verified, known.walls_verified, known.is_verified) == (1, 1, 1, True)

    change_gate(store, OFFICER, gate_id, GateDraft(Point(MIDDLE[0] + 3, MIDDLE[1]), "pedestrian"), clock=now)
    change_wall(store, OFFICER, wall_id, WallDraft(WALL.line, "fence", 1.5), clock=now)
    assert read_state(store)["gates", gate_id]["closes_at"] is None
    assert read_state(store)["walls", wall_id]["height_m"] == 1.5
    remove_feature(store, OFFICER, "walls", wall_id, clock=now)
    assert [one for one in read_state(store) if one[0] == "walls"] == []
    check_rebuilt(store)
    kinds = [kind for kind, *_ in read_events(store)]
    assert kinds == ["map.added", "map.added", "map.changed", "map.changed", "map.removed"]
    assert verify(store).is_whole
    logged = store.read("SELECT count(*) AS n FROM audit_log WHERE action = 'change' AND actor = 'officer07'")
    assert int(logged["n"].iloc[0]) == 5


def test_each_change_can_be_taken_back_once_and_only_the_last(store: Store) -> None:
    wall_id = add_wall(store, OFFICER, WALL, clock=now)
    added = last_change(store)
    before = read_state(store)
    remove_feature(store, OFFICER, "walls", wall_id, clock=now)
    removed = last_change(store)
    with pytest.raises(RefusedError, match="is not the last one"):
        undo_map_change(store, OFFICER, added, clock=now)
    undo_map_change(store, OFFICER, removed, clock=now)
    assert read_state(store) == before
    check_rebuilt(store)
    assert store.read("SELECT * FROM map_removals").empty
    with pytest.raises(RefusedError, match="is not the last one"):
        undo_map_change(store, OFFICER, removed, clock=now)
    with pytest.raises(RefusedError, match="took another back"):
        undo_map_change(store, OFFICER, last_change(store), clock=now)
    with pytest.raises(RecordMissingError, match="no change 99"):
        undo_map_change(store, OFFICER, 99, clock=now)


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (GateDraft(Point(*MIDDLE), "door"), "kind is 'door', expected one of vehicle, pedestrian, emergency"),
        (GateDraft(Point(*MIDDLE), closes_at=time(22)), "two different times"),
        (GateDraft(Point(*MIDDLE), closes_at=time(6), opens_at=time(6)), "two different times"),
        (GateDraft(Point(MIDDLE[0] + 700, MIDDLE[1])), "600 m outside the community, expected at most 500"),
        (GateDraft(Point()), "has no place"),
        (WallDraft(LineString([MIDDLE, (MIDDLE[0] + 0.2, MIDDLE[1])])), r"0\.2 m long"),
        (WallDraft(WALL.line, "hedge"), "kind is 'hedge'"),
        (WallDraft(WALL.line, "wall", 30), r"height_m is 30, expected 0\.3 to 20"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    store: Store, draft: GateDraft | WallDraft, sentence: str
) -> None:
    add = add_gate if isinstance(draft, GateDraft) else add_wall
    with pytest.raises(BadRecordError, match=sentence):
        add(store, OFFICER, draft, clock=now)  # type: ignore[operator]
    assert (read_state(store), read_events(store)) == ({}, [])


@pytest.mark.parametrize("role", [Role.WALL, Role.VOLUNTEER, Role.GRID_WORKER, Role.AUDITOR])
def test_who_may_not_draw_changes_nothing(store: Store, role: Role) -> None:
    gate_id = add_gate(store, OFFICER, GATE, clock=now)
    viewer = Viewer(role, frozenset({"g1"}) if role is Role.GRID_WORKER else None)
    for attempt in (
        lambda: add_gate(store, viewer, GATE, clock=now),
        lambda: add_wall(store, viewer, WALL, clock=now),
        lambda: change_gate(store, viewer, gate_id, GATE, clock=now),
        lambda: remove_feature(store, viewer, "gates", gate_id, clock=now),
        lambda: confirm_features(store, viewer, "gates", [gate_id], clock=now),
        lambda: undo_map_change(store, viewer, last_change(store), clock=now),
    ):
        with pytest.raises(NotAllowedError):
            attempt()
    assert len(read_events(store)) == 1


def test_a_gates_name_may_hold_no_number_of_a_person(store: Store) -> None:
    gate_id = add_gate(store, OFFICER, GateDraft(Point(*MIDDLE), name="老张13987654321的门"), clock=now)
    assert "13987654321" not in json.dumps([*read_state(store).values(), read_events(store)], ensure_ascii=False)
    assert read_state(store)["gates", gate_id]["name"] == "老张***的门"


def bring(store: Store, *, gate_lon: float = LON) -> None:
    """The same files as ever; `gate_lon`: where the file says that its gate is."""
    point = {"type": "Point", "coordinates": [gate_lon, LAT]}
    other = {"type": "Point", "coordinates": [LON + 0.0003, LAT]}
    line = {"type": "LineString", "coordinates": [[LON, LAT], [LON + 0.0005, LAT]]}
    sources: list[SourceFile] = [
        geojson([feature(square(), id="A1", name="1幢")]),
        geojson([feature(point, id="1", name="西门"), feature(other, id="2", name="东门")], "gates.geojson"),
        geojson([feature(line, id="7")], "walls.geojson"),
    ]
    import_sources(store, sources, ImportOptions(), clock=now)


def test_no_import_overwrites_what_was_set_by_hand_or_brings_back_what_was_taken_off(tmp_path: Path) -> None:
    """As on a real community: gates without hours come in a file, an officer sets them right, the file comes again."""
    with Store(tmp_path / "real.duckdb", clock=now) as store:
        bring(store)
        known = find_map_knowledge(store, OFFICER)
        assert (known.gates, known.gates_verified, known.gates_with_hours, known.is_verified) == (2, 0, 0, False)
        place = store.read_geo("SELECT ST_AsWKB(geom) AS geom FROM gates WHERE gate_id = 'g-1'").geometry.iloc[0]
        moved = Point(place.x + 5, place.y)
        change_gate(store, OFFICER, "g-1", GateDraft(moved, "vehicle", "西门", time(23), time(5)), clock=now)
        remove_feature(store, OFFICER, "gates", "g-2", clock=now)
        remove_feature(store, OFFICER, "walls", "wall-7", clock=now)
        drawn = add_wall(store, OFFICER, WallDraft(LineString([place, moved])), clock=now)
        kept = read_state(store)
        bring(store, gate_lon=LON + 0.0001)
        assert read_state(store) == kept
        assert ("walls", drawn) in kept
        assert ("gates", "g-2") not in kept
        assert find_map_knowledge(store, OFFICER).is_verified

        # What was taken off and is brought back by hand is open to files again.
        changes = find_map_changes(store, OFFICER)
        undo_map_change(store, OFFICER, int(changes.loc[changes["subject_id"] == "g-2", "event_id"].iloc[0]), clock=now)
        assert ("gates", "g-2") in read_state(store)
        assert not find_map_knowledge(store, OFFICER).is_verified


def test_an_import_is_not_taken_back_over_what_was_set_by_hand(tmp_path: Path) -> None:
    later = datetime(2026, 11, 29, tzinfo=UTC)
    with Store(tmp_path / "real.duckdb", clock=now) as store:
        bring(store)
        confirm_features(store, OFFICER, "gates", ["g-1"], clock=lambda: later)
        with pytest.raises(RefusedError, match="1 rows of gates were verified"):
            undo_import(store, clock=lambda: later)


def test_confirming_gates_of_a_file_makes_them_verified_and_changes_nothing_else(tmp_path: Path) -> None:
    with Store(tmp_path / "real.duckdb", clock=now) as store:
        bring(store)
        before = read_state(store)
        confirm_features(store, OFFICER, "gates", ["g-1", "g-2"], clock=now)
        after = read_state(store)
        assert find_map_knowledge(store, OFFICER).is_verified
        assert {k: {**row, "verified_utc": None} for k, row in after.items()} == before
        with pytest.raises(RecordMissingError, match="no gate 'g-9'"):
            confirm_features(store, OFFICER, "gates", ["g-1", "g-9"], clock=now)
        assert read_state(store) == after


_STEPS = st.lists(
    st.tuples(st.sampled_from(["gate", "wall", "move", "hours", "remove", "confirm", "undo"]), st.integers(0, 5)),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_is_drawn_the_events_lead_to_the_rows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    with Store(tmp_path_factory.mktemp("map") / "place.duckdb", clock=now) as store:
        found(store)
        for what, number in steps:
            there = sorted(read_state(store))
            chosen = there[number % len(there)] if there else ("gates", "none")
            try:
                _take(store, what, number, *chosen)
            except (RecordMissingError, RefusedError):
                continue
        check_rebuilt(store)


def _take(store: Store, what: str, number: int, table: str, one: str) -> None:
    place = Point(MIDDLE[0] + number, MIDDLE[1])
    if what == "gate":
        add_gate(store, OFFICER, GateDraft(place), clock=now)
    elif what == "wall":
        add_wall(store, OFFICER, WallDraft(LineString([place, MIDDLE, (MIDDLE[0], MIDDLE[1] + 9)])), clock=now)
    elif what in ("move", "hours") and table == "gates":
        hours = (time(22), time(6)) if what == "hours" else (None, None)
        change_gate(store, OFFICER, one, GateDraft(place, "vehicle", "门", *hours), clock=now)
    elif what == "remove":
        remove_feature(store, OFFICER, table, one, clock=now)  # type: ignore[arg-type]
    elif what == "confirm":
        confirm_features(store, OFFICER, table, [one], clock=now)  # type: ignore[arg-type]
    elif what == "undo":
        changes = find_map_changes(store, OFFICER)
        events = changes["event_id"].tolist() or [1]
        undo_map_change(store, OFFICER, int(events[number % len(events)]), clock=now)
