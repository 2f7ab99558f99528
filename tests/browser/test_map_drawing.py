"""A wall and a gate are drawn on the plan by clicks alone, and taken back."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS

A_MINUTE_S = 60.0  # issue 5, part 4


def test_a_wall_and_a_gate_are_drawn_within_a_minute(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/map")
    plan = page.locator(".gr-plan")
    expect(page.locator(".gr-gate").first).to_be_visible(timeout=ACT_MS)
    box = plan.bounding_box()
    assert box

    def click(across: float, down: float) -> None:
        page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)

    begun = time.monotonic()
    page.locator('[data-tool="mode_wall"]').click()
    for across, down in ((0.42, 0.5), (0.5, 0.5), (0.5, 0.58)):
        click(across, down)
    plan.press("Enter")
    drawn = page.locator('.gr-wall[data-on="yes"]')
    expect(drawn).to_have_attribute("data-seen", "yes", timeout=ACT_MS)
    page.locator('[data-tool="mode_gate"]').click()
    click(0.46, 0.502)
    gate = page.locator('.gr-gate[data-on="yes"]')
    expect(gate).to_have_attribute("data-seen", "yes", timeout=ACT_MS)
    page.get_by_text("夜间或其他时段关闭").click()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible(timeout=ACT_MS)
    assert time.monotonic() - begun < A_MINUTE_S

    rows = live_server.read(
        "SELECT g.closes_at::VARCHAR AS closes, ST_Distance(g.geom, w.geom) AS away_m, ST_NPoints(w.geom) AS points "
        "FROM gates g, walls w WHERE g.gate_id LIKE 'g-hand-%' AND w.wall_id LIKE 'wall-hand-%'"
    )
    assert [(row["closes"], row["points"]) for row in rows] == [("22:00:00", 3)]
    assert rows[0]["away_m"] < 0.05  # the gate stands in its wall

    # Dragged, then both taken back.
    handle = gate.bounding_box()
    assert handle
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.44, box["y"] + box["height"] * 0.502, steps=4)
    page.mouse.up()
    expect(page.get_by_text("已移动。")).to_be_visible(timeout=ACT_MS)
    undo = page.get_by_role("button", name="撤销", exact=True)
    for left in (1, 0):  # the last change of each: the move, and the wall
        expect(undo).to_have_count(left + 1, timeout=ACT_MS)
        undo.first.click()
    expect(undo).to_have_count(0, timeout=ACT_MS)
    assert live_server.read("SELECT count(*) AS n FROM walls WHERE wall_id LIKE 'wall-hand-%'") == [{"n": 0}]
