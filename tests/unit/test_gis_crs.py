"""Coordinate systems: against the coordinate vectors computed independently of PROJ's pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gis.crs import choose_metric_crs, datum_shift_m, is_same_datum, outside_area_of_use, straighten_axes, transform_xy
from gis.errors import CrsMismatchError, CrsUnknownError


@pytest.fixture(scope="module")
def vectors(real_data: Path) -> pd.DataFrame:
    return pd.read_csv(real_data / "coordinates/cgcs2000_vectors.csv")


def test_degrees_to_metres_within_a_millimetre(vectors: pd.DataFrame) -> None:
    lonlat = vectors[["lon_4490", "lat_4490"]].to_numpy()
    expected = vectors[["E_indep", "N_indep"]].to_numpy()
    for source in ("EPSG:4490", "EPSG:4326"):
        assert np.abs(transform_xy(lonlat, source, "EPSG:4549") - expected).max() < 0.001


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:4528"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("prefix", [False, True])
def test_surveyors_axes_are_told_by_magnitude(vectors: pd.DataFrame, crs: str, swapped: bool, prefix: bool) -> None:
    usual = vectors[(vectors["lat_4490"] > 20) & vectors["lon_4490"].between(119, 121)]
    columns = ["E_4528", "N_4528"] if prefix else ["E_4549", "N_4549"]
    expected = usual[["E_4528", "N_4528"] if crs == "EPSG:4528" else ["E_4549", "N_4549"]].to_numpy()
    xy = usual[columns[::-1] if swapped else columns].to_numpy()
    straight, done = straighten_axes(xy, crs)
    assert np.abs(straight - expected).max() < 1e-6
    assert ("swapped" in (done or "")) == swapped
    assert ("prefix" in (done or "")) == (prefix != (crs == "EPSG:4528"))


def test_another_zones_prefix_is_refused() -> None:
    with pytest.raises(CrsMismatchError, match=r"zone 40 .*120° E.*EPSG:4548.*117° E"):
        straighten_axes(np.array([[3696015.05, 40515816.79]]), "EPSG:4548")


def test_coordinates_outside_the_area_of_use_are_refused() -> None:
    with pytest.raises(CrsMismatchError, match="outside the area of use of EPSG:4549"):
        straighten_axes(np.array([[5e6, 3.6e6]]), "EPSG:4549")


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    # Zones of the EPSG register: 4534 is 75° E, then 3 degrees a code; UTM 326xx north, 327xx south.
    [
        (120.17, 33.39, 4549),
        (117.2, 31.77, 4548),
        (75.2, 39.5, 4534),
        (118.51, 33.0, 4549),
        (118.49, 33.0, 4548),
        (134.7, 48.0, 4554),
        (11.6, 48.1, 32632),
        (-70.6, -33.4, 32719),
        (179.99, 10.0, 32660),
    ],
)
def test_the_metric_system_of_a_place(lon: float, lat: float, code: int) -> None:
    assert choose_metric_crs(lon, lat) == f"EPSG:{code}"


def test_far_northings_do_not_wrap_around() -> None:
    assert outside_area_of_use(np.array([[696015.05, 40515816.79]]), "EPSG:32632").tolist() == [True]


def test_datums() -> None:
    assert is_same_datum("EPSG:4326", "EPSG:4549")
    assert is_same_datum("EPSG:4528", "EPSG:4549")
    assert not is_same_datum("EPSG:2437", "EPSG:4549")
    # Beijing 1954: no published transformation to CGCS2000 in the EPSG register, so no shift may be claimed.
    assert datum_shift_m(120.0, 33.0, "EPSG:2437", "EPSG:4549") == (0.0, None)
    # Amersfoort to WGS 84 is published (EPSG:4833 and older); around Delft it moves a place by roughly 100 m.
    shift_m, operation = datum_shift_m(4.37, 52.0, "EPSG:28992", "EPSG:32631")
    assert operation
    assert 20 < shift_m < 300


def test_an_unknown_name_is_a_sentence() -> None:
    with pytest.raises(CrsUnknownError, match="EPSG:4549"):
        transform_xy(np.zeros((1, 2)), "EPSG:nonsense", "EPSG:4326")
