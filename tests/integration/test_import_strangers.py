"""Files as other people hand them over: everything in one layer, titles above tables, lines for outlines, odd names."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest
import shapely

from data.importing import ImportOptions, ImportReport, SourceFile, import_sources, read_folder, undo_import
from data.store import Store
from gis.errors import BadFileError, ShapanError
from tests.integration.import_support import LAT, LON, buildings, clock, feature, geojson, rows, square, table

HERE = {"type": "Point", "coordinates": [LON, LAT]}
Importing = Callable[..., tuple[Store, ImportReport]]


@pytest.fixture
def importing(tmp_path: Path) -> Iterator[Importing]:
    opened: list[Store] = []

    def run(*sources: SourceFile, **options: Any) -> tuple[Store, ImportReport]:
        store = Store(tmp_path / f"s{len(opened)}.duckdb")
        opened.append(store)
        return store, import_sources(store, sources, ImportOptions(**options), clock=clock)

    yield run
    for store in opened:
        store.close()


def numbered(count: int = 4, **more: object) -> SourceFile:
    return geojson([feature(square(i), 楼号=str(i + 1), 层数=6, **more) for i in range(count)], "楼栋.geojson")


def line(*points: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [[LON + x, LAT + y] for x, y in points]}


def test_a_map_of_everything_is_told_apart_record_by_record(importing: Importing) -> None:
    """OpenStreetMap as Overpass and QGIS export it: a park, a district and a river are no buildings."""
    wide = square(0, lon=LON - 0.002, lat=LAT - 0.002, size_deg=0.008)
    everything = [
        feature(square(0), **{"@id": "way/1", "building": "yes", "name": "1号楼"}),
        feature(square(1), **{"@id": "relation/1", "building": "yes", "name": "2号楼"}),
        feature(square(3), **{"@id": "way/6", "building": "no", "name": "旧址"}),
        feature(square(2), **{"@id": "way/2", "leisure": "park", "name": "中心花园"}),
        feature(wide, **{"@id": "relation/2", "boundary": "administrative", "name": "幸福社区"}),
        feature(line((0, -0.0002), (0.002, -0.0002)), **{"@id": "way/3", "highway": "residential"}),
        feature(line((0, -0.0004), (0.002, -0.0004)), **{"@id": "way/4", "waterway": "canal"}),
        feature(line((0, -0.0006), (0.002, -0.0006)), **{"@id": "way/5", "barrier": "wall"}),
        feature(HERE, **{"@id": "node/1", "barrier": "gate"}),
        feature(HERE, **{"@id": "node/2", "amenity": "kindergarten", "name": "小花"}),
    ]
    source = geojson(everything, "export.geojson")
    store, report = importing(source)
    made = buildings(store)
    assert dict(zip(made["building_id"], made["number"], strict=True)) == {"b-way/1": "1", "b-relation/1": "2"}
    figures = {name: len(rows(store, name)) for name in ("roads", "land", "walls", "gates", "key_sites")}
    assert figures == {"roads": 1, "land": 2, "walls": 1, "gates": 1, "key_sites": 1}
    assert report.count("mixed_other") == 2  # the district, and what says that it is no building
    assert import_sources(store, [source], ImportOptions(), clock=clock).nothing_new


def workbook(*lines: list[object], merged: tuple[str, ...] = ()) -> SourceFile:
    book = openpyxl.Workbook()
    sheet = book.active
    for cells in lines:
        sheet.append(cells)
    for area in merged:
        sheet.merge_cells(area)
    file = io.BytesIO()
    book.save(file)
    return SourceFile("户室台账.xlsx", file.getvalue())


def test_workbooks_and_tables_as_offices_keep_them(importing: Importing) -> None:
    book = workbook(
        ["幸福社区房屋户室台账"],
        ["填报单位：", None, None, "填报日期：2025年3月8日"],
        ["楼栋", "单元", "房号", "建筑面积", None],
        ["1幢", "1单元", "101", "89.5㎡", None],
        [None, None, "102", "1,089.5", None],
        [],
        ["2幢", "甲", "车库3", "无", None],
        ["合计", None, 3, None, None],
        merged=("A1:D1", "A4:A5", "B4:B5"),
    )
    utf16 = SourceFile("户室二.csv", 'sep=;\n楼栋;单元;房号\n3.0;1.0;"=""0101"""\n'.encode("utf-16-le"))
    store, report = importing(numbered(), book, utf16)
    found = store.read("SELECT building, unit, room, full_text FROM addresses WHERE unit_id IS NOT NULL ORDER BY 1, 3")
    assert found.fillna("").to_numpy().tolist() == [
        ["1", "1", "101", "s01幢1单元101室"],
        ["1", "1", "102", "s01幢1单元102室"],
        ["2", "甲", "车库3", "s02幢甲单元车库3"],
        ["3", "1", "101", "s03幢1单元101室"],
    ]
    assert sorted(rows(store, "units")["area_m2"].dropna()) == [89.5, 1089.5]
    assert (report.count("merged_cells"), report.count("totals"), report.count("above_header")) == (2, 1, 3)
    with pytest.raises(ShapanError, match="row 8: no such building"):  # rows as a person counts them
        importing(numbered(), workbook(["楼栋", "房号"], *[["1幢", "101"]] * 5, [], ["99幢", "101"]))


