"""Real files that nobody here made come in whole, with no hand work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.importing import ImportOptions, ImportReport, SourceFile, import_sources, read_folder, undo_import
from data.store import Store
from gis.errors import RecordMissingError, RefusedError
from tests.integration.import_support import (
    LAT,
    LON,
    buildings,
    clock,
    content,
    feature,
    geojson,
    rows,
    square,
    table,
    three_buildings,
    zipped,
)

Importing = Callable[..., tuple[Store, ImportReport]]


@pytest.fixture
def importing(tmp_path: Path) -> Iterator[Importing]:
    opened: list[Store] = []

    def run(sources: list[SourceFile], options: ImportOptions | None = None) -> tuple[Store, ImportReport]:
        store = Store(tmp_path / f"s{len(opened)}.duckdb")
        opened.append(store)
        return store, import_sources(store, sources, options or ImportOptions(), clock=clock)

    yield run
    for store in opened:
        store.close()


def test_the_real_community_comes_in_whole(importing: Importing, real_data: Path) -> None:
    store, report = importing(read_folder(real_data / "real_community"))
    # Counted in the files: 101 buildings, 53 with height; 232 ways of which one is empty and 3 are being built; 4
    # gates; leisure 60 + water 1 + tree 1, less one lake that is in two files, one building, a campus and a hospital.
    figures = {name: len(rows(store, name)) for name in ("buildings", "gates", "land", "community")}
    assert figures == {"buildings": 101, "gates": 4, "land": 58, "community": 1}
    assert store.crs() == report.crs == "EPSG:4548"
    made = buildings(store)
    assert made["height_source"].value_counts().to_dict() == {"file": 53, "assumed": 48}
    assert report.count("height_assumed") == 48
    assert (made["height_m"] > 0).all()
    assert (made["floors_above"] >= 1).all()
    assert made["grid_id"].notna().all()
    assert rows(store, "roads")["way_id"].nunique() == 228
    assert rows(store, "community")["boundary_source"].tolist() == ["derived"]
    left = {finding.source: finding.count for finding in report.select("left_out") if finding.rule == "not_recognised"}
    assert left == {"points.geojson": 18, "routes.geojson": 12}
    assert all(word in report.to_text() for word in ("Repaired", "Derived", "Assumed", "Left out", "Tables"))


def test_grids_and_boundary_hold_the_real_community(importing: Importing, real_data: Path) -> None:
    store, _ = importing(read_folder(real_data / "real_community"))
    grids = store.read_geo("SELECT grid_id, ST_AsWKB(geom) AS geom FROM grids")
    boundary = store.read_geo("SELECT ST_AsWKB(boundary) AS geom FROM community").geometry.iloc[0]
    assert shapely.covered_by(buildings(store).geometry.to_numpy(), boundary).all()
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert abs(grids.area.sum() - boundary.area) < 2.0
    assert grids.area.mean() == pytest.approx(65_000, rel=0.1)


def test_roads_of_the_real_community_meet_at_ends(importing: Importing, real_data: Path) -> None:
    store, _ = importing(read_folder(real_data / "real_community"))
    source = buildings_of(real_data / "real_community/roads.geojson", store)
    lines = source[(source["highway"] != "construction") & ~source.is_empty].geometry
    stored = store.read_geo("SELECT road_id, ST_AsWKB(geom) AS geom FROM roads")
    gap_m = shapely.distance(shapely.union_all(lines.to_numpy()), stored.geometry.to_numpy())
    assert gap_m.max() < 0.002
    # What runs twice is kept once: the whole is as long as the union of the ways.
    assert stored.length.sum() == pytest.approx(sum(noded_by_layer(source.loc[lines.index])), rel=1e-5)
    # One-way streets run as in the file, however the cutting turned their pieces; 42 are tagged so, some being built.
    tagged = source["other_tags"].str.contains('"oneway"=>"yes"', na=False)
    marked = source[tagged & source.index.isin(lines.index)]
    assert tagged.sum() == 42
    found = store.read_geo("SELECT oneway, ST_AsWKB(geom) AS geom FROM roads WHERE oneway <> 0")
    assert found.length.sum() == pytest.approx(shapely.union_all(marked.geometry.to_numpy()).length, rel=1e-3)
    for sign, piece in zip(found["oneway"], found.geometry, strict=True):
        begin, end = (piece.interpolate(share, normalized=True) for share in ((0.4, 0.6) if sign > 0 else (0.6, 0.4)))
        way = next(one for one in marked.geometry.explode() if max(one.distance(begin), one.distance(end)) < 0.005)
        assert way.project(begin) < way.project(end)


def one_way_street(number: int, word: object, *, turned: bool = False, **more: object) -> dict[str, object]:
    """An east-west street of about 90 m, the n-th about 60 m north of the one before."""
    line = [[LON, LAT + number * 0.0006], [LON + 0.001, LAT + number * 0.0006]]
    return feature(
        {"type": "LineString", "coordinates": line[::-1] if turned else line}, id=f"R{number}", highway="tertiary",
        单行道=word, **more,
    )  # fmt: skip


def test_one_way_streets_in_the_words_of_files(importing: Importing) -> None:
    words = ["yes", "单行", "是", "1", "-1", "反向", "no", "双向", None, "有时", None]
    turned = {1, 5}
    streets = [one_way_street(i, word, turned=i in turned) for i, word in enumerate(words)]
    streets[-1]["properties"]["junction"] = "roundabout"  # type: ignore[index]
    line = [[LON + 0.0004, LAT + 0.0063], [LON + 0.0004, LAT - 0.0003]]
    across = feature({"type": "LineString", "coordinates": line}, id="X")
    store, report = importing([geojson([*streets, across], "roads.geojson")])
    assert report.count("road_oneway") == 1  # 有时

    def eastwards() -> dict[str, set[int]]:
        """By street: 1 where vehicles go east on all its pieces, -1 west, 0 both ways."""
        found = store.read_geo("SELECT way_id, oneway, ST_AsWKB(geom) AS geom FROM roads")
        ends = shapely.get_x(shapely.get_point(found.geometry.to_numpy(), -1))
        east = np.sign(ends - shapely.get_x(shapely.get_point(found.geometry.to_numpy(), 0))) * found["oneway"]
        return east.astype(int).groupby(found["way_id"]).agg(set).to_dict()

    expected = {"w-R0": 1, "w-R1": -1, "w-R2": 1, "w-R3": 1, "w-R4": -1, "w-R5": 1, "w-R10": 1}
    expected |= dict.fromkeys(("w-R6", "w-R7", "w-R8", "w-R9", "w-X"), 0)
    assert eastwards() == {way: {sign} for way, sign in expected.items()}
    assert len(rows(store, "roads")) > len(words) * 2 - 2  # each was cut by the one across

    again = import_sources(store, [geojson([*streets, across], "roads.geojson")], ImportOptions(), clock=clock)
    assert (again.tables["roads"].new, again.tables["roads"].changed) == (0, 0)
    import_sources(store, [geojson([one_way_street(0, "-1")], "roads.geojson")], ImportOptions(), clock=clock)
    assert eastwards() == {way: {sign} for way, sign in (expected | {"w-R0": -1}).items()}


def test_what_a_one_way_street_says_to_bicycles_and_feet(importing: Importing) -> None:
    said = [
        ("yes", {"oneway:bicycle": "no"}, (1, 0, None)),
        ("yes", {"oneway:bicycle": "-1"}, (1, -1, None)),
        (None, {"oneway:bicycle": "yes"}, (0, 1, None)),
        ("yes", {"cycleway": "opposite_lane"}, (1, 0, None)),
        (None, {"oneway:foot": "-1"}, (0, None, -1)),
        ("-1", {"other_tags": '"oneway:bicycle"=>"no","surface"=>"asphalt"'}, (-1, 0, None)),
        ("yes", {"oneway:bicycle": "sometimes"}, (1, None, None)),
    ]
    streets = [
        one_way_street(number, word, turned=number % 2 == 1, **more) for number, (word, more, _) in enumerate(said)
    ]
    line = [[LON + 0.0004, LAT + 0.0063], [LON + 0.0004, LAT - 0.0003]]
    across = feature({"type": "LineString", "coordinates": line}, id="X")
    store, report = importing([geojson([*streets, across], "roads.geojson")])
    assert report.count("road_oneway") == 1  # sometimes
    for _ in range(2):
        found = store.read_geo("SELECT * EXCLUDE (geom), ST_AsWKB(geom) AS geom FROM roads WHERE way_id <> 'w-X'")
        first, last = (shapely.get_x(shapely.get_point(found.geometry.to_numpy(), end)) for end in (0, -1))
        for number, (_, _, expected) in enumerate(said):
            mine = (found["way_id"] == f"w-R{number}").to_numpy()
            assert mine.sum() == 2  # cut by the one across
            east = np.sign(last - first)[mine] * (-1 if number % 2 == 1 else 1)
            for name, sign in zip(("oneway", "oneway_bicycle", "oneway_foot"), expected, strict=True):
                told = (found.loc[mine, name].to_numpy(dtype=float, na_value=np.nan) * east).tolist()
                assert told == ([pytest.approx(np.nan, nan_ok=True)] * 2 if sign is None else [sign] * 2)
        # Once more the one across alone: the others are in the store already.
        import_sources(store, [geojson([across], "roads.geojson")], ImportOptions(), clock=clock)


def noded_by_layer(ways: gpd.GeoDataFrame) -> list[float]:
    """Length of the union of the ways of each layer (bridges apart), by GEOS' own union, metres."""
    layer = ways["other_tags"].str.extract(r'"layer"=>"(-?\d+)"', expand=False).fillna("0")
    return [float(shapely.length(shapely.union_all(ways.geometry[layer == v].to_numpy()))) for v in layer.unique()]


