"""Boundary and grids: from files, else made from what stands there."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.getting import ColumnGetter
from data.importing.incoming import Incoming, build_ids, merge_duplicates, report_repairs
from data.importing.layer import Layer
from data.importing.outlines import MAX_GAP_M, close_rings, join_rings
from data.importing.report import ImportReport
from data.importing.values import to_numbers
from gis.errors import BadFileError
from gis.repair import repair_areas
from gis.tessellate import build_boundary, count_grids, split_grids

Geometries = npt.NDArray[np.object_]
_TOLERANCE_M2: Final = 1.0
_SHARE_NOTED: Final = 0.02


def read_boundary(layers: list[Layer], report: ImportReport) -> tuple[shapely.Geometry, str | None] | None:
    """Outer boundary of the files and its name; closed lines count as areas."""
    found: list[shapely.Geometry] = []
    name: str | None = None
    gap_m: float | None = None
    for layer in layers:
        column = ColumnGetter(layer.canonical("boundary"))
        names = column("name")
        geometry = layer.geometry if layer.geometry is not None else np.array([], dtype=object)
        geometry = _close(layer, geometry, report, layer.labels(names))
        open_lines = geometry[(shapely.get_dimensions(geometry) == 1) & ~shapely.is_closed(geometry)]
        if len(open_lines) and not (shapely.get_dimensions(geometry) == 2).any():
            joined, gap_m = join_rings(open_lines)
            report.add(
                "repaired",
                "ring_joined",
                layer.source,
                "lines that meet end to end joined to the boundary",
                count=len(open_lines) if len(joined) else 0,
            )
            geometry = joined if len(joined) else geometry
        repaired = repair_areas(geometry)
        repairs = repaired.changed
        if len(geometry) == len(names):
            report_repairs(report, layer.source, repairs, layer.labels(names))
        found.extend(repaired.geometries[~shapely.is_missing(repaired.geometries)])
        if name is None and names.notna().any():
            name = str(names.dropna().iloc[0])
    if not found:
        _refuse_open(layers, gap_m)
        return None
    whole = shapely.union_all(found)
    report.add(
        "found", "boundary", ", ".join(layer.source for layer in layers), f"boundary of {whole.area / 1e6:.2f} km²"
    )
    return whole, name


def _close(layer: Layer, geometry: Geometries, report: ImportReport, labels: npt.NDArray[np.object_]) -> Geometries:
    """Outlines that nearly close are closed, and said to be."""
    closed, changed = close_rings(geometry)
    report.add_mask("repaired", "ring_closed", layer.source, "outlines drawn as lines taken as areas", changed, labels)
    return closed


def _refuse_open(layers: list[Layer], gap_m: float | None) -> None:
    """A boundary that encloses nothing must not be replaced by one of ours in silence."""
    if any(len(layer.frame) for layer in layers):
        sources = ", ".join(layer.source for layer in layers)
        gap = f": its ends are {gap_m:,.1f} m apart" if gap_m else ""
        raise BadFileError(
            f"{sources}: the boundary encloses nothing{gap}. Give it as an area, or as a line that closes (ends less "
            f"than {MAX_GAP_M:g} m apart); without this file a boundary is made around the buildings."
        )


def read_grids(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `grids` from files; gaps and overlaps are said, not repaired: they are the office's decision."""
    frames, labels = [], []
    for layer in layers:
        column = ColumnGetter(layer.canonical("grid"))
        name = column("name")
        label = layer.labels(name)
        geometry = layer.geometry if layer.geometry is not None else np.full(len(name), None, dtype=object)
        geometry = _close(layer, geometry, report, label)
        repaired = repair_areas(geometry)
        report_repairs(report, layer.source, repaired.changed, label)
        number, _ = to_numbers(column("number").fillna(name.str.extract(r"(\d+)", expand=False)))
        frame = pd.DataFrame(
            {
                "grid_id": build_ids("grid-", column("id"), layer.original, [name]),
                "number": number,
                "name": name,
                "source": "file",
                "geom": repaired.geometries,
            }
        )
        keep = ~shapely.is_missing(repaired.geometries)
        frames.append(frame[keep])
        labels.append(label[keep])
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return None
    source = ", ".join(layer.source for layer in layers)
    keep = merge_duplicates(frame, "grid_id", np.concatenate(labels), source, report, compare=["name"])
    frame = frame[keep].reset_index(drop=True)
    if frame["number"].isna().any() or frame["number"].duplicated().any():
        report.add("derived", "grid_numbers", source, "grids numbered in the order of the file", count=len(frame))
        frame["number"] = np.arange(1, len(frame) + 1)
    frame["number"] = frame["number"].astype(np.int64)
    frame["name"] = frame["name"].fillna("第" + frame["number"].astype("str") + "网格")
    geometry = frame["geom"].to_numpy(dtype=object)
    overlap_m2 = float(shapely.area(geometry).sum() - shapely.union_all(geometry).area)
    if overlap_m2 > _TOLERANCE_M2:
        report.add("noted", "grids_overlap", source, f"grids overlap, by {overlap_m2:,.0f} m² in all", count=len(frame))
    return Incoming("grids", "grid_id", frame)


