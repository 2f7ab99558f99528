"""Inspection packs: what the paper says and shows, for whom, how long it is valid; each look is written down."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pypdf
import pytest
from shapely import LineString, Point, box
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.queries import find_rounds, find_task
from data.runtime import Runtime
from data.settings import Settings
from data.settings_store import put_setting
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from layers import SCENES
from layers.pack import Pack, build_pack
from layers.pack_ground import SIZE, draw_outside, read_ground
from layers.pack_paper import Carrier, print_packs
from layers.pack_plan import draw_plan, is_schematic
from sample import SampleCommunity
from server.events import EventHub
from server.packs import PATH, build_pack_routes
from server.state import AppState
from server.way_in import build_way_in_routes
from tasks.life_cycle import Action, Receiver
from tasks.pack_facts import find_way
from tasks.visit_order import order_visits
from tasks.visit_rounds import MOST_STOPS, end_round, find_round, take_out
from tests.fixtures.access import Clock, access_store, clock
from tests.fixtures.printed_codes import read_codes
from tests.fixtures.small_community import CORNER_M, build, found
from tests.fixtures.tasks import Office, office

__all__ = ["access_store", "clock", "office"]

NOON = datetime(2026, 11, 16, 4, tzinfo=UTC)
GRID = "G07"
WORKER = Viewer(Role.GRID_WORKER, frozenset({GRID}), "w7", "grid07")


@pytest.fixture(scope="module")
def sample_store(tmp_path_factory: pytest.TempPathFactory, sample_community: SampleCommunity) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("packs") / "sample.duckdb", clock=lambda: NOON) as store:
        store.write(lambda tx: [tx.append(table, frame) for table, frame in sample_community.tables.items()])
        yield store


@pytest.fixture(scope="module")
def tasks(sample_store: Store) -> list[str]:
    """Open visits of the worker's grid, a re-check among them."""
    sql = "SELECT task_id FROM tasks WHERE grid_id = ? AND closed_utc IS NULL ORDER BY kind, task_id"
    return [str(one) for one in sample_store.read(sql, [GRID])["task_id"]]


