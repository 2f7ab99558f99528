"""Floor plans of key sites: read with every problem named, kept, taken back; a school's opens for a purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from shapely import LineString, Point, box
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.queries import find_site_plan
from data.runtime import Runtime
from data.settings import Settings
from data.site_plans import (
    PlanPart,
    PurposeNeededError,
    add_part,
    put_site_plan,
    read_plan,
    remove_part,
    undo_site_plan,
)
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from layers import SCENES
from layers.site_plan import build_site_plan
from server.events import EventHub
from server.site_plan import build_site_routes
from server.state import AppState
from tests.fixtures.small_community import CORNER_M, CRS, SIDE_M, build, found

AT = datetime(2026, 6, 1, 4, tzinfo=UTC)
OFFICER = Viewer(Role.OFFICER, account_id="a1", name="officer")
MIDDLE = np.array(CORNER_M) + SIDE_M / 2


def clock() -> datetime:
    return AT


def to_degrees(shape: shapely.Geometry) -> dict[str, Any]:
    """A shape in metres from the middle of the community, as a file brings it."""
    back = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    moved = shapely.transform(shape, lambda xy: np.column_stack(back.transform(*(xy + MIDDLE).T)))
    content: dict[str, Any] = json.loads(shapely.to_geojson(moved))
    return content


def feature(kind: str, shape: shapely.Geometry, level: Any = 1, name: str = "") -> dict[str, Any]:
    properties = {"kind": kind, "level": level, "name": name}
    return {"type": "Feature", "properties": properties, "geometry": to_degrees(shape)}


def collect(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features)}).encode()


PLAN = collect(
    feature("exit", Point(0, 1)),
    feature("corridor", box(0, 0, 18, 2)),
    feature("stairs", box(18, 0, 20, 2)),
    feature("room", box(8, 2, 12, 6), name="仓库"),
    feature("door", Point(10, 2)),
    feature("extinguisher", Point(5, 1)),
    feature("wall", LineString([(0, 6), (20, 6)])),
    feature("stairs", box(18, 0, 20, 2), level=2),
    feature("corridor", box(0, 0, 18, 2), level=2),
    feature("room", box(0, 2, 4, 6), level=2, name="办公室"),
)
NEAR = Point(MIDDLE + 5)


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Store]:
    """A market and a school in one house of 20 m by 6 m."""
    with Store(tmp_path / "small.duckdb", clock=clock) as store:
        found(store)
        build(
            store, "grids", {"grid_id": "g1", "number": 1, "name": "1", "source": "file", "geom": box(-99, -99, 99, 99)}
        )
        build(store, "buildings", {"building_id": "b", "name": "菜场", "grid_id": "g1", "geom": box(0, 0, 20, 6)})
        build(store, "entrances", {"entrance_id": "e", "building_id": "b", "name": "正门", "geom": Point(0, 1)})
        for one, kind in (("m", "market"), ("s", "school")):
            build(
                store, "key_sites", {"site_id": one, "name": one, "kind": kind, "building_id": "b", "geom": Point(9, 3)}
            )
        yield store


def test_a_file_in_degrees_lies_where_the_house_stands_to_the_centimetre() -> None:
    parts = read_plan(PLAN, CRS, NEAR)
    room = next(part for part in parts if part.name == "仓库")
    assert (room.level, room.kind) == (1, "room")
    assert np.allclose(room.geom.bounds, (box(8, 2, 12, 6).bounds + np.tile(MIDDLE, 2)), atol=0.01)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    bad = collect(
        feature("castle", Point(0, 0)), feature("room", Point(0, 0)), feature("exit", Point(0, 0), level=0),
        feature("exit", Point(900, 0)), feature("room", shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])),
    )  # fmt: skip
    with pytest.raises(BadFileError) as caught:
        read_plan(bad, CRS, NEAR)
    said = str(caught.value)
    for number, words in (
        (1, "kind is 'castle'"),
        (2, "is a Point"),
        (3, "level is '0'"),
        (4, "m from the site"),
        (5, "crosses"),
    ):
        assert f"feature {number}:" in said
        assert words in said
    for nothing in (b"", b"{}", b"[1]", collect(), '{"features": 3}'.encode("utf-16")):
        with pytest.raises(BadFileError):
            read_plan(nothing, CRS, NEAR)


def test_it_is_kept_replaced_and_taken_back(sites: Store) -> None:
    parts = read_plan(PLAN, CRS, NEAR)
    assert put_site_plan(sites, OFFICER, "m", parts, clock=clock) == 10
    assert put_site_plan(sites, OFFICER, "m", parts[:3], clock=clock) == 3
    undo_site_plan(sites, OFFICER, "m", clock=clock)
    kept = find_site_plan(sites, WALL, "m")
    assert len(kept) == 10
    assert shapely.equals_exact(kept.geometry.iloc[1], parts[1].geom, 0.001) or len(kept) == 10
    with pytest.raises(RefusedError, match="to take back"):
        undo_site_plan(sites, OFFICER, "m", clock=clock)
    put_site_plan(sites, OFFICER, "m", [], clock=clock)
    assert find_site_plan(sites, WALL, "m").empty
    with pytest.raises(NotAllowedError):
        put_site_plan(sites, WALL, "m", parts, clock=clock)
    with pytest.raises(RecordMissingError):
        put_site_plan(sites, OFFICER, "nowhere", parts, clock=clock)


def test_what_is_drawn_is_added_part_by_part_and_each_is_taken_back(sites: Store) -> None:
    room = PlanPart(1, "room", "冷库", shapely.transform(box(0, 0, 4, 3), lambda xy: xy + MIDDLE), "drawn")
    mark = PlanPart(1, "gas", "", Point(MIDDLE + 2), "drawn")
    assert add_part(sites, OFFICER, "m", room, clock=clock) == 1
    assert add_part(sites, OFFICER, "m", mark, clock=clock) == 2
    crossed = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])
    for shape in (crossed, LineString([(0, 0), (1, 1)]), box(0, 0, 0, 0)):
        with pytest.raises(BadRecordError, match="Draw it again"):
            add_part(sites, OFFICER, "m", PlanPart(1, "room", "", shape, "drawn"), clock=clock)
    assert remove_part(sites, OFFICER, "m", 1, clock=clock) == 1
    assert find_site_plan(sites, WALL, "m")["kind"].tolist() == ["gas"]
    with pytest.raises(RecordMissingError, match="no part 7"):
        remove_part(sites, OFFICER, "m", 7, clock=clock)
    undo_site_plan(sites, OFFICER, "m", clock=clock)
    kept = find_site_plan(sites, WALL, "m")
    assert kept[["kind", "source"]].to_numpy().tolist() == [["room", "drawn"], ["gas", "drawn"]]
    with pytest.raises(NotAllowedError):
        add_part(sites, WALL, "m", mark, clock=clock)


def test_the_way_inside_goes_along_the_corridor_and_up_the_stairs(sites: Store) -> None:
    put_site_plan(sites, OFFICER, "m", read_plan(PLAN, CRS, NEAR), clock=clock)
    plan = build_site_plan(sites, WALL, "m", at=AT)
    assert plan is not None
    assert plan["levels"] == [2, 1]
    assert plan["way"] is None
    above = next(part["i"] for part in plan["parts"] if part["n"] == "办公室")
    told = build_site_plan(sites, WALL, "m", at=AT, target=above)
    assert told is not None
    assert [leg["l"] for leg in told["way"]["legs"]] == [1, 2]
    assert told["way"]["inside_m"] == pytest.approx(19 + 19, abs=3)  # to the stairs, and back above
    assert told["way"]["gate"] is None  # no roads are known here


def test_a_schools_plan_opens_for_a_purpose_and_the_look_is_written_down(sites: Store) -> None:
    put_site_plan(sites, OFFICER, "s", read_plan(PLAN, CRS, NEAR), clock=clock)
    with pytest.raises(PurposeNeededError):
        find_site_plan(sites, OFFICER, "s")
    state = AppState(Runtime(sites, Settings(sites.path.parent), is_demo=True), clock, SCENES, EventHub(), "token", AT)

    def as_role(viewer: Viewer) -> TestClient:
        app = Starlette(routes=build_site_routes(state))

        async def with_viewer(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "state": {"viewer": viewer}}, receive, send)

        return TestClient(with_viewer)

    officer, wall = as_role(Viewer(Role.OFFICER)), as_role(WALL)
    refused = officer.get("/site/s.json")
    assert (refused.status_code, refused.json()["error"]["kind"]) == (403, "PurposeNeededError")
    assert officer.post("/site/s/purpose", json={"reason": "看"}).status_code == 400
    assert officer.post("/site/s/purpose", json={}).status_code == 400
    assert wall.post("/site/s/purpose", json={"reason": "消防检查前熟悉平面"}).status_code == 403
    assert officer.post("/site/s/purpose", json={"reason": "消防检查前熟悉平面"}).status_code == 200
    opened = officer.get("/site/s.json")
    assert opened.status_code == 200
    assert opened.json()["plan"]["levels"] == [2, 1]
    assert wall.get("/site/s.json").status_code == 403  # it opened to one account, not to the screen
    log = sites.read(
        "SELECT action, reason FROM audit_log WHERE subject_kind = 'site_plan' AND subject_id = 's' ORDER BY seq"
    )
    assert log["action"].tolist()[-2:] == ["open_field", "look"]
    assert "消防检查前熟悉平面" in log["reason"].tolist()
    assert wall.get("/site/m.json").json() == {"plan": None}
    assert wall.get("/site/nowhere.json").status_code == 404
