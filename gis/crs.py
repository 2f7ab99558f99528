"""
Coordinate systems: which one a community is kept in, what a file's numbers can be, how to get from one to the other.

Everything is always (x, y) = (east, north) or (lon, lat), whatever order the authority defines.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError
from pyproj.transformer import AreaOfInterest, TransformerGroup

from gis.errors import CrsMismatchError, CrsUnknownError

Coordinates = npt.NDArray[np.float64]
Geometries = npt.NDArray[np.object_]

WGS84: Final = "EPSG:4326"
# Area of use of EPSG:4490 (CGCS2000) in the EPSG register: China, onshore and offshore.
_CHINA_DEG: Final = (73.62, 16.70, 134.77, 53.56)
# EPSG:4534 is the 3-degree zone of 75 degrees east (zone 25), EPSG:4554 that of 135 degrees (zone 45).
_FIRST_ZONE_EPSG: Final = 4534
_FIRST_ZONE: Final = 25
# Communities at the edge of a zone are often surveyed in the neighbour's: half a degree is let through.
AREA_OF_USE_MARGIN_DEG: Final = 0.5
_ONE_DATUM: Final = ("World Geodetic System 1984", "WGS_1984", "WGS 84", "China 2000", "China_2000", "CGCS2000")
# No false easting and no zone without prefix reaches a million metres; every prefixed easting does.
_PREFIX_UNIT_M: Final = 1_000_000.0


@lru_cache(maxsize=64)
def get_crs(text: str) -> pyproj.CRS:
    """The CRS that `text` names (`EPSG:4549`, WKT, PROJ); `CrsUnknownError` when nobody knows it."""
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise CrsUnknownError(
            f"Coordinate system '{text[:80]}' is not known: expected AUTHORITY:CODE, e.g. EPSG:4549 for CGCS2000 "
            "with central meridian 120° E. Correct --crs."
        ) from error


def crs_label(text: str) -> str:
    """Short name of a CRS for a sentence: its code where it has one, and its name."""
    crs = get_crs(text)
    code = crs.to_authority(min_confidence=70)
    return f"{':'.join(code)} ({crs.name})" if code else crs.name


def is_in_china(lon_deg: float, lat_deg: float) -> bool:
    """Whether a place lies in the box of CGCS2000's area of use. The box also holds strips of the neighbours."""
    west, south, east, north = _CHINA_DEG
    return west <= lon_deg <= east and south <= lat_deg <= north