def buildings_of(path: Path, store: Store) -> gpd.GeoDataFrame:
    return gpd.read_file(path).to_crs(store.crs())


def test_geopackage_in_metres_lies_on_the_same_buildings(importing: Importing, real_data: Path) -> None:
    folder = real_data / "real_community_gbk"
    degrees, _ = importing([s for s in read_folder(real_data / "real_community") if s.name == "buildings.geojson"])
    metres, report = importing(read_folder(folder / "hfut_buildings_cgcs2000_4548.gpkg"))
    assert metres.crs() == degrees.crs() == "EPSG:4548"
    first, second = buildings(degrees), buildings(metres)
    middles = shapely.STRtree(second.centroid.to_numpy())
    index = middles.query_nearest(first.centroid.to_numpy(), all_matches=False)[1]
    assert len(set(index)) == 101
    apart_m = shapely.hausdorff_distance(first.geometry.to_numpy(), second.geometry.to_numpy()[index])
    assert apart_m.max() < 0.01
    assert report.layers[0].crs == "EPSG:4548"


@pytest.mark.parametrize("packed", [False, True])
def test_gbk_shapefile_without_cpg(importing: Importing, real_data: Path, packed: bool) -> None:
    files = read_folder(real_data / "real_community_gbk/hfut_buildings_gbk.shp")
    assert sorted(Path(f.name).suffix for f in files) == [".dbf", ".prj", ".shp", ".shx"]
    if packed:
        files = [SourceFile("map.zip", zipped({f"层/{f.name}": f.data for f in files}))]
    store, report = importing(files)
    assert "学生宿舍2号楼" in set(buildings(store)["name"])
    assert report.layers[0].encoding == "gb18030"
    assert len(buildings(store)) == 101


