"""What a check-in holds of a person besides its facts: the signed record with the phone's position, and a photo."""

from __future__ import annotations

from collections.abc import Sequence

from data.store import Transaction

_THEIRS = "list_contains(?::VARCHAR[], volunteer_id)"


def empty_records(transaction: Transaction, volunteer_ids: Sequence[str]) -> tuple[str, ...]:
    """
    Empty records and photos of volunteers' check-ins, inside a transaction; returns the ids of the photos.

    Their files are to be removed after the commit (`data.task_photos.remove_photos`): before it they might be missed.
    """
    sql = f"SELECT photo_id FROM checkins WHERE photo_id IS NOT NULL AND {_THEIRS} ORDER BY photo_id"
    photos = tuple(str(one) for (one,) in transaction.rows(sql, [list(volunteer_ids)]))
    emptied = f"UPDATE checkins SET record = NULL, photo_id = NULL WHERE {_THEIRS}"
    transaction.execute("checkins", emptied, [list(volunteer_ids)])
    return photos
