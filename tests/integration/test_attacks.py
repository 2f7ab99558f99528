"""Each attack of docs/security.md that a browser or a script can try, on the real routes behind the real door."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.testclient import TestClient

from data.runtime import clear_store, set_store
from data.sessions import Sessions
from data.settings import Settings
from data.store import Store, utc_now
from layers import SCENES
from server.door import Door, DoorState
from server.events import EventHub
from server.guard import Guard, build_content_security_policy
from server.routes import build_routes
from server.signin import SignIn
from server.state import AppState

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "the-ticket"
PACKAGES = ("gis", "data", "incidents", "tasks", "sample", "layers", "server", "ui", "i18n")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, sample_file: Path) -> Iterator[TestClient]:
    """A browser before the demo's own routes, signed in by nobody."""
    with Store(Path(shutil.copy(sample_file, tmp_path_factory.mktemp("attacks")))) as store:
        runtime = set_store(store, Settings(store.path.parent, "demo"))
        state = AppState(runtime, utc_now, SCENES, EventHub(), TOKEN, utc_now())
        door = DoorState(store, utc_now, Sessions(store, utc_now), is_demo=True)
        routes = [*build_routes(state, assets=ROOT / "ui" / "components" / "table"), *SignIn(door).build_routes()]
        door.routes = frozenset(route.path for route in routes if isinstance(route, Route))
        policy = build_content_security_policy("")
        app = Starlette(routes=routes, middleware=[Middleware(Guard, policy=policy), Middleware(Door, state=door)])
        yield TestClient(app, base_url="http://localhost:8501", follow_redirects=False, client=("127.0.0.1", 5))
        clear_store()
        door.sessions.close()


PATHS = (
    "/scene/{}.json",
    "/assets/{}",
    "/scene/buildings.json?kinds={}",
    "/scene/hot.json?weeks={}&kinds={}",
    "/login?next={}",
)
HOSTILE = (
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/cli.py", "....//....//cli.py",
    "/etc/passwd", "\\..\\..\\cli.py", "table.js\x00.css", "'; DROP TABLE buildings; --", "1' OR '1'='1",
    "${7*7}{{7*7}}", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "%00", "\r\nSet-Cookie: a=b", "A" * 5000, "-1",
    "1e999", "NaN", "../.env", "file:///etc/passwd",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_an_address_is_refused_or_harmless(client: TestClient, path: str, text: str) -> None:
    for spelled in (quote(text, safe=""), quote(text, safe="/%.")):
        answer = client.get(path.replace("{}", spelled))
        assert answer.status_code < 500, answer.text[:200]
        assert "root:" not in answer.text
        assert "import typer" not in answer.text
        assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]
        if "html" in answer.headers.get("content-type", ""):
            assert "<script" not in answer.text


def test_the_store_is_whole_after_all_that(client: TestClient) -> None:
    assert client.get("/scene/buildings.json").status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]),
    st.sampled_from(
        ["/login", "/password", "/logout", "/whoami", "/demo-role", "/health", "/api/v1/admin/undo", "/scene/x.json"]
    ),
    st.dictionaries(st.text("abcdeflnopxw_", max_size=8), st.text(max_size=30), max_size=4),
    st.binary(max_size=200),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", ""]
    ),
)
def test_no_request_makes_the_server_fail(
    client: TestClient, method: str, path: str, query: dict[str, str], body: bytes, kind: str
) -> None:
    answer = client.request(method, path, params=query, content=body, headers={"content-type": kind} if kind else {})
    assert answer.status_code < 500
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"host": ""}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:9999"}, 403),
        ({"content-length": "9999999"}, 413),
        ({"transfer-encoding": "chunked"}, 413),
    ],
)
def test_foreign_and_oversized_requests_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/login", headers=headers).status_code == status


@pytest.mark.parametrize(
    "token", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"]
)
def test_the_command_lines_address_wants_its_whole_token(client: TestClient, token: str) -> None:
    answer = client.get("/api/v1/admin/info", headers={"authorization": token})
    assert answer.status_code == 401
    assert "residents" not in answer.text


def test_every_answer_carries_the_policy_and_says_nothing_of_what_runs(client: TestClient) -> None:
    for path in ("/whoami", "/nothing", "/scene/x.json", "/login"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "unsafe-eval" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin", "nothing of an address leaves for another host"
        assert "server" not in headers
        assert "x-powered-by" not in headers


def test_nothing_is_unpickled_evaluated_or_given_to_a_shell() -> None:
    forbidden_modules = {"pickle", "marshal", "shelve", "dill", "joblib"}
    found = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if isinstance(node, ast.Call):
                    called = node.func.id if isinstance(node.func, ast.Name) else ""
                    names += ["pickle"] if called in {"eval", "exec"} else []
                    names += ["pickle" for k in node.keywords if k.arg == "shell"]
                if any(name.partition(".")[0] in forbidden_modules for name in names):
                    found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert found == []
