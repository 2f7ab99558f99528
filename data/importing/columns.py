"""Which column of a file is which of ours: spellings from `column_aliases.csv`, Chinese and English."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

_BRACKETS: Final = re.compile(r"[（(\[【].*?[)）\]】]")
_IGNORED: Final = re.compile(r"[\s_\-./]+")
# Beyond the listed spellings: what a column about a person is called. A count of people is not about a person.
_PERSON: Final = re.compile(
    r"姓名|身份证|证件号|手机|电话|联系方式|联系人|phone|mobile|idcard|idnumber|ownername|tenantname|callername|contactname"
)
_ABOUT_ORGANISATIONS: Final = re.compile(r"数$|人数|数量|phonebooth")
# Resident identity number (GB 11643-1999): region, date of birth, sequence, check character.
# No look-around in these: pandas hands them to a regular-expression engine that has none and is ten times as fast.
ID_NUMBER: Final = r"(?:^|\D)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?:\D|$)"
MOBILE_NUMBER: Final = r"(?:^|\D)1[3-9]\d{9}(?:\D|$)"


def normalise_header(name: str) -> str:
    """Header as it is compared: full width folded, units in brackets, blanks and underscores taken out, lower case."""
    folded = unicodedata.normalize("NFKC", str(name)).strip().lower()
    return _IGNORED.sub("", _BRACKETS.sub("", folded)) or folded


@cache
def _aliases() -> dict[str, dict[str, list[str]]]:
    """Table -> our column -> spellings in order of preference."""
    result: dict[str, dict[str, list[str]]] = {}
    text = (files("data.importing") / "column_aliases.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        variants = result.setdefault(row["table"], {}).setdefault(row["canonical"], [])
        variants.append(normalise_header(row["variant"]))
    return result


def known_headers() -> frozenset[str]:
    """Every spelling of every column, folded as headers are compared."""
    return frozenset(
        spelling for columns in _aliases().values() for spellings in columns.values() for spelling in spellings
    )


def variants(table: str, canonical: str) -> list[str]:
    """Spellings of one of our columns as they stand in the table, for a sentence."""
    text = (files("data.importing") / "column_aliases.csv").read_text(encoding="utf-8")
    return [
        r["variant"] for r in csv.DictReader(text.splitlines()) if (r["table"], r["canonical"]) == (table, canonical)
    ]


@cache
def _complete(table: str, header: str) -> str:
    """
    A header, completed where it is the beginning of the spellings of one column only.

    Shapefiles keep ten bytes of a name: 建筑高度 becomes 建筑高, 地上层数 becomes 地上层.
    """
    if header.isascii() or not 3 <= len(header) <= 5:
        return header
    own = _aliases().get(table, {})
    spelled = {spelling: canonical for canonical, spellings in own.items() for spelling in spellings}
    if header in spelled or header in {spelling for spellings in _aliases()["*"].values() for spelling in spellings}:
        return header
    longer = [spelling for spelling in spelled if spelling.startswith(header)]
    return longer[0] if len({spelled[spelling] for spelling in longer}) == 1 else header


def match_columns(table: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Our column -> columns of the file that mean it, in order of preference; a column of the file is used once."""
    free: dict[str, str] = {}
    for name in names:
        free.setdefault(_complete(table, normalise_header(name)), name)
    result: dict[str, list[str]] = {}
    own, common = _aliases().get(table, {}), _aliases()["*"]
    for source in (own, common):
        for canonical, spellings in source.items():
            for spelling in spellings:
                if spelling in free:
                    result.setdefault(canonical, []).append(free.pop(spelling))
    return result


def coalesce(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """First value that is there, column after column, as text without blanks around it; missing stays missing."""
    result = pd.Series(pd.NA, index=frame.index, dtype="str")
    for column in columns:
        result = result.fillna(to_text(frame[column]))
    return result


def to_text(values: pd.Series) -> pd.Series:
    """Values as text: whole numbers without `.0`, blanks cut, empty text missing."""
    if pd.api.types.is_float_dtype(values):
        whole = values.notna() & (values % 1 == 0) & (values.abs() < 1e15)
        text = values.astype("str").where(~whole, values.where(whole).astype("Int64").astype("str"))
        return text.where(values.notna()).astype("str")
    text = values.where(values.notna()).astype("str") if values.dtype != "str" else values
    text = text.str.strip()
    return text.where(text != "")


def find_person_columns(frame: pd.DataFrame, identifiers: Sequence[str]) -> list[str]:
    """Columns that hold something about a person, by header or by how their values look; empty ones do not count."""
    listed = {spelling for spellings in _aliases()["person"].values() for spelling in spellings}
    result = []
    for column in frame.columns:
        header = normalise_header(column)
        named = header in listed or bool(_PERSON.search(header))
        if named and not _ABOUT_ORGANISATIONS.search(header):
            if to_text(frame[column]).notna().any():
                result.append(column)
        elif column not in identifiers and _looks_personal(frame[column]):
            result.append(column)
    return result


def _looks_personal(values: pd.Series) -> bool:
    if values.dtype != "str":
        return False
    there = values.dropna()
    if there.empty:
        return False
    if bool(there.str.contains(ID_NUMBER, regex=True).any()):
        return True
    return bool(there.str.contains(MOBILE_NUMBER, regex=True).any())


def find_listed(names: Sequence[str], field: str) -> list[str]:
    """Columns of a file that mean one field about persons (or free text), in order of preference."""
    headers: dict[str, str] = {}
    for name in names:
        headers.setdefault(normalise_header(name), name)
    spellings = {**_aliases()["text"], **_aliases()["person"]}[field]
    return [headers[spelling] for spelling in spellings if spelling in headers]


def holds_numbers_of_persons(names: Sequence[str]) -> bool:
    """Whether a header line holds a telephone or identity number: then it is no header but somebody's record."""
    pattern = re.compile(f"{ID_NUMBER}|{MOBILE_NUMBER}", re.ASCII)
    return any(pattern.search(str(name)) for name in names)


def find_text_columns(names: Sequence[str]) -> list[str]:
    """Columns of free text, which may name anybody."""
    listed = {spelling for spellings in _aliases()["text"].values() for spelling in spellings}
    return [name for name in names if normalise_header(name) in listed]
