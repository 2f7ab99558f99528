"""
The tree of kinds of incident: which kinds stand together, and what a kind may say about itself.

A tree has two levels or more (报警 › 盗窃 › 盗窃电动自行车). A *group* is what stands directly over kinds that have
nothing below them: people choose by groups, whatever stands above those.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping

import pandas as pd

from gis.errors import BadRecordError

URGENCIES = ("urgent", "normal", "not_police")
LONGEST_SYMBOL = 2
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# As docs/decisions/2026-11-23-red-is-an-alarm.md has it: nothing saturated lies within 25 degrees of red.
_RED_WITHIN_DEG, _RED_SATURATION = 25.0, 0.5


Parents = Mapping[str, str | None]
"""Each kind by its code with the kind above, None at the top."""


def to_parents(kinds: pd.DataFrame) -> dict[str, str | None]:
    """The tree of a frame with the columns category and parent, in its order."""
    pairs = zip(kinds["category"].astype(str), kinds["parent"], strict=True)
    return {code: parent if isinstance(parent, str) else None for code, parent in pairs}


def list_groups(parents: Parents) -> list[str]:
    """The groups, in the order of the tree; what stands alone is one too."""
    above = {parent for parent in parents.values() if parent in parents}
    over_leaves = {parent for code, parent in parents.items() if code not in above}
    return [
        code
        for code, parent in parents.items()
        if code in over_leaves or (code not in above and (parent is None or parent not in parents))
    ]


def map_to_groups(parents: Parents) -> dict[str, str]:
    """The group of each kind, itself when it is one; the top of the tree above it where there is none."""
    groups = set(list_groups(parents))

    def find(code: str) -> str:
        seen: set[str] = set()
        while code not in groups and code not in seen and (parent := parents.get(code)) in parents:
            seen.add(code)
            code = str(parent)
        return code

    return {code: find(code) for code in parents}


def list_below(parents: Parents, code: str) -> set[str]:
    """The kind and every kind under it."""
    found, waiting = {code}, [code]
    while waiting:
        above = waiting.pop()
        below = {one for one, parent in parents.items() if parent == above} - found
        found |= below
        waiting += below
    return found


def check_colour(colour: str) -> str:
    """`colour` as it is stored; `BadRecordError` for what is none, or is the red of an open alarm."""
    if not _COLOUR.fullmatch(colour):
        raise BadRecordError(f"Colour '{colour[:20]}': expected six hexadecimal digits, e.g. #7fb4ff.")
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, saturation, _ = colorsys.rgb_to_hsv(red, green, blue)
    if saturation > _RED_SATURATION and min(hue, 1 - hue) * 360 <= _RED_WITHIN_DEG:
        raise BadRecordError(f"Colour '{colour}' is a saturated red: that is kept for open alarms. Choose another one.")
    return colour.lower()
