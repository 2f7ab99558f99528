"""The catalogue: whole in both languages, and whatever the code asks for is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from i18n import LANGUAGES, check_language, say_age, section, t, term

ROOT = Path(__file__).resolve().parents[2]
STRINGS = ROOT / "i18n" / "strings"
SECTIONS = sorted({path.name.split(".")[0] for path in STRINGS.glob("*.po")})
PACKAGES = ("ui", "layers", "server", "incidents", "data", "sample")
_PLACEHOLDER = re.compile(r"\{(\w+)[^}]*\}")
_LATIN = re.compile(r"[A-Za-z]")
_CJK = re.compile(r"[\u3400-\u9fff]")


def read_file(name: str, lang: str) -> dict[str, str]:
    """Messages of one file, read here once more so that a duplicate key cannot hide."""
    with (STRINGS / f"{name}.{lang}.po").open("rb") as file:
        messages = [message for message in read_po(file, locale=lang) if message.id]
    return {str(message.id): str(message.string) for message in messages}


def test_there_is_a_catalogue() -> None:
    assert "server" in SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_section_is_whole_in_both_languages(name: str) -> None:
    chinese, english = read_file(name, "zh"), read_file(name, "en")
    assert sorted(chinese) == sorted(english)
    assert [key for key in chinese if not key.startswith(f"{name}.")] == []
    assert [key for texts in (chinese, english) for key, text in texts.items() if not text.strip()] == []


@pytest.mark.parametrize("name", SECTIONS)
def test_no_key_is_written_twice(name: str) -> None:
    for lang in LANGUAGES:
        text = (STRINGS / f"{name}.{lang}.po").read_text(encoding="utf-8")
        keys = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
        assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("name", SECTIONS)
def test_placeholders_are_the_same_in_both_languages(name: str) -> None:
    chinese, english = read_file(name, "zh"), read_file(name, "en")
    different = {
        key: (chinese[key], english[key])
        for key in chinese
        if set(_PLACEHOLDER.findall(chinese[key])) != set(_PLACEHOLDER.findall(english[key]))
    }
    assert different == {}


@pytest.mark.parametrize("name", SECTIONS)
def test_english_is_english(name: str) -> None:
    """An English text may quote an address or a term; one that is mostly Chinese is a forgotten translation."""
    forgotten = {
        key: text
        for key, text in read_file(name, "en").items()
        if len(_CJK.findall(text)) > len(_LATIN.findall(text)) and "language" not in key  # 中文 names itself
    }
    assert forgotten == {}


def find_keys_asked_for() -> set[tuple[str, str]]:
    """`t("key", …)` and `section("name", …)` in the code, with the file."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                    continue
                first = node.args[0]
                if node.func.id in {"t", "section"} and isinstance(first, ast.Constant):
                    found.add((str(first.value), str(path.relative_to(ROOT))))
    return found


def test_every_key_that_the_code_names_is_in_the_catalogue() -> None:
    known = {key for name in SECTIONS for key in read_file(name, "zh")} | set(SECTIONS)
    assert sorted((key, path) for key, path in find_keys_asked_for() if key not in known) == []


def test_a_string_is_filled() -> None:
    assert t("server.not_found", "zh") == "没有这个地址。"
    assert section("server", "en")["server.not_found"] == t("server.not_found", "en")


@pytest.mark.parametrize("key", ["server.nonsense", "nonsense.at_all", "nonsense", "", "."])
def test_a_missing_key_is_an_error(key: str) -> None:
    with pytest.raises(KeyError, match="catalogue"):
        t(key, "zh")


@pytest.mark.parametrize("value", ["fr", "", None, "ZH", "../zh", 1])
def test_any_other_language_becomes_chinese(value: object) -> None:
    assert check_language(value) == "zh"


def test_a_code_that_a_file_brought_is_called_by_itself() -> None:
    assert term("site_kind", "hotel", "zh") == "旅馆"
    assert term("site_kind", "observatory", "zh") == "observatory"


def test_an_age_is_said_in_the_unit_that_one_would_say() -> None:
    minutes = (0, 119, 120, 47 * 60 + 59, 48 * 60, 18_000)
    assert [say_age(one, "en") for one in minutes] == ["0 min", "119 min", "2 h", "47 h", "2 days", "12 days"]
    assert [say_age(one, "zh") for one in minutes][-2:] == ["2天", "12天"]
