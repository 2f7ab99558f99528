"""One layer or table as read: columns as they came, geometry as read, and what is known about its CRS and encoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.columns import coalesce, match_columns
from data.importing.kinds import Kind, Shape

Geometries = npt.NDArray[np.object_]


@dataclass
class Layer:
    """
    One layer of a file.

    Attributes
    ----------
    source
        File, and layer where the file has several: what the report calls it.
    name
        Name of the layer, else of the file without ending.
    frame
        Columns as they came, index 0 to n-1.
    geometry
        As read, shape (n,), None where missing; None for tables.
    crs, crs_from
        Coordinate system of `geometry` and who said so: `file`, `RFC 7946` or `--crs`.
    declared_crs
        What the file itself says, None when nothing.
    encoding
        Encoding of its text where that had to be decided.
    first_row
        Number of the first record in the file, as a person counts: 2 for tables with a header line.
    row_numbers
        Number of each record in the file where they do not simply follow each other.
    records
        Records in the file, also where the body was not read.
    kind
        What the layer is taken as, None for nothing that is imported.
    axes
        What was done to put its coordinates into (east, north) order.
    persons
        Fields about persons that are kept, by their name in the schema, index of `frame`; they are in `frame` no more.
    original
        Geometry as in the file, after `geometry` was brought into the community's CRS: what ids are made of.
    """

    source: str
    name: str
    frame: pd.DataFrame
    geometry: Geometries | None = None
    crs: str | None = None
    crs_from: str | None = None
    declared_crs: str | None = None
    encoding: str | None = None
    first_row: int = 1
    row_numbers: list[int] | None = None
    records: int = 0
    kind: Kind | None = None
    axes: str | None = None
    original: Geometries | None = None
    persons: pd.DataFrame | None = None

    @property
    def shape(self) -> Shape:
        """The kind of most of its geometries."""
        if self.geometry is None:
            return "none"
        dimensions = shapely.get_dimensions(self.geometry[~shapely.is_missing(self.geometry)])
        counts = np.bincount(dimensions[dimensions >= 0], minlength=3)
        shapes: tuple[Shape, ...] = ("point", "line", "area")
        # Tile cuts mix areas with their label points: areas decide.
        if counts[2]:
            return "area"
        return shapes[int(np.argmax(counts))] if counts.any() else "none"

    @property
    def is_unplaced(self) -> bool:
        """Whether a record has no geometry."""
        return self.geometry is None or bool(shapely.is_missing(self.geometry).any())

    @property
    def has_lines(self) -> bool:
        """Whether a line is among its geometries."""
        return self.geometry is not None and bool((shapely.get_dimensions(self.geometry) == 1).any())

    def drop(self, mask: npt.NDArray[np.bool_]) -> None:
        """Take records out; the others keep their number."""
        numbers = self.row_numbers or list(range(self.first_row, self.first_row + len(self.frame)))
        self.row_numbers = [number for number, gone in zip(numbers, mask, strict=True) if not gone]
        self.frame = self.frame[~mask].reset_index(drop=True)
        if self.geometry is not None:
            self.geometry = self.geometry[~mask]

    def canonical(self, kind: str) -> pd.DataFrame:
        """Our columns, as text, those that the file has."""
        matched = match_columns(kind, list(self.frame.columns))
        return pd.DataFrame(
            {ours: coalesce(self.frame, theirs) for ours, theirs in matched.items()}, index=self.frame.index
        )

    def labels(self, names: pd.Series | None = None) -> npt.NDArray[np.object_]:
        """How each record is called in a sentence: `'12幢' (row 42)`."""
        numbers = self.row_numbers or range(self.first_row, self.first_row + len(self.frame))
        rows = np.array([f"row {i}" for i in numbers], dtype=object)
        if names is None or not names.notna().any():
            return rows
        there = names.notna().to_numpy()
        short = names.fillna("").str.slice(0, 40).to_numpy(dtype=object)
        rows[there] = np.array([f"'{n}' ({r})" for n, r in zip(short[there], rows[there], strict=True)], dtype=object)
        return rows
