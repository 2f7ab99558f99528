"""The pages of check-ins and points without a browser: a card read, a doubtful check-in decided, a gift reserved."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pypdfium2
import pytest
from streamlit.testing.v1 import AppTest

from data.queries import find_book, find_gifts, find_volunteers
from data.store import Store, utc_now
from data.viewer import Role
from i18n import LANGUAGES, Language
from tasks.booking import to_day
from tasks.cards import get_card
from tasks.checkin_points import add_point, build_draft
from tasks.gifts import change_stock, offer_gift
from tasks.points import correct
from tasks.volunteers import NewVolunteer, join, leave
from tests.fixtures.access import access_store, clock
from tests.fixtures.desk_pages import check, find_log, get_html, open_page, press, store, viewer
from ui.checkin_paper import print_card
from ui.counter_redeem import choose_press
from ui.exports import CSV, build_file

__all__ = ["access_store", "clock", "store"]
OFFICER, COMMANDER = viewer(Role.OFFICER), viewer(Role.COMMANDER)


def choose(page: AppTest, key: str, part: str) -> AppTest:
    return check(page.button_group(key=key).set_value(part).run())


def read_card(page: AppTest, number: str) -> AppTest:
    page.text_input[0].set_value(number)
    return check(page.button[0].click().run())


@pytest.fixture
def number(store: Store) -> str:
    """A volunteer's card; there is a point and a gift."""
    who = join(store, OFFICER, NewVolunteer("王阿姨<b>", 1958, to_day(utc_now())), clock=utc_now)
    draft = build_draft("东门岗亭", "多次报警", 1.0, 0.5, today=to_day(utc_now()), lit=True, points=3)
    add_point(store, OFFICER, draft, is_open=True, clock=utc_now)
    gift = offer_gift(store, OFFICER, "毛巾", 3, clock=utc_now)
    change_stock(store, OFFICER, gift, 1, "首次入库", key="first", clock=utc_now)
    return str(find_volunteers(store, OFFICER, volunteer_id=who)["number"].iloc[0])


def test_a_card_has_its_code_on_one_side_and_room_for_stamps_on_the_other(store: Store, number: str) -> None:
    who = str(find_volunteers(store, OFFICER)["volunteer_id"].iloc[0])
    card = get_card(store, OFFICER, who)
    front, back = pypdfium2.PdfDocument(print_card(store, card, None))
    assert f"{number[:3]} {number[3:]}" in front.get_textpage().get_text_bounded()
    assert card.secret not in front.get_textpage().get_text_bounded()
    assert back.get_textpage().get_text_bounded().count("日期") == 1 + 12  # the sentence above, and each stamp


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_part_draws(store: Store, number: str, lang: Language) -> None:
    page = open_page("checkins", lang, Role.COMMANDER)
    for part in ("pending", "points", "exchange"):
        page = choose(page, "checkins_part", part)
        if part == "points":  # whoever takes the codes of the days with them stands in the log
            (point,) = (row[0] for row in store.rows("SELECT point_id FROM checkin_points"))
            press(page, f"codes-{point}")
            assert find_log(store, "export")[-1]["subject_id"] == point
    page = open_page("counter", lang, Role.COMMANDER)
    for part in ("volunteers", "gifts", "book"):
        page = choose(page, "counter_part", part)
    assert number


def test_a_card_from_the_scanner_to_the_gift(store: Store, number: str) -> None:
    page = read_card(open_page("checkins", "zh", Role.OFFICER), number)
    assert "sh-receipt" in get_html(page)
    assert "王**" in get_html(page)
    page = choose(page, "checkins_part", "pending")
    ids = [row[0] for row in store.rows("SELECT checkin_id FROM checkins WHERE state = 'pending'")]
    for checkin_id in ids:  # by night it waits; at day it counted
        page = press(page, f"accept-{checkin_id}")
    page = read_card(open_page("counter", "zh", Role.OFFICER), number)
    html = get_html(page)
    assert "3 分" in html
    assert "<b>" not in html
    (gift,) = find_gifts(store, OFFICER)["gift_id"]
    page = press(page, f"reserve-{gift}")
    (code,) = (row[0] for row in store.rows("SELECT code FROM redemptions"))
    assert any(code in one.value for one in page.success)
    press(page, "counter_print")
    assert find_log(store, "export")[-1]["subject_kind"] == "volunteer"
    page.text_input[1].set_value(code)
    page = check(next(one for one in page.button if one.label == "交付").click().run())
    assert any("已交付" in one.value for one in page.success)
    assert store.rows("SELECT state FROM redemptions") == [("handed_out",)]
    unknown = read_card(open_page("counter", "zh", Role.OFFICER), "1234567")
    assert any("不认识" in one.value for one in unknown.error)


def test_a_finger_that_presses_twice_asks_once() -> None:
    now = utc_now()
    first = choose_press(None, ("v", "g"), now)
    assert choose_press(first, ("v", "g"), now + timedelta(seconds=2)) == first
    # Another gift, another person, or some seconds later it is another wish; so it is when the clock went back.
    for what, seconds in ((("v", "h"), 1), (("w", "g"), 1), (("v", "g"), 4), (("v", "g"), -5)):
        assert choose_press(first, what, now + timedelta(seconds=seconds)).key != first.key


def test_the_audit_takes_a_book_that_no_spreadsheet_runs(store: Store, number: str) -> None:
    who = str(find_volunteers(store, OFFICER)["volunteer_id"].iloc[0])
    correct(store, COMMANDER, who, 5, "=HYPERLINK(1)", key="k", clock=utc_now)
    page = choose(open_page("counter", "zh", Role.AUDITOR), "counter_part", "book")
    page = press(page, "book_verify")
    assert 'data-state="whole"' in get_html(page)
    press(page, "book_export")
    assert find_log(store, "export")[-1]["detail"]["what"] == "book"
    rows = find_book(store, COMMANDER).astype(str).to_numpy().tolist()
    lines = list(csv.reader(io.StringIO(build_file(CSV, "mark", ["a"], rows).decode("utf-8-sig"))))
    assert any(cell == "'=HYPERLINK(1)" for line in lines for cell in line)
    assert not any(cell[:1] in "=+@" for line in lines for cell in line if cell)
    leave(store, OFFICER, who, clock=utc_now)
    assert "王" not in get_html(choose(open_page("counter", "zh", Role.COMMANDER), "counter_part", "volunteers"))
