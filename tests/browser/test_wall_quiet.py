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


_SHOWN = """() => {
    const { scenes, instance, data } = window.shapan;
    const plain = (records) => JSON.stringify(records.map((record) => JSON.stringify(record)).sort());
    const own = data.deck.layers.map((layer) => layer.id);
    const drawn = instance.layerManager.getLayers().filter((layer) => own.includes(layer.id));
    const read = Object.entries(scenes).filter(([, records]) => Array.isArray(records));
    return {
        read: read.map(([name, records]) => [name, plain(records)]).sort(),
        drawn: drawn.map((layer) => [layer.id, plain(layer.props.data)]).sort(),
    };
}"""


def test_a_wall_that_was_told_shows_the_same_as_one_that_loads_afresh(page: Page, live_server: LiveServer) -> None:
    page.set_viewport_size({"width": 1000, "height": 600})
    wall = Wall(page).open(live_server.url)
    house, rental, site = (
        str(live_server.read(f"SELECT min({key}) AS id FROM {table}")[0]["id"])
        for table, key in (("buildings", "building_id"), ("rentals", "rental_id"), ("key_sites", "site_id"))
    )
    asked: list[str] = []
    wall.page.on("request", lambda request: asked.append(request.url))
    live_server.write(
        ("buildings", "UPDATE buildings SET name = '改名楼', height_m = height_m + 9 WHERE building_id = ?", [house]),
        ("rentals", "UPDATE rentals SET suspected_group = NOT suspected_group WHERE rental_id = ?", [rental]),
        ("key_sites", "DELETE FROM key_sites WHERE site_id = ?", [site]),
    )
    drawn = "(id) => window.shapan.findBuilding(id)?.n.endsWith('改名楼')"  # the renderer is told when all is there
    wall.page.wait_for_function(drawn, arg=house, timeout=ACT_MS)
    wall.wait_drawn()
    told = wall.page.evaluate(_SHOWN)
    assert not [url for url in asked if "/scene/buildings" in url or "/scene/names" in url or "/scene/rentals" in url]
    wall.page.reload()
    wall.wait_ready()
    assert wall.page.evaluate(_SHOWN) == told
