"""What every method of the analysis gives back: what it was asked, what it used, the rows, and the sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from i18n import Language, t


@dataclass(frozen=True)
class Answer:
    """An answer that explains itself."""

    method: str
    """Name on the command line, e.g. gi-star"""
    asked: Mapping[str, object]
    """Parameters, defaults filled in, with units in their names"""
    n_used: int
    """Records that the figures rest on"""
    rows: pd.DataFrame
    """The result row by row, see the method"""
    figures: Mapping[str, object]
    """The result as a whole, see the method"""
    said: str
    """Key of the sentence in the catalogue's section `analysis`"""
    words: Mapping[str, object] = field(default_factory=dict)
    """What the sentence's blanks are filled with; a key of the catalogue is said in the reader's language"""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Records that were not used, by reason"""

    def sentence(self, lang: Language) -> str:
        """What a commander reads."""
        words = {
            name: t(word, lang) if isinstance(word, str) and word.startswith("analysis.") else word
            for name, word in self.words.items()
        }
        return t(f"analysis.{self.said}", lang, **words)

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold; what is not a finite number becomes null."""
        return {**self.head(), "rows": list(self.iter_rows())}

    def head(self) -> dict[str, object]:
        """As `to_dict`, without the rows."""
        return {
            "method": self.method,
            "sentence": self.sentence("en"),
            "sentence_zh": self.sentence("zh"),
            "asked": to_plain(self.asked),
            "used": {"n": self.n_used, "left_out": dict(self.left_out)},
            "figures": to_plain(self.figures),
        }

    def iter_rows(self, block: int = 20_000) -> Iterator[dict[str, object]]:
        """Rows as JSON knows them, some at a time: there may be a million."""
        names = [str(name) for name in self.rows.columns]
        for start in range(0, len(self.rows), block):
            some = self.rows.iloc[start : start + block]
            columns = [_to_list(some[name]) for name in self.rows.columns]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))


def _to_list(column: pd.Series) -> list[object]:
    kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else "O"
    if kind in "iub":
        return list(column.tolist())
    if kind == "f":
        values = column.to_numpy()
        whole = values.astype(object)
        whole[~np.isfinite(values)] = None
        return list(whole)
    return [to_plain(value) for value in column.tolist()]


def to_plain(value: object) -> object:
    """`value` as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(name): to_plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return [to_plain(one) for one in value.tolist()]
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, bool | int | str):
        return value
    return str(value)
