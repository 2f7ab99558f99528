"""Docs that cannot rot: every command, option, setting, exit code and error is named in the administrator's guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import cli
import cli_frame
from gis import errors

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("docs/admin.md", "docs/admin.zh-CN.md")
COMMANDS = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
VARIABLES = [
    *("SHAPAN_HOME", "SHAPAN_STORE", "SHAPAN_PORT", "SHAPAN_KEY", "SHAPAN_KEY_FILE", "SHAPAN_BACKUPS"),
    "SHAPAN_MODEL",
    "SHAPAN_WEBHOOK_CA_FILE",
]
ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ShapanError)]


@pytest.fixture(params=GUIDES)
def guide(request: pytest.FixtureRequest) -> str:
    return (ROOT / str(request.param)).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_explained(guide: str, name: str) -> None:
    assert f"### `shapan {name}" in guide
    chapter = guide.split(f"### `shapan {name}")[1].split("\n## ")[0].split("\n### ")[0]
    general = {"--store", "--json", "--help"}
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    assert sorted(option for option in options - general if f"`{option}" not in chapter) == []


@pytest.mark.parametrize("option", ["--store", "--json", "--help"])
def test_general_options_are_explained(guide: str, option: str) -> None:
    assert f"`{option}" in guide


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_named_with_its_exit_code(guide: str, kind: type[errors.ShapanError]) -> None:
    row = next(line for line in guide.splitlines() if f"`{kind.__name__}`" in line)
    assert row.split("|")[1].strip() == str(int(cli_frame.choose_exit(kind("…"))))


@pytest.mark.parametrize("code", list(cli_frame.Exit))
def test_every_exit_code_is_explained(guide: str, code: cli_frame.Exit) -> None:
    assert re.search(rf"^\| {int(code)} \|", guide, re.MULTILINE)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_setting_is_explained(guide: str, variable: str) -> None:
    assert f"`{variable}`" in guide


def test_settings_are_all_of_those_that_are_read() -> None:
    code = (ROOT / "data" / "settings.py").read_text(encoding="utf-8")
    assert sorted(re.findall(r'environ\.get\("(\w+)"\)', code)) == sorted(VARIABLES)


def test_both_guides_have_the_same_chapters_and_tables() -> None:
    shapes = []
    for path in GUIDES:
        text = (ROOT / path).read_text(encoding="utf-8")
        shapes.append([re.sub(r"[^#|].*$", "", line)[:4] for line in text.splitlines() if line.startswith(("#", "|"))])
    assert shapes[0] == shapes[1]


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not (path.parent / target).exists():
                broken.append(f"{path.name}: {target}")
    assert broken == []


def test_error_tree_in_the_module_is_complete() -> None:
    missing = [kind.__name__ for kind in ERRORS if f" {kind.__name__} " not in (errors.__doc__ or "")]
    assert missing == []


def test_makefile_lists_its_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("env", "run", "test", "soak", "lint", "types", "bench", "screenshots"):
        assert re.search(rf"^{target}:.*## ", makefile, re.MULTILINE), target
