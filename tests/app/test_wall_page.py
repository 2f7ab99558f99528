"""The wall page without a browser: what the rail says of what is selected and searched for, in both languages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shapely import box
from streamlit.testing.v1 import AppTest

from data.runtime import clear_store, set_store
from data.settings import Settings
from data.store import Store
from i18n import LANGUAGES, Language, t
from tests.fixtures.small_community import build, found

MAIN = Path(__file__).resolve().parents[2] / "ui" / "main.py"
HOSTILE = '<script>alert("x")</script>**[here](http://evil.example)** `'


@pytest.fixture(scope="module")
def sample_store(tmp_path_factory: pytest.TempPathFactory, sample_file: Path) -> Iterator[Store]:
    with Store(Path(shutil.copy(sample_file, tmp_path_factory.mktemp("pages")))) as store:
        yield store


@pytest.fixture
def sample(sample_store: Store) -> Iterator[Store]:
    """The sample as the process's store."""
    set_store(sample_store, Settings(sample_store.path.parent, "demo"))
    yield sample_store
    clear_store()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    """A store with nothing in it as the process's store."""
    with Store(tmp_path / "new.duckdb") as store:
        set_store(store, Settings(tmp_path, "new"))
        yield store
        clear_store()


def open_page(lang: str | None = "zh", selected: dict[str, str] | None = None, **query: str) -> AppTest:
    """The page after its first run."""
    page = AppTest.from_file(str(MAIN), default_timeout=60)
    for name, value in {"lang": lang, **query}.items():
        if value is not None:
            page.query_params[name] = value
    if selected:
        page.session_state["selected"] = selected
    return check(page.run())


