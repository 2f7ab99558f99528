"""Kinds of incident whose place a role below the officer does not learn, as a list that a query takes."""

from __future__ import annotations

from functools import lru_cache

from data.queries_incidents import CATEGORY_TREE
from data.store import Store

_SENSITIVE = CATEGORY_TREE + "SELECT category FROM kinds WHERE sensitive ORDER BY category"


def list_hidden(store: Store, *, sees_all: bool) -> list[str]:
    """Kinds of whose incidents a viewer learns nothing but grid, time and urgency; none for who sees them all."""
    if sees_all:
        return []
    return list(_list_sensitive(store, store.revision("incident_categories", "settings")))


@lru_cache(maxsize=4)
def _list_sensitive(store: Store, _revision: int) -> tuple[str, ...]:
    """Kept until kinds or settings are written: going up the tree takes longer than a small query itself."""
    return tuple(str(row[0]) for row in store.rows(_SENSITIVE))
