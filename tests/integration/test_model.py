"""
The photographic model's folder: what lies in it is given, nothing beside it, however the address is written, and
nothing whose decoder the browser would fetch from another host.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.model_files import check_model, find_model_problem, find_problem
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store, utc_now
from gis.errors import BadFileError
from layers import SCENES
from server.events import EventHub
from server.model import build_model_routes, find_file
from server.state import AppState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model with a tile below, a secret beside it, a link out of it and one within."""
    model = tmp_path / "model"
    (model / "data").mkdir(parents=True)
    (model / "tileset.json").write_text("{}")
    (model / "data" / "a.b3dm").write_bytes(b"b3dm")
    (model / "notes.txt").write_text("not a model's file")
    (tmp_path / "secret.json").write_text("{}")
    (model / "out.json").symlink_to(tmp_path / "secret.json")
    (model / "in.json").symlink_to(model / "tileset.json")
    (model / "loop.json").symlink_to(model / "loop.json")
    return model


def test_files_of_a_model_are_given(folder: Path) -> None:
    assert find_file(folder, "tileset.json") == folder / "tileset.json"
    assert find_file(folder, "data/a.b3dm") == folder / "data" / "a.b3dm"
    assert find_file(folder, "in.json") == folder / "tileset.json"


@pytest.mark.parametrize(
    "path",
    [
        "../secret.json", "data/../../secret.json", "/etc/passwd", "//etc/hosts.json", "..\\secret.json", "out.json",
        "loop.json", "notes.txt", "data", "", ".", "missing.json", "tileset.json\x00.png", "a" * 5000 + ".json",
    ],
)  # fmt: skip
def test_nothing_else_is(folder: Path, path: str) -> None:
    assert find_file(folder, path) is None


def test_without_a_model_there_is_nothing() -> None:
    assert find_file(None, "tileset.json") is None


# What cannot be drawn without the internet. Headers as in OGC 22-025r4 (3D Tiles 1.1) and glTF 2.0, written by hand.


def build_glb(said: dict[str, Any]) -> bytes:
    text = json.dumps({"asset": {"version": "2.0"}, **said}).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<4sII", b"glTF", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON") + text


def build_b3dm(glb: bytes) -> bytes:
    table = b'{"BATCH_LENGTH":0}  '
    return struct.pack("<4sIIIIII", b"b3dm", 1, 28 + len(table) + len(glb), len(table), 0, 0, 0) + table + glb


def build_i3dm(inner: bytes, *, embedded: bool) -> bytes:
    return struct.pack("<4sIIIIIII", b"i3dm", 1, 32 + len(inner), 0, 0, 0, 0, int(embedded)) + inner


def build_pnts(table: dict[str, Any]) -> bytes:
    text = json.dumps(table).encode()
    return struct.pack("<4sIIIIII", b"pnts", 1, 28 + len(text), len(text), 0, 0, 0) + text


def build_cmpt(*tiles: bytes) -> bytes:
    inner = b"".join(tiles)
    return struct.pack("<4sIII", b"cmpt", 1, 16 + len(inner), len(tiles)) + inner


PLAIN = build_glb({"images": [{"uri": "roof.jpg"}, {"uri": "data:image/png;base64,AA"}]})
DRACO = build_glb({"extensionsRequired": ["KHR_draco_mesh_compression"]})
CONTENT = {"root": {"content": {"uri": "a.b3dm"}, "children": [{"content": {"url": "tiles/b.glb"}}]}}


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("tileset.json", json.dumps(CONTENT).encode(), None),
        ("a.b3dm", build_b3dm(PLAIN), None),
        ("a.i3dm", build_i3dm(b"tree.glb", embedded=False), None),
        ("a.pnts", build_pnts({"POINTS_LENGTH": 0}), None),
        ("a.jpg", b"\xff\xd8", None),
        ("a.glb", DRACO, "uses Draco"),
        ("a.b3dm", build_b3dm(DRACO), "uses Draco"),
        ("a.i3dm", build_i3dm(DRACO, embedded=True), "uses Draco"),
        ("a.cmpt", build_cmpt(build_b3dm(PLAIN), build_b3dm(DRACO)), "uses Draco"),
        ("a.pnts", build_pnts({"extensions": {"3DTILES_draco_point_compression": {}}}), "uses Draco"),
        ("a.glb", build_glb({"meshes": [{"extensions": {"KHR_draco_mesh_compression": {}}}]}), "uses Draco"),
        ("a.gltf", json.dumps({"extensionsUsed": ["KHR_texture_basisu"]}).encode(), "uses Basis/KTX2"),
        ("a.glb", build_glb({"images": [{"mimeType": "image/ktx2", "bufferView": 0}]}), "uses Basis/KTX2"),
        ("a.ktx2", b"\xabKTX 20\xbb", "is a KTX2 texture"),
        ("a.glb", build_glb({"extensionsRequired": ["EXT_meshopt_compression"]}), "uses meshopt"),
        ("tileset.json", json.dumps({"extensions": {"3DTILES_content_gltf": {"extensionsRequired":
            ["KHR_draco_mesh_compression"]}}}).encode(), "uses Draco"),
        ("tileset.json", b'{"root": {"content": {"uri": "https://tiles.example/a.b3dm"}}}', "on another host"),
        ("a.glb", build_glb({"buffers": [{"uri": "//tiles.example/a.bin"}]}), "on another host"),
        ("a.i3dm", build_i3dm(b"http://tiles.example/tree.glb", embedded=False), "on another host"),
        ("a.b3dm", b"b3dm", "cannot be read"),
        ("tileset.json", b"{", "cannot be read"),
    ],
)  # fmt: skip
def test_what_needs_the_internet_is_told_by_its_header(
    tmp_path: Path, name: str, content: bytes, why: str | None
) -> None:
    (tmp_path / name).write_bytes(content)
    said = find_problem(tmp_path / name)
    assert said is None if why is None else why in str(said)


def test_a_folder_that_cannot_be_drawn_is_refused_when_it_is_mounted(tmp_path: Path) -> None:
    """With a sentence that the start says (test_cli_serving.py); a model that can be drawn says nothing."""
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(BadFileError, match=r"has no tileset\.json"):
        check_model(model)
    (model / "tileset.json").write_text(json.dumps(CONTENT))
    (model / "a.b3dm").write_bytes(build_b3dm(PLAIN))
    check_model(model)
    assert find_model_problem(None) is None
    (model / "tiles").mkdir()
    (model / "tiles" / "b.glb").write_bytes(DRACO)
    with pytest.raises(BadFileError, match=r"tiles/b\.glb uses Draco: it cannot be drawn without the internet. Export"):
        check_model(model)


def test_a_tile_that_was_not_looked_at_is_refused_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.b3dm").write_bytes(build_b3dm(PLAIN))
    (tmp_path / "late.b3dm").write_bytes(build_b3dm(DRACO))
    with Store(tmp_path / "s.duckdb") as store:
        runtime = Runtime(store, Settings(tmp_path, model_folder=tmp_path), is_demo=True)
        state = AppState(runtime, utc_now, SCENES, EventHub(), "t", utc_now())
        browser = TestClient(Starlette(routes=build_model_routes(state)))
        assert browser.get("/model/a.b3dm").content == build_b3dm(PLAIN)
        refused = browser.get("/model/late.b3dm")
    assert (refused.status_code, refused.headers["cache-control"]) == (415, "no-store")
    assert "late.b3dm uses Draco" in refused.json()["error"]["message"]
