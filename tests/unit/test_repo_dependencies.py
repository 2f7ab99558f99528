"""docs/dependencies.md names every direct dependency, its licence and a reason, and none that may not be passed on."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| ([\w.-]+) \| ([^|]+) \| ([^|]+) \|$", re.M)
ROWS = {name: (licence.strip(), why.strip()) for name, licence, why in _ROW.findall(PAGE) if name != "Package"}
# May be passed on inside a product under Apache-2.0. MPL-2.0 covers its own files only; it is used in tests alone.
PERMISSIVE = re.compile(r"Apache|BSD|MIT|MPL")
# Measured beside ours and never passed on: not among what the product needs, and imported by bench/ alone.
NEVER_PASSED_ON = {"igraph": re.compile(r"GPL|GNU General Public License")}


def read_names() -> list[str]:
    """Direct dependencies of product and development."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements.in", "requirements-dev.in")]
    return re.findall(r"^([A-Za-z0-9_.-]+)==", "\n".join(texts), re.M)


def test_every_dependency_is_on_the_page_and_no_other() -> None:
    assert sorted(ROWS) == sorted(read_names())


@pytest.mark.parametrize("name", read_names())
def test_its_licence_is_the_one_that_the_package_states(name: str) -> None:
    licence, why = ROWS[name]
    assert NEVER_PASSED_ON.get(name, PERMISSIVE).search(licence)
    assert len(why) > 4
    stated = metadata(name)
    fields = ("License-Expression", "License", "Classifier")
    said = " ".join(text for field in fields for text in stated.get_all(field) or [])
    family = re.split(r"[-\s]", licence)[0]
    assert family in said or (name in NEVER_PASSED_ON and NEVER_PASSED_ON[name].search(said)), (
        f"{name}: the page says {licence}, the package {said[:200]}"
    )


def test_what_may_not_be_passed_on_is_imported_by_the_benchmarks_alone() -> None:
    product = (ROOT / "requirements.in").read_text(encoding="utf-8") + (ROOT / "requirements.lock").read_text(
        encoding="utf-8"
    )
    for name in NEVER_PASSED_ON:
        assert not re.search(rf"^{name}==", product, re.M)
        pattern = re.compile(rf"^\s*(import|from) {name}\b", re.M)
        folders = {
            path.relative_to(ROOT).parts[0]
            for path in ROOT.rglob("*.py")
            if not {".venv", "build"} & set(path.parts) and pattern.search(path.read_text(encoding="utf-8"))
        }
        assert folders == {"bench"}
