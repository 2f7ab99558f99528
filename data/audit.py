"""
The log of looks and changes (操作日志): append-only, each row chained to the one before by a keyed hash.

    row_hash = HMAC-SHA256(key, previous_hash || the row as canonical JSON)

The key lies in NAME.audit.key beside the store. The last row's number and hash lie in NAME.audit.head, written after
each commit: so that cutting off the end is found as well as changing, removing or moving a row. A log that was cut goes
on after the number in the head, and one whose head was taken away says so in its next row: later rows hide nothing.
Whoever can write the file *and* read the key can write a new log: what stands against that is exporting it regularly
to another place.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from data.moments import to_stored_time
from data.secret_files import find_secret, make_secret
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import AuditBrokenError

T = TypeVar("T")
ACTIONS = frozenset(
    {"sign_in", "sign_in_refused", "sign_out", "session_ended", "look", "open_field", "change", "export", "import"}
    | {"undo", "rights", "account", "key", "refusal", "backup", "restore", "erase", "retention", "approve"}
)
COMMAND_LINE, SERVER = "command line", "server"
NO_HASH = "0" * 64
HEAD_GONE = "head_gone"
_COLUMNS = ("seq", "at_utc", "actor", "account_id", "role", "address", "action", "subject_kind", "subject_id", "reason")
_ROWS = "SELECT * FROM audit_log ORDER BY seq"
_HEAD_LOCK = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """
    One thing that somebody did or was refused.

    `subject_id` and `detail` hold ids, figures and codes, never a person's field; `reason` is masked before it comes
    here (data/intake.py). `actor` is the account's name, a key's, or `COMMAND_LINE`, `SERVER`, or `unknown`.
    """

    action: str
    actor: str
    account_id: str | None = None
    role: str | None = None
    address: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    reason: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"Action '{self.action}' is not logged: expected one of {', '.join(sorted(ACTIONS))}.")


def build_entry(viewer: Viewer | None, action: str, **values: Any) -> Entry:
    """An entry of what `viewer` did; None is the command line."""
    if viewer is None:
        return Entry(action, COMMAND_LINE, **values)
    return Entry(action, viewer.name or viewer.role.value, viewer.account_id, viewer.role.value, **values)


def record(store: Store, *entries: Entry, clock: Clock) -> None:
    """
    Write entries down; they are there when this returns.

    Raises
    ------
    AuditBrokenError
        The key is gone while there are rows: nothing is done that cannot be logged.
    """
    write_audited(store, lambda _: None, lambda _: entries, clock=clock)


def write_audited(
    store: Store, work: Callable[[Transaction], T], describe: Callable[[T], Sequence[Entry]], *, clock: Clock
) -> T:
    """Do `work` and write down what `describe` says of its result, in one transaction: both or neither."""
    key = _get_key(store)
    now = to_stored_time(clock())

    def both(transaction: Transaction) -> T:
        result = work(transaction)
        _append(transaction, key, describe(result), now, _read_head(store, key))
        return result

    result = store.write(both)
    _write_head(store, key)
    return result


def check_writable(store: Store) -> None:
    """Raise `AuditBrokenError` when nothing could be written down: before work that has transactions of its own."""
    _get_key(store)


def _append(
    transaction: Transaction, key: bytes, entries: Sequence[Entry], now: datetime, head: tuple[int, str] | None
) -> None:
    last = transaction.fetch("SELECT seq, row_hash FROM audit_log ORDER BY seq DESC LIMIT 1")
    seq, previous = (0, NO_HASH) if last.empty else (int(last["seq"].iloc[0]), str(last["row_hash"].iloc[0]))
    # Row 1 alone may have been committed just before the process was killed, its head never written.
    marks = {HEAD_GONE: True} if head is None and seq > 1 else {}
    if head is not None and head[0] > seq:
        seq, previous = head
    for entry in entries:
        seq += 1
        values = {**asdict(entry), "seq": seq, "at_utc": now}
        row = {name: values[name] for name in _COLUMNS} | {"detail": _to_canonical({**entry.detail, **marks})}
        row_hash = _chain(key, previous, row)
        columns = [*row, "previous_hash", "row_hash"]
        transaction.execute(
            "audit_log",
            f"INSERT INTO audit_log ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            [*row.values(), previous, row_hash],
        )
        previous = row_hash


def _chain(key: bytes, previous: str, row: Mapping[str, object]) -> str:
    """Hash of a row, whose `at_utc` is without zone; missing values are None."""
    at = row["at_utc"]
    plain = {**row, "at_utc": at.isoformat(timespec="microseconds") if isinstance(at, datetime) else str(at)}
    return hmac.new(key, (previous + _to_canonical(plain)).encode(), hashlib.sha256).hexdigest()


def _to_canonical(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# The head: number and hash of the last row, outside the file


def get_key_path(store_path: Path) -> Path:
    """Where the key of a store's log lies."""
    return store_path.with_name(f"{store_path.stem}.audit.key")


