"""
The pictures of the README and the guides, taken from the running app: `make screenshots`.

Makes the sample in a folder of its own, serves it, looks at it in Chromium and writes `docs/images/*.png`, each small
enough for a README. Name pictures to take only the sittings that they belong to: `python -m bench.screenshots phone`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from i18n import Language, t
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium
from tests.fixtures.serving import ROOT, ServerProcess, run_shapan

IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 350_000  # README pages of three pictures stay near a megabyte
WIDTHS_PX = (1600, 1440, 1280)
WAIT_MS = 120_000  # software rendering on busy cores
STILL_MS = 900
BUILDING = "东区27幢"  # of the sample: six storeys, rentals, and suspected group rentals among them
HOME = "西区12幢204室"  # of the sample: let, with three people
REASONS = {"zh": "核实出租登记信息", "en": "verify the rental's registration"}
_MARK_SPREAD = 90  # of 255 between a pixel's strongest and weakest channel: above it are marks, below façades
_WORD_VALUE = 200  # of 255: above it are words
SCREEN_INCHES = 86  # a usual meeting-room screen: one grid of the sample fits on it at 1:300

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


def save(page: Page, name: str, *, is_desk: bool = False) -> None:
    """Photograph the page once it stands still; as a palette picture, narrower until it is small enough."""
    if not is_desk:
        page.wait_for_function(_DRAWN, timeout=WAIT_MS)
    picture = Image.open(io.BytesIO(_await_still(page))).convert("RGB")
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


def _await_still(page: Page) -> bytes:
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
    _await_still(page)  # until then the old list may stand beside the new one


def take_tour(sitting: Sitting, page: Page) -> None:
    """Everything that a full-HD wall shows in one language."""
    lang = sitting.lang
    save(page, f"wall.{lang}")
    search(page, BUILDING)
    save(page, f"building.{lang}")
    clear(page)
    page.locator(".st-key-hot-1 button").click(timeout=WAIT_MS)
    save(page, f"hot.{lang}")
    act(page, "scale-300")  # not calibrated yet: the dialogue opens first
    page.fill('[data-cal="inches"]', str(SCREEN_INCHES))
    save(page, f"calibrate.{lang}")
    page.click('[data-cal="save-size"]')
    act(page, "grid-next")
    save(page, f"plan-1-300.{lang}")
    act(page, "whole")
    act(page, "visitor")
    save(page, f"visitor.{lang}")


def take_one(sitting: Sitting, page: Page) -> None:
    """The wall as it comes up."""
    save(page, f"{sitting.name}.{sitting.lang}")


def take_phone(sitting: Sitting, page: Page) -> None:
    """A building on a phone."""
    search(page, BUILDING)
    save(page, f"{sitting.name}.{sitting.lang}")


def take_desk(sitting: Sitting, page: Page) -> None:
    """A home whose people were opened for a reason; then what the auditor sees of it."""
    lang = sitting.lang
    origin = page.evaluate("location.origin")
    # What one account opened stays open to it for minutes: another one asks in the other language.
    role = {"zh": "officer", "en": "commander"}[lang]
    page.goto(f"{origin}/demo-role?role={role}&next=/desk?lang={lang}", timeout=WAIT_MS)
    box = page.locator(".st-key-desk_search input")
    box.fill(HOME, timeout=WAIT_MS)
    box.press("Enter")
    reason = page.locator("[data-testid=stForm] input")
    reason.fill(REASONS[lang], timeout=WAIT_MS)
    reason.press("Enter")
    page.wait_for_selector(".sh-watermark", state="attached", timeout=WAIT_MS)
    save(page, f"desk.{lang}", is_desk=True)
    page.goto(f"{origin}/demo-role?role=auditor&next=/audit?lang={lang}", timeout=WAIT_MS)
    page.wait_for_selector(".sh-state", timeout=WAIT_MS)
    save(page, f"audit.{lang}", is_desk=True)
    page.goto(f"{origin}/demo-role?role=commander&next=/command?lang={lang}", timeout=WAIT_MS)
    page.get_by_text(t("command.decide", lang)).first.wait_for(timeout=WAIT_MS)
    save(page, f"command.{lang}", is_desk=True)


SITTINGS = (
    Sitting("wall", "zh", (1920, 1080), take_tour),
    Sitting("wall", "en", (1920, 1080), take_tour),
    Sitting("phone", "zh", (390, 844), take_phone, pixel_ratio=2),
    Sitting("desk", "zh", (1440, 900), take_desk),
    Sitting("desk", "en", (1440, 900), take_desk),
    Sitting("wall-4k", "zh", (3840, 2160), take_one),
)


@contextmanager
def open_page(browser: Browser, sitting: Sitting, url: str) -> Iterator[Page]:
    """The wall in a fresh profile, without visitor mode by itself."""
    width, height = sitting.size_px
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=sitting.pixel_ratio,
        locale={"zh": "zh-CN", "en": "en-GB"}[sitting.lang],
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",  # flights are at once
    )
    page = context.new_page()
    page.goto(f"{url}/?lang={sitting.lang}&idle=0", timeout=WAIT_MS)
    page.wait_for_selector('[data-ready="yes"]', timeout=WAIT_MS)
    yield page
    context.close()


def main() -> None:
    """Take all pictures, or those of the named sittings."""
    names = sorted({f"{sitting.name}.{sitting.lang}" for sitting in SITTINGS})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="SITTING", help=f"one of {', '.join(names)}; all when none is named")
    only = set(parser.parse_args().only)
    if unknown := only - set(names):
        parser.error(f"no sitting is called {', '.join(sorted(unknown))}: expected {', '.join(names)}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        if (made := run_shapan(home, "demo", "--store", "demo")).returncode:
            raise SystemExit(made.stderr)
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        with ServerProcess(home, "demo") as server:
            for sitting in SITTINGS:
                if not only or f"{sitting.name}.{sitting.lang}" in only:
                    with open_page(browser, sitting, server.url) as page:
                        sitting.take(sitting, page)
        browser.close()


if __name__ == "__main__":
    main()
