"""A year of 500 tasks a day: every page's reads within a second of processor time, and each step too."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from data.queries import (
    find_due_visits,
    find_field_facts,
    find_freshness,
    find_last_place,
    find_mends,
    find_round_tasks,
    find_task,
    find_task_counts,
    find_task_events,
    find_task_evidence,
    find_task_incidents,
    find_tasks,
    find_waiting,
)
from data.runtime import Runtime, clear_store, set_store
from data.settings import Settings
from data.store import Store
from data.task_day import find_day
from data.viewer import WALL, Role, Viewer
from layers import SCENES
from layers.unit_panel import build_unit_panel
from sample import write_sample
from sample.place import AS_OF
from server.changes import SceneChanges
from server.events import EventHub
from server.scenes import SceneEndpoint
from server.state import AppState
from server.visits import PATH, build_visit_routes
from tasks.doing import act, create_task
from tasks.life_cycle import Action, Kind
from tasks.making import make_due_tasks, remind_and_escalate
from tasks.orders import Evidence, NewTask, Order

pytestmark = pytest.mark.soak
A_DAY, DAYS = 500, 365
A_ROUND = 20
PACK_S = 60 / 50  # fifty packs in a minute
LIMIT_S = 1.0
OFFICER = Viewer(Role.OFFICER, account_id="demo-officer", name="demo-officer")
WORKER = Viewer(Role.GRID_WORKER, frozenset({"G07"}), "demo-grid_worker", "demo-grid_worker")
STEPS = ("create", "accept", "arrive", "submit", "close")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The sample with a year of tasks: 182,500 of them, all but the last two days' closed, five events each."""
    folder = tmp_path_factory.mktemp("year")
    with Store(folder / "year.duckdb") as opened:
        write_sample(opened, folder / "truth.json")
        opened.write(lambda tx: fill(tx, opened.read("SELECT rental_id, unit_id, building_id FROM rentals")))
        at = (
            "UPDATE tasks SET geom = ST_PointOnSurface(b.geom) FROM buildings b WHERE b.building_id = tasks.building_id"
        )
        opened.write(lambda tx: tx.execute("tasks", at))
        yield opened


def fill(transaction: Any, rentals: pd.DataFrame) -> None:
    n = A_DAY * DAYS
    number = np.arange(n)
    rng = np.random.default_rng(7)
    rows = rentals.iloc[rng.integers(0, len(rentals), n)].reset_index(drop=True)
    grids = transaction.fetch("SELECT building_id, grid_id FROM buildings").set_index("building_id")["grid_id"]
    made = pd.Timestamp(AS_OF).tz_localize(None) - pd.to_timedelta((n - number) * 86_400 / A_DAY, unit="s")
    made = pd.Series(made)
    is_open = number >= n - 2 * A_DAY
    ids = pd.Series([f"y-{one:06d}" for one in number])
    submitted = made + pd.Timedelta(hours=6)
    closed = made + pd.Timedelta(hours=9)
    grid = rows["building_id"].map(grids)
    tasks = pd.DataFrame({
        "task_id": ids, "kind": np.where(number % 5 == 0, "verification", "inspection"), "origin": "rule",
        "origin_id": "rental-green", "subject_kind": "rental", "subject_id": rows["rental_id"],
        "place_text": "西区1幢1单元101室", "building_id": rows["building_id"], "unit_id": rows["unit_id"],
        "grid_id": grid, "checklist": "rental", "note": "", "created_utc": made, "created_by": "server",
        "state": np.where(is_open, "assigned", "closed"), "priority": "normal",
        "due_utc": made + pd.Timedelta(hours=36),
        "receiver_kind": "grid", "receiver_id": grid, "accepted_by": np.where(is_open, None, "demo-grid_worker"),
        "submitted_by": np.where(is_open, None, "demo-grid_worker"), "submitted_utc": submitted.where(~is_open),
        "changed_utc": closed.where(~is_open, made), "closed_utc": closed.where(~is_open),
        "sent_back_count": 0, "forwarded_count": 0, "findings_count": 0, "evidence_count": np.where(is_open, 0, 1),
    })  # fmt: skip
    transaction.append("tasks", tasks)
    first = int(transaction.fetch("SELECT max(event_id) AS n FROM events")["n"].iloc[0])
    due = [str(one) for one in tasks["due_utc"].dt.tz_localize("UTC").map(lambda at: at.isoformat())]
    for place, step in enumerate(STEPS):
        has = ~is_open if step != "create" else np.ones(n, bool)
        by = "server" if step == "create" else "demo-officer" if step == "close" else "demo-grid_worker"
        plain = {"by": by, "kind": "inspection", "priority": "normal", "receiver_kind": "grid"}
        detail = []
        for one in number[has]:
            said = {**plain, "due_utc": due[one], "receiver_id": grid.iloc[one]} if step == "create" else {"by": by}
            detail.append(json.dumps({**said, "evidence_id": f"ye-{one}"} if step == "submit" else said))
        events = pd.DataFrame({
            "event_id": first + 1 + place * n + number[has], "at_utc": (made + pd.Timedelta(hours=2 * place))[has],
            "kind": f"task.{step}", "subject_table": "tasks", "subject_id": ids[has], "detail": detail,
        })  # fmt: skip
        transaction.append("events", events)
    evidence = pd.DataFrame({
        "evidence_id": [f"ye-{one}" for one in number[~is_open]], "task_id": ids[~is_open],
        "sent_by": "demo-grid_worker",
        "captured_utc": submitted[~is_open], "received_utc": submitted[~is_open], "place_source": "subject",
        "answers": "{}", "narrative": "与登记一致",
    })  # fmt: skip
    transaction.append("task_evidence", evidence)


