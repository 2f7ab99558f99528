"""
The tree of kinds of incident as an office keeps it: read from a table, judged, compared with the one in force. Pure.

A row is a dict of the columns in `COLUMNS`; `may_officer` and its like hold what this place itself says of who may be
sent (incidents/sending.py), None where it says nothing. A table is the whole tree: what is not in it goes, unless there
are incidents of it.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

from data.importing.incident_rows import URGENCIES
from incidents.duty import KINDS
from incidents.sending import May
from incidents.sheets import Problem, find_columns, read_sheet

MOST_ROWS: Final = 500
DEEPEST: Final = 4
LONGEST_MINUTES: Final = 60 * 24 * 60.0
MAY: Final = "may_"
TARGETS: Final = ("target_dispatch_minutes", "target_minutes", "target_close_minutes")
# Our column → headers, as `normalise_header` leaves them; the first is what a table is written out with.
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("编码", "代码", "类别编码", "code", "category"),
    "parent": ("上级编码", "上级", "上级代码", "parent"),
    "name_zh": ("名称", "类别名称", "中文名", "name", "namezh"),
    "name_en": ("英文名", "英文名称", "nameen"),
    "urgency": ("紧急程度", "urgency"),
    "colour": ("颜色", "colour", "color"),
    "symbol": ("符号", "symbol"),
    "key": ("按键", "快捷键", "key"),
    "sensitive": ("敏感", "是否敏感", "sensitive"),
    "target_dispatch_minutes": ("派警时限", "派警时限分钟", "targetdispatchminutes"),
    "target_minutes": ("到场时限", "到场时限分钟", "targetminutes"),
    "target_close_minutes": ("办结时限", "办结时限分钟", "targetcloseminutes"),
    "may_officer": ("派民警", "mayofficer"),
    "may_auxiliary": ("派辅警", "mayauxiliary"),
    "may_estate_guard": ("派小区保安", "mayestateguard"),
    "may_property_guard": ("派物业", "maypropertyguard"),
    "may_unit_guard": ("派单位内保", "mayunitguard"),
    "may_venue_guard": ("派场所人员", "mayvenueguard"),
    "may_grid_worker": ("派网格员", "maygridworker"),
    "may_volunteer": ("派志愿者", "mayvolunteer"),
}
COLUMNS: Final = tuple(HEADERS)
OWN_COLUMNS: Final = tuple(name for name in COLUMNS if not name.startswith(MAY))
MAY_COLUMNS: Final = tuple(f"{MAY}{kind}" for kind in KINDS)
COLOURS: Final[Mapping[str, str]] = {
    "黄|yellow": "#d9d36a", "紫|purple": "#b58cf0", "粉|pink": "#e26fb5", "蓝|blue": "#7fb4ff", "青|teal": "#6fd3c7",
    "棕|brown": "#c9a27e", "橙|orange": "#ffa329", "灰蓝|slate": "#9db0c8", "绿|green": "#7edc8f",
    "灰|grey|gray": "#b9c0cc",
}  # fmt: skip
_NEEDED: Final = ("category", "parent", "name_zh")
_LONGEST: Final[Mapping[str, int]] = {"category": 40, "parent": 40, "name_zh": 30, "name_en": 60, "symbol": 2, "key": 1}
_MAY_WORDS: Final[Mapping[str, str]] = {
    May.YES: "yes|y|是|可|可派",
    May.WITH_POLICE: "with[_ ]police|随警|随民警|须有民警",
    May.NO: "no|n|否|不|不派",
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TreeFile:
    """A table as it was read: rows by code with the columns that it has, where each stands, and what cannot be used."""

    rows: Mapping[str, Row]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...]
    not_read: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """
    What would change: `changed` holds for each code the columns that differ, as (was, will be).

    With any problem nothing may be written.
    """

    new: Mapping[str, Row]
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]]
    gone: tuple[str, ...]
    same: int
    problems: tuple[Problem, ...] = field(default=())


def read_tree(name: str, content: bytes) -> TreeFile:
    """
    The tree in a CSV or .xlsx.

    Raises
    ------
    BadFileError
        It cannot be read, is too large, or has no column for codes, the codes above, or names.
    """
    table = read_sheet(name, content, most_rows=MOST_ROWS)
    places, not_read = find_columns(name, table[0], HEADERS, _NEEDED)
    rows: dict[str, Row] = {}
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    for number, cells in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row: dict[str, Any] = {}
        for column, place in places.items():
            text = cells[place].strip() if place < len(cells) else ""
            value, code = read_cell(column, text)
            if code is not None:
                problems.append(Problem(number, column, code, text[:40]))
            row[column] = value
        if row.get("name_en", "") is None:
            row["name_en"] = row["name_zh"]
        code = row["category"]
        if code is None:
            continue  # named above
        if code in rows:
            problems.append(Problem(number, "category", "twice", str(code)))
            continue
        rows[code], lines[code] = row, number
    return TreeFile(rows, lines, tuple(problems), tuple(not_read))


def read_cell(column: str, text: str) -> tuple[Any, str | None]:
    """The value of a cell, and the code of what is wrong with it."""
    if not text:
        return (False if column == "sensitive" else None), ("missing" if column in ("category", "name_zh") else None)
    if column.startswith(MAY):
        return _find(_MAY_WORDS, text)
    if column == "sensitive":
        word, code = _find({"true": "是|y|yes|true|1", "false": "否|n|no|false|0"}, text)
        return word == "true", code
    if column == "urgency":
        return _find(dict(URGENCIES), text)
    if column == "colour":
        return _read_colour(text)
    if column in TARGETS:
        if not re.fullmatch(r"\d{1,6}(\.\d+)?", text) or not 0 < float(text) <= LONGEST_MINUTES:
            return None, "bad_minutes"
        return float(text), None
    if len(text) > _LONGEST[column]:
        return text[: _LONGEST[column]], "too_long"
    if column == "key" and not re.fullmatch("[0-9a-z]", text):
        return None, "bad_key"
    if column in ("category", "parent") and (text == "*" or re.search(r"\s", text)):
        return None, "bad_code"
    return text, None


def plan_tree(stored: Mapping[str, Row], wanted: TreeFile, used: Set[str]) -> Plan:
    """
    Compare a table with the tree in force.

    Parameters
    ----------
    stored
        The tree in force by code.
    wanted
        A column that the table lacks stays as it is; of a new kind it is empty.
    used
        Codes of which there are incidents.
    """
    blank: dict[str, Any] = {**dict.fromkeys(COLUMNS), "sensitive": False}
    after = {
        code: {**stored.get(code, {**blank, "name_en": row["name_zh"]}), **row} for code, row in wanted.rows.items()
    }
    gone = tuple(code for code in stored if code not in after)
    problems = [*wanted.problems, *check_tree(after, wanted.lines)]
    problems += [Problem(0, "category", "in_use", code) for code in gone if code in used]
    changed = {
        code: differences
        for code, row in after.items()
        if code in stored and (differences := _compare(stored[code], row))
    }
    new = {code: row for code, row in after.items() if code not in stored}
    return Plan(new, changed, gone, len(after) - len(new) - len(changed), tuple(problems))


def check_tree(rows: Mapping[str, Row], lines: Mapping[str, int]) -> list[Problem]:
    """What no tree may be: flat, too deep, a circle, with a parent that is not there, or one key for two neighbours."""
    problems = []
    parents = {code: row["parent"] for code, row in rows.items()}
    if rows and not any(parents.values()):
        problems.append(Problem(1, "parent", "flat"))
    sound = True
    for code, parent in parents.items():
        found = None
        if parent is not None and parent not in rows:
            found = "unknown_parent"
        else:
            above = find_lineage(code, parents)
            found = "circle" if parents.get(above[-1]) is not None else "too_deep" if len(above) > DEEPEST else None
        if found is not None:
            sound = False
            problems.append(Problem(lines.get(code, 0), "parent", found, str(parent)))
    taken: dict[tuple[str, str | None, str], str] = {}
    first = _find_groups(parents) if sound else set()
    for code, row in rows.items():
        if (key := row["key"]) is None:
            continue
        # Those below one kind are typed among each other, and so are the groups, wherever they stand.
        places = [("below", parents[code]), *([("first", None)] if code in first else [])]
        if any((*place, key) in taken for place in places):
            problems.append(Problem(lines.get(code, 0), "key", "twice", str(key)))
        taken |= {(*place, key): code for place in places}
    return problems


def find_lineage(code: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """A kind and those above it, itself first; ends where a circle closes or a parent is not there."""
    chain: list[str] = []
    here: str | None = code
    while here is not None and here not in chain and here in parents:
        chain.append(here)
        here = parents[here]
    return tuple(chain)


def _find_groups(parents: Mapping[str, str | None]) -> set[str]:
    """What the first of the two keys picks: kinds right above a leaf, and leaves with nothing above."""
    above = {parent for parent in parents.values() if parent is not None}
    leaves = [code for code in parents if code not in above]
    return {parents[code] or code for code in leaves}


def _compare(before: Row, after: Row) -> dict[str, tuple[Any, Any]]:
    return {column: (before[column], after[column]) for column in COLUMNS if before[column] != after[column]}


def _find(words: Mapping[str, str], text: str) -> tuple[str | None, str | None]:
    lowered = text.lower()
    found = next((str(code) for code, pattern in words.items() if re.fullmatch(pattern, lowered)), None)
    return found, "unknown_word" if found is None else None


def _read_colour(text: str) -> tuple[str | None, str | None]:
    named, _ = _find({value: names for names, value in COLOURS.items()}, text.removesuffix("色"))
    colour = named or text.lower()
    if not re.fullmatch("#[0-9a-f]{6}", colour):
        return None, "unknown_colour"
    hue, saturation, _ = colorsys.rgb_to_hsv(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    is_red = saturation > 0.5 and min(hue, 1 - hue) * 360 < 25  # kept for what burns now
    return colour, "red" if is_red else None


def order_tree(parents: Mapping[str, str | None]) -> Sequence[str]:
    """Codes as a tree is read: each kind followed by what is below it."""
    return sorted(parents, key=lambda code: tuple(reversed(find_lineage(code, parents))))
