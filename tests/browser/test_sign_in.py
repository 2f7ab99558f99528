"""Somebody signs in, is refused, is timed out, and is sent away while their page is open: in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from i18n import t
from tests.fixtures.administrator import NAME, PASSWORD, add_administrator
from tests.fixtures.live_server import LiveServer
from tests.integration.test_cli import make_store

PAGE_MS = 30_000
_REVOKE = "UPDATE sessions SET ended_utc = started_utc, ended_why = 'revoked' WHERE ended_utc IS NULL"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of a real place, with an administrator."""
    home = tmp_path_factory.mktemp("office")
    make_store(home, "office", synthetic=False)
    add_administrator(home / "office.duckdb")
    with LiveServer(home, "office") as running:
        yield running


def sign_in(
    page: Page, office: LiveServer, path: str = "/accounts", *, name: str = NAME, password: str = PASSWORD
) -> None:
    page.goto(f"{office.url}/accounts")
    page.fill("#name", NAME)
    page.fill("#password", password)
    page.click("button")


def expect_accounts(page: Page) -> None:
    """The page is there whole: what watches over the session is its last part."""
    expect(page.get_by_role("heading", name=t("shell.page_accounts", "zh")).first).to_be_visible(timeout=PAGE_MS)
    page.wait_for_function("() => window.shapanWatch", timeout=PAGE_MS)


def test_a_wrong_password_is_refused_with_one_sentence_in_both_languages(page: Page, office: LiveServer) -> None:
    sign_in(page, office, password="not the password")
    expect(page.get_by_role("alert")).to_have_text(t("door.refused", "zh"))
    page.click("nav a")
    expect(page.get_by_role("heading")).to_have_text(t("door.sign_in_title", "en"))
    assert re.search("[一-鿿]", page.locator("main").inner_text().replace("中文", "").replace("沙盘", "")) is None


def test_who_signs_in_comes_to_the_page_that_was_asked_for(page: Page, office: LiveServer) -> None:
    sign_in(page, office)
    expect_accounts(page)
    assert page.url.startswith(f"{office.url}/accounts")
    assert "shapan" not in page.evaluate("document.cookie"), "no script may read the session"
    assert office.read("SELECT actor, action FROM audit_log ORDER BY seq DESC LIMIT 1") == [
        {"actor": NAME, "action": "sign_in"}
    ]


@pytest.mark.parametrize("how", ["revoked", pytest.param("idle", marks=pytest.mark.soak)])
def test_an_open_page_leads_to_the_sign_in_when_its_session_ends(page: Page, office: LiveServer, how: str) -> None:
    sign_in(page, office)
    expect_accounts(page)
    if how == "revoked":
        office.write(
            (
                "sessions",
                "UPDATE sessions SET ended_utc = started_utc, ended_why = 'revoked' WHERE ended_utc IS NULL",
                [],
            )
        )
    else:
        office.pass_time(31 * 60)
    expect(page.locator("#password")).to_be_visible(timeout=PAGE_MS)
    assert "/login" in page.url


def test_who_signs_out_is_out_in_every_tab(context: BrowserContext, page: Page, office: LiveServer) -> None:
    sign_in(page, office)
    expect_accounts(page)
    other = context.new_page()
    other.goto(f"{office.url}/logout")
    other.click("button")
    expect(other.locator("#password")).to_be_visible(timeout=PAGE_MS)
    expect(page.locator("#password")).to_be_visible(timeout=PAGE_MS)


def test_the_wall_of_a_real_place_is_not_drawn_before_sign_in(page: Page, office: LiveServer) -> None:
    seen: list[str] = []
    page.on("response", lambda answer: seen.append(answer.url))
    page.goto(office.url)
    expect(page.locator("#password")).to_be_visible(timeout=PAGE_MS)
    assert [url for url in seen if re.search("/scene/|/static/|/vendor/|_stcore", url)] == []
