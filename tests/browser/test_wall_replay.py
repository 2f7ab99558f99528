"""A day once more on the wall: marked loudly as not now, moved by the slider, and interrupted by what burns now."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, BARE, Wall, count_near

ALARM = """
INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc, occurred_to_utc, status,
    grid_id, geom)
SELECT 'replay-live', category, 'urgent', 'call', ?::TIMESTAMP, ?::TIMESTAMP, ?::TIMESTAMP, 'placed', grid_id, geom
FROM incidents WHERE building_id IS NOT NULL ORDER BY incident_id LIMIT 1
"""
RED = (226, 30, 40)
DAY = "2026-11-05"


def test_a_day_is_replayed_and_a_live_alarm_interrupts_it(wall: Wall, live_server: LiveServer) -> None:
    page = wall.page
    wall.act("replay")
    mark = page.locator(".sp-replay-mark")
    expect(mark).to_contain_text("不是现在", timeout=ACT_MS)
    expect(page.locator('[data-act="replay-play"]')).to_have_text("暂停", timeout=ACT_MS)  # it plays by itself
    page.locator('[data-act="replay-play"]').click()
    page.locator('[data-act="replay-period"]').select_option("7")
    page.wait_for_function(
        "() => window.shapan.replay.scene?.until - window.shapan.replay.scene?.since === 7 * 86400000"
    )
    # A week of the sample: what other tests report on this server is of today, and over within seconds.
    page.locator('[data-act="replay-day"]').fill(DAY)
    page.wait_for_function("(day) => window.shapan.replay.scene?.until < Date.parse(day) + 8 * 86400000", arg=DAY)
    page.locator('[data-act="replay-play"]').click()

    # Ten minutes after the first report of the week it is lit; a minute before it, it is not.
    first = page.evaluate(
        "() => { const { scene } = window.shapan.replay;"
        " return Math.min(...scene.incidents.map((one) => one.m[0][0]).filter((at) => at >= scene.since)); }"
    )
    slider = page.locator('[data-act="replay-slider"]')
    move = "(node, at) => { node.value = at; node.dispatchEvent(new Event('input', { bubbles: true })); }"
    slider.evaluate(move, first - 60_000)
    before = page.evaluate("() => window.shapan.replay.shown.length")
    slider.evaluate(move, first + 600_000)
    assert page.evaluate("() => window.shapan.replay.shown.length") == before + 1
    assert count_near(wall.shoot(BARE), RED, within=20) == 0  # red is what burns now

    now = live_server.read("SELECT strftime(now() AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S') AS at")[0]["at"]
    live_server.write(("incidents", ALARM, [now, now, now]))
    try:
        sign = page.locator(".sp-replay-sign")
        expect(sign).to_contain_text("现在有新警情", timeout=ACT_MS)
        sign.locator('[data-act="replay-now"]').click()
        expect(mark).to_have_count(0)
        expect(page.locator(".sp-tools")).to_be_visible()
    finally:
        live_server.write(("incidents", "DELETE FROM incidents WHERE incident_id = 'replay-live'", []))
