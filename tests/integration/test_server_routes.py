"""The routes beside the pages, asked as a browser asks them, without Streamlit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from data.prints import find_print, read_print
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.viewer import Viewer
from gis.errors import BadRecordError
from i18n import Language
from server.events import EventHub
from server.guard import Guard, build_content_security_policy
from server.routes import build_routes
from server.scenes import SceneAnswer, SceneCache
from server.state import AppState
from tests.fixtures.loops import run_async

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
TOKEN = "a-token-of-the-test"


@dataclass
class CountingScene:
    """A scene that says how often it was built, with what."""

    name: str = "gates"
    tables: tuple[str, ...] = ("gates", "community")
    params: tuple[str, ...] = ("kind",)
    is_told: bool = True
    waits: bool = True
    built: list[tuple[Language, dict[str, str]]] = field(default_factory=list)

    def find_print(self, store: Store, *, kept: bool = True) -> tuple[object, ...]:
        find = find_print if kept else read_print
        return (find(store, "gates", "gate_id, kind"), store.revision("community"))

    def find_changed(self, store: Store, since: int) -> frozenset[str] | None:
        return None if store.revision(*self.tables) > since else frozenset()

    def build_some(self, store: Store, viewer: Viewer, lang: Language, keys: frozenset[str]) -> list[dict[str, object]]:
        raise AssertionError("never asked: all may have changed, or nothing did")

    def build(self, store: Store, viewer: Viewer, lang: Language, params: Mapping[str, str]) -> bytes:
        if params.get("kind") == "wrong":
            raise BadRecordError("Parameter 'kind' is 'wrong': expected vehicle or pedestrian.")
        self.built.append((lang, dict(params)))
        return json.dumps({"lang": lang, "role": viewer.role, "n": len(self.built)}).encode()


def write_gate(store: Store) -> None:
    """One more row in `gates`."""
    store.write(
        lambda tx: tx.execute(
            "gates",
            "INSERT INTO gates (gate_id, kind, geom) "
            "SELECT 'g' || (count(*) + 1), 'vehicle', ST_Point(0, 0) FROM gates",
        )
    )


class Client:
    """Asks an application that runs in this process; each request on a loop of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8501") as client:
                return await client.request(method, path, **options)

        return run_async(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("home") / "small.duckdb", clock=lambda: NOW) as opened:
        write_gate(opened)
        yield opened


@pytest.fixture
def scene() -> CountingScene:
    return CountingScene()


@pytest.fixture
def state(store: Store, scene: CountingScene, tmp_path: Path) -> AppState:
    runtime = Runtime(store, Settings(home=tmp_path, store_name="small"))
    return AppState(runtime, lambda: NOW, {scene.name: scene}, EventHub(), TOKEN, NOW)


@pytest.fixture
def client(state: AppState, tmp_path: Path) -> Client:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "table.js").write_text("export default 1;", encoding="utf-8")
    (assets / "table.py").write_text("secret = 1", encoding="utf-8")
    (tmp_path / "outside.js").write_text("outside", encoding="utf-8")
    (assets / "link.js").symlink_to(tmp_path / "outside.js")
    app = Starlette(
        routes=build_routes(state, assets=assets),
        middleware=[Middleware(Guard, policy=build_content_security_policy("<script>one()</script>"))],
    )
    return Client(app)


def address(state: AppState, **params: object) -> str:
    """The address that a page would ask for now."""
    revision = state.store.revision("gates", "community")
    query = {"v": revision, "b": state.runtime.boot_id, "lang": "zh", **params}
    return "/scene/gates.json?" + "&".join(f"{name}={value}" for name, value in query.items())


