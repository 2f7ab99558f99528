"""Cells as offices write them: times, storeys, levels, numbers, headers; each expectation was written by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from data.importing.headers import find_header, find_totals
from data.importing.storeys import find_storeys, read_levels, read_storeys
from data.importing.times import to_dates, to_times_utc
from data.importing.values import to_numbers

NOTHING = float("nan")


def text(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def test_times_in_every_spelling_are_one_moment() -> None:
    # 8 March 2025, 14:30 in Shanghai is 06:30 UTC; 45724 is that day in a spreadsheet, 1741415400 that moment in UNIX.
    spellings = text(
        "2025-03-08 14:30", "2025-3-8 14:30:00", "2025/3/8 14:30", "2025.3.8 14:30", "2025年3月8日 14:30",
        "2025年3月8日14时30分", "2025年03月08日14点30分", "2025年3月8日 星期六 14:30", "2025-3-8 下午2:30",
        "2025/03/08 2:30:00 PM",
        "20250308143000", "2025-03-08T14:30:00.000", "2025-03-08T06:30:00Z", "2025-03-08T14:30:00+08:00",
        "45724.604167",
        "1741415400", "1741415400000", "２０２５／３／８ １４：３０",
    )  # fmt: skip
    times, unreadable = to_times_utc(spellings)
    assert not unreadable.any()
    assert set(times) == {pd.Timestamp(2025, 3, 8, 6, 30)}


def test_days_and_what_leaves_the_day_open() -> None:
    days = to_dates(text("2025年3月8日", "2025/3/8", "2025.3.8", "2025-03-08", "20250308", "45724"))
    assert set(days) == {pd.Timestamp(2025, 3, 8)}
    assert to_dates(text("1955.3.8")).tolist() == [pd.Timestamp(1955, 3, 8)]  # people are older than registers
    doubtful = text(
        "8/3/2025", "2025115", "25-3-8", "2025-02-30", "3月8日", "2025-03-08 25:10", "2025-3-8 晚上12:10", "很久以前"
    )
    times, unreadable = to_times_utc(doubtful)
    assert unreadable.all()
    assert times.isna().all()
    midnight, _ = to_times_utc(text("2025-03-08 24:00", None))
    assert midnight.iloc[0] == pd.Timestamp(2025, 3, 8, 16)
    assert pd.isna(midnight.iloc[1])


@pytest.mark.parametrize(
    ("said", "above", "below"),
    [
        ("6", 6, None), ("6.0", 6, None), ("6F", 6, None), ("6层", 6, None), ("六层", 6, None),
        ("地上6层地下1层", 6, 1),
        ("地上六层", 6, None), ("6+1", 7, None), ("5-6", 6, None), ("5～6层", 6, None), ("18F/-2F", 18, 2),
        ("B1F6", 6, 1),
        ("6层半", 6.5, None), ("7（局部8）", 8, None), ("无", None, None), ("-1", -1, None),
    ],
)  # fmt: skip
def test_storeys(said: str, above: float | None, below: float | None) -> None:
    found = read_storeys(text(said))
    expected = [NOTHING if value is None else float(value) for value in (above, below)]
    assert [found.above[0], found.below[0]] == pytest.approx(expected, nan_ok=True)
    assert not found.unreadable[0]
    assert found.ranged[0] == (said in ("5-6", "5～6层", "7（局部8）"))


def test_words_that_are_no_storeys_are_not_guessed() -> None:
    assert read_storeys(text("6/1", "6层带阁楼", "18m", "见图")).unreadable.all()
    assert find_storeys(text("6层", "6F", "18", "18m", "18 米", None)).tolist() == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_levels_and_numbers_with_units() -> None:
    levels = read_levels(text("3", "3层", "第三层", "2/6", "B1", "负一层", "-1", "屋顶", None))
    assert levels.tolist() == pytest.approx([3, 3, 3, 2, -1, -1, -1, NOTHING, NOTHING], nan_ok=True)
    numbers, unreadable = to_numbers(text("1,089.50", "89.5㎡", "89.5 m²", "８９", "约20米", "无", "—", "12,34", "x"))
    assert numbers.tolist() == pytest.approx([1089.5, 89.5, 89.5, 89, 20, *[NOTHING] * 4], nan_ok=True)
    assert unreadable.tolist() == [False] * 7 + [True, True]


def test_the_header_is_found_below_a_title() -> None:
    rows: list[list[object]] = [
        ["户室台账"],
        ["填报人：", None, "日期：2025-3-8"],
        [],
        ["楼栋", "单元", "房号"],
        ["1幢", "1", "101"],
    ]
    assert find_header(rows) == 3
    # A second table below must not make the first one a title.
    assert find_header([["楼栋", "房号"], ["1幢", "101"], ["楼栋", "单元", "房号", "用途"]]) == 0
    assert find_header([["a", "b"], ["1", "2"]]) == 0
    assert find_header([["one cell"]]) is None
    table = pd.DataFrame({"地址": text("1幢", "合计", None), "间数": text("2", "2", "总 计")})
    assert find_totals(table).tolist() == [False, True, True]