@pytest.mark.parametrize(
    ("city", "outlines", "crs"), [("shanghai", 1321, "EPSG:4549"), ("wuhan_optics_valley", 234, "EPSG:4547")]
)
def test_tile_cut_cities(importing: Importing, real_data: Path, city: str, outlines: int, crs: str) -> None:
    # Counted with pandas: distinct ids of kind 'building' among the polygons, less the parts whose root is there.
    name = f"{city}_buildings.geojson"
    store, report = importing([SourceFile(name, (real_data / "real_city" / name).read_bytes())])
    assert store.crs() == crs
    assert len(buildings(store)) == outlines
    assert report.count("same_twice") > 0
    assert report.count("pieces_joined") > 0
    assert not report.select("refused")
    assert buildings(store).geometry.is_valid.all()


def test_the_same_again_changes_nothing(importing: Importing, real_data: Path) -> None:
    sources = read_folder(real_data / "real_community")
    store, _ = importing(sources)
    before = content(store)
    again = import_sources(store, sources, clock=clock)
    assert again.nothing_new
    assert again.batch_id is None
    assert content(store) == before
    assert "Nothing new" in again.to_text()


def test_undo_brings_everything_back(importing: Importing, real_data: Path) -> None:
    sources = read_folder(real_data / "real_community")
    store, report = importing([s for s in sources if s.name != "buildings.geojson"])
    data = ("community", "grids", "buildings", "addresses", "roads", "gates", "land")

    def read_data() -> dict[str, list[tuple[object, ...]]]:
        found = content(store)
        return {name: found[name] for name in data}

    before = read_data()
    whole = import_sources(store, sources, clock=clock)
    assert read_data() != before
    undone = undo_import(store, clock=clock)
    assert undone.batch_id == whole.batch_id
    assert read_data() == before
    kinds = rows(store, "events")["kind"].tolist()
    assert kinds == ["import.done", "import.done", "import.undone"]
    undo_import(store, report.batch_id, clock=clock)
    assert not any(read_data().values())
    with pytest.raises(RecordMissingError, match="no import to take back"):
        undo_import(store, clock=clock)


