"""The phone page of a check-in server: 360×640, HTTPS, position stubbed, without net and back; then at the office."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from data.queries import find_checkins
from data.store import utc_now
from tasks.booking import to_day
from tasks.cards import get_card
from tasks.checkin_files import take_checkins_file
from tasks.checkin_points import find_day_code
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium
from tests.fixtures.checkin_process import serve_checkins_of
from tests.fixtures.volunteers import OFFICER, Square, square

__all__ = ["square"]


@pytest.mark.timeout(200)
def test_a_phone_checks_in_without_net_and_sends_once_when_it_is_back(
    chromium: Browser, square: Square, tmp_path: Path
) -> None:
    square.clock.now = utc_now()
    today = to_day(utc_now())
    # On 120° E; the latitude of 3 700 000 m north is 33.42605° (EPSG:4549, PROJ 9).
    first, second = (
        square.add_point(2000.0 * n, name=name, opens_on=today, lit=True, period_minutes=10)
        for n, name in enumerate(("东门岗亭", "西门岗亭"))
    )
    who = square.join()
    card = get_card(square.store, OFFICER, who)
    codes = [find_day_code(square.store, OFFICER, point, today) for point in (first, second)]
    with serve_checkins_of(square, tmp_path / "box") as running:
        # A worker is installed only where the certificate is believed; a phone is told to by hand, this one by a flag.
        browser = chromium.browser_type.launch(
            executable_path=find_chromium(), args=[*CHROMIUM_FLAGS, "--ignore-certificate-errors"]
        )
        context = browser.new_context(
            viewport={"width": 360, "height": 640}, permissions=["geolocation"], locale="zh-CN",
            geolocation={"latitude": 33.42605, "longitude": 120.0, "accuracy": 15},
        )  # fmt: skip
        page = context.new_page()
        asked: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{running.url}/?p={first}#c={card.code}")
        expect(page.locator("#point")).to_have_value(first)
        assert card.secret not in page.url
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.locator("#code").fill(codes[0])
        page.locator("#do").click()
        expect(page.locator("#result")).to_have_text("已送出，谢谢您！")

        context.set_offline(True)
        page.reload()  # the page itself is there without net
        page.locator("#point").select_option(second)
        page.locator("#code").fill(codes[1])
        page.locator("#do").click()
        expect(page.locator("#line")).to_contain_text("等待送出 1 条")
        expect(page.locator("#log li").first).to_contain_text("等待送出")
        context.set_offline(False)
        expect(page.locator("#log li").first).to_contain_text("已送出", timeout=30_000)
        page.reload()
        expect(page.locator("#line")).to_have_text("")
        assert page.evaluate("localStorage.getItem('shapan-queue')") == "[]"
        # What the server cannot read stops nothing that comes after it, and stays in the phone.
        page.evaluate("localStorage.setItem('shapan-queue', JSON.stringify([{record: {id: 'spoiled'}}]))")
        page.reload()
        expect(page.locator("#line")).to_have_text("有 1 条服务器收不下，请把手机拿到所里看")
        assert page.evaluate("localStorage.getItem('shapan-queue')") == "[]"
        assert "spoiled" in page.evaluate("localStorage.getItem('shapan-aside')")
        assert problems == []
        assert {urlsplit(url).netloc for url in asked} == {urlsplit(running.url).netloc}
        browser.close()
        content = running.collect()
    square.clock.now = utc_now()
    report = take_checkins_file(square.store, OFFICER, content, clock=square.clock)
    assert (report["records"], report["new"]) == (2, 2)
    rows = find_checkins(square.store, OFFICER, volunteer_id=who).set_index("point_id")
    assert rows.loc[first, "distance_m"] < 40
    assert "too_far" not in rows.loc[first, "doubts"]
    # Two kilometres in some seconds, with the position of the first: both are seen, neither was refused.
    assert {"too_fast", "too_far"} <= set(rows.loc[second, "doubts"].split())
