"""What is doubtful about a check-in, rule by rule, and what is not."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.zone_hours import ZoneHours
from gis.errors import BadRecordError
from tasks.cards import is_number
from tasks.checkin_rules import (
    Attempt,
    Doubt,
    PointRules,
    Visit,
    Way,
    build_day_code,
    find_doubts,
    is_drawn,
    list_good_codes,
)
from tasks.records import FIELDS, read_record, sign_record

KEY = b"k" * 32
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 12:00 in Shanghai, a Monday
GATE = PointRules(
    "p-1", 1000.0, 2000.0, True, ZoneHours("12345", time(8), time(18)), date(2026, 11, 1), date(2026, 11, 30), 40.0,
    timedelta(hours=4),
)  # fmt: skip
CODE = build_day_code(KEY, "p-1", date(2026, 11, 23))
GOOD = Attempt(Way.PHONE, NOON, NOON + timedelta(seconds=20), None, CODE, 1010.0, 2000.0, 15.0)


def doubts(attempt: Attempt = GOOD, point: PointRules = GATE, others: tuple[Visit, ...] = ()) -> list[str]:
    codes = list_good_codes(KEY, point.point_id, attempt.at)
    return [one.value for one in find_doubts(attempt, point, others, codes=codes)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"code": None}, ["wrong_code"]),
        ({"code": "00x0"}, ["wrong_code"]),
        ({"way": Way.SCANNER, "code": None, "x_m": None, "y_m": None}, []),
        ({"x_m": None, "y_m": None}, ["no_position"]),
        # 40 m of radius and twice 15 m of accuracy reach 70 m.
        ({"x_m": 1069.0}, []),
        ({"x_m": 1071.0}, ["too_far"]),
        ({"x_m": 1071.0, "accuracy_m": 60.0}, []),
        ({"x_m": 1041.0, "accuracy_m": None}, ["too_far"]),
        ({"x_m": 1041.0, "accuracy_m": -500.0}, ["too_far"]),
        ({"received": NOON - timedelta(minutes=4)}, []),
        ({"received": NOON - timedelta(minutes=6)}, ["clock_ahead"]),
        ({"received": NOON + timedelta(hours=47)}, []),
        ({"received": NOON + timedelta(hours=49)}, ["late"]),
        ({"received": NOON + timedelta(hours=49), "way": Way.STAMP_CARD}, []),
        ({"received": NOON + timedelta(days=15), "way": Way.STAMP_CARD}, ["late"]),
        ({"is_signed": False}, ["bad_signature"]),
        ({"at": NOON + timedelta(hours=7), "received": NOON + timedelta(hours=7)}, ["out_of_hours"]),
        ({"at": NOON - timedelta(days=1), "received": NOON}, ["out_of_hours", "wrong_code"]),
        ({"at": NOON + timedelta(days=8), "received": NOON + timedelta(days=8)}, ["point_closed", "wrong_code"]),
    ],
)
def test_one_attempt(change: dict[str, Any], expected: list[str]) -> None:
    assert doubts(replace(GOOD, **change)) == expected


def test_the_point_says_who_and_what() -> None:
    assert doubts(point=replace(GATE, is_open=False)) == ["point_closed"]
    assert doubts(point=replace(GATE, team_id="m-1")) == ["other_team"]
    assert doubts(replace(GOOD, team_id="m-1"), replace(GATE, team_id="m-1")) == []
    assert doubts(point=replace(GATE, photo_wanted=True)) == ["no_photo"]
    assert doubts(replace(GOOD, has_photo=True), replace(GATE, photo_wanted=True)) == []


@pytest.mark.parametrize("sign", [-1, 1])
def test_others_of_the_same_person(sign: int) -> None:
    """Whether the other one came before or after: phones send in any order."""

    def visit(point_id: str, x_m: float, **delta: float) -> tuple[Visit, ...]:
        return (Visit(point_id, x_m, 2000.0, NOON + sign * timedelta(**delta)),)

    assert doubts(others=visit("p-1", 1000.0, hours=3, minutes=59)) == ["same_period"]
    assert doubts(others=visit("p-1", 1000.0, hours=4)) == []
    # An e-bike of 25 km/h is 6.94 m/s: 700 m take it 101 s.
    assert doubts(others=visit("p-2", 1700.0, seconds=99)) == ["too_fast"]
    assert doubts(others=visit("p-2", 1700.0, seconds=101)) == []
    assert doubts(others=visit("p-2", 1049.0, seconds=0)) == []
    assert doubts(others=visit("p-2", 1051.0, seconds=0)) == ["too_fast"]


def test_code_of_the_day_is_rfc_2104_of_point_and_date() -> None:
    """As anybody can reckon it: the first eight bytes of the HMAC, its last four decimal digits."""
    digest = hmac.digest(KEY, b"p-1|2026-11-23", "sha256")
    assert f"{int(digest[:8].hex(), 16) % 10000:04d}" == CODE
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    tomorrow = build_day_code(KEY, "p-1", date(2026, 11, 24))
    assert list_good_codes(KEY, "p-1", midnight - timedelta(minutes=1)) == [CODE, tomorrow]
    assert list_good_codes(KEY, "p-1", midnight + timedelta(minutes=6)) == [tomorrow]


def test_a_draw_can_be_drawn_again_and_takes_its_share() -> None:
    first = hashlib.sha256(b"seed|c-1").digest()
    assert is_drawn("seed", "c-1", 5) == (int.from_bytes(first[:8], "big") % 10_000 < 500)
    drawn = sum(is_drawn("seed", f"c-{n}", 5) for n in range(10_000))
    assert abs(drawn - 500) < 4 * (10_000 * 0.05 * 0.95) ** 0.5  # four standard deviations of a binomial law
    assert not any(is_drawn("seed", f"c-{n}", 0) for n in range(200))
    assert all(is_drawn("seed", f"c-{n}", 100) for n in range(200))


def test_card_numbers_have_a_luhn_digit() -> None:
    """79927398713 is the worked example of the algorithm; of seven digits: 1234566 by hand (2+2+6+4+1+6 = 21... 9)."""
    head = "123456"
    total = sum(sum(divmod(int(digit) * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(head[::-1]))
    good = head + str((10 - total % 10) % 10)
    assert is_number(good)
    assert sum(is_number(head + str(digit)) for digit in range(10)) == 1
    assert not is_number("213456" + good[-1])  # two digits that changed places
    assert not is_number("１２３４５６６")


PLAIN = {"id": "c-12345678", "point": "p-1", "card": "1234566", "code": "0421", "at": "2026-11-23T04:00:00Z",
         "lat": "33.5", "lon": "120.0001", "acc": "12.5", "photo": ""}  # fmt: skip


def test_a_record_is_signed_field_by_field() -> None:
    record = sign_record(PLAIN, "SECRET")
    assert record.is_signed_by("SECRET")
    assert not record.is_signed_by("SECRET2")
    lines = "\n".join(["shapan-checkin-1", *(PLAIN[name] for name in FIELDS)])
    assert record.plain["mac"] == hmac.new(b"SECRET", lines.encode(), "sha256").hexdigest()
    other = {"id": "c-12345679", "point": "p-2", "card": "1234567", "code": "0422", "at": "2026-11-23T04:00:01Z",
             "lat": "33.6", "lon": "120.0002", "acc": "12.6", "photo": "0" * 64}  # fmt: skip
    for name, value in other.items():
        assert not read_record({**record.plain, name: value}).is_signed_by("SECRET"), name


@given(st.dictionaries(st.sampled_from([*FIELDS, "mac", "more"]), st.text(max_size=20) | st.integers() | st.none()))
def test_anything_may_come_in_and_is_read_or_refused(change: dict[str, Any]) -> None:
    given_ = {**PLAIN, "mac": "0" * 64, **change}
    try:
        record = read_record(given_)
    except BadRecordError:
        return
    assert not record.is_signed_by("SECRET")


def test_every_doubt_has_a_word() -> None:
    from i18n import section

    for lang in ("zh", "en"):
        words = section("checkins", lang)  # type: ignore[arg-type]
        assert [one for one in Doubt if f"checkins.doubt_{one}" not in words] == []
        assert [one for one in Way if f"checkins.way_{one}" not in words] == []
