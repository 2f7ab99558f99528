"""An officer goes from a building to a home to its inspection pack, on a wall and a second screen that are paired."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SMALL_SCREEN, watch
from tests.browser.test_surfaces import join, show_code
from tests.fixtures.wall_page import ACT_MS, Wall

UNIT, BUILDING = "B088-E2-201", "B088"  # of the sample: a re-check waits there


@pytest.fixture
def second(chromium: Browser, requests_seen: list[str]) -> Iterator[Page]:
    context = chromium.new_context(viewport=SMALL_SCREEN, locale="zh-CN", timezone_id="Asia/Shanghai")
    watch(context, requests_seen)
    yield context.new_page()
    context.close()


def test_from_the_building_to_the_home_to_its_pack(page: Page, second: Page, server_url: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # flights take no time, so that only what is drawn costs time
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    wall = Wall(page).open(server_url)
    assert not any("inside" in url for url in asked)  # a wall that opens no building carries nothing of it
    wall.act("pair")
    join(second, f"{server_url}/second", show_code(wall))
    page.locator('[data-pair="close"]').click()

    # The building: outside by its storeys on the wall, inside on the second screen.
    picked = "(id) => window.shapan.component.setTriggerValue('picked', { kind: 'building', id, fly: true })"
    page.evaluate(picked, BUILDING)
    wall.expect_card("building", BUILDING)
    wall.act("way-in")  # on the ground from the nearest open gate, until something else is asked
    page.wait_for_function("() => window.shapan.alarms.ways.own?.l.length > 1", timeout=ACT_MS)
    assert re.search(r"· \d+ 米 · 约 \d+ 分钟", page.evaluate("() => window.shapan.alarms.ways.own.text"))
    wall.act("way-in")
    page.wait_for_function("() => window.shapan.alarms.ways.own === null", timeout=ACT_MS)
    wall.act("inside")
    expect(page.locator(".io-panel strong")).to_be_visible(timeout=ACT_MS)
    expect(second.locator(".in-section")).to_be_visible(timeout=ACT_MS)
    names = page.evaluate("() => window.shapan.opened.record.units.length")
    assert second.locator(".in-section .in-cell").count() == names

    # One storey alone, its homes coloured by the register's colour: the second screen follows.
    page.locator('[data-open="floor_alone"]').click()
    page.locator('[data-open="up"]').click()
    page.locator('.io-panel [data-colour="risk"]').click()
    expect(second.locator('.in-row[data-level="2"][data-on="yes"]')).to_be_visible(timeout=ACT_MS)
    expect(second.locator('.in-legend [data-colour="risk"][aria-pressed="true"]')).to_be_visible(timeout=ACT_MS)
    drawn = page.evaluate("() => window.shapan.opened.drawnUnits()")
    levels = page.evaluate("() => Object.fromEntries(window.shapan.opened.record.units.map((one) => [one.id, one.l]))")
    assert drawn
    assert {levels[one] for one in drawn} == {2}

    # The home, touched on the second screen, is selected on the wall; what is on record of it stands beside the plan.
    second.locator(f'.in-section [data-unit="{UNIT}"]').click()
    wall.expect_card("unit", UNIT)
    expect(second.locator(".in-facts h2")).to_have_text("201", timeout=ACT_MS)
    for part in ("facts", "rental", "visits", "reports"):
        expect(second.locator(f'.in-facts [data-part="{part}"]')).to_be_visible(timeout=ACT_MS)
    page.wait_for_function("(id) => window.shapan.opened.unit === id", arg=UNIT, timeout=ACT_MS)  # lit on its storey

    # Visitors come: the building shuts, and nothing of single homes stays on the second screen.
    wall.act("visitor")
    expect(second.locator(".in-facts")).to_contain_text("参观模式", timeout=ACT_MS)
    expect(page.locator(".io-panel")).to_be_hidden()
    wall.act("visitor")
    expect(second.locator('.in-legend [data-colour="risk"]')).to_be_visible(timeout=ACT_MS)

    # The pack, at the desk.
    desk = page.context.new_page()
    desk.goto(f"{server_url}/desk?kind=unit&id={UNIT}")
    link = desk.locator('a[href*="/packs.pdf"]')
    expect(link).to_be_visible(timeout=ACT_MS)
    href = link.get_attribute("href") or ""
    assert re.search(r"[?&]task=t-", href)
    answer = page.request.get(server_url + href if href.startswith("/") else href)
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF")
