"""shapan user, key and audit: on the closed file, and through the running server."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

import cli
from data.accounts import Account, get_account, sign_in
from data.api_keys import KeyRing
from data.audit import verify
from data.runtime import Runtime
from data.sessions import Sessions
from data.settings import Settings
from data.store import Store, utc_now
from layers import SCENES
from server.access import OPERATIONS
from server.events import EventHub
from server.operations import LocalOperations
from server.routes import build_routes
from server.state import AppState
from tests.fixtures.access import PASSWORD, found
from tests.fixtures.loops import run_async

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TOKEN = "the-token"


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small store, to be copied."""
    path = tmp_path_factory.mktemp("village") / "small.duckdb"
    with Store(path, clock=lambda: NOW) as store:
        store.write(found)
    return path


@pytest.fixture
def home(village: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(village, tmp_path)).parent


def shapan(home: Path, *arguments: str, stdin: str | None = None) -> Result:
    environ = {"SHAPAN_HOME": str(home), "SHAPAN_STORE": "small"}
    return CliRunner().invoke(cli.app, arguments, prog_name="shapan", env=environ, input=stdin)


def ask(home: Path, *arguments: str, stdin: str | None = None) -> dict[str, object]:
    """The JSON of a command that succeeds."""
    shown = shapan(home, *arguments, "--json", stdin=stdin)
    assert shown.exit_code == 0, shown.stderr
    assert shown.stderr == ""
    return dict(json.loads(shown.stdout))


def test_accounts_from_the_command_line(home: Path) -> None:
    made = ask(home, "user", "add", "boss", "--role", "admin")
    assert (made["name"], made["role"], made["grids"], made["must_change"]) == ("boss", "admin", [], True)
    ask(home, "user", "add", "w1", "--role", "grid_worker", "--grid", "g1", "--grid", "g2", "--display-name", "柳金雀")
    given = ask(home, "user", "add", "o1", "--role", "officer", "--password-stdin", stdin=PASSWORD + "\n")
    assert given["password"] is None, "what was given is not repeated"
    reset = ask(home, "user", "reset", "o1")
    disabled = ask(home, "user", "disable", "w1")
    assert disabled["disabled_utc"] is not None
    listed = ask(home, "user", "list")["users"]
    assert [(u["name"], u["grids"]) for u in listed] == [("boss", []), ("o1", []), ("w1", ["g1", "g2"])]  # type: ignore[attr-defined]
    with Store(home / "small.duckdb") as store:
        assert isinstance(sign_in(store, "boss", str(made["password"]), clock=utc_now), Account)
        assert isinstance(sign_in(store, "o1", str(reset["password"]), clock=utc_now), Account)
        assert get_account(store, "w1").display_name == "柳金雀"
        assert verify(store).is_whole
        assert "柳金雀" not in store.read("SELECT * FROM audit_log").to_csv()


def test_accounts_for_a_reader(home: Path) -> None:
    shown = shapan(home, "user", "add", "boss", "--role", "admin").stdout
    assert "Account 'boss', role admin.\nFirst password, shown this once: " in shown
    lines = shapan(home, "user", "list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["name", "role"], ["boss", "admin"]]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "sentence"),
    [
        (["user", "add", "x1", "--role", "king"], None, 4, "Role 'king' is not known: expected one of wall, volunteer"),
        (["user", "add", "王", "--role", "admin"], None, 4, "Account name '王' cannot be used"),
        (["user", "add", "x1", "--role", "grid_worker"], None, 3, "A grid worker needs grids"),
        (["user", "add", "x1", "--role", "admin", "--password-stdin"], "", 4, "No password came on standard input"),
        (["user", "add", "x1", "--role", "admin", "--password-stdin"], "short\n", 4, "The password has 5 characters"),
        (["user", "disable", "nobody"], None, 5, "There is no account 'nobody'"),
        (["user", "reset", "nobody"], None, 5, "There is no account 'nobody'"),
        (["key", "create", "alarm", "--scope", "all"], None, 4, "Scope all is not known"),
        (["key", "revoke", "none"], None, 5, "There is no key 'none'"),
        (["user", "list", "--store", "none"], None, 5, "There is no store 'none'"),
    ],
)
def test_what_is_refused_is_one_sentence(
    home: Path, arguments: list[str], stdin: str | None, code: int, sentence: str
) -> None:
    shown = shapan(home, *arguments, stdin=stdin)
    assert (shown.exit_code, shown.stdout) == (code, "")
    assert shown.stderr.startswith(f"shapan: {sentence}")
    assert len(shown.stderr.splitlines()) == 1


