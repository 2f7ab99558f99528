"""Who lives in a home, who has an account, what the log says, what waits for a second person."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from data.moments import to_stored_time
from data.reading import read_rows
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

_OCCUPANTS = """
SELECT o.occupant_id, o.unit_id, b.grid_id, o.kind, o.floating, o.name, o.phone, o.identity_last4, o.moved_in_on,
    o.moved_out_on, o.verified_utc
FROM occupants o LEFT JOIN units u USING (unit_id) LEFT JOIN buildings b USING (building_id)
WHERE o.unit_id = $unit_id AND ($grids IS NULL OR list_contains($grids, b.grid_id))
ORDER BY o.moved_out_on IS NOT NULL, o.occupant_id
"""
_ACCOUNTS = """
SELECT a.account_id, a.name, a.display_name, a.role, a.must_change, a.created_utc, a.last_sign_in_utc,
    a.locked_until_utc, a.disabled_utc,
    (SELECT string_agg(g.grid_id, ' ' ORDER BY g.grid_id) FROM account_grids g WHERE g.account_id = a.account_id)
        AS grids,
    (SELECT count(*) FROM sessions s WHERE s.account_id = a.account_id AND s.ended_utc IS NULL) AS sessions
FROM accounts a ORDER BY a.name
"""
_AUDIT = """
SELECT seq, at_utc, actor, account_id, role, address, action, subject_kind, subject_id, reason, detail,
    count(*) OVER () AS total
FROM audit_log
WHERE ($since IS NULL OR at_utc >= $since) AND ($until IS NULL OR at_utc < $until)
    AND ($action IS NULL OR action = $action) AND ($account_id IS NULL OR account_id = $account_id)
    AND ($actor IS NULL OR actor = $actor)
    AND ($kind IS NULL OR subject_kind = $kind) AND ($id IS NULL OR subject_id = $id)
ORDER BY seq DESC LIMIT $limit OFFSET $offset
"""
_APPROVALS = """
SELECT p.approval_id, p.action, p.subject, p.reason, p.asked_by, a.name AS asked_by_account, p.asked_utc, p.decided_by,
    d.name AS decided_by_account, p.decided_utc, p.approved, p.ends_utc, p.used_utc
FROM approvals p LEFT JOIN accounts a ON a.account_id = p.asked_by
    LEFT JOIN accounts d ON d.account_id = p.decided_by
ORDER BY p.asked_utc DESC, p.approval_id
"""


@governed
def find_occupants(store: Store, viewer: Viewer, unit_id: str) -> pd.DataFrame:
    """People of fourteen and older who are registered in a home, those who moved out last; masked until opened."""
    grids = find_grid_limit(viewer, "query", "find_occupants")
    return read_rows(store, viewer, ("occupants",), _OCCUPANTS, {"unit_id": unit_id, "grids": grids})


@governed
def find_accounts(store: Store, viewer: Viewer) -> pd.DataFrame:
    """Accounts by name with `grids` (joined by spaces) and how many `sessions` last; nothing of their passwords."""
    return read_rows(store, viewer, ("accounts",), _ACCOUNTS)


@governed
def find_audit(
    store: Store,
    viewer: Viewer,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    action: str | None = None,
    account_id: str | None = None,
    actor: str | None = None,
    subject: tuple[str | None, str | None] | None = None,
    limit: int = 1000,
    offset: int = 0,
) -> pd.DataFrame:
    """
    The log of looks and changes, the newest first, at most `limit` rows after the first `offset`; each says in `total`
    how many rows fit.

    `subject` is `(kind, id)`, None for any: with `("unit", id)` it answers "who looked at this home". `actor` finds
    what the command line, the server and unknown names did, who have no account.
    """
    parameters = {
        "since": None if since is None else to_stored_time(since),
        "until": None if until is None else to_stored_time(until),
        "action": action,
        "account_id": account_id,
        "actor": actor,
        "kind": subject and subject[0],
        "id": subject and subject[1],
        "limit": limit,
        "offset": offset,
    }
    return read_rows(store, viewer, ("audit_log",), _AUDIT, parameters)


@governed
def find_approvals(store: Store, viewer: Viewer) -> pd.DataFrame:
    """What was asked that needs a second person, the newest first; `approved` is missing while it waits."""
    return read_rows(store, viewer, ("approvals",), _APPROVALS)
