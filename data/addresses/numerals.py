"""Numbers as people write them in addresses: 012, １２, 十二, 四〇二, 一百零二; and the way back to Chinese."""

from __future__ import annotations

import re

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
CHINESE = "〇零一二三四五六七八九十百千两"


def to_canonical_number(text: str) -> str:
    """
    Number of a building, entrance or room in canonical digits.

    Leading zeros go, Chinese numerals become digits (read digit by digit, or with 十百千), Latin letters upper case.
    What is no number (甲, 东) comes back as it is; so does a Chinese number that nobody would write.
    """
    if text.isdecimal() and text.isascii():
        return text.lstrip("0") or "0"
    if not text.isascii() and all(c in CHINESE for c in text):
        value = _from_chinese(text)
        return text if value is None else str(value)
    if text[0] == "0":
        text = text.lstrip("0") or "0"
    return text.upper()


def to_zone(zone: str) -> str:
    """Zone in canonical form: 三区 → 3区, 西小区 → 西区, 二期 → 2期."""
    stem = zone[:-1].removesuffix("小")
    return f"{to_canonical_number(stem)}{zone[-1]}"


def _from_chinese(text: str) -> int | None:
    if not any(c in _PLACES for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, digit, last_place = 0, None, 10_000
    for c in text:
        if c in _DIGITS:
            if digit:  # two digits in a row, as in 二三十
                return None
            digit = _DIGITS[c]
            continue
        place = _PLACES[c]
        if place >= last_place:
            return None
        total += place * (1 if digit is None else digit)
        digit, last_place = None, place
    if digit is None:
        return total
    # 一百二 is 120 in speech; in addresses people write 一百二十, so it is read as said: 102 only with 零.
    spoken_short = last_place >= 100 and text[-2] not in "零〇"
    return total + digit * (last_place // 10 if spoken_short else 1)


def to_chinese_digits(number: int) -> str:
    """Digit by digit, as on door plates: 402 → 四〇二."""
    return "".join("〇一二三四五六七八九"[int(c)] for c in str(number))


def to_chinese_count(number: int) -> str:
    """As counted, 1 to 9999: 12 → 十二, 102 → 一百零二, 1201 → 一千二百零一."""
    if not 0 < number < 10_000:
        raise ValueError(f"{number} cannot be written as a count: expected 1 to 9999.")
    parts: list[str] = []
    gap = False
    for place, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit == 0:
            gap = bool(parts)
            continue
        if gap:
            parts.append("零")
            gap = False
        parts.append("〇一二三四五六七八九"[digit] + word)
    text = "".join(parts)
    return text[1:] if text.startswith("一十") else text


_ENTRANCES = "甲乙丙丁戊己庚辛东中西南北"


def rank_entrance(name: str) -> tuple[int, str]:
    """Sorting key of entrances as people count them: 2单元 before 10单元, 甲 before 乙, east before west."""
    digits = re.match(r"\d+", name)
    return (int(digits[0]) if digits else _ENTRANCES.find(name[:1]) + 1, name)
