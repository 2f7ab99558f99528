"""Up to when incidents are known: the date of the data, unless incidents go on after it or stopped long before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from data.reading import choose_end

AS_OF = datetime(2026, 11, 15, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("days", "n_since", "n_before", "moves"),
    [
        (-0.5, 0, 400, False),  # the last incident of a morning's export
        (-6, 0, 400, False),  # a quiet week, or an export of last week: the date that was said stands
        (-1_200, 0, 400, True),  # a file of years ago that was imported today
        (-60, 0, 4, False),  # a hamlet with an incident each three weeks may well be silent for two months
        (+3, 14, 400, True),  # alarms go on coming in
        (+400, 1_900, 400, True),
        (+13, 1, 400, False),  # one that was typed to try it
        (+30, 1, 6, True),  # a hamlet again: one of two that are usual
    ],
)
def test_where_the_data_end(days: float, n_since: int, n_before: int, moves: bool) -> None:
    last = AS_OF + timedelta(days=days)
    assert choose_end(AS_OF, last, n_since=n_since, n_before=n_before) == (last + SECOND if moves else AS_OF)