def test_undo_in_the_wrong_order_is_refused(importing: Importing) -> None:
    store, first = importing([three_buildings()])
    changed = geojson([feature(square(0), id="A0", name="1幢", 层数=7)])
    import_sources(store, [changed], clock=clock)
    with pytest.raises(RefusedError, match="Take back the later one first"):
        undo_import(store, first.batch_id, clock=clock)
    undo_import(store, clock=clock)
    assert buildings(store)["floors_above"].tolist() == [6, 6, 6]


def test_what_was_verified_at_the_door_stays(importing: Importing) -> None:
    store, _ = importing([three_buildings()])
    store.write(
        lambda tx: tx.execute(
            "buildings",
            "UPDATE buildings SET floors_above = 5, verified_utc = TIMESTAMP '2025-02-01' WHERE building_id = 'b-A0'",
        )
    )
    changed = geojson([feature(square(i), id=f"A{i}", name=f"{i + 1}幢", 层数=7) for i in range(3)])
    report = import_sources(store, [changed], clock=clock)
    assert buildings(store)["floors_above"].tolist() == [5, 7, 7]
    assert report.tables["buildings"].kept_verified == 1


def test_a_file_that_knows_less_takes_nothing_away(importing: Importing) -> None:
    store, _ = importing([three_buildings()])
    poorer = geojson([feature(square(i), id=f"A{i}", name=f"{i + 1}幢") for i in range(3)])
    report = import_sources(store, [poorer], clock=clock)
    assert buildings(store)["height_source"].tolist() == ["floors"] * 3
    assert report.nothing_new


def test_surveyors_table_with_x_north(importing: Importing) -> None:
    # 万户新村中心 of cgcs2000_vectors.csv: E 515816.792351, N 3696015.050628, lies in the first building (its
    # south-west).
    store, _ = importing([three_buildings()])
    text = "警情编号,报警时间,警情类别,X,Y\nJ1,2024-05-01 08:30,盗窃,3696015.051,40515816.792\n"
    report = import_sources(store, [table("警情.csv", text)], ImportOptions(crs="EPSG:4549"), clock=clock)
    where = store.read_geo("SELECT incident_id, ST_AsWKB(geom) AS geom FROM incidents").geometry.iloc[0]
    assert np.hypot(where.x - 515816.792, where.y - 3696015.051) < 0.001
    assert "axes swapped" in (report.layers[0].axes or "")


REGISTERS = [
    table(
        "户室.csv",
        "楼栋,单元,室号,建筑面积,居住人数,流动人口\n1幢,2单元,402,80.5㎡,3,1\n1,2,403,,4,0\n2栋,1,101,60,0,0\n",
        "gb18030",
    ),
    table(
        "出租屋.csv",
        "出租屋编号,出租屋地址,间数,居住人数,登记日期,颜色,疑似群租\nZ1,1幢2单元402室,2,3,2024-01-05,黄,否\nZ2,99幢101室,2,3,,,是\n",
    ),
    table(
        "警情.csv",
        "警情编号,报警时间,警情类别,事发地址,报警内容\nJ1,2024-05-01 08:30,盗窃,1幢2单元402室,张三被盗\n"
        "J2,2024/5/2 0:10,噪音,2幢,\n",
    ),
]


