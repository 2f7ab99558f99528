"""
Read the catalogue: one gettext file per section and language, keyed by symbolic ids.

A key is `section.name` ("table.scale_true"); its section names the file `strings/<section>.<language>.po`. Placeholders
are named (`{count}`). A key that is missing raises: a page is whole in both languages or it is a defect.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from babel.messages.pofile import read_po

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_STRINGS = Path(__file__).parent / "strings"


def check_language(value: object) -> Language:
    """`value` when it is a language that we speak, else Chinese: a hand-typed `?lang=fr` must not break a page."""
    return value if value in LANGUAGES else "zh"


@cache
def _read_section(name: str, lang: Language) -> dict[str, str]:
    path = _STRINGS / f"{name}.{lang}.po"
    if not path.is_file():
        raise KeyError(f"No catalogue section '{name}' for '{lang}': expected the file {path.name} in i18n/strings.")
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale=lang) if message.id}


def section(name: str, lang: Language) -> dict[str, str]:
    """Every string of one section, keyed by the full key: what the browser's half of a component is given."""
    return dict(_read_section(name, lang))


def t(key: str, lang: Language, /, **values: object) -> str:
    """
    The string of `key` in `lang`, placeholders filled.

    Raises
    ------
    KeyError
        The key, or the section before its first dot, is not in the catalogue.
    """
    strings = _read_section(key.partition(".")[0], lang)
    if key not in strings or not strings[key]:
        raise KeyError(f"No string '{key}' in the '{lang}' catalogue: add it to both languages.")
    return strings[key].format(**values) if values else strings[key]


def term(kind: str, code: object, lang: Language) -> str:
    """What a code of the store is called (section `terms`), else the code itself: a file may bring one of its own."""
    return _read_section("terms", lang).get(f"terms.{kind}.{code}") or str(code)