def open_door(store: Store, viewer: Viewer, now: Clock | None = None) -> TestClient:
    """The route as it is served, behind a door that has found out who asks."""
    runtime = Runtime(store, Settings(store.path.parent), is_demo=False)
    state = AppState(runtime, now or (lambda: NOON), SCENES, EventHub(), "t", NOON)
    app = Starlette(routes=build_pack_routes(state))

    async def door(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        scope.setdefault("state", {})["viewer"] = viewer
        await app(scope, receive, send)

    return TestClient(door, base_url="https://sand-table.office.lan:8443")


def read_pdf(content: bytes) -> list[str]:
    """Words of each page without blanks."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


# Paper


def test_the_paper_says_what_the_register_and_the_task_say(sample_store: Store, tasks: list[str]) -> None:
    answer = open_door(sample_store, WORKER).get(PATH, params={"task": tasks})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    pages = read_pdf(answer.content)
    assert len(pages) == len(tasks)  # each has all it needs on one sheet
    url = "https://sand-table.office.lan:8443/phone/visit?task="
    assert read_codes(answer.content) == [[url + one] for one in tasks]
    sizes = {(round(page.mediabox.width), round(page.mediabox.height)) for page in pypdf.PdfReader(io.BytesIO(answer.content)).pages}  # fmt: skip # noqa: E501
    assert sizes == {(595, 842)}  # A4 in points
    for task_id, page in zip(tasks, pages, strict=True):
        row = find_task(sample_store, WORKER, task_id).iloc[0]
        sql = """SELECT u.*, r.tenants_count, r.landlord_name, r.landlord_phone
            FROM units u JOIN rentals r USING (unit_id) WHERE u.unit_id = ?"""
        home = sample_store.read(sql, [row["unit_id"]]).iloc[0]
        for said in (
            "检查包", row["place_text"], f"登记{home['residents_count']}人", f"出租：{home['tenants_count']}人",
            f"在{home['level']}层", "grid07于2026-11-1612:00取出", "最迟2026-11-1712:00", "演示数据", "西区", "检查人",
            "通道和窗户畅通", "家中无人",
        ):  # fmt: skip
            assert squeeze(said) in page, said
        assert page.count("grid07·2026-11-1612:00·内部资料") == 4  # across the whole sheet
        assert f"{home['landlord_name'][0]}**" in page
        for person in (home["landlord_name"], home["landlord_phone"], home["owner_name"], home["owner_phone"]):
            assert person not in page
    (again,) = [page for page, one in zip(pages, tasks, strict=True) if "复查不合格项" in page]
    assert "限期整改复查" in again
    english = read_pdf(open_door(sample_store, WORKER).get(PATH, params={"task": tasks[0], "lang": "en"}).content)
    assert "Inspectionpack" in english[0]
    assert "SAMPLEDATA" in english[0]


def test_its_font_comes_with_it_and_its_pictures_are_drawn(sample_store: Store, tasks: list[str]) -> None:
    content = open_door(sample_store, WORKER).get(PATH, params={"task": tasks[0]}).content
    names = re.findall(rb"/FontName/[A-Z]{6}\+([\w-]+)", content)
    assert names
    assert len(re.findall(rb"/FontFile[23] ", content)) == len(set(names))
    pack = build_pack(sample_store, WORKER, tasks[0], now=NOON)
    assert pack.outside is not None
    assert pack.plan is not None
    (page,) = pypdf.PdfReader(io.BytesIO(content)).pages
    contents = page.get_contents()
    assert contents is not None
    # Corners of streets, houses, walls and of the code: a sheet without its pictures has a table's few lines.
    assert len(re.findall(rb"\sl\s", contents.get_data())) > 500


def test_everything_on_it_is_black_grey_or_white(sample_store: Store, tasks: list[str]) -> None:
    for task_id in tasks:
        pack = build_pack(sample_store, WORKER, task_id, now=NOON)
        for colour in re.findall(r"#([0-9a-f]{6})", f"{pack.outside}{pack.plan}"):
            assert colour[:2] == colour[2:4] == colour[4:], colour


def test_one_pack_takes_three_seconds_at_most(sample_store: Store, tasks: list[str]) -> None:
    """Of the processor: what else runs on this machine does not count. Fifty of them: `make soak`."""
    build_pack(sample_store, WORKER, tasks[0], now=NOON)  # the network of ways is built once for all
    began = time.process_time()
    packs = [build_pack(sample_store, WORKER, tasks[0], now=NOON)]
    print_packs(packs, Carrier("w", NOON, NOON), "zh", build_url=str)
    assert time.process_time() - began < 3


@pytest.mark.soak
def test_fifty_packs_take_a_minute_at_most(sample_store: Store) -> None:
    ids = [str(one) for one in sample_store.read("SELECT task_id FROM tasks ORDER BY task_id LIMIT 50")["task_id"]]
    officer = Viewer(Role.OFFICER, account_id="o")
    began = time.process_time()
    packs = [build_pack(sample_store, officer, one, now=NOON, languages=("zh",)) for one in ids]
    content = print_packs(packs, Carrier("o", NOON, NOON), "zh", build_url=str)
    assert time.process_time() - began < 60
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) >= 50


def test_the_order_of_a_round_is_that_of_its_plan(sample_store: Store) -> None:
    """However the phone lists them, they are walked in one order; without a plan they stay as they were listed."""
    officer = Viewer(Role.OFFICER, account_id="walker")
    ids = [str(one) for one in sample_store.read("SELECT task_id FROM tasks WHERE state = 'accepted' ORDER BY task_id")["task_id"]]  # fmt: skip # noqa: E501
    sample_store.write(
        lambda tx: tx.execute("tasks", "UPDATE tasks SET accepted_by = 'walker' WHERE state = 'accepted'")
    )
    morning = NOON.replace(hour=1)
    walked = order_visits(sample_store, officer, ids, now=morning)
    assert walked == order_visits(sample_store, officer, ids[::-1], now=morning)
    assert sorted(walked) == ids
    assert walked != ids
    assert order_visits(sample_store, officer, ids, now=NOON.replace(hour=15)) == ids  # 23:00 in Shanghai


# Drawings, reckoned by hand


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Store]:
    """A house 20 m by 8 m, its door in the middle of the north side, a street 30 m north with a gate 40 m east."""
    with Store(tmp_path / "small.duckdb", clock=lambda: NOON) as store:
        found(store)
        build(store, "buildings", {"building_id": "b", "name": "1幢", "geom": box(-10, -4, 10, 4)})
        build(store, "entrances", {"entrance_id": "e", "building_id": "b", "name": "1单元", "geom": Point(0, 4)})
        road = {"kind": "service", "width_m": 4.0, "walkable": True}
        lines = [LineString([(-80, 34), (80, 34)]), LineString([(0, 34), (0, 6)])]
        build(
            store, "roads", *({**road, "road_id": f"r{n}", "way_id": f"w{n}", "geom": x} for n, x in enumerate(lines))
        )
        build(store, "gates", {"gate_id": "d", "name": "北门", "kind": "pedestrian", "geom": Point(40, 34)})
        rooms = [("u1", "101", box(-10, -4, 0, 4)), ("u2", "102", box(0, -4, 10, 4))]
        flats = [
            {"unit_id": one, "building_id": "b", "level": 1, "room": room, "use": "dwelling",
             "residents_count": 1, "floating_count": 0, "geom": shape}
            for one, room, shape in rooms
        ]  # fmt: skip
        build(store, "units", *flats)
        yield store


def test_the_table_is_told_the_way_from_the_gate_to_a_house(house: Store) -> None:
    """40 m along the street and 30 m south to the door, in metres of the table; of a home in it the same way."""
    state = AppState(Runtime(house, Settings(house.path.parent)), lambda: NOON, SCENES, EventHub(), "t", NOON)
    browser = TestClient(Starlette(routes=build_way_in_routes(state)))
    for asked in ({"kind": "building", "id": "b"}, {"kind": "unit", "id": "u1"}):
        way = browser.get("/way-in.json", params=asked).json()["way"]
        assert (way["gate"], way["m"]) == ("北门", 70)
        assert way["l"][0] == pytest.approx([40, 34], abs=0.1)
        assert way["l"][-1] == pytest.approx([0, 4], abs=0.1)
        assert way.keys() == {"l", "gate", "m", "s", "verified"}  # of places alone
    assert browser.get("/way-in.json", params={"kind": "building", "id": "x"}).status_code == 404
    assert browser.get("/way-in.json", params={"kind": "person", "id": "b"}).status_code == 400


def test_the_outside_is_true_to_scale_with_north_up(house: Store) -> None:
    x, y = (corner + 100 for corner in CORNER_M)
    task = {"x_m": x, "y_m": y, "building_id": "b", "unit_id": None}
    way = find_way(house, task, at=NOON)
    assert way is not None
    assert way.gate.name == "北门"
    # From the gate 40 m along the street, then 30 m down to the door.
    assert way.route.length_m == pytest.approx(70, abs=2)
    svg = draw_outside(read_ground(house), (x, y), "b", way.route.line)
    ours = re.search(r'<path d="M([^"]*)Z" fill="#111111"', svg)
    assert ours is not None
    corners = [tuple(map(float, pair.split())) for pair in re.split(" L|L", ours[1])]
    width, depth = (max(axis) - min(axis) for axis in zip(*corners, strict=True))
    assert width / depth == pytest.approx(20 / 8, rel=0.01)
    bar = re.search(r"M28 950V970H([\d.]+)V950", svg)
    said = re.search(r">(\d+) m</text>", svg)
    assert bar is not None
    assert said is not None
    metre = (float(bar[1]) - 28) / int(said[1])
    assert width / metre == pytest.approx(20, rel=0.01)
    trail = re.search(r'<path d="M([^"]*)" fill="none" stroke="#000000" stroke-width="7"', svg)
    assert trail is not None
    points = [tuple(map(float, pair.split())) for pair in re.split(" L|L", trail[1])]
    # It begins at the gate, north-east of the house: right of it and above it on the sheet.
    assert points[0][0] > max(x for x, _ in corners)
    assert points[0][1] < min(y for _, y in corners)
    length = sum(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 for a, b in pairwise(points))
    assert length / metre == pytest.approx(way.route.length_m, rel=0.02)
    assert all(0 <= value <= SIZE for point in points for value in point)


def test_the_home_is_black_on_its_storey_and_boxes_stand_for_what_nobody_drew(house: Store) -> None:
    """Who stands before the door in the north sees 102 (east) at the left hand."""
    inside = json.loads(SCENES["inside"].build(house, WORKER, "zh", {"building": "b"}))
    assert inside["units"] == []  # a home of no grid is not this worker's
    officer = Viewer(Role.OFFICER)
    inside = json.loads(SCENES["inside"].build(house, officer, "zh", {"building": "b"}))
    plan = draw_plan(inside, "u1")
    black = re.findall(r'<path d="M([^"]*)Z" fill="#111111"', plan)
    assert len(black) == 1
    xs = [float(pair.split()[0]) for pair in black[0].split("L")]
    assert min(xs) >= 499  # the right half of the sheet
    assert "stroke-dasharray" not in plan
    assert not is_schematic(inside, "u1")
    assert is_schematic({**inside, "schematic": True}, "u1")  # made from the footprint: it is drawn, and says so
    for one in inside["units"]:
        one["p"], one["x"] = [], None
    assert is_schematic(inside, "u1")
    boxes = draw_plan(inside, "u1")
    assert boxes.count('stroke-dasharray="12 6"') == 2
    assert boxes.index(">101<") < boxes.index(">102<")


# Who may, and how long


def test_each_look_is_written_down_and_packs_are_of_one_round(office: Office) -> None:
    store, worker = office.store, office.worker
    first, second = office.make(), office.make(subject_kind="rental", subject_id="r1")
    door = open_door(store, worker, office.clock)
    assert door.get(PATH).status_code == 404  # nothing is taken out yet
    assert door.get(PATH, params={"task": first}).status_code == 200
    begun = find_round(store, worker, now=office.clock())
    assert begun is not None
    office.clock.move(hours=3)
    assert door.get(PATH, params={"task": second}).status_code == 200
    lasting = find_round(store, worker, now=office.clock())
    assert lasting is not None
    assert (lasting.round_id, lasting.ends_utc, lasting.task_ids) == (begun.round_id, begun.ends_utc, (first, second))
    assert len(read_pdf(door.get(PATH).content)) == 2
    away = office.make(subject_id="u2", receiver=Receiver("account", str(worker.account_id)))
    assert door.get(PATH, params={"task": away}).status_code == 200
    office.do(office.officer, away, Action.ASSIGN, receiver=Receiver("grid", "g2"))
    assert len(read_pdf(door.get(PATH).content)) == 2  # the others of the round are there all the same
    looks = store.read("SELECT subject_kind, subject_id, detail FROM audit_log WHERE action = 'look' ORDER BY seq")
    subjects = list(zip(looks["subject_kind"], looks["subject_id"], strict=True))
    told = [json.loads(one)["task"] for one in looks["detail"]]
    assert told == [first, second, first, second, away, first, second]
    assert {one for one, task in zip(subjects, told, strict=True) if task != away} == {("unit", "u1")}
    events = store.read("SELECT kind FROM events WHERE subject_table = 'visit_rounds'")["kind"].tolist()
    assert events == ["round.opened"]


def test_a_round_ends_when_it_is_ended_or_after_its_hours(office: Office) -> None:
    store, worker, officer, now = office.store, office.worker, office.officer, office.clock
    task = office.make()
    lasting = take_out(store, worker, [task], clock=now)
    with pytest.raises(NotAllowedError):
        end_round(store, office.neighbour, round_id=lasting.round_id, clock=now)
    (row,) = find_rounds(store, officer, now=now()).to_dict("records")
    assert (row["round_id"], row["name"], row["stops"]) == (lasting.round_id, "grid01", 1)
    assert end_round(store, officer, round_id=lasting.round_id, clock=now)  # the phone is lost
    assert find_rounds(store, officer, now=now()).empty
    assert find_round(store, worker, now=now()) is None
    assert not end_round(store, worker, clock=now)
    store.write(lambda tx: put_setting(tx, "round_hours", 8, changed_by="a", clock=now))
    second = take_out(store, worker, [task], clock=now)
    assert second.round_id != lasting.round_id
    now.move(hours=7, minutes=59)
    assert find_round(store, worker, now=now()) == second  # never in the middle of it
    now.move(minutes=2)
    assert find_round(store, worker, now=now()) is None


def test_nobody_takes_out_what_is_not_theirs(office: Office) -> None:
    store, now = office.store, office.clock
    task = office.make()
    for viewer, status in ((office.neighbour, 403), (Viewer(Role.ADMIN, account_id="a"), 403)):
        assert open_door(store, viewer, now).get(PATH, params={"task": task}).status_code == status
    assert open_door(store, office.worker, now).get(PATH, params={"task": "t-nothing"}).status_code in (403, 404)
    with pytest.raises(RecordMissingError):
        take_out(store, office.officer, ["t-nothing"], clock=now)
    many = [office.make() for _ in range(MOST_STOPS + 1)]
    with pytest.raises(RefusedError, match="at most 60 visits, this one would have 61"):
        take_out(store, office.officer, many, clock=now)
    assert store.read("SELECT * FROM visit_rounds").empty


def test_no_clear_name_no_child_and_no_kind_that_is_hidden(office: Office) -> None:
    store = office.store
    store.write(lambda tx: tx.execute("units", "UPDATE units SET has_minor = true WHERE unit_id = 'u1'"))
    kinds = """INSERT INTO incident_categories (category, name_zh, name_en, sensitive)
        VALUES ('theft', '盗窃', 'theft', false), ('hurt', '家暴', 'domestic violence', true)"""
    store.write(lambda tx: tx.execute("incident_categories", kinds))
    sensitive = "INSERT INTO incidents BY NAME SELECT * REPLACE ('i9' AS incident_id, 'hurt' AS category) FROM incidents WHERE incident_id = 'i1'"  # noqa: E501
    store.write(lambda tx: tx.execute("incidents", sensitive))
    task = office.make(subject_kind="rental", subject_id="r1")
    openings = frozenset({("unit", "u1"), ("rental", "r1"), ("occupant", "o1")})
    opened = Viewer(Role.OFFICER, None, office.officer.account_id, "o", openings)
    pack = build_pack(store, opened, task, now=office.clock())
    text = say(pack)
    for hidden in ("王建国", "13812341234", "李小红", "13987654321", "002X", "家暴", "未成年"):
        assert hidden not in text
    for shown in ("王**", "李** 租客（流动）", "盗窃", "2026-11-20 · 警情"):
        assert shown in text
    given = office.make(subject_id="u2", receiver=Receiver("account", str(office.worker.account_id)))
    other = say(build_pack(store, office.worker, given, now=office.clock()))
    assert "没有登记到人的信息" in other  # the visit is theirs, another grid's register is not


def say(pack: Pack) -> str:
    return "\n".join(line for part in pack.parts["zh"] for line in (part.title, *part.lines))
