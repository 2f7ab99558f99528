"""
Identity numbers (公民身份号码, GB 11643-1999): checked, split, and forgotten.

17 digits (6 of the place, 8 of the date of birth, 3 in order) and a check character after ISO 7064 MOD 11-2. The whole
number is never stored: its last four characters are for the eye, a keyed hash is for matching.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import date

from gis.errors import BadRecordError

# GB 11643-1999, table of weights: 2 ** (18 - position) mod 11; and the check character for each remainder.
_WEIGHTS = tuple(2 ** (17 - index) % 11 for index in range(17))
_CHECKS = "10X98765432"
_SHAPE = re.compile(r"\d{17}[\dX]", re.ASCII)


def check_identity(number: str) -> str:
    """
    `number` in canonical spelling (half-width, upper-case X, without spaces) when it can be one.

    Raises
    ------
    BadRecordError
        Not 18 characters, no date, or a wrong check character. The sentence never repeats the number.
    """
    plain = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", number)).upper()
    if not _SHAPE.fullmatch(plain):
        raise BadRecordError(
            f"An identity number has {len(plain)} characters or a wrong one among them: expected 17 digits and a digit "
            "or X. Correct it in the source."
        )
    remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, plain[:17], strict=True)) % 11
    if plain[17] != _CHECKS[remainder]:
        raise BadRecordError(
            f"The identity number that ends in {plain[-4:]} has a wrong check character: a digit was mistyped. "
            "Correct it in the source."
        )
    find_birth_date(plain)
    return plain


def find_birth_date(number: str) -> date:
    """Date of birth in a number of canonical spelling; `BadRecordError` when there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise BadRecordError(
            f"The identity number that ends in {number[-4:]} holds no date of birth. Correct it in the source."
        ) from error


def is_under_fourteen(born_on: date, on: date) -> bool:
    """Whether somebody is younger than fourteen on a day: such a person gets no row, the home gets `has_minor`."""
    return (on.year, on.month, on.day) < (born_on.year + 14, born_on.month, born_on.day)


def split_identity(number: str, key: bytes) -> tuple[str, str]:
    """
    Last four characters, and the keyed hash for matching (HMAC-SHA256, hexadecimal). Forget the number itself.

    `key` is `get_key(store, "identity")`: without it nobody can try all numbers of a district against the hash.
    """
    plain = check_identity(number)
    return plain[-4:], hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()
