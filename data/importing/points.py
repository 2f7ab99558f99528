"""Coordinates in the columns of a table: degrees or metres, made into points."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from data.importing.values import to_numbers
from gis.crs import WGS84, is_plausible_degrees
from gis.errors import CrsUnknownError

_PAIR: Final = r"^\s*[\[(【（]?\s*([+-]?\d+(?:\.\d+)?)\s*[,，;\s]\s*([+-]?\d+(?:\.\d+)?)"


def attach_points(layer: Layer, options: ImportOptions, report: ImportReport) -> None:
    """
    Give a table its geometry where it has coordinate columns.

    经度/纬度 are degrees and taken as WGS 84; X and Y are degrees when they can be, else metres of --crs.

    Raises
    ------
    CrsUnknownError
        X and Y in metres, and no --crs.
    """
    if layer.geometry is not None or layer.kind is None:
        return
    ours = layer.canonical(layer.kind)
    if {"lon", "lat"} <= set(ours) and ours["lon"].notna().any():
        _attach(layer, ours["lon"], ours["lat"], WGS84, "longitude and latitude columns", report)
    elif "lonlat" in ours and ours["lonlat"].notna().any():
        pair = ours["lonlat"].str.extract(_PAIR)
        _attach(layer, pair[0], pair[1], WGS84, "longitude and latitude in one column", report)
    elif {"x", "y"} <= set(ours) and ours["x"].notna().any():
        numbers = np.column_stack([to_numbers(ours["x"])[0], to_numbers(ours["y"])[0]])
        degrees = is_plausible_degrees(numbers[np.isfinite(numbers).all(axis=1)][:1000])
        if not degrees and not options.crs:
            raise CrsUnknownError(
                f"{layer.source}: its X and Y are metres of a coordinate system that the table does not name. Name "
                "it, e.g. --crs EPSG:4549 (CGCS2000, central meridian 120° E)."
            )
        crs, said = (WGS84, "X and Y in degrees") if degrees else (options.crs or WGS84, "from --crs")
        _attach(layer, ours["x"], ours["y"], crs, said, report)


def _attach(layer: Layer, x: pd.Series, y: pd.Series, crs: str, said: str, report: ImportReport) -> None:
    first, bad_x = to_numbers(x)
    second, bad_y = to_numbers(y)
    bad: npt.NDArray[np.bool_] = bad_x | bad_y
    report.add_mask(
        "refused", "coordinate_unreadable", layer.source, "have a coordinate that is no number", bad, layer.labels()
    )
    zero = (first == 0) | (second == 0)
    report.add_mask("noted", "coordinate_zero", layer.source, "coordinates are 0, taken as not known", zero)
    there = np.isfinite(first) & np.isfinite(second) & ~zero
    layer.geometry = np.full(len(layer.frame), None, dtype=object)
    layer.geometry[there] = shapely.points(first[there], second[there])
    layer.crs, layer.crs_from = crs, said
    if crs == WGS84 and there.any():
        report.add(
            "noted",
            "map_service_coordinates",
            layer.source,
            "coordinates in degrees taken as WGS 84: from 高德, 腾讯 or 百度 they would be hundreds of metres off",
            count=int(there.sum()),
        )
