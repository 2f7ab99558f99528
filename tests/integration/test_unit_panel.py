"""What is said of one home: rental and verdict, visits and whether it was mended, what happened here and next door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from shapely import Point, box
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError
from layers import SCENES
from layers.unit_panel import build_unit_panel
from server.events import EventHub
from server.state import AppState
from server.unit_panel import build_unit_routes
from tasks.verdicts import reckon_verdicts
from tests.fixtures.small_community import build, found

AT = datetime(2026, 6, 1, 4, tzinfo=UTC)
OFFICER = Viewer(Role.OFFICER, account_id="a1", name="officer")


def put(store: Store, table: str, *rows: dict[str, Any]) -> None:
    store.write(lambda transaction: transaction.append(table, pd.DataFrame(list(rows))))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two flats a storey behind one door, three storeys; 201 is let to eight people in two rooms of 60 m²."""
    with Store(tmp_path_factory.mktemp("panel") / "small.duckdb", clock=lambda: AT) as store:
        found(store)
        build(
            store,
            "grids",
            {"grid_id": "g1", "number": 1, "name": "第1网格", "source": "file", "geom": box(-99, -99, 99, 99)},
        )
        build(store, "buildings", {"building_id": "b", "name": "1幢", "grid_id": "g1", "geom": box(0, 0, 20, 8)})
        build(store, "entrances", {"entrance_id": "e", "building_id": "b", "name": "1单元", "geom": Point(10, 8)})
        build(
            store,
            "units",
            *(
                {
                    "unit_id": f"u{level}0{n}", "building_id": "b", "entrance_id": "e", "level": level,
                    "room": f"{level}0{n}", "use": "dwelling", "area_m2": 60.0, "residents_count": 2,
                    "floating_count": 1, "owner_name": "王建国", "geom": box(10 * n - 10, 0, 10 * n, 8),
                }
                for level in (1, 2, 3)
                for n in (1, 2)
            ),
        )  # fmt: skip
        put(
            store, "rentals",
            {"rental_id": "r", "unit_id": "u201", "building_id": "b", "rooms_count": 2, "beds_count": 8,
             "tenants_count": 8, "area_m2": 60.0, "colour": "red", "suspected_group": False,
             "landlord_name": "李大力", "landlord_phone": "13912345678"},
        )  # fmt: skip
        kinds = (("noise", "噪声", False), ("violence", "家庭暴力", True))
        put(
            store, "incident_categories",
            *({"category": one, "name_zh": name, "name_en": one, "sensitive": hidden} for one, name, hidden in kinds),
        )  # fmt: skip
        reports = (
            ("i1", "noise", "u201"),
            ("i2", "noise", "u301"),
            ("i3", "violence", "u201"),
            ("i4", "noise", "u302"),
            ("i5", "noise", "u202"),
        )
        build(
            store, "incidents",
            *(
                {"incident_id": one, "category": kind, "urgency": "normal", "source": "call", "status": "closed",
                 "building_id": "b", "unit_id": unit, "grid_id": "g1", "narrative": "李大力 说", "geom": Point(1, 1),
                 **dict.fromkeys(("reported_utc", "occurred_from_utc", "occurred_to_utc", "closed_utc"),
                                 datetime(2026, 5, 1, 12))}  # noqa: DTZ001 - as the store holds it
                for one, kind, unit in reports
            ),
        )  # fmt: skip
        reckon_verdicts(store, clock=lambda: AT)
        yield store


def visit(store: Store, task_id: str, state: str, **more: Any) -> None:
    """A visit of 201 as it stands in the register of tasks."""
    when = datetime(2026, 5, 20, 2)  # noqa: DTZ001 - as the store holds it
    row = {
        "task_id": task_id, "kind": "inspection", "origin": "rule", "subject_kind": "unit", "subject_id": "u201",
        "place_text": "1幢201", "building_id": "b", "unit_id": "u201", "grid_id": "g1", "note": "", "created_utc": when,
        "created_by": "server", "state": state, "priority": "normal", "due_utc": when, "changed_utc": when,
        "sent_back_count": 0, "forwarded_count": 0, "findings_count": 0, "evidence_count": 0,
        "receiver_kind": "grid", "receiver_id": "g1", "geom": Point(0, 0),
    }  # fmt: skip
    build(store, "tasks", {**row, **more})


