"""`shapan import --with-persons`: each refusal names the next command, and nobody is in what it prints or logs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from cli import app
from data.importing import SourceFile
from data.keys import read_key_file, to_key
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from server.admin import build_admin_routes
from server.events import EventHub
from server.state import AppState
from tests.fixtures import persons_files as people
from tests.fixtures.loops import run_async
from tests.fixtures.serving import ServerProcess
from tests.integration.import_support import NOW, clock, table
from tests.integration.test_import_persons import find_canaries

CLEAN = dict.fromkeys(("SHAPAN_STORE", "SHAPAN_KEY", "SHAPAN_KEY_FILE", "SHAPAN_BACKUPS"), "")
PERSONS = ("import", "files", "--with-persons", "--store", "place", "--json")


def write(folder: Path, sources: list[SourceFile]) -> Path:
    folder.mkdir()
    for source in sources:
        (folder / source.name).write_bytes(source.data)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write(folder / "map", people.the_map())
    write(folder / "files", people.registers())
    write(folder / "wrong", [people.occupants([(people.ADULT, people.WRONG_ID, "", "1幢101室", "", "", "")])])
    return folder


def shapan(home: Path, *arguments: str, said: str | None = None) -> Result:
    """One command in this process; paths of files are under `home`."""
    given = [str(home / a) if a in ("files", "map", "wrong", "key") else a for a in arguments]
    key = {"SHAPAN_KEY_FILE": str(home / "key")} if (home / "key").exists() else {}
    environ = {**CLEAN, "SHAPAN_HOME": str(home), **key}
    return CliRunner().invoke(app, given, input=said, prog_name="shapan", env=environ)


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ServerProcess]:
    """The server of a store that came to take persons by doing what each refusal said."""

    def refusal() -> str:
        shown = shapan(home, *PERSONS)
        assert shown.exit_code == 3, shown.stdout
        message = str(json.loads(shown.stderr)["error"]["message"])
        assert find_canaries(shown.stdout + shown.stderr) == []
        assert message.count(". ") == 0  # one sentence
        return message

    assert "shapan import FOLDER --drop-persons --store place" in refusal()
    made = shapan(home, "import", "map", "--store", "place", "--name", "三幢村")
    assert made.exit_code == 0, made.stderr
    assert "shapan encrypt --store place" in refusal()
    encrypted = shapan(home, "encrypt", "--store", "place", "--new-key-file", "key")
    assert encrypted.exit_code == 0, encrypted.stderr
    assert "shapan user add NAME --role admin --store place" in refusal()
    added = shapan(
        home,
        "user",
        "add",
        "chief",
        "--role",
        "admin",
        "--store",
        "place",
        "--password-stdin",
        said="a first password\n",
    )
    assert added.exit_code == 0, added.stderr
    with ServerProcess(home, "place", environ={"SHAPAN_KEY_FILE": str(home / "key")}) as running:
        yield running


def test_nobody_is_in_what_an_import_through_the_server_prints_logs_or_leaves(
    home: Path, server: ServerProcess
) -> None:
    wrong = shapan(home, "import", "wrong", "--with-persons", "--store", "place", "--json")
    assert wrong.exit_code != 0
    assert "row 2" in wrong.stderr
    unsaid = shapan(home, "import", "files", "--store", "place")
    assert "--with-persons" in unsaid.stderr
    done = shapan(home, *PERSONS)
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["tables"]["occupants"]["new"] == 2
    again = shapan(home, *PERSONS)
    assert json.loads(again.stdout)["nothing_new"] is True
    audit = shapan(home, "audit", "export", "--store", "place", "--json")
    assert audit.exit_code == 0, audit.stderr
    printed = "".join(one.stdout + one.stderr for one in (wrong, unsaid, done, again, audit))
    assert find_canaries(printed) == []
    server.stop()
    with Store(home / "place.duckdb", key=read_key_file(home / "key")) as store:
        assert len(store.read("SELECT * FROM occupants")) == 2
        assert find_canaries(str(store.read("SELECT * FROM audit_log").to_dict())) == []
        assert store.read("SELECT count(*) AS n FROM audit_log WHERE action = 'import'")["n"].iloc[0] == 2
    brought = {home / "files", home / "wrong", home / "map"}
    left = [path for path in home.rglob("*") if path.is_file() and path.parent not in brought]
    assert [path.name for path in left if path.suffix in (".duckdb", ".jsonl", ".log")]
    for path in left:
        held = path.read_bytes()
        found = [c for c in people.CANARIES for e in ("utf-8", "gb18030") if c.encode(e) in held]
        assert found == [], path.name


def test_an_upload_is_never_put_into_a_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a mebibyte too, which the form's parser would put on the disk in clear."""
    spilled = []
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda self: spilled.append(self))
    large = table("人口.csv", "姓名,居住地址,备注\n" + f"{people.ADULT},1幢101室,{'长' * 1000}\n" * 500)
    assert len(large.data) > 1 << 20
    with Store(tmp_path / "place.duckdb", clock=clock, key=to_key("a key of this test")) as store:
        runtime = Runtime(store, Settings(tmp_path, "place"), lambda cookies: None)
        routes = build_admin_routes(AppState(runtime, clock, {}, EventHub(), "token", NOW))

        async def post() -> httpx.Response:
            transport = httpx.ASGITransport(Starlette(routes=routes))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post(
                    "/api/v1/admin/import",
                    headers={"Authorization": "Bearer token"},
                    files={"source": (large.name, large.data, "text/csv")},
                    data={"options": '{"with_persons": true}'},
                )

        answer = run_async(post())
    assert answer.status_code == 200
    assert "takes no person" in answer.text
    assert spilled == []