def measure(work: Callable[[], Any], *, warm: bool = True) -> float:
    """Seconds of processor time of this process (all threads): another load on the machine does not count."""
    if warm:
        work()  # what is compiled and cached once
    started = time.process_time()
    work()
    return time.process_time() - started


def test_every_read_of_the_pages_is_quick(store: Store) -> None:
    assert store.read("SELECT count(*) AS n FROM tasks")["n"].iloc[0] > A_DAY * DAYS
    one, rental = "y-100000", store.read("SELECT subject_id AS s FROM tasks WHERE task_id = 'y-100000'")["s"].iloc[0]
    reads: dict[str, Callable[[], Any]] = {
        "list": lambda: find_tasks(store, OFFICER, now=AS_OF, limit=25),
        "closed": lambda: find_tasks(store, OFFICER, now=AS_OF, states=("closed",), newest=True, limit=25),
        "mine": lambda: find_tasks(store, WORKER, now=AS_OF, only_mine=True, limit=25),
        "of one place": lambda: find_tasks(store, OFFICER, now=AS_OF, states=None, subject_id=rental),
        "board": lambda: find_task_counts(store, OFFICER, now=AS_OF),
        "waiting": lambda: find_waiting(store, OFFICER, now=AS_OF),
        "one": lambda: find_task(store, OFFICER, one),
        "history": lambda: find_task_events(store, OFFICER, one),
        "evidence": lambda: find_task_evidence(store, OFFICER, one),
        "incidents": lambda: find_task_incidents(store, OFFICER, one),
        "day": lambda: find_day(store, WORKER, AS_OF.date() - timedelta(days=3)),
        "round": lambda: find_round_tasks(store, OFFICER, until=AS_OF + timedelta(days=3), grid_id="G07"),
        "last place": lambda: find_last_place(store, WORKER, since=AS_OF - timedelta(days=1)),
        "due by building": lambda: find_due_visits(
            store, OFFICER, now=AS_OF, today=AS_OF, until=AS_OF + timedelta(days=3)
        ),
        "fields": lambda: find_field_facts(store, OFFICER, "rental", rental),
        "freshness": lambda: find_freshness(store, OFFICER, now=AS_OF),
        "mends": lambda: find_mends(store, OFFICER, now=AS_OF, cycles={"green": 21, "yellow": 14, "orange": 7}),
    }
    took = {name: round(measure(read), 3) for name, read in reads.items()}
    print(json.dumps(took))
    assert {name: s for name, s in took.items() if s > LIMIT_S / 2} == {}


def test_every_step_is_quick(store: Store) -> None:
    clock = lambda: AS_OF  # noqa: E731
    new = NewTask(Kind.PATROL, "place", AS_OF + timedelta(days=1), place_text="河边", note="看看")
    took = {"create": measure(lambda: create_task(store, OFFICER, new, clock=clock))}
    tasks = iter([f"y-{A_DAY * DAYS - one:06d}" for one in range(1, 40)])

    def submit() -> None:
        task = next(tasks)
        viewer = Viewer(Role.GRID_WORKER, frozenset(store.read("SELECT grid_id AS g FROM grids")["g"]), "w", "w")
        act(store, viewer, task, Order(Action.SUBMIT, evidence=Evidence(f"n-{task}", AS_OF, "一切正常")), clock=clock)

    took["submit"] = measure(submit)
    took["due list"] = measure(lambda: make_due_tasks(store, clock=clock))
    took["reminders"] = measure(lambda: remind_and_escalate(store, clock=clock))
    print(json.dumps({name: round(s, 3) for name, s in took.items()}))
    assert {name: s for name, s in took.items() if s > LIMIT_S} == {}


