"""Orienteering and team-orienteering instances in the two plain formats in use; errors name the line."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gis.errors import BadFileError

_SEPARATORS = re.compile(r"[\s;,]+")
_HEADER = {"n": "points", "m": "paths", "tmax": "budget"}


@dataclass(frozen=True)
class Instance:
    """
    One instance.

    Attributes
    ----------
    name
        Of its file.
    xy
        Places, shape (n, 2), Euclidean, in the unit of the budget.
    scores
        Shape (n,).
    tmax
        Budget of each path.
    paths
        How many, from 1.
    start, end
        Rows of the places where each path starts and ends.
    """

    name: str
    xy: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    scores: np.ndarray[tuple[int], np.dtype[np.float64]]
    tmax: float
    paths: int
    start: int
    end: int


def read_instance(path: Path) -> Instance:
    """
    Read a file of places `x y S`.

    Before them `Tmax P` (Tsiligirides: first place the start, second the end), or lines `n N`, `m M`, `tmax T` (Chao,
    Golden and Wasil: first place the start, last the end).

    Raises
    ------
    BadFileError
        What cannot be read, with the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"{path}: cannot be read ({error}), expected a text file of places.") from error
    lines = [
        (number, fields)
        for number, line in enumerate(text.splitlines(), start=1)
        if (fields := [field for field in _SEPARATORS.split(line.strip()) if field]) and not line.startswith("#")
    ]
    if not lines:
        raise BadFileError(f"{path}: is empty, expected a budget and places.")
    header: dict[str, float] = {}
    while lines and lines[0][1][0].lower() in _HEADER:
        number, fields = lines.pop(0)
        header[fields[0].lower()] = _read_numbers(path, number, fields[1:], 1)[0]
    is_plain = not header
    if is_plain:
        number, fields = lines.pop(0)
        header["tmax"], header["m"] = _read_numbers(path, number, fields, 2)
    missing = [name for name in ("m", "tmax") if name not in header]
    if missing:
        raise BadFileError(f"{path}: the header lacks {' and '.join(missing)}, expected lines n, m and tmax.")
    rows = [_read_numbers(path, number, fields, 3) for number, fields in lines]
    if len(rows) < 2 or ("n" in header and header["n"] != len(rows)):
        expected = f"{header['n']:g}, as its header says" if "n" in header else "at least a start and an end"
        raise BadFileError(f"{path}: has {len(rows)} places, expected {expected}.")
    if header["tmax"] < 0 or header["m"] < 1 or header["m"] % 1:
        raise BadFileError(
            f"{path}: budget {header['tmax']:g} for {header['m']:g} paths, expected a budget and whole paths from 1."
        )
    values = np.array(rows, dtype=np.float64)
    end = 1 if is_plain else len(rows) - 1
    return Instance(path.name, values[:, :2], values[:, 2], header["tmax"], int(header["m"]), 0, end)


def _read_numbers(path: Path, line: int, fields: list[str], count: int) -> list[float]:
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise BadFileError(f"{path}, line {line}: '{' '.join(fields)[:60]}', expected {count} numbers.")
    return numbers