def test_keys_from_the_command_line(home: Path) -> None:
    made = ask(home, "key", "create", "alarm-system", "--scope", "incidents:write", "--rate", "30")
    text = str(made["key"])
    assert text.startswith(f"spk_{made['key_id']}_")
    listed = shapan(home, "key", "list", "--json").stdout
    assert text.rpartition("_")[2] not in listed
    assert json.loads(listed)["keys"][0]["rate_per_minute"] == 30
    with Store(home / "small.duckdb") as store:
        assert KeyRing(store, utc_now).check(text, "incidents:write") not in ("unknown", "revoked")
    assert "Shown this once:\nspk_" in shapan(home, "key", "create", "radios", "--scope", "positions:write").stdout
    assert ask(home, "key", "revoke", str(made["key_id"]))["revoked"] is True
    with Store(home / "small.duckdb") as store:
        assert KeyRing(store, utc_now).check(text, "incidents:write") == "revoked"


def test_the_log_is_verified_and_exported(home: Path) -> None:
    shapan(home, "user", "add", "boss", "--role", "admin")
    assert ask(home, "audit", "verify")["is_whole"] is True
    rows = list(csv.DictReader(io.StringIO(shapan(home, "audit", "export").stdout)))
    assert [(row["seq"], row["action"]) for row in rows] == [("1", "account"), ("2", "export")]
    exported = ask(home, "audit", "export", "--after", "1")
    assert [row["seq"] for row in exported["rows"]] == [2, 3]  # type: ignore[attr-defined]
    assert exported["head"]["seq"] == 3  # type: ignore[index]
    with Store(home / "small.duckdb") as store:
        store.write(lambda tx: tx.execute("audit_log", "DELETE FROM audit_log WHERE seq = 3"))
    shown = shapan(home, "audit", "verify")
    assert shown.exit_code == 4
    assert "rows 3 to 3 are missing at the end" in shown.stderr
    as_json = shapan(home, "audit", "verify", "--json")
    assert json.loads(as_json.stdout)["first_bad_seq"] == 3
    assert json.loads(as_json.stderr)["error"]["kind"] == "AuditBrokenError"


def test_a_cell_of_the_export_is_no_formula(home: Path) -> None:
    shapan(home, "key", "create", "alarm", "--scope", "incidents:write")
    with Store(home / "small.duckdb") as store:
        store.write(lambda tx: tx.execute("audit_log", "UPDATE audit_log SET reason = '=1+1', address = '@x'"))
    row = next(csv.DictReader(io.StringIO(shapan(home, "audit", "export").stdout)))
    assert (row["reason"], row["address"]) == ("'=1+1", "'@x")


# Through the running server


ROSTER = "呼号,姓名,类别,频道,上岗时间,下岗时间\n东一,王建国,民警,1,08:00,20:00\n东二,李小红,网格员,2,,\n"


