"""Pictures of a call on its way: taken in, lit on the wall, sent to, seen from inside; and a grid worker's tasks."""

from __future__ import annotations

from playwright.sync_api import Page

from bench.picturing import WAIT_MS, Sitting, act, save, search
from i18n import t

DESK_PX = {"width": 1440, "height": 900}
SECOND_PX = {"width": 1280, "height": 800}
INSIDE = "东区13幢"  # of the sample: five entrances
HOTEL = "和顺旅社"  # of the sample: its gate is 138 m away
CALLS = {  # address, keys of the kind (theft, of an e-bike; the second one of the same group), words
    "zh": ("东区13幢2单元302室", "11", "车棚里的电动车不见了，昨晚九点还在"),
    "en": ("西区12幢1单元204室", "11", "e-bike gone from the shed, still there at nine"),
}


def go(page: Page, role: str, path: str) -> None:
    """A page in a role of the demo."""
    origin = page.evaluate("location.origin")
    page.goto(f"{origin}/demo-role?role={role}&next={path}", timeout=WAIT_MS)


def take_work(sitting: Sitting, page: Page) -> None:
    """One call from the first word to whoever goes."""
    lang = sitting.lang
    address, kind, words = CALLS[lang]
    page.set_viewport_size(DESK_PX)  # type: ignore[arg-type]
    go(page, "officer", f"/intake%3Flang%3D{lang}")
    page.locator(".sh-in-picks .house").first.wait_for(timeout=WAIT_MS)
    page.keyboard.type(address)
    page.locator(".sh-in-option").first.wait_for(timeout=WAIT_MS)
    page.keyboard.press("Enter")
    page.keyboard.type(kind)
    page.keyboard.type(words)
    save(page, f"intake.{lang}", is_desk=True, is_moving=True)
    page.keyboard.press("Enter")
    page.locator(".sh-in-answer").wait_for(timeout=WAIT_MS)

    width, height = sitting.size_px
    page.set_viewport_size({"width": width, "height": height})
    go(page, "officer", f"/%3Flang%3D{lang}%26idle%3D0")
    page.locator(".sp-alarms [data-alarm]").first.wait_for(timeout=WAIT_MS)
    page.keyboard.press("Numpad1")
    page.locator(".sp-alarm-panel [data-responder]").first.wait_for(timeout=WAIT_MS)
    save(page, f"alarm.{lang}", is_moving=True)
    page.keyboard.press("Numpad0")
    take_second(sitting, page)

    page.set_viewport_size(DESK_PX)  # type: ignore[arg-type]
    go(page, "officer", f"/dispatch%3Flang%3D{lang}")
    page.locator(".st-key-sd-row-1 .sd-say").wait_for(timeout=WAIT_MS)
    page.locator('[data-testid="stButtonGroup"] button').nth(2).wait_for(timeout=WAIT_MS)  # loaded by themselves, later
    page.locator('[data-testid="stStatusWidget"]').wait_for(state="detached", timeout=WAIT_MS)
    save(page, f"dispatch.{lang}", is_desk=True, is_moving=True)


def take_second(sitting: Sitting, page: Page) -> None:
    """What is selected on the wall, from inside on the second screen."""
    act(page, "pair")
    page.wait_for_function("() => document.querySelector('[data-code]')?.dataset.code?.length === 6", timeout=WAIT_MS)
    code = str(page.locator("[data-code]").get_attribute("data-code"))
    second = page.context.new_page()
    second.set_viewport_size(SECOND_PX)  # type: ignore[arg-type]
    second.goto(f"{page.evaluate('location.origin')}/second?lang={sitting.lang}", timeout=WAIT_MS)
    second.locator(".sf-code").fill(code)
    second.locator(".sf-join button").click()
    second.locator('.sf-online[data-on="yes"]').wait_for(timeout=WAIT_MS)
    page.locator('[data-pair="close"]').click(timeout=WAIT_MS)
    search(page, INSIDE)
    second.locator(".in-head h1", has_text=INSIDE).wait_for(timeout=WAIT_MS)
    save(second, f"second.{sitting.lang}", is_desk=True)
    second.close()


def take_tasks(sitting: Sitting, page: Page) -> None:
    """A grid worker's list on the phone, and a visit at the door."""
    go(page, "grid_worker", f"/tasks%3Flang%3D{sitting.lang}")
    page.get_by_role("button", name=t("tasks.open", sitting.lang)).first.wait_for(timeout=WAIT_MS)
    save(page, f"tasks.{sitting.lang}", is_desk=True)
    go(page, "grid_worker", f"/phone/visit%3Flang%3D{sitting.lang}")
    page.click("#load", timeout=WAIT_MS)
    page.locator(".stop").first.click(timeout=WAIT_MS)
    page.wait_for_selector("figure img", timeout=WAIT_MS)
    save(page, f"visit.{sitting.lang}", is_desk=True)


def take_places(sitting: Sitting, page: Page) -> None:
    """The way in to a key site on the wall, and a grid's round of visits at the desk."""
    search(page, HOTEL)
    act(page, "way-in")
    page.wait_for_function("() => window.shapan.alarms.ways.own", timeout=WAIT_MS)
    save(page, f"way-in.{sitting.lang}")
    go(page, "officer", f"/tasks%3Flang%3D{sitting.lang}")
    page.get_by_text(t("tasks.view_round", sitting.lang), exact=True).click(timeout=WAIT_MS)
    page.get_by_text(t("round.map_legend", sitting.lang)).wait_for(timeout=WAIT_MS)
    save(page, f"round.{sitting.lang}", is_desk=True)
