"""The usual views of the wall: presets by button and key, the small map, and the slow tour of an idle wall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, Wall

SIZE_PX = {"width": 1000, "height": 600}
_VIEW = ("zoom", "pitch", "bearing")
# Bounding box of the white frame on the small map, in metres of the table; null when there is none.
_MARKED = """() => {
    const { overview } = window.shapan;
    const { canvas, middle, span } = overview;
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const xs = [], ys = [];
    for (let i = 0; i < width * height; i++) {
        if (Math.min(data[4 * i], data[4 * i + 1], data[4 * i + 2]) < 215) continue;
        xs.push(i % width);
        ys.push(Math.floor(i / width));
    }
    if (!xs.length) return null;
    const x = (pixel) => middle[0] + ((pixel + 0.5) / width - 0.5) * span;
    const y = (pixel) => middle[1] - ((pixel + 0.5) / height - 0.5) * span;
    return { left: x(Math.min(...xs)), right: x(Math.max(...xs)), top: y(Math.min(...ys)), bottom: y(Math.max(...ys)),
        pixel_m: span / width };
}"""


@pytest.fixture
def wall(page: Page, live_server: LiveServer) -> Wall:
    page.set_viewport_size(SIZE_PX)  # type: ignore[arg-type]
    page.emulate_media(reduced_motion="reduce")
    page.clock.install()
    return Wall(page).open(f"{live_server.url}/?idle=0")


def view(wall: Wall) -> dict[str, float]:
    return {name: round(wall.camera[name], 6) for name in _VIEW}


def test_views_and_the_small_map(wall: Wall) -> None:
    whole = view(wall)
    assert whole["pitch"] > 30
    assert wall.page.evaluate(_MARKED) is None  # a frame around everything would say nothing
    # Who sees the whole sees the whole from every side, as large as it then fits.
    wall.page.keyboard.press("o")
    wall.wait_camera("camera.pitch === 0")
    wall.expect_whole()
    wall.act("north")
    wall.wait_camera("camera.bearing === 0")
    wall.expect_whole()
    wall.act("orthographic")
    wall.act("oblique")
    wall.wait_camera("camera.pitch > 30")
    wall.expect_whole()
    wall.act("orthographic")
    # From anywhere else the place and the distance stay.
    wall.look([30.0, -20.0], zoom=17.5)
    before = wall.camera
    wall.page.keyboard.press("o")
    wall.wait_camera("camera.pitch === 0")
    assert [wall.camera[name] for name in ("longitude", "latitude", "zoom")] == pytest.approx(
        [before[name] for name in ("longitude", "latitude", "zoom")], abs=1e-9
    )
    wall.page.keyboard.press("h")
    wall.wait_camera(f"Math.abs(camera.bearing - {whole['bearing']}) < 1e-6")
    assert view(wall) == pytest.approx(whole, abs=1e-3)  # found by approaching

    # From straight above with north up the frame is what lies between the rails.
    wall.look([30.0, -20.0], zoom=17.5, pitch=0, bearing=0)
    marked: dict[str, Any] = wall.page.evaluate(_MARKED)
    insets = wall.page.evaluate("() => window.shapan.insets()")
    free = np.array([[insets["left"], insets["top"]], [1000 - insets["right"], 600 - insets["bottom"]]])
    shown = np.array([wall.project([marked["left"], marked["top"]]), wall.project([marked["right"], marked["bottom"]])])
    # One pixel of the small map, on the screen.
    pixel = abs(wall.project([marked["pixel_m"], 0.0])[0] - wall.project([0.0, 0.0])[0])
    assert np.abs(shown - free).max() <= 2.5 * pixel
    # A click on it goes there.
    box = wall.page.locator(".sp-overview").bounding_box()
    assert box is not None
    place = wall.page.evaluate("() => window.shapan.overview.toMetres(0.3, 0.4)")
    wall.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    wall.wait_drawn()
    assert np.array(wall.project(place)) == pytest.approx(free.mean(axis=0), abs=2 * pixel)


def test_an_idle_wall_turns_only_when_it_was_told_to_and_until_somebody_comes(wall: Wall) -> None:
    still = view(wall)
    wall.page.clock.run_for(70_000)
    assert view(wall) == still
    tour = wall.page.locator('[data-act="tour"]')
    assert tour.get_attribute("aria-pressed") == "false"
    tour.click()
    turned = f"() => Math.abs(window.shapan.camera.now.bearing - {still['bearing']}) > 0.2"
    wall.page.wait_for_function(turned, timeout=ACT_MS)
    wall.page.mouse.move(500, 300)
    wall.wait_drawn()
    stopped = view(wall)
    wall.page.clock.run_for(30_000)
    assert view(wall) == stopped
    assert (stopped["zoom"], stopped["pitch"]) == (still["zoom"], still["pitch"])
    wall.page.clock.fast_forward(40_000)  # a minute of rest: on with it
    wall.page.wait_for_function(f"() => window.shapan.camera.now.bearing !== {stopped['bearing']}", timeout=ACT_MS)
