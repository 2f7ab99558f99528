"""Cells as numbers, dates and times, whole columns at once; what cannot be read is told apart from what is missing."""

from __future__ import annotations

import hashlib
from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]
_NUMBER: Final = r"^约?\s*([+-]?\d+(?:\.\d+)?)\s*(?:m|米|M|公尺|m2|㎡|平方米|平米|层|F|f|人|间|张|个|户|年)?\s*$"
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_YES: Final = frozenset({"是", "1", "true", "yes", "y", "有", "疑似", "t"})
_DATE_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分",
    "%Y年%m月%d日",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
)


def to_numbers(text: pd.Series) -> tuple[npt.NDArray[np.float64], Mask]:
    """Numbers, NaN where missing or unreadable, and the mask of the unreadable. Infinite counts as unreadable."""
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan).copy()
    rest = np.isnan(numbers) & text.notna().to_numpy()
    if rest.any():
        found = text[rest].str.extract(_NUMBER, expand=False)
        numbers[rest] = pd.to_numeric(found, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unreadable = text.notna().to_numpy() & ~np.isfinite(numbers)
    numbers[unreadable] = np.nan
    return numbers, unreadable


def to_times_utc(text: pd.Series) -> tuple[pd.Series, Mask]:
    """
    Times as naive UTC; text without an offset is Asia/Shanghai. Missing and unreadable are NaT; mask of the unreadable.
    """
    codes, unique = pd.factorize(text)
    parsed = _parse_times(pd.Series(unique, dtype="str"))
    utc = pd.Series(parsed.reindex(codes).to_numpy(), index=text.index).astype("datetime64[us]")
    plausible = utc.isna() | utc.between(pd.Timestamp(1980, 1, 1), pd.Timestamp(2100, 1, 1))
    utc = utc.where(plausible)
    return utc, (text.notna() & utc.isna()).to_numpy()


def _parse_times(text: pd.Series) -> pd.Series:
    clean = text.where(text.str.contains(r"^\d{4}", regex=True, na=False))
    clean = clean.str.replace("T", " ", regex=False).str.replace(r"\.\d+$", "", regex=True)
    with_offset = clean.str.contains(r"(?:[+-]\d{2}:?\d{2}|Z)$", regex=True, na=False) & clean.str.contains(
        ":", na=False
    )
    local = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    for style in _DATE_FORMATS:
        left = local.isna() & clean.notna() & ~with_offset
        if not left.any():
            break
        local[left] = pd.to_datetime(clean[left], format=style, errors="coerce").astype("datetime64[us]")
    zoned = local.dt.tz_localize(SHANGHAI, ambiguous="NaT", nonexistent="shift_forward")
    utc = zoned.dt.tz_convert("UTC").dt.tz_localize(None)
    if with_offset.any():
        aware = pd.to_datetime(clean[with_offset], format="ISO8601", utc=True, errors="coerce")
        utc[with_offset] = aware.dt.tz_localize(None).astype("datetime64[us]")
    times: pd.Series = utc
    return times


def to_dates(text: pd.Series) -> pd.Series:
    """Days, NaT where missing or unreadable."""
    utc, _ = to_times_utc(text)
    days: pd.Series = utc.dt.tz_localize("UTC").dt.tz_convert(SHANGHAI).dt.tz_localize(None).dt.normalize()
    return days


def to_clock_times(text: pd.Series) -> list[time | None]:
    """Times of day, `22:00` or `22时`."""
    found = text.str.extract(r"^(\d{1,2})\s*[:：时点]\s*(\d{2})?")
    return [
        time(int(h), int(m) if isinstance(m, str) else 0)
        if isinstance(h, str) and int(h) < 24 and (not isinstance(m, str) or int(m) < 60)
        else None
        for h, m in zip(found[0], found[1], strict=True)
    ]


def to_flags(text: pd.Series) -> pd.Series:
    """Yes or no; missing stays missing."""
    flags: pd.Series = text.str.lower().isin(_YES).astype("object").where(text.notna(), None)
    return flags


def hash_ids(prefix: str, parts: list[object]) -> str:
    """Id from what a record says, the same for the same content."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\x1f")
    return f"{prefix}{digest.hexdigest()}"