def test_the_phones_page_is_quick(store: Store) -> None:
    """A phone's list, a visit being loaded, the rest of its day, and one visit sent."""
    phone = serve(store, WORKER)
    took = {"page": measure(lambda: get(phone, PATH)), "list": measure(lambda: get(phone, f"{PATH}/round.json"))}
    tasks = [one["id"] for one in get(phone, f"{PATH}/round.json").json()["tasks"]]
    assert len(tasks) >= A_ROUND
    load(phone, tasks[:1])
    took["a visit loaded"] = measure(lambda: load(phone, tasks[1:2]), warm=False)
    whole_s = measure(lambda: load(phone, tasks[:A_ROUND]), warm=False)
    took["the list again"] = measure(lambda: get(phone, f"{PATH}/round.json"))
    sent = iter(tasks[:A_ROUND])

    def visit() -> None:
        seen = {"key": str(uuid.uuid4()), "kind": "visit", "task": next(sent), "device_utc": AS_OF.isoformat()}
        answer = phone.post(f"{PATH}/send", json=seen)
        assert answer.status_code == 200, answer.text

    took["send"] = measure(visit)
    print(json.dumps({name: round(s, 3) for name, s in took.items()}), "a round of 20", round(whole_s, 3))
    assert {name: s for name, s in took.items() if s > LIMIT_S} == {}
    assert whole_s < A_ROUND * PACK_S


def test_what_the_wall_draws_is_quick(store: Store) -> None:
    """Every scene of the wall and of a building from inside, a home on the second screen, and what a wall is told."""
    row = store.read("SELECT unit_id, building_id FROM tasks WHERE task_id = 'y-100000'").iloc[0]
    params = {"inside": {"building": str(row["building_id"])}}
    took = {
        name: measure(lambda scene=scene, name=name: scene.build(store, WALL, "zh", params.get(name, {})))
        for name, scene in SCENES.items()
    }
    took["unit"] = measure(lambda: build_unit_panel(store, WALL, str(row["unit_id"]), "zh"))
    changes = SceneChanges(store, SCENES, SceneEndpoint(build_state(store)))
    changes.describe("zh", store.revision())
    before = store.revision()
    worker = Viewer(Role.GRID_WORKER, frozenset(store.read("SELECT grid_id AS g FROM grids")["g"]), "w", "w")
    act(store, worker, f"y-{A_DAY * DAYS - 60:06d}", Order(Action.ACCEPT), clock=lambda: AS_OF)
    took["told of a step"] = measure(lambda: changes.describe("zh", before), warm=False)
    print(json.dumps({name: round(s, 3) for name, s in took.items()}))
    assert {name: s for name, s in took.items() if s > LIMIT_S} == {}


def build_state(store: Store) -> AppState:
    runtime = Runtime(store, Settings(store.path.parent, "year"), is_demo=False)
    return AppState(runtime, lambda: AS_OF, SCENES, EventHub(), "t", AS_OF)


def serve(store: Store, viewer: Viewer) -> TestClient:
    """The phone's pages behind a door that has found out who asks."""
    app = Starlette(routes=build_visit_routes(build_state(store)))

    async def door(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["viewer"] = viewer
        await app(scope, receive, send)

    return TestClient(door)


def get(phone: TestClient, path: str) -> Any:
    answer = phone.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def load(phone: TestClient, tasks: list[str]) -> None:
    answer = phone.post(f"{PATH}/round", json={"tasks": tasks})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["stops"]) == len(tasks)


@pytest.mark.parametrize(
    ("page", "view"),
    [
        ("tasks", "all"), ("tasks", "mine"), ("tasks", "new"), ("tasks", "round"), ("tasks", "day"), ("tasks", "one"),
        ("board", "board"), ("board", "waiting"), ("board", "fresh"), ("board", "rules"), ("desk", "unit"),
        ("desk", "building"), ("desk", ""), ("shift", ""), ("command", ""), ("patrol", ""), ("plans", ""),
        ("forces", ""), ("dispatch", ""), ("intake", ""), ("map", ""), ("checkins", ""), ("counter", ""),
    ],
)  # fmt: skip
def test_every_page_is_quick(store: Store, page: str, view: str) -> None:
    set_store(store, Settings(store.path.parent, "year"))
    try:
        app = AppTest.from_function(draw, default_timeout=60, kwargs={"page": page, "view": view})
        if view == "one":
            app.query_params["task"] = "y-100000"
        if page == "desk" and view:
            row = store.read("SELECT unit_id, building_id FROM tasks WHERE task_id = 'y-100000'")
            app.query_params["kind"], app.query_params["id"] = view, str(row[f"{view}_id"].iloc[0])
        app.run()
        st.cache_resource.clear()  # a round that was looked for once is kept: what counts is the first look
        took = measure(lambda: app.run(), warm=False)
        assert not app.exception
        print(page, view, round(took, 3))
        assert took < LIMIT_S
    finally:
        clear_store()


def draw(page: str, view: str) -> None:
    import importlib

    import streamlit as st

    from data.viewer import Role, Viewer

    if view:
        st.session_state[f"kept_{page}_view"] = view
    viewer = Viewer(Role.OFFICER, account_id="demo-officer", name="demo-officer")
    getattr(importlib.import_module(f"ui.{page}_page"), f"show_{page}")(viewer, "zh")
