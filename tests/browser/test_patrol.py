"""From a hot place to a zone, a plan, a point, a card, points, a gift, and what was done against planned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from i18n import Language, t
from tests.browser.test_command import open_view
from tests.fixtures.desk_browser import READY_MS, settle
from tests.fixtures.live_server import LiveServer

ZONE = "北区路口"
LOOK_TRIES = 240
GATE, GIFT = "西区东门", "保温袋"
_TABLES = (
    *("patrol_plans", "patrol_stops", "patrol_members", "patrol_presences", "zones", "checkins", "checkin_points"),
    *("volunteers", "redemptions", "ledger_entries"),
)
# What came with the sample stays, and is not looked at here.
_SAMPLE = {
    "checkins": "entered_by", "checkin_points": "made_by", "volunteers": "joined_by", "redemptions": "reserved_by",
    "ledger_entries": "booked_by",
}  # fmt: skip
_PLAN = "SELECT plan_id, state, revision, found FROM patrol_plans WHERE state <> 'dropped'"


@pytest.fixture(autouse=True)
def nothing_planned(live_server: LiveServer) -> Iterator[None]:
    yield
    live_server.write(
        *(
            (table, f"DELETE FROM {table} WHERE {_SAMPLE.get(table, 'NULL')} IS DISTINCT FROM 'sample'", [])
            for table in _TABLES
        ),
        ("gifts", "DELETE FROM gifts WHERE gift_id NOT LIKE 'sg-%'", []),
        (
            "ledger_postings",
            "DELETE FROM ledger_postings WHERE entry_id NOT IN (SELECT entry_id FROM ledger_entries)",
            [],
        ),
    )
    live_server.write(
        ("settings", "DELETE FROM settings WHERE name = 'checkin_spot_percent'", []),
        ("tasks", "DELETE FROM tasks WHERE note LIKE '巡防计划 % 组：%'", []),
    )


def go(page: Page, server: LiveServer, lang: Language = "zh", role: str = "commander") -> None:
    page.goto(f"{server.url}/demo-role?role={role}&next=/patrol%3Flang%3D{lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("patrol.title", lang), timeout=READY_MS)
    settle(page)


def press(page: Page, key: str, lang: Language = "zh") -> None:
    page.get_by_role("button", name=t(key, lang), exact=True).click(timeout=READY_MS)
    settle(page)


def read_plan(server: LiveServer) -> dict[str, Any]:
    (row,) = server.read(_PLAN)
    return row


def walk(page: Page, server: LiveServer, plan_id: str, member: str, stop: dict[str, Any]) -> None:
    """A radio is heard at a stop three times in ten minutes; each time until the server has noted it."""
    begin = datetime.fromisoformat(stop["begin"]).replace(tzinfo=None)
    for minutes in (0, 5, 10):
        at = str(begin + timedelta(minutes=minutes))
        place: list[object] = [stop["x_m"], stop["y_m"], at, member]
        sql = "UPDATE responders SET geom = ST_Point(?, ?), position_utc = ?::TIMESTAMP WHERE responder_id = ?"
        server.write(("responders", sql, place))
        heard = f"SELECT 1 FROM patrol_presences WHERE plan_id = '{plan_id}' AND to_utc = TIMESTAMP '{at}'"
        for _ in range(LOOK_TRIES):
            if server.read(heard):
                break
            page.wait_for_timeout(100)  # the server looks every five seconds
        else:
            pytest.fail(f"No presence of {member} at {at}. The server's log:\n{server.log}")


def open_at(page: Page, server: LiveServer, path: str, title: str, part: str) -> None:
    """One part of the page of check-ins or of the counter."""
    page.goto(f"{server.url}/demo-role?role=commander&next=/{path}%3Flang%3Dzh")
    expect(page.get_by_role("heading", level=1)).to_have_text(t(title, "zh"), timeout=READY_MS)
    settle(page)
    page.locator('[data-testid="stButtonGroup"]').get_by_text(t(part, "zh"), exact=True).first.click()
    settle(page)


def choose(page: Page, box: Locator, text: str) -> None:
    """Type into a box with options and take the first."""
    box.click(timeout=READY_MS)
    page.keyboard.type(text)
    page.get_by_role("option", name=text).first.click(timeout=READY_MS)
    settle(page)


def find_input(within: Page | Locator, label: str) -> Locator:
    """By its label alone: headings and helps have the same words."""
    return within.locator(f'input[aria-label="{label}"]')


def check_in_for_a_gift(page: Page, server: LiveServer) -> None:
    """A volunteer joins, a point opens at the gate, the card is read there and then at the counter for a gift."""
    open_at(page, server, "counter", "points.title", "points.part_volunteers")
    find_input(page, t("points.call_name", "zh")).fill("王阿姨")
    page.get_by_text(t("points.consent", "zh"), exact=True).click()
    press(page, "points.join_do")
    (volunteer,) = wait_for(page, server, "SELECT number FROM volunteers WHERE joined_by <> 'sample'")
    open_at(page, server, "checkins", "checkins.title", "checkins.part_points")
    page.get_by_role("button", name=t("checkins.new_point", "zh")).click()
    popover = page.get_by_test_id("stPopoverBody")
    choose(page, popover.get_by_role("combobox"), GATE)
    find_input(popover, t("checkins.why", "zh")).fill("夜间盗窃多")
    popover.get_by_role("button", name=t("checkins.open_here", "zh")).click()
    (point,) = wait_for(page, server, "SELECT points FROM checkin_points WHERE made_by <> 'sample'")
    # Open at any hour that this test runs at, and nothing is drawn for a spot check.
    server.write(
        (
            "checkin_points",
            "UPDATE checkin_points SET hours_from = TIME '00:00', hours_to = TIME '23:59:59' WHERE made_by <> 'sample'",
            [],
        ),
        ("settings", "INSERT OR REPLACE INTO settings VALUES ('checkin_spot_percent', '0', now()::TIMESTAMP, 't')", []),
    )
    open_at(page, server, "checkins", "checkins.title", "checkins.part_enter")
    choose(page, page.get_by_role("combobox").first, GATE)
    find_input(page, t("checkins.card", "zh")).fill(str(volunteer["number"]))
    press(page, "checkins.take")
    expect(page.get_by_text(t("checkins.receipt_counted", "zh", points=point["points"]))).to_be_visible(
        timeout=READY_MS
    )
    open_at(page, server, "counter", "points.title", "points.part_gifts")
    page.get_by_role("textbox", name=t("points.head_gift", "zh"), exact=True).fill(GIFT)
    find_input(page, t("points.head_points", "zh")).fill(str(point["points"]))
    find_input(page, t("points.head_stock", "zh")).fill("1")
    press(page, "points.gift_offer")
    expect(page.get_by_text(t("points.gift_offered", "zh", name=GIFT))).to_be_visible(timeout=READY_MS)
    open_at(page, server, "counter", "points.title", "points.part_redeem")
    find_input(page, t("points.card", "zh")).fill(str(volunteer["number"]))
    press(page, "points.read")
    (gift,) = server.read(f"SELECT gift_id FROM gifts WHERE name = '{GIFT}' AND gift_id NOT LIKE 'sg-%'")
    page.locator(f'[class*="st-key-reserve-{gift["gift_id"]}"] button').click(timeout=READY_MS)
    said = page.get_by_text(t("points.code", "zh")).filter(has_text=GIFT).first
    expect(said).to_be_visible(timeout=READY_MS)
    code = re.search(rf"{t('points.code', 'zh')} (\w+)", said.inner_text())
    assert code is not None
    find_input(page, t("points.code", "zh")).fill(code[1])
    press(page, "points.hand_out")
    expect(page.get_by_text(t("points.handed_out", "zh", gift=GIFT))).to_be_visible(timeout=READY_MS)


def wait_for(page: Page, server: LiveServer, sql: str) -> list[dict[str, Any]]:
    """Rows of a query as soon as there are any."""
    for _ in range(LOOK_TRIES):
        if rows := server.read(sql):
            return rows
        page.wait_for_timeout(100)
    pytest.fail(f"No row: {sql}. The server's log:\n{server.log}")


def test_from_a_hot_place_to_what_was_done(page: Page, live_server: LiveServer) -> None:
    # A hot place becomes a zone.
    open_view(page, live_server, "bench")
    page.locator('[data-pick="place:1"] circle').click(timeout=READY_MS)
    press(page, "command.patrol")
    page.get_by_label(t("command.name", "zh")).fill(ZONE)
    press(page, "command.zone_save")
    expect(page.get_by_text(t("command.zone_saved", "zh", name=ZONE))).to_be_visible(timeout=READY_MS)
    (zone,) = live_server.read("SELECT zone_id FROM zones")
    # The zone is in the plan that the page's defaults make, and on its map.
    go(page, live_server)
    choose(page, page.get_by_test_id("stMultiSelect").last, GATE)
    page.keyboard.press("Escape")  # the list stays open for another choice, and hides what lies behind it
    press(page, "patrol.propose")
    expect(page.get_by_text(t("patrol.proposed", "zh"))).to_be_visible(timeout=READY_MS)
    expect(page.locator(".pt-name", has_text=ZONE)).to_be_attached(timeout=READY_MS)
    teams = json.loads(read_plan(live_server)["found"])["teams"]
    number, stop = next(
        (n, s) for n, one in enumerate(teams) for s in one["stops"] if s["place_id"].endswith(zone["zone_id"])
    )
    # The clock moves whoever goes there to where the zone is.
    minute = datetime.fromisoformat(stop["begin"]) + timedelta(hours=8)
    page.locator(".pt-slider").evaluate(
        "(e, minute) => { e.value = minute; e.dispatchEvent(new Event('input')); }",
        minute.hour * 60 + minute.minute + 3,
    )
    assert page.locator(".pt-mark").nth(number).get_attribute("class") == "pt-mark there"
    # A stop is locked; the rest is planned again around it.
    page.get_by_text(t("patrol.change", "zh", n=number + 1)).click()
    said = f"{minute:%H:%M} {ZONE}"
    page.get_by_test_id("stButtonGroup").filter(has_text=t("patrol.lock", "zh")).get_by_text(said).first.click()
    settle(page)
    press(page, "patrol.again")
    expect(page.get_by_text(t("patrol.revised", "zh", locked=1, removed=0))).to_be_visible(timeout=READY_MS)
    plan = read_plan(live_server)
    teams = json.loads(plan["found"])["teams"]
    (kept,) = [one for one in teams[number]["stops"] if one["is_locked"]]
    assert abs(datetime.fromisoformat(kept["begin"]) - datetime.fromisoformat(stop["begin"])) <= timedelta(seconds=1)
    # Approved, begun, walked: what was done stands there.
    press(page, "patrol.approve")
    walking = sum(bool(one["stops"]) for one in teams)
    expect(page.get_by_text(t("patrol.approved", "zh", n=walking))).to_be_visible(timeout=READY_MS)
    press(page, "patrol.start")
    walk(page, live_server, plan["plan_id"], teams[number]["members"][0], kept)
    check_in_for_a_gift(page, live_server)
    gate = next(one for team in teams for one in team["stops"] if one["name"] == GATE)
    moment = str(datetime.fromisoformat(gate["begin"]).replace(tzinfo=None) + timedelta(minutes=3))
    live_server.write(
        ("checkins", "UPDATE checkins SET done_utc = ?::TIMESTAMP WHERE entered_by <> 'sample'", [moment])
    )  # as if it were that day
    go(page, live_server)
    at_gate = page.locator(".sh-table tr", has_text=GATE).last.locator("td")
    expect(at_gate).to_have_text([GATE, re.compile("^0 / "), "1", re.compile("."), re.compile(".")])
    row = page.locator(".sh-table tr", has_text=ZONE).filter(has_text="10 / 12")
    expect(row.first).to_contain_text(f"{t('patrol.done_done', 'zh')} · {t('patrol.source_position', 'zh')}")
    # No view of it is wider than a phone.
    page.set_viewport_size({"width": 390, "height": 844})
    for view in ("routes", "done"):
        page.locator('[data-testid="stButtonGroup"]').get_by_text(t(f"patrol.view_{view}", "zh"), exact=True).click()
        settle(page)
        assert page.locator('[data-testid="stMain"]').evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0, view


def open_counter(page: Page, server: LiveServer, number: str, lang: Language) -> Locator:
    """A counter at which this card was read; the button for the last piece."""
    page.goto(f"{server.url}/demo-role?role=officer&next=/counter%3Flang%3D{lang}")
    expect(page.get_by_role("heading", level=1)).to_have_text(t("points.title", lang), timeout=READY_MS)
    settle(page)
    find_input(page, t("points.card", lang)).fill(number)
    press(page, "points.read", lang)
    button = page.locator('[class*="st-key-reserve-sg-3"] button')
    expect(button).to_be_enabled(timeout=READY_MS)
    return button


def test_two_counters_press_for_the_last_gift_at_the_same_moment(page: Page, live_server: LiveServer) -> None:
    held = """SELECT volunteer_id, number, sum(amount)::INTEGER AS points FROM volunteers JOIN ledger_postings
        ON book_account = 'volunteer:' || volunteer_id GROUP BY ALL ORDER BY number"""
    people = [row for row in live_server.read(held) if row["points"] >= 14][:2]
    counters: list[tuple[Page, Language]] = [(page, "zh"), (page.context.new_page(), "en")]
    buttons = [
        open_counter(one, live_server, row["number"], lang) for (one, lang), row in zip(counters, people, strict=True)
    ]
    at = page.evaluate("Date.now()") + 1500
    for button in buttons:
        button.evaluate("(e, at) => { setTimeout(() => e.click(), at - Date.now()); }", at)
    said = []
    for one, lang in counters:
        refused = one.get_by_text(t("points.refused_stock", lang))
        reserved = one.get_by_text(t("points.code", lang)).filter(has_text="保温杯")
        expect(refused.or_(reserved).first).to_be_visible(timeout=READY_MS)
        said.append(refused.count())
        expect(one.locator('[class*="st-key-reserve-sg-3"] button')).to_be_disabled()
    assert sorted(said) == [0, 1]
    won, lost = people[said.index(0)], people[said.index(1)]
    (made,) = live_server.read("SELECT volunteer_id, state FROM redemptions WHERE reserved_by <> 'sample'")
    assert made == {"volunteer_id": won["volunteer_id"], "state": "reserved"}
    left = {row["volunteer_id"]: row["points"] for row in live_server.read(held)}
    assert left[won["volunteer_id"]] == won["points"] - 14
    assert left[lost["volunteer_id"]] == lost["points"]
    sql = "SELECT book_account AS at, sum(amount)::INT AS n FROM ledger_postings WHERE unit = 'gift:sg-3' GROUP BY ALL"
    held_there = {row["at"].split(":")[2]: row["n"] for row in live_server.read(sql)}
    assert held_there == {"outside": -1, "stock": 0, "reserved": 1}