def check(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def get_card(page: AppTest) -> str:
    """Markup of the panel, empty where nothing is selected."""
    return next((html.proto.body for html in page.get("html") if "sp-card" in html.proto.body), "")


def get_captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def get_hits(page: AppTest) -> list[Any]:
    return [button for button in page.button if str(button.key).startswith("hit-")]


def get_table(page: AppTest) -> dict[str, Any]:
    """What the browser's half is given."""
    proto = page.get("bidi_component")[0].proto
    data: dict[str, Any] = json.loads(proto.json or proto.mixed.json)
    return data


def choose(store: Store, sql: str) -> dict[str, Any]:
    """First row of a query."""
    return {str(name): value for name, value in store.read(sql).iloc[0].items()}


# Selection


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_panel_of_a_building(sample: Store, lang: Language) -> None:
    building = choose(
        sample,
        """SELECT b.*, a.full_text, (SELECT count(*) FROM units u WHERE u.building_id = b.building_id) AS homes,
            (SELECT count(*) FROM rentals r JOIN units u USING (unit_id) WHERE u.building_id = b.building_id
                AND NOT r.suspected_group) AS lets
        FROM buildings b JOIN addresses a USING (address_id) WHERE b.zone = '西区' AND b.number = '12'""",
    )
    card = get_card(open_page(lang, {"kind": "building", "id": building["building_id"]}))
    assert "<h4>西区12幢</h4>" in card
    assert building["full_text"] in card
    assert f"<dt>{t('wall.use', lang)}</dt><dd>{t('terms.use.residential', lang)}</dd>" in card
    assert f"<dt>{t('wall.units', lang)}</dt><dd>{building['homes']}</dd>" in card
    assert f"{t('wall.rentals', lang)} {building['lets']}<" in card
    assert t("wall.incidents", lang) in card


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_panels_of_grids_sites_and_units(sample: Store, lang: Language) -> None:
    grid = choose(sample, "SELECT grid_id, name FROM grids WHERE number = 3")
    card = get_card(open_page(lang, {"kind": "grid", "id": grid["grid_id"]}))
    assert f"<h4>{grid['name']}</h4>" in card
    assert "网格03" in card  # call sign of its worker
    site = choose(sample, "SELECT site_id, name FROM key_sites WHERE kind = 'hotel' ORDER BY site_id")
    card = get_card(open_page(lang, {"kind": "site", "id": site["site_id"]}))
    assert f"<h4>{site['name']}</h4>" in card
    assert t("terms.site_kind.hotel", lang) in card
    unit = choose(
        sample,
        "SELECT u.unit_id, u.room, full_text FROM units u JOIN addresses USING (address_id) WHERE u.use = 'dwelling'",
    )
    card = get_card(open_page(lang, {"kind": "unit", "id": unit["unit_id"]}))
    assert f"<h4>{unit['room']}</h4>" in card
    assert unit["full_text"] in card


def test_what_is_gone_is_said_and_clearing_forgets(sample: Store) -> None:
    page = open_page(selected={"kind": "building", "id": "taken back"})
    assert t("wall.gone", "zh") in get_captions(page)
    page = open_page(selected={"kind": "building", "id": "B001"})
    assert get_card(page)
    check(page.button(key="clear").click().run())
    assert not get_card(page)
    assert t("wall.nothing_selected", "zh") in get_captions(page)
    assert get_table(page)["fly"]["select"] is None


# Search


def test_one_hit_is_flown_to_at_once(sample: Store) -> None:
    page = open_page()
    check(page.text_input(key="search").set_value("西区12栋").run())
    building = choose(sample, "SELECT building_id FROM buildings WHERE zone = '西区' AND number = '12'")["building_id"]
    assert page.session_state["selected"] == {"kind": "building", "id": building}
    assert get_hits(page) == []
    fly = get_table(page)["fly"]
    assert (fly["select"]["id"], fly["n"]) == (building, 1)
    assert fly["outline"]["top"] > 3
    assert len(fly["x"]) == 2
    check(page.run())  # another run of the page is no new order to the camera
    assert get_table(page)["fly"]["n"] == 1


def test_several_hits_are_listed_and_one_is_chosen(sample: Store) -> None:
    page = open_page()
    check(page.text_input(key="search").set_value("12幢").run())
    hits = get_hits(page)
    zones = sample.read("SELECT count(*) AS n FROM buildings WHERE number = '12'")["n"].iloc[0]
    assert len(hits) == zones > 1
    assert t("wall.hits", "zh", count=zones) in get_captions(page)
    assert "selected" not in page.session_state
    check(hits[-1].click().run())
    assert page.session_state["selected"]["kind"] == "building"
    assert "12幢</h4>" in get_card(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_not_found_says_what_was_understood(sample: Store, lang: Language) -> None:
    page = open_page(lang)
    check(page.text_input(key="search").set_value("西区9999幢3单元402室").run())
    captions = get_captions(page)
    assert t("wall.no_hit", lang) in captions
    for part, value in (("zone", "西区"), ("building", "9999"), ("unit", "3"), ("room", "402")):
        assert f"{t(f'wall.part_{part}', lang)} {value}" in captions
    check(page.text_input(key="search").set_value("%%%%").run())
    assert t("wall.no_hit", lang) in get_captions(page)
    assert t("wall.understood", lang, what="").strip() not in get_captions(page)


# Hot places


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hot_places_are_listed_with_reasons_and_a_click_flies_there(sample: Store, lang: Language) -> None:
    page = open_page(lang)
    hot = [button for button in page.button if str(button.key).startswith("hot-")]
    assert 8 <= len(hot) <= 10
    assert all(any(digit.isdigit() for digit in button.label.split("\n")[1]) for button in hot)
    check(hot[0].click().run())
    fly = get_table(page)["fly"]
    assert fly["select"] == {"kind": "hot", "id": "hot-1"}
    assert len(fly["x"]) == 2


def test_the_period_and_kinds_go_into_the_scenes_addresses(sample: Store) -> None:
    page = open_page()
    assert "weeks=52" in get_table(page)["files"]["hot"]
    check(page.selectbox[0].set_value(4).run())
    assert "weeks=4" in get_table(page)["files"]["hot"]
    kind = page.multiselect[0].options
    assert len(kind) > 3


# Language, empty store, hostile names


def find_strings(page: AppTest) -> set[str]:
    words = {button.label for button in page.button if not str(button.key).startswith(("hot-", "hit-"))}
    words |= set(get_captions(page).splitlines()) | {page.text_input[0].placeholder, page.text_input[0].label}
    return words | set(get_table(page)["strings"].values()) | {one["label"] for one in get_table(page)["switches"]}


def test_every_word_is_another_in_the_other_language(sample: Store) -> None:
    chinese, english = (find_strings(open_page(lang, {"kind": "building", "id": "B001"})) for lang in LANGUAGES)
    assert len(chinese) > 60
    same = {text for text in chinese & english if any(letter.isalpha() for letter in text)}
    assert same == set()


@pytest.mark.parametrize("lang", [None, "fr", "<script>", "ZH"])
def test_a_language_that_is_not_spoken_is_chinese(sample: Store, lang: str | None) -> None:
    assert get_table(open_page(lang))["lang"] == "zh"


def test_rest_before_visitor_mode_comes_from_the_address(sample: Store) -> None:
    assert get_table(open_page())["idleS"] == 300
    assert get_table(open_page(idle="60"))["idleS"] == 60
    assert get_table(open_page(idle="soon"))["idleS"] == 300


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_store_without_a_community_says_how_to_get_one(empty: Store, lang: Language) -> None:
    page = open_page(lang)
    assert page.title[0].value == t("wall.empty_title", lang)
    assert page.code[0].value == "shapan import FOLDER --store new"
    assert len(page.get("bidi_component")) == 0


def test_a_community_with_only_a_boundary_has_a_page(empty: Store) -> None:
    found(empty)
    page = open_page()
    assert t("wall.hot_no_incidents", "zh") in get_captions(page)
    assert get_table(page)["community"] == {"name": "小村", "synthetic": False, "drill": False}


def test_hostile_names_are_words_and_nothing_else(empty: Store) -> None:
    found(empty)
    homes = [
        {"building_id": f'{i}"><img src=x>', "name": HOSTILE, "geom": box(i * 20, 0, i * 20 + 10, 9)} for i in (0, 1)
    ]
    build(empty, "buildings", *homes)
    page = open_page(selected={"kind": "building", "id": homes[0]["building_id"]})
    card = get_card(page)
    assert "&lt;script&gt;" in card
    assert "<script" not in card
    assert "<img" not in card
    check(page.text_input(key="search").set_value(HOSTILE).run())
    shown = [button.label for button in get_hits(page)] + get_captions(page).splitlines()
    assert not [text for text in shown if "](http" in text or "**[" in text]
