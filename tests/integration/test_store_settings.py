"""Where stores are: the environment, arguments, and names that would not do as a file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.settings import build_settings, check_store_name
from data.store import Store
from gis.errors import RefusedError


def test_the_environment_says_where_and_arguments_win(tmp_path: Path) -> None:
    environ = {"SHAPAN_HOME": str(tmp_path / "社区"), "SHAPAN_STORE": "wanhu", "SHAPAN_PORT": "9000"}
    settings = build_settings(environ)
    assert settings.store_path == tmp_path / "社区" / "wanhu.duckdb"
    assert settings.truth_path == tmp_path / "社区" / "wanhu.truth.json"
    assert settings.port == 9000
    other = build_settings(environ, store_name="other", port=0)
    assert (other.store_path.name, other.port) == ("other.duckdb", 0)
    with Store(settings.store_path) as store:  # the folder is made, whatever it is called
        assert store.path == settings.store_path.resolve()


def test_without_environment_there_are_defaults() -> None:
    settings = build_settings({})
    assert (settings.store_name, settings.port) == ("demo", 8501)
    assert settings.home.is_absolute()


def test_a_home_may_begin_with_a_tilde() -> None:
    assert build_settings({"SHAPAN_HOME": "~/shapan"}).home == Path.home() / "shapan"


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "a\\b", "Demo", "-x", "万户", "a" * 64, "demo\n", "a.b", "nul", "com1", "demo.duckdb"]
)
def test_names_that_would_leave_the_folder_or_a_platform_are_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="cannot be used: expected 1 to 63 lower-case letters"):
        check_store_name(name)


@pytest.mark.parametrize("name", ["demo", "wanhu-2", "0", "a" * 63, "console", "com"])
def test_ordinary_names_are_taken(name: str) -> None:
    assert check_store_name(name) == name