def note_uncovered(
    grids: pd.DataFrame, boundary: shapely.Geometry, buildings: pd.DataFrame | None, report: ImportReport
) -> None:
    """Say where grids of files and the boundary do not fit together, and which buildings are in no grid."""
    whole = shapely.union_all(grids["geom"].to_numpy(dtype=object))
    for sentence, left in (
        ("of the boundary are in no grid", shapely.difference(boundary, whole)),
        ("of the grids lie outside the boundary", shapely.difference(whole, boundary)),
    ):
        # A line drawn twice is a metre off; a grid forgotten is more.
        if (area_m2 := float(shapely.area(left))) > float(shapely.area(boundary)) * _SHARE_NOTED:
            report.add("noted", "grids_and_boundary", "grids", f"m² {sentence}", count=round(area_m2))
    if buildings is not None:
        report.add_mask(
            "noted",
            "building_without_grid",
            "grids",
            "buildings lie in no grid: they are on the table, but in no grid's figures",
            buildings["grid_id"].isna().to_numpy(dtype=bool),
            buildings["name"].fillna(buildings["building_id"]).to_numpy(dtype=object),
        )


def make_boundary(geometries: Geometries, report: ImportReport) -> shapely.Polygon:
    """Boundary around what was imported."""
    boundary = shapely.set_precision(build_boundary(geometries), 0.001)
    report.add("derived", "boundary", "community", f"boundary made around the buildings: {boundary.area / 1e6:.2f} km²")
    return boundary


def make_grids(boundary: shapely.Geometry, points: npt.NDArray[np.float64], report: ImportReport) -> Incoming:
    """Grids of about 0.065 km², alike in area and buildings."""
    parts = split_grids(boundary, points, count_grids(float(shapely.area(boundary))))
    number = np.arange(1, len(parts) + 1)
    report.add("derived", "grids", "community", "grids made, alike in area and number of buildings", count=len(parts))
    frame = pd.DataFrame(
        {
            "grid_id": [f"grid-{i:03d}" for i in number],
            "number": number,
            "name": [f"第{i}网格" for i in number],
            "source": "derived",
            "geom": parts,
        }
    )
    return Incoming("grids", "grid_id", frame)


def find_grid(places: Geometries, grids: pd.DataFrame) -> pd.Series:
    """Grid that holds a point inside each place; missing where none does."""
    result = np.full(len(places), None, dtype=object)
    if len(grids) and len(places):
        inside = shapely.point_on_surface(places)
        tree = shapely.STRtree(grids["geom"].to_numpy(dtype=object))
        place, grid = tree.query(inside, predicate="intersects")
        # On a common border the lower number wins: reversed, so that the first is written last.
        order = np.lexsort([-grids["number"].to_numpy()[grid], place])
        result[place[order]] = grids["grid_id"].to_numpy(dtype=object)[grid[order]]
    return pd.Series(result, dtype="str")
