"""A wall that nobody touches: the browser's clock is turned on, so that a minute costs no minute."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from i18n import t
from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, Wall


def test_a_quiet_wall_keeps_its_camera_and_goes_into_visitor_mode_by_itself(
    page: Page, live_server: LiveServer
) -> None:
    page.set_viewport_size({"width": 1000, "height": 600})
    page.emulate_media(reduced_motion="reduce")
    page.clock.install()
    # A language that is not spoken here falls back to Chinese.
    wall = Wall(page).open(f"{live_server.url}/?lang=fr&idle=120&kiosk=1")
    expect(page.locator('.sp-chrome[data-lang="zh"]')).to_be_visible()
    rail = page.locator(".st-key-rail")
    expect(rail).to_contain_text(t("wall.selected", "zh"))
    # A kiosk has no frame of the pages' own, and nothing that a passer-by could set wrong.
    for gone in ('[data-testid="stHeader"]', '[data-act="lang"]', '.sp-tools [data-act="calibrate"]'):
        expect(page.locator(gone)).to_be_hidden()
    before = wall.camera
    page.mouse.move(480, 320)
    page.mouse.down()
    page.mouse.move(540, 350, steps=3)
    page.mouse.up()
    wall.wait_camera(f"Math.abs(camera.longitude - {before['longitude']}) > 1e-5")
    camera = wall.camera
    page.clock.run_for(61_000)
    assert wall.camera == camera
    expect(rail).to_be_visible()
    page.clock.run_for(61_000)
    expect(rail).to_be_hidden(timeout=ACT_MS)
    assert wall.camera == camera
    page.mouse.move(500, 330)  # one touch, and the people at the wall have everything back
    expect(rail).to_be_visible(timeout=ACT_MS)
    assert wall.camera == camera
