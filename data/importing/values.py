"""Cells as numbers, whole columns at once; what cannot be read is told apart from what is missing."""

from __future__ import annotations

import hashlib
from datetime import time
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Mask = npt.NDArray[np.bool_]
# Units after NFKC: ㎡ and m² are m2.
_NUMBER: Final = (
    r"^(?:大?约|≈|~)?\s*([+-]?\d+(?:\.\d+)?)\s*"
    r"(?:m|米|M|公尺|m2|M2|平方米|平方|平米|平|层|楼|F|f|口人|人|间|张|个|户|年)?(?:左右)?$"
)
_THOUSANDS: Final = r"^\D?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?:\D|$)"
# What people write where they know nothing.
NOTHING_SAID: Final = frozenset(
    {
        "无",
        "未知",
        "不详",
        "不明",
        "待查",
        "暂无",
        "没有",
        "-",
        "--",
        "---",
        "—",
        "——",
        "?",
        "n/a",
        "na",
        "none",
        "null",
        "unknown",
    }
)
_YES: Final = frozenset({"是", "1", "true", "yes", "y", "有", "疑似", "t"})


def to_numbers(text: pd.Series) -> tuple[npt.NDArray[np.float64], Mask]:
    """Numbers, NaN where missing or unreadable, and the mask of the unreadable. Infinite counts as unreadable."""
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan).copy()
    there = text.notna().to_numpy(dtype=bool).copy()
    rest = np.isnan(numbers) & there
    if rest.any():
        said = text[rest].str.normalize("NFKC").str.strip()
        there[rest] = ~said.str.lower().isin(NOTHING_SAID).to_numpy()
        grouped = said.str.contains(_THOUSANDS, regex=True, na=False)
        said = said.where(~grouped, said.str.replace(",", "", regex=False))
        found = said.str.extract(_NUMBER, expand=False)
        numbers[rest] = pd.to_numeric(found, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    unreadable = there & ~np.isfinite(numbers)
    numbers[unreadable] = np.nan
    return numbers, unreadable


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
