"""
What a check-in server keeps: the office's points, and check-ins until the office has them. One small SQLite file.

A check-in is on the disk before its phone hears of it, and there is one of each id, however often it is sent.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

MOST_WAITING: Final = 200_000
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS checkins (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, received TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (id, body)
);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class CheckinQueue:
    """The file in `folder`; safe under threads, one write at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(folder / "checkins.sqlite", check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives the power going
        self._file.execute("PRAGMA secure_delete = ON")  # what the office has leaves nothing behind in the file
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._file.close()

    def take(self, items: Sequence[tuple[str, Mapping[str, Any]]], *, now: datetime) -> bool:
        """Keep check-ins by their id, all or none; False when the queue is full and the office has to come first."""
        rows = [(one, now.isoformat(timespec="milliseconds"), json.dumps(body, sort_keys=True)) for one, body in items]
        with self._lock:
            if self._count() + len(rows) > MOST_WAITING:
                return False
            self._file.execute("BEGIN IMMEDIATE")
            try:
                sql = "INSERT OR IGNORE INTO checkins (id, received, body) VALUES (?, ?, ?)"
                self._file.executemany(sql, rows)
                self._file.execute("COMMIT")
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
        return True

    def list_waiting(self) -> list[dict[str, Any]]:
        """All that the office has not said to have, in order of arrival, as its file holds them."""
        with self._lock:
            rows = self._file.execute("SELECT seq, received, body FROM checkins ORDER BY seq").fetchall()
        return [{"seq": seq, "received": received, **json.loads(body)} for seq, received, body in rows]

    def count_waiting(self) -> int:
        """How many wait for the office."""
        with self._lock:
            return self._count()

    def forget_until(self, seq: int) -> int:
        """The office has all up to `seq`: they go; returns how many."""
        with self._lock:
            return self._file.execute("DELETE FROM checkins WHERE seq <= ?", [seq]).rowcount

    def keep(self, name: str, value: Any) -> None:
        """Keep something by its name."""
        with self._lock:
            self._file.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", [name, json.dumps(value)])

    def find(self, name: str) -> Any:
        """What was kept, None when nothing was."""
        with self._lock:
            row = self._file.execute("SELECT value FROM kept WHERE name = ?", [name]).fetchone()
        return None if row is None else json.loads(row[0])

    def _count(self) -> int:
        return int(self._file.execute("SELECT count(*) FROM checkins").fetchone()[0])