def test_a_square_among_the_roads_does_not_lose_them(importing: Importing) -> None:
    roads = [
        feature(line((0, -0.0002), (0.002, -0.0002)), highway="residential"),
        feature(square(7), highway="pedestrian"),
    ]
    units = table("户室.csv", "小区名称,楼幢,单元,室,住户人数\n万户新村,1,一单元,101室,3人\n")
    store, report = importing(numbered(), geojson(roads, "道路.geojson"), units, community_name="万户新村")
    assert (len(rows(store, "roads")), report.count("not_a_line")) == (1, 1)
    assert rows(store, "units")["residents_count"].tolist() == [3]


def test_a_date_that_is_none_is_said_not_lost_in_silence(importing: Importing) -> None:
    store, report = importing(
        numbered(),
        table("出租屋.csv", "出租屋地址,登记日期\n1幢1单元101,2025.3.8\n1幢1单元102,45724\n1幢1单元103,去年\n"),
    )
    days = rows(store, "rentals").sort_values("address_text")["registered_on"]
    assert [str(day)[:10] for day in days] == ["2025-03-08", "2025-03-08", "NaT"]
    assert report.count("registered_on_unreadable") == 1


def test_numbers_of_buildings_estates_and_the_name_of_the_community(importing: Importing) -> None:
    said = ["12", "A座", "十三幢", "１４", "15#楼", "阳光花园16幢", "16", "16"]
    estates = [None] * 6 + ["幸福小区", "幸福小区"]
    features = [feature(square(i), 楼号=n, 小区=e) for i, (n, e) in enumerate(zip(said, estates, strict=True))]
    rentals = table("出租屋.csv", "出租屋地址\n12栋1单元101\n阳光花园16幢101\n幸福小区16幢101\n99幢\n")
    store, report = importing(geojson(features, "楼栋.geojson"), rentals)
    made = buildings(store).sort_values("source_key")
    assert made["number"].tolist() == ["12", "A", "13", "14", "15", "16", "16", "16"]
    assert made["zone"].fillna("").tolist()[5:] == ["阳光花园", "幸福小区", "幸福小区"]
    row_of = made.set_index("building_id")["source_key"].str.slice(-1)
    led = rows(store, "rentals").set_index("address_text")["building_id"].map(row_of)
    expected = {"12栋1单元101": "1", "阳光花园16幢101": "6", "幸福小区16幢101": "", "99幢": ""}
    assert led.fillna("").to_dict() == expected
    assert report.count("same_number") == 2

    # The map first, the registers later: their addresses say a name that nobody gave the store.
    store, _ = importing(numbered())
    later = table("出租屋.csv", "出租屋地址\n" + "".join(f"江苏省盐城市万户新村{i}幢1单元101室\n" for i in (1, 2, 3)))
    report = import_sources(store, [later], ImportOptions(), clock=clock)
    assert (report.community, report.count("rental_unplaced")) == ("万户新村", 0)
    assert set(rows(store, "addresses")["full_text"].str.slice(0, 4)) == {"万户新村"}
    undo_import(store, None, clock=clock)
    assert set(rows(store, "addresses")["full_text"].str.slice(0, 2)) == {"s1"}


