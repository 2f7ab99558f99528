"""
The spelling of addresses as regular expressions, and the folding of characters before they are used.

Every quantifier is bounded, and every expression is anchored: time grows with the length of the text only.
"""

from __future__ import annotations

import re

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width ASCII block
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣~～"), "-")
_SPACES = dict.fromkeys(map(ord, "\t\n\r\x0b\x0c\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2009\u200a\u3000"), " ")
_NOTHING = dict.fromkeys([*range(9), *range(0x0E, 0x20), 0x200B, 0x200C, 0x200D, 0xFEFF], None)
_BRACKETS = dict.fromkeys(map(ord, "【［[〔"), "(") | dict.fromkeys(map(ord, "】］]〕"), ")")
_ZERO = {ord("○"): "〇"}
FOLDING: dict[int, str | int | None] = {**_WIDE, **_DASHES, **_SPACES, **_NOTHING, **_BRACKETS, **_ZERO}

# A space separates only between two ASCII letters or digits (12 3 402); elsewhere it is an accident of typing.
_SPACE_RUN = re.compile(r"(?<=[0-9A-Za-z]) +(?=[0-9A-Za-z])|( +)")


def fold(text: str) -> str:
    """Half-width, one kind of dash and bracket, no invisible characters, no needless spaces."""
    if text.isascii() and " " not in text and text.isprintable():
        return text
    text = text.translate(FOLDING)
    if " " in text:
        text = _SPACE_RUN.sub(lambda m: "" if m[1] else " ", text)
    return text


# What changes nothing: 第12幢第3单元, 12幢（3单元）402.
_ORDINAL = re.compile(r"第(?=[\d〇零一二三四五六七八九十百甲乙丙丁]{1,5}(?:幢|栋|号楼|座|单元|室|层|楼|户))")
_IN_BRACKETS = re.compile(r"\(((?:\d{1,2}|[一二三四五六七八九十甲乙丙丁东中西])单元|\d{3,4}室?)\)")


def smooth(text: str) -> str:
    """Folded text without 第 before a part and without brackets around an entrance or a room."""
    if "第" in text:
        text = _ORDINAL.sub("", text)
    if "(" in text:
        text = _IN_BRACKETS.sub(_open_bracket, text)
    return text


def _open_bracket(match: re.Match[str]) -> str:
    # 501室(302) is a remark; 12幢(3单元)402 and 3单元(402) are not.
    before = match.string[: match.start()]
    return match[1] if before.endswith(("幢", "栋", "号楼", "座", "#", "单元")) else match[0]


NUMERAL = "〇零一二三四五六七八九十百千两"
STEMS = "甲乙丙丁戊己庚辛"
SIDES = "东南|东北|西南|西北|[东西南北中]"
_COUNTED = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
ZONE = rf"(?:(?:(?:{SIDES}|[前后老新]|[A-Za-z]|{_COUNTED})小?区)(?![别域])|{_COUNTED}期)"
BUILDING_WORD = r"(?:[幢栋](?:楼(?![下上顶道梯前后栋]))?|号楼|\#楼(?![下上顶道梯前后])|\#|座)"
_BUILDING = rf"(?:[{STEMS}A-Za-z]?\d{{1,4}}(?:-\d{{1,2}})?[A-Za-z{STEMS}]?|[{NUMERAL}]{{1,5}}|[{STEMS}A-Za-z])"
_UNIT = rf"(?:\d{{1,2}}|[{NUMERAL}]{{1,3}}|[{STEMS}A-Za-z]|{SIDES})"
_UNIT_WORD = r"(?:单元|号门|门洞|梯(?=\d)|门(?![面口卫前市诊厅牌岗房外旁对边头]))"
_FILLER = r"(?:的|小区|社区|里面|内|里|[,、:;。.])?"
_GAP = r"[-/\ ,、的]?"
_DASH = r"[-/\ ]"
_STOP = r"(?:$|[,;(、。\ ])"
_LEVEL = rf"(?:-?\d{{1,2}}|负?[{NUMERAL}]{{1,3}}|负\d|地下[{NUMERAL}\d]{{1,2}}|[Bb]\d)(?:楼|层)"
_ROOM_WORD = r"(?:室|房(?![间东屋子客产])|户(?![主籍口型]))"
# A room without its word ends where no digit, no unit of measure and no Latin word follows.
_ROOM_END = r"(?![\d.年月日元块米人号弄路栋幢楼层单分点时岁个名届次%\#]|[A-Za-z]{2})"
_ROOM = rf"(?:\d{{3,4}}(?:[A-Za-z](?={_STOP}))?{_ROOM_END}|\d{{3,4}}号[室房]?(?={_STOP})|[{NUMERAL}]{{3,7}}(?={_STOP}))"
_SPOKEN_ROOM = rf"(?:\d{{1,4}}[A-Za-z]?|[{NUMERAL}]{{1,7}}){_ROOM_WORD}"

