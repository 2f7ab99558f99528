"""Storeys and heights of buildings as people write them: 地上6层地下1层, 6F, 5-6, 18 米; each value is read once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.addresses.numerals import to_canonical_number
from data.importing.values import NOTHING_SAID

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_CHINESE: Final = re.compile("[〇零一二三四五六七八九十百两]+")
_S: Final = "(?:层|楼|F)?"
# Each expression gives (above, below): named groups `above`, `below`, `more` (added), `upto` (the higher of a range).
_STOREYS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:地上|地面)?(?P<above>-?\d+(?:\.\d+)?){_S}",
        rf"(?P<above>\d+){_S}\+(?P<more>\d+){_S}",
        rf"(?:地上)?(?P<above>\d+){_S}[-~至到](?P<upto>\d+){_S}",
        rf"(?P<above>\d+){_S}\(?局部(?P<upto>\d+){_S}\)?",
        r"(?P<above>\d+)层半",
        rf"地上(?P<above>\d+){_S}[,、;/和]?地下(?P<below>\d+){_S}",
        rf"地下(?P<below>\d+){_S}[,、;/和]?地上(?P<above>\d+){_S}",
        rf"(?P<above>\d+){_S}/(?:-|B)(?P<below>\d+){_S}",
        rf"(?:-|B)(?P<below>\d+){_S}/(?P<above>\d+){_S}",
        r"B(?P<below>\d+)F(?P<above>\d+)",
    )
)
_WITH_WORD: Final = re.compile(r"(?:地上)?\d+(?:\.\d+)?(?:层|楼|F)(?:[-~至到+/地].*)?")
_LEVEL: Final = re.compile(rf"第?(?P<up>\d+){_S}(?:/\d+{_S})?|(?:-|负|地下|B)(?P<down>\d+){_S}")


@dataclass
class Storeys:
    """
    What a column of storeys says.

    Attributes
    ----------
    above, below
        Numbers, NaN where nothing or nothing readable is said.
    unreadable
        Rows with words that are no number of storeys.
    ranged
        Rows with a range (5-6), of which the higher is taken.
    """

    above: Numbers
    below: Numbers
    unreadable: Mask
    ranged: Mask


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    return _CHINESE.sub(lambda match: to_canonical_number(match[0]), folded)


@cache
def _read_storeys(text: str) -> tuple[float, float, bool, bool]:
    """(above, below, unreadable, ranged) of one value."""
    folded = _fold(text)
    if folded.lower() in NOTHING_SAID:
        return np.nan, np.nan, False, False
    for pattern in _STOREYS:
        if (match := pattern.fullmatch(folded)) is not None:
            said = {name: float(value) for name, value in match.groupdict().items() if value is not None}
            above = said.get("above", np.nan) + said.get("more", 0.0)
            if folded.endswith("层半"):
                above += 0.5
            return max(above, said.get("upto", above)), said.get("below", np.nan), False, "upto" in said
    return np.nan, np.nan, True, False


def read_storeys(text: pd.Series) -> Storeys:
    """Storeys above and below the ground of a column of text."""
    codes, values = pd.factorize(text)  # a column of storeys says the same few things again and again
    found = [*map(_read_storeys, values), (np.nan, np.nan, False, False)]  # the last is for nothing said: code -1
    above, below, unreadable, ranged = (np.array(part)[codes] for part in zip(*found, strict=True))
    return Storeys(above.astype(np.float64), below.astype(np.float64), unreadable, ranged)


def find_storeys(text: pd.Series) -> Mask:
    """Where a column of heights has storeys instead: 6层, 6F."""
    codes, values = pd.factorize(text)
    return np.array([*(_WITH_WORD.fullmatch(_fold(value)) is not None for value in values), False])[codes]


@cache
def _read_level(text: str) -> float:
    match = _LEVEL.fullmatch(_fold(text))
    if match is None:
        return np.nan
    return float(match["up"]) if match["up"] else -float(match["down"])


def read_levels(text: pd.Series) -> Numbers:
    """Storey that something is on: 3, 3层, 第三层, 3/6, B1, 负一层; NaN where nothing readable is said."""
    return np.array([_read_level(value) if isinstance(value, str) else np.nan for value in text], dtype=np.float64)
