"""Numbers of buildings: in a column of their own or in the name, as 12, 12幢, 十二栋, A座, 西区12号楼, 阳光花园12幢."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from data.addresses import parse_address
from data.importing.columns import coalesce, match_columns
from data.importing.layer import Layer

# 12, 012, A3, 12A, 12-1, 十二, 甲, A, 12号: what stands in a column of numbers without its word.
_STEMS: Final = "甲乙丙丁戊己庚辛"
_BARE: Final = (
    rf"(?:[A-Za-z{_STEMS}]?\d{{1,4}}(?:-\d{{1,2}})?[A-Za-z]?|[一二三四五六七八九十百]{{1,4}}|[A-Za-z{_STEMS}])号?"
)


def read_building_numbers(layer: Layer, name: pd.Series) -> pd.DataFrame:
    """
    `number`, `zone` and `name` of each building; missing where nothing is said.

    A place before the number is the zone: 西区, or the estate where the community has several (阳光花园12幢). A name
    that is nothing but the bare number gets its word.
    """
    own = match_columns("building_number", list(layer.frame.columns))
    said, estate = (coalesce(layer.frame, own.get(what, [])) for what in ("number", "estate"))
    # 12 alone is a number where every name is one; among words it may be anything.
    all_bare = bool(name.notna().any()) and bool(name.dropna().str.fullmatch(_BARE).all())
    by_column, by_name = _read(said, bare=True), _read(name, bare=all_bare)
    number = by_column["number"].fillna(by_name["number"])
    zone = by_column["zone"].fillna(by_name["zone"])
    before = by_column["estate"].fillna(by_name["estate"]).fillna(estate.where(number.notna()))
    if before.nunique() > 1:
        zone = (before.fillna("") + zone.fillna("")).where(before.notna() | zone.notna())
    is_bare = name.str.fullmatch(_BARE, na=False) & number.notna()
    spoken = number + "幢"
    return pd.DataFrame({"number": number, "zone": zone, "name": name.mask(is_bare, spoken).fillna(spoken)})


def _read(texts: pd.Series, *, bare: bool) -> pd.DataFrame:
    """Number, zone and what stands before them, of texts that say a building and nothing in it."""
    codes, values = pd.factorize(texts)
    found: list[tuple[str | None, str | None, str | None]] = [(None, None, None)] * (len(values) + 1)  # last: not said
    for at, value in enumerate(values):
        text = value.removesuffix("号") + "幢" if bare and re.fullmatch(_BARE, value) else value
        parsed = parse_address(text)
        # A remark in brackets may follow (3号楼（商住）); a word may not (12幢老年活动室 is a place in it).
        is_whole = not parsed.remainder or text.endswith((")", "）"))
        if parsed.building and is_whole and not (parsed.unit or parsed.room or parsed.prefix):
            found[at] = (parsed.building, parsed.zone or None, parsed.community or None)
    rows = np.array(found, dtype=object)[codes]
    return pd.DataFrame(rows, columns=["number", "zone", "estate"], index=texts.index).astype("str")
