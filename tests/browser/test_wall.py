"""The wall as people use it: what is drawn, clicked, found, hidden, said in both languages, and what never moves."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import shapely
from playwright.sync_api import Page, expect

from i18n import t
from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, BARE, NO_WORDS, Pixels, Wall, count_alarm_red
from ui.components.words import OWN_WORDS

HOTEL = """INSERT INTO key_sites (site_id, name, kind, building_id, geom)
    SELECT ?, '新开的旅馆', 'hotel', building_id, ST_Centroid(geom) FROM buildings ORDER BY building_id LIMIT 1"""


def cut(pixels: Pixels) -> Pixels:
    """The part of the screen between the rails."""
    return pixels[60:600, 250:1005]


def count_lit(pixels: Pixels) -> tuple[int, int]:
    """Pixels of the lit windows and hot curtains (amber), and of the boxes of suspected group rentals (magenta)."""
    red, green, blue = (pixels[..., i] for i in range(3))
    amber = (red > 180) & (red - blue > 100) & (green > 100)
    return int(amber.sum()), int(((red > 150) & (blue > 130) & (red - green > 90)).sum())


def find_middle(record: dict[str, Any]) -> list[float]:
    """Middle of a building's footprint, at half its height."""
    point = shapely.Polygon([xy[:2] for xy in record["p"][0]]).centroid
    return [point.x, point.y, record["h"] / 2]


# The picture


