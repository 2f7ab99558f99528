"""The content of a store as one hash: equal for equal rows, whenever and in whatever order they were written."""

from __future__ import annotations

import hashlib

from data.store import Store

# They tell how the file came about, not what is in it.
_HISTORY = frozenset({"revisions", "schema_migrations"})


def content_digest(store: Store) -> str:
    """SHA-256, in hexadecimal, of every row of every table; geometry to the last bit, numbers as Python writes them."""
    digest = hashlib.sha256()
    for table, frame in sorted(store.export_tables().items()):
        if table not in _HISTORY:
            digest.update(f"{table}\n".encode())
            digest.update(frame.to_csv(index=False, na_rep="\\N", lineterminator="\n").encode())
    return digest.hexdigest()
