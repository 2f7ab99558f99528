"""Scene files through the public door: what is in them, reckoned by hand on a community of a few shapes."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import shapely
from shapely import LineString, MultiPolygon, Polygon, box

from data.importing import ImportOptions, import_sources
from data.store import Store
from data.viewer import WALL
from i18n import LANGUAGES, Language, t
from layers import SCENES, NoCommunityError
from layers.palette import ROAD, USE
from sample import SampleCommunity
from tests.fixtures.small_community import build, found
from tests.integration.import_support import clock, read_all


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    """A community with a boundary and nothing in it."""
    with Store(tmp_path / "small.duckdb") as store:
        yield found(store)


def read(store: Store, name: str, lang: Language = "zh", **params: str) -> Any:
    return json.loads(SCENES[name].build(store, WALL, lang, params))


def to_polygon(rings: list[list[list[float]]]) -> Polygon:
    outer, *holes = [[xy[:2] for xy in ring] for ring in rings]
    return Polygon(outer, holes)


# Shapes


def test_a_building_with_a_court_keeps_it_and_one_of_two_parts_is_drawn_twice(small: Store) -> None:
    court = box(0, 0, 20, 20) - box(5, 5, 15, 15)
    parts = MultiPolygon([box(40, 0, 50, 10), box(60, 0, 65, 10)])
    build(small, "buildings", {"building_id": "A", "geom": court}, {"building_id": "B", "geom": parts})
    records = read(small, "buildings")
    assert Counter(record["id"] for record in records) == {"A": 1, "B": 2}
    drawn = {name: shapely.union_all([to_polygon(r["p"]) for r in records if r["id"] == name]) for name in "AB"}
    assert drawn["A"].equals(court)
    assert drawn["B"].equals(parts)
    for record in records:
        assert all(ring[0] == ring[-1] for ring in record["p"])


def test_heights_are_true_and_assumed_ones_are_lighter_and_plain(small: Store) -> None:
    build(
        small,
        "buildings",
        {"building_id": "bridge", "geom": box(0, 0, 9, 9), "height_m": 15.0, "base_m": 6.0, "floors_above": 3},
        {"building_id": "guess", "geom": box(20, 0, 29, 9), "height_source": "assumed", "floors_source": "assumed"},
    )
    bridge, guess = read(small, "buildings")
    assert (bridge["h"], {xyz[2] for xyz in bridge["p"][0]}, bridge["f"]) == (9.0, {6.0}, 3.0)
    assert bridge["c"] == list(USE["residential"])
    assert guess["f"] == 0  # no storeys are drawn that nobody counted
    assert all(lit > plain for lit, plain in zip(guess["c"], USE["residential"], strict=True))


def test_the_shadow_of_a_square(small: Store) -> None:
    build(small, "buildings", {"building_id": "A", "geom": box(0, 0, 10, 10), "height_m": 10.0})
    (record,) = read(small, "shadows")
    shadow = to_polygon(record["p"])
    # The sun is in the south-west, 0.55 m of shadow for a metre: the square moves 5.5 m north-east, that is 3.889 m
    # east and as much north, and covers 10 x 10 + 2 x 10 x 3.889 = 177.78 m2 on its way.
    step = 5.5 / math.sqrt(2)
    assert shadow.area == pytest.approx(177.78, abs=0.3)
    assert shadow.bounds == pytest.approx((0, 0, 10 + step, 10 + step), abs=0.06)
    assert not shadow.contains(shapely.Point(1, 13))  # north-west of the square there is light


def test_a_court_stays_light_and_a_tower_does_not_darken_the_next_rows(small: Store) -> None:
    court = box(-40, -40, 0, 0) - box(-38, -38, -2, -2)
    build(
        small,
        "buildings",
        {"building_id": "A", "geom": court, "height_m": 4.0},
        {"building_id": "tower", "geom": box(20, 20, 30, 30), "height_m": 100.0},
    )
    shadow = shapely.union_all([to_polygon(record["p"]) for record in read(small, "shadows")])
    assert not shadow.contains(shapely.Point(-20, -20))
    assert shadow.bounds[2] == pytest.approx(30 + 30 / math.sqrt(2), abs=0.06)  # cut at 30 m


def test_roads_of_a_kind_are_one_face_and_paths_lie_below(small: Store) -> None:
    road = {"width_m": 4.0, "walkable": True}
    build(
        small,
        "roads",
        {**road, "road_id": "1", "kind": "inner", "geom": LineString([(-50, 0), (50, 0)])},
        {**road, "road_id": "2", "kind": "inner", "geom": LineString([(0, -50), (0, 50)])},
        {**road, "road_id": "3", "kind": "footpath", "geom": LineString([(-50, 20), (50, 20)])},
    )
    path, cross = read(small, "roads")
    assert (path["c"], cross["c"]) == (list(ROAD["footpath"]), list(ROAD["inner"]))
    # Two strips of 100 x 4 m that share 4 x 4 m, and four round ends, each drawn as half a regular octagon of radius
    # 2 m: half of 8 / 2 x 2^2 x sin 45° = 5.657 m2. Together 800 - 16 + 4 x 5.657.
    assert to_polygon(cross["p"]).area == pytest.approx(806.63, abs=0.5)


def test_a_gable_roof_is_closed_and_covers_its_house_with_its_eaves(small: Store) -> None:
    build(small, "buildings", {"building_id": "A", "geom": box(0, 0, 20, 10), "roof": "tile", "height_m": 12.0})
    faces = [record["p"] for record in read(small, "gables")]
    rings = [face if isinstance(face[0][0], (int, float)) else face[0] for face in faces]
    assert len(rings) == 4
    edges = Counter(frozenset([tuple(a), tuple(b)]) for ring in rings for a, b in pairwise(ring) if a != b)
    eaves = [edge for edge, count in edges.items() if count == 1]
    # Every slope meets its neighbour along a whole edge; only the four eaves are open, all at one height.
    assert set(edges.values()) == {1, 2}
    assert len(eaves) == 4
    (eave_m,) = {point[2] for edge in eaves for point in edge}
    (body,) = read(small, "buildings")
    assert eave_m == body["h"]
    assert max(point[2] for ring in rings for point in ring) == 12.0  # of 3 storeys the ridge is the source's height
    assert all(ring[0] == ring[-1] for ring in rings)
    covered = shapely.union_all([Polygon([xyz[:2] for xyz in ring]) for ring in rings])
    assert covered.area == pytest.approx(21 * 11, abs=0.05)  # half a metre beyond the walls on each side


def test_a_roof_over_counted_storeys_stands_on_the_eaves(small: Store) -> None:
    house = {"building_id": "A", "geom": box(0, 0, 20, 10), "roof": "tile", "height_source": "floors"}
    build(small, "buildings", {**house, "floors_above": 5, "height_m": 15.0})
    (body,) = read(small, "buildings")
    assert body["h"] == 15.0
    rings = [record["p"] for record in read(small, "gables")]
    tops = [z for ring in json.loads(json.dumps(rings)) for z in _heights(ring)]
    assert (min(tops), max(tops)) == (15.0, 17.2)


def _heights(ring: Any) -> list[float]:
    return [ring[2]] if isinstance(ring[0], (int, float)) else [z for part in ring for z in _heights(part)]


def test_a_home_that_is_let_is_lit_where_it_looks_outside(small: Store) -> None:
    build(small, "buildings", {"building_id": "A", "geom": box(0, 0, 20, 10)})
    home = {"building_id": "A", "level": 2, "room": "201", "use": "dwelling", "residents_count": 2, "floating_count": 0}
    build(small, "units", {**home, "unit_id": "U", "geom": box(0, 0, 10, 10)})
    rows = pd.DataFrame([{"rental_id": "R", "unit_id": "U", "suspected_group": False}])
    small.write(lambda transaction: transaction.append("rentals", rows))
    windows = read(small, "rentals")
    lines = [LineString([xyz[:2] for xyz in one["p"][0][:2]]) for one in windows]
    middles = sorted(line.centroid.coords[0] for line in lines)
    # West, south and north, a hand's breadth before the wall; the wall to the neighbour in the east stays dark.
    assert middles == [pytest.approx(place, abs=0.05) for place in [(-0.2, 5.0), (5.0, -0.2), (5.0, 10.2)]]
    # Without a floor's own height the second storey begins at 3 m; the sill is 0.9 m above that, the window 1.6 m high.
    assert {xyz[2] for one in windows for xyz in one["p"][0]} == {3.9, 5.5}
    assert {(one["id"], one["b"]) for one in windows} == {("R", "A")}


def test_names_go_into_the_files_as_they_are(small: Store) -> None:
    name = '</script><script>alert("x")</script>\u2028*[a](b)*'
    build(small, "buildings", {"building_id": "A", "name": name, "geom": box(0, 0, 10, 10)})
    assert read(small, "buildings")[0]["n"] == name
    assert name in [record["t"] for record in [*read(small, "labels"), *read(small, "names")]]


# Every scene


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_scene_of_a_community_with_nothing_in_it(small: Store, name: str) -> None:
    content = read(small, name)
    if name not in ("ground", "border", "figures", "hot", "directory", "inside", "alarms", "replay"):
        assert content == []


@pytest.mark.parametrize("name", sorted(SCENES))
def test_no_scene_without_a_community(tmp_path: Path, name: str) -> None:
    with Store(tmp_path / "empty.duckdb") as store, pytest.raises(NoCommunityError):
        SCENES[name].build(store, WALL, "zh", {})


def find_numbers(content: Any) -> Iterator[tuple[str, float]]:
    """Every coordinate under a record's geometry keys."""
    for record in content if isinstance(content, list) else content.get("places", []):
        for key in ("p", "l", "x", "y"):
            waiting = [record.get(key, [])]
            while waiting:
                one = waiting.pop()
                if isinstance(one, list):
                    waiting += one
                else:
                    yield key, one


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", sorted(set(SCENES) - {"zones", "inside", "directory", "replay", "alarms"}))
def test_every_scene_of_the_sample_lies_on_the_table(sample_store: Store, name: str, lang: Language) -> None:
    content = read(sample_store, name, lang)
    assert content
    # 849 m square: nothing is farther than 700 m from the middle, and nothing is in degrees or in grid metres.
    numbers = [value for _, value in find_numbers(content)]
    assert all(abs(value) < 700 for value in numbers)
    if name != "figures":
        assert max(numbers) > 100
    for record in content if isinstance(content, list) else []:
        if isinstance(record.get("c"), list):
            assert len(record["c"]) in (3, 4)
            assert all(0 <= channel <= 255 for channel in record["c"])