# Groups: 1 zone; 2 building, then entrance: 3 of 12幢3单元, 4 of 12号楼B座, 5 of 12幢3-402, 6 of 12幢东402;
# 7 and 8 of 12-3-402; 9 building of 12-402; 10 and 11 of 12-3单元; 12 entrance alone.
_TAIL = rf"""
    {_FILLER}
    (?:\(?({{zone}})\)?)?+
    (?:
        {_FILLER}{_GAP}
        (?:
            ({_BUILDING})
            (?:{BUILDING_WORD}|号(?={_GAP}(?:{_UNIT}{_UNIT_WORD}|{_SPOKEN_ROOM}|{_ROOM}))|楼(?={_UNIT}{_UNIT_WORD}))
            (?:
                {_FILLER}{_GAP}({_UNIT}){_UNIT_WORD}
              | {_GAP}([{STEMS}A-Za-z])座
              | -?(\d{{1,2}}|[{STEMS}A-Za-z]|{SIDES}){_DASH}(?={_SPOKEN_ROOM}|{_ROOM})
              | ([{STEMS}]|{SIDES})(?=\d{{3,4}}(?!\d))
            )?
          | (\d{{1,3}}){_DASH}(\d{{1,2}}|[{STEMS}A-Za-z]|[东西南北中]){_DASH}(?={_SPOKEN_ROOM}|{_ROOM})
          | (\d{{1,3}}){_DASH}(?={_SPOKEN_ROOM}|{_ROOM})(?=\d{{3}})
          | (\d{{1,3}})-({_UNIT}){_UNIT_WORD}
          | ({_UNIT})单元
        )
    )?
"""
_INDOORS = rf"""
    (?:[/\ ,、的]?({_LEVEL})(?={_STOP}|{_GAP}(?:{_SPOKEN_ROOM}|{_ROOM})))?
    {_GAP}
    (?:(\d{{1,4}}[A-Za-z]?|[{NUMERAL}]{{1,7}}){_ROOM_WORD}|({_ROOM}))?
"""
# Groups: 1 level, 2 room with its word, 3 room without.
INDOORS = re.compile(_INDOORS, re.VERBOSE)
# Behind a room: another one, as in 401-402, 301、302 or 106室-108室.
SEVERAL_ROOMS = re.compile(r"(?:[-/、,~和及]|至|到)\d{3,4}(?:[室房]|$|[^\d年.])")
LEVEL_START = re.compile(_LEVEL)

_HAN = r"[\u3400-\u9fff]"
_ESTATE = "新村|小区|花园|家园|公寓|花苑|嘉园|山庄|名城|新城|佳苑|雅苑|名苑|华庭|雅居|公馆"
_AREA = rf"(?:(?!{_ESTATE}){_HAN})"
# What comes before a community: code, caller's words, province, city, district, street, neighbourhood.
ADMINISTRATIVE = re.compile(
    rf"""
    (?:\d{{6}}(?!\d))?+(?:地址)?+:?+(?:(?:我们|咱们?|本)小区|我们?家?)?+(?:就?在|住在?|位于)?+(?:(?:我们|咱们?|本)小区)?+
    (?:{_HAN}{{2,7}}?(?:省|自治区))?+
    (?:{_HAN}{{2,7}}?(?<![超菜门夜集闹])市(?![场部]))?+
    (?:(?!{ZONE}){_AREA}{{2,6}}?(?:(?<![小舍学])区|县))?+
    (?:{_AREA}{{2,6}}?(?:街道|镇|乡))?+
    (?:{_AREA}{{2,8}}?(?:社区(?![卫服中医警])|居委会))?+
    """,
    re.VERBOSE,
)
ROAD_WORD = "[东西南北中]?(?:路|街|巷|大道)"
ROAD = re.compile(rf"{_HAN}{{1,8}}?(?:路|街|大道|巷|弄)\d{{1,5}}(?:-\d{{1,3}})?号院?")
# A community that no table names; a single last syllable is believed only before a zone or a building.
COMMUNITY = re.compile(
    rf"""(?:
        [\u3400-\u9fffA-Za-z]{{1,10}}?(?:{_ESTATE})(?:[{NUMERAL}]期)?+(?!{ROAD_WORD})
      | [\u3400-\u9fffA-Za-z]{{1,10}}?[苑园庭府湾城里坊村](?={ZONE}|{_BUILDING}{BUILDING_WORD})
    )""",
    re.VERBOSE,
)
# A building or room in what comes before a known name: then the name is only mentioned.
STRUCTURE = re.compile(rf"[\d{NUMERAL}](?:{BUILDING_WORD}|单元|室)", re.VERBOSE)


def compile_tail(zone_names: list[str]) -> re.Pattern[str]:
    """Expression for zone, building and entrance, where these other names of zones are used too."""
    names = "|".join(re.escape(name) for name in sorted(zone_names, key=len, reverse=True))
    return re.compile(_TAIL.replace("{zone}", f"{names}|{ZONE}" if names else ZONE), re.VERBOSE)
