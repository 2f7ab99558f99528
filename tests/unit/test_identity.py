"""Identity numbers after GB 11643: checked, split, forgotten."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.identity import check_identity, find_birth_date, is_under_fourteen, split_identity
from gis.errors import BadRecordError

KEY = b"k" * 32
# Examples of GB 11643-1999, clause 4: 11010519491231002X and 440524188001010014.
STANDARD = ("11010519491231002X", "440524188001010014")


def append_check(digits: str) -> str:
    """The check character by ISO 7064's pure system MOD 11-2, computed the recursive way of the standard."""
    rest = 0
    for digit in digits:
        rest = (rest + int(digit)) * 2 % 11
    value = (12 - rest) % 11
    return digits + ("X" if value == 10 else str(value))


@pytest.mark.parametrize("number", STANDARD)
def test_the_standards_own_examples(number: str) -> None:
    assert check_identity(number) == number
    assert append_check(number[:17]) == number


born = st.dates(date(1900, 1, 1), date(2026, 11, 23))
numbers = st.builds(
    lambda place, day, order: append_check(f"{place:06d}{day:%Y%m%d}{order:03d}"),
    st.integers(110000, 659999),
    born,
    st.integers(1, 999),
)


@given(numbers)
def test_every_number_with_its_check_character_is_one(number: str) -> None:
    assert check_identity(number) == number
    last4, hashed = split_identity(number, KEY)
    assert last4 == number[-4:]
    assert hashed == hmac.new(KEY, number.encode(), hashlib.sha256).hexdigest()
    assert number not in hashed
    assert f"{find_birth_date(number):%Y%m%d}" == number[6:14]


@given(numbers, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, place: int, add: int) -> None:
    """What MOD 11-2 was made for: each single wrong digit, and each swap of two neighbours."""
    digits = list(number)
    digits[place] = str((int(digits[place]) + add) % 10)
    with pytest.raises(BadRecordError, match=r"wrong check character|no date of birth") as refused:
        check_identity("".join(digits))
    assert "".join(digits) not in str(refused.value)
    swapped = list(number)
    swapped[place : place + 2] = reversed(swapped[place : place + 2])
    if swapped != list(number):
        with pytest.raises(BadRecordError):
            check_identity("".join(swapped))


@pytest.mark.parametrize(
    "spelled",
    ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ", "110105-19491231-002X"],
)
def test_one_number_in_other_spellings_is_the_same(spelled: str) -> None:
    assert split_identity(spelled, KEY) == split_identity(STANDARD[0], KEY)


def test_another_key_gives_another_hash() -> None:
    assert split_identity(STANDARD[0], KEY)[1] != split_identity(STANDARD[0], b"l" * 32)[1]


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("", "has 0 characters or a wrong one"),
        ("110105491231002", "has 15 characters"),  # the old numbers of 15 digits ended in 2013
        ("X1010519491231002X", "or a wrong one among them"),
        ("110105194912310021", "wrong check character"),
        (append_check("11010519491331002"), "holds no date of birth"),
        (append_check("11010519490230002"), "holds no date of birth"),
    ],
)
def test_what_is_no_number(number: str, problem: str) -> None:
    with pytest.raises(BadRecordError, match=problem):
        check_identity(number)


@pytest.mark.parametrize(
    ("born_on", "on", "under"),
    [
        (date(2012, 11, 23), date(2026, 11, 22), True),
        (date(2012, 11, 23), date(2026, 11, 23), False),
        (date(2012, 2, 29), date(2026, 2, 28), True),
        (date(2012, 2, 29), date(2026, 3, 1), False),
        (date(2030, 1, 1), date(2026, 1, 1), True),
    ],
)
def test_the_fourteenth_birthday(born_on: date, on: date, under: bool) -> None:
    assert is_under_fourteen(born_on, on) is under


@given(born)
def test_nobody_is_under_fourteen_after_fifteen_years(born_on: date) -> None:
    assert is_under_fourteen(born_on, born_on + timedelta(days=5100))
    assert not is_under_fourteen(born_on, born_on + timedelta(days=5480))
