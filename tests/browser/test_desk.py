"""Pages of auditor and administrator in a real browser: what a test without one cannot see."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from i18n import Language, t
from tests.fixtures.desk_browser import READY_MS, settle
from tests.fixtures.live_server import LiveServer

PHONE = {"width": 390, "height": 844}
PAGES = {"audit": "auditor", "accounts": "admin", "approvals": "commander", "settings": "admin"}


def open_page(page: Page, server: LiveServer, name: str, lang: Language = "zh", role: str | None = None) -> None:
    """A desk page of the demo, in the role that it is for, drawn to its end."""
    role = role or PAGES[name]
    page.goto(f"{server.url}/demo-role?role={role}&next=/{name}%3Flang%3D{lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t(f"{name}.title", lang), timeout=READY_MS)
    settle(page)


# English words are the longer ones.
@pytest.mark.parametrize("lang", [pytest.param("zh", marks=pytest.mark.soak), "en"])
def test_no_page_is_wider_than_a_phone(page: Page, live_server: LiveServer, lang: Language) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for name in PAGES:
        open_page(page, live_server, name, lang)

        main = page.locator('[data-testid="stMain"]')
        assert main.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, name


def test_a_key_is_shown_once_and_its_tab_stays(page: Page, live_server: LiveServer) -> None:
    open_page(page, live_server, "accounts")
    tab = page.get_by_role("tab", name=t("accounts.tab_keys", "zh"))
    tab.click()
    page.get_by_label(t("accounts.key_name", "zh")).fill("alarm-system")
    page.get_by_label(t("accounts.key_scopes", "zh")).click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=t("accounts.key_add", "zh"), exact=True).click()
    secret = page.locator(".st-key-accounts_secret code")
    expect(secret).to_contain_text("spk_", timeout=READY_MS)
    key = secret.inner_text()
    expect(tab).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name=t("accounts.key_add", "zh"), exact=True).click()  # without scopes: refused
    expect(page.get_by_text(t("accounts.key_no_scope", "zh"))).to_be_visible(timeout=READY_MS)
    assert key.strip() not in page.content()
    assert key.strip().rpartition("_")[2] not in str(live_server.read("SELECT * FROM api_keys"))


def test_an_export_takes_two_and_says_whose_it_is(page: Page, live_server: LiveServer, tmp_path: Path) -> None:
    open_page(page, live_server, "approvals")
    page.get_by_label(t("approvals.grid", "zh"), exact=True).click()
    page.get_by_role("option").first.click()
    # Nobody waits for the page between a choice, a word and the press: all three count.
    page.get_by_label(t("approvals.reason", "zh")).fill("消防演练通知住户")
    page.get_by_role("button", name=t("approvals.ask_button", "zh")).click()
    expect(page.get_by_text(t("approvals.own", "zh"))).to_be_visible(timeout=READY_MS)
    open_page(page, live_server, "approvals", role="admin")
    page.get_by_role("button", name=t("approvals.agree", "zh"), exact=True).click()
    page.get_by_role("button", name=t("approvals.agree_yes", "zh")).click()
    expect(page.get_by_text(t("approvals.agreed", "zh"))).to_be_visible(timeout=READY_MS)
    open_page(page, live_server, "approvals")
    page.get_by_role("button", name=t("approvals.make_csv", "zh")).click()
    with page.expect_download(timeout=READY_MS) as download:
        page.locator(".st-key-ready button").click(timeout=READY_MS)
    path = tmp_path / "export.csv"
    download.value.save_as(path)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert "demo-commander" in rows[0][0]
    assert rows[1][0] == t("approvals.col_address", "zh")
    logged = live_server.read("SELECT actor, subject_kind FROM audit_log WHERE action = 'export'")
    assert logged == [{"actor": "demo-commander", "subject_kind": "grid"}]
    assert len(rows) > 100
    open_page(page, live_server, "approvals")
    expect(page.get_by_role("button", name=t("approvals.make_csv", "zh"))).to_have_count(0)
