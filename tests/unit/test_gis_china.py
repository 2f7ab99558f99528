"""Coordinates of Chinese map services against values that other programs and the services themselves gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.china import from_bd09, from_gcj02, to_bd09, to_gcj02

GEOD = pyproj.Geod(ellps="WGS84")
FUNCTIONS = {"wgs84->gcj02": to_gcj02, "wgs84->bd09": to_bd09, "bd09->wgs84": from_bd09}


def distances_m(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2])


def read(folder: Path, name: str) -> dict[str, np.ndarray]:
    rows = pd.read_csv(folder / "coordinates" / name)
    return {system: rows[[f"{system}_lon", f"{system}_lat"]].to_numpy() for system in ("wgs", "gcj", "bd")}


def test_points_computed_by_another_program(real_data: Path) -> None:
    points = read(real_data, "coord_points.csv")
    # Printed with 12 decimals, which is 0.1 µm.
    assert distances_m(to_gcj02(points["wgs"]), points["gcj"]).max() < 1e-5
    assert distances_m(to_bd09(points["wgs"]), points["bd"]).max() < 1e-5
    assert distances_m(from_gcj02(points["gcj"]), points["wgs"]).max() < 1e-3
    assert distances_m(from_bd09(points["bd"]), points["wgs"]).max() < 1e-3


def test_sixteen_cities_as_the_service_had_them(real_data: Path) -> None:
    points = read(real_data, "gcoord_jiangsu.csv")
    # README of the data: WGS → GCJ is off by a near-constant 0.67 m in this fixture, GCJ → BD within 1.2 cm.
    assert distances_m(to_gcj02(points["wgs"]), points["gcj"]).max() < 0.7
    assert distances_m(to_bd09(from_gcj02(points["gcj"])), points["bd"]).max() < 0.0125


def test_published_vectors(real_data: Path) -> None:
    vectors = json.loads((real_data / "coordinates" / "test_vectors.json").read_text(encoding="utf-8"))
    checked = 0
    for vector in vectors:
        function = FUNCTIONS.get(vector["fn"])
        if function is None:  # one-step inverses, which are metres off by design, and steps that we do not offer
            continue
        found = function(np.array([vector["i"]]))
        # `ref_diff_m` is how far the published value is from the formula, computed elsewhere; two are known bad.
        assert distances_m(found, np.array([vector["o"]]))[0] == pytest.approx(vector["ref_diff_m"], abs=2e-3)
        checked += 1
    assert checked >= 11


# A box well inside China, where the shift is smooth.
@given(lon=st.floats(75.0, 134.0), lat=st.floats(17.0, 53.0))
def test_there_and_back_is_less_than_a_millimetre(lon: float, lat: float) -> None:
    place = np.array([[lon, lat]])
    assert distances_m(from_gcj02(to_gcj02(place)), place)[0] < 1e-3
    assert distances_m(from_bd09(to_bd09(place)), place)[0] < 1e-3
    assert 50.0 < distances_m(to_gcj02(place), place)[0] < 1_000.0


def test_elsewhere_nothing_is_shifted() -> None:
    munich = np.array([[11.6, 48.1]])
    assert to_gcj02(munich).tolist() == munich.tolist()
    assert from_gcj02(munich).tolist() == munich.tolist()
