"""How a picture is taken: the page stands still, few colours, small enough for a README."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from i18n import Language
from tests.fixtures.serving import ROOT

IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 350_000  # README pages of three pictures stay near a megabyte
WIDTHS_PX = (1600, 1440, 1280)
WAIT_MS = 120_000  # software rendering on busy cores
STILL_MS = 900
_MARK_SPREAD = 90  # of 255 between a pixel's strongest and weakest channel: above it are marks, below façades
_WORD_VALUE = 200  # of 255: above it are words

# Layers have their files, and the camera has come to rest.
_DRAWN = """() => {
  const layers = window.shapan?.instance?.layerManager?.getLayers();
  return document.querySelector('[data-ready="yes"]') && layers?.every((layer) => layer.isLoaded);
}"""


@dataclass(frozen=True)
class Sitting:
    """One page that is looked at: its screen, language, and what is photographed there, in order."""

    name: str
    lang: Language
    size_px: tuple[int, int]
    take: Callable[[Sitting, Page], None]
    pixel_ratio: int = 1


def save(page: Page, name: str, *, is_desk: bool = False, is_moving: bool = False) -> None:
    """
    Photograph the page once it stands still; as a palette picture, narrower until it is small enough.

    `is_desk`: a page without the table. `is_moving`: clocks run on it, so it never stands still.
    """
    if not is_desk:
        page.wait_for_function(_DRAWN, timeout=WAIT_MS)
    shot = page.screenshot(timeout=WAIT_MS) if is_moving else await_still(page)
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    IMAGES.mkdir(parents=True, exist_ok=True)
    for width_px in WIDTHS_PX:
        size = (min(width_px, picture.width), round(picture.height * min(width_px, picture.width) / picture.width))
        small = picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
        packed = io.BytesIO()
        small.quantize(palette=choose_palette(small), dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
        if packed.tell() <= MAX_BYTES:
            break
    else:
        raise SystemExit(f"{name}: {packed.tell()} bytes at {WIDTHS_PX[-1]} px, expected at most {MAX_BYTES}.")
    (IMAGES / f"{name}.png").write_bytes(packed.getvalue())
    print(f"{name}.png  {size[0]} x {size[1]}  {packed.tell() / 1000:.0f} kB")


def choose_palette(picture: Image.Image) -> Image.Image:
    """256 colours in which marks and words keep theirs: by number alone the night takes them all."""
    pixels = np.asarray(picture).reshape(-1, 3)
    strongest = pixels.max(axis=1).astype(int)
    bright = pixels[(strongest - pixels.min(axis=1) > _MARK_SPREAD) | (strongest > _WORD_VALUE)]
    weighted = np.concatenate([pixels, np.resize(bright, pixels.shape)]) if len(bright) else pixels
    return Image.fromarray(weighted.reshape(1, -1, 3)).quantize(256, Image.Quantize.MEDIANCUT)


def await_still(page: Page) -> bytes:
    """A screenshot below the clock that equals the one before it, then the whole page."""
    screen = page.viewport_size or {"width": 1920, "height": 1080}
    below = {"x": 0, "y": 0.08 * screen["height"], "width": screen["width"], "height": 0.92 * screen["height"]}
    before = b""
    for _ in range(40):
        now = page.screenshot(clip=below, timeout=WAIT_MS)  # type: ignore[arg-type]
        if now == before:
            return page.screenshot(timeout=WAIT_MS)
        before = now
        page.wait_for_timeout(STILL_MS)
    raise SystemExit("The page does not come to rest: something on it moves by itself.")


def search(page: Page, text: str) -> None:
    """Type into the search box; the camera flies to the one hit."""
    box = page.locator(".st-key-search input, .st-key-rail input").first
    box.fill(text)
    box.press("Enter")
    page.wait_for_selector(".sp-card", timeout=WAIT_MS)


def act(page: Page, name: str) -> None:
    """Press one of the table's own buttons."""
    page.locator(f'[data-act="{name}"]').first.click(timeout=WAIT_MS)


def clear(page: Page) -> None:
    """Nothing selected, nothing searched."""
    search_box = page.locator(".st-key-search input, .st-key-rail input").first
    search_box.fill("")
    search_box.press("Enter")
    page.locator(".st-key-clear button").click(timeout=WAIT_MS)
    page.wait_for_selector(".sp-card", state="detached", timeout=WAIT_MS)
    await_still(page)  # until then the old list may stand beside the new one