class TestScenes:
    def test_current_revision_may_be_kept_for_ever(self, client: Client, state: AppState) -> None:
        answer = client.get(address(state))
        assert answer.json() == {"lang": "zh", "role": "wall", "n": 1}
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("query", [{"v": 0}, {"b": "00000000"}, {"v": "x"}])
    def test_any_other_address_may_not(self, client: Client, state: AppState, query: dict[str, object]) -> None:
        answer = client.get(address(state, **query))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-cache"

    def test_built_once_for_each_revision_language_and_parameters(
        self, client: Client, state: AppState, scene: CountingScene
    ) -> None:
        for _ in range(3):
            client.get(address(state))
            client.get(address(state, lang="en"))
            client.get(address(state, kind="vehicle"))
        assert scene.built == [("zh", {}), ("en", {}), ("zh", {"kind": "vehicle"})]
        write_gate(state.store)
        assert client.get(address(state)).json()["n"] == 4

    def test_a_write_that_shows_nothing_new_leads_to_the_file_that_is_there(
        self, client: Client, state: AppState, scene: CountingScene
    ) -> None:
        before = address(state)
        shown = client.get(before)
        state.store.write(lambda tx: tx.execute("gates", "UPDATE gates SET name = '东门'"))
        again = client.get(address(state))
        assert (again.status_code, again.headers["cache-control"]) == (307, "private, no-cache")
        assert f"{address(state).partition('?')[0]}{again.headers['location']}" == before
        kept = client.get(before)
        assert (kept.status_code, kept.content) == (200, shown.content)
        assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
        write_gate(state.store)
        assert (client.get(address(state)).json()["n"], len(scene.built)) == (2, 2)

    def test_compressed_where_the_browser_can(self, client: Client, state: AppState) -> None:
        packed = client.get(address(state), headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        plain = client.get(address(state), headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content

    def test_same_content_is_not_sent_again(self, client: Client, state: AppState) -> None:
        etag = client.get(address(state)).headers["etag"]
        again = client.get(address(state), headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        ("path", "status", "sentence"),
        [
            ("/scene/nothing.json", 404, "There is no layer 'nothing'. Known layers: gates."),
            ("/scene/gates.json?lang=fr", 400, "Language 'fr' is not spoken here: expected zh or en."),
            ("/scene/gates.json?role=admin", 400, "Layer 'gates' has no parameter 'role'. Expected: kind."),
            ("/scene/gates.json?kind=wrong", 400, "Parameter 'kind' is 'wrong': expected vehicle or pedestrian."),
        ],
    )
    def test_what_cannot_be_answered_gets_a_sentence(
        self, client: Client, path: str, status: int, sentence: str
    ) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["message"]) == (status, sentence)
        assert answer.headers["cache-control"] == "no-store"

    def test_file_built_while_the_tables_changed_is_not_kept(
        self, client: Client, state: AppState, scene: CountingScene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        build = scene.build

        def build_slowly(store: Store, viewer: Viewer, lang: Language, params: Mapping[str, str]) -> bytes:
            body = build(store, viewer, lang, params)
            write_gate(store)
            return body

        monkeypatch.setattr(scene, "build", build_slowly)
        asked = address(state)
        assert client.get(asked).headers["cache-control"] == "private, no-cache"
        monkeypatch.setattr(scene, "build", build)
        assert client.get(address(state)).json()["n"] == 2

    def test_cache_forgets_the_least_recently_used(self) -> None:
        cache = SceneCache(max_bytes=100)
        for slot in "ab":
            cache.keep(slot, 1, SceneAnswer(b"x" * 40, '"e"'))
        assert cache.find("a", 1) is not None
        cache.keep("c", 1, SceneAnswer(b"x" * 40, '"e"'))
        assert [slot for slot in "abc" if cache.find(slot, 1)] == ["a", "c"]
        cache.keep("huge", 1, SceneAnswer(b"x" * 101, '"e"'))
        assert cache.find("huge", 1) is None
        assert cache.size_bytes == 80

    def test_cache_holds_of_each_file_the_newest(self) -> None:
        cache = SceneCache(max_bytes=100)
        for revision in range(1, 50):
            cache.keep("a", revision, SceneAnswer(b"x" * revision, '"e"'))
        assert cache.find("a", 48) is None
        assert cache.find("a", 49) is not None
        assert cache.size_bytes == 49
        cache.keep("a", 50, SceneAnswer(b"x" * 101, '"e"'))  # too large: what it showed before is no longer true
        assert cache.find("a", 49) is None
        assert cache.size_bytes == 0


class TestFiles:
    def test_renderer_comes_from_the_installed_wheel(self, client: Client) -> None:
        answer = client.get("/vendor/deck.js")
        assert answer.status_code == 200
        assert b"createDeck" in answer.content
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-type"].startswith("text/javascript")

    def test_renderer_by_version_may_be_kept_for_ever(self, client: Client) -> None:
        import pydeck

        assert "immutable" in client.get(f"/vendor/deck.js?v={pydeck.__version__}").headers["cache-control"]

    def test_component_files(self, client: Client) -> None:
        answer = client.get("/assets/table.js")
        assert (answer.text, answer.headers["cache-control"]) == ("export default 1;", "no-cache")

    def test_component_files_of_this_start_may_be_kept_for_ever(self, client: Client, state: AppState) -> None:
        answer = client.get(f"/assets/table.js?b={state.runtime.boot_id}")
        assert "immutable" in answer.headers["cache-control"]
        assert "immutable" not in client.get("/assets/table.js?b=00000000").headers["cache-control"]

    @pytest.mark.parametrize(
        "path", ["table.py", "link.js", "../outside.js", "%2e%2e/outside.js", "/etc/hostname", "..%5Coutside.js", ""]
    )
    def test_nothing_else_is_served(self, client: Client, path: str) -> None:
        assert client.get(f"/assets/{path}").status_code == 404


class TestGuard:
    @pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:1", "[::1]:8501", "[::1]", "LOCALHOST"])
    def test_loopback_names_are_answered(self, client: Client, host: str) -> None:
        assert client.get("/health", headers={"Host": host}).json() == {"status": "ok"}

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.1.5:8501",
            "evil:8501",
            "a@localhost",
        ],
    )
    def test_a_foreign_name_that_points_here_is_refused(self, client: Client, host: str) -> None:
        answer = client.get("/health", headers={"Host": host})
        assert answer.status_code == 421
        assert "http://localhost" in answer.text

    @pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", "null", "http://localhost"])
    def test_a_change_sent_by_another_page_is_refused(self, client: Client, origin: str) -> None:
        headers = {"Origin": origin, "Authorization": f"Bearer {TOKEN}"}
        assert client.post("/api/v1/admin/undo", headers=headers).status_code == 403

    def test_every_answer_carries_the_policy(self, client: Client) -> None:
        for path in ("/health", "/nothing", "/scene/none.json"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "connect-src 'self'" in headers["content-security-policy"]

    def test_policy_names_no_host_and_no_inline_script_but_the_known(self) -> None:
        # openssl dgst -sha256 -binary of "one()", in base64
        policy = build_content_security_policy("<script>one()</script>")
        assert "'sha256-HR7iaask9daLMRRskMI++QeJtjWDOjyPA6lGzYGzKW4='" in policy
        assert "http" not in policy
        assert "*" not in policy
        script = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "'unsafe-inline'" not in script


class TestAdmin:
    @pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer \xe9"])
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "info"), ("GET", "ticket"), ("POST", "import"), ("POST", "undo")]
    )
    def test_only_with_the_token(self, client: Client, header: str | None, method: str, path: str) -> None:
        headers = {} if header is None else {"Authorization": header.encode("latin-1")}
        answer = client.request(method, f"/api/v1/admin/{path}", headers=headers)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]["message"]

    def test_a_store_without_community_says_so(self, client: Client) -> None:
        answer = client.get("/api/v1/admin/info", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 409
        assert answer.json()["error"]["kind"] == "RecordMissingError"

    def test_options_that_do_not_exist_are_refused(self, client: Client) -> None:
        answer = client.post(
            "/api/v1/admin/import",
            headers={"Authorization": f"Bearer {TOKEN}"},
            files={"source": ("a.csv", b"x", "text/csv")},
            data={"options": '{"nonsense": 1}'},
        )
        assert answer.status_code == 400
        assert "nonsense" in answer.json()["error"]["message"]
