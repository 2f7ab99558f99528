"""Bad input: each refused with its sentence, and the store is as it was."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.importing import ImportOptions, ImportRefusedError, SourceFile, import_sources, read_folder
from data.store import Store
from gis.errors import BadFileError, CrsMismatchError, CrsUnknownError, RefusedError, ShapanError
from tests.integration.import_support import (
    LAT,
    LON,
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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A community of three buildings."""
    with Store(tmp_path / "wanhu.duckdb") as opened:
        import_sources(opened, [three_buildings()], ImportOptions(), clock=clock)
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "empty.duckdb") as opened:
        yield opened


def refusal(store: Store, *sources: SourceFile, options: ImportOptions | None = None) -> str:
    """The sentence with which an import is refused; the store must be as before, to the last row and revision."""
    before = content(store)
    with pytest.raises(ShapanError) as caught:
        import_sources(store, sources, options or ImportOptions(), clock=clock)
    assert content(store) == before
    return str(caught.value)


def test_an_empty_file(store: Store) -> None:
    assert "buildings.geojson: the file is empty" in refusal(store, SourceFile("buildings.geojson", b" \n"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.96])
def test_a_truncated_geopackage(store: Store, real_data: Path, share: float) -> None:
    whole = (real_data / "real_community_gbk/hfut_buildings_cgcs2000_4548.gpkg").read_bytes()
    sentence = refusal(store, SourceFile("buildings.gpkg", whole[: int(len(whole) * share)]))
    assert "buildings.gpkg: cannot be read as GeoPackage" in sentence
    assert "export it again" in sentence


