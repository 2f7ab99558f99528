"""The command line: its exit codes and what it prints."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from data.store import Store
from tests.fixtures.serving import run_shapan

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
ANYWHERE = "0.0.0.0"  # noqa: S104 - asked for, to be refused
COMMANDS = ("serve", "demo", "import", "undo", "info")
INFO_KEYS = {
    # as issue "The sand table stands" lists them
    *("synthetic", "crs", "area_km2", "grids", "residents", "floating_residents", "grid_workers_full_time"),
    *("grid_workers_part_time", "buildings", "units", "rentals", "suspected_group_rentals", "key_sites", "responders"),
    *("incidents", "roads_km", "schema_version", "revision"),
}


def shapan(home: Path, *arguments: str) -> Result:
    """One command, in this process: starting another for each takes seconds."""
    return CliRunner().invoke(app, arguments, prog_name="shapan", env={"SHAPAN_HOME": str(home), "SHAPAN_STORE": ""})


def make_store(home: Path, name: str, *, synthetic: bool) -> Path:
    """A store with a community of 200 m by 100 m and nothing in it."""
    path = home / f"{name}.duckdb"
    with Store(path, clock=lambda: NOW) as store:
        store.write(
            lambda tx: tx.execute(
                "community",
                "INSERT INTO community (community_id, name, crs, synthetic, seed, boundary, boundary_source) "
                "VALUES ('c', '试验村', 'EPSG:4549', ?, ?, ST_MakeEnvelope(500000, 3600000, 500200, 3600100), 'file')",
                [synthetic, 3 if synthetic else None],
            )
        )
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real place, a sample and a file that is no store."""
    folder = tmp_path_factory.mktemp("home")
    make_store(folder, "small", synthetic=False)
    make_store(folder, "made", synthetic=True)
    (folder / "broken.duckdb").write_bytes(b"this is not a database" * 1000)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(tmp_path: Path, command: str) -> None:
    shown = shapan(tmp_path, command, "--help")
    assert shown.exit_code == 0
    assert f"Example: shapan {command}" in shown.stdout
    assert "--store" in shown.stdout
    assert "--json" in shown.stdout


def test_help_lists_every_command_and_loads_nothing_slow(tmp_path: Path) -> None:
    run_shapan(tmp_path, "--help")
    start = time.monotonic()
    shown = run_shapan(tmp_path, "--help")
    took_s = time.monotonic() - start
    assert [command for command in COMMANDS if f"  {command} " not in shown.stdout] == []
    assert took_s < 3  # 0.15 s alone; with pandas or Streamlit it would be 1 to 4 s before any load of the machine


def test_info_prints_at_least_what_was_promised(home: Path) -> None:
    shown = shapan(home, "info", "--store", "small", "--json")
    assert shown.exit_code == 0, shown.stderr
    info = json.loads(shown.stdout)
    assert info.keys() >= INFO_KEYS
    assert (info["synthetic"], info["crs"], info["area_km2"]) == (False, "EPSG:4549", 0.02)  # 200 m x 100 m


def test_info_for_a_reader_names_every_figure(home: Path) -> None:
    shown = shapan(home, "info", "--store", "small").stdout
    assert [key for key in sorted(INFO_KEYS) if f"\n{key} " not in f"\n{shown}"] == []
    assert "试验村" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "sentence"),
    [
        (["info", "--store", "none"], 5, "StoreMissingError", "There is no store 'none'"),
        (["undo", "--store", "none"], 5, "StoreMissingError", "There is no store 'none'"),
        (["serve", "--store", "none", "--port", "0"], 5, "StoreMissingError", "There is no store 'none'"),
        (["info", "--store", "../x"], 3, "RefusedError", "Store name '../x' cannot be used"),
        (["serve", "--store", "small", "--address", ANYWHERE], 3, "RefusedError", "Address '0.0.0.0' is refused"),
        (["serve", "--store", "small", "--address", "10.1.2.3"], 3, "RefusedError", "Address '10.1.2.3' is refused"),
        (["serve", "--store", "small", "--address", "::"], 3, "RefusedError", "Address '::' is refused"),
        (["demo", "--store", "small"], 3, "RefusedError", "Store 'small' holds a real place, 试验村"),
        (["demo", "--store", "small", "--force"], 3, "RefusedError", "Store 'small' holds a real place, 试验村"),
        (["demo", "--store", "made"], 3, "RefusedError", "Store 'made' holds the sample of seed 3, not 7"),
        (["info", "--store", "broken"], 4, "BadFileError", ""),
        (["import", "nowhere", "--store", "new"], 4, "BadFileError", "nowhere: there is no such file or folder"),
    ],
)
def test_errors_are_one_sentence_and_a_code(
    home: Path, arguments: list[str], code: int, kind: str, sentence: str
) -> None:
    shown = shapan(home, *arguments)
    assert shown.exit_code == code
    assert shown.stdout == ""
    assert shown.stderr.startswith(f"shapan: {sentence}")
    assert len(shown.stderr.splitlines()) == 1
    as_json = shapan(home, *arguments, "--json")
    error = json.loads(as_json.stderr)["error"]
    assert (as_json.exit_code, error["kind"], error["exit_code"]) == (code, kind, code)
    assert error["message"].startswith(sentence)
    assert not (home / "new.duckdb").exists()


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "99999"], ["import"], ["import", "x", "--kind", "a"]]
)
def test_wrong_usage_is_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert shapan(tmp_path, *arguments).exit_code == 2


def test_a_file_of_a_newer_program_is_code_6(tmp_path: Path) -> None:
    path = make_store(tmp_path, "small", synthetic=False)
    with Store(path, clock=lambda: NOW) as store:
        store.write(
            lambda tx: tx.execute("schema_migrations", "INSERT INTO schema_migrations VALUES (9999, 'later', now())")
        )
    shown = shapan(tmp_path, "info", "--store", "small")
    assert (shown.exit_code, len(shown.stderr.splitlines())) == (6, 1)


def test_a_port_that_is_not_a_number_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data.settings import build_settings
    from gis.errors import RefusedError

    with pytest.raises(RefusedError, match=r"SHAPAN_PORT is 'many': expected a number from 0 to 65535"):
        build_settings({"SHAPAN_PORT": "many", "SHAPAN_HOME": str(tmp_path)})


def test_a_sample_that_is_there_stays(home: Path) -> None:
    before = (home / "made.duckdb").read_bytes()
    shown = shapan(home, "demo", "--store", "made", "--seed", "3", "--json")
    assert shown.exit_code == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert (report["created"], report["synthetic"], report["seed"]) == (False, True, 3)
    assert (home / "made.duckdb").read_bytes() == before