def test_other_names_of_an_office_are_a_table_like_the_others(importing: Importing) -> None:
    names = table("别名.csv", "别名,标准名称,类型\nWH新村,万户新村,\n和平路18号,万户新村,门牌\n老年公寓,3,楼栋\n")
    rentals = table("出租屋.csv", "出租屋地址\nWH新村1幢101\n和平路18号2幢101\n万户新村老年公寓101\n解放路9号2幢101\n")
    store, report = importing(numbered(), names, rentals, community_name="万户新村")
    row_of = buildings(store).set_index("building_id")["number"]
    led = rows(store, "rentals").set_index("address_text")["building_id"].map(row_of).fillna("")
    expected = {"WH新村1幢101": "1", "和平路18号2幢101": "2", "万户新村老年公寓101": "3", "解放路9号2幢101": ""}
    assert led.to_dict() == expected
    assert len(rows(store, "aliases")) == 3
    assert import_sources(store, [names], ImportOptions(), clock=clock).nothing_new
    undo_import(store, None, clock=clock)
    assert rows(store, "aliases").empty
    with pytest.raises(ShapanError, match="expected 社区, 片区, 楼栋 or 场所"):
        importing(numbered(), table("别名.csv", "别名,标准名称,类型\na,b,c\n"))
    assert report.count("rental_unplaced") == 1


def test_key_sites_stand_where_their_address_leads(importing: Importing) -> None:
    sites = table("重点单位.csv", "单位名称,类别,地址\n小花网吧,网吧,2幢门面3号\n远方网吧,网吧,99幢\n")
    store, report = importing(numbered(), sites, skip_bad_rows=True)
    inside = "SELECT b.number FROM key_sites s JOIN buildings b ON ST_Contains(b.geom, s.geom)"
    assert store.read(inside)["number"].tolist() == ["2"]
    assert (report.count("site_by_address"), report.count("site_without_place")) == (1, 1)
    again = import_sources(store, [numbered(), sites], ImportOptions(skip_bad_rows=True), clock=clock)
    assert again.nothing_new


def test_outlines_drawn_as_lines(importing: Importing) -> None:
    corners = [(-0.001, -0.001), (0.003, -0.001), (0.003, 0.002), (-0.001, 0.002)]
    pieces = [feature(line(a, b), 名称="幸福社区") for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
    almost = [*corners, (-0.001, -0.000995)]  # half a metre short
    houses = [feature({"type": "MultiLineString", "coordinates": square(0)["coordinates"]}, 楼号="1", 高度="6层")]
    grids = geojson([feature(line(*corners, corners[0]), 网格号=1)], "网格.geojson")
    for drawn in (pieces, [feature(line(*almost), 名称="幸福社区")]):
        store, _ = importing(geojson(houses, "楼栋.geojson"), geojson(drawn, "边界.geojson"), grids)
        community = store.read("SELECT name, boundary_source, ST_Area(boundary) AS m2 FROM community").iloc[0]
        assert (community["name"], community["boundary_source"]) == ("幸福社区", "file")
        assert community["m2"] == pytest.approx(0.004 * 0.003 * 93_060 * 110_910, rel=0.01)  # a degree at 33.39° N
        assert buildings(store)[["height_m", "floors_above"]].to_numpy().tolist() == [[18.0, 6]]
        assert rows(store, "grids")["source"].tolist() == ["file"]
    with pytest.raises(BadFileError, match=r"边界.geojson: the boundary encloses nothing: its ends are \d"):
        importing(geojson(houses, "楼栋.geojson"), geojson([feature(line(*corners))], "边界.geojson"))


def test_what_systems_lay_beside_files_is_passed_over(importing: Importing, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"建筑名称及高度说明": ["1幢", "2幢"], "层数": [6, 7]},
        geometry=[
            shapely.box(515_800, 3_696_000, 515_840, 3_696_012),
            shapely.box(515_900, 3_696_000, 515_940, 3_696_012),
        ],
        crs="EPSG:4549",
    )
    folder = tmp_path / "资料"
    (folder / "__MACOSX").mkdir(parents=True)
    with pytest.warns(RuntimeWarning):  # names of more than ten bytes are cut, in the middle of a character
        frame.to_file(folder / "建筑A.shp", encoding="UTF-8")
    (folder / "建筑A.cpg").write_text("GBK")
    (folder / "建筑A.dbf").rename(folder / "建筑a.DBF")
    for name in ("._建筑A.shp", "~$台账.xlsx", ".DS_Store", "__MACOSX/x.shp"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    (folder / "地形.dwg").write_bytes(b"AC1027")
    (folder / "说明.docx").write_bytes(b"PK")
    sources = read_folder(folder)
    store, report = importing(*sources)
    made = buildings(store).sort_values("number")
    assert made[["number", "floors_above"]].to_numpy().tolist() == [["1", 6], ["2", 7]]
    left = {finding.source: finding.rows for finding in report.select("left_out")}
    assert left == {"地形.dwg": [], "other files": ["说明.docx"]}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.writestr(f"小区/{path.relative_to(folder)}", path.read_bytes())
    again, _ = importing(SourceFile("小区.zip", packed.getvalue()))
    assert len(buildings(again)) == 2
