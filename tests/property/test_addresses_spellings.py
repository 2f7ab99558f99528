"""Every address in every spelling is read back; nothing makes the parser fail."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.addresses import NO_ALIASES, Aliases, ParsedAddress, Spelling, format_address, parse_address
from data.addresses.numerals import to_canonical_number, to_chinese_count, to_chinese_digits

ALIASES = Aliases([("WH新村", "万户新村", "community")])
number = st.integers(1, 199).map(str)
building = number | st.sampled_from(["甲", "A", "A3", "3甲", "12-1", "乙2"])
unit = st.integers(1, 19).map(str) | st.sampled_from(["甲", "乙", "丁", "东", "西", "中", "A"])
room = st.builds(lambda level, k: f"{level}{k:02d}", st.integers(1, 33), st.integers(1, 20)) | st.sampled_from(
    ["1", "12", "402A", "101"]
)
remark = st.sampled_from(
    ["北卧", "合租房B间", "漏水", "家里没人,请打电话", "B间", "二楼", "(东)门", "-1室", "402的邻居", "在菜场旁边"]
)


@st.composite
def addresses(draw: st.DrawFn) -> ParsedAddress:
    """Addresses that people can have: a room needs a building."""
    community = draw(st.sampled_from(["万户新村", ""]))
    zone = draw(st.sampled_from(["", "西区", "A区", "3区", "12区", "东南区"]))
    parts = {"building": draw(building), "unit": draw(st.just("") | unit), "room": draw(st.just("") | room)}
    prefix = draw(st.sampled_from(["", "江苏省盐城市亭湖区", "盐城市亭湖区青年中路48号"])) if community else ""
    said = (
        draw(st.just("") | remark)
        if parts["room"]
        else draw(st.sampled_from(["", "门面房3号", "车库8号", "地下室", "对面"]))
    )
    level = draw(st.none() | st.sampled_from([1, 4, 12, -1, -2])) if parts["room"] or not said else None
    if said == "二楼":
        level = 2
    return ParsedAddress(community, zone, **parts, level=level, remainder=said, prefix=prefix)


@settings(max_examples=300, deadline=None)
@given(addresses())
@example(ParsedAddress("万户新村", "西区", "12", "", "", -1, "-1层车库8号"))
@example(ParsedAddress("", "", "", "3", "402"))
@example(ParsedAddress("万户新村", remainder="菜场对面"))
@example(ParsedAddress("", remainder="解放南路128号", prefix="亭湖区"))
def test_every_spelling_is_read_back(parsed: ParsedAddress) -> None:
    for style in Spelling:
        text = format_address(parsed, style)
        assert parse_address(text, ALIASES) == parsed, text


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=200) | st.text("万户新村西区东12幢栋号楼单元门室-# 一十〇甲A（）层负省市路小,.\n\x00", max_size=60)
)
def test_nothing_makes_it_fail(text: str) -> None:
    for aliases in (ALIASES, NO_ALIASES):
        parsed = parse_address(text, aliases)
        for part in ("community", "zone", "building", "unit", "room", "remainder", "prefix"):
            assert isinstance(getattr(parsed, part), str)
        assert isinstance(parse_address(format_address(parsed), aliases), ParsedAddress)


@given(st.integers(1, 9999))
def test_chinese_numerals_are_the_numbers(n: int) -> None:
    assert to_canonical_number(to_chinese_count(n)) == str(n)
    assert to_canonical_number(to_chinese_digits(n)) == str(n)
    assert to_canonical_number(f"{n:06d}") == str(n)


@given(st.text("〇零一二三四五六七八九十百千两", min_size=1, max_size=7))
def test_any_run_of_chinese_numerals_has_a_form(text: str) -> None:
    assert to_canonical_number(text)
