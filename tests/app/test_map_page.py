"""The map page: what a gesture on the plan does, by whom, and what is said of gates that nobody has verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from shapely import LineString, Point, box
from streamlit.testing.v1 import AppTest

from data.map_edits import GateDraft, add_gate
from data.queries import find_gates, find_map_knowledge, find_walls
from data.runtime import clear_store, set_store
from data.settings import Settings
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from i18n import LANGUAGES, Language, t
from tests.fixtures.desk_pages import check, draw, press
from tests.fixtures.small_community import CORNER_M, build, found
from ui.ground_plan import build_plan
from ui.map_page import _act

OFFICER = Viewer(Role.OFFICER, account_id="demo-officer", name="demo-officer")
MIDDLE = (CORNER_M[0] + 100, CORNER_M[1] + 100)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A square community with one building and a gate that only a file told of."""
    with Store(tmp_path / "demo.duckdb", clock=utc_now) as opened:
        found(opened)
        build(opened, "buildings", {"building_id": "b1", "name": "1幢", "geom": box(-30, -10, -10, 10)})
        build(opened, "gates", {"gate_id": "g1", "name": "东门", "kind": "vehicle", "geom": Point(90, 0)})
        set_store(opened, Settings(tmp_path, "demo"))
        yield opened
        clear_store()


def open_page(role: Role, lang: Language = "zh") -> AppTest:
    arguments = {"name": "map", "role": role.value, "lang": lang}
    return check(AppTest.from_function(draw, default_timeout=60, kwargs=arguments).run())


def gesture(store: Store, what: str, *points: tuple[float, float], viewer: Viewer = OFFICER, **more: Any) -> None:
    """What the browser's half tells; points are metres from the middle of the community."""
    plane, _ = build_plan(store, viewer, None)
    places = plane.to_plan([(MIDDLE[0] + x, MIDDLE[1] + y) for x, y in points]) if points else []
    _act(store, viewer, "zh", plane, {"what": what, "points": places, **more})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_gates_are_unverified_until_somebody_says_so(store: Store, lang: Language) -> None:
    page = open_page(Role.COMMANDER, lang)
    assert [one.value for one in page.warning] == [t("ground.no_walls", lang)]
    press(page, "map-confirm")
    assert find_map_knowledge(store, OFFICER).is_verified


def test_a_wall_and_a_gate_are_drawn_and_taken_back(store: Store) -> None:
    gesture(store, "add_wall", (0, -20), (0, 0), (0, 20.5))
    gesture(store, "add_gate", (0, 5))
    walls, gates = find_walls(store, OFFICER), find_gates(store, OFFICER).set_index("gate_id")
    wall = walls.geometry.iloc[0]
    assert wall.equals_exact(LineString([(MIDDLE[0], MIDDLE[1] + y) for y in (-20, 0, 20.5)]), 0.01)
    drawn = gates.drop(index="g1")
    assert drawn.geometry.iloc[0].distance(Point(MIDDLE[0], MIDDLE[1] + 5)) < 0.01
    assert drawn["verified_utc"].notna().all()
    page = open_page(Role.OFFICER)
    undo = [one for one in page.button if str(one.key).startswith("map-undo-")]
    assert len(undo) == 2
    undo[0].click().run()  # the newest first: the gate
    check(page)
    assert len(find_gates(store, OFFICER)) == 1


def test_a_gate_of_a_file_is_moved_and_keeps_what_is_known_of_it(store: Store) -> None:
    gate_id = add_gate(
        store, OFFICER, GateDraft(Point(*MIDDLE), "pedestrian", "西门", time(23), time(5)), clock=utc_now
    )
    gesture(store, "move_gate", (3, 4), table="gates", id=gate_id)
    gate = find_gates(store, OFFICER).set_index("gate_id").loc[gate_id]
    assert (gate["name"], gate["kind"], gate["closes_at"], gate["opens_at"]) == (
        "西门",
        "pedestrian",
        time(23),
        time(5),
    )
    assert gate["geom"].distance(Point(*MIDDLE)) == pytest.approx(5, abs=0.01)


def test_hours_are_asked_for_beside_the_plan(store: Store) -> None:
    page = AppTest.from_function(
        draw, default_timeout=60, kwargs={"name": "map", "role": Role.OFFICER.value, "lang": "zh"}
    )
    page.session_state["map_chosen"] = ("gates", "g1")
    check(page.run())
    page.checkbox[0].check()
    page.time_input[0].set_value(time(22, 30))
    next(one for one in page.button if one.label == t("ground.save", "zh")).click().run()
    check(page)
    gate = find_gates(store, OFFICER).iloc[0]
    assert (gate["name"], gate["closes_at"], gate["opens_at"]) == ("东门", time(22, 30), time(6))
    assert not gate.isna()["verified_utc"]


def test_what_cannot_be_is_said_and_changes_nothing(store: Store) -> None:
    before = json.dumps(store.read("SELECT * FROM events").to_dict("records"), default=str)
    gesture(store, "add_gate", (900, 0))
    gesture(store, "add_wall", (0, 0), (0.1, 0))
    gesture(store, "remove", table="gates", id="nowhere")
    gesture(store, "add_gate", (0, 0), viewer=Viewer(Role.GRID_WORKER, frozenset()))
    assert json.dumps(store.read("SELECT * FROM events").to_dict("records"), default=str) == before
    assert len(find_gates(store, OFFICER)) == 1
