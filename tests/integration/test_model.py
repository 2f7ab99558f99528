"""The photographic model's folder: what lies in it is given, nothing beside it, however the address is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.model import find_file


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
