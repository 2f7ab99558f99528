"""
Prints: whether what is drawn of a table is still the same, and of which rows it is not, told without drawing it.

A revision says that a table was written to; most writes change what no layer shows (the day of a visit, a telephone
number). The prints of the columns that are shown tell the two apart for a thousandth of what drawing costs. They are
kept by row, so that after a write that names its rows only those are read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from data.store import Store

Print = tuple[int, int]
_KEPT_CHANGES = 256
_books: WeakKeyDictionary[Store, dict[tuple[str, str], _Rows]] = WeakKeyDictionary()
_writing = threading.Lock()


@dataclass(frozen=True)
class _Change:
    """Rows that show something else since `revision`; `is_row_new`: one came or went."""

    revision: int
    keys: frozenset[str]
    is_row_new: bool


@dataclass(frozen=True)
class _Rows:
    """Of one table at `revision`: hashes of keys, ascending, with the print of each row; what changed after `begin`."""

    revision: int
    keys: npt.NDArray[np.uint64]
    prints: npt.NDArray[np.uint64]
    begin: int
    changes: tuple[_Change, ...] = ()

    @property
    def whole(self) -> Print:
        return len(self.prints), int(np.bitwise_xor.reduce(self.prints)) if len(self.prints) else 0


def read_print(store: Store, table: str, columns: str) -> Print:
    """
    Number of rows and a hash of `columns` over all of them, whatever their order, as they are now.

    `columns` are SQL expressions that include the key: two equal rows would cancel each other. Never name a column
    about a person: nothing that is drawn shows one.
    """
    rows = store.read(f"SELECT count(*) AS n, coalesce(bit_xor(hash({columns})), 0) AS print FROM {table}")
    return int(rows["n"].iloc[0]), int(rows["print"].iloc[0])


def find_print(store: Store, table: str, columns: str) -> Print:
    """As `read_print`, kept until the table is written to."""
    return _find_rows(store, table, columns).whole


def find_changed(
    store: Store, table: str, columns: str, since: int, *, is_row_new_all: bool = False
) -> frozenset[str] | None:
    """
    Keys of the rows of which `columns` are others than at revision `since`; None where that is not known.

    `is_row_new_all`: nothing is known, too, where a row came or went.
    """
    if store.revision(table) <= since:
        return frozenset()
    rows = _find_rows(store, table, columns)
    later = [change for change in rows.changes if change.revision > since]
    if since < rows.begin or (is_row_new_all and any(change.is_row_new for change in later)):
        return None
    return frozenset().union(*(change.keys for change in later))


def _find_rows(store: Store, table: str, columns: str) -> _Rows:
    book = _books.setdefault(store, {})
    rows = book.get((table, columns))
    if rows is None or rows.revision != store.revision(table):
        with _writing:
            while (rows := book.get((table, columns))) is None or rows.revision < store.revision(table):
                if rows is None:
                    book[table, columns] = _read_all(store, table, columns)
                else:
                    _renew(store, table, rows.revision, book)
    return rows


def _read_all(store: Store, table: str, columns: str) -> _Rows:
    found, revisions = store.read_settled(f"SELECT hash({store.keys[table]}) AS k, hash({columns}) AS p FROM {table}")
    order = np.argsort(found["k"])
    revision = revisions.get(table, 0)
    return _Rows(revision, found["k"][order], found["p"][order], revision)


def _renew(store: Store, table: str, known_at: int, book: dict[tuple[str, str], _Rows]) -> None:
    """Bring all prints of `table` that are of revision `known_at` to a newer one; named rows by one question."""
    key, until = store.keys[table], store.revision(table)
    old = {columns: rows for (of, columns), rows in book.items() if of == table and rows.revision == known_at}
    touched = store.find_changed(table, known_at)
    if touched is None:
        for columns, rows in old.items():
            now = _read_all(store, table, columns)
            # Where nothing shown changed, whoever saw it before still sees the same.
            is_same = np.array_equal(rows.keys, now.keys) and np.array_equal(rows.prints, now.prints)
            book[table, columns] = replace(rows, revision=now.revision) if is_same else now
        return
    if not touched:
        book.update({(table, columns): replace(rows, revision=until) for columns, rows in old.items()})
        return
    names = sorted(touched)
    marks = ", ".join("?" * len(names))
    prints = ", ".join(f"hash({columns}) AS p{n}" for n, columns in enumerate(old))
    found, revisions = store.read_settled(
        f"SELECT {key} AS name, hash({key}) AS k, {prints} FROM {table} WHERE {key} IN ({marks})", names
    )
    if store.find_changed(table, known_at) != touched:
        return  # somebody wrote meanwhile: once more, with what they touched
    there = set(found["name"])
    gone = [name for name in names if name not in there]
    gone_keys = _hash_keys(store, gone)
    for n, (columns, rows) in enumerate(old.items()):
        read = zip(found["name"], found["k"], found[f"p{n}"], strict=True)
        book[table, columns] = _change(rows, revisions[table], read, zip(gone, gone_keys, strict=True))


def _hash_keys(store: Store, names: list[str]) -> npt.NDArray[np.uint64]:
    if not names:
        return np.empty(0, dtype=np.uint64)
    found, _ = store.read_settled("SELECT hash(unnest(?::VARCHAR[])) AS k", [names])
    hashes: npt.NDArray[np.uint64] = np.asarray(found["k"], dtype=np.uint64)
    return hashes


def _change(
    known: _Rows, revision: int, read: Iterable[tuple[str, Any, Any]], gone: Iterable[tuple[str, Any]]
) -> _Rows:
    """`known` with the rows that were read anew (name, key, print), and without those that are gone (name, key)."""
    keys, prints = known.keys, known.prints.copy()
    changed: set[str] = set()
    is_row_new = False
    for name, key, value in read:
        place = int(np.searchsorted(keys, key))
        if place < len(keys) and keys[place] == key:
            if prints[place] == value:
                continue
            prints[place] = value
        else:
            keys, prints, is_row_new = np.insert(keys, place, key), np.insert(prints, place, value), True
        changed.add(str(name))
    for name, key in gone:
        place = int(np.searchsorted(keys, key))
        if place < len(keys) and keys[place] == key:
            keys, prints, is_row_new = np.delete(keys, place), np.delete(prints, place), True
            changed.add(name)
    begin, changes = known.begin, known.changes
    if changed:
        changes = (*changes, _Change(revision, frozenset(changed), is_row_new))
    if len(changes) > _KEPT_CHANGES:
        begin, changes = changes[0].revision, changes[1:]
    return _Rows(revision, keys, prints, begin, changes)
