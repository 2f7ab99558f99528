"""Matching texts to the address tree, and the wall's search box."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

from data.addresses import AddressMatcher, Aliases, PlaceSearch

PREFIX = "江苏省盐城市亭湖区万户新村"


def make_addresses() -> gpd.GeoDataFrame:
    """西区 1–30 with three entrances, 东区 1–20 with two; five storeys of two rooms; a shop, a street number."""
    rows: list[dict[str, object]] = []
    for zone, buildings, entrances in (("西区", 30, 3), ("东区", 20, 2)):
        for number in range(1, buildings + 1):
            building_id = f"{zone}{number}"
            base = {"zone": zone, "building": str(number), "building_id": building_id}
            rows.append(base | {"address_id": f"A{building_id}", "full_text": f"{PREFIX}{zone}{number}幢"})
            for unit in range(1, entrances + 1):
                for room in (f"{level}0{k}" for level in range(1, 6) for k in (1, 2)):
                    key = f"{building_id}-{unit}-{room}"
                    text = f"{PREFIX}{zone}{number}幢{unit}单元{room}室"
                    ids = {"address_id": f"A{key}", "unit_id": f"U{key}", "unit": str(unit), "room": room}
                    rows.append(base | ids | {"full_text": text})
    shop = {"address_id": "Ashop", "unit_id": "Ushop", "zone": "西区", "building": "12", "building_id": "西区12"}
    rows.append(shop | {"full_text": f"{PREFIX}西区12幢门面房3号"})
    rows.append(
        {
            "address_id": "Aroad",
            "unit_id": "Uroad",
            "building_id": "R1",
            "full_text": "江苏省盐城市亭湖区解放南路24-3号",
        }
    )
    points = [Point(i, 2 * i) for i in range(len(rows))]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=points, crs="EPSG:4549")


BUILDINGS = pd.DataFrame(
    {"building_id": ["G1", "西区12"], "name": ["体育馆", "12幢"], "zone": [None, "西区"], "number": [None, "12"]}
)
SITES = pd.DataFrame({"site_id": ["S1", "S2"], "name": ["极速网吧", "新村网咖"], "building_id": ["西区12", None]})
GRIDS = pd.DataFrame({"grid_id": ["g3"], "name": ["第3网格"], "number": [3]})
ALIASES = Aliases([("WH新村", "万户新村", "community"), ("网鱼", "极速网吧", "site")])


@pytest.fixture(scope="module")
def matcher() -> AddressMatcher:
    """One matcher of the small community."""
    return AddressMatcher(make_addresses(), ALIASES, buildings=BUILDINGS)


@pytest.mark.parametrize(
    ("text", "level", "address_id", "reason", "confidence"),
    [
        ("万户新村西区12幢3单元402室", "room", "A西区12-3-402", "exact", 1.0),
        ("WH新村西区12#3-402", "room", "A西区12-3-402", "exact", 1.0),
        ("西区12幢3单元402", "room", "A西区12-3-402", "community_not_said", 0.95),
        ("万户新村西区12幢3单元", "unit", None, "exact", 1.0),
        ("万户新村西区12幢", "building", "A西区12", "exact", 1.0),
        ("万户新村25幢2单元301", "room", "A西区25-2-301", "zone_inferred", 0.9),
        ("万户新村12幢3单元402", "room", "A西区12-3-402", "zone_inferred_from_room", 0.8),
        ("万户新村12幢1单元402", "none", None, "ambiguous_zone", 0.0),
        ("万户新村12幢", "none", None, "ambiguous_zone", 0.0),
        ("万户新村西区12栋402", "building", "A西区12", "ambiguous_unit", 0.5),
        ("万户新村东区12幢3单元402", "building", "A东区12", "no_such_unit", 0.5),
        ("万户新村西区12幢1单元701", "unit", None, "no_such_room", 0.5),
        ("万户新村西区12幢门面房3号", "room", "Ashop", "exact", 1.0),
        ("万户新村西区12幢门面房9号", "building", "A西区12", "no_such_part", 0.5),
        ("万户新村西区12幢3单元402室对面", "room", "A西区12-3-402", "near", 0.6),
        ("万户新村西区12幢、13幢之间", "building", "A西区12", "near", 0.6),
        ("万户新村西区12幢~15幢", "building", "A西区12", "near", 0.6),
        ("万户新村西区12幢3元402", "building", "A西区12", "no_such_part", 0.5),
        ("万户新村西区12幢3单元402、401", "unit", None, "no_such_part", 0.5),
        ("万户新村西区第12幢第3单元第402室", "room", "A西区12-3-402", "exact", 1.0),
        ("万户新村西区12幢 13900000000", "building", "A西区12", "exact", 1.0),
        ("大洋万户新村西区12幢", "building", "A西区12", "prefix_unexplained", 0.95),
        ("江苏省盐城市亭湖区大洋街道万户新村西区12幢", "building", "A西区12", "exact", 1.0),
        ("万户新村西区99幢", "none", None, "no_such_building", 0.0),
        ("万户新村南区3幢", "none", None, "no_such_zone", 0.0),
        ("万户新村西区", "zone", None, "zone_only", 0.5),
        ("3单元402室", "none", None, "no_building", 0.0),
        ("万户新村", "none", None, "no_building", 0.0),
        ("解放南路24-3号", "room", "Aroad", "named", 1.0),
        ("盐城市亭湖区解放南路24-3号", "room", "Aroad", "named", 1.0),
        ("万户新村体育馆", "building", None, "named", 1.0),
        ("哈哈哈", "none", None, "not_understood", 0.0),
        (" ", "none", None, "empty", 0.0),
    ],
)  # fmt: skip
def test_how_far_a_text_leads_and_how_sure_that_is(
    matcher: AddressMatcher, text: str, level: str, address_id: str | None, reason: str, confidence: float
) -> None:
    match = matcher.match(text)
    assert (match.level_of_match, match.address_id, match.reason) == (level, address_id, reason)
    assert match.confidence == pytest.approx(confidence)
    assert match.is_complete == (confidence > 0.6)


def test_two_buildings_of_one_number_are_never_told_apart_by_chance() -> None:
    rows = [["b1", "12幢", None, "12"], ["b2", "12幢", None, "12"], ["b3", "13幢", None, "13"]]
    buildings = pd.DataFrame(rows, columns=["building_id", "name", "zone", "number"])
    matcher = AddressMatcher(pd.DataFrame(columns=["address_id", "full_text"]), buildings=buildings)
    assert (matcher.match("12幢").reason, matcher.match("12幢").building_id) == ("ambiguous_zone", None)
    assert matcher.match("13幢").building_id == "b3"


def test_a_zone_is_known_in_digits_and_in_words() -> None:
    rows = [["a1", "万户新村三区5幢", "三区", "5"], ["a2", "万户新村二期5幢", "二期", "5"]]
    addresses = pd.DataFrame(rows, columns=["address_id", "full_text", "zone", "building"])
    matcher = AddressMatcher(addresses, community="万户新村")
    said = ["三区5幢", "3区5幢", "二期5幢", "2期5幢", "万户新村2期5栋"]
    assert [matcher.match(text).address_id for text in said] == ["a1", "a1", "a2", "a2", "a2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("新都小区西区12幢3单元402室", "another_community"),
        ("新都新村", "another_community"),
        ("浙江省杭州市西湖区万户新村西区12幢3单元402室", "another_place"),
        ("盐城市盐都区万户新村西区12幢", "another_place"),
        ("杭州市西区12幢3单元402", "another_place"),
    ],
)
def test_another_place_never_matches_however_well_its_numbers_fit(
    matcher: AddressMatcher, text: str, reason: str
) -> None:
    match = matcher.match(text)
    assert (match.reason, match.building_id, match.confidence, match.candidates) == (reason, None, 0.0, ())


def test_confidence_is_the_product_of_all_findings(matcher: AddressMatcher) -> None:
    match = matcher.match("25幢301对面")
    assert set(match.findings) == {"zone_inferred", "community_not_said", "near", "ambiguous_unit"}
    assert match.confidence == pytest.approx(0.9 * 0.95 * 0.6 * 0.5, abs=1e-4)
    assert match.reason == "ambiguous_unit"
    assert match.values == {"building": "25", "room": "301", "remainder": "对面"}


def test_what_is_ambiguous_lists_each_place(matcher: AddressMatcher) -> None:
    candidates = matcher.match("12幢1单元402").candidates
    assert {c.address_id for c in candidates[:2]} == {"A西区12-1-402", "A东区12-1-402"}
    assert candidates[0].differs == (("zone", "", "东区"),) or candidates[0].differs == (("zone", "", "西区"),)
    assert candidates[0].confidence == pytest.approx(0.85)
    assert len(candidates) <= 5


def test_one_slip_of_the_hand_is_found_and_said(matcher: AddressMatcher) -> None:
    candidates = matcher.match("万户新村西区31幢2单元301").candidates
    by_id = {c.address_id: c for c in candidates}
    assert by_id["A西区13-2-301"].differs == (("building", "31", "13"),)
    assert by_id["A西区13-2-301"].confidence == pytest.approx(0.7)
    assert matcher.match("体育管").candidates[0].text == "体育馆"
    assert matcher.match("万户新村西区99幢", with_candidates=False).candidates == ()


def test_every_address_matches_itself(matcher: AddressMatcher) -> None:
    frame = make_addresses()
    for text, address_id in zip(frame["full_text"], frame["address_id"], strict=True):
        match = matcher.match(text)
        assert (match.address_id, match.confidence) == (address_id, 1.0)


def test_a_place_without_standard_addresses_matches_by_name() -> None:
    nothing = pd.DataFrame({"address_id": [], "full_text": []})
    names = ["体育馆", "学生宿舍2号楼", "4号实验楼", "1号实验楼", "1号实验楼"]
    buildings = pd.DataFrame({"building_id": list("abcde"), "name": names, "zone": None, "number": None})
    matcher = AddressMatcher(nothing, buildings=buildings)
    assert [matcher.match(name).building_id for name in names[:3]] == ["a", "b", "c"]
    twice = matcher.match("1号实验楼")
    assert (twice.reason, twice.building_id) == ("ambiguous_name", None)
    assert {c.building_id for c in twice.candidates} >= {"d", "e"}


@pytest.fixture(scope="module")
def search() -> PlaceSearch:
    """Search over the small community."""
    return PlaceSearch(make_addresses(), BUILDINGS, SITES, GRIDS, ALIASES)


@pytest.mark.parametrize(
    ("text", "understood_as", "hits"),
    [
        ("12幢", "address", [("building", "东区12"), ("building", "西区12")]),
        ("西区12栋3单元402", "address", [("room", "A西区12-3-402")]),
        ("西区12栋402", "address", [("room", f"A西区12-{unit}-402") for unit in (1, 2, 3)]),
        ("西区12栋门面房3号", "address", [("room", "Ashop")]),
        ("极速网吧", "name", [("site", "S1")]),
        ("网吧", "name", [("site", "S1")]),
        ("网鱼", "name", [("site", "S1")]),
        ("万户新村网咖", "address", [("site", "S2")]),
        ("新村网", "name", [("site", "S2")]),
        ("体育馆", "name", [("building", "G1")]),
        ("3网格", "grid", [("grid", "g3")]),
        ("第三网格", "grid", [("grid", "g3")]),
        ("新都小区12幢", "address", []),
        ("99幢", "address", []),
        ("哈哈哈", "nothing", []),
        ("", "nothing", []),
    ],
)
def test_search_finds_what_people_type(
    search: PlaceSearch, text: str, understood_as: str, hits: list[tuple[str, str]]
) -> None:
    result = search.find(text)
    assert (result.understood_as, [(hit.kind, hit.id) for hit in result.hits]) == (understood_as, hits)


def test_search_says_where_and_what_was_understood(search: PlaceSearch) -> None:
    frame = make_addresses().set_index("address_id")
    hit = search.find("西区12栋3单元402").hits[0]
    assert (hit.x_m, hit.y_m) == (frame.geometry["A西区12-3-402"].x, frame.geometry["A西区12-3-402"].y)
    nowhere = search.find("99幢3单元")
    assert (nowhere.understood.building, nowhere.understood.unit) == ("99", "3")
    assert nowhere.nearest[0].differs[0][0] in ("zone", "building")
    # A room that is not there leads to its building, with a lower score.
    building = search.find("西区12幢999").hits[0]
    assert (building.kind, building.id, building.score) == ("building", "西区12", 0.7)


def test_search_lists_no_more_than_asked_and_says_how_many(search: PlaceSearch) -> None:
    result = search.find("西区", limit=5)
    assert (len(result.hits), result.total) == (5, 30)
    assert [hit.id for hit in result.hits] == [f"西区{n}" for n in range(1, 6)]


def test_search_works_with_names_alone() -> None:
    result = PlaceSearch(None, BUILDINGS).find("体育")
    assert [(hit.id, hit.x_m) for hit in result.hits] == [("G1", None)]
