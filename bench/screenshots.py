"""
The pictures of the README and the guides, taken from the running app: `make screenshots`.

Makes the sample in a folder of its own, serves it, looks at it in Chromium and writes `docs/images/*.png`, each small
enough for a README. Name pictures to take only the sittings that they belong to: `python -m bench.screenshots phone`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.picturing import WAIT_MS, Sitting, act, clear, save, search
from bench.screenshots_work import take_places, take_tasks, take_work
from i18n import t
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium
from tests.fixtures.serving import ServerProcess, run_shapan

BUILDING = "东区27幢"  # of the sample: six storeys, rentals, and suspected group rentals among them
HOME = "西区12幢204室"  # of the sample: let, with three people
REASONS = {"zh": "核实出租登记信息", "en": "verify the rental's registration"}
SCREEN_INCHES = 86  # a usual meeting-room screen: one grid of the sample fits on it at 1:300


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
    Sitting("tasks", "zh", (390, 844), take_tasks, pixel_ratio=2),
    Sitting("places", "zh", (1440, 900), take_places),
    # Last, because what is reported here stays open.
    Sitting("work", "zh", (1920, 1080), take_work),
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
