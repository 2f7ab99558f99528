"""A wall, a second screen and a tablet, each in a browser of its own: paired by a code, one selection for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watch
from tests.fixtures.wall_page import ACT_MS, Wall


@pytest.fixture
def beside(chromium: Browser, requests_seen: list[str]) -> Iterator[list[Page]]:
    """A second screen and a tablet."""
    contexts = [
        chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai")
        for width, height in ((1280, 800), (820, 1180))
    ]
    for context in contexts:
        watch(context, requests_seen)
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


def show_code(wall: Wall) -> str:
    """A code as it stands on the wall, read by a person."""
    shown = wall.page.locator("[data-code]")
    wall.page.wait_for_function("() => document.querySelector('[data-code]')?.dataset.code?.length === 6")
    return shown.inner_text().replace(" ", "")


def join(page: Page, url: str, code: str) -> None:
    page.goto(url)
    page.locator(".sf-code").fill(code)
    page.locator(".sf-join button").click()
    expect(page.locator('.sf-online[data-on="yes"]')).to_be_visible(timeout=ACT_MS)


def test_a_tablet_drives_the_wall_and_the_second_screen(page: Page, beside: list[Page], server_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # flights take no time, so that only what is drawn costs time
    wall = Wall(page).open(server_url)
    second, tablet = beside
    wall.act("pair")
    used = show_code(wall)
    join(second, f"{server_url}/second", used)
    page.wait_for_function("() => document.querySelector('[data-code]').dataset.code === ''")  # it is used up
    page.locator('[data-pair="new"]').click()
    # The code that is used lets nobody else in.
    tablet.goto(f"{server_url}/tablet")
    tablet.locator(".sf-code").fill(used)
    tablet.locator(".sf-join button").click()
    expect(tablet.locator(".sf-problem")).to_contain_text("配对码不对")
    join(tablet, f"{server_url}/tablet", show_code(wall))
    page.locator('[data-pair="close"]').click()

    # A building is chosen on the tablet: outside on the wall, inside on the second screen.
    tablet.locator(".sf-search").fill("东区13幢")
    tablet.locator('[data-pick="building:B019"]').click()
    wall.expect_card("building", "B019")
    expect(second.locator(".in-head h1")).to_have_text("东区13幢", timeout=ACT_MS)
    assert second.locator(".in-section .in-cell").count() == 110  # units of B019 in the sample

    # A storey and a home; a layer; and back.
    tablet.locator('[data-tab="floor"]').click()
    tablet.locator('[data-level="3"]').click()
    expect(second.locator('.in-row[data-level="3"][data-on="yes"]')).to_be_visible(timeout=ACT_MS)
    tablet.locator('[data-pick="unit:B019-E5-302"]').click()
    wall.expect_card("unit", "B019-E5-302")
    expect(second.locator(".in-facts h2")).to_have_text("302", timeout=ACT_MS)
    tablet.locator('[data-tab="layer"]').click()
    tablet.locator('[data-layer="trees"]').click()
    expect(wall.switch("trees")).to_have_attribute("aria-checked", "false", timeout=ACT_MS)
    expect(tablet.locator('[data-layer="trees"]')).to_have_attribute("aria-pressed", "false", timeout=ACT_MS)

    # Touched on the second screen, selected on the wall; a reload of each goes on.
    second.reload()
    expect(second.locator(".in-facts h2")).to_have_text("302", timeout=ACT_MS)
    second.locator('.in-section [data-unit="B019-E5-301"]').click()
    wall.expect_card("unit", "B019-E5-301")
    page.reload()
    wall.wait_ready()
    wall.expect_card("unit", "B019-E5-301")

    # Unpaired at the wall, both say so.
    wall.act("pair")
    page.locator('[data-pair="leave"]').click()
    for device in (second, tablet):
        expect(device.locator(".sf-why")).to_contain_text("大屏已断开", timeout=ACT_MS)
