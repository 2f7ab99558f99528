"""Where a layer is: its CRS found or refused, axes straightened, and far or impossible records told apart."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from data.importing.layer import Layer
from data.importing.options import ImportOptions
from data.importing.report import ImportReport
from gis.crs import (
    WGS84,
    crs_label,
    get_crs,
    is_plausible_degrees,
    outside_area_of_use,
    straighten_axes,
    transform_xy,
)
from gis.errors import CrsMismatchError, CrsUnknownError, RefusedError
from gis.repair import has_finite_coordinates

Coordinates = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# A community is about 1 km across, the largest district about 30: what lies farther than this is another place.
FAR_KM: Final = 50.0
_NO_CRS: Final = (
    "{source}: the file names no coordinate system{why}. Name it, e.g. --crs EPSG:4549 (CGCS2000, central meridian "
    "120° E) or --crs EPSG:4326 (WGS 84 degrees)."
)


_NAME_IT: Final = "Name their coordinate system with --crs."
_WRONG_IN_FILE: Final = (
    "The file names the wrong system: set the layer's coordinate system right in the program that it comes from and "
    "export it again; of a Shapefile the .prj may be taken away and the system named with --crs."
)


def find_crs(layer: Layer, options: ImportOptions) -> None:
    """
    Decide `layer.crs` and put its coordinates into (east, north) order.

    Raises
    ------
    CrsUnknownError
        Nobody named one.
    CrsMismatchError
        The file and --crs disagree, or the numbers cannot be what was said.
    """
    if layer.geometry is None:
        return
    xy = _middles(layer.geometry)
    finite = xy[np.isfinite(xy).all(axis=1)]
    degrees = bool(len(finite)) and is_plausible_degrees(np.median(finite, axis=0)[None, :])
    if layer.crs is None:
        if not len(finite) and not layer.declared_crs:
            layer.crs, layer.crs_from = options.crs or WGS84, "no geometry in it"
        elif layer.declared_crs:
            layer.crs, layer.crs_from = layer.declared_crs, "from the file"
            _check_same(layer, options)
        elif options.crs:
            layer.crs, layer.crs_from = options.crs, "from --crs"
        elif layer.source.lower().endswith(("json",)) and degrees:
            layer.crs, layer.crs_from = WGS84, "GeoJSON without crs is WGS 84 by RFC 7946"
        else:
            why = " and its numbers are no degrees" if layer.source.lower().endswith("json") else ""
            if why and (hint := _swapped_hint(np.median(finite, axis=0))):
                raise CrsMismatchError(f"{layer.source}: its numbers are no (longitude, latitude).{hint}")
            raise CrsUnknownError(_NO_CRS.format(source=layer.source, why=why))
    if not len(finite):
        return
    _check_unit(layer, degrees, np.median(finite, axis=0))
    if get_crs(layer.crs).is_projected:
        try:
            _, layer.axes = straighten_axes(finite, layer.crs)
        except CrsMismatchError as error:
            raise CrsMismatchError(f"{layer.source}: {error}") from error
        if layer.axes:
            crs, middle = layer.crs, np.median(finite, axis=0)
            offset = straighten_axes(middle[None, :], crs)[0][0]
            swap = "swapped" in layer.axes
            shift = offset - (middle[::-1] if swap else middle)
            layer.geometry = np.asarray(
                shapely.transform(layer.geometry, lambda p: (p[:, ::-1] if swap else p) + shift), dtype=object
            )


def _middles(geometry: npt.NDArray[np.object_]) -> Coordinates:
    """Middle of each geometry's box, shape (n, 2); NaN where it is missing or empty."""
    box = shapely.bounds(geometry)
    return np.column_stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2])


def _check_same(layer: Layer, options: ImportOptions) -> None:
    if not options.crs or not layer.crs:
        return
    said, asked = get_crs(layer.crs), get_crs(options.crs)
    if not said.equals(asked, ignore_axis_order=True) and said.to_authority(min_confidence=70) != asked.to_authority(
        min_confidence=70
    ):
        raise CrsMismatchError(
            f"{layer.source}: the file says {crs_label(layer.crs)}, --crs says {crs_label(options.crs)}. Leave out "
            "--crs, or import files that name no coordinate system by themselves."
        )


