"""Writing a parsed address, in the canonical spelling and in those that people use."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from data.addresses.grammar import LEVEL_START
from data.addresses.numerals import to_chinese_count, to_chinese_digits
from data.addresses.parsing import ParsedAddress


class Spelling(StrEnum):
    """Ways to write an address; where one cannot say what the address holds, that part is written canonically."""

    CANONICAL = "canonical"  # 西区12幢3单元402室
    DONG = "dong"  # 西区12栋3单元402室
    HAOLOU = "haolou"  # 西区12号楼3单元402室
    ZUO = "zuo"  # 西区12座3单元402室
    HASH = "hash"  # 西区12#3单元402室
    DOOR = "door"  # 西区12幢3门402室
    ROOM_BARE = "room_bare"  # 西区12幢3单元402
    ROOM_FANG = "room_fang"  # 西区12幢3单元402房
    DASHES = "dashes"  # 西区12-3-402
    HASH_DASH = "hash_dash"  # 西区12#3-402
    SPACES = "spaces"  # 西区 12幢 3单元 402室
    FULL_WIDTH = "full_width"  # 西区１２幢３单元４０２室
    CHINESE = "chinese"  # 西区十二幢三单元四〇二室
    CHINESE_COUNT = "chinese_count"  # 西区十二幢三单元四百零二室
    ZERO_PADDED = "zero_padded"  # 西区012幢03单元0402室


_BUILDING_WORDS = {
    Spelling.DONG: "栋",
    Spelling.HAOLOU: "号楼",
    Spelling.ZUO: "座",
    Spelling.HASH: "#",
    Spelling.HASH_DASH: "#",
}
_TO_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def format_address(parsed: ParsedAddress, style: Spelling | str = Spelling.CANONICAL) -> str:
    """
    One line of text that `parse_address` reads back to the same parts.

    Raises
    ------
    ValueError
        `style` is no spelling.
    """
    style = Spelling(style)
    number = _number_writer(style)
    head = f"{parsed.prefix}{parsed.community}{parsed.zone}"
    if style in (Spelling.DASHES, Spelling.HASH_DASH) and _fits_dashes(parsed, style):
        joint = "#" if style is Spelling.HASH_DASH else "-"
        unit = f"{parsed.unit}-" if parsed.unit else ""
        indoors = f"{parsed.building}{joint}{unit}{parsed.room}"
        return head + indoors + _remark(parsed, after_room_word=False)

    parts: list[str] = []
    if parsed.building:
        parts.append(number(parsed.building, 3) + _BUILDING_WORDS.get(style, "幢"))
    if parsed.unit:
        parts.append(number(parsed.unit, 2) + ("门" if style is Spelling.DOOR and parsed.building else "单元"))
    if parsed.level is not None and not LEVEL_START.match(parsed.remainder):
        parts.append(f"{parsed.level}层")
    room_word = ""
    if parsed.room:
        room_word = "室" if not _may_be_bare(parsed) else {Spelling.ROOM_BARE: ""}.get(style, "室")
        if style is Spelling.ROOM_FANG:
            room_word = "房"
        parts.append(number(parsed.room, 4) + room_word)
    if style is Spelling.SPACES:
        return " ".join(filter(None, [head, *parts])) + _remark(parsed, after_room_word=bool(room_word))
    text = head + "".join(parts) + _remark(parsed, after_room_word=bool(room_word))
    return text.translate(_TO_WIDE) if style is Spelling.FULL_WIDTH else text


def _may_be_bare(parsed: ParsedAddress) -> bool:
    return len(parsed.room) in (3, 4) and parsed.room.isdecimal()


def _fits_dashes(parsed: ParsedAddress, style: Spelling) -> bool:
    building = parsed.building.isdecimal() and len(parsed.building) <= 3
    return (
        building and _may_be_bare(parsed) and parsed.level is None and (style is Spelling.DASHES or bool(parsed.unit))
    )


def _number_writer(style: Spelling) -> Callable[[str, int], str]:
    def write(text: str, width: int) -> str:
        if not text.isdecimal() or int(text) == 0:
            return text
        if style is Spelling.CHINESE:
            return to_chinese_digits(int(text)) if width == 4 else to_chinese_count(int(text))
        if style is Spelling.CHINESE_COUNT:
            return to_chinese_count(int(text))
        return text.zfill(width) if style is Spelling.ZERO_PADDED else text

    return write


def _remark(parsed: ParsedAddress, *, after_room_word: bool) -> str:
    remark = parsed.remainder
    if not remark:
        return ""
    nothing_before = not (parsed.building or parsed.unit or parsed.room)
    # Brackets keep a remark from being read as part of the number before it.
    plain = nothing_before or (after_room_word and "\u3400" <= remark[0] <= "\u9fff")
    return remark if plain else f"（{remark}）"
