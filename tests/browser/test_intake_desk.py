"""A call is taken in with the keyboard alone, at the speed of a trained hand."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from i18n import t
from tests.fixtures.live_server import LiveServer

READY_MS = 60_000
KEY_MS = 60  # between two keys: about 200 strokes a minute more than a slow typist's, fewer than a fast one's
MOST_S = 15.0  # the issue's


@pytest.fixture(autouse=True)
def without_calls(live_server: LiveServer) -> Iterator[None]:
    """What was taken in by hand would stand on the walls of the tests that follow."""
    yield
    live_server.write(("incidents", "DELETE FROM incidents WHERE sent_by IS NOT NULL", []))


def test_a_call_is_taken_in_by_keyboard_in_less_than_fifteen_seconds(page: Page, live_server: LiveServer) -> None:
    home = live_server.read("SELECT full_text FROM addresses WHERE unit_id IS NOT NULL ORDER BY 1 LIMIT 1")[0]
    said = str(home["full_text"]).partition("新村")[2]
    page.goto(f"{live_server.url}/demo-role?role=officer&next=/intake%3Flang%3Dzh")
    expect(page.locator(".sh-in-picks .house").first).to_be_visible(timeout=READY_MS)
    expect(page.locator("#sh-in-address")).to_be_focused()

    def type_a_call() -> float:
        begun = time.monotonic()
        page.keyboard.type(said, delay=KEY_MS)
        page.keyboard.press("Enter")
        page.keyboard.type("11", delay=KEY_MS)  # 盗窃 › 盗窃电动自行车
        page.keyboard.type("车棚里的电动车不见了，昨晚九点还在", delay=KEY_MS)
        page.keyboard.press("Enter")
        expect(page.locator(".sh-in-answer")).to_be_visible(timeout=READY_MS)
        return time.monotonic() - begun

    first_s = type_a_call()
    number = page.locator(".sh-in-answer h3").inner_text().split()[-1]
    expect(page.locator(".sh-in-answer .sh-in-sure")).to_contain_text(t("intake.level_sure", "zh"))
    stored = "SELECT category, urgency, status, unit_id IS NOT NULL AS at_home FROM incidents WHERE number = '{number}'"
    assert live_server.read(stored.format(number=number)) == [
        {"category": "theft.ebike", "urgency": "normal", "status": "placed", "at_home": True}
    ]
    page.keyboard.press("Enter")  # the next one
    expect(page.locator("#sh-in-address")).to_be_focused()
    second_s = type_a_call()
    expect(page.locator(".sh-in-alike")).to_contain_text(number)
    print(f"by hand: {first_s:.1f} s and {second_s:.1f} s, {len(said) + 23} keys")
    assert max(first_s, second_s) < MOST_S
    # From there to its own page, where the two are joined because somebody says so.
    page.locator(".sh-in-open").click()
    joined = page.get_by_role("button", name=t("intake.do_mark_duplicate", "zh"))
    expect(joined).to_be_visible(timeout=READY_MS)
    joined.click()
    expect(page.get_by_text(t("intake.changed", "zh", state=t("intake.state_duplicate", "zh")))).to_be_visible(
        timeout=READY_MS
    )
