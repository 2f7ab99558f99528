"""One-way streets: what files say about them, and which way a piece runs after the ways were cut."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

# https://wiki.openstreetmap.org/wiki/Key:oneway; what changes with the hour or the traffic is taken as both ways.
_ALONG: Final = "yes true 1 1.0 是 有 单行 单向 单行道 单行线 单行路 单向通行 正向 顺向"
_AGAINST: Final = "-1 -1.0 reverse 反向 逆向"
_BOTH: Final = "no false 0 0.0 否 无 双行 双向 双行道 双向通行 reversible alternating"
_WORDS: Final = {word: way for way, words in ((1, _ALONG), (-1, _AGAINST), (0, _BOTH)) for word in words.split()}
# Extracts by https://download.geofabrik.de: F along, T against, B both. Elsewhere t and f are true and false.
_LETTERS: Final = {"f": 1, "t": -1, "b": 0}
_TRUTHS: Final = {"t": 1, "f": 0}
# One-way without being told so: https://wiki.openstreetmap.org/wiki/Key:oneway#Implied_oneway_restriction
_IMPLIED: Final = frozenset({"motorway"})
_ROUND: Final = frozenset({"roundabout", "circular", "环岛"})
_NEAR: Final = 0.02
"""Share of a piece on either side of its middle by which its direction is told."""


def read_one_way(words: pd.Series, junction: pd.Series, highway: pd.Series) -> tuple[Integers, Booleans]:
    """
    1, -1 or 0 for each way, and where the word is not known.

    Parameters
    ----------
    words, junction, highway
        Columns of the file or tags, text, missing where nothing is said.
    """
    said = words.str.strip().str.lower()
    letters = _LETTERS if (said == "b").any() else _TRUTHS
    found = said.map({**_WORDS, **letters})
    unknown = (said.notna() & (said != "") & found.isna()).to_numpy(dtype=bool)
    implied = junction.str.lower().isin(_ROUND) | highway.isin(_IMPLIED)
    value = np.where(found.notna(), found.fillna(0), implied.fillna(False))
    return value.astype(np.int64), unknown


def read_own_way(words: pd.Series, opposite: pd.Series | None = None) -> tuple[pd.Series, Booleans]:
    """
    1, -1 or 0 where a way says something of its own to bicycles or to feet, else missing; and where the word is not
    known.

    Parameters
    ----------
    words
        Of `oneway:bicycle` or `oneway:foot`.
    opposite
        Of `cycleway`: `opposite`, `opposite_lane`, … are the older words for a one-way street that bicycles use both
        ways (https://wiki.openstreetmap.org/wiki/Tag:cycleway%3Dopposite).
    """
    said = words.str.strip().str.lower()
    found = said.map({**_WORDS, **_TRUTHS})
    unknown = (said.notna() & (said != "") & found.isna()).to_numpy(dtype=bool)
    if opposite is not None:
        found = found.mask(found.isna() & opposite.str.lower().str.startswith("opposite").fillna(False), 0)
    return found.astype("Int64"), unknown


def orient_pieces(pieces: Geometries, courses: Geometries, is_directed: Booleans) -> tuple[Geometries, Integers]:
    """
    Pieces of one-way streets in a direction of their own, which a second import finds again; -1 where it is turned,
    else 1.

    Parameters
    ----------
    pieces
        Lines, shape (n,), whose direction the cutting may have turned.
    courses
        The way that each was cut from, as the file has it: a line, or the parts of one.
    is_directed
        Whether anybody may go one way only; of other pieces the direction says nothing and stays.
    """
    pieces, signs = pieces.copy(), np.ones(len(pieces), dtype=np.int64)
    for index in np.flatnonzero(is_directed).tolist():
        piece = shapely.normalize(pieces[index])
        middle = shapely.line_interpolate_point(piece, 0.5, normalized=True)
        parts = shapely.get_parts(courses[index])
        part = parts[int(np.argmin(shapely.distance(parts, middle)))]
        before, behind = (
            shapely.line_locate_point(part, shapely.line_interpolate_point(piece, 0.5 + side, normalized=True))
            for side in (-_NEAR, _NEAR)
        )
        pieces[index] = piece
        signs[index] = 1 if before <= behind else -1
    return pieces, signs
