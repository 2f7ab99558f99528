"""
Cells of tables that leave: one that a spreadsheet would take for a formula gets an apostrophe before it.

OWASP, "CSV Injection": what begins with one of `= + - @`, a tab or a carriage return; leading blanks do not hide it.
"""

from __future__ import annotations

from typing import Final

_SIGNS: Final = "=+-@"
# With their full-width twins (U+FF01 to U+FF5E are ASCII's 0x21 to 0x7E), which some spreadsheets read as the same.
_DANGEROUS: Final = _SIGNS + "".join(chr(ord(sign) + 0xFEE0) for sign in _SIGNS) + "\t\r"
_BLANK: Final = " \n" + chr(0x3000) + chr(0xFEFF)  # ideographic space, byte order mark
_MARK: Final = "'"


def guard(value: object) -> str:
    """`value` as a cell's text that no spreadsheet runs; empty for None."""
    text = "" if value is None else str(value)
    return f"{_MARK}{text}" if _is_dangerous(text) else text


def unguard(text: str) -> str:
    """What `guard` was given: an apostrophe before what would be a formula goes, any other stays."""
    return text[1:] if text.startswith(_MARK) and _is_dangerous(text[1:]) else text


def _is_dangerous(text: str) -> bool:
    first = text.lstrip(_BLANK)[:1]
    return bool(first) and first in _DANGEROUS
