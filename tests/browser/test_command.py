"""The commander's page in a real browser: its plan is clicked, nothing is wider than a phone, nobody else is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from i18n import Language, t
from tests.fixtures.desk_browser import READY_MS, settle
from tests.fixtures.live_server import LiveServer

PHONE = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def without_zones(live_server: LiveServer) -> Iterator[None]:
    yield
    live_server.write(("zones", "DELETE FROM zones", []))


def open_view(page: Page, server: LiveServer, view: str, lang: Language = "zh") -> None:
    """One view of the page, drawn to its end."""
    page.goto(f"{server.url}/demo-role?role=commander&next=/command%3Flang%3D{lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("command.title", lang), timeout=READY_MS)
    turn(page, view, lang)


def turn(page: Page, view: str, lang: Language = "zh") -> None:
    page.locator('[data-testid="stButtonGroup"]').get_by_text(t(f"command.view_{view}", lang), exact=True).click()
    settle(page)


def test_no_view_is_wider_than_a_phone(page: Page, live_server: LiveServer) -> None:
    lang: Language = "en"  # its words are the longer ones
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    open_view(page, live_server, "meeting", lang)
    seen = {
        "bench": "command.clock", "repeats": "bench.links", "methods": "bench.on", "zones": "command.zone_new",
        "report": "command.report_preview", "meeting": "command.decide",
    }  # fmt: skip
    for view, key in seen.items():
        turn(page, view, lang)
        expect(page.get_by_text(t(key, lang), exact=True).first).to_be_visible(timeout=READY_MS)
        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, view


def test_a_number_on_the_plan_leads_to_the_place(page: Page, live_server: LiveServer) -> None:
    open_view(page, live_server, "bench")
    page.locator('[data-pick="place:1"] circle').click(timeout=READY_MS)
    expect(page.get_by_role("button", name=t("command.patrol", "zh"))).to_be_visible(timeout=READY_MS)
    expect(page.get_by_text(t("command.incidents_text", "zh"))).to_be_visible()
    # The style of the plan is the plan's alone: words of the charts begin where they should.
    monday = page.locator("svg text", has_text=t("command.weekday_0", "zh"))
    assert monday.evaluate("(e) => getComputedStyle(e).textAnchor") == "start"


def test_houses_that_are_clicked_become_a_zone(page: Page, live_server: LiveServer) -> None:
    open_view(page, live_server, "zones")
    page.get_by_role("button", name=t("command.zone_new", "zh")).click()
    for building in ("B151", "B157"):
        page.locator(f'[data-pick="building:{building}"]').click(timeout=READY_MS)
        expect(page.locator(f'.s[data-pick="building:{building}"]')).to_be_attached(timeout=READY_MS)
    expect(page.locator(".sh-plan .d")).to_be_attached()
    page.get_by_label(t("command.name", "zh")).fill("两栋之间")
    page.get_by_label(t("command.reason", "zh")).fill("夜间电动车被盗多")
    page.get_by_role("button", name=t("command.zone_save", "zh"), exact=True).click()
    expect(page.get_by_text(t("command.zone_saved", "zh", name="两栋之间"))).to_be_visible(timeout=READY_MS)
    expect(page.locator(".sh-plan text.z", has_text="两栋之间")).to_be_attached(timeout=READY_MS)
    (zone,) = live_server.read("SELECT status, source, opened_by FROM zones")
    assert zone == {"status": "open", "source": "drawn", "opened_by": "demo-commander"}
