"""Metres of the table are metres on the ground: against geodesics on the ellipsoid, by GeographicLib in PROJ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.store import Store
from layers import LocalFrame, NoCommunityError, build_frame
from tests.fixtures.small_community import found

GEOD = pyproj.Geod(ellps="WGS84")
REACH_M = 450.0  # from the middle of a community of 0.72 km² to its farthest corner it is about 600 m

# (CRS, corner): the sample's place; 1.4° beside the meridian, where a grid metre is 0.2 ‰ short or long; UTM, whose
# scale on the meridian is 0.9996; the far south and north of China.
PLACES = [
    ("EPSG:4549", (513_000.0, 3_695_000.0)),
    ("EPSG:4549", (630_000.0, 3_695_000.0)),
    ("EPSG:4549", (370_000.0, 3_695_000.0)),
    ("EPSG:4547", (500_000.0, 2_000_000.0)),
    ("EPSG:4551", (500_000.0, 5_900_000.0)),
    ("EPSG:32633", (500_000.0, 5_300_000.0)),
    ("EPSG:32750", (700_000.0, 9_300_000.0)),
]


def measure_m(frame: LocalFrame, offset_m: tuple[float, float]) -> tuple[float, float]:
    """Length of an offset from the origin in the CRS: as the frame draws it, and along the geodesic."""
    place = np.array([[frame.x_m + offset_m[0], frame.y_m + offset_m[1]]])
    drawn = frame.to_local(place)[0]
    to_degrees = pyproj.Transformer.from_crs(frame.crs, "EPSG:4326", always_xy=True)
    ends = np.array([to_degrees.transform(frame.x_m, frame.y_m), to_degrees.transform(*place[0])])
    _, _, ground_m = GEOD.inv(*ends[0], *ends[1])
    return float(np.hypot(*drawn)), float(ground_m)


@pytest.mark.parametrize(("crs", "corner_m"), PLACES)
@pytest.mark.parametrize("offset_m", [(0.0, REACH_M), (REACH_M, 0.0), (-REACH_M, -REACH_M)])
def test_drawn_metres_are_geodesic_metres(
    tmp_path: Path, crs: str, corner_m: tuple[float, float], offset_m: tuple[float, float]
) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        frame = build_frame(found(store, crs=crs, corner_m=corner_m))
    drawn_m, ground_m = measure_m(frame, offset_m)
    assert drawn_m == pytest.approx(ground_m, rel=0.0002)


def test_the_origin_is_the_middle_of_the_boundary_in_both_systems(tmp_path: Path) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        # A point whose coordinates in both systems an independent implementation gives: see import_support.py.
        frame = build_frame(found(store, corner_m=(515_716.792, 3_695_915.051)))
    assert (frame.x_m, frame.y_m) == (515_817, 3_696_015)
    assert (frame.lon, frame.lat) == (pytest.approx(120.17, abs=5e-6), pytest.approx(33.39, abs=5e-6))
    assert frame.to_local(np.array([[frame.x_m, frame.y_m]])).tolist() == [[0.0, 0.0]]


@given(
    st.lists(st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=20),
    st.floats(0.999, 1.001),
)
def test_local_metres_go_back_to_the_grid_within_a_centimetre(offsets: list[tuple[float, float]], scale: float) -> None:
    frame = LocalFrame("EPSG:4549", 513_100.0, 3_695_100.0, 120.14, 33.38, scale)
    origin = np.array([frame.x_m, frame.y_m])
    places = np.array(offsets) + origin
    back = frame.to_local(places) * scale + origin
    assert np.abs(back - places).max() <= 0.00501 * scale + 1e-9


def test_a_store_without_a_community_says_how_to_get_one(tmp_path: Path) -> None:
    with Store(tmp_path / "a.duckdb") as store, pytest.raises(NoCommunityError, match="shapan import FOLDER"):
        build_frame(store)
