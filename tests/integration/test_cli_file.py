"""Commands that keep a store, as a person runs them: while nobody serves it, and while a server does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli import app
from data.backup_files import find_backups
from data.keys import read_key_file, to_key
from data.store import Store
from tests.fixtures.administrator import add_administrator
from tests.fixtures.serving import build_environment
from tests.fixtures.small_community import found
from tests.fixtures.stores import add_alias, count_aliases

KEY = "a key for the test"


# Nothing of whoever runs the tests.
CLEAN = dict.fromkeys(("SHAPAN_STORE", "SHAPAN_KEY", "SHAPAN_KEY_FILE", "SHAPAN_BACKUPS"), "")


def shapan(home: Path, *arguments: str, **environ: str) -> Result:
    """One command, in this process: starting another for each takes seconds."""
    environment = {**CLEAN, "SHAPAN_HOME": str(home), **environ}
    return CliRunner().invoke(app, arguments, prog_name="shapan", env=environment)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a plain store of a real place."""
    with Store(tmp_path / "place.duckdb") as store:
        found(store)
        store.write(lambda t: add_alias(t, "a"))
    return tmp_path


def test_backup_dry_run_and_restore(home: Path) -> None:
    made = shapan(home, "backup", "--store", "place", "--json")
    assert made.exit_code == 0, made.stderr
    report = json.loads(made.stdout)
    assert (report["encrypted"], report["rows"]["aliases"], report["kept"]) == (False, 1, 1)
    assert "in clear" in made.stderr
    assert find_backups(home / "backups", "place") == [Path(report["file"])]

    with Store(home / "place.duckdb") as store:
        store.write(lambda t: add_alias(t, "b"))
    before = (home / "place.duckdb").read_bytes()
    asked = shapan(home, "restore", report["file"], "--store", "place", "--dry-run")
    assert asked.exit_code == 0, asked.stderr
    for said in ("小村 (a real place)", "in clear", "Would replace", "Nothing was done"):
        assert said in asked.stdout
    assert (home / "place.duckdb").read_bytes() == before

    done = shapan(home, "restore", report["file"], "--store", "place")
    assert done.exit_code == 0, done.stderr
    assert "set aside: " in done.stdout
    assert "as they were on that day" in done.stdout
    with Store(home / "place.duckdb") as store:
        assert count_aliases(store) == 1
    other = shapan(home, "restore", report["file"], "--store", "copy", "--json")
    assert json.loads(other.stdout)["replaces"] is None
    with Store(home / "copy.duckdb") as store:
        assert store.read("SELECT action FROM audit_log ORDER BY seq")["action"].iloc[-1] == "restore"


def test_backups_go_where_they_are_told(home: Path) -> None:
    folder = home / "disk"
    assert shapan(home, "backup", "--store", "place", SHAPAN_BACKUPS=str(folder)).exit_code == 0
    assert shapan(home, "backup", "--store", "place", "--to", str(folder), "--keep", "1").exit_code == 0
    assert len(find_backups(folder, "place")) == 1
    assert not (home / "backups").exists()
    (home / "file").write_text("")
    refused = shapan(home, "backup", "--store", "place", "--to", str(home / "file"))
    assert refused.exit_code == 1
    assert "'place' was not backed up" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_store_is_encrypted_and_given_another_key(home: Path) -> None:
    first, second = home / "keys" / "first.key", home / "second.key"
    done = shapan(home, "backup", "--store", "place")
    done = shapan(home, "encrypt", "--store", "place", "--new-key-file", str(first))
    assert done.exit_code == 0, done.stderr
    assert f"Key made: {first}" in done.stdout
    assert "STILL IN CLEAR: " in done.stdout  # the backup from before
    assert first.stat().st_mode & 0o077 == 0
    assert len(first.read_text().strip()) >= 43  # 256 bits in base64
    with Store(home / "place.duckdb", key=read_key_file(first)) as store:
        assert count_aliases(store) == 1

    again = shapan(home, "encrypt", "--store", "place", "--new-key-file", str(first))
    assert (again.exit_code, "encrypted already" in again.stderr) == (3, True)
    second.write_text("the second key of this test\n")
    second.chmod(0o600)
    rekey = ("rekey", "--store", "place", "--new-key-file", str(second))
    for environ, said in (({}, "no key was given"), ({"SHAPAN_KEY": "wrong"}, "not with the key that was given")):
        refused = shapan(home, *rekey, **environ)
        assert (refused.exit_code, said in refused.stderr) == (3, True)
    done = shapan(home, *rekey, SHAPAN_KEY_FILE=str(first))
    assert done.exit_code == 0, done.stderr
    assert f"Key taken: {second}" in done.stdout
    shown = shapan(home, "info", "--store", "place", "--json", SHAPAN_KEY="the second key of this test")
    assert json.loads(shown.stdout)["encrypted"] is True
    assert shapan(home, "rekey", "--store", "none").exit_code == 5


