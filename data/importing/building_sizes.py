"""Height, storeys, base and cellars of buildings as a file says them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.importing.getting import ColumnGetter
from data.importing.layer import Layer
from data.importing.report import FIRST_ROWS, ImportReport
from data.importing.storeys import find_storeys, read_storeys
from data.importing.values import to_numbers

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# The tallest building of the world has 828 m (Burj Khalifa); 上海中心大厦 has 632 m.
MAX_HEIGHT_M: Final = 1000.0
MAX_FLOORS: Final = 200
_MAX_BELOW: Final = 20


@dataclass
class Sizes:
    """Shape (n,) each, NaN where the file says nothing; `bad` are the rows whose values are impossible."""

    height_m: Numbers
    floors: Numbers
    base_m: Numbers
    floors_below: Numbers
    bad: Mask


def read_sizes(
    column: ColumnGetter, layer: Layer, labels: npt.NDArray[np.object_], good: Mask, report: ImportReport
) -> Sizes:
    """
    What the columns say; what cannot be read or cannot be is refused with its value.
    """
    height_text = column("height_m").fillna(column.tag("height"))
    in_storeys = find_storeys(height_text)
    report.add_mask(
        "derived", "storeys_in_height", layer.source, "heights that are given in storeys", in_storeys & good, labels
    )
    floors_text = column("floors_above").fillna(column.tag("building:levels"))
    storeys = read_storeys(floors_text.fillna(height_text.where(pd.Series(in_storeys, index=height_text.index))))
    below_text = column("floors_below").fillna(column.tag("building:levels:underground"))
    below, below_unreadable = to_numbers(below_text)
    words = read_storeys(below_text.where(pd.Series(below_unreadable, index=below_text.index)))
    below = np.where(np.isnan(below), np.where(np.isnan(words.below), words.above, words.below), below)
    # -1 and 1 storeys below the ground are the same.
    below = np.where(np.isnan(below), storeys.below, np.abs(below))
    height, no_height = to_numbers(height_text.mask(pd.Series(in_storeys, index=height_text.index)))
    base, no_base = to_numbers(column("base_m").fillna(column.tag("min_height")))
    report.add_mask(
        "noted",
        "storeys_range",
        layer.source,
        "buildings with a range of storeys, of which the higher is taken",
        storeys.ranged & good,
        labels,
    )
    bad = np.zeros(len(labels), dtype=bool)
    for name, text, numbers, unreadable, high in (
        ("height_m", height_text, height, no_height, MAX_HEIGHT_M),
        ("floors_above", floors_text, storeys.above, storeys.unreadable, MAX_FLOORS),
        ("base_m", column("base_m"), base, no_base, MAX_HEIGHT_M),
        ("floors_below", below_text, below, below_unreadable & words.unreadable, _MAX_BELOW),
    ):
        with np.errstate(invalid="ignore"):
            wrong = good & (unreadable | (numbers < 0) | (numbers > high))
        _refuse(report, name, (text, numbers), unreadable, wrong, high, layer, labels)
        numbers[wrong] = np.nan
        bad |= wrong
    return Sizes(height, storeys.above, base, below, bad)


def _refuse(
    report: ImportReport,
    name: str,
    said: tuple[pd.Series, Numbers],
    unreadable: Mask,
    wrong: Mask,
    high: float,
    layer: Layer,
    labels: npt.NDArray[np.object_],
) -> None:
    """Say which rows have an impossible value, and which value."""
    text, numbers = said
    first = np.flatnonzero(wrong)[:FIRST_ROWS]
    shown = [str(text.iloc[i])[:20] if unreadable[i] else f"{numbers[i]:g}" for i in first]
    report.add(
        "refused",
        f"{name}_impossible",
        layer.source,
        f"have an impossible {name}, expected 0 to {high:g}",
        count=int(wrong.sum()),
        rows=[
            f"Building {labels[i]}: {name} is {value}, expected 0 to {high:g}"
            for i, value in zip(first, shown, strict=True)
        ],
    )