def _swapped_hint(middle: Coordinates) -> str:
    is_swapped = abs(middle[0]) <= 90 < abs(middle[1]) <= 180
    return " They look like (latitude, longitude): swap them and export again." if is_swapped else ""


def _check_unit(layer: Layer, degrees: bool, middle: Coordinates) -> None:
    label = crs_label(layer.crs or "")
    # Against what a file says --crs is refused: then only the file can be corrected.
    own = layer.crs_from == "from the file"
    if get_crs(layer.crs or "").is_geographic and not degrees:
        hint = _swapped_hint(middle)
        raise CrsMismatchError(
            f"{layer.source}: coordinates around ({middle[0]:.3f}, {middle[1]:.3f}) are said to be degrees of "
            f"{label}, but degrees end at 180 and 90"
            + (f".{hint}" if hint else f"; these look like metres. {_WRONG_IN_FILE if own else _NAME_IT}")
        )
    if not get_crs(layer.crs or "").is_geographic and degrees:
        raise CrsMismatchError(
            f"{layer.source}: coordinates around ({middle[0]:.6f}, {middle[1]:.6f}) are said to be metres of {label}, "
            "but they look like degrees. "
            + (
                _WRONG_IN_FILE
                if own
                else "Leave out --crs where the file is in WGS 84 degrees, or name --crs EPSG:4326."
            )
        )


def to_lonlat(layer: Layer) -> Coordinates:
    """Middle of each record in degrees, shape (n, 2); NaN where it is missing."""
    if layer.geometry is None or layer.crs is None:
        return np.full((len(layer.frame), 2), np.nan)
    lonlat = transform_xy(_middles(layer.geometry), layer.crs, WGS84)
    return np.where(np.isfinite(lonlat), lonlat, np.nan)


def refuse_impossible(layer: Layer, report: ImportReport, names: pd.Series | None) -> None:
    """Records with NaN, infinite or impossible coordinates are refused and lose their geometry."""
    if layer.geometry is None or layer.crs is None:
        return
    infinite = ~has_finite_coordinates(layer.geometry)
    there = ~shapely.is_missing(layer.geometry) & ~shapely.is_empty(layer.geometry) & ~infinite
    outside = np.zeros(len(layer.frame), dtype=bool)
    outside[there] = outside_area_of_use(_middles(layer.geometry)[there], layer.crs)
    labels = layer.labels(names)
    report.add_mask("refused", "not_finite", layer.source, "have a coordinate that is no number", infinite, labels)
    sentence = f"lie outside the area of use of {crs_label(layer.crs)}"
    if there.any() and outside[there].all():
        middle = np.nanmedian(_middles(layer.geometry)[there], axis=0)
        raise RefusedError(
            f"{layer.source}: all {int(there.sum()):,} records {sentence}: they are around ({middle[0]:.3f}, "
            f"{middle[1]:.3f}). Name the coordinate system that the file is in with --crs."
        )
    report.add_mask("refused", "outside_crs", layer.source, sentence, outside, labels)
    layer.geometry[infinite | outside] = None


def refuse_far(
    layer: Layer,
    centre: tuple[float, float],
    radius_km: float,
    what: str,
    report: ImportReport,
    names: pd.Series | None,
) -> None:
    """
    Records farther than 50 km from the community are refused; when all are, the import is.

    `centre` is (lon, lat) in degrees, `radius_km` how far the community itself reaches from there.
    """
    if layer.geometry is None:
        return
    lonlat = to_lonlat(layer)
    there = np.isfinite(lonlat).all(axis=1)
    if not there.any():
        return
    distance_km = np.zeros(len(lonlat))
    geod = pyproj.Geod(ellps="GRS80")
    lon0, lat0 = np.full(int(there.sum()), centre[0]), np.full(int(there.sum()), centre[1])
    distance_km[there] = geod.inv(lon0, lat0, lonlat[there, 0], lonlat[there, 1])[2] / 1000.0
    far = there & (distance_km > FAR_KM + radius_km)
    if far.sum() == there.sum():
        raise RefusedError(
            f"{layer.source}: lies {np.median(distance_km[there]):,.0f} km from {what}; at most {FAR_KM:g} km are one "
            "community. Import another place into its own store: shapan import FOLDER --store NAME."
        )
    report.add_mask(
        "refused", "far", layer.source, f"lie more than {FAR_KM:g} km from {what}", far, layer.labels(names)
    )
    layer.geometry[far] = None
