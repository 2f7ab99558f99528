"""Order and loudness of open incidents, against the issue's sentences and orders written down by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.life_cycle import CHAIN, ENDED
from incidents.open_alarms import TARGET_MINUTES, URGENCIES, Loudness, find_loudness, rank_open

AT = datetime(2026, 11, 23, 6, tzinfo=UTC)
OPEN = [state.value for state in CHAIN if state not in ENDED]


def build(*rows: tuple[str, str, str, float], targets: Sequence[float | None] | None = None) -> list[dict[str, Any]]:
    """Rows of (id, urgency, status, minutes since the report)."""
    names = ("incident_id", "urgency", "status", "reported_utc", "target_minutes")
    return [
        dict(zip(names, (one, urgency, status, AT - timedelta(minutes=minutes), target), strict=True))
        for (one, urgency, status, minutes), target in zip(rows, targets or [None] * len(rows), strict=True)
    ]


def rank_all(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rank_open(rows))


def rank(*rows: tuple[str, str, str, float], targets: list[float | None] | None = None) -> list[str]:
    return list(rank_all(build(*rows, targets=targets))["incident_id"])


def test_urgent_comes_first_and_then_what_has_least_time_left() -> None:
    assert rank(
        ("old and normal", "normal", "placed", 50.0),
        ("young and urgent", "urgent", "received", 0.0),
        ("not ours", "not_police", "placed", 90.0),
        ("older and urgent", "urgent", "dispatched", 3.0),
    ) == ["older and urgent", "young and urgent", "old and normal", "not ours"]


def test_a_kinds_own_target_counts() -> None:
    ranked = rank_all(
        build(("a", "normal", "placed", 10.0), ("b", "normal", "placed", 0.0), targets=[None, 4.0]),
    )
    # a: reported ten minutes ago, fifteen by default, five left; b: reported now, four left.
    assert list(ranked["incident_id"]) == ["b", "a"]
    left = [(due - AT).total_seconds() / 60 for due in ranked["due_utc"]]
    assert left == [4.0, 5.0]


def test_who_is_on_scene_has_no_time_left_to_run_out() -> None:
    ranked = rank_all(build(("there", "urgent", "on_scene", 60.0), ("waiting", "urgent", "accepted", 1.0)))
    assert list(ranked["incident_id"]) == ["waiting", "there"]
    assert list(ranked["due_utc"].isna()) == [False, True]


def test_what_is_handled_waits_behind_everything() -> None:
    order = rank(("paper", "urgent", "handled", 5.0), ("call", "not_police", "received", 0.0))
    assert order == ["call", "paper"]


@pytest.mark.parametrize(
    ("status", "loudness"),
    [
        ("received", Loudness.LOUD),
        ("placed", Loudness.LOUD),
        ("dispatched", Loudness.LOUD),  # sent, but nobody has said yes
        ("accepted", Loudness.CALM),
        ("on_scene", Loudness.CALM),
        ("handled", Loudness.DONE),
        ("new", Loudness.LOUD),  # words of earlier imports
        ("arrived", Loudness.CALM),
    ],
)
def test_it_calms_down_once_somebody_accepted(status: str, loudness: Loudness) -> None:
    assert find_loudness(status) is loudness


def test_nothing_open_is_an_empty_list() -> None:
    assert rank_open(build()) == []


@settings(deadline=None)  # other tests run beside it
@given(
    st.lists(
        st.tuples(st.sampled_from(URGENCIES), st.sampled_from(OPEN), st.integers(0, 10_000)), min_size=1, max_size=30
    )
)
def test_the_order_is_the_same_however_the_rows_came(rows: list[tuple[str, str, int]]) -> None:
    opened = build(*[(f"i{n:02d}", urgency, status, minutes) for n, (urgency, status, minutes) in enumerate(rows)])
    ranked = rank_all(opened)
    assert list(rank_all(reversed(opened))["incident_id"]) == list(ranked["incident_id"])
    assert sorted(ranked["incident_id"]) == sorted(row["incident_id"] for row in opened)
    waiting = ranked[ranked["due_utc"].notna()]
    for urgency in URGENCIES:
        due = list(waiting.loc[waiting["urgency"] == urgency, "due_utc"])
        assert due == sorted(due)
    for row in waiting.to_dict("records"):
        assert row["due_utc"] - row["reported_utc"] == timedelta(minutes=TARGET_MINUTES[str(row["urgency"])])
