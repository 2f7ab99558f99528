"""Which act of a dispatch may follow which, what the clock does, and where a webhook may go: against tables by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.settings_store import check_setting
from data.webhooks import WebhookAddressError, check_webhook_url
from incidents.dispatching import (
    Act,
    Dispatch,
    DispatchAction,
    DispatchRefusedError,
    DispatchState,
    Kind,
    Limits,
    Way,
    align,
    find_allowed,
    find_due,
    rebuild,
    take_act,
)
from incidents.life_cycle import Action, Step
from incidents.life_cycle import rebuild as rebuild_case

START = datetime(2026, 11, 28, 2, tzinfo=UTC)
REASON = "a written reason"
FIRST = Dispatch("p-1", "a-1", "r1", Kind.FIRST, Way.VOICE, DispatchState.SENT, START, "officer07")
# By hand from the issue: sent → accepted → on the way → on scene → stood down, handed over, declined, expired.
ALLOWED = {
    "sent": {"accept", "depart", "arrive", "stand_down", "hand_over", "decline", "escalate", "expire"},
    "accepted": {"depart", "arrive", "stand_down", "hand_over", "decline"},
    "on_the_way": {"arrive", "stand_down", "hand_over", "decline"},
    "on_scene": {"stand_down", "hand_over"},
    "stood_down": set(),
    "handed_over": set(),
    "declined": set(),
    "expired": set(),
}
LEADS = {
    "accept": "accepted", "depart": "on_the_way", "arrive": "on_scene", "stand_down": "stood_down",
    "hand_over": "handed_over", "decline": "declined", "expire": "expired",
}  # fmt: skip
RANK = ["sent", "accepted", "on_the_way", "on_scene"]
LIMITS = Limits({"urgent": timedelta(seconds=60), "normal": timedelta(minutes=3)}, timedelta(minutes=30))


def act(action: DispatchAction, second: int = 0, *, reason: str | None = REASON, level: int = 1) -> Act:
    return Act(action, START + timedelta(seconds=second), "o", Way.VOICE, reason, level)


@given(st.lists(st.tuples(st.sampled_from(DispatchAction), st.booleans(), st.integers(1, 2)), max_size=20))
def test_no_sequence_reaches_an_illegal_state_and_acts_tell_the_state(
    tried: list[tuple[DispatchAction, bool, int]],
) -> None:
    dispatch, done = FIRST, []
    for second, (action, has_reason, level) in enumerate(tried, start=1):
        one = act(action, second, reason=REASON if has_reason else None, level=level)
        before = dispatch.state.value
        assert {allowed.value for allowed in find_allowed(dispatch)} == ALLOWED[before]
        target = LEADS.get(action.value, "sent")
        repeats = target == before if action is not DispatchAction.ESCALATE else dispatch.level >= level
        repeats = repeats or (target in RANK[1:] and before in RANK and RANK.index(before) > RANK.index(target))
        needs = action is DispatchAction.HAND_OVER or (action is DispatchAction.STAND_DOWN and before != "on_scene")
        if action is DispatchAction.SEND or (
            not repeats and (action.value not in ALLOWED[before] or (needs and not has_reason))
        ):
            with pytest.raises(DispatchRefusedError):
                take_act(dispatch, one)
            continue
        after = take_act(dispatch, one)
        assert (after is dispatch) == repeats
        if not repeats:
            assert after.state.value == target
            done.append(one)
        assert (after.ended_utc is None) == after.is_active
        assert (after.accepted_utc is None) or after.state.value not in ("sent", "expired")
        dispatch = after
    assert rebuild(FIRST, done) == dispatch


def test_a_refusal_names_what_is_possible() -> None:
    there = take_act(FIRST, act(DispatchAction.ARRIVE))
    with pytest.raises(
        DispatchRefusedError, match=r"is on_scene: decline is not possible\. Allowed now: stand_down, hand_over\."
    ):
        take_act(there, act(DispatchAction.DECLINE))


def test_declining_needs_no_word_and_leaves_no_count() -> None:
    declined = take_act(FIRST, act(DispatchAction.DECLINE, 5, reason=None))
    assert (declined.state, declined.reason, declined.level) == (DispatchState.DECLINED, None, 0)


@pytest.mark.parametrize(
    ("urgency", "waited_s", "level", "expected"),
    [
        ("urgent", -3600, 0, None),
        ("urgent", 59, 0, None),
        ("urgent", 60, 0, 1),
        ("urgent", 61, 1, None),
        ("urgent", 120, 1, 2),
        ("urgent", 500, 0, 2),
        ("normal", 179, 0, None),
        ("normal", 180, 0, 1),
        ("nobody knows this one", 60, 0, 1),
        ("urgent", 1799, 2, None),
        ("urgent", 1800, 2, "expire"),
    ],
)
def test_what_the_clock_does(urgency: str, waited_s: int, level: int, expected: int | str | None) -> None:
    dispatch = rebuild(FIRST, [act(DispatchAction.ESCALATE, level=level)] if level else [])
    due = find_due(dispatch, urgency, LIMITS, START + timedelta(seconds=waited_s))
    assert (None if due is None else due.action.value if due.action is DispatchAction.EXPIRE else due.level) == expected
    accepted = take_act(dispatch, act(DispatchAction.ACCEPT))
    assert find_due(accepted, urgency, LIMITS, START + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("came", "states", "expected"),
    [
        ((), ["sent"], ["dispatch"]),
        ((), ["sent", "on_scene"], ["dispatch", "arrive"]),
        ((), ["accepted"], ["dispatch", "accept"]),
        (("dispatch",), ["declined"], ["send_back"]),
        (("dispatch", "accept"), ["stood_down", "sent"], ["send_back"]),
        (("dispatch", "accept"), ["stood_down", "expired"], ["send_back", "send_back"]),
        (("dispatch", "arrive"), ["stood_down"], []),
        (("dispatch", "arrive", "handle"), ["sent"], []),
        (("cancel",), ["sent"], []),
    ],
)
def test_steps_of_the_incident_that_follow(came: tuple[str, ...], states: list[str], expected: list[str]) -> None:
    steps = [Step(Action(name), START, "o", REASON) for name in ("receive", "place", *came)]
    new = align(rebuild_case("a-1", steps), [DispatchState(state) for state in states], at_utc=START, by="o")
    assert [step.action.value for step in new] == expected
    rebuild_case("a-1", [*steps, *new])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/hook", "http://localhost/x", "https://10.1.2.3/a?b=c", "http://172.16.0.1:80/",
        "http://172.31.255.255/", "http://192.168.1.1", "http://[::1]:8080/", "http://[fd12:3456::1]/x",
    ],
)  # fmt: skip
def test_addresses_inside(url: str) -> None:
    assert check_webhook_url(f" {url} ") == url
    assert check_setting("webhook_url", url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/", "http://172.32.0.1/", "http://172.15.0.1/", "http://192.169.0.1/", "http://11.0.0.1/",
        "http://169.254.169.254/latest", "http://0.0.0.0/", "http://[::]/", "http://[2001:db8::1]/", "http://[fe80::1]/",
        "http://[::ffff:8.8.8.8]/", "http://[::ffff:10.0.0.1]/", "http://192.0.2.1/", "http://198.18.0.1/",
        "http://pager.office.lan/", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://127.1/",
        "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://10.0.0.1@8.8.8.8/",
        "http://user:pass@10.0.0.1/", "http://10.0.0.1/#x", "ftp://10.0.0.1/", "file:///etc/passwd", "10.0.0.1/x",
        "http://10.0.0.1:0/", "http://10.0.0.1:99999/", "http://10.0.0.1\\@8.8.8.8/", "http://10.0.0.1/a b",
        "http://10.0.0.1/\r\nHost: x", "http://１０.0.0.1/", "http:///x", "http://", "x" * 9,
        "http://10.0.0.1/" + "a" * 300,
    ],
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(WebhookAddressError, match="expected http"):
        check_webhook_url(url)
