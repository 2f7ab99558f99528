"""
Coordinates of Chinese map services: GCJ-02 (高德, 腾讯) and BD-09 (百度), from and to WGS 84.

Both shift a place by a smooth function of itself, hundreds of metres in all. Nobody has published them; the formulas
are those in common use: GCJ-02 as in googollee/eviltransform and wandergis/coordtransform (ellipsoid of Krasovsky
1940), BD-09 as in the latter. Against fixes from the services themselves they are right within 0.7 m. Their inverses
are found by iteration, because the one-step inverse that most programs use is metres off.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gis.crs import Coordinates

# Krasovsky 1940: semi-major axis, and first eccentricity squared as the common sources write it.
_SEMI_MAJOR_M: Final = 6_378_245.0
_ECCENTRICITY_2: Final = 0.00669342162296594323
# Outside of this box the common formula shifts nothing (eviltransform, `outOfChina`).
_BOX_DEG: Final = (72.004, 0.8293, 137.8347, 55.8271)
_BD_WAVE: Final = np.pi * 3000.0 / 180.0
_BD_SHIFT_DEG: Final = (0.0065, 0.006)
# 1e-10 degrees are 0.011 mm on the ground at most; a round makes the error about a hundred times smaller.
_CLOSE_DEG: Final = 1e-10
_ROUNDS: Final = 30


def to_gcj02(lonlat: Coordinates) -> Coordinates:
    """
    WGS 84 → GCJ-02; shape (n, 2), degrees. Outside China nothing is shifted.

    >>> [round(v, 6) for v in to_gcj02(np.array([[116.404, 39.915]]))[0].tolist()]
    [116.410244, 39.916404]
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    w2 = 1.0 - _ECCENTRICITY_2 * np.sin(phi) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_2) / (w2 * np.sqrt(w2))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(w2) * np.cos(phi)
    shift = np.column_stack([np.degrees(east / parallel_m), np.degrees(north / meridian_m)])
    west, south, east_end, north_end = _BOX_DEG
    is_inside = (lon >= west) & (lon <= east_end) & (lat >= south) & (lat <= north_end)
    shifted: Coordinates = np.where(is_inside[:, None], lonlat + shift, lonlat)
    return shifted


def from_gcj02(lonlat: Coordinates) -> Coordinates:
    """GCJ-02 → WGS 84, to less than a tenth of a millimetre; shape (n, 2), degrees."""
    found = lonlat
    for _ in range(_ROUNDS):
        wrong = lonlat - to_gcj02(found)
        found = found + wrong
        if not (np.abs(wrong) > _CLOSE_DEG).any():
            break
    return found


def to_bd09(lonlat: Coordinates) -> Coordinates:
    """WGS 84 → BD-09, by way of GCJ-02; shape (n, 2), degrees."""
    return _gcj02_to_bd09(to_gcj02(lonlat))


def from_bd09(lonlat: Coordinates) -> Coordinates:
    """BD-09 → WGS 84, to less than a tenth of a millimetre; shape (n, 2), degrees."""
    found = lonlat - np.array(_BD_SHIFT_DEG)
    for _ in range(_ROUNDS):
        wrong = lonlat - _gcj02_to_bd09(found)
        found = found + wrong
        if not (np.abs(wrong) > _CLOSE_DEG).any():
            break
    return from_gcj02(found)


def _gcj02_to_bd09(lonlat: Coordinates) -> Coordinates:
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_WAVE)
    found: Coordinates = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + np.array(_BD_SHIFT_DEG)
    return found
