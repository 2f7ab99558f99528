"""Health, figures and the line of the log that each request becomes."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError
from server.events import EventHub
from server.health import build_health_route
from server.metrics import Metrics
from server.watch import Watch
from tests.fixtures.loops import run_async

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "small.duckdb", clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def metrics(store: Store) -> Metrics:
    metrics = Metrics()
    metrics.watch(store, EventHub())
    return metrics


async def answer(request: Request) -> PlainTextResponse:
    request.scope.setdefault("state", {})["viewer"] = Viewer(Role.OFFICER, account_id="a-1", name="王小明")
    return PlainTextResponse("answered")


async def fail(_: Request) -> PlainTextResponse:
    raise BadRecordError("Occupant '张三丰' is refused.")


async def accept(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def app(store: Store, metrics: Metrics) -> Starlette:
    routes: list[BaseRoute] = [
        build_health_route(store),
        Route("/metrics", metrics.respond),
        Route("/scene/{layer}.json", answer),
        Route("/fail", fail),
    ]
    others = [WebSocketRoute("/_stcore/stream", accept), Route("/other/{name}", answer)]
    return Starlette(
        routes=[*routes, *others], middleware=[Middleware(Watch, routes=routes, on_answer=metrics.note_request)]
    )


def ask(app: Starlette, path: str, *, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 50000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as session:
            return await session.get(path, headers=headers)

    return run_async(send())


def read_figures(app: Starlette) -> dict[tuple[str, str, str], float]:
    """Values by name, route or layer, and status."""
    text = ask(app, "/metrics").text
    return {
        (
            sample.name,
            sample.labels.get("route") or sample.labels.get("layer", ""),
            sample.labels.get("status", ""),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


class TestHealth:
    def test_says_that_it_works_and_nothing_else(self, app: Starlette) -> None:
        answer = ask(app, "/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["cache-control"] == "no-store"

    def test_says_that_the_store_does_not_answer(self, app: Starlette, store: Store) -> None:
        store.close()
        answer = ask(app, "/health")
        assert (answer.status_code, answer.json()) == (503, {"status": "failing"})


class TestFigures:
    def test_requests_by_route_as_it_is_written_and_status(self, app: Starlette) -> None:
        for path in ("/scene/walls.json", "/scene/roads.json", "/fail", "/other/张三丰", "/nothing"):
            ask(app, path)
        figures = read_figures(app)
        assert figures["shapan_requests_total", "/scene/{layer}.json", "200"] == 2
        assert figures["shapan_requests_total", "/fail", "500"] == 1
        assert figures["shapan_requests_total", "streamlit", "200"] == 1
        assert figures["shapan_requests_total", "streamlit", "404"] == 1
        assert figures["shapan_request_seconds_count", "/scene/{layer}.json", ""] == 2
        assert 0 < figures["shapan_request_seconds_sum", "/scene/{layer}.json", ""] < 5

    def test_the_store_s_revision_writes_and_log(self, app: Starlette, store: Store) -> None:
        before = read_figures(app)
        store.write(
            lambda tx: tx.execute(
                "gates", "INSERT INTO gates (gate_id, kind, geom) VALUES ('g', 'vehicle', ST_Point(0, 0))"
            )
        )
        with pytest.raises(BadRecordError):
            store.write(
                lambda tx: tx.execute(
                    "gates", "INSERT INTO gates (gate_id, kind, geom) VALUES ('g', 'vehicle', ST_Point(0, 0))"
                )
            )
        after = read_figures(app)
        assert after["shapan_store_revision", "", ""] == store.revision() == before["shapan_store_revision", "", ""] + 1
        assert after["shapan_write_seconds_count", "", ""] == before["shapan_write_seconds_count", "", ""] + 2
        wal = store.path.with_name(store.path.name + ".wal")
        assert after["shapan_store_log_bytes", "", ""] == (wal.stat().st_size if wal.exists() else 0)

    def test_backup_s_age_is_unknown_until_there_is_one(self, app: Starlette, metrics: Metrics) -> None:
        assert math.isnan(read_figures(app)["shapan_backup_age_seconds", "", ""])
        ages = iter([None, 3600.0])
        metrics.watch_backups(lambda: next(ages))
        assert math.isnan(read_figures(app)["shapan_backup_age_seconds", "", ""])
        assert read_figures(app)["shapan_backup_age_seconds", "", ""] == 3600.0

    def test_scenes_by_layer(self, app: Starlette, metrics: Metrics) -> None:
        metrics.note_scene("walls", 0.25)
        assert read_figures(app)["shapan_scene_build_seconds_sum", "walls", ""] == 0.25

    @pytest.mark.parametrize("client", ["10.1.2.3", "192.168.1.9", "fe80::1", "not an address"])
    def test_not_for_other_machines(self, app: Starlette, client: str) -> None:
        answer = ask(app, "/metrics", client=client)
        assert answer.status_code == 403
        assert "shapan_" not in answer.text

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
    def test_not_through_another_program(self, app: Starlette, header: str) -> None:
        assert ask(app, "/metrics", **{header: "127.0.0.1"}).status_code == 403

    def test_no_person_and_nothing_typed_is_in_them(self, app: Starlette) -> None:
        ask(app, "/scene/张三丰.json?name=李四")
        ask(app, "/other/张三丰")
        text = ask(app, "/metrics").text
        assert not any(word in text for word in ("张三丰", "李四", "王小明", "%E5%BC%A0", "a-1"))


class TestLog:
    @pytest.fixture(autouse=True)
    def listen(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "server.watch")

    def test_a_line_for_each_request(self, app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
        ask(app, "/scene/walls.json?v=3&who=李四")
        fields = caplog.records[0].fields  # type: ignore[attr-defined]
        assert fields.pop("ms") >= 0
        assert fields == {
            "method": "GET",
            "route": "/scene/{layer}.json",
            "status": 200,
            "path": "/scene/walls.json",
            "account_id": "a-1",
        }

    def test_what_does_not_exist_or_is_not_ours_is_not_quoted(
        self, app: Starlette, caplog: pytest.LogCaptureFixture
    ) -> None:
        for path in ("/张三丰", "/other/张三丰", "/fail?who=张三丰"):
            ask(app, path)
        text = json.dumps([entry.fields for entry in caplog.records], ensure_ascii=False)  # type: ignore[attr-defined]
        assert "张三丰" not in text
        assert "王小明" not in text
        assert [entry.fields["status"] for entry in caplog.records] == [404, 200, 500]  # type: ignore[attr-defined]

    def test_a_websocket_is_a_line_too(self, app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": [], "query_string": b"", "subprotocols": []}

        async def open_and_close() -> None:
            async def receive() -> dict[str, str]:
                return {"type": "websocket.connect"}

            async def send(_: object) -> None:
                return None

            await app({**scope, "root_path": "", "scheme": "ws"}, receive, send)

        run_async(open_and_close())
        fields = caplog.records[0].fields  # type: ignore[attr-defined]
        assert (fields["method"], fields["route"], fields["status"]) == ("WEBSOCKET", "streamlit", 101)
        assert len(caplog.records) == 1
