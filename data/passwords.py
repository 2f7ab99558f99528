"""
Passwords: argon2id, by a library, and what a password must be.

Parameters are those of RFC 9106, second recommended option (64 MiB, 3 passes, 4 lanes), the library's own default.
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from gis.errors import BadRecordError

MIN_LENGTH = 10
MAX_LENGTH = 200  # argon2 reads all of it: no use in hashing megabytes that a stranger sends
# Long enough for the rule and still what everybody tries first; checked without digits' and letters' case.
# fmt: off
_COMMON = frozenset(["1234567890", "0123456789", "0987654321", "9876543210", "1234512345", "12345678910", "123456789a",
    "1q2w3e4r5t", "1qaz2wsx3edc", "qwertyuiop", "qwerty12345", "qwerty123456", "password12", "password123",
    "password1234", "passw0rd123", "p@ssw0rd123", "admin12345", "admin123456", "administrator", "woaini1314",
    "woaini1314520", "iloveyou123", "5201314520", "abc1234567", "abcdefghij", "abcd123456", "aa12345678", "asdfghjkl1",
    "zxcvbnm123", "letmein1234", "welcome1234", "changeme123", "shapan12345", "wanhuxincun", "police12345",
    "jingcha110", "police110110", "11223344556", "1122334455"])
# fmt: on
_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """argon2id hash with parameters and a new salt."""
    return _HASHER.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """
    Whether `password` is the one that was stored.

    It takes as long when nothing is stored (an unknown name, an account without password), so that an answer's time
    does not tell which names exist.
    """
    try:
        _HASHER.verify(stored or _hash_of_nothing(), password[:MAX_LENGTH])
    except (Argon2Error, InvalidHashError):
        return False
    return stored is not None


def needs_new_hash(stored: str) -> bool:
    """Whether it was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _hash_of_nothing() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def make_password() -> str:
    """A first password to hand over: 80 random bits, easy to read out."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQR"  # no 0 O 1 l I: read from paper
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(3))


def check_password(password: str, *, name: str) -> str:
    """
    `password` when it may be one.

    Raises
    ------
    BadRecordError
        It is too short or too long, the account's name, one character repeated, or among those tried first.
    """
    plain = password.strip().lower()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        problem = f"has {len(password)} characters, expected {MIN_LENGTH} to {MAX_LENGTH}"
    elif len(plain) < MIN_LENGTH or len(set(plain)) < 4:
        problem = "has hardly any different characters"
    elif name.lower() in plain and len(plain) - len(name) < MIN_LENGTH - 2:
        problem = "is little more than the account's name"
    elif plain in _COMMON:
        problem = "is among those that everybody tries first"
    else:
        return password
    raise BadRecordError(f"The password {problem}. Choose another, e.g. four words that do not belong together.")