def test_registers_find_their_buildings(importing: Importing) -> None:
    store, report = importing([three_buildings(), *REGISTERS], ImportOptions(community_name="万户新村"))
    units = rows(store, "units").sort_values("room")
    assert units["building_id"].tolist() == ["b-A1", "b-A0", "b-A0"]
    assert units["level"].tolist() == [1, 4, 4]
    assert units["area_m2"].tolist()[:2] == [60.0, 80.5]
    texts = set(rows(store, "addresses")["full_text"])
    assert {"万户新村1幢", "万户新村1幢2单元402室"} <= texts
    rentals = rows(store, "rentals").set_index("rental_id")
    assert rentals.loc["r-Z1", "unit_id"] in set(units["unit_id"])
    assert rentals.loc["r-Z1", "colour"] == "yellow"
    assert pd.isna(rentals.loc["r-Z2", "building_id"])
    assert rentals["suspected_group"].tolist() == [False, True]
    assert report.count("rental_unplaced") == 1
    incidents = rows(store, "incidents").set_index("number")
    # 08:30 and 00:10 in Shanghai are 00:30 of the day and 16:10 of the day before in UTC.
    assert incidents["reported_utc"].astype(str).tolist() == ["2024-05-01 00:30:00", "2024-05-01 16:10:00"]
    assert incidents["building_id"].tolist() == ["b-A0", "b-A1"]
    assert incidents["grid_id"].notna().all()
    assert incidents["narrative"].isna().all()
    assert "张三" not in str(content(store))
    assert set(rows(store, "incident_categories")["name_zh"]) == {"盗窃", "噪音"}
    before = content(store)
    again = import_sources(
        store, [three_buildings(), *REGISTERS], ImportOptions(community_name="万户新村"), clock=clock
    )
    assert again.nothing_new
    assert content(store) == before


def test_incidents_without_place_are_named_with_what_is_near(importing: Importing) -> None:
    store, _ = importing([three_buildings()])
    text = "警情编号,报警时间,警情类别,地址\nJ1,2024-05-01 08:30,盗窃,13幢\n"
    with pytest.raises(Exception, match=r"'J1' \(row 2\): no such building; nearest"):
        import_sources(store, [table("警情.csv", text)], clock=clock)


def test_a_workbook(importing: Importing) -> None:
    import io

    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "户室"
    for row in (["2024 年登记表"], ["楼栋", "室号", "居住人数"], ["1幢", 101, 2], ["2幢", "102", None]):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    store, _ = importing([three_buildings(), SourceFile("登记.xlsx", buffer.getvalue())])
    assert sorted(rows(store, "units")["room"]) == ["101", "102"]


def test_boundary_and_grids_of_files_are_kept(importing: Importing) -> None:
    whole = square(lon=120.169, lat=33.389, size_deg=0.004)
    left = {
        "type": "Polygon",
        "coordinates": [
            [[120.169, 33.389], [120.171, 33.389], [120.171, 33.393], [120.169, 33.393], [120.169, 33.389]]
        ],
    }
    right = {
        "type": "Polygon",
        "coordinates": [
            [[120.171, 33.389], [120.173, 33.389], [120.173, 33.393], [120.171, 33.393], [120.171, 33.389]]
        ],
    }
    store, report = importing(
        [
            three_buildings(),
            geojson([feature(whole, 名称="万户新村")], "边界.geojson"),
            geojson([feature(left, 网格名称="第1网格"), feature(right, 网格名称="第2网格")], "网格.geojson"),
        ]
    )
    assert report.community == "万户新村"
    assert rows(store, "community")["boundary_source"].tolist() == ["file"]
    assert sorted(rows(store, "grids")["number"]) == [1, 2]
    assert len(set(buildings(store)["grid_id"])) == 1
