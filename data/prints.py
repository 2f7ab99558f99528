"""
Prints: whether what is drawn of a table is still the same, told without drawing it.

A revision says that a table was written to; most writes change what no layer shows (the day of a visit, a telephone
number). The print of the columns that are shown tells the two apart for a thousandth of what drawing costs.
"""

from __future__ import annotations

from functools import lru_cache

from data.store import Store

Print = tuple[int, int]


def read_print(store: Store, table: str, columns: str) -> Print:
    """
    Number of rows and a hash of `columns` over all of them, whatever their order, as they are now.

    `columns` are SQL expressions that include the key: two equal rows would cancel each other. Never name a column
    about a person: nothing that is drawn shows one.
    """
    rows = store.read(f"SELECT count(*) AS n, coalesce(bit_xor(hash({columns})), 0) AS print FROM {table}")
    return int(rows["n"].iloc[0]), int(rows["print"].iloc[0])


def find_print(store: Store, table: str, columns: str) -> Print:
    """As `read_print`, kept until the table is written to: of its present revision, or of one that is being written."""
    return _find_print(store, table, columns, store.revision(table))


@lru_cache(maxsize=256)
def _find_print(store: Store, table: str, columns: str, _revision: int) -> Print:
    return read_print(store, table, columns)
