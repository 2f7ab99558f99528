"""What a layer or table is: by its name, else by its columns and the kind of its geometry, in both languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, get_args

from data.importing.columns import match_columns, normalise_header, variants
from gis.errors import BadFileError

Kind = Literal[
    "building", "road", "boundary", "grid", "gate", "wall", "land", "key_site", "unit", "rental", "incident",
    "occupant", "alias",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Shape = Literal["point", "line", "area", "none"]

# First match wins: 'rental units' are rentals, 'key site' is no wall, 'boundary wall' is a wall.
_BY_NAME: Final[tuple[tuple[Kind, str, tuple[Shape, ...]], ...]] = (
    ("alias", r"alias|别名|俗称|曾用名", ("none",)),
    ("incident", r"incident|alarm|警情|案件|报警|接警|接处警|发案", ("none", "point")),
    ("occupant", r"occupant|residents?(?!ial)|population|tenant|人口|居民|人员|租客", ("none",)),
    ("rental", r"rental|出租|租赁|群租|租房", ("none",)),
    (
        "key_site",
        r"key_?sites?|key_?units?|重点单位|重点场所|场所|(?<![a-z])pois?(?![a-z])|商户|行业",
        ("none", "point", "area"),
    ),
    ("unit", r"(?<![a-z])units?(?![a-z])|dwelling|房间|户室|户表|房屋|住户|室表", ("none",)),
    ("gate", r"gate|entrance|大门|出入口|门岗", ("point", "none")),
    ("wall", r"(?<![a-z])walls?(?![a-z])|fence|围墙|围栏|栅栏|院墙", ("line", "area")),
    ("boundary", r"boundary|boundaries|border|limits?$|outline|边界|范围|辖区|界线|区划", ("area", "line")),
    ("grid", r"grid|网格", ("area", "line")),
    ("building", r"building|bldg|house|footprint|建筑|楼栋|楼幢|房屋|幢|(?<![a-z])jzw|住宅", ("area", "line", "point")),
    ("road", r"road|street|highway|(?<![a-z])ways?(?![a-z])|path|道路|路网|街道|马路|通道|巷", ("line",)),
    (
        "land",
        r"green|grass|park|leisure|landuse|tree|water|river|lake|canal|pond|plaza|square|绿|草|树|水|河|湖|塘|广场|公园|操场|用地",
        ("area", "point", "line"),
    ),
)
_BY_COLUMNS: Final[tuple[tuple[Kind, tuple[str, ...], tuple[Shape, ...]], ...]] = (
    ("road", ("highway",), ("line",)),
    ("building", ("building", "用途", "建筑名称", "层数", "总层数", "building:levels", "bldgheigh"), ("area",)),
    ("grid", ("网格编号", "网格名称", "网格号", "gridid"), ("area",)),
    ("land", ("natural", "landuse", "leisure"), ("area",)),
    ("key_site", ("单位名称", "场所名称", "单位类别", "场所类型"), ("point", "none")),
    ("rental", ("出租屋编号", "出租屋地址", "出租间数", "rentalid", "rentcode", "房东", "屋主姓名"), ("none",)),
    ("incident", ("警情编号", "接警单编号", "警情类别", "报警时间", "案件编号", "incidentid"), ("none", "point")),
    ("occupant", ("身份证号", "身份证号码", "公民身份号码", "与户主关系", "人员类别"), ("none",)),
    ("unit", ("室号", "房号", "房间号", "户室", "room", "unitid"), ("none",)),
)
# Each table needs one column of each group.
_REQUIRED: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "unit": (("room", "address_text"), ("building", "building_id", "address_text")),
    "rental": (("address_text", "building", "building_id", "unit_id"),),
    "incident": (
        ("reported", "occurred_from"),
        ("category",),
        ("address_text", "building_id", "x", "lon", "lonlat"),
    ),
    "key_site": (("name",), ("x", "lon", "lonlat", "address_text")),
    "gate": (("x", "lon", "lonlat"),),
    "alias": (("alias",), ("canonical",)),
    "occupant": (("name",), ("address_text", "building", "building_id", "unit_id")),
}
PLURALS: Final = {
    "alias": "other names",
    "key_site": "key sites",
    "land": "green, water and squares",
    "boundary": "boundary",
}


def plural(kind: str) -> str:
    """A kind in a sentence."""
    return PLURALS.get(kind, f"{kind}s")


def find_kind(name: str, columns: Sequence[str], shape: Shape) -> Kind | None:
    """The kind of a layer, None when neither its name nor its columns say."""
    lowered = name.lower()
    headers = {normalise_header(column) for column in columns}
    # A table of people says their names: 人口.csv may be a count by building, and 身份证号 may be an owner's.
    names_people = bool(headers & {normalise_header(spelling) for spelling in variants("occupant", "name")})
    for kind, pattern, shapes in _BY_NAME:
        if shape in shapes and re.search(pattern, lowered) and (names_people or kind != "occupant"):
            return kind
    for kind, marks, shapes in _BY_COLUMNS:
        is_marked = bool(headers & {normalise_header(mark) for mark in marks})
        if shape in shapes and is_marked and (names_people or kind != "occupant"):
            return kind
    return None


def check_columns(source: str, kind: Kind, columns: Sequence[str]) -> None:
    """`BadFileError` when a table lacks what its kind cannot do without; names what it has and what was expected."""
    found = match_columns(kind, columns)
    missing = [group for group in _REQUIRED.get(kind, ()) if not any(name in found for name in group)]
    if missing:
        wanted = "; ".join(" or ".join(f"{name} ({'/'.join(variants(kind, name)[:3])})" for name in g) for g in missing)
        # Without a header line these would be somebody's name: of people only what is known is said.
        known = {column for matched in found.values() for column in matched}
        shown = [column for column in columns if kind != "occupant" or column in known]
        have = ", ".join(str(column)[:30] for column in shown[:12])
        raise BadFileError(
            f"{source}: taken as {plural(kind)}, but a column is missing: expected {wanted}. The columns found are: "
            f"{have or 'none'}. Rename the columns; docs/import.md lists every spelling."
        )
