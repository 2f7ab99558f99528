"""`shapan import` and `shapan undo`, on the file itself and through a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.administrator import add_administrator
from tests.fixtures.serving import ServerProcess, run_shapan
from tests.integration.test_cli import make_store, shapan

# Two houses 20 m wide near Hefei, WGS 84.
HOUSES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": f"{number}幢", "height": 18},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 31.77], [x + 0.0002, 31.77], [x + 0.0002, 31.7701], [x, 31.7701], [x, 31.77]]],
            },
        }
        for number, x in ((1, 117.19), (2, 117.191))
    ],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "files").mkdir()
    (folder / "files" / "buildings.geojson").write_text(json.dumps(HOUSES, ensure_ascii=False), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[ServerProcess]:
    """The server of store `place`, which an import of `files` made."""
    made = shapan(home, "import", str(home / "files"), "--store", "place", "--name", "两幢村", "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["tables"]["buildings"]["new"] == 2
    refused = shapan(home, "serve", "--store", "place", "--port", "0")
    assert refused.exit_code == 3
    assert "A real store needs an administrator first" in refused.stderr
    assert "shapan user add NAME --role admin --store place" in refused.stderr
    add_administrator(home / "place.duckdb")
    with ServerProcess(home, "place") as running:
        yield running


def count_buildings(home: Path) -> int:
    shown = shapan(home, "info", "--store", "place", "--json")
    assert shown.exit_code == 0, shown.stderr
    return int(json.loads(shown.stdout)["buildings"])


def test_a_real_place_is_not_called_synthetic(server: ServerProcess) -> None:
    assert "SYNTHETIC" not in server.log


def test_importing_again_through_the_server_changes_nothing(server: ServerProcess) -> None:
    again = run_shapan(server.home, "import", "files", "--store", "place", "--name", "两幢村", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["nothing_new"] is True
    assert count_buildings(server.home) == 2


def test_import_and_undo_through_the_server(server: ServerProcess, tmp_path: Path) -> None:
    third = json.loads(json.dumps(HOUSES).replace("117.19,", "117.192,"))
    third["features"] = third["features"][:1]
    third["features"][0]["properties"]["name"] = "3幢"
    third["features"][0]["geometry"]["coordinates"] = [
        [[x + 0.002, y] for x, y in HOUSES["features"][0]["geometry"]["coordinates"][0]]  # type: ignore[index]
    ]
    path = tmp_path / "third_buildings.geojson"
    path.write_text(json.dumps(third, ensure_ascii=False), encoding="utf-8")
    shown = shapan(server.home, "import", str(path), "--store", "place")
    assert shown.exit_code == 0, shown.stderr
    assert "third_buildings.geojson: 1 records as building" in shown.stdout
    assert "`shapan undo` takes it back" in shown.stdout
    assert count_buildings(server.home) == 3
    undone = shapan(server.home, "undo", "--store", "place")
    assert undone.exit_code == 0, undone.stderr
    assert "is taken back" in undone.stdout
    assert count_buildings(server.home) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "sentence"),
    [
        (["import", "{bare}"], 4, "BadFileError", "Nothing usable among notes.csv"),
        (["import", "{empty}"], 4, "BadFileError", "the file is empty"),
        (["undo", "import-9999"], 5, "RecordMissingError", "There is no import 'import-9999'"),
    ],
)
def test_errors_are_the_same_through_the_server_and_without(
    server: ServerProcess, tmp_path: Path, arguments: list[str], code: int, kind: str, sentence: str
) -> None:
    empty = tmp_path / "buildings.geojson"
    empty.write_bytes(b"")
    bare = tmp_path / "notes.csv"
    bare.write_text("a,b\n1,2\n", encoding="utf-8")
    given = [argument.format(bare=bare, empty=empty) for argument in arguments]
    errors = []
    for store in ("place", "copy"):
        if store == "copy":
            shapan(server.home, "import", str(server.home / "files"), "--store", "copy", "--name", "两幢村")
        shown = shapan(server.home, *given, "--store", store, "--json")
        assert shown.exit_code == code, (shown.stdout, shown.stderr)
        errors.append(json.loads(shown.stderr)["error"])
    assert [error["kind"] for error in errors] == [kind, kind]
    assert [error["message"] for error in errors if sentence not in error["message"]] == []


def test_a_failed_first_import_leaves_no_store(home: Path, tmp_path: Path) -> None:
    (tmp_path / "buildings.geojson").write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    shown = shapan(home, "import", str(tmp_path), "--store", "never")
    assert shown.exit_code == 4
    assert not (home / "never.duckdb").exists()


def test_a_sample_takes_no_real_files(home: Path) -> None:
    make_store(home, "made", synthetic=True)
    shown = shapan(home, "import", str(home / "files"), "--store", "made")
    assert shown.exit_code == 3
    assert "--store" in shown.stderr
