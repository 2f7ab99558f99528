"""
Whatever two counters, a kiosk and the nightly jobs do in whatever order, with retries and a clock that jumps: the book
of points and gifts keeps what it promises. The real store is under test; beside it stands a tally kept by pebbles: one
with its day for each point that came in, and how many of the oldest are used up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from data.queries import find_balances, find_gifts
from data.store import Transaction
from gis.errors import RecordMissingError, RefusedError
from tasks.checkin_rules import Way
from tasks.checkins import check_in, decide
from tasks.gifts import Redemption, cancel, change_stock, hand_out, lapse_reservations, reserve
from tasks.ledger import LedgerRefusedError
from tasks.ledger_check import check_book
from tasks.points import correct, expire_points
from tests.fixtures.access import START
from tests.fixtures.volunteers import COMMANDER, MONTH, OFFICER, Square, set_settings, shared_square

__all__ = ["shared_square"]

CAP, PRICE, WORTH = 20, 5, 4
WRITTEN = ("ledger_postings", "ledger_entries", "redemptions", "checkins", "gifts", "checkin_points", "volunteers",
           "events")  # fmt: skip


def empty(transaction: Transaction) -> None:
    """What the example before wrote: a book that is looked through after each step is to be no longer than its own."""
    for table in WRITTEN:
        transaction.execute(table, f"DELETE FROM {table}")


class Office(RuleBasedStateMachine):
    """Two people at one point with one gift; `tally` is what a child would reckon with pebbles."""

    square: ClassVar[Square]
    number: ClassVar[int] = 0
    reservations: Bundle[Redemption] = Bundle("reservations")
    checkins: Bundle[str] = Bundle("checkins")

    @initialize()
    def begin(self) -> None:
        Office.number += 1
        one, self.clock = self.square, self.square.clock
        self.store = one.store
        self.clock.now = START
        self.store.write(empty)
        self.people = [one.join(f"甲{Office.number}"), one.join(f"乙{Office.number}")]
        self.point = one.add_point(points=WORTH, period_minutes=10)
        self.gift = one.offer(points=PRICE, pieces=2, name=f"礼品{Office.number}")
        self.stock, self.reserved, self.out = 2, 0, 0
        self.days: dict[str, list[date]] = {who: [] for who in self.people}
        self.used = dict.fromkeys(self.people, 0)
        self.earned: Counter[tuple[str, int, int]] = Counter()
        self.ended: dict[str, str] = {}
        self.booked: set[str] = set()

    @property
    def tally(self) -> dict[str, int]:
        return {who: len(self.days[who]) - self.used[who] for who in self.people}

    def put(self, who: str, points: int, day: date | None = None) -> None:
        """So many pebbles more, of a day in Shanghai; or so many of the oldest are used up."""
        if points < 0:
            self.used[who] -= points
        else:
            self.days[who] += [day or self.today()] * points

    def earn(self, who: str, points: int, day: date) -> None:
        """Points of a check-in that counts: what it is worth, as far as the month of its day has room."""
        month = (who, day.year, day.month)
        assert points == min(WORTH, CAP - self.earned[month])
        self.earned[month] += points
        self.put(who, points, day)

    def today(self) -> date:
        return self.clock.now.astimezone(ZoneInfo("Asia/Shanghai")).date()

    @rule(hours=st.sampled_from([1, 5, 26, -3, 24 * 40]))
    def move_clock(self, hours: int) -> None:
        self.clock.now += timedelta(hours=hours)

    @rule(target=checkins, who=st.integers(0, 1), key=st.integers(0, 8))
    def come(self, who: int, key: int) -> str:
        name = f"{Office.number:04d}-key-{who}-{key}"
        taken = check_in(
            self.store, OFFICER, self.people[who], self.point, Way.STAMP_CARD, key=name, clock=self.clock
        )  # fmt: skip
        if not taken.is_repeat:
            assert name not in self.booked
            self.booked.add(name)
            if taken.state == "counted":
                self.earn(self.people[who], taken.points, self.today())
            else:
                assert taken.points == 0
        return taken.checkin_id

    @rule(checkin_id=checkins, accept=st.booleans())
    def look(self, checkin_id: str, accept: bool) -> None:
        sql = "SELECT volunteer_id, points, (done_utc + INTERVAL 8 HOUR)::DATE FROM checkins WHERE checkin_id = ?"
        row = self.store.rows(sql, [checkin_id])[0]
        try:
            done = decide(self.store, OFFICER, checkin_id, accept=accept, reason="看过登记本", clock=self.clock)
        except RefusedError:
            return
        who, had, day = row[0], int(row[1]), row[2]
        if done.is_repeat:
            assert done.points == had
        elif accept:
            self.earn(who, done.points, day)
        else:  # what was spent meanwhile is not taken back
            back = min(had, self.tally[who])
            self.put(who, -back)
            self.earned[who, day.year, day.month] -= back

    @rule(target=reservations, who=st.integers(0, 1), key=st.integers(0, 3))
    def ask(self, who: int, key: int) -> Redemption | None:
        why = ""
        try:
            made = reserve(
                self.store, OFFICER, self.people[who], self.gift, key=f"{Office.number}-{key}", clock=self.clock
            )  # fmt: skip
        except LedgerRefusedError as refused:
            why = refused.code
        if why:
            expected = {"stock"} if self.stock == 0 else set()
            expected |= {"points"} if self.tally[self.people[who]] < PRICE else set()
            assert why in expected
            return None
        if not made.is_repeat:
            self.put(self.people[who], -PRICE)
            self.stock, self.reserved = self.stock - 1, self.reserved + 1
            self.ended[made.redemption_id] = "reserved"
        return made

    @rule(made=reservations, how=st.sampled_from(["fetch", "cancel"]))
    def end(self, made: Redemption | None, how: str) -> None:
        if made is None:
            return
        state = self.ended[made.redemption_id]
        try:
            if how == "fetch":
                hand_out(self.store, OFFICER, made.code, clock=self.clock)
            else:
                done = cancel(self.store, OFFICER, made.redemption_id, clock=self.clock)
        except (RecordMissingError, RefusedError):
            assert state != "reserved"
            return
        if how == "cancel" and done.is_repeat:
            assert state == "cancelled"
            return
        assert state == "reserved"
        self.ended[made.redemption_id] = "handed_out" if how == "fetch" else "cancelled"
        self.reserved -= 1
        if how == "fetch":
            self.out += 1
        else:
            self._back(made)

    @rule(points=st.integers(-9, 9).filter(bool), who=st.integers(0, 1), key=st.integers(0, 3))
    def mend(self, points: int, who: int, key: int) -> None:
        name = f"{Office.number}-mend-{who}-{key}-{points}"
        try:
            correct(self.store, COMMANDER, self.people[who], points, "核对登记本", key=name, clock=self.clock)
        except LedgerRefusedError:
            assert self.tally[self.people[who]] + points < 0
            return
        if name not in self.booked:
            self.booked.add(name)
            self.put(self.people[who], points)

    @rule(pieces=st.integers(-2, 2).filter(bool), key=st.integers(0, 3))
    def restock(self, pieces: int, key: int) -> None:
        name = f"{Office.number}-stock-{key}-{pieces}"
        try:
            change_stock(self.store, OFFICER, self.gift, pieces, "盘点库存", key=name, clock=self.clock)
        except LedgerRefusedError:
            assert self.stock + pieces < 0
            return
        if name not in self.booked:
            self.booked.add(name)
            self.stock += pieces

    @rule()
    def night(self) -> None:
        open_ones = [one for one, state in self.ended.items() if state == "reserved"]
        lapse_reservations(self.store, clock=self.clock)
        for one in open_ones:
            rows = self.store.rows("SELECT volunteer_id, state FROM redemptions WHERE redemption_id = ?", [one])
            if rows[0][1] == "lapsed":
                self.ended[one] = "lapsed"
                self.reserved, self.stock = self.reserved - 1, self.stock + 1
                self.used[rows[0][0]] -= PRICE
        # The same day a month before, at most the 28th.
        limit = (self.today().replace(day=1) - timedelta(days=1)).replace(day=min(self.today().day, 28))
        old = {who: [day for day in sorted(self.days[who])[self.used[who] :] if day < limit] for who in self.people}
        assert expire_points(self.store, clock=self.clock) == sum(map(len, old.values()))
        for who in self.people:
            self.put(who, -len(old[who]))
        assert expire_points(self.store, clock=self.clock) == 0

    def _back(self, made: Redemption) -> None:
        self.stock += 1
        self.used[made.volunteer_id] -= PRICE

    def _read(self) -> dict[str, int]:
        rows = find_balances(self.store, OFFICER, month=MONTH)
        return dict(zip(rows["volunteer_id"], map(int, rows["points"]), strict=True))

    @invariant()
    def balances_are_the_tally(self) -> None:
        held = self._read()
        assert held == self.tally
        assert min(self.tally.values()) >= 0
        gifts: Any = find_gifts(self.store, OFFICER).set_index("gift_id").loc[self.gift]
        counted = (int(gifts["stock"]), int(gifts["reserved"]), int(gifts["handed_out"]))
        assert counted == (self.stock, self.reserved, self.out)

    def teardown(self) -> None:
        report = check_book(self.store)
        assert report.is_whole, report


@pytest.fixture
def office(shared_square: Square) -> Iterator[type[Office]]:
    set_settings(shared_square.store, points_month_cap=CAP, points_keep_months=1, reservation_days=3)
    Office.square = shared_square
    yield Office
    del Office.square


def run(office: type[Office], examples: int, steps: int) -> None:
    # Without shrinking: at some 40 ms a step it would take a failure half an hour to be told.
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(office, settings=chosen)


def test_any_sequence_keeps_the_book(office: type[Office]) -> None:
    run(office, 5, 18)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_any_long_sequence_keeps_the_book(office: type[Office]) -> None:
    run(office, 150, 50)
