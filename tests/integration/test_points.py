"""Points and gifts on the real store: counted once, spent once, handed out once, and looked through by who may."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from data.queries import find_balances, find_book, find_gifts, find_ledger_lines, find_redemptions
from data.store import Transaction
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from tasks.gifts import Redemption, cancel, change_stock, hand_out, lapse_reservations, reserve, withdraw_gift
from tasks.ledger import LedgerRefusedError
from tasks.ledger_check import check_book, verify_ledger
from tasks.points import correct, expire_points
from tests.fixtures.volunteers import COMMANDER, MONTH, OFFICER, WORKER, Square, set_settings, shared_square, square

__all__ = ["shared_square", "square"]


def hold(square: Square, volunteer_id: str) -> int:
    rows = find_balances(square.store, OFFICER, month=MONTH, volunteer_id=volunteer_id)
    return int(rows["points"].iloc[0])


def give(square: Square, volunteer_id: str, points: int, key: str) -> int:
    return correct(square.store, COMMANDER, volunteer_id, points, "补记一次值守", key=key, clock=square.clock)


def test_a_gift_from_points_to_the_hand(shared_square: Square) -> None:
    one = shared_square
    who, gift = one.join(), one.offer(points=4, pieces=2)
    with pytest.raises(LedgerRefusedError, match="holds 0 and 4 were asked for") as refused:
        reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock)
    assert refused.value.code == "points"
    assert give(one, who, 9, "gift-1") == 9
    made = reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock)
    again = reserve(one.store, WORKER, who, gift, key="a", clock=one.clock)
    assert (again.is_repeat, again.code, again.redemption_id) == (True, made.code, made.redemption_id)
    assert hold(one, who) == 5
    assert made.lapses_utc - one.clock() == timedelta(days=14)
    assert "code" not in find_redemptions(one.store, OFFICER, volunteer_id=who).columns
    fetched = hand_out(one.store, OFFICER, f" {made.code[:3]} {made.code[3:]}", clock=one.clock)
    assert fetched.redemption_id == made.redemption_id
    with pytest.raises(RecordMissingError, match=made.code):
        hand_out(one.store, OFFICER, made.code, clock=one.clock)
    with pytest.raises(LedgerRefusedError, match="nothing to give back"):
        cancel(one.store, OFFICER, made.redemption_id, clock=one.clock)
    row = find_gifts(one.store, OFFICER).set_index("gift_id").loc[gift]
    assert (row["stock"], row["reserved"], row["handed_out"]) == (1, 0, 1)
    kinds = find_ledger_lines(one.store, OFFICER, who)[["kind", "amount", "balance"]].to_numpy().tolist()
    assert kinds == [["spend", -4, 5], ["correct", 9, 9]]
    withdraw_gift(one.store, OFFICER, gift, clock=one.clock)
    with pytest.raises(RefusedError, match="not offered any more"):
        reserve(one.store, OFFICER, who, gift, key="b", clock=one.clock)
    assert check_book(one.store).is_whole


def test_two_counters_ask_for_the_last_gift_at_the_same_moment(shared_square: Square) -> None:
    one = shared_square
    gift, people = one.offer(points=3, pieces=1), [one.join(f"甲{n}") for n in range(2)]
    for number, who in enumerate(people):
        give(one, who, 3, f"last-{number}")
    gate, outcomes = threading.Barrier(2), [""] * 2

    def ask(number: int) -> None:
        gate.wait()
        try:
            reserve(one.store, OFFICER, people[number], gift, key="x", clock=one.clock)
        except LedgerRefusedError as refused:
            outcomes[number] = refused.code
        else:
            outcomes[number] = "got it"

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["got it", "stock"]
    assert sorted(hold(one, who) for who in people) == [0, 3]


def test_two_windows_retry_one_request_at_the_same_moment(shared_square: Square) -> None:
    one = shared_square
    gift, who = one.offer(points=2, pieces=5), one.join()
    give(one, who, 10, "windows")
    gate, made = threading.Barrier(4), list[Redemption]()

    def ask() -> None:
        gate.wait()
        made.append(reserve(one.store, OFFICER, who, gift, key="same", clock=one.clock))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({one.code for one in made}) == 1
    assert sorted(one.is_repeat for one in made) == [False, True, True, True]
    assert hold(one, who) == 8


def test_what_was_not_fetched_goes_back_and_old_points_expire(square: Square) -> None:
    one = square
    set_settings(one.store, points_keep_months=2, reservation_days=3)
    gift, who = one.offer(points=4, pieces=1), one.join()
    give(one, who, 6, "old")
    reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock)
    one.clock.move(days=3)
    assert (lapse_reservations(one.store, clock=one.clock), hold(one, who)) == (1, 6)
    one.clock.move(days=40)
    give(one, who, 5, "new")
    one.clock.move(days=24)  # 29 January: what counts for a day before 28 November is too old
    # The six are of 23 November, the five of 5 January; the one point that is spent is of the six.
    give(one, who, -1, "spent")
    assert (expire_points(one.store, clock=one.clock), hold(one, who)) == (5, 5)
    assert expire_points(one.store, clock=one.clock) == 0
    reasons = find_ledger_lines(one.store, OFFICER, who)["kind"].tolist()
    assert reasons == ["expire", "correct", "correct", "give_back", "spend", "correct"]
    assert check_book(one.store).is_whole


def test_a_key_is_good_for_one_entry(shared_square: Square) -> None:
    one = shared_square
    who, other = one.join(), one.join("李大爷")
    assert give(one, who, 5, "key") == give(one, who, 5, "key") == 5
    with pytest.raises(BadRecordError, match="was used for another entry"):
        give(one, other, 5, "key")
    with pytest.raises(LedgerRefusedError, match="holds 5 and 6 were asked for"):
        give(one, who, -6, "too much")
    with pytest.raises(BadRecordError, match="line of 0"):
        give(one, who, 0, "nothing")
    with pytest.raises(BadRecordError, match="at least 4"):
        correct(one.store, COMMANDER, who, 1, "no", key="short", clock=one.clock)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("UPDATE ledger_postings SET amount = amount + 1 WHERE line_no = 2 AND unit = 'points'", "unbalanced"),
        ("UPDATE ledger_postings SET balance = balance + 1 WHERE line_no = 2 AND unit = 'points'", "balance"),
        ("DELETE FROM ledger_entries WHERE entry_no = 2", "missing"),
        ("DELETE FROM events WHERE subject_table = 'ledger_entries' AND kind = 'points.correct'", "events"),
        ("UPDATE redemptions SET state = 'cancelled', ended_utc = reserved_utc WHERE state = 'reserved'", "reserved"),
    ],
)
def test_the_check_finds_a_book_that_was_tampered_with(square: Square, sql: str, problem: str) -> None:
    one = square
    gift, who = one.offer(points=4, pieces=1), one.join()
    give(one, who, 6, "six")
    reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock)
    assert verify_ledger(one.store, COMMANDER, clock=one.clock).to_dict() == {
        "is_whole": True, "entries": 3, "points_held": 2, "problem": "", "entry_id": None,
    }  # fmt: skip
    table = sql.split()[2] if sql.startswith("DELETE") else sql.split()[1]

    def spoil(transaction: Transaction) -> None:
        transaction.execute(table, sql)

    one.store.write(spoil)
    assert check_book(one.store).problem == problem


def test_who_may_do_what(shared_square: Square) -> None:
    one = shared_square
    who, gift = one.join(), one.offer()
    calls: list[tuple[Viewer, Any]] = [
        (OFFICER, lambda viewer: correct(one.store, viewer, who, 1, "补记一次", key="r", clock=one.clock)),
        (WORKER, lambda viewer: change_stock(one.store, viewer, gift, 1, "采购", key="r", clock=one.clock)),
        (OFFICER, lambda viewer: verify_ledger(one.store, viewer, clock=one.clock)),
        (OFFICER, lambda viewer: find_book(one.store, viewer)),
        (Viewer(Role.WALL), lambda viewer: find_balances(one.store, viewer, month=MONTH)),
        (Viewer(Role.VOLUNTEER), lambda viewer: reserve(one.store, viewer, who, gift, key="r", clock=one.clock)),
    ]
    for viewer, call in calls:
        with pytest.raises(NotAllowedError):
            call(viewer)
    assert not find_book(one.store, COMMANDER).empty


def test_the_book_can_be_built_again_from_the_events(shared_square: Square) -> None:
    one = shared_square
    gift, who = one.offer(points=2, pieces=2), one.join()
    give(one, who, 7, "rebuilt")
    hand_out(one.store, OFFICER, reserve(one.store, OFFICER, who, gift, key="a", clock=one.clock).code, clock=one.clock)
    rows = one.store.rows("SELECT entry_id, book_account, unit, amount, balance FROM ledger_postings ORDER BY ALL")
    events = one.store.rows("SELECT subject_id, detail FROM events WHERE kind LIKE 'points.%'")
    told = sorted((entry_id, *line) for entry_id, detail in events for line in json.loads(detail)["lines"])
    assert sorted(rows) == told
    assert len(rows) >= 10
