"""Jobs at their time, whatever the clock does; a failing one ends nothing; stopping waits."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, time, timedelta

import pytest

from gis.errors import StoreWriteError
from server.jobs import Job, Scheduler

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 14:30 in Shanghai, which is eight hours ahead all the year


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def at_three() -> time:
    return time(3)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_daily_job_runs_once_a_day_at_its_local_time(clock: Clock) -> None:
    ran: list[datetime] = []
    scheduler = Scheduler([Job("night", lambda: ran.append(clock.now), at=at_three)], clock)
    for _ in range(3 * 24 * 60):
        scheduler.run_due()
        clock.now += timedelta(minutes=1)
    nights = [datetime(2026, 11, day, 19, 0, tzinfo=UTC) for day in (23, 24, 25)]  # 3:00 of the next day in Shanghai
    assert ran == nights


def test_a_period_is_kept_between_two_beginnings(clock: Clock) -> None:
    ran: list[datetime] = []
    scheduler = Scheduler([Job("often", lambda: ran.append(clock.now), every=timedelta(minutes=5))], clock)
    for _ in range(60):
        scheduler.run_due()
        clock.now += timedelta(seconds=30)
    assert [(at - START).total_seconds() / 60 for at in ran] == [5, 10, 15, 20, 25]


def test_a_night_that_was_slept_through_is_made_up_for(clock: Clock) -> None:
    ran: list[str] = []
    scheduler = Scheduler([Job("night", lambda: ran.append("x"), at=at_three)], clock)
    scheduler.run_due()
    clock.now += timedelta(days=9)
    assert scheduler.run_due() == ["night"]
    assert scheduler.run_due() == []


@pytest.mark.parametrize("back", [timedelta(days=1), timedelta(days=3650)])
def test_a_clock_that_is_set_back_puts_nothing_off_by_more_than_a_day(clock: Clock, back: timedelta) -> None:
    ran: list[str] = []
    scheduler = Scheduler([Job("night", lambda: ran.append("x"), at=at_three)], clock)
    clock.now += back
    scheduler.run_due()
    clock.now -= back
    scheduler.run_due()
    clock.now += timedelta(days=1)
    assert scheduler.run_due() == ["night"]


def test_the_time_of_the_day_may_be_changed_while_it_runs(clock: Clock) -> None:
    hour = 3
    ran: list[str] = []
    scheduler = Scheduler([Job("night", lambda: ran.append("x"), at=lambda: time(hour))], clock)
    scheduler.run_due()
    hour = 15
    scheduler.run_due()
    clock.now += timedelta(minutes=31)  # 15:01 in Shanghai
    assert scheduler.run_due() == ["night"]


@pytest.mark.parametrize(("error", "traceback"), [(StoreWriteError("no room."), False), (KeyError("x"), True)])
def test_a_failing_job_is_logged_and_the_others_run(
    clock: Clock, caplog: pytest.LogCaptureFixture, error: Exception, traceback: bool
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise error

    jobs = [
        Job("bad", fail, every=timedelta(minutes=1)),
        Job("good", lambda: ran.append("x"), every=timedelta(minutes=1)),
    ]
    scheduler = Scheduler(jobs, clock)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            scheduler.run_due()
            clock.now += timedelta(minutes=1)
    assert ran == ["x", "x"]
    assert [record.getMessage().startswith("Job 'bad' failed") for record in caplog.records] == [True, True]
    assert all((record.exc_info is not None) == traceback for record in caplog.records)


def test_stopping_waits_for_the_job_that_runs(clock: Clock) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert may_end.wait(20)
        ended.set()

    never = Job("never", ended.clear, every=timedelta(seconds=1), is_due_at_start=lambda: True)
    scheduler = Scheduler([Job("long", work, at=at_three, is_due_at_start=lambda: True), never], clock)
    scheduler.start()
    assert begun.wait(20)
    stopper = threading.Thread(target=scheduler.stop)
    stopper.start()
    stopper.join(0.1)
    assert stopper.is_alive()
    may_end.set()
    stopper.join(20)
    assert not stopper.is_alive()
    assert ended.is_set()  # and the next one, due as well, did not begin
    assert not scheduler._thread.is_alive()
    scheduler.stop()


def test_the_thread_looks_at_the_clock_by_itself(clock: Clock) -> None:
    ran = threading.Event()
    scheduler = Scheduler([Job("soon", ran.set, every=timedelta(hours=1))], clock, look_s=0.01)
    scheduler.start()
    try:
        assert not ran.wait(0.1)
        clock.now += timedelta(hours=2)
        assert ran.wait(20)
    finally:
        scheduler.stop()


def test_a_job_needs_exactly_one_time(clock: Clock) -> None:
    with pytest.raises(ValueError, match="Job 'x': expected either a time of the day or a period"):
        Job("x", clock)
    with pytest.raises(ValueError, match="Job 'x'"):
        Job("x", clock, at=at_three, every=timedelta(1))
