"""Points and gifts: what a volunteer holds and why, what is offered and reserved, and thanks by team or grid."""

from __future__ import annotations

from datetime import date

import pandas as pd

from data.reading import read_rows
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_BALANCES = """
SELECT v.volunteer_id, v.number, v.call_name, v.state, v.team_id, m.name AS team_name, v.grid_id,
    coalesce(sum(p.amount), 0)::BIGINT AS points,
    coalesce(sum(p.amount) FILTER (e.kind = 'earn' AND e.counted_on >= $month), 0)::BIGINT AS earned_in_month
FROM volunteers v LEFT JOIN volunteer_teams m USING (team_id)
    LEFT JOIN ledger_postings p ON p.book_account = 'volunteer:' || v.volunteer_id AND p.unit = 'points'
    LEFT JOIN ledger_entries e ON e.entry_id = p.entry_id
WHERE ($volunteer IS NULL OR v.volunteer_id = $volunteer)
GROUP BY ALL ORDER BY v.number
"""
_LINES = """
SELECT e.entry_id, e.entry_no, e.kind, e.at_utc, e.counted_on, e.ref_id, e.reason, p.amount, p.balance,
    coalesce(g.name, k.name) AS what
FROM ledger_postings p JOIN ledger_entries e USING (entry_id)
    LEFT JOIN redemptions r ON r.redemption_id = e.ref_id LEFT JOIN gifts g ON g.gift_id = r.gift_id
    LEFT JOIN checkins c ON c.checkin_id = e.ref_id LEFT JOIN checkin_points k ON k.point_id = c.point_id
WHERE p.book_account = 'volunteer:' || $volunteer AND p.unit = 'points'
ORDER BY e.entry_no DESC LIMIT $rows
"""
_GIFTS = """
SELECT g.gift_id, g.name, g.points, g.state,
    coalesce(sum(p.amount) FILTER (p.book_account = 'gift:' || g.gift_id || ':stock'), 0)::BIGINT AS stock,
    coalesce(sum(p.amount) FILTER (p.book_account = 'gift:' || g.gift_id || ':reserved'), 0)::BIGINT AS reserved,
    coalesce(sum(p.amount) FILTER (p.book_account = 'gift:' || g.gift_id || ':handed_out'), 0)::BIGINT AS handed_out
FROM gifts g LEFT JOIN ledger_postings p ON p.unit = 'gift:' || g.gift_id
WHERE $with_withdrawn OR g.state = 'offered'
GROUP BY ALL ORDER BY g.state, g.points, g.gift_id
"""
_REDEMPTIONS = """
SELECT r.redemption_id, r.volunteer_id, v.number, r.gift_id, g.name AS gift, r.points, r.state, r.reserved_utc,
    r.lapses_utc, r.ended_utc
FROM redemptions r JOIN gifts g USING (gift_id) LEFT JOIN volunteers v USING (volunteer_id)
WHERE ($volunteer IS NULL OR r.volunteer_id = $volunteer) AND (NOT $only_open OR r.state = 'reserved')
ORDER BY r.reserved_utc DESC, r.redemption_id LIMIT $rows
"""
_BOOK = """
SELECT e.entry_no, e.entry_id, e.kind, e.at_utc, e.counted_on, e.volunteer_id, e.ref_id, e.reason, e.booked_by,
    p.line_no, p.book_account, p.unit, p.amount, p.balance
FROM ledger_entries e JOIN ledger_postings p USING (entry_id)
WHERE ($since IS NULL OR e.counted_on >= $since) AND ($until IS NULL OR e.counted_on <= $until)
ORDER BY e.entry_no, p.line_no
"""


@governed
def find_balances(store: Store, viewer: Viewer, *, month: date, volunteer_id: str | None = None) -> pd.DataFrame:
    """
    What volunteers hold, by number: never an order of who has most. `month` is its first day.

    Names come masked; `earned_in_month` is what counts against the cap.
    """
    parameters = {"month": month, "volunteer": volunteer_id}
    return read_rows(store, viewer, ("volunteers",), _BALANCES, parameters)


@governed
def find_ledger_lines(store: Store, viewer: Viewer, volunteer_id: str, *, limit: int = 40) -> pd.DataFrame:
    """Lines of one volunteer's account, the newest first, with the place or gift that they are about."""
    return read_rows(store, viewer, ("ledger_entries",), _LINES, {"volunteer": volunteer_id, "rows": limit})


@governed
def find_gifts(store: Store, viewer: Viewer, *, with_withdrawn: bool = False) -> pd.DataFrame:
    """Gifts with pieces in stock, reserved and handed out, the cheapest first."""
    return read_rows(store, viewer, ("gifts",), _GIFTS, {"with_withdrawn": with_withdrawn})


@governed
def find_redemptions(
    store: Store, viewer: Viewer, *, volunteer_id: str | None = None, only_open: bool = True, limit: int = 100
) -> pd.DataFrame:
    """Reserved gifts, the newest first. Their codes are not among the columns: whoever fetches the gift brings it."""
    parameters = {"volunteer": volunteer_id, "only_open": only_open, "rows": limit}
    return read_rows(store, viewer, ("redemptions",), _REDEMPTIONS, parameters)


@governed
def find_book(store: Store, viewer: Viewer, *, since: date | None = None, until: date | None = None) -> pd.DataFrame:
    """Every line of the book that counts for these days, in the order of booking: for the audit."""
    return read_rows(store, viewer, ("ledger_entries",), _BOOK, {"since": since, "until": until})
