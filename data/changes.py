"""
Which rows the last commits touched: so that a layer of 20,000 buildings need not be read again for one new name.

A statement says it itself where it names its rows by their key or brings them along; of any other statement, and of
long ones, only the table is known. Kept in memory, from the opening of the store on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MOST_KEYS = 200  # touched at once: whoever changes more draws the whole layer anew for less
_KEPT_COMMITS = 256  # of one table; at five a second a browser that was away for a minute still finds its place
_FROM_ELSEWHERE = re.compile(r"\b(SELECT|RETURNING|USING)\b|;|--|/\*", re.IGNORECASE)
_INSERT = re.compile(r"\s*INSERT\s+(OR\s+\w+\s+)?INTO\s+(?P<table>\w+)\b(?=.*\bVALUES\b)", re.IGNORECASE | re.DOTALL)
_UPDATE = re.compile(
    r"\s*UPDATE\s+(?P<table>\w+)\s+SET\s(?P<set>.*?)\bWHERE\s+(?P<key>\w+)\s*(=|IN\b)", re.IGNORECASE | re.DOTALL
)
_DELETE = re.compile(r"\s*DELETE\s+FROM\s+(?P<table>\w+)\s+WHERE\s+(?P<key>\w+)\s*(=|IN\b)", re.IGNORECASE | re.DOTALL)

Keys = frozenset[str]
Touched = Mapping[str, Keys | None]


def may_return_keys(sql: str, table: str, key: str) -> bool:
    """Whether `sql` changes only rows of `table` whose keys it can return afterwards, and not many of them."""
    if _FROM_ELSEWHERE.search(sql):
        return False
    said = _INSERT.match(sql) or _UPDATE.match(sql) or _DELETE.match(sql)
    if said is None or said["table"] != table:
        return False
    parts = said.groupdict()
    if "key" not in parts:
        return True
    # A row that gets another key would leave its old one behind.
    changed = parts.get("set") or ""
    return parts["key"] == key and not re.search(rf"\bFROM\b|\b{key}\s*=", changed, re.IGNORECASE)


class TouchedRows:
    """What one transaction touches: of each table some keys, or None for rows that nobody named."""

    def __init__(self) -> None:
        self._keys: dict[str, set[str] | None] = {}

    def add(self, table: str, keys: Iterable[str] | None) -> None:
        """Rows of `table`; None: any."""
        known = self._keys.setdefault(table, set())
        if known is None:
            return
        if keys is not None:
            known.update(keys)
        if keys is None or len(known) > MOST_KEYS:
            self._keys[table] = None

    def to_dict(self) -> dict[str, Keys | None]:
        """By table, in the order of their names."""
        return {t: None if keys is None else frozenset(keys) for t, keys in sorted(self._keys.items())}


class ChangeLog:
    """
    The last commits of each table. Written by one thread, read by any.

    Parameters
    ----------
    revision
        Highest of the file when it was opened: of what was before, nothing is known.
    """

    def __init__(self, revision: int) -> None:
        self._opened = revision
        self._commits: dict[str, tuple[int, tuple[tuple[int, Keys | None], ...]]] = {}

    def note(self, revision: int, touched: Touched) -> None:
        """A commit, which gave each touched table `revision`."""
        for table, keys in touched.items():
            begin, commits = self._commits.get(table, (self._opened, ()))
            commits = (*commits, (revision, keys))
            if len(commits) > _KEPT_COMMITS:
                begin, commits = commits[0][0], commits[1:]
            self._commits[table] = (begin, commits)

    def find(self, table: str, since: int) -> Keys | None:
        """Keys of the rows that were touched after revision `since`; None: any row may have been."""
        begin, commits = self._commits.get(table, (self._opened, ()))
        if since < begin:
            return None
        found: set[str] = set()
        for revision, keys in commits:
            if revision > since:
                if keys is None or len(found) + len(keys) > MOST_KEYS:
                    return None
                found |= keys
        return frozenset(found)
