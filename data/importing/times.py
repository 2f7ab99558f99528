"""Dates and times as people and programs write them, whole columns at once; what cannot be read is told apart."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.importing.layer import Layer
from data.importing.report import ImportReport

Mask = npt.NDArray[np.bool_]
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_WEEKDAY: Final = r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?"
_HALF: Final = "上午|下午|凌晨|早上|中午|傍晚|晚上|夜间|[AaPp][Mm]"
# Groups: year, month, day, half of the day before, hour, minute, second, half of the day behind.
_MOMENT: Final = (
    r"^(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?"
    rf"(?:[ ,T]*({_HALF})?[ ]*(\d{{1,2}})(?:(?::|时|点)(?:(\d{{1,2}})(?:分|:)?(?:(\d{{1,2}})秒?)?)?)[ ]*({_HALF})?)?$"
)
_COMPACT: Final = r"^((?:19|20)\d{2})(\d{2})(\d{2})()[T ]?(?:(\d{2}):?(\d{2}):?(\d{2})?)?()$"
_AFTERNOON: Final = frozenset({"下午", "傍晚", "晚上", "夜间", "PM", "中午"})
_MORNING: Final = frozenset({"上午", "凌晨", "早上", "AM"})
# Days since 1899-12-30, as spreadsheets keep a date, of five digits: 1927 to 2100.
_SERIAL: Final = (10_000.0, 73_050.0)
# Nothing that a register or an incident tells of happened before; people are born earlier.
_FIRST, _LAST = pd.Timestamp(1980, 1, 1), pd.Timestamp(2100, 1, 1)
_FIRST_DAY: Final = pd.Timestamp(1900, 1, 1)


def to_times_utc(text: pd.Series) -> tuple[pd.Series, Mask]:
    """
    Times as naive UTC; text without an offset is Asia/Shanghai. Missing and unreadable are NaT; mask of the unreadable.

    Read are 2025-03-08 14:30, 2025/3/8, 2025.3.8, 2025年3月8日14时30分, 下午2:30, 20250308143005, ISO 8601 with an
    offset, seconds or milliseconds since 1970, and days of a spreadsheet (45724.604). What leaves open which number is
    the month (8/3/2025), or how many digits it has (2025115), is not.
    """
    utc = _read_once(text)
    utc = utc.where(utc.isna() | utc.between(_FIRST, _LAST))
    return utc, (text.notna() & utc.isna()).to_numpy()


def _read_once(text: pd.Series) -> pd.Series:
    """Each distinct text is read once."""
    codes, unique = pd.factorize(text)
    if not len(unique):
        return pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    parsed = _parse_times(pd.Series(unique, dtype="str"))
    return pd.Series(parsed.reindex(codes).to_numpy(), index=text.index).astype("datetime64[us]")


def to_dates(text: pd.Series) -> pd.Series:
    """Days from 1900 to 2100, NaT where missing or unreadable."""
    utc = _read_once(text)
    utc = utc.where(utc.between(_FIRST_DAY, _LAST))
    days: pd.Series = utc.dt.tz_localize("UTC").dt.tz_convert(SHANGHAI).dt.tz_localize(None).dt.normalize()
    return days


def read_dates(text: pd.Series, name: str, layer: Layer, report: ImportReport) -> pd.Series:
    """Days; the rows whose `name` is no date are in the report, and have none."""
    days = to_dates(text)
    unreadable = (text.notna() & days.isna()).to_numpy(dtype=bool)
    report.add_mask(
        "noted",
        f"{name}_unreadable",
        layer.source,
        f"dates in {name} are none that can be read (expected e.g. 2025-03-08), left empty",
        unreadable,
        layer.labels(),
    )
    return days


def _parse_times(text: pd.Series) -> pd.Series:
    quick = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")
    # What programs write is read at once; only the rest is looked at in detail.
    for mark, style in (("-", "%Y-%m-%d %H:%M:%S"), ("/", "%Y/%m/%d %H:%M:%S")):
        fits = text.str.len().between(14, 19) & (text.str.slice(4, 5) == mark)
        if fits.any():
            quick[fits] = pd.to_datetime(text[fits], format=style, errors="coerce").astype("datetime64[us]")
    rest = quick.isna()
    utc = _to_utc(quick)
    if rest.any():
        utc[rest] = _parse_rest(text[rest])
    return utc


def _to_utc(local: pd.Series) -> pd.Series:
    """Times of Asia/Shanghai as naive UTC."""
    zoned = local.dt.tz_localize(SHANGHAI, ambiguous="NaT", nonexistent="shift_forward")
    utc: pd.Series = zoned.dt.tz_convert("UTC").dt.tz_localize(None)
    return utc


def _parse_rest(text: pd.Series) -> pd.Series:
    clean = text.str.normalize("NFKC").str.strip().str.replace(_WEEKDAY, " ", regex=True)
    clean = clean.str.replace(r"(:\d{2})\.\d+", r"\1", regex=True).str.replace(r"\s+", " ", regex=True).str.strip()
    with_offset = clean.str.contains(r"^\d{4}.*:.*(?:[+-]\d{2}:?\d{2}|Z)$", regex=True, na=False)
    local = _from_parts(clean.str.extract(_MOMENT))
    local = local.fillna(_from_parts(clean.str.extract(_COMPACT)))
    local = local.fillna(_from_serial(clean))
    local = local.mask(with_offset)
    utc = _to_utc(local).fillna(_from_epoch(clean))
    if with_offset.any():
        iso = clean[with_offset].str.replace("/", "-", regex=False)
        aware = pd.to_datetime(iso, format="ISO8601", utc=True, errors="coerce")
        utc[with_offset] = aware.dt.tz_localize(None).astype("datetime64[us]")
    times: pd.Series = utc
    return times


def _to_float(text: pd.Series) -> pd.Series:
    numbers: pd.Series = pd.to_numeric(text, errors="coerce").astype(np.float64)
    return numbers


def _from_parts(parts: pd.DataFrame) -> pd.Series:
    """Local times of (year, month, day, half, hour, minute, second, half); NaT where there is no such moment."""
    numbers = parts[[0, 1, 2, 4, 5, 6]].apply(_to_float)
    days = pd.to_datetime(
        numbers[[0, 1, 2]].set_axis(["year", "month", "day"], axis="columns"), errors="coerce"
    ).astype("datetime64[us]")
    hour, minute, second = (numbers[i].fillna(0.0) for i in (4, 5, 6))
    half = parts[3].where(parts[3].fillna("") != "").fillna(parts[7]).fillna("").str.upper()
    late, early = half.isin(_AFTERNOON), half.isin(_MORNING)
    # Nobody says which midnight 晚上12点 is; 中午11点 is before noon.
    doubtful = (hour > 12) & (half == "AM") | (hour == 12) & half.isin({"晚上", "夜间"})
    hour = hour.mask(late & (hour < 12) & ~((half == "中午") & (hour >= 10)), hour + 12)
    hour = hour.mask(early & (hour == 12) & half.isin({"AM", "凌晨"}), 0)
    is_clock = (hour < 24) & (minute < 60) & (second < 60) | (hour == 24) & (minute == 0) & (second == 0)
    seconds = (hour * 3600 + minute * 60 + second).where(is_clock & ~doubtful)
    moments: pd.Series = days + pd.to_timedelta(seconds, unit="s")
    return moments.astype("datetime64[us]")


def _from_serial(text: pd.Series) -> pd.Series:
    """Local times of a spreadsheet's days, to the second."""
    days = _to_float(text.where(text.str.contains(r"^\d{5}(?:\.\d+)?$", regex=True, na=False)))
    seconds = (days.where(days.between(*_SERIAL)) * 86_400).round()
    moments: pd.Series = pd.Timestamp(1899, 12, 30) + pd.to_timedelta(seconds, unit="s")
    return moments.astype("datetime64[us]")


def _from_epoch(text: pd.Series) -> pd.Series:
    """UTC of seconds or milliseconds since 1970, up to 2030: what begins with 19 or 20 is a date without marks."""
    number = _to_float(text.where(text.str.contains(r"^1[0-8]\d{8}(?:\d{3})?$", regex=True, na=False)))
    moments: pd.Series = pd.to_datetime(number.where(number < 1e11, number / 1000), unit="s")
    return moments.astype("datetime64[us]")