def test_lists_of_the_office_from_the_command_line(home: Path, tmp_path: Path) -> None:
    tree, again, roster = tmp_path / "种类.csv", tmp_path / "again.csv", tmp_path / "名册.csv"
    tree.write_text(
        "编码,上级编码,名称,紧急程度\n01,,刑事,一般\n0101,01,'=盗窃,\n02,,@求助,非警务\n0201,02,开锁,\n", "gb18030"
    )
    done = ask(home, "kinds", str(tree))
    assert (done["kinds"], done["new"]) == (4, ["01", "0101", "02", "0201"])
    assert ask(home, "kinds", "--export", str(again)) == {"file": str(again)}
    cells = [cell for row in csv.reader(io.StringIO(again.read_text("utf-8-sig"))) for cell in row]
    assert {"'=盗窃", "'@求助"} <= set(cells)
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")]
    same = ask(home, "kinds", str(again))
    assert (same["new"], same["changed"], same["removed"], same["unchanged"]) == ([], [], [], 4)

    roster.write_text(ROSTER, "utf-8")
    first, second = (ask(home, "responders", str(roster)) for _ in range(2))
    assert (first["new"], second["new"], second["changed"], second["unchanged"]) == (2, 0, 0, 2)
    assert first["columns_not_read"] == ["姓名"]
    with Store(home / "small.duckdb") as store:
        assert not {"王建国", "李小红"} & set(store.read("SELECT * FROM responders").astype(str).to_numpy().ravel())

    tree.write_text("编码,上级编码,名称,紧急程度,到场时限\n01,,刑事,很急,-3\n0101,99,盗窃,,\n", "utf-8")
    roster.write_text("呼号,类别,上岗时间\n东一,民警,25:00\n东一,飞行员,\n", "utf-8")
    for command, file, named in (
        (
            "kinds",
            tree,
            ("line 2, 紧急程度 (urgency) '很急'", "line 2, 到场时限 (target_minutes) '-3'", "line 3, 上级编码"),
        ),
        ("responders", roster, ("line 2, 上岗时间 (duty_from)", "line 3, 类别 (kind)", "line 3, 呼号 (call_sign)")),
    ):
        refused = shapan(home, command, str(file))
        assert refused.exit_code == 4
        assert [words for words in (*named, "nothing was written") if words not in refused.stderr] == []
    assert ask(home, "kinds", str(again))["unchanged"] == 4
    assert shapan(home, "kinds").exit_code == 3


@pytest.fixture
def state(home: Path) -> Iterator[AppState]:
    with Store(home / "small.duckdb", clock=utc_now) as store:
        yield AppState(Runtime(store, Settings(home, "small")), utc_now, SCENES, EventHub(), TOKEN, NOW)


def post(state: AppState, path: str, body: object, *, token: str = TOKEN) -> httpx.Response:
    async def send() -> httpx.Response:
        app = Starlette(routes=build_routes(state, assets=Path(__file__).parent))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return await client.post(f"/api/v1/admin/access/{path}", json=body, headers=headers)

    return run_async(send())


def test_the_server_does_the_same_for_a_command_that_came_in(state: AppState) -> None:
    added = post(state, "user-add", {"name": "w2", "role": "officer"}).json()
    assert added["must_change"] is True
    sessions = Sessions(state.store, state.clock)
    token = sessions.start(get_account(state.store, "w2"))
    assert sessions.find(token) is not None
    assert post(state, "user-disable", {"name": "w2"}).json()["disabled_utc"] is not None
    assert sessions.find(token) is None, "the page that is open ends with the account"
    assert post(state, "audit-verify", {}).json()["is_whole"] is True
    assert post(state, "user-list", {}).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_only_the_token_of_the_ticket_opens_it(state: AppState, operation: str) -> None:
    for token in ("", "another", "the-tokem"):
        assert post(state, operation, {}, token=token).status_code == 401
    assert state.store.read("SELECT seq FROM audit_log").empty


@pytest.mark.parametrize(
    ("operation", "body", "status", "sentence"),
    [
        ("drop-store", {}, 409, "There is no operation 'drop-store'"),
        ("user-add", {}, 409, "Operation 'user-add' wants other arguments: 'role' is missing or wrong"),
        ("user-add", {"name": "x1", "role": "officer", "grids": 7}, 409, "wants other arguments"),
        ("key-create", {"name": "alarm", "scopes": None}, 409, "wants other arguments"),
        ("user-list", [1, 2], 400, "Expected a JSON object of arguments"),
    ],
)
def test_what_the_server_cannot_use(state: AppState, operation: str, body: object, status: int, sentence: str) -> None:
    answer = post(state, operation, body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]["message"]


def test_imports_and_undoing_them_are_in_the_log(state: AppState) -> None:
    from data.importing import ImportOptions, SourceFile

    operations = LocalOperations(state.store, state.clock)
    layer = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"kind": "wall"},
                "geometry": {"type": "LineString", "coordinates": [[120.001, 33.0], [120.002, 33.0]]},
            }
        ],
    }
    report = operations.import_sources(
        [SourceFile("walls.geojson", json.dumps(layer).encode())], ImportOptions(), lambda share, what: None
    )
    operations.undo(None)
    rows = state.store.read("SELECT action, actor, subject_id FROM audit_log ORDER BY seq")
    assert rows.values.tolist() == [
        ["import", "command line", report["batch_id"]],
        ["undo", "command line", report["batch_id"]],
    ]
