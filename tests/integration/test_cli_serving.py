"""`shapan serve` and the commands that go through it while it runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.fixtures.serving import ServerProcess, run_shapan
from tests.integration.test_cli import make_store


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    make_store(folder, "small", synthetic=True)
    return folder


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ServerProcess]:
    model = home / "model"  # it cannot be drawn here, which the start says
    model.mkdir()
    (model / "tileset.json").write_text('{"extensionsRequired": ["3DTILES_draco_point_compression"]}')
    with ServerProcess(home, "small", environ={"SHAPAN_MODEL": str(model)}) as running:
        yield running


def test_says_where_it_is_and_that_the_data_are_made_up(server: ServerProcess) -> None:
    assert f"store 'small' at {server.url}/" in server.log
    assert "SYNTHETIC DATA 虚构数据" in server.log
    assert "The photographic model is not shown. The model's file tileset.json uses Draco" in server.log


def test_listens_on_loopback_only(server: ServerProcess) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_opens_no_connection_to_anybody(server: ServerProcess) -> None:
    httpx.get(f"{server.url}/", trust_env=False).raise_for_status()
    remote = {c.raddr.ip for c in psutil.Process(server.process.pid).net_connections("inet") if c.raddr}
    assert remote <= {"127.0.0.1"}


def test_pages_answer_with_the_policy(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/", trust_env=False)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


def test_streamlits_own_addresses_are_guarded_too(server: ServerProcess) -> None:
    answer = httpx.get(f"{server.url}/_stcore/health", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_no_other_page_may_open_streamlits_websocket(server: ServerProcess, origin: str) -> None:
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    with pytest.raises(InvalidStatus, match="403"), connect(address, origin=Origin(origin), proxy=None):
        pass
    with connect(address, origin=Origin(server.url), proxy=None) as own:
        assert own.protocol.state.name == "OPEN"


def test_ticket_is_for_its_owner_only(server: ServerProcess) -> None:
    path = server.home / "small.server.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.ticket["pid"] == server.process.pid
    assert len(str(server.ticket["token"])) >= 32


def test_info_goes_through_the_server(server: ServerProcess) -> None:
    shown = run_shapan(server.home, "info", "--store", "small", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["name"] == "试验村"


def test_errors_keep_their_kind_and_code_through_the_server(server: ServerProcess) -> None:
    shown = run_shapan(server.home, "demo", "--store", "small", "--force", "--json")
    assert shown.returncode == 3
    assert "is being served. Stop the server first" in json.loads(shown.stderr)["error"]["message"]


def test_serving_twice_names_the_server_that_runs(server: ServerProcess) -> None:
    shown = run_shapan(server.home, "serve", "--store", "small", "--json")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert (report["already_running"], report["pid"]) == (True, server.process.pid)
    assert report["url"] == f"{server.url}/"


def test_a_port_that_is_taken_is_named_with_the_way_out(home: Path) -> None:
    make_store(home, "other", synthetic=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = run_shapan(home, "serve", "--store", "other", "--port", str(port))
    assert shown.returncode == 7
    assert f"Port {port} on 127.0.0.1 is taken by another program" in shown.stderr
    assert "--port" in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


def _has_ipv6_loopback() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


LOOPBACK = "::1" if _has_ipv6_loopback() else "localhost"


@pytest.mark.parametrize(
    ("with_signal", "arguments", "shown"),
    [
        (signal.SIGTERM, ["--kiosk"], "/?kiosk=1"),
        (signal.SIGINT, ["--address", LOOPBACK], "http://[::1]:" if LOOPBACK == "::1" else "http://localhost:"),
    ],
)
def test_a_stop_closes_the_store_and_takes_the_ticket_away(
    home: Path, with_signal: signal.Signals, arguments: list[str], shown: str
) -> None:
    name = f"stop-{with_signal.name.lower()}"
    make_store(home, name, synthetic=True)
    with ServerProcess(home, name, *arguments) as running:
        with httpx.stream("GET", f"{running.url}/events", trust_env=False) as stream:
            assert next(stream.iter_lines()) == "retry: 1000"
            assert running.stop(with_signal=with_signal) == 0
        assert shown in running.log
        assert "Traceback" not in running.log
    assert not (home / f"{name}.server.json").exists()
    assert not (home / f"{name}.duckdb.wal").exists()
    assert run_shapan(home, "info", "--store", name).returncode == 0


def test_a_killed_server_leaves_nothing_that_stands_in_the_way(home: Path) -> None:
    make_store(home, "killed", synthetic=True)
    with ServerProcess(home, "killed") as running:
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(10)
    assert (home / "killed.server.json").exists()
    assert run_shapan(home, "info", "--store", "killed").returncode == 0
    with ServerProcess(home, "killed") as again:
        assert again.ticket["token"] != running.ticket["token"]
