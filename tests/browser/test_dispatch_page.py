"""An alarm is dispatched with the keyboard alone, from the sentence that is read out to the closed incident."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from i18n import t
from tests.fixtures.desk_browser import READY_MS, settle
from tests.fixtures.live_server import LiveServer

_INCIDENT = """
INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc, occurred_to_utc, status,
    building_id, grid_id, geom)
SELECT ?, 'theft.ebike', 'urgent', 'call', now()::TIMESTAMP, now()::TIMESTAMP, now()::TIMESTAMP, 'placed',
    building_id, grid_id, ST_Centroid(geom) FROM buildings WHERE building_id = 'B151'
"""
_DECISION = """
SELECT rank, by_hand, json_array_length(advice, '$.ranking.rows') > 0 AS kept FROM dispatch_decisions
WHERE incident_id = 'alarm-1'
"""
_EVENTS = "SELECT kind FROM events WHERE subject_id = 'alarm-1' ORDER BY event_id"
_TABLES = ("dispatches", "dispatch_decisions")


@pytest.fixture(autouse=True)
def without_dispatches(live_server: LiveServer) -> Iterator[None]:
    yield
    live_server.write(
        *((table, f"DELETE FROM {table}", []) for table in _TABLES),
        ("incidents", "DELETE FROM incidents WHERE incident_id LIKE 'alarm-%'", []),
        ("responders", "UPDATE responders SET status = 'off', status_utc = NULL, last_off_utc = NULL", []),
    )  # fmt: skip


def test_from_the_alarm_to_the_closed_incident_by_keys(page: Page, live_server: LiveServer) -> None:
    # Whatever the hour: everybody has just said that they are ready.
    live_server.write(("responders", "UPDATE responders SET status = 'ready', status_utc = now()::TIMESTAMP", []))
    live_server.write(("incidents", _INCIDENT, ["alarm-1"]))
    page.goto(f"{live_server.url}/demo-role?role=officer&next=/dispatch%3Flang%3Dzh")
    row = page.locator(".st-key-sd-row-1")
    expect(row.locator(".sd-say")).to_contain_text("收到请回答", timeout=READY_MS)
    call_sign = row.locator(".sd-card b").inner_text()
    assert row.locator(".sd-say").inner_text().startswith(f"{call_sign}，{call_sign}：")

    def strike(key: str) -> None:
        """A key that its button shows, once the page has come to rest."""
        expect(page.locator(f'[class*="st-key-sd-"] kbd:text-is("{key.upper()}")').first).to_be_visible(
            timeout=READY_MS
        )
        settle(page)
        page.keyboard.press(key)

    def press(key: str, state: str) -> None:
        strike(key)
        expect(page.locator(".sd-card em", has_text=t(f"dispatch.state_{state}", "zh"))).to_be_visible(timeout=READY_MS)

    press("1", "sent")
    assert page.locator('[class*="st-key-sd-active-"] .sd-card > b').inner_text() == call_sign
    press("a", "accepted")
    # A second screen of the office sees an alarm that comes in now, without being touched.
    live_server.write(("incidents", _INCIDENT, ["alarm-2"]))
    expect(page.locator(".st-key-dispatch_incidents button")).to_have_count(2, timeout=READY_MS)
    press("s", "on_scene")
    strike("x")
    expect(page.locator('[class*="st-key-sd-active-"]')).to_have_count(0, timeout=READY_MS)
    strike("e")
    expect(page.get_by_role("button", name=t("dispatch.end_close", "zh"))).to_be_visible(timeout=READY_MS)
    strike("e")
    expect(page.locator(".st-key-dispatch_incidents button")).to_have_count(1, timeout=READY_MS)

    (done,) = live_server.read("SELECT state, answered_way, sent_by FROM dispatches WHERE incident_id = 'alarm-1'")
    assert done == {"state": "stood_down", "answered_way": "voice", "sent_by": "demo-officer"}
    (decision,) = live_server.read(_DECISION)
    assert decision == {"rank": 1, "by_hand": False, "kept": True}
    kinds = [one["kind"] for one in live_server.read(_EVENTS)]
    assert kinds[-5:] == [f"incident.{step}" for step in ("dispatch", "accept", "arrive", "handle", "close")]