def get_head_path(store_path: Path) -> Path:
    """Where the head of a store's log lies."""
    return store_path.with_name(f"{store_path.stem}.audit.head")


def _get_key(store: Store) -> bytes:
    path = get_key_path(store.path)
    key = find_secret(path)
    if key is not None:
        return key
    if not store.read("SELECT 1 FROM audit_log LIMIT 1").empty or get_head_path(store.path).exists():
        raise AuditBrokenError(
            f"The log of store '{store.path.stem}' cannot be written: its key {path} is gone. "
            "Bring it back from a backup; nothing is done that cannot be logged."
        )
    return make_secret(path)


def _write_head(store: Store, key: bytes) -> None:
    """Put the last row's number and hash beside the store; writers come one after another, each with what is last."""
    with _HEAD_LOCK:
        last = store.read("SELECT seq, row_hash FROM audit_log ORDER BY seq DESC LIMIT 1")
        if last.empty:
            return
        head: dict[str, object] = {"seq": int(last["seq"].iloc[0]), "row_hash": str(last["row_hash"].iloc[0])}
        text = json.dumps({**head, "mac": _sign_head(key, head)})
        path = get_head_path(store.path)
        work = path.with_name(path.name + ".new")
        with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        work.replace(path)


def _read_head(store: Store, key: bytes) -> tuple[int, str] | None:
    """Number and hash in the head; None when it is gone, not whole, or not as it was written."""
    try:
        head = dict(json.loads(get_head_path(store.path).read_text(encoding="ascii")))
        mac = str(head.pop("mac"))
        if not hmac.compare_digest(mac.encode(), _sign_head(key, head).encode()):
            return None
        return int(head["seq"]), str(head["row_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sign_head(key: bytes, head: Mapping[str, object]) -> str:
    return hmac.new(key, ("head" + _to_canonical(head)).encode(), hashlib.sha256).hexdigest()


# Verifying


@dataclass(frozen=True)
class AuditReport:
    """
    What verifying the log found.

    `first_bad_seq` is None and `problem` empty when it is whole; `went_back` counts rows whose time is before that of
    the row above them: the clock was set back, which is no damage to the log but worth knowing.
    """

    rows: int
    first_bad_seq: int | None
    problem: str
    went_back: int

    @property
    def is_whole(self) -> bool:
        return not self.problem

    def to_dict(self) -> dict[str, object]:
        """As JSON knows it."""
        return {"is_whole": self.is_whole, **asdict(self)}


def verify(store: Store) -> AuditReport:
    """Walk through the whole log; names the first row that is not as it was written, and why."""
    rows = store.read(_ROWS)
    times = rows["at_utc"].tolist()
    went_back = sum(later < earlier for earlier, later in pairwise(times))
    key = find_secret(get_key_path(store.path))
    if key is None:
        problem = f"the key {get_key_path(store.path).name} is gone" if len(rows) or _has_head(store) else ""
        return AuditReport(len(rows), 1 if problem else None, problem, went_back)
    seq, problem = _find_bad_row(rows, key) or _find_cut(store, rows, key) or (None, "")
    return AuditReport(len(rows), seq, problem, went_back)


def _has_head(store: Store) -> bool:
    return get_head_path(store.path).exists()


def _find_bad_row(rows: pd.DataFrame, key: bytes) -> tuple[int, str] | None:
    previous = NO_HASH
    for expected, row in enumerate(rows.to_dict("records"), start=1):
        seq = int(row["seq"])
        if seq != expected:
            return expected, f"row {expected} is missing: row {seq} follows row {expected - 1}"
        plain: dict[str, object] = {name: None if pd.isna(row[name]) else row[name] for name in (*_COLUMNS, "detail")}
        plain |= {"seq": seq, "at_utc": row["at_utc"].to_pydatetime()}
        if not hmac.compare_digest(str(row["previous_hash"]), previous):
            return seq, f"row {seq} does not follow the row before it"
        if not hmac.compare_digest(str(row["row_hash"]), _chain(key, previous, plain)):
            return seq, f"row {seq} is not as it was written"
        previous = str(row["row_hash"])
    return None


def _find_cut(store: Store, rows: pd.DataFrame, key: bytes) -> tuple[int, str] | None:
    """Whether rows are missing at the end, by the head beside the store."""
    marked = rows[[json.loads(detail).get(HEAD_GONE, False) for detail in rows["detail"]]]
    if not marked.empty:
        seq = int(marked["seq"].iloc[0])
        return seq, f"when row {seq} was written the head was gone: rows before it may be missing"
    head = _read_head(store, key)
    if head is None:
        is_new = rows.empty and not _has_head(store)
        name = get_head_path(store.path).name
        return None if is_new else (len(rows), f"the head {name} is gone or not as it was written")
    seq, row_hash = head
    if seq > len(rows):
        return len(rows) + 1, f"rows {len(rows) + 1} to {seq} are missing at the end"
    if seq < 1 or str(rows["row_hash"].iloc[seq - 1]) != row_hash:
        return seq, f"row {seq} is not the one that the head names"
    return None
