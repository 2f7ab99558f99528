"""`shapan serve --lan` where it cannot be served: one sentence, the right exit code, and nothing started."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.administrator import add_administrator
from tests.integration.test_cli import make_store, shapan

FREE = ("--port", "0", "--https-port", "0", "--http-port", "0")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real place and a sample without an administrator, and a sample with one."""
    folder = tmp_path_factory.mktemp("home")
    make_store(folder, "real", synthetic=False)
    make_store(folder, "made", synthetic=True)
    add_administrator(make_store(folder, "ready", synthetic=True))
    return folder


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on, at every address."""
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))  # noqa: S104 - so that ours meets it
        other.listen()
        yield int(other.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--store", "real", *FREE], "A real store needs an administrator first, and 'real' has none"),
        (["--store", "real", "--lan", *FREE], "shapan user add NAME --role admin --store real"),
        (["--store", "made", "--lan", *FREE], "Without sign-in the sample is shown on this machine only"),
        (["--store", "ready", "--lan", "--address", "203.0.113.7", *FREE], "203.0.113.7 is not one of this machine's"),
        (["--store", "ready", "--lan", "--name", "a b", *FREE], "'a b' cannot be this server's name"),
        (["--store", "ready", "--lan", "--address", "pc.lan", *FREE], "'pc.lan' is not an address"),
        (["--store", "ready", "--name", "pc.lan", *FREE], "give --lan with it"),
        (["--store", "ready", "--address", "10.1.2.3", *FREE], "shapan serve --lan"),
    ],
)
def test_what_is_refused_says_the_way_out(home: Path, arguments: list[str], sentence: str) -> None:
    shown = shapan(home, "serve", *arguments)
    assert shown.exit_code == 3
    assert sentence in shown.stderr
    assert len(shown.stderr.splitlines()) == 1
    assert not list(home.glob("*.server.json"))
    assert not (home / "ca").exists()


@pytest.mark.parametrize("option", ["--https-port", "--http-port"])
def test_a_taken_port_names_its_option(home: Path, taken: int, option: str) -> None:
    ports = dict(zip(FREE[2::2], FREE[3::2], strict=True)) | {option: str(taken)}
    options = [text for pair in ports.items() for text in pair]
    shown = shapan(home, "serve", "--store", "ready", "--lan", "--port", "0", *options)
    assert shown.exit_code == 7
    assert f"shapan serve {option} {taken + 1}" in shown.stderr