def test_info_says_that_a_real_place_is_not_encrypted(home: Path) -> None:
    assert "is not encrypted: see shapan encrypt" in shapan(home, "info", "--store", "place").stderr


def test_a_new_store_takes_the_key_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "buildings.geojson").write_text(
        '{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:4549"}}, "features": ['
        '{"type": "Feature", "properties": {"id": "b1", "height": 18}, "geometry": {"type": "Polygon", "coordinates": '
        "[[[500000, 3700000], [500020, 3700000], [500020, 3700010], [500000, 3700010], [500000, 3700000]]]}}]}"
    )
    done = shapan(
        tmp_path,
        "import",
        str(tmp_path / "buildings.geojson"),
        "--store",
        "new",
        "--name",
        "x",
        "--crs",
        "EPSG:4549",
        SHAPAN_KEY=KEY,
    )
    assert done.exit_code == 0, done.stderr
    with Store(tmp_path / "new.duckdb", key=to_key(KEY)) as store:
        assert store.is_encrypted


@pytest.mark.parametrize(
    ("environ", "content", "said"),
    [
        ({"SHAPAN_KEY": "x", "SHAPAN_KEY_FILE": "HOME/k"}, "", "both set"),
        ({"SHAPAN_KEY_FILE": "/none"}, "", "cannot be read: No such file"),
        ({"SHAPAN_KEY_FILE": "HOME/k"}, "  \n", "is empty"),
        ({"SHAPAN_KEY_FILE": "HOME/k"}, "open to all", "can be read by others"),
    ],
)
def test_a_key_that_cannot_be_taken_is_named(tmp_path: Path, environ: dict[str, str], content: str, said: str) -> None:
    Store(tmp_path / "place.duckdb", key=to_key(KEY)).close()
    file = tmp_path / "k"
    file.write_text(content)
    file.chmod(0o644 if "others" in said else 0o600)
    environ = {name: value.replace("HOME", str(tmp_path)) for name, value in environ.items()}
    refused = shapan(tmp_path, "info", "--store", "place", **environ)
    assert refused.exit_code == 3
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


# With a server


def test_a_served_store_is_backed_up_through_its_server_and_after_a_night_that_was_missed(home: Path) -> None:
    """Encrypted, with an administrator; its newest backup is two days old when the server starts."""
    key_file, folder = home / "place.key", home / "backups"
    assert shapan(home, "backup", "--store", "place").exit_code == 0
    [old] = find_backups(folder, "place")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    add_administrator(home / "place.duckdb")
    assert shapan(home, "encrypt", "--store", "place", "--new-key-file", str(key_file)).exit_code == 0
    environ = {"SHAPAN_KEY_FILE": str(key_file)}
    log = (home / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--store", "place", "--port", "0"],
        cwd=home,
        env={**build_environment(home), **environ},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        end = time.monotonic() + 90
        while len(find_backups(folder, "place")) < 2:
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < end, (home / "log").read_text()
            time.sleep(0.05)
        while True:  # the ticket is written when the server is ready
            try:
                ticket = json.loads((home / "place.server.json").read_text())
                httpx.get(f"{ticket['url']}/health", trust_env=False).raise_for_status()
                break
            except (OSError, ValueError, httpx.HTTPError):
                assert time.monotonic() < end
                time.sleep(0.05)
        made = shapan(
            home, "backup", "--store", "place", "--to", str(home / "disk"), "--json"
        )  # needs no key: the server has it
        assert made.exit_code == 0, made.stderr
        report = json.loads(made.stdout)
        assert report["encrypted"]
        assert Path(report["file"]).parent == home / "disk"
        for command in (("restore", report["file"]), ("encrypt",), ("rekey",)):
            refused = shapan(home, *command, "--store", "place", **environ)
            assert (refused.exit_code, "is being served by process" in refused.stderr) == (5, True)
        assert shapan(home, "restore", report["file"], "--store", "place", "--dry-run", **environ).exit_code == 0
        refused = shapan(home, "backup", "--store", "place", "--to", str(key_file))
        assert (refused.exit_code, "was not backed up" in refused.stderr) == (1, True)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        log.close()
    assert code == 0, (home / "log").read_text()
    with Store(home / "place.duckdb", key=read_key_file(key_file)) as store:
        logged = store.read("SELECT actor, detail FROM audit_log WHERE action = 'backup' ORDER BY seq")
    assert logged["actor"].tolist() == ["command line", "server", "command line"]
    assert "Traceback" not in (home / "log").read_text()
