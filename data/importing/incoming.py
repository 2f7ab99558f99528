"""Rows on their way into one table, and the ids that make an import repeatable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.report import ImportReport
from data.importing.values import hash_ids

Geometries = npt.NDArray[np.object_]


@dataclass
class Incoming:
    """
    Rows for one table.

    Attributes
    ----------
    table, key
        Table and its key column.
    frame
        Columns of the schema, missing where the file says nothing: then a row of the store keeps what it has. Geometry
        in `geom` as shapely objects in the community's CRS.
    defaults
        What a new row gets where `frame` is missing, same index.
    """

    table: str
    key: str
    frame: pd.DataFrame
    defaults: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __post_init__(self) -> None:
        if self.defaults.empty:
            self.defaults = pd.DataFrame(index=self.frame.index)


def build_ids(prefix: str, own: pd.Series, geometry: Geometries | None, texts: list[pd.Series]) -> pd.Series:
    """The source's own id with a letter for the table, else a hash of geometry (as in the file) and texts."""
    ids = prefix + own
    missing = np.flatnonzero(own.isna())
    if len(missing):
        wkb = shapely.to_wkb(geometry[missing], output_dimension=2) if geometry is not None else [b""] * len(missing)
        columns = [text.iloc[missing].fillna("").tolist() for text in texts]
        made = [hash_ids(f"{prefix}h", list(parts)) for parts in zip(wkb, *columns, strict=True)]
        ids = ids.fillna(pd.Series(made, index=ids.index[missing], dtype="str"))
    return ids


def merge_duplicates(
    frame: pd.DataFrame,
    key: str,
    labels: npt.NDArray[np.object_],
    source: str,
    report: ImportReport,
    *,
    compare: list[str],
) -> npt.NDArray[np.bool_]:
    """
    Rows of one id made one: the same geometry is kept once, touching pieces (a tile's cut) are joined.

    Rows of one id that differ in `compare`, or lie apart, are refused, all of them.

    Returns
    -------
    Mask of the rows to keep; `frame` is changed in place.
    """
    keep = np.ones(len(frame), dtype=bool)
    repeated = np.flatnonzero(frame[key].duplicated(keep=False))
    if not len(repeated):
        return keep
    geometry = frame["geom"].to_numpy(dtype=object).copy() if "geom" in frame else None
    same = joined = 0
    bad: list[str] = []
    bad_count = 0
    for _, rows in pd.Series(repeated).groupby(frame[key].to_numpy()[repeated], sort=False):
        group = rows.to_numpy()
        keep[group[1:]] = False
        agree = all(frame[column].iloc[group].nunique(dropna=False) == 1 for column in compare)
        if geometry is not None and agree:
            distinct = list({shapely.to_wkb(shapely.normalize(g)): g for g in geometry[group]}.values())
            whole = shapely.union_all(distinct) if len(distinct) > 1 else distinct[0]
            if len(distinct) == 1:
                same += len(group) - 1
            elif _is_one_piece(whole):
                geometry[group[0]] = whole
                joined += len(group) - 1
            else:
                agree = False
        elif agree:
            same += len(group) - 1
        if not agree:
            keep[group[0]] = False
            bad_count += len(group)
            bad.append(f"id {frame[key].iloc[group[0]]}: " + ", ".join(labels[group[:4]]))
    if geometry is not None:
        frame["geom"] = geometry
    report.add("repaired", "same_twice", source, "records that stand there twice, kept once", count=same)
    report.add("repaired", "pieces_joined", source, "pieces of one id that touch, joined to the first", count=joined)
    report.add("refused", "duplicate_id", source, "share their id with a different record", count=bad_count, rows=bad)
    return keep


def _is_one_piece(geometry: shapely.Geometry) -> bool:
    """Whether pieces touch; a tenth of a metre is bridged: tiles are cut with rounded coordinates."""
    return len(shapely.get_parts(geometry)) == 1 or shapely.buffer(geometry, 0.05).geom_type == "Polygon"


def report_repairs(
    report: ImportReport, source: str, changed: dict[str, npt.NDArray[np.bool_]], labels: npt.NDArray[np.object_]
) -> None:
    """Say what geometry repair did."""
    sentences = {
        "empty": "records without geometry, left out",
        "made_valid": "invalid outlines made valid",
        "sliver_dropped": "outlines with parts below 0.25 m², which were dropped",
        "not_an_area": "records that are no area, left out",
        "area_from_closed_line": "closed lines taken as areas",
        "not_a_line": "records that are no line, left out",
        "too_short": "lines with parts shorter than 5 cm, which were dropped",
        "repeated_points": "lines with a point given twice, kept once",
        "point_inside": "areas and lines given a point inside",
        "missing": "records without geometry, left out",
    }
    for rule, mask in changed.items():
        report.add_mask("repaired", rule, source, sentences[rule], mask, labels)
