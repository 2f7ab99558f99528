"""A drill is a store of its own: the original stays as it is, no person and no incident is in the copy, alarms come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from cli import app
from data.drills import KEPT, is_drill
from data.keys import to_key
from data.queries import find_drill_alarms, get_info
from data.runtime import Runtime, clear_store, set_store
from data.sessions import Session, Sessions
from data.settings import Settings
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import RefusedError, StoreInUseError
from i18n import t
from incidents.dispatches import answer, send
from incidents.dispatching import DispatchAction, Way
from incidents.drill_report import report_drill
from incidents.drill_run import DrillRun
from layers import SCENES
from server.api import build_api
from server.connect import build_connect_routes
from server.dispatch_jobs import build_dispatch_schedulers
from server.door import DoorState
from server.drilling import build_drill_schedulers, make_drill
from server.events import EventHub
from server.index import Index
from server.keeping import back_up
from server.lan import LanOptions, OfficeNetwork
from server.oidc import OfficeSignIn
from server.oidc_options import ProviderOptions
from server.oidc_provider import Provider
from server.operations import LocalOperations
from server.pairing_pages import build_surface_page
from server.phone_sent import build_phone_routes
from server.signin import SignIn
from server.state import AppState
from tests.fixtures.access import Clock, add
from tests.fixtures.dispatch import OFFICER, add_responders, take_in
from tests.fixtures.intake import KEY, build_store, make_key
from ui.drill_part import build_drill_report
from ui.marks import say_marks

SCENARIO = (
    "minutes,address,category,urgency,said,expectation\n"
    "2,小村12幢1单元102室,theft.ebike,,王建国 13812341234 说车没了,先问监控\n"
    "0,小村12幢1单元101室,theft.ebike,urgent,有人在撬锁,两分钟内派出\n"
    "30,没有这个地方,theft.ebike,,说不清,\n"
)
CANARIES = ("王建国", "李小红", "13812341234", "13987654321")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path, clock: Clock) -> Settings:
    """An encrypted community at work: people, an incident with somebody sent, a key of another system, a webhook."""
    with build_store(tmp_path / "place.duckdb", clock) as store:
        add_responders(store)
        make_key(store, clock, "incidents:write")
        store.write(lambda tx: tx.execute("settings", "INSERT INTO settings VALUES "
                    "('webhook_url', '\"http://127.0.0.1:9/hook\"', now()::TIMESTAMP, 'x')"))  # fmt: skip
        send(store, OFFICER, take_in(store, clock), "r2", clock=clock)
    (tmp_path / "night.csv").write_text(SCENARIO, encoding="utf-8")
    return Settings(tmp_path, store_name="place", key_text=KEY)


def make(settings: Settings, clock: Clock, *, force: bool = False) -> dict[str, object]:
    file = settings.home / "night.csv"
    return make_drill(settings, file, force=force, running=None, clock=clock)


@contextmanager
def open_drill(settings: Settings, clock: Clock) -> Iterator[Store]:
    with Store.open_existing(settings.home / "place-drill.duckdb", key=to_key(KEY), clock=clock) as store:
        yield store


def list_bytes(settings: Settings) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in settings.home.iterdir()
        if path.is_file() and path.name.startswith("place.") and path.suffix != ".lock"
    }


def test_the_copy_holds_the_place_and_nobody_and_the_original_stays_as_it_is(settings: Settings, clock: Clock) -> None:
    before = list_bytes(settings)
    made = make(settings, clock)
    assert list_bytes(settings) == before
    assert (made["store"], made["alarms"], made["encrypted"], made["last_after_s"]) == ("place-drill", 3, True, 1800.0)
    assert made["without_place"] == [{"line": 4, "address": "没有这个地方", "reason": "not_understood"}]
    drill = settings.home / "place-drill.duckdb"
    assert b"DUCK" in drill.read_bytes()[:16]
    with open_drill(settings, clock) as store:
        assert is_drill(store)
        assert get_info(store).drill
        for table in store.tables - KEPT - {"drills", "drill_alarms", "events", "audit_log"}:
            assert store.read(f"SELECT count(*) AS n FROM {table}")["n"].iloc[0] == 0, table
        assert store.read("SELECT kind FROM events")["kind"].tolist() == ["drill.made"]
        assert store.read("SELECT count(*) AS n FROM units")["n"].iloc[0] == 2
        assert store.read("SELECT call_sign FROM responders ORDER BY 1")["call_sign"].tolist() == [
            "卫士02",
            "网格01",
            "警03",
        ]
        assert store.read("SELECT * FROM settings").empty
        kept = "".join(frame.to_csv() for frame in store.export_tables().values())
    assert [one for one in CANARIES if one in kept] == []
    assert not [path for path in settings.home.iterdir() if path.is_dir()]


def test_a_drill_store_is_replaced_with_force_only_and_no_other_store_is(settings: Settings, clock: Clock) -> None:
    make(settings, clock)
    with pytest.raises(RefusedError, match=r"There is a drill store 'place-drill' already\. .*--force"):
        make(settings, clock)
    with open_drill(settings, clock) as store:
        with pytest.raises(StoreInUseError):
            make(settings, clock, force=True)
        with pytest.raises(RefusedError, match="is not backed up"):
            back_up(store, settings.home / "b", key=None, keep=None, actor="x", clock=clock, progress=lambda *_: None)
    make(settings, clock, force=True)
    with pytest.raises(RefusedError, match="is a drill store itself"):
        make_drill(Settings(settings.home, store_name="place-drill", key_text=KEY), settings.home / "night.csv",
                   force=False, running=None, clock=clock)  # fmt: skip
    (settings.home / "place-drill.duckdb").write_bytes((settings.home / "place.duckdb").read_bytes())
    with pytest.raises(RefusedError, match="is no drill store: it is never replaced"):
        make(settings, clock, force=True)


def test_a_store_in_use_is_copied_by_whoever_has_it(settings: Settings, clock: Clock) -> None:
    with Store(settings.store_path, key=to_key(KEY), clock=clock) as store:
        with pytest.raises(StoreInUseError):
            make(settings, clock)
        assert not (settings.home / "place-drill.duckdb").exists()
        running = LocalOperations(store, clock, to_key(KEY))
        made = make_drill(settings, settings.home / "night.csv", force=False, running=running, clock=clock)
    assert (made["alarms"], made["encrypted"]) == (3, True)
    with open_drill(settings, clock) as store:
        assert store.read("SELECT count(*) AS n FROM incidents")["n"].iloc[0] == 0


def test_alarms_come_at_their_times_once_and_the_report_measures_them(settings: Settings, clock: Clock) -> None:
    make(settings, clock)
    with open_drill(settings, clock) as store:
        run = DrillRun(store, clock)
        (first,) = run.run()
        assert run.run() == []
        row = store.read("SELECT number, source, sent_by, status, urgency FROM incidents").iloc[0].tolist()
        assert row == ["DRILL-1", "drill", "drill", "placed", "urgent"]
        clock.move(seconds=30)
        sent = send(store, OFFICER, first, "r2", clock=clock)
        assert store.read("SELECT * FROM webhook_outbox").empty
        clock.move(seconds=10)
        answer(store, OFFICER, sent.dispatch.dispatch_id, DispatchAction.ACCEPT, way=Way.VOICE, clock=clock)
        clock.move(seconds=79)
        assert run.run() == []
    with open_drill(settings, clock) as store:  # the server was stopped for a minute when the second was due
        clock.move(seconds=61)
        (second,) = DrillRun(store, clock).run()
        assert DrillRun(store, clock).run() == []
        narrative = store.read("SELECT narrative FROM incidents WHERE incident_id = ?", [second])["narrative"].iloc[0]
        assert [one for one in CANARIES if one in narrative] == []
        report = report_drill(store, OFFICER)
        assert [(one.alarm_no, one.late_s, one.expectation) for one in report.times.alarms] == [
            (1, 0.0, "两分钟内派出"), (2, 60.0, "先问监控"),
        ]  # fmt: skip
        assert report.times.to_come == 1
        assert report.times.alarms[0].seconds == {
            "placed": 0.0, "dispatched": 30.0, "accepted": 40.0, "on_scene": None, "handled": None,
        }  # fmt: skip
        assert "说不清" not in find_drill_alarms(store, OFFICER).to_csv()


def test_it_says_so_on_pages_and_papers_and_tells_nobody_else(settings: Settings, clock: Clock) -> None:
    make(settings, clock)
    with open_drill(settings, clock) as store:
        assert [job.name for one in build_dispatch_schedulers(store, clock) for job in one._jobs] == ["escalation"]
        assert len(build_drill_schedulers(store, clock)) == 1
        runtime = set_store(store, settings, is_demo=False)
        try:
            assert say_marks("zh") == t("table.drill", "zh")
            DrillRun(store, clock).run()
            report = report_drill(store, OFFICER)
            kinds = store.read("SELECT * FROM incident_categories")
            paper = build_drill_report(store, report, kinds, mark=say_marks("zh"), who="x", now=clock())
            assert paper.facts[0] == t("table.drill", "zh")
            assert len(paper.parts[1].table.rows) == 1  # type: ignore[union-attr]
        finally:
            clear_store()
        assert '\\"drill\\": true' in _unescape(build_surface_page(store, "tablet", lang="zh").body.decode())
        state = AppState(Runtime(store, settings), clock, SCENES, EventHub(), "token", clock())
        assert runtime.store is store
        phone = TestClient(_with_viewer(Starlette(routes=build_phone_routes(state))))
        for lang in ("zh", "en"):
            assert t("table.drill", lang) in phone.get(f"/phone/sent?lang={lang}").text  # type: ignore[arg-type]
        assert _list_unmarked(state) == []
    with Store(settings.store_path, key=to_key(KEY), clock=clock) as store:
        assert build_drill_schedulers(store, clock) == ()
        assert len(build_dispatch_schedulers(store, clock)) == 2


def _list_unmarked(state: AppState) -> list[str]:
    """Plain pages of this store that do not say that it is a drill."""
    sessions = Sessions(state.store, clock=state.clock)
    session = sessions.find(sessions.start(add(state.store, state.clock, "drill-officer")))
    door = DoorState(state.store, state.clock, sessions, is_demo=False)
    provider = Provider(ProviderOptions("https://sso.lan", "shapan"), state.clock)
    options = LanOptions(("wanhu.lan",))
    network = OfficeNetwork(state.runtime.settings.home, options, https_port=1, http_port=2, clock=state.clock)
    routes = [
        Route("/", Index(state, '<html><script type="module" src="x"></script></html>').respond),
        *SignIn(door).build_routes(),
        *OfficeSignIn(door, provider).build_routes(),
        *build_connect_routes(network, is_drill=is_drill(state.store)),
        Mount("/api/v1", app=build_api(state.store, state.clock)),
    ]
    page = TestClient(_with_viewer(Starlette(routes=routes), session))
    paths = ("/", "/login", "/password", "/logout", "/oidc/return", "/api/v1/docs", "/connect")
    return [path for path in paths if t("table.drill", "en") not in page.get(f"{path}?lang=en").text]


def shapan(settings: Settings, *arguments: str) -> Result:
    clean = dict.fromkeys(("SHAPAN_STORE", "SHAPAN_KEY_FILE", "SHAPAN_BACKUPS"), "")
    environment = {**clean, "SHAPAN_HOME": str(settings.home), "SHAPAN_KEY": KEY}
    return CliRunner().invoke(app, arguments, prog_name="shapan", env=environment)


def test_the_command_makes_and_reports_and_a_bad_file_makes_nothing(settings: Settings) -> None:
    bad = settings.home / "bad.csv"
    bad.write_text("minutes,address,category\nsoon,,arson\n", encoding="utf-8")
    names = {path.name for path in settings.home.iterdir()}
    refused = shapan(settings, "drill", str(bad), "--store", "place")
    assert refused.exit_code == 4
    assert "line 2, minutes: 'soon'" in refused.stderr
    assert {path.name for path in settings.home.iterdir()} - names == {"place-drill.duckdb.lock"}

    made = shapan(settings, "drill", str(settings.home / "night.csv"), "--store", "place", "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["store"] == "place-drill"
    told = shapan(settings, "drill", "--report", "--store", "place-drill", "--json")
    assert told.exit_code == 0, told.stderr
    report = json.loads(told.stdout)
    assert (report["drill"], report["started_utc"], report["to_come"]) == (True, None, 3)
    text = shapan(settings, "drill", "--report", "--store", "place-drill").stdout
    assert "still to come: 3" in text
    nowhere = shapan(settings, "drill", "--report", "--store", "place")
    assert (nowhere.exit_code, "holds no drill" in nowhere.stderr) == (5, True)
    assert shapan(settings, "drill", "--store", "place").exit_code == 3


def _unescape(html: str) -> str:
    return html.replace("&quot;", '\\"')


def _with_viewer(inner: Starlette, session: Session | None = None) -> Starlette:
    """The door's part: who looks."""

    async def run(scope: dict, receive: object, send_: object) -> None:  # type: ignore[type-arg]
        viewer = Viewer(Role.OFFICER, account_id="o1", name="officer07")
        scope.setdefault("state", {}).update(viewer=viewer, session=session)
        await inner(scope, receive, send_)  # type: ignore[arg-type]

    return run  # type: ignore[return-value]
