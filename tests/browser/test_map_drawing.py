"""A wall and a gate are drawn on the plan by clicks alone, and taken back; a site's plan over a photo of it."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from i18n import t
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


def test_a_plan_is_traced_over_a_photo_that_two_points_set_to_scale(page: Page, live_server: LiveServer) -> None:
    """A photo of 400 by 200 points: what is 200 points apart is said to be 10 m, so a point of it is 5 cm."""
    page.goto(f"{live_server.url}/plans?lang=zh")
    page.get_by_text(t("plans.of_sites", "zh"), exact=True).click()
    page.get_by_label(t("plans.site", "zh")).fill("新村宾馆")
    page.get_by_role("option").first.click()
    page.get_by_text(t("plans.draw", "zh"), exact=True).click()
    board = page.locator(".tr-board")
    expect(board).to_be_visible(timeout=ACT_MS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.set_input_files(".tr-tracing input[type=file]", {"name": "p.png", "mimeType": "image/png", "buffer": photo()})
    expect(board).to_have_attribute("data-mode", "scale", timeout=ACT_MS)
    on_photo = """([x, y]) => {
        const box = document.querySelector(".tr-board image").getBoundingClientRect();
        return [box.x + box.width * x, box.y + box.height * y];
    }"""
    for place in ((0.25, 0.5), (0.75, 0.5)):
        page.mouse.click(*page.evaluate(on_photo, place))
    page.locator("[data-metres]").fill("10")
    page.keyboard.press("Enter")
    expect(board).to_have_attribute("data-mode", "move", timeout=ACT_MS)
    assert page.evaluate("() => window.shapanTracing.photo.scale") == pytest.approx(0.05, rel=0.01)
    assert "POST" not in asked  # the photo stays in this browser

    # A room over the middle of the photo, 100 points by 60 of it, is 5 m by 3 m.
    page.locator('[data-tool="mode_draw"]').click()
    for place in ((0.375, 0.35), (0.625, 0.35), (0.625, 0.65), (0.375, 0.65)):
        page.mouse.click(*page.evaluate(on_photo, place))
    board.press("Enter")
    expect(page.get_by_text(t("plans.kept", "zh"))).to_be_visible(timeout=ACT_MS)
    (room,) = live_server.read("SELECT kind, source, ST_Area(geom) AS m2 FROM site_plan_parts WHERE site_id = 'K001'")
    assert (room["kind"], room["source"]) == ("room", "drawn")
    assert room["m2"] == pytest.approx(15, rel=0.05)


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 200), (200, 200, 200)).save(out, "PNG")
    return out.getvalue()
