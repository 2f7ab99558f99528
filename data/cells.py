"""
Cells of tables that leave: one that a spreadsheet would take for a formula gets an apostrophe before it.

OWASP, "CSV Injection": what begins with one of `= + - @`, a tab or a carriage return; leading blanks do not hide it.
"""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = "=+-@"
# With their full-width twins (U+FF01 to U+FF5E are ASCII's 0x21 to 0x7E), which some spreadsheets read as the same.
_DANGEROUS: Final = _SIGNS + "".join(chr(ord(sign) + 0xFEE0) for sign in _SIGNS) + "\t\r"
_BLANK: Final = " \n" + chr(0x3000) + chr(0xFEFF)  # ideographic space, byte order mark
_MARK: Final = "'"
# Control characters have no place in XML 1.0; openpyxl refuses them.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MAX_CELL: Final = 32_767  # characters in one cell of a workbook (Microsoft, "Excel specifications and limits")


def guard(value: object) -> str:
    """`value` as a cell's text that no spreadsheet runs; empty for None."""
    text = "" if value is None else str(value)
    return f"{_MARK}{text}" if _is_dangerous(text) else text


def unguard(text: str) -> str:
    """What `guard` was given: an apostrophe before what would be a formula goes, any other stays."""
    return text[1:] if text.startswith(_MARK) and _is_dangerous(text[1:]) else text


def guard_back(value: object) -> str:
    """As `guard`, and an apostrophe of the text's own is doubled, so that `unguard_back` gives the same text back."""
    text = "" if value is None else str(value)
    return f"{_MARK}{text}" if text.startswith(_MARK) else guard(text)


def unguard_back(text: str) -> str:
    """What `guard_back` was given."""
    return text[1:] if text.startswith(_MARK) and (text[1:].startswith(_MARK) or _is_dangerous(text[1:])) else text


def clean(text: str) -> str:
    """`text` as XML and a workbook's cell can hold it."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)[:_MAX_CELL]


def _is_dangerous(text: str) -> bool:
    first = text.lstrip(_BLANK)[:1]
    return bool(first) and first in _DANGEROUS