def test_a_truncated_geojson(store: Store, real_data: Path) -> None:
    whole = (real_data / "real_community/buildings.geojson").read_bytes()
    sentence = refusal(store, SourceFile("buildings.geojson", whole[: len(whole) // 2]))
    assert "cannot be read as GeoJSON" in sentence


def test_a_truncated_shapefile(store: Store, real_data: Path) -> None:
    parts = {
        ending: (real_data / f"real_community_gbk/hfut_buildings_gbk.{ending}").read_bytes()
        for ending in ("shp", "dbf", "shx", "prj")
    }
    cut = [SourceFile(f"b.{ending}", data[: len(data) // 2]) for ending, data in parts.items() if ending != "prj"]
    refusal(store, *cut, SourceFile("b.prj", parts["prj"]))


def test_degrees_said_to_be_metres(empty: Store) -> None:
    sentence = refusal(empty, three_buildings(), options=ImportOptions(crs="EPSG:4549"))
    assert "said to be metres of EPSG:4549" in sentence
    assert "look like degrees" in sentence
    sentence = refusal(empty, geojson([feature(square())], crs="urn:ogc:def:crs:EPSG::4549"))
    assert "look like degrees" in sentence


def test_metres_said_to_be_degrees(empty: Store) -> None:
    metres = {"type": "Polygon", "coordinates": [[[5e5, 3.6e6], [5e5 + 20, 3.6e6], [5e5, 3.6e6 + 20], [5e5, 3.6e6]]]}
    sentence = refusal(empty, geojson([feature(metres)], crs="urn:ogc:def:crs:EPSG::4326"))
    assert "these look like metres" in sentence
    assert "--crs" in sentence


def test_no_coordinate_system(empty: Store, real_data: Path) -> None:
    metres = {"type": "Polygon", "coordinates": [[[5e5, 3.6e6], [5e5 + 20, 3.6e6], [5e5, 3.6e6 + 20], [5e5, 3.6e6]]]}
    with pytest.raises(CrsUnknownError, match="--crs EPSG:4549"):
        import_sources(empty, [geojson([feature(metres)])], clock=clock)
    parts = [
        SourceFile(f"buildings.{e}", (real_data / f"real_community_gbk/hfut_buildings_gbk.{e}").read_bytes())
        for e in ("shp", "dbf", "shx")
    ]
    assert "names no coordinate system" in refusal(empty, *parts)


def test_a_coordinate_system_that_nobody_knows(empty: Store) -> None:
    metres = {"type": "Polygon", "coordinates": [[[5e5, 3.6e6], [5e5 + 20, 3.6e6], [5e5, 3.6e6 + 20], [5e5, 3.6e6]]]}
    sentence = refusal(empty, geojson([feature(metres)]), options=ImportOptions(crs="EPSG:123456789"))
    assert "'EPSG:123456789' is not known" in sentence


def test_two_coordinate_systems_for_one_file(empty: Store) -> None:
    source = geojson([feature(square())], crs="urn:ogc:def:crs:EPSG::4490")
    with pytest.raises(CrsMismatchError, match=r"the file says EPSG:4490.*--crs says EPSG:4549"):
        import_sources(empty, [source], ImportOptions(crs="EPSG:4549"), clock=clock)


def test_another_continent(store: Store) -> None:
    with pytest.raises(RefusedError, match=r"lies [\d,]+ km from this store's community.*--store NAME"):
        import_sources(store, [geojson([feature(square(lon=2.35, lat=48.85))])], clock=clock)
    refusal(store, geojson([feature(square(lon=2.35, lat=48.85))]))


def test_outside_the_area_of_use(empty: Store) -> None:
    # 5,000 km east of the central meridian, in either order of the axes: no place of a 3-degree zone.
    ring = [[5e6, 3.6e6], [5e6 + 20, 3.6e6], [5e6, 3.6e6 + 20], [5e6, 3.6e6]]
    source = geojson([feature({"type": "Polygon", "coordinates": [ring]})])
    sentence = refusal(empty, source, options=ImportOptions(crs="EPSG:4549"))
    assert "outside the area of use of EPSG:4549" in sentence


def test_one_building_far_away(store: Store) -> None:
    source = geojson([feature(square(0), id="x"), feature(square(lon=0.0, lat=0.0), id="null island")])
    sentence = refusal(store, source)
    assert "more than 50 km" in sentence
    assert "row 2" in sentence


def test_duplicate_ids(store: Store) -> None:
    source = geojson([feature(square(i), id="7", name=f"{i + 20}幢", height=18) for i in range(2)])
    sentence = refusal(store, source)
    assert "share their id with a different record" in sentence
    assert "'20幢' (row 1), '21幢' (row 2)" in sentence


@pytest.mark.parametrize(("height", "shown"), [(-3, "-3"), (9999, "9999"), ("tall", "tall"), ("inf", "inf")])
def test_impossible_heights(store: Store, height: object, shown: str) -> None:
    source = geojson([feature(square(5), id="n", name="12幢", height=height)])
    sentence = refusal(store, source)
    assert f"Building '12幢' (row 1): height_m is {shown}, expected 0 to 1000" in sentence
    assert "--skip-bad-rows" in sentence


def test_all_problems_at_once_and_the_rest_with_skip_bad_rows(store: Store) -> None:
    source = geojson(
        [
            feature(square(5), id="n5", name="15幢", height=-3),
            feature(square(6), id="n6", name="16幢", height=18),
            feature(square(7), id="n7", name="17幢", 层数=900),
        ]
    )
    with pytest.raises(ImportRefusedError) as caught:
        import_sources(store, [source], clock=clock)
    assert "2 records cannot be used" in str(caught.value)
    assert "'15幢'" in str(caught.value)
    assert "'17幢'" in str(caught.value)
    assert len(caught.value.report.select("refused")) == 2
    report = import_sources(store, [source], ImportOptions(skip_bad_rows=True), clock=clock)
    assert report.tables["buildings"].new == 1
    assert report.count("height_m_impossible") == 1
    assert set(rows(store, "buildings")["building_id"]) == {"b-A0", "b-A1", "b-A2", "b-n6"}


def test_markup_is_text(store: Store) -> None:
    name = "<script>alert(1)</script>"
    report = import_sources(store, [geojson([feature(square(5), id="n", name=name, height=9)])], clock=clock)
    assert name in rows(store, "buildings")["name"].tolist()
    assert report.count("markup") == 1


def test_a_csv_without_its_columns(store: Store) -> None:
    sentence = refusal(store, table("警情.csv", "编号,备注\n1,x\n"))
    assert "警情.csv: taken as incidents, but a column is missing" in sentence
    assert "报警时间" in sentence
    assert "The columns found are: 编号, 备注" in sentence


def test_formulas_are_text(store: Store) -> None:
    text = "楼栋,室号,店名\n1幢,101,=cmd|' /C calc'!A0\n"
    report = import_sources(store, [table("units.csv", text)], clock=clock)
    assert rows(store, "units")["name"].tolist() == ["=cmd|' /C calc'!A0"]
    assert report.count("formula") == 1


@pytest.mark.parametrize(
    ("name", "header"),
    [
        pytest.param("警情.csv", "警情编号,报警时间,警情类别,地址", marks=pytest.mark.soak),
        ("units.csv", "楼栋,单元,室号,面积"),
        pytest.param("stuff.csv", "a,b,c,d", marks=pytest.mark.soak),
    ],
)
def test_a_million_rows_of_garbage(store: Store, name: str, header: str) -> None:
    text = header + "\n" + "".join(f"q{i % 1000},zz{i % 977},x{i % 991},y{i}\n" for i in range(1_000_000))
    source = table(name, text)
    del text
    begun = time.process_time()
    sentence = refusal(store, source)
    # Of processor time: what is tested is that there is a bound.
    assert time.process_time() - begun < 60
    assert "1,000,000" in sentence or "Nothing usable" in sentence
    assert len(sentence) < 4000


def test_a_million_rows_take_bounded_memory(store: Store) -> None:
    text = "警情编号,报警时间,警情类别,地址\n" + "".join(f"q{i},zz,x,y\n" for i in range(50_000))
    source = table("警情.csv", text)
    tracemalloc.start()
    try:
        refusal(store, source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 50,000 rows of 12 bytes are 0.6 MB; 1 kB a row would be 50 MB.
    assert peak < 50e6


def test_a_folder_with_nothing_usable(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "letter.docx").write_bytes(b"PK")
    with pytest.raises(BadFileError, match="nothing usable in this folder"):
        read_folder(folder)
    sentence = refusal(store, geojson([feature({"type": "Point", "coordinates": [LON, LAT]}, a=1)], name="x.geojson"))
    assert "Nothing usable among x.geojson" in sentence


def test_the_wrong_encoding(empty: Store) -> None:
    source = table("units.csv", "楼栋,室号\n1幢,101\n", "gb18030")
    assert "the text is not utf-8" in refusal(empty, source, options=ImportOptions(encoding="utf-8"))
    assert "'klingon' is not known" in refusal(empty, source, options=ImportOptions(encoding="klingon"))
    assert "neither UTF-8 nor GB18030" in refusal(empty, SourceFile("units.csv", b"a,b\n\xff\xff,\xff\n"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e308", "-1e40"])
def test_coordinates_that_are_no_place(store: Store, number: str) -> None:
    text = geojson([feature(square(5), id="bad"), feature(square(6), id="good")]).data.decode()
    corner = json.dumps(square(5)["coordinates"][0][1])
    source = SourceFile("buildings.geojson", text.replace(corner, f"[{number}, {LAT}]").encode())
    refusal(store, source)


def test_a_table_with_infinite_coordinates(store: Store) -> None:
    text = "警情编号,报警时间,警情类别,经度,纬度\n1,2024-05-01 10:00,盗窃,inf,33.39\n2,2024-05-01 10:00,盗窃,nan,x\n"
    sentence = refusal(store, table("警情.csv", text))
    assert "have a coordinate that is no number" in sentence


def test_archives_that_are_traps(store: Store) -> None:
    assert "the archive is empty" in refusal(store, SourceFile("a.zip", zipped({})))
    inner = zipped({"b.geojson": three_buildings().data})
    assert "holds another archive" in refusal(store, SourceFile("a.zip", zipped({"in.zip": inner})))
    assert "leads out of the archive" in refusal(store, SourceFile("a.zip", zipped({"../b.geojson": b"{}"})))
    assert "leads out of the archive" in refusal(store, SourceFile("a.zip", zipped({"/etc/b.geojson": b"{}"})))
    bomb = zipped({"b.geojson": b"0" * 300_000_000})
    assert len(bomb) < 1_000_000
    assert "not what a community's files look like" in refusal(store, SourceFile("a.zip", bomb))
    assert "not a readable zip archive" in refusal(store, SourceFile("a.zip", b"PK\x03\x04rubbish"))


def test_a_zip_entry_that_is_a_link(store: Store) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("buildings.geojson")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert "is a link" in refusal(store, SourceFile("a.zip", buffer.getvalue()))


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside.geojson"
    outside.write_bytes(three_buildings().data)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "buildings.geojson").symlink_to(outside)
    with pytest.raises(BadFileError, match="is a link out of the folder"):
        read_folder(folder)


def test_persons_are_refused_until_somebody_says_what_to_do_with_them(store: Store) -> None:
    units = table("units.csv", "楼栋,室号,业主姓名,联系电话\n1幢,101,张某某,13900000000\n")
    rentals = table("出租屋.csv", "出租屋地址,房东\n1幢,李某某\n")
    sentence = refusal(store, units, rentals)
    assert "units.csv: 业主姓名, 联系电话" in sentence
    assert "出租屋.csv: 房东" in sentence
    assert "--drop-persons" in sentence
    assert "--with-persons" in sentence
    report = import_sources(store, [units, rentals], ImportOptions(drop_persons=True), clock=clock)
    assert report.count("person_column") == 3
    assert "张某某" not in str(content(store))
    assert "13900000000" not in str(content(store))
    assert "李某某" not in str(content(store))


def test_persons_under_an_innocent_header(store: Store) -> None:
    # A resident identity number of the form of GB 11643-1999, of nobody: region code 000000 does not exist.
    source = geojson([feature(square(5), id="n", name="9幢", height=9, 其他="320000199001011234")])
    assert "其他" in refusal(store, source)


def test_a_real_place_never_goes_into_the_sample(tmp_path: Path) -> None:
    with Store(tmp_path / "demo.duckdb") as store:
        store.write(
            lambda tx: tx.execute(
                "community",
                "INSERT INTO community (community_id, name, crs, synthetic, boundary_source) "
                "VALUES ('c', 'sample', 'EPSG:4549', true, 'sample')",
            )
        )
        sentence = refusal(store, three_buildings())
    assert "shapan import FOLDER --store NAME" in sentence


def test_a_table_alone_says_not_where_the_community_is(empty: Store) -> None:
    sentence = refusal(empty, table("units.csv", "楼栋,室号\n1幢,101\n"))
    assert "Import the map first" in sentence


def test_a_kind_that_there_is_not(empty: Store) -> None:
    assert "cannot be taken as 'roads'" in refusal(
        empty, three_buildings(), options=ImportOptions(kinds={"a": "roads"})
    )
