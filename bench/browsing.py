"""Chromium as the benchmarks use it: the system's, drawing in software, a fresh profile for each page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium

SCREENS = ((1280, 720), (1920, 1080))


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser of its own: what an earlier page left in it would help the next."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, screen: tuple[int, int]) -> tuple[BrowserContext, Page]:
    """A page of a fresh profile, `screen` pixels wide and high."""
    context = browser.new_context(viewport={"width": screen[0], "height": screen[1]}, locale="zh-CN")
    return context, context.new_page()