def say(panel: dict[str, Any], name: str) -> str:
    part = next(one for one in panel["sections"] if one["name"] == name)
    return "\n".join([*(f"{key}：{value}" for key, value in part["rows"]), *part["lines"], part["none"]])


def test_a_suspicion_says_that_it_is_one_why_by_which_rule_and_until_when(house: Store) -> None:
    said = say(build_unit_panel(house, WALL, "u201", "zh"), "rental")
    assert "疑似群租（未核实）" in said
    assert "8" in said
    assert "认定依据" in said
    assert "所依规则" in said
    assert "2026-06-01 起，2026-07-01 前不核实即失效" in said  # thirty days, tasks/group_rentals.py
    assert say(build_unit_panel(house, WALL, "u302", "zh"), "rental") == "未登记出租"


def test_neighbours_are_the_landing_and_the_homes_above_and_below(house: Store) -> None:
    """301 lies above 201, 202 beside it; 302 is neither. What is sensitive the wall is not told."""
    said = say(build_unit_panel(house, WALL, "u201", "zh"), "reports").split("\n")
    assert [line.split(" · ")[0] for line in said if line] == ["本户", "楼上 301", "同层 202"]
    assert "家庭暴力" not in "".join(said)
    assert "家庭暴力" in say(build_unit_panel(house, OFFICER, "u201", "zh"), "reports")


def test_a_visit_says_whether_what_was_found_is_mended(house: Store) -> None:
    when = datetime(2026, 5, 21, 2)  # noqa: DTZ001
    over = {"submitted_utc": when, "closed_utc": when, "receiver_kind": None, "receiver_id": None}
    visit(house, "t1", "rectifying", submitted_utc=when, findings_count=1, recheck_id="t2")
    visit(house, "t2", "accepted", kind="rectification", parent_id="t1", accepted_by="a1")
    put(
        house, "task_findings",
        {"finding_id": "f", "task_id": "t1", "evidence_id": "e", "code": "other", "rectify_by": when.date(),
         "narrative": "王建国 家"},
    )  # fmt: skip
    waiting = say(build_unit_panel(house, WALL, "u201", "zh"), "visits")
    assert "限 2026-05-21 前整改" in waiting
    house.write(lambda tx: tx.execute("tasks", "DELETE FROM tasks WHERE task_id = 't2'"))
    visit(house, "t2", "closed", kind="rectification", parent_id="t1", mended=True, **over)
    mended = say(build_unit_panel(house, WALL, "u201", "zh"), "visits")
    assert "→ 已整改" in mended
    assert "王" not in mended


def test_nobody_is_named_on_the_second_screen_whoever_looks(house: Store) -> None:
    state = AppState(Runtime(house, Settings(house.path.parent)), lambda: AT, SCENES, EventHub(), "token", AT)
    with TestClient(Starlette(routes=build_unit_routes(state))) as client:
        answer = client.get("/unit/u201.json?lang=zh")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert not any(word in answer.text for word in ("王", "李", "1391"))
        assert "2 人，其中流动 1 人" in answer.text
        assert client.get("/unit/nowhere.json").status_code == 404


def test_a_grid_worker_is_told_of_own_grids_only(house: Store) -> None:
    own, other = (Viewer(Role.GRID_WORKER, frozenset({one})) for one in ("g1", "g2"))
    assert build_unit_panel(house, own, "u201", "zh")["title"] == "201"
    with pytest.raises(NotAllowedError):
        build_unit_panel(house, other, "u201", "zh")
    with pytest.raises(RecordMissingError):
        build_unit_panel(house, OFFICER, "nowhere", "zh")
