"""Check-ins on the real store: taken once, doubtful ones wait for a person, points follow the decision."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest

from data.erasure import Person, find_rows
from data.queries import (
    find_balances,
    find_checkin_points,
    find_checkins,
    find_open_points,
    find_thanks,
    find_volunteer_teams,
    find_volunteers,
)
from data.retention import apply_retention
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tasks.cards import find_card_holder, get_card, renew_card
from tasks.checkin_points import change_point, close_point, find_day_code, open_point
from tasks.checkin_rules import Way, is_drawn
from tasks.checkins import check_in, decide
from tasks.gifts import reserve
from tasks.ledger_check import check_book
from tasks.points import correct
from tasks.volunteers import NewVolunteer, add_team, join, lead_team, leave
from tests.fixtures.access import START
from tests.fixtures.volunteers import (
    COMMANDER,
    KIOSK,
    MONTH,
    OFFICER,
    TODAY,
    WORKER,
    Square,
    set_settings,
    shared_square,
    square,
)

__all__ = ["shared_square", "square"]


def test_a_card_at_the_scanner_the_kiosk_and_over_the_radio(shared_square: Square) -> None:
    one = shared_square
    who, point = one.join(), one.add_point(points=2, period_minutes=60)
    first = one.check_in(who, point)
    assert (first.state, first.points, first.balance, first.is_repeat) == ("counted", 2, 2, False)
    again = check_in(one.store, KIOSK, who, point, Way.KIOSK, clock=one.clock)
    assert (again.checkin_id, again.is_repeat, again.balance) == (first.checkin_id, True, 2)
    one.clock.move(minutes=30)
    soon = one.check_in(who, point, Way.RADIO)
    assert (soon.state, soon.doubts, soon.points) == ("pending", ("same_period",), 0)
    one.clock.move(minutes=30)
    stamped = one.check_in(who, point, Way.STAMP_CARD, at=one.clock() + timedelta(hours=1), key="stamp-card-1")
    assert stamped.doubts == ("clock_ahead",)
    rows = find_checkins(one.store, OFFICER, volunteer_id=who)
    assert rows["state"].value_counts().to_dict() == {"pending": 2, "counted": 1}
    assert rows["call_name"].unique().tolist() == ["王**"]
    assert "record" not in rows.columns
    done = decide(one.store, OFFICER, soon.checkin_id, accept=True, clock=one.clock)
    assert (done.state, done.points, done.balance) == ("counted", 2, 4)
    assert decide(one.store, OFFICER, soon.checkin_id, accept=True, clock=one.clock).is_repeat
    with pytest.raises(BadRecordError, match="at least 4"):
        decide(one.store, OFFICER, stamped.checkin_id, accept=False, clock=one.clock)
    gone = decide(one.store, OFFICER, stamped.checkin_id, accept=False, reason="王建国说没有去", clock=one.clock)
    assert (gone.state, gone.points) == ("rejected", 0)
    with pytest.raises(RefusedError, match="turned down already"):
        decide(one.store, OFFICER, stamped.checkin_id, accept=True, clock=one.clock)
    # A counted one may still be taken back, with what it brought.
    back = decide(one.store, OFFICER, first.checkin_id, accept=False, reason="同一人代刷", clock=one.clock)
    assert (back.state, back.balance) == ("rejected", 2)
    kept = json.dumps(one.store.rows("SELECT detail FROM events"), ensure_ascii=False)
    assert "王建国" not in kept
    assert "王阿姨" not in kept
    assert check_book(one.store).is_whole


def test_the_cap_of_the_month_counts_by_the_day_of_the_check_in(square: Square) -> None:
    one = square
    set_settings(one.store, points_month_cap=5)
    who, point = one.join(), one.add_point(points=2, period_minutes=10, opens_on=date(2026, 10, 1))
    brought = []
    for _ in range(4):
        one.clock.move(minutes=11)
        brought.append(one.check_in(who, point).points)
    assert brought == [2, 2, 1, 0]
    taken = one.check_in(who, point, Way.STAMP_CARD, at=START - timedelta(days=24))  # 30 October: another month
    assert taken.doubts == ("late",)
    assert decide(one.store, OFFICER, taken.checkin_id, accept=True, clock=one.clock).points == 2
    row = find_balances(one.store, OFFICER, month=MONTH, volunteer_id=who).iloc[0]
    assert (row["points"], row["earned_in_month"]) == (7, 5)


def test_a_month_ends_at_midnight_in_shanghai(square: Square) -> None:
    one = square
    set_settings(one.store, points_month_cap=3)
    who = one.join()
    point = one.add_point(points=2, period_minutes=10, lit=True, hours_from=time(0), hours_to=time(23, 59))
    correct(one.store, COMMANDER, who, 3, "补记值守", key="by hand", clock=one.clock)  # what a month brings is apart
    brought = []
    # 15:40 and 15:55 UTC are the last minutes of November there; 16:06 and 16:20 the first of December.
    for minutes in (40, 55, 66, 80, 95):
        one.clock.now = datetime(2026, 11, 30, 15, tzinfo=UTC) + timedelta(minutes=minutes)
        brought.append(one.check_in(who, point).points)
    assert brought == [2, 1, 2, 1, 0]
    # The last of November is turned down: its month has room again, December has none.
    row = find_checkins(one.store, OFFICER, volunteer_id=who).sort_values("done_utc")["checkin_id"].tolist()
    decide(one.store, OFFICER, row[1], accept=False, reason="同一人代刷", clock=one.clock)
    late = one.check_in(who, point, Way.STAMP_CARD, at=datetime(2026, 11, 30, 15, 25, tzinfo=UTC))
    again = one.check_in(who, point, Way.STAMP_CARD, at=datetime(2026, 11, 30, 17, tzinfo=UTC))
    assert (late.points, again.points) == (1, 0)
    days = one.store.rows("SELECT counted_on, sum(amount) FROM ledger_entries JOIN ledger_postings USING (entry_id) "
                          "WHERE amount > 0 AND kind = 'earn' GROUP BY 1 ORDER BY 1")  # fmt: skip
    assert days == [(date(2026, 11, 30), 4), (date(2026, 12, 1), 3)]


def test_of_points_that_were_spent_meanwhile_a_refusal_takes_back_what_is_left(shared_square: Square) -> None:
    one = shared_square
    who, point, gift = one.join(), one.add_point(points=5), one.offer(points=4)
    taken = one.check_in(who, point)
    reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock)
    back = decide(one.store, OFFICER, taken.checkin_id, accept=False, reason="同一人代刷", clock=one.clock)
    assert (back.state, back.points, back.balance) == ("rejected", 0, 0)
    assert check_book(one.store).is_whole


def test_points_are_by_day_unless_lit_and_for_a_time(shared_square: Square) -> None:
    one = shared_square
    with pytest.raises(BadRecordError, match="nobody has seen a light"):
        one.add_point(hours_to=time(21))
    lit = one.add_point(hours_to=time(21), lit=True, is_open=False)
    who = one.join()
    assert one.check_in(who, lit).doubts == ("point_closed",)
    open_point(one.store, OFFICER, lit, clock=one.clock)
    with pytest.raises(BadRecordError, match="nobody has seen a light"):
        change_point(one.store, OFFICER, lit, lit=False, clock=one.clock)
    change_point(one.store, OFFICER, lit, closes_on=TODAY + timedelta(days=1), clock=one.clock)
    one.clock.move(days=2)
    assert one.check_in(one.join(), lit).doubts == ("point_closed",)
    close_point(one.store, OFFICER, lit, clock=one.clock)
    open_point(one.store, OFFICER, lit, clock=one.clock)  # from time to time: another two days from today
    assert one.check_in(one.join(), lit).doubts == ()
    one.clock.move(days=-2)
    public = find_open_points(one.store, KIOSK)
    assert "reason" not in public.columns
    assert lit in set(public["point_id"])
    row = find_checkin_points(one.store, OFFICER).set_index("point_id").loc[lit]
    assert (row["counted"], row["pending"], row["reason"]) == (1, 2, "夜间多次报警，白天走访")
    for who_not in (KIOSK, WORKER, Viewer(Role.WALL)):
        with pytest.raises(NotAllowedError):
            find_checkin_points(one.store, who_not)
    kinds = one.store.rows("SELECT kind FROM events WHERE subject_id = ? ORDER BY event_id", [lit])
    assert [kind for (kind,) in kinds] == [
        "point.suggested", "point.opened", "point.changed", "point.closed", "point.opened",
    ]  # fmt: skip
    with pytest.raises(NotAllowedError):
        find_day_code(one.store, KIOSK, lit, TODAY)
    assert len(find_day_code(one.store, WORKER, lit, TODAY)) == 4


def test_too_fast_from_one_point_to_another(shared_square: Square) -> None:
    one = shared_square
    who, here, there = one.join(), one.add_point(), one.add_point(1400.0)
    one.check_in(who, here)
    one.clock.move(seconds=199)
    assert one.check_in(who, there).doubts == ("too_fast",)  # 1400 m at 7 m/s take 200 s
    two = one.join()
    one.check_in(two, here)
    one.clock.move(seconds=201)
    assert one.check_in(two, there).doubts == ()


def test_spot_checks_are_drawn_by_a_seed_that_was_written_down(square: Square) -> None:
    one = square
    set_settings(one.store, checkin_spot_percent=40)
    point = one.add_point(points=1)
    taken = [one.check_in(one.join(), point, key=f"drawn-key-{n}") for n in range(12)]
    ((seed, percent),) = one.store.rows("SELECT seed, percent FROM checkin_draws")
    assert percent == 40
    assert [one.doubts == ("spot_check",) for one in taken] == [
        is_drawn(seed, f"c-drawn-key-{n}", 40) for n in range(12)
    ]
    events = one.store.rows("SELECT event_id, kind FROM events WHERE kind LIKE 'checkin.%' ORDER BY event_id")
    assert events[0][1] == "checkin.draw"
    one.clock.move(days=1)
    one.check_in(one.join(), point)
    assert len(one.store.rows("SELECT seed FROM checkin_draws")) == 2


def test_only_adults_who_agreed_take_part(shared_square: Square) -> None:
    one = shared_square
    for year, words in ((2008, "gives an age of 18"), (2012, "gives an age of 14"), (1900, "gives an age of 126")):
        with pytest.raises(BadRecordError, match=words):
            one.join(birth_year=year)
    with pytest.raises(BadRecordError, match="after today"):
        one.join(consent_on=TODAY + timedelta(days=1))
    with pytest.raises(BadRecordError, match="not four digits"):
        one.join(phone_last4="13812341234")
    with pytest.raises(RecordMissingError, match="No team has the code"):
        one.join(team_code="ZZZZZZ")
    with pytest.raises(NotAllowedError):
        join(one.store, KIOSK, NewVolunteer("王阿姨", 1958, TODAY), clock=one.clock)


def test_teams_by_their_leaders_code_and_thanks_without_a_ranking(shared_square: Square) -> None:
    one = shared_square
    team, code = add_team(one.store, OFFICER, "东区楼栋队", grid_id="g1", clock=one.clock)
    leader, member, stranger = one.join("赵师傅", team_code=code.lower()), one.join("孙", team_code=code), one.join()
    lead_team(one.store, OFFICER, team, leader, clock=one.clock)
    with pytest.raises(RefusedError, match="Choose a member"):
        lead_team(one.store, OFFICER, team, stranger, clock=one.clock)
    row = find_volunteer_teams(one.store, OFFICER).set_index("team_id").loc[team]
    assert (row["members"], row["leader_id"], row["code"]) == (2, leader, code)
    ours = one.add_point(team_id=team)
    assert [one.check_in(who, ours).doubts for who in (leader, member, stranger)] == [(), (), ("other_team",)]
    span = {"since": one.clock() - timedelta(hours=1), "until": one.clock() + timedelta(hours=1)}
    thanks = find_thanks(one.store, KIOSK, by="team", **span).set_index("id").loc[team]
    assert (thanks["checkins"], thanks["people"], thanks["name"]) == (2, 2, "东区楼栋队")
    assert set(find_thanks(one.store, KIOSK, by="team", **span).columns) == {"id", "name", "checkins", "people"}


def test_cards_that_are_ours(shared_square: Square) -> None:
    one = shared_square
    who = one.join()
    card = get_card(one.store, OFFICER, who)
    assert find_card_holder(one.store, card.code, with_secret=True) == who
    assert find_card_holder(one.store, f"https://daka.example/#c={card.code.lower()}\n", with_secret=True) == who
    assert find_card_holder(one.store, card.number, with_secret=True) is None
    assert find_card_holder(one.store, f"{card.number[:3]} {card.number[3:]}", with_secret=False) == who
    forged = f"{card.number}.{'A' * 16}"
    assert find_card_holder(one.store, forged, with_secret=True) is None
    assert find_card_holder(one.store, forged, with_secret=False) is None
    new = renew_card(one.store, OFFICER, who, clock=one.clock)
    assert find_card_holder(one.store, card.code, with_secret=True) is None
    assert find_card_holder(one.store, new.code, with_secret=True) == who


def test_whoever_leaves_is_emptied_and_the_books_still_add_up(square: Square) -> None:
    one = square
    who, point = one.join("王阿姨", phone_last4="1234"), one.add_point()
    taken = one.check_in(who, point)
    card = get_card(one.store, OFFICER, who)
    commander = Viewer(Role.COMMANDER, account_id="c1", name="commander02")
    assert find_rows(one.store, commander, Person("王阿姨", "138 0000 1234"))["volunteers"] == 1
    assert leave(one.store, OFFICER, who, clock=one.clock) == 2
    row = find_volunteers(one.store, OFFICER, with_left=True, volunteer_id=who).iloc[0]
    assert row[["call_name", "phone_last4", "birth_year", "team_id"]].isna().all()
    assert one.store.rows("SELECT record, length(record_sha256) FROM checkins") == [(None, 64)]
    assert find_card_holder(one.store, card.code, with_secret=True) is None
    assert find_rows(one.store, commander, Person("王阿姨", "138 0000 1234")) == {}
    for refused in (lambda: one.check_in(who, point), lambda: leave(one.store, OFFICER, who, clock=one.clock)):
        with pytest.raises(RefusedError, match="has left"):
            refused()
    assert int(find_balances(one.store, COMMANDER, month=MONTH, volunteer_id=who)["points"].iloc[0]) == 0
    assert find_checkins(one.store, OFFICER)["checkin_id"].tolist() == [taken.checkin_id]
    assert check_book(one.store).is_whole


def test_signed_records_with_their_position_are_kept_for_a_time(square: Square) -> None:
    one = square
    one.check_in(one.join(), one.add_point())
    one.clock.move(days=29)
    assert apply_retention(one.store, clock=one.clock)["checkin_records"] == 0
    one.clock.move(days=2)
    assert apply_retention(one.store, clock=one.clock)["checkin_records"] == 1
    assert one.store.rows("SELECT record, state FROM checkins") == [(None, "counted")]