def test_the_sample_has_no_open_alarm_and_one_that_comes_in_lies_on_the_table(
    sample_community: SampleCommunity, sample_file: Path, tmp_path: Path
) -> None:
    with Store(Path(shutil.copy(sample_file, tmp_path))) as store:
        assert read(store, "alarms")["alarms"] == []  # as it is most of the day
        last = sample_community.tables["incidents"].query("building_id.notna()").iloc[-1]["incident_id"]
        reopened = "UPDATE incidents SET status = 'placed', closed_utc = NULL WHERE incident_id = ?"
        store.write(lambda tx: tx.execute("incidents", reopened, [last]))
        for lang in LANGUAGES:
            (alarm,) = read(store, "alarms", lang)["alarms"]
            assert all(0 < abs(metres) < 500 for metres in alarm["x"])  # of 849 m square, and not in its very middle
            assert alarm["k"]
            assert alarm["p"]


def test_what_the_sample_must_show(sample_store: Store) -> None:
    figures = read(sample_store, "figures")
    assert len({record["id"] for record in read(sample_store, "buildings")}) == figures["figures"]["buildings"]
    assert len({record["id"] for record in read(sample_store, "grids")}) == 11
    assert len({record["id"] for record in read(sample_store, "rentals")}) == figures["counts"]["rentals"]
    assert len(read(sample_store, "key_sites")) == figures["counts"]["key_sites"]
    assert len(read(sample_store, "trees")) == figures["counts"]["trees"]
    assert 8 <= len(read(sample_store, "hot")["places"]) <= 10
    ground = shapely.union_all([to_polygon(record["p"]) for record in read(sample_store, "ground")])
    assert ground.area == pytest.approx(720_000, rel=0.001)


def test_words_follow_the_language_and_names_do_not(sample_store: Store) -> None:
    chinese, english = (read(sample_store, "key_sites", lang) for lang in LANGUAGES)
    assert [site["n"] for site in chinese] == [site["n"] for site in english]
    kinds = {t("terms.site_kind.hotel", lang) for lang in LANGUAGES}
    assert len(kinds & {site["k"] for site in [*chinese, *english]}) == 2


def test_the_same_store_gives_the_same_bytes(sample_store: Store) -> None:
    for name in sorted(SCENES):
        assert SCENES[name].build(sample_store, WALL, "zh", {}) == SCENES[name].build(sample_store, WALL, "zh", {})


def test_every_scene_of_a_real_place(tmp_path: Path, real_data: Path) -> None:
    with Store(tmp_path / "campus.duckdb") as store:
        import_sources(store, read_all(real_data / "real_community"), ImportOptions(), clock=clock)
        contents = {name: read(store, name) for name in SCENES}
        assert len({record["id"] for record in contents["buildings"]}) == 101
        assert contents["roads"]
        assert contents["ground"]
        # 48 of the 101 buildings say neither height nor storeys: they are drawn without storeys.
        assert len({record["id"] for record in contents["buildings"] if record["f"] == 0}) == 48