def test_the_table_is_drawn_in_three_dimensions(wall: Wall) -> None:
    with_buildings = cut(wall.shoot(NO_WORDS))
    assert len(np.unique(with_buildings.reshape(-1, 3) // 8, axis=0)) > 250
    switch = wall.switch("buildings")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    without = cut(wall.shoot(NO_WORDS))
    assert (np.abs(with_buildings - without).max(axis=-1) > 24).mean() > 0.10
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    again = cut(wall.shoot(NO_WORDS))
    assert (np.abs(with_buildings - again).max(axis=-1) > 24).mean() < 0.01


def test_saturated_red_is_nowhere_without_an_alarm(wall: Wall) -> None:
    assert count_alarm_red(wall.shoot()) == 0
    wall.look([0.0, 0.0], pitch=0, zoom=16.5)
    assert count_alarm_red(wall.shoot()) == 0
    wall.look(find_middle(wall.fetch_scene("group_rentals")[0]), pitch=60, zoom=19)
    assert count_alarm_red(wall.shoot()) == 0


_BOXES = """() => {
    const { boxes } = window.shapan.labels;
    return { marks: boxes.filter((box) => !box.frame), frames: boxes.filter((box) => box.frame) };
}"""
# A house of 10 m, 4 to 6 m to the east of a place.
_HIDDEN = """async ([z, rise, east]) => {
    const { Hiding } = await import("/assets/hiding.js");
    const hiding = new Hiding();
    hiding.setBuildings([{ p: [[[4, -5], [6, -5], [6, 5], [4, 5], [4, -5]]], h: 10 }]);
    return hiding.isHidden([0, 0, z], { east, north: 0, rise });
}"""


def test_the_whole_view_has_a_mark_for_every_grid_and_hot_place_and_none_under_the_frame(wall: Wall) -> None:
    shown = wall.page.evaluate(_BOXES)
    kinds = {kind: {box["id"] for box in shown["marks"] if box.get("kind") == kind} for kind in ("grid", "hot")}
    assert kinds["grid"] == {record["id"] for record in wall.scene("grids")}
    assert kinds["hot"] == {place["id"] for place in wall.scene("hot")["places"]}
    assert len(kinds["hot"]) == 10
    for mark in shown["marks"]:
        for over in [*shown["frames"], *(other for other in shown["marks"] if other is not mark)]:
            apart = mark["left"] >= over["right"] or mark["right"] <= over["left"]
            assert apart or mark["top"] >= over["bottom"] or mark["bottom"] <= over["top"], (mark, over)


# The line of sight rises so much for each metre and meets the house's near wall after 4 m: hidden below its 10 m.
_SIGHTS = {
    (0, 1.6, 1): True,
    (0, 2.6, 1): False,
    (0, 1.6, -1): False,
    (9, 0.2, 1): True,
    (9, 0.3, 1): False,
    (11, 0.1, 1): False,
}


def test_a_name_behind_a_house_is_told_from_one_before_it(wall: Wall) -> None:
    assert {sight: wall.page.evaluate(_HIDDEN, list(sight)) for sight in _SIGHTS} == _SIGHTS


# What is pointed at


def test_a_building_says_its_name_and_address_and_a_click_selects_it(wall: Wall) -> None:
    building = next(record for record in wall.fetch_scene("buildings") if record["n"] == "西区12幢")
    middle = find_middle(building)
    wall.look(middle, zoom=18.5, pitch=0, bearing=0)
    x, y = wall.project(middle)
    wall.page.mouse.move(x - 2, y)
    wall.page.mouse.move(x, y)
    hover = wall.page.locator(".sp-hover")
    expect(hover).to_be_visible(timeout=ACT_MS)
    # Name and address, and nothing else: no person, no number of homes.
    assert hover.inner_text().splitlines() == [building["n"], building["a"]]
    before = wall.camera
    wall.page.mouse.click(x, y, delay=400)  # a slow hand
    card = wall.expect_card("building", building["id"])
    expect(card.locator("h4")).to_have_text("西区12幢")
    expect(card).to_contain_text(building["a"])
    for key in ("use", "floors", "height", "entrances", "units", "residents", "rentals", "suspected", "key_sites"):
        expect(card).to_contain_text(t(f"wall.{key}", "zh"))
    wall.wait_drawn()
    assert wall.camera == before


def test_a_click_on_open_ground_selects_its_grid(wall: Wall) -> None:
    grid = next(record for record in wall.scene("grids") if record["n"] == "第6网格")
    built = [shapely.Polygon([xy[:2] for xy in record["p"][0]]).buffer(1.0) for record in wall.fetch_scene("buildings")]
    sites = [shapely.Point(record["x"][:2]).buffer(8.0) for record in wall.scene("key_sites")]
    ground = shapely.difference(shapely.Polygon(grid["p"][0]), shapely.union_all([*built, *sites]))
    place = shapely.maximum_inscribed_circle(ground, tolerance=0.5).coords[0]
    wall.look([*place, 0.0], zoom=19, pitch=0, bearing=0)
    wall.page.mouse.click(*wall.project([*place, 0.0]), delay=80)
    card = wall.expect_card("grid", grid["id"])
    expect(card).to_contain_text("网格06")  # the call sign of its worker
    expect(card.locator("dd").first).to_be_visible()


def test_a_click_on_a_pin_selects_the_key_site(wall: Wall) -> None:
    site = wall.scene("key_sites")[0]
    wall.look(site["x"][:2], zoom=18.5, pitch=40, bearing=0)
    wall.page.mouse.click(*wall.label("site", site["id"]), delay=80)
    card = wall.expect_card("site", site["id"])
    expect(card).to_contain_text(site["n"])
    expect(card).to_contain_text(site["k"])


# Search


def test_a_number_without_zone_lists_several_and_one_is_flown_to(wall: Wall) -> None:
    wall.search("12幢")
    hits = wall.page.locator('[class*="st-key-hit-"] button')
    expect(hits).to_have_count(5, timeout=ACT_MS)
    expect(wall.page.locator(".st-key-rail")).to_contain_text(t("wall.hits", "zh", count=5))
    before = wall.camera
    text = hits.nth(0).inner_text()
    hits.nth(0).click()
    expect(wall.card.locator("h4")).to_have_text(re.compile("12幢"), timeout=ACT_MS)
    expect(wall.card).to_contain_text(text.partition(" · ")[0])
    wall.wait_camera(f"camera.zoom > {before['zoom']} + 0.5")


def test_a_whole_address_is_flown_to_and_lit_on_its_storey(wall: Wall, live_server: LiveServer) -> None:
    unit = live_server.read(
        """SELECT a.full_text, u.unit_id, u.level, u.room FROM units u JOIN addresses a USING (address_id)
        WHERE u.use = 'dwelling' AND u.level = 4 ORDER BY u.unit_id LIMIT 1"""
    )[0]
    before = wall.camera
    wall.search(unit["full_text"])
    card = wall.expect_card("unit", unit["unit_id"])
    expect(card).to_contain_text(unit["room"])
    wall.wait_camera(f"camera.zoom > {before['zoom']} + 0.5")
    lit = wall.page.evaluate("() => window.shapan.selected.outline")
    assert 3 * 2.6 <= lit["floor"] <= 3 * 3.4  # the floor of the fourth storey
    x, y = wall.project([*lit["rings"][0][0], lit["floor"]])
    around = wall.shoot(NO_WORDS)[round(y) - 30 : round(y) + 30, round(x) - 30 : round(x) + 30]
    assert (around.min(axis=-1) > 200).sum() > 20  # the white ring


def test_a_sites_name_is_flown_to(wall: Wall) -> None:
    # A market is found twice, as building and as site; this one's name is nothing else's.
    sites = wall.scene("key_sites")
    named = [record["n"] for record in [*wall.fetch_scene("buildings"), *sites]]
    site = next(one for one in sites if sum(one["n"] in name for name in named) == 1)
    wall.search(site["n"])
    wall.expect_card("site", site["id"])
    wall.wait_camera("camera.zoom > 16.5")
    x, y = wall.project([*site["x"][:2], 0.0])
    assert abs(x - (250 + 1005) / 2) < 150
    assert abs(y - 360) < 150


def test_nonsense_says_that_nothing_was_found_and_moves_nothing(wall: Wall) -> None:
    before = wall.camera
    wall.search("西区9999幢")
    rail = wall.page.locator(".st-key-rail")
    expect(rail).to_contain_text(t("wall.no_hit", "zh"), timeout=ACT_MS)
    expect(rail).to_contain_text(t("wall.understood", "zh", what="")[:4])
    expect(rail).to_contain_text("9999")
    wall.search("qwxz@@")
    expect(rail).not_to_contain_text("9999", timeout=ACT_MS)
    expect(rail).to_contain_text(t("wall.no_hit", "zh"))
    assert wall.camera == before


# What changes by itself, and what must not


def drag(wall: Wall) -> dict[str, float]:
    """Move the table by hand; the camera afterwards."""
    before = wall.camera
    wall.page.mouse.move(620, 380)
    wall.page.mouse.down()
    wall.page.mouse.move(700, 420, steps=4)
    wall.page.mouse.up()
    wall.wait_camera(f"Math.abs(camera.longitude - {before['longitude']}) > 1e-5")
    return wall.camera


def wait_live(wall: Wall, live_server: LiveServer, site_id: str) -> float:
    """Open a hotel in the store; milliseconds from the commit until the page heard of it. Figures have followed."""
    before = len(wall.scene("key_sites"))
    wall.page.evaluate(
        """() => {
            window.heard = new Promise((tell) =>
                window.shapan.live.source.addEventListener("revisions", () => tell(Date.now()), { once: true }));
        }"""
    )
    committed_ms = live_server.write(("key_sites", HOTEL, [site_id]))
    heard_ms = float(wall.page.evaluate("() => window.heard"))
    figure = wall.page.locator('[data-kind="key_sites"] dd')
    expect(figure).to_have_text(str(before + 1), timeout=ACT_MS)
    expect(wall.switch("key_sites")).to_contain_text(str(before + 1))
    assert len(wall.scene("key_sites")) == before + 1
    return heard_ms - committed_ms


def test_a_live_change_is_shown_within_two_seconds_and_the_camera_stays(wall: Wall, live_server: LiveServer) -> None:
    camera = drag(wall)
    assert wait_live(wall, live_server, "live-1") < 2000
    wall.wait_drawn()
    assert wall.camera == camera
    live_server.write(("key_sites", "DELETE FROM key_sites WHERE site_id = 'live-1'", []))
    expect(wall.page.locator('[data-kind="key_sites"] dd')).to_have_text("59", timeout=ACT_MS)
    assert wall.camera == camera


@pytest.mark.soak
def test_the_camera_stays_for_a_minute_of_live_changes(wall: Wall, live_server: LiveServer) -> None:
    camera = drag(wall)
    begun_ms = wall.page.evaluate("() => performance.now()")
    for number in range(12):
        wait_live(wall, live_server, f"soak-{number}")
        # The live changes are five seconds apart, the minute is the page's own.
        wall.page.wait_for_function(f"() => performance.now() > {begun_ms} + {(number + 1) * 5000}", timeout=ACT_MS)
        assert wall.camera == camera
    live_server.write(("key_sites", "DELETE FROM key_sites WHERE site_id LIKE 'soak-%'", []))


# Visitors


def test_visitor_mode_hides_homes_suspicions_and_hot_places_and_keeps_the_figures(wall: Wall) -> None:
    # Something lit is in the middle of the screen, so that there is something to hide.
    wall.look(find_middle(wall.fetch_scene("group_rentals")[0]), pitch=50, zoom=18)
    amber, magenta = count_lit(cut(wall.shoot(NO_WORDS)))
    assert min(amber, magenta) > 50
    figures = wall.page.locator(".sp-figures")
    said = figures.inner_text()
    wall.page.keyboard.press("v")
    rail = wall.page.locator(".st-key-rail")
    expect(rail).to_be_hidden()
    assert count_lit(cut(wall.shoot(NO_WORDS))) == (0, 0)
    assert count_lit(cut(wall.shoot(BARE))) == (0, 0)  # nor a mark of them among the words
    expect(figures).to_be_visible()
    assert figures.inner_text() == said
    wall.page.keyboard.press("v")
    expect(rail).to_be_visible()
    amber, magenta = count_lit(cut(wall.shoot(NO_WORDS)))
    assert min(amber, magenta) > 50


def test_a_letter_typed_into_the_search_is_no_key_of_the_table(wall: Wall) -> None:
    box = wall.page.locator(".st-key-rail input").first
    box.fill("")
    box.press("v")
    expect(box).to_have_value("v")
    expect(wall.page.locator(".st-key-rail")).to_be_visible()


# Grid by grid


def test_each_grid_in_turn_fills_the_screen(wall: Wall) -> None:
    names = sorted({record["n"] for record in wall.scene("grids")})
    assert len(names) == 11
    seen = []
    for _ in names:
        wall.act("grid-next")
        wall.wait_drawn()
        name = wall.page.locator(".sp-gridname").inner_text()
        seen.append(name)
        ring = next(record["p"][0] for record in wall.scene("grids") if record["n"] == name)
        corners = np.array([wall.project([*xy, 0.0]) for xy in shapely.MultiPoint(ring).envelope.exterior.coords[:4]])
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        assert (left + right) / 2 == pytest.approx((238 + 1016) / 2, abs=4)  # the middle between the rails
        assert left > 238
        assert right < 1016
        assert top > 40  # below the top bar
        assert bottom < 720
        assert max((right - left) / 778, (bottom - top) / 680) > 0.6  # it fills what is free
    assert sorted(seen) == names
    assert wall.camera["pitch"] == 0
    wall.act("grid-back")
    expect(wall.page.locator(".sp-gridname")).to_have_text(seen[-2])


# Words


_TEXTS = """() => {
    // What comes from data is not translated: names of places and of the community, and the other language's own name.
    // An icon is spelled as a word of its font.
    const data = ".sp-brand strong, [data-act=lang], [class*=st-key-hot-] button, [class*=st-key-hit-], .sp-card, "
        + "[data-testid=stIconMaterial]";
    const found = [];
    for (const root of document.querySelectorAll(".sp-chrome, .st-key-rail")) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            if (element.closest(data) || node.closest?.(data) || !element.checkVisibility()) continue;
            if (node.nodeType === Node.TEXT_NODE) found.push(node.data.trim());
            else for (const name of ["title", "aria-label", "placeholder"]) found.push(node.getAttribute(name)?.trim());
        }
    }
    return [...new Set(found)].filter(Boolean);
}"""
_CHINESE = re.compile("[\u3400-\u9fff]")
_ENGLISH = re.compile("[A-Za-z]{4,}")


def say_nothing_found(page: Page) -> str:
    """What the list of kinds says when nothing in it fits; it is shown while no place is selected."""
    if (clear := page.locator(".st-key-clear button")).count():
        clear.click()
    box = page.locator(".st-key-rail [data-testid=stMultiSelect] input").first
    box.fill("zzzz")
    said = page.locator("[role=listbox]").inner_text(timeout=ACT_MS)
    box.fill("")
    box.press("Escape")
    return said.strip()


def test_every_word_changes_with_the_language_and_a_reload_keeps_it(wall: Wall) -> None:
    page: Page = wall.page
    chinese = page.evaluate(_TEXTS)
    assert len(chinese) > 60
    assert [text for text in chinese if _ENGLISH.search(text)] == []
    assert say_nothing_found(page) == t("streamlit.no_results", "zh")  # Streamlit's own list, which has no catalogue
    wall.act("lang")
    expect(page.locator('.sp-chrome[data-lang="en"]')).to_be_visible(timeout=ACT_MS)
    expect(page.locator(".st-key-rail")).to_contain_text(t("wall.selected", "en"), timeout=ACT_MS)
    expect(page.locator(".st-key-rail")).not_to_contain_text(t("wall.hot_method", "zh"), timeout=ACT_MS)
    expect(page).to_have_title(t("wall.page_title", "en"), timeout=ACT_MS)
    english = page.evaluate(_TEXTS)
    assert len(english) > 60
    assert say_nothing_found(page) == OWN_WORDS["no_results"]
    assert [text for text in english if _CHINESE.search(text)] == []
    assert [text for text in [*chinese, *english] if re.search(r"\b(wall|table|terms|server)\.\w", text)] == []
    page.wait_for_function("() => /[A-Za-z]{3}/.test(window.shapan.scenes.key_sites[0].k)", timeout=ACT_MS)
    assert "lang=en" in page.url
    page.reload()
    wall.wait_ready()
    expect(page.locator('.sp-chrome[data-lang="en"]')).to_be_visible()
    wall.act("lang")
    expect(page.locator('.sp-chrome[data-lang="zh"]')).to_be_visible(timeout=ACT_MS)
    expect(page.locator(".st-key-rail")).to_contain_text(t("wall.selected", "zh"), timeout=ACT_MS)


def test_what_can_be_pressed_has_a_name_and_works_from_the_keyboard(wall: Wall) -> None:
    nameless = wall.page.evaluate(
        """() => [...document.querySelectorAll(".sp-chrome button, .sp-chrome [role], .sp-chrome canvas")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim())).map((one) => one.outerHTML)"""
    )
    assert nameless == []
    switch = wall.switch("trees")
    switch.focus()
    wall.page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    wall.page.keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "true")
