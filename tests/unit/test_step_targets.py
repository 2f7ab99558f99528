"""Times of an incident's steps against the targets of its kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incidents.life_cycle import Action, Case, State, Step, rebuild
from incidents.step_targets import list_step_times

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
KIND = {"target_dispatch_minutes": 1.0, "target_minutes": 5.0, "target_close_minutes": float("nan")}


def build(*steps: tuple[Action, float]) -> Case:
    """An incident whose steps were taken so many minutes after it was received."""
    return rebuild(
        "a", [Step(action, START + timedelta(minutes=minutes), "x", "a reason") for action, minutes in steps]
    )


def test_what_was_reached_is_measured_from_the_report_and_what_is_to_come_until_now() -> None:
    case = build((Action.RECEIVE, 0), (Action.PLACE, 0.5), (Action.DISPATCH, 2), (Action.ACCEPT, 3))
    times = list_step_times(case, KIND, now=START + timedelta(minutes=4))
    assert [(one.state, one.since_report.total_seconds() / 60, one.is_in_time) for one in times] == [
        (State.RECEIVED, 0, True),
        (State.PLACED, 0.5, True),
        (State.DISPATCHED, 2, False),
        (State.ACCEPTED, 3, True),
        (State.ON_SCENE, 4, True),
    ]
    assert times[-1].at_utc is None
    assert not list_step_times(case, KIND, now=START + timedelta(minutes=6))[-1].is_in_time


def test_sending_again_is_no_late_sending_and_what_is_over_owes_nothing() -> None:
    case = build(
        (Action.RECEIVE, 0), (Action.PLACE, 0), (Action.DISPATCH, 1), (Action.SEND_BACK, 8), (Action.DISPATCH, 9),
        (Action.ARRIVE, 10), (Action.HANDLE, 11), (Action.CLOSE, 12),
    )  # fmt: skip
    times = list_step_times(case, KIND, now=START + timedelta(days=1))
    sent = [one for one in times if one.state is State.DISPATCHED]
    assert [one.target for one in sent] == [timedelta(minutes=1), None]
    assert [one.state for one in times if not one.is_in_time] == [State.ON_SCENE]
    assert times[-1].state is State.CLOSED


def test_what_was_settled_by_telephone_needs_nobody_there() -> None:
    case = build((Action.RECEIVE, 0), (Action.HANDLE, 2))
    kind = {**KIND, "target_close_minutes": 60.0}
    assert [one.state for one in list_step_times(case, kind, now=START)] == [State.RECEIVED, State.HANDLED]
    assert all(one.target is None for one in list_step_times(case, None, now=START))
