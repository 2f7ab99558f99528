"""A true 1:N, measured in the screenshot between markers that the renderer drew, against a ruler's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from i18n import t
from tests.browser.conftest import is_local, watch
from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, NO_WORDS, Pixels, Wall

# Promised are 3 ‰. What is drawn is exact but for a pixel's fraction; the two radii of the earth that are in use for
# such maps differ by 1.1 ‰, and that must show.
WITHIN = 0.0005
PITCHES_MM = (0.15, 0.31, 0.63, 1.8)  # a laptop's screen, a desk's, an 86-inch wall of full HD, an LED wall
_ALL_OFF = """localStorage.setItem("shapan.switches", JSON.stringify(Object.fromEntries(
    ["buildings", "rentals", "group_rentals", "key_sites", "hot", "responders", "zones", "grids", "roads", "walls",
     "land", "trees", "labels"].map((name) => [name, false]))));"""
_CALIBRATE = """(calibration) => {
    if (calibration) localStorage.setItem("shapan.calibration", JSON.stringify(calibration));
    else localStorage.removeItem("shapan.calibration");
    window.shapan.instance.redraw("calibrated");
}"""
# Small green dots at places given in metres of the table, all other layers away.
_MARK = """(places) => {
    const table = window.shapan;
    const { initialViewState, views, ...spec } = table.spec();
    const { coordinateSystem, coordinateOrigin } = table.data.deck.layers[0];
    const dots = {
        "@@type": "ScatterplotLayer", id: "markers", coordinateSystem, coordinateOrigin,
        data: places.map((x) => ({ x })), getPosition: "@@=x", getRadius: 7, radiusUnits: "pixels",
        getFillColor: [0, 255, 0], billboard: true, parameters: { depthCompare: "always" },
    };
    const layers = [...spec.layers.map((layer) => ({ ...layer, visible: false })), dots];
    window.updateDeck({ ...spec, layers }, table.instance);
}"""


@pytest.fixture(scope="module", params=[1, 2])
def wall(
    request: pytest.FixtureRequest, chromium: Browser, requests_seen: list[str], live_server: LiveServer
) -> Iterator[Wall]:
    """A wall at one and at two device pixels for a CSS pixel, its heavy layers switched off."""
    before = len(requests_seen)
    context = chromium.new_context(
        viewport={"width": 960, "height": 640}, device_scale_factor=request.param, reduced_motion="reduce"
    )
    context.add_init_script(_ALL_OFF)
    watch(context, requests_seen)
    yield Wall(context.new_page()).open(live_server.url)
    context.close()
    assert [url for url in requests_seen[before:] if not is_local(url)] == []


def get_ratio(wall: Wall) -> int:
    return int(wall.page.evaluate("() => window.devicePixelRatio"))


def calibrate(wall: Wall, pitch_mm: float | None, *, ratio: float | None = None) -> None:
    """What the dialogue keeps; None forgets it."""
    kept = None if pitch_mm is None else {"pitchMm": pitch_mm, "ratio": ratio or get_ratio(wall)}
    wall.page.evaluate(_CALIBRATE, kept)


def find_dots(pixels: Pixels) -> np.ndarray:
    """Centres (x, y) of the green dots in device pixels, to a fraction of a pixel: weighted by their green."""
    weight = np.clip(pixels[..., 1] - np.maximum(pixels[..., 0], pixels[..., 2]), 0, None).astype(float)
    weight[weight < 12] = 0
    left = np.argwhere(weight > 120)
    centres = []
    while len(left):
        near = (np.abs(left - left[0]) < 60).all(axis=1)
        (top, x0), (bottom, x1) = left[near].min(axis=0) - 3, left[near].max(axis=0) + 4
        part = weight[top:bottom, x0:x1]
        rows, columns = np.mgrid[top:bottom, x0:x1]
        centres.append([(part * columns).sum() / part.sum(), (part * rows).sum() / part.sum()])
        left = left[~near]
    return np.array(centres)


def measure(wall: Wall, half_east_m: float, half_north_m: float, *, height_m: float = 0.0) -> tuple[float, float]:
    """Device pixels from the western to the eastern and from the southern to the northern of four drawn markers."""
    x, y = wall.page.evaluate("() => window.shapan.middle()")
    ends = [(x - half_east_m, y), (x + half_east_m, y), (x, y - half_north_m), (x, y + half_north_m)]
    wall.page.evaluate(_MARK, [[*end, height_m] for end in ends])
    dots = find_dots(wall.shoot(NO_WORDS))
    assert len(dots) == 4
    west, east = dots[dots[:, 0].argmin()], dots[dots[:, 0].argmax()]
    north, south = dots[dots[:, 1].argmin()], dots[dots[:, 1].argmax()]
    assert abs(west[1] - east[1]) < 1.5  # north is up
    assert abs(north[0] - south[0]) < 1.5
    return float(np.hypot(*(east - west))), float(np.hypot(*(south - north)))


@pytest.mark.parametrize("pitch_mm", PITCHES_MM)
def test_1_to_300_is_true_in_both_directions(wall: Wall, pitch_mm: float) -> None:
    ratio = get_ratio(wall)
    calibrate(wall, pitch_mm)
    wall.act("scale-300")
    wall.wait_drawn()
    stamp = wall.page.locator(".sp-stamp")
    expect(stamp).to_have_text(t("table.scale_true", "zh", n=300))
    expect(stamp).to_have_attribute("data-truth", "all")
    # By a ruler 1 mm of screen is 300 mm of ground and 1 / pitch device pixels. The ends stay on the screen.
    metres_a_pixel = 300 * pitch_mm / 1000
    half_east_m, half_north_m = (round(css * ratio * metres_a_pixel, 2) for css in (200, 230))
    across, along = measure(wall, half_east_m, half_north_m)
    assert across == pytest.approx(2 * half_east_m / metres_a_pixel, rel=WITHIN)
    assert along == pytest.approx(2 * half_north_m / metres_a_pixel, rel=WITHIN)


def test_roofs_and_the_far_corner_are_as_true_as_the_middle(wall: Wall) -> None:
    calibrate(wall, 0.31)
    wall.look([-400.0, 400.0], zoom=18)
    wall.act("scale-300")
    wall.wait_drawn()
    across, along = measure(wall, 20.0, 20.0, height_m=30.0)
    expected = 40_000 / 300 / 0.31
    assert across == pytest.approx(expected, rel=WITHIN)
    assert along == pytest.approx(expected, rel=WITHIN)


def test_the_bar_is_as_long_as_it_says(wall: Wall) -> None:
    calibrate(wall, 0.63)
    wall.act("scale-2000")
    wall.wait_drawn()
    assert wall.page.locator(".sp-stamp").inner_text() == t("table.scale_true", "zh", n=2000)
    metres, unit = wall.page.locator(".sp-bar span").inner_text().split()
    assert unit == "m"
    width_css = wall.page.locator(".sp-bar i").bounding_box()["width"]  # type: ignore[index]
    assert width_css == pytest.approx(float(metres) * 1000 / 2000 / 0.63 / get_ratio(wall), abs=0.6)


def test_the_stamp_says_when_it_is_true_and_why_not(wall: Wall) -> None:
    stamp = wall.page.locator(".sp-stamp")
    ortho = wall.page.locator('[data-act="orthographic"]')

    def says(key: str, truth: str) -> None:
        expect(stamp).to_have_text(t(f"table.{key}", "zh", n=300), timeout=ACT_MS)
        expect(stamp).to_have_attribute("data-truth", truth)

    calibrate(wall, None)
    says("scale_uncalibrated", "none")
    calibrate(wall, 0.31, ratio=get_ratio(wall) * 1.25)  # the browser was zoomed since, or moved to another screen
    says("scale_zoomed", "none")
    calibrate(wall, 0.31)
    wall.act("scale-300")
    says("scale_true", "all")
    expect(stamp).to_have_attribute("title", t("table.scale_all_help", "zh"))
    wall.act("oblique")
    says("scale_across", "across")
    expect(ortho).to_have_attribute("aria-pressed", "true")
    wall.act("orthographic")
    says("scale_tilted", "none")
    expect(ortho).to_have_attribute("aria-pressed", "false")
    wall.act("oblique")
    says("scale_true", "all")
    expect(stamp).to_have_attribute("title", t("table.scale_ground_help", "zh"))


def test_a_parallel_tilted_picture_is_true_from_left_to_right_only(wall: Wall) -> None:
    calibrate(wall, 0.31)
    wall.act("scale-300")
    wall.act("oblique")
    wall.wait_camera("camera.pitch > 50")
    expect(wall.page.locator(".sp-stamp")).to_have_attribute("data-truth", "across")
    across, along = measure(wall, 20.0, 20.0)
    expected = 40_000 / 300 / 0.31
    assert across == pytest.approx(expected, rel=WITHIN)
    # Seen from 55° off the vertical, a length that runs away is shortened by its cosine.
    assert along == pytest.approx(expected * np.cos(np.deg2rad(wall.camera["pitch"])), rel=0.01)


def test_a_screen_is_calibrated_by_its_size_or_by_a_ruler(wall: Wall) -> None:
    dialog = wall.page.locator(".sp-dialog")

    def kept_mm() -> float:
        expect(dialog).to_have_count(0)
        return float(wall.page.evaluate("() => JSON.parse(localStorage.getItem('shapan.calibration')).pitchMm"))

    calibrate(wall, None)
    wall.act("scale-300")  # asks for the size first
    for name, value in (("inches", "86"), ("width", "3840"), ("height", "2160")):
        dialog.locator(f'[data-cal="{name}"]').fill(value)
    dialog.locator('[data-cal="save-size"]').click()
    # 86 inches are 2184.4 mm along 4405.8 pixels (3840 by 2160).
    assert kept_mm() == pytest.approx(0.49580, abs=1e-5)
    expect(wall.page.locator(".sp-stamp")).to_have_text(t("table.scale_true", "zh", n=300))
    wall.page.locator(".sp-tools").locator('[data-act="calibrate"]').click()
    dialog.locator('[data-cal="length"]').fill("0.5")
    dialog.locator('[data-cal="save-bar"]').click()
    expect(dialog.get_by_role("alert")).to_have_text(t("table.cal_bad", "zh"))
    bar_css = dialog.locator(".sp-calbar").bounding_box()["width"]  # type: ignore[index]
    dialog.locator('[data-cal="length"]').fill("150")
    dialog.locator('[data-cal="save-bar"]').click()
    assert kept_mm() == pytest.approx(150 / (bar_css * get_ratio(wall)), rel=1e-6)
