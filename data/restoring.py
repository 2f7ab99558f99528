"""
A backup becomes a store again: unpacked, checked and brought to today's schema aside, then put in place.

What was there is set aside under a name of its own, never overwritten. While the few names change a mark lies beside
the store: cut off there, the store says so, and repeating the restore finishes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.audit import COMMAND_LINE, Entry, record
from data.backup import Backup, describe_file, list_secrets, make_scratch, unpack_database
from data.connecting import DatabaseError, digest_tables, first_line
from data.database import RESTORING, fold_log
from data.durable import put_in_place, sync, sync_folder
from data.keys import StoreKey
from data.locking import OwnerLock
from data.store import Store
from gis.errors import BadFileError, RefusedError, ShapanError, StoreWriteError


@dataclass(frozen=True)
class Restored:
    """What a restore did: the schema versions of the backup and of the store, and where the former store lies."""

    path: Path
    from_version: int
    to_version: int
    set_aside: tuple[Path, ...]


def restore_backup(backup: Backup, path: Path, *, key: StoreKey | None, clock: Callable[[], datetime]) -> Restored:
    """
    Make `path` the store that `backup` holds; one that is there is set aside.

    Sessions of that day are not brought back. Accounts, keys and erasures are as they were then.

    Raises
    ------
    BadFileError, StoreVersionError, StoreMigrationError
        The backup is damaged, newer than this program, or cannot be brought to today's schema. All is as it was.
    StoreInUseError
        A server or a command has the store.
    RefusedError
        The sample would take a real place's place, or the other way round.
    StoreWriteError
        There is no room. All is as it was, or the store says that the restore has to be repeated.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    now = clock().astimezone(UTC)
    lock = OwnerLock(path, now=now)
    try:
        _check_kind(backup, path, key)
        with make_scratch(path, "restore") as scratch:
            work = scratch / path.name
            to_version = _prepare(backup, work, key, clock)
            if path.with_name(path.name + ".folded").exists():
                fold_log(path, None)  # only its last step is due, which needs no key
            _mark(backup, path)
            try:
                set_aside = _set_aside(path, f"{path.stem}.before-restore-{now:%Y%m%dT%H%M%SZ}")
            except BaseException:
                _unmark(path)
                raise
            _put_in_place(work, path)
            _unmark(path)
    except (OSError, DatabaseError) as error:
        if isinstance(error, ShapanError):
            raise
        raise StoreWriteError(
            f"Store '{path.stem}' was not restored: {first_line(error)}. Make sure that {path.parent} can be written "
            "and has room for a second copy, then repeat it."
        ) from error
    finally:
        lock.release()
    return Restored(path, backup.schema_version, to_version, set_aside)


def describe_replaced(path: Path, key: StoreKey | None) -> dict[str, Any] | None:
    """What a restore would set aside: the store at `path`, as far as it can be read; None when there is none."""
    if not path.exists():
        return None
    found: dict[str, Any] = {"file": str(path), "bytes": path.stat().st_size}
    changed = max(p.stat().st_mtime for p in (path, path.with_name(path.name + ".wal")) if p.exists())
    found["changed_utc"] = datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds")
    try:
        found |= describe_file(path, key)
    except (ShapanError, DatabaseError) as error:
        found["cannot_be_read"] = first_line(error)
    return found


def _check_kind(backup: Backup, path: Path, key: StoreKey | None) -> None:
    there = describe_replaced(path, key)
    if there is None or there.get("community") is None or backup.community is None:
        return
    if there["synthetic"] != backup.synthetic:
        kinds = ("the sample", "a real place")
        raise RefusedError(
            f"Store '{path.stem}' holds {kinds[not there['synthetic']]}, {there['community']}; the backup holds "
            f"{kinds[not backup.synthetic]}, {backup.community}. Restore it under another name with --store NAME."
        )


def _prepare(backup: Backup, work: Path, key: StoreKey | None, clock: Callable[[], datetime]) -> int:
    """Unpack, check, bring to today's schema; returns its version."""
    unpack_database(backup, work)
    own_key = key if backup.is_encrypted else None
    found = {table: rows for table, (rows, _) in digest_tables(work, own_key).items()}
    if found != {table: rows for table, (rows, _) in backup.tables.items()}:
        raise BadFileError(f"{backup.path} cannot be used as a backup: rows are missing. Take an older one.")
    for ending, secret in list_secrets(work).items():
        if ending in backup.secrets:
            with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(backup.secrets[ending])
    with Store(work, clock=clock, key=own_key) as store:
        # Whoever was signed in on that day may have been signed out since.
        store.write(lambda transaction: transaction.execute("sessions", "DELETE FROM sessions"))
        detail = {"made_utc": backup.made_utc.isoformat(), "from_version": backup.schema_version}
        record(store, Entry("restore", COMMAND_LINE, detail=detail), clock=clock)
        version = int(store.read("SELECT max(version) AS v FROM schema_migrations")["v"].iloc[0])
    if work.with_name(work.name + ".wal").exists():
        raise OSError("its log could not be folded into it")
    return version


def _mark(backup: Backup, path: Path) -> None:
    """From here on the store is refused until the restore has ended; the mark names the backup."""
    mark = path.with_name(path.name + RESTORING)
    mark.write_text(str(backup.path), encoding="utf-8")
    sync(mark)
    sync_folder(path.parent)


def _unmark(path: Path) -> None:
    sync_folder(path.parent)
    path.with_name(path.name + RESTORING).unlink()
    sync_folder(path.parent)


def _set_aside(path: Path, stem: str) -> tuple[Path, ...]:
    """Give the store that is there, its log and its secrets a second name, which they keep when others take theirs."""
    log = path.with_name(path.name + ".wal")
    aside = next(name for name in _spell(stem) if not path.with_name(f"{name}.duckdb").exists())
    names = {path: f"{aside}.duckdb", log: f"{aside}.duckdb.wal"}
    names |= {secret: f"{aside}.{ending}" for ending, secret in list_secrets(path).items()}
    kept = []
    try:
        for source, name in names.items():
            if source.exists():
                kept.append(path.with_name(name))
                try:
                    os.link(source, kept[-1])  # at once, and without room for a second copy
                except OSError:  # a file system without links
                    shutil.copyfile(source, kept[-1])
    except BaseException:
        _remove(kept)
        raise
    return tuple(kept)


def _spell(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem}-{number}" for number in range(2, 1000))


def _put_in_place(work: Path, path: Path) -> None:
    _remove([path.with_name(path.name + ending) for ending in (".wal", ".new")])
    new = list_secrets(work)
    for ending, secret in list_secrets(path).items():
        if new[ending].exists():
            put_in_place(new[ending], secret)
        else:
            _remove([secret])
    put_in_place(work, path)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