def choose_metric_crs(lon_deg: float, lat_deg: float) -> str:
    """
    Metric CRS for a community: CGCS2000 3-degree zone without prefix in China, UTM on WGS 84 elsewhere.

    >>> choose_metric_crs(120.17, 33.39), choose_metric_crs(117.2, 31.77), choose_metric_crs(11.6, 48.1)
    ('EPSG:4549', 'EPSG:4548', 'EPSG:32632')
    """
    if is_in_china(lon_deg, lat_deg):
        zone = min(max(round(lon_deg / 3.0), _FIRST_ZONE), _FIRST_ZONE + 20)
        return f"EPSG:{_FIRST_ZONE_EPSG + zone - _FIRST_ZONE}"
    utm_zone = min(int((lon_deg + 180.0) // 6.0) + 1, 60)
    return f"EPSG:{(32600 if lat_deg >= 0 else 32700) + utm_zone}"


def is_plausible_degrees(xy: Coordinates) -> bool:
    """Whether every finite point can be (longitude, latitude)."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    return bool(len(finite)) and bool((np.abs(finite[:, 0]) <= 180.0).all() and (np.abs(finite[:, 1]) <= 90.0).all())


def transform_xy(xy: Coordinates, source: str, target: str) -> Coordinates:
    """Coordinates of shape (n, 2) from one CRS into another; what cannot be computed becomes infinite."""
    if not len(xy) or source == target:
        return xy
    transformer = _transformer(source, target)
    x, y = transformer.transform(xy[:, 0], xy[:, 1])
    return np.column_stack([x, y])


def transform_geometries(geometries: Geometries, source: str, target: str) -> Geometries:
    """Geometries from one CRS into another, the missing ones left missing."""
    if source == target:
        return geometries
    return np.asarray(shapely.transform(geometries, lambda xy: transform_xy(xy, source, target)), dtype=object)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(get_crs(source), get_crs(target), always_xy=True)


def outside_area_of_use(xy: Coordinates, crs: str) -> npt.NDArray[np.bool_]:
    """Which points, shape (n, 2) in `crs`, lie outside what the CRS is for, by more than half a degree."""
    area = get_crs(crs).area_of_use
    lonlat = transform_xy(xy, crs, WGS84)
    bad: npt.NDArray[np.bool_] = np.asarray(~np.isfinite(lonlat).all(axis=1), dtype=np.bool_)
    if get_crs(crs).is_projected:
        # Far outside, the inverse of a projection wraps around the earth and lands anywhere.
        with np.errstate(invalid="ignore"):
            back_m = np.abs(transform_xy(lonlat, WGS84, crs) - xy).max(axis=1, initial=0.0)
        bad |= np.asarray(~(back_m < 1.0), dtype=np.bool_)
    if area is None:
        return bad
    margin = AREA_OF_USE_MARGIN_DEG
    with np.errstate(invalid="ignore"):
        if area.west <= area.east:
            bad |= (lonlat[:, 0] < area.west - margin) | (lonlat[:, 0] > area.east + margin)
        bad |= (lonlat[:, 1] < area.south - margin) | (lonlat[:, 1] > area.north + margin)
    return bad


def straighten_axes(xy: Coordinates, crs: str) -> tuple[Coordinates, str | None]:
    """
    Surveyors' coordinates put into (east, north) order, with or without zone prefix as `crs` wants.

    In China X is north in surveyors' tables. The order is told by magnitude: of the two readings
    the one that lies in the area of use of `crs` is taken. A prefix (40 in 40,515,816.79) must be the zone of `crs`.

    Parameters
    ----------
    xy
        Numbers as in the file, shape (n, 2), metres.
    crs
        Projected CRS that the user or the file named.

    Returns
    -------
    Coordinates (east, north), shape (n, 2), and what was done, None when nothing.

    Raises
    ------
    CrsMismatchError
        The prefix is another zone's, or no reading lies in the area of use.
    """
    finite = xy[np.isfinite(xy).all(axis=1)]
    if get_crs(crs).is_geographic or not len(finite):
        return xy, None
    middle = np.median(finite, axis=0)
    readings = {False: middle, True: middle[::-1]}
    fitting = [
        (swapped, offset)
        for swapped, reading in readings.items()
        if (offset := _prefix_offset_m(float(reading[0]), crs)) is not None
        and not outside_area_of_use(np.array([[reading[0] + offset, reading[1]]]), crs)[0]
    ]
    if not fitting:
        _check_prefix(readings, crs)
        area = get_crs(crs).area_of_use
        raise CrsMismatchError(
            f"Coordinates around ({middle[0]:.3f}, {middle[1]:.3f}) lie outside the area of use of {crs_label(crs)}"
            f"{f' ({area.west:g} to {area.east:g}° E, {area.south:g} to {area.north:g}° N)' if area else ''}, "
            "in either order of the axes. Name the coordinate system that the file is in with --crs."
        )
    swapped, offset = fitting[0]
    straight = xy[:, ::-1] if swapped else xy
    straight = straight + np.array([offset, 0.0])
    done = ["axes swapped: X is north in the file"] if swapped else []
    if offset:
        done.append(f"zone prefix {'taken off' if offset < 0 else 'added'}: easting {offset:+,.0f} m")
    return straight, "; ".join(done) or None


def _false_easting_m(crs: str) -> tuple[float, float] | None:
    operation = get_crs(crs).coordinate_operation
    if operation is None:
        return None
    values = {parameter.name: parameter.value for parameter in operation.params}
    if "False easting" not in values or "Longitude of natural origin" not in values:
        return None
    return float(values["False easting"]), float(values["Longitude of natural origin"])


def _zones(meridian_deg: float) -> set[int]:
    """Zone numbers that have this central meridian: n / 3 for 3-degree zones, (n + 3) / 6 for 6-degree zones."""
    zones = {round(meridian_deg / 3.0)} if meridian_deg % 3 == 0 else set()
    return zones | ({round((meridian_deg + 3.0) / 6.0)} if (meridian_deg + 3.0) % 6 == 0 else set())


def _prefix_offset_m(easting_m: float, crs: str) -> float | None:
    """What to add to an easting so that its prefix is as `crs` wants; None when it is another zone's."""
    origin = _false_easting_m(crs)
    if origin is None:
        return 0.0
    false_easting_m, meridian_deg = origin
    wanted = false_easting_m // _PREFIX_UNIT_M
    found = easting_m // _PREFIX_UNIT_M
    if found == wanted:
        return 0.0
    if (found and (not 13 <= found <= 45 or int(found) not in _zones(meridian_deg))) or (wanted and found):
        return None
    return float((wanted - found) * _PREFIX_UNIT_M)


def _check_prefix(readings: dict[bool, Coordinates], crs: str) -> None:
    origin = _false_easting_m(crs)
    for reading in readings.values():
        prefix = int(reading[0] // _PREFIX_UNIT_M)
        if origin and 13 <= prefix <= 45 and prefix not in _zones(origin[1]):
            meridian = prefix * 3 if prefix >= _FIRST_ZONE else prefix * 6 - 3
            raise CrsMismatchError(
                f"Easting {reading[0]:,.3f} begins with zone {prefix} (central meridian {meridian}° E), but "
                f"{crs_label(crs)} has central meridian {origin[1]:g}° E. Name the system of zone {prefix} with --crs."
            )


def datum_shift_m(lon_deg: float, lat_deg: float, source: str, target: str) -> tuple[float, str | None]:
    """
    How far a place moves because its datum is changed, metres, and by which published operation.

    None for the operation where none is published or none is needed: the numbers are taken over as they are, and
    the shift is 0. WGS 84 and CGCS2000 are the same here, as EPSG has it (they differ by centimetres).
    """
    base_source, base_target = get_crs(source).geodetic_crs, get_crs(target).geodetic_crs
    if base_source is None or base_target is None or is_same_datum(source, target):
        return 0.0, None
    aoi = AreaOfInterest(lon_deg - 0.1, lat_deg - 0.1, lon_deg + 0.1, lat_deg + 0.1)
    group = TransformerGroup(base_source, base_target, always_xy=True, area_of_interest=aoi)
    best = next((t for t in group.transformers if "Ballpark" not in t.description), None)
    if best is None:
        return 0.0, None
    lon, lat = best.transform(lon_deg, lat_deg)
    return float(pyproj.Geod(ellps="WGS84").inv(lon_deg, lat_deg, lon, lat)[2]), best.description


def is_same_datum(source: str, target: str) -> bool:
    """Whether numbers may be taken over as they are: one datum, or WGS 84 and CGCS2000."""
    names = {
        str(crs.datum.name if crs.datum else "").split(" ensemble")[0] for crs in map(_base, (source, target)) if crs
    }
    return len(names) == 1 or all(any(known in name for known in _ONE_DATUM) for name in names)


def _base(text: str) -> pyproj.CRS | None:
    return get_crs(text).geodetic_crs
