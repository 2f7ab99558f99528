"""House rules that a machine can check: sizes, names, packages, locks, and what may stand in a tracked file."""

from __future__ import annotations

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gis", "data", "incidents", "tasks", "sample", "layers", "ui", "server", "i18n")
MAX_LINES = {".py": 400, ".css": 400, ".js": 600}  # the table's script is one component, loaded as one file
_SKIPPED_FOLDERS = frozenset({".git", ".venv", "__pycache__", "build", "htmlcov", "test-results"})


def find_tracked() -> list[Path]:
    """Files of the project: what git knows, or, in an unpacked archive, what lies here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and not _SKIPPED_FOLDERS & set(p.relative_to(ROOT).parts)]


TRACKED = find_tracked()


def read_text(path: Path) -> str | None:
    """Text of a file, None for a picture or another binary."""
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_modules_are_short_enough_to_read() -> None:
    sizes = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in TRACKED
        if path.suffix in MAX_LINES
    }
    assert {name: lines for name, lines in sizes.items() if lines > MAX_LINES[Path(name).suffix]} == {}


def test_every_page_finds_what_it_imports() -> None:
    """The pages are outside of the type check: a name that moved would be found by whoever opens one."""
    pages = [path.stem for path in (ROOT / "ui").glob("*.py") if path.stem not in ("__init__", "main")]
    for name in sorted(pages):
        importlib.import_module(f"ui.{name}")


def test_no_module_collects_leftovers() -> None:
    names = {name_of(path) for path in TRACKED}
    assert [name for name in names if re.search(r"(^|/)(utils?|common|helpers?|misc)\.py$", name)] == []
    assert [name for name in names if "/pages/" in name] == []  # Streamlit would make each file in it a page


def test_no_question_to_the_store_is_left_open() -> None:
    """A result that is not read to its end keeps every older version of every row: `fetch_first` reads it so."""
    asking = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = {path.name for path in asking if re.search(r"\.fetch(one|many)\(", path.read_text(encoding="utf-8"))}
    assert found == {"checkin_queue.py"}  # of SQLite


def test_pyproject_lists_every_package_and_module() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {
        name_of(path.parent).replace("/", ".") for package in PACKAGES for path in (ROOT / package).rglob("__init__.py")
    }
    assert sorted(project["tool"]["setuptools"]["packages"]) == sorted(found)
    modules = {path.stem for path in ROOT.glob("*.py")}
    assert set(project["tool"]["setuptools"]["py-modules"]) == modules


def test_everything_a_package_reads_is_installed_with_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    patterns = settings["package-data"]
    installed = {
        found.relative_to(ROOT).as_posix()
        for package in settings["packages"]
        for pattern in [*patterns["*"], *patterns.get(package, [])]
        for found in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    read = {name_of(path) for path in TRACKED if name_of(path).split("/")[0] in PACKAGES and path.suffix != ".py"}
    assert sorted(read - installed) == []


# Put together here, so that this file does not break its own rule.
REGISTRY_HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
MACHINE_PATHS = [r"(?<![\w.])/" + rest for rest in ("work/", "root/", r"tmp/w\b", r"home/\w+/", r"Users/\w+/")]


@pytest.mark.parametrize("pattern", [*map(re.escape, REGISTRY_HOSTS), *MACHINE_PATHS])
def test_no_registry_and_no_machine_in_a_tracked_file(pattern: str) -> None:
    found = [name_of(path) for path in TRACKED if (text := read_text(path)) is not None and re.search(pattern, text)]
    assert found == []


def test_no_data_and_no_secret_is_tracked() -> None:
    forbidden = (".duckdb", ".wal", ".server.json", ".truth.json", ".pem", ".key", ".env")
    assert [name_of(path) for path in TRACKED if path.name.endswith(forbidden)] == []
    assert [name_of(path) for path in TRACKED if path.stat().st_size > 2_000_000] == []


def read_pins(name: str) -> dict[str, str]:
    """`name==version` lines of a requirements file, names in canonical spelling."""
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pins}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_lock_holds_what_was_asked_for_with_hashes_and_no_address(name: str) -> None:
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8")
    locked = read_pins(f"{name}.lock")
    assert read_pins(f"{name}.in").items() <= locked.items()
    requirements = re.split(r"\n(?=[a-z0-9])", text)
    assert [block.split()[0] for block in requirements if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://|--index-url|--extra-index-url|--find-links", text) == []


def test_lock_serves_windows_and_mac_too() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "sys_platform == 'win32'" in text
    assert "linux" not in text


def test_both_locks_agree() -> None:
    product, development = read_pins("requirements.lock"), read_pins("requirements-dev.lock")
    assert product.items() <= development.items()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("browser.gatherUsageStats", False),  # true: pages call out
        ("browser.serverAddress", "localhost"),  # unset: the server asks the internet who it is
        ("server.headless", True),
        ("server.enableStaticServing", False),
        ("server.enableAgentApi", False),
        ("client.toolbarMode", "viewer"),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
        ("theme.base", "dark"),
    ],
)
def test_streamlit_is_told_to_keep_to_itself(option: str, value: object) -> None:
    config = tomllib.loads((ROOT / "ui" / "streamlit.toml").read_text(encoding="utf-8"))
    section, name = option.split(".")
    assert config[section][name] == value
