"""A scenario is read whole, or refused with every error in it; times of a drill are those of a calculation by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.incident_places import Said
from gis.errors import BadFileError
from incidents.drill_scenario import MOST_ALARMS, read_scenario
from incidents.drill_times import measure_drill
from sample import SampleCommunity

USUAL = {"theft.ebike": "normal", "fire": "urgent"}
HEAD = "minutes,address,x,y,crs,category,urgency,said,expectation\n"
START = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)


def read(text: str) -> list[tuple[float, Said, str, str]]:
    alarms = read_scenario(text.encode(), "night.csv", USUAL)
    return [(one.after_s, one.where, one.category, one.urgency) for one in alarms]


def test_alarms_come_in_the_order_of_their_times_with_what_is_usual() -> None:
    text = HEAD + '4,"12幢, 东头",,,,theft.ebike,,"说 ""快来""",\n\n0.5,,120.1,33.4,WGS84,fire,normal,,先问楼层\n'
    assert read(text) == [
        (30.0, Said(120.1, 33.4, "WGS84", None), "fire", "normal"),
        (240.0, Said(None, None, None, "12幢, 东头"), "theft.ebike", "normal"),
    ]
    (first, second) = read_scenario(text.encode("gb18030"), "night.csv", USUAL)
    assert (first.line, first.expectation, second.line, second.said) == (4, "先问楼层", 2, '说 "快来"')


@pytest.mark.parametrize(
    ("line", "column", "value", "expected"),
    [
        ("abc,12幢,,,,fire,,,", "minutes", "abc", "a number from 0 to 1440"),
        ("-1,12幢,,,,fire,,,", "minutes", "-1", "a number from 0 to 1440"),
        ("nan,12幢,,,,fire,,,", "minutes", "nan", "a number from 0 to 1440"),
        ("1441,12幢,,,,fire,,,", "minutes", "1441", "a number from 0 to 1440"),
        ("1,,,,,fire,,,", "address", "", "an address, or x, y and crs"),
        ("1,,120,33,GPS,fire,,,", "crs", "GPS", "one of WGS84, CGCS2000, GCJ02, BD09, LOCAL"),
        ("1,,120,,WGS84,fire,,,", "y", "", "a number: x, y and crs go together"),
        ("1,,33.4,120.1,WGS84,fire,,,", "y", "120.1", "degrees from -90 to 90 in WGS84"),
        ("1,12幢,,,,arson,,,", "category", "arson", "a code of this community's kinds, e.g. fire, theft.ebike"),
        ("1,12幢,,,,fire,now,,", "urgency", "now", "urgent, normal, not_police or nothing"),
        (f"1,12幢,,,,fire,,{'长' * 1001},", "said", "长" * 60, "at most 1000 characters, not 1001"),
    ],
)
def test_what_cannot_be_used_is_named(line: str, column: str, value: str, expected: str) -> None:
    with pytest.raises(BadFileError) as refused:
        read(f"{HEAD}2,12幢,,,,fire,,,\n{line}\n")
    assert f"line 3, {column}: '{value}', expected {expected}" in str(refused.value)


def test_every_error_is_named_at_once() -> None:
    with pytest.raises(BadFileError, match=r"'night.csv' has 4 error\(s\), nothing was made") as refused:
        read(HEAD + "x,,,,,arson,,,\n1,12幢\n")
    said = str(refused.value)
    assert [part in said for part in ("line 2, minutes", "line 2, address", "line 2, category")] == [True] * 3
    assert "line 3: 2 values, expected 9 as in the first line" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "missing: 'category', 'minutes'"),
        (b"minutes,category\n1,fire\n", "missing: 'address (or x, y and crs)'"),
        (b"minutes,category,address,place\n", "unknown: 'place'"),
        (b"minutes,category,address,address\n", "twice: 'address'"),
        (HEAD.encode(), "has 0 alarms, expected 1 to"),
        ((HEAD + "1,12,,,,fire,,,\n" * (MOST_ALARMS + 1)).encode(), f"has {MOST_ALARMS + 1} alarms"),
        ((HEAD + '1,"12,,,,fire,,,\n').encode(), "line 2: unexpected end of data"),
        (b"\xff\xfe\x00\x01", "is no text in UTF-8 or GB18030"),
        (b"a" * 1_000_001, "expected at most 1,000,000"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(BadFileError) as refused:
        read_scenario(content, "night.csv", USUAL)
    assert said in str(refused.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode()))
def test_any_file_is_read_or_refused_with_a_sentence(content: bytes) -> None:
    try:
        alarms = read_scenario(content, "any.csv", USUAL)
    except BadFileError as refused:
        assert "any.csv" in str(refused)  # noqa: PT017 - both outcomes are right
    else:
        assert [one.after_s for one in alarms] == sorted(one.after_s for one in alarms)


def test_the_example_fits_the_sample(sample_community: SampleCommunity) -> None:
    kinds = sample_community.tables["incident_categories"]
    usual = dict(zip(kinds["category"], kinds["urgency"].fillna("normal"), strict=True))
    alarms = read_scenario(files("sample").joinpath("drill.csv").read_bytes(), "drill.csv", usual)
    known = "".join(sample_community.tables["addresses"]["full_text"])
    assert [str(one.where.address) in known for one in alarms] == [True, True, True, False, True]


def row(number: int, **values: object) -> dict[str, object]:
    return {
        "alarm_no": number, "incident_id": f"a{number}", "category": "fire", "urgency": "urgent", "address": "12幢",
        "status": "handled", "expectation": None, "after_s": 60.0 * number,
        "reported_utc": START + timedelta(minutes=number), **values,
    }  # fmt: skip


def test_times_are_those_of_a_calculation_by_hand() -> None:
    def at(number: int, state: str, seconds: float) -> tuple[str, str, datetime]:
        return f"a{number}", state, START + timedelta(minutes=number, seconds=seconds)

    entered = [
        at(1, "received", 0), at(1, "placed", 0), at(1, "dispatched", 40), at(1, "on_scene", 200),
        # Sent again later: the first time counts.
        at(1, "dispatched", 300), at(1, "on_scene", 400),
        # Came in five seconds late; its times count from then.
        at(2, "received", 5), at(2, "placed", 25), at(2, "dispatched", 95), at(2, "accepted", 105),
        at(3, "received", 0), at(3, "dispatched", 20), at(3, "on_scene", 500), at(3, "handled", 900),
    ]  # fmt: skip
    kinds = {"fire": {"target_dispatch_minutes": 1.0, "target_minutes": 5.0, "target_close_minutes": None}}
    rows = [row(1), row(2), row(3), row(4, category="theft.ebike")]
    times = measure_drill(rows, entered, kinds, started=START, n_alarms=6)

    assert times.to_come == 2
    assert [one.late_s for one in times.alarms] == [0, 5, 0, 0]
    assert [one.seconds["dispatched"] for one in times.alarms] == [40, 90, 20, None]
    figures = {
        one.step: (one.reached, one.not_reached, one.median_s, one.worst_s, one.in_time, one.wanted)
        for one in times.steps
    }
    assert figures == {
        "placed": (2, 2, 10, 20, 0, 0),
        "dispatched": (3, 1, 40, 90, 2, 3),
        "accepted": (1, 3, 100, 100, 0, 0),
        "on_scene": (2, 2, 350, 500, 1, 3),
        "handled": (1, 3, 900, 900, 0, 0),
    }
