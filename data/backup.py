"""
Backups: one file that holds a store and the secrets beside it, made while it is open and read back before it counts.

`NAME-YYYYMMDDTHHMMSSZ.shapanbackup` is a zip archive, stored without compression, of

    header.json     format, store, when it was made, whether it is encrypted: readable without the key
    contents.json   or contents.sealed: schema version, rows and digest of each table, hash of the database, the secrets
    store.duckdb    the database, its log folded in; encrypted with the store's key when there is one

The seal binds the contents to the key, and the hash in it binds the database to the contents.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.backup_files import UNFINISHED, choose_name, find_backups, find_unfinished
from data.connecting import DatabaseError, connect, copy_whole, digest_tables, fetch_first, first_line
from data.durable import put_in_place
from data.keys import StoreKey, build_key_missing
from data.store import Store
from gis.errors import BadFileError, StoreKeyError, StoreVersionError, StoreWriteError

FORMAT = 1
# What lies beside a store and must survive with it: data/secret_files.py, data/audit.py.
SECRETS = ("secret", "audit.key", "audit.head")
_HEADER, _CLEAR, _SEALED, _DATABASE = "header.json", "contents.json", "contents.sealed", "store.duckdb"
_PURPOSE = "backup contents"
_MAX_SMALL_BYTES = 10_000_000  # of header and contents: what is larger was not written by us
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Backup:
    """
    What a backup says of itself.

    Attributes
    ----------
    path, store, made_utc, is_encrypted
        The file, the store's name, when, and whether a key is needed.
    schema_version, community, synthetic
        Of the store; no community while it held none.
    tables
        Rows and digest of each table.
    database_sha256
        Hash of the database in it.
    secrets
        Contents of the files beside the store, by ending.
    """

    path: Path
    store: str
    made_utc: datetime
    is_encrypted: bool
    schema_version: int
    community: str | None
    synthetic: bool
    tables: dict[str, tuple[int, str]]
    database_sha256: str
    secrets: dict[str, bytes] = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """For a report: without digests and without the secrets themselves."""
        return {
            "file": str(self.path),
            "store": self.store,
            "made_utc": self.made_utc.isoformat(),
            "encrypted": self.is_encrypted,
            "schema_version": self.schema_version,
            "community": self.community,
            "synthetic": self.synthetic,
            "rows": {table: rows for table, (rows, _) in self.tables.items() if rows},
            "secrets": sorted(self.secrets),
            "bytes": self.path.stat().st_size,
        }


def make_backup(
    store: Store,
    folder: Path,
    *,
    clock: Callable[[], datetime],
    key: StoreKey | None = None,
    keep: int | None = None,
    progress: Callable[[float, str], None] = lambda *_: None,
) -> Backup:
    """
    Back an open store up while others read and write; it has been restored and compared when this returns.

    Parameters
    ----------
    store
        Encrypted ones are backed up under their own key.
    folder
        Where the backup goes; made when it is missing.
    clock
        Names the file.
    key
        Encrypts the backup of a plain store; None: the backup is in clear, as the store is.
    keep
        Then delete older backups of this store there, so that this many are left; None: none is deleted.
    progress
        Called with the share done and what is being done.

    Raises
    ------
    StoreWriteError
        No room, no rights, or what was read back differs. There is no new backup, and no older one was deleted.
    """
    name = store.path.stem
    try:
        with _ONE_AT_A_TIME, make_scratch(store.path, "backup") as scratch:
            folder.mkdir(parents=True, exist_ok=True)
            for left in find_unfinished(folder, name):  # by a process that was killed
                left.unlink()
            raw, whole, back = (scratch / part / f"{name}.duckdb" for part in ("raw", "whole", "back"))
            for path in (raw, whole, back):
                path.parent.mkdir()
            progress(0.05, "copy")
            now = clock().astimezone(UTC).replace(microsecond=0)
            own_key = store.copy_files(raw, beside={s: raw.parent / s.name for s in list_secrets(store.path).values()})
            secrets = {e: path.read_bytes() for e, path in list_secrets(raw).items() if path.exists()}
            progress(0.2, "fold the log in")
            backup_key = own_key or key
            copy_whole(raw, whole, key=own_key, new_key=backup_key)
            progress(0.4, "digest")
            contents = {**describe_file(raw, own_key), "tables": digest_tables(raw, own_key)}
            progress(0.6, "pack")
            work = choose_name(folder, name, now).with_suffix(UNFINISHED)
            try:
                _pack(work, whole, backup_key, secrets=secrets, contents=contents, store_name=name, made=now)
                progress(0.8, "read back")
                _compare(work, back, backup_key, contents["tables"])
                path = choose_name(folder, name, now)
                put_in_place(work, path)
            finally:
                work.unlink(missing_ok=True)
    except (OSError, zipfile.BadZipFile, BadFileError, DatabaseError) as error:
        raise StoreWriteError(
            f"Store '{name}' was not backed up: {first_line(error)}. Older backups are as they were. "
            f"Make sure that {folder} and {store.path.parent} can be written and have room, then repeat it."
        ) from error
    if keep is not None:
        others = [other for other in find_backups(folder, name) if other != path]
        for other in others[max(keep, 1) - 1 :]:
            other.unlink(missing_ok=True)
    return read_backup(path, backup_key)


def read_backup(path: Path, key: StoreKey | None) -> Backup:
    """
    What a backup holds; its database is not looked at.

    Raises
    ------
    BadFileError, StoreVersionError, StoreKeyError
        It is no backup or damaged; a newer program made it; the key is missing or another.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(_read_small(archive, _HEADER))
            if int(header["format"]) > FORMAT:
                raise StoreVersionError(f"{path} was made by a newer program. Update Shapan.")
            is_encrypted = bool(header["encrypted"])
            sealed = _read_small(archive, _SEALED if is_encrypted else _CLEAR)
            if is_encrypted:
                sealed = _unseal(path, sealed, key)
            contents: dict[str, Any] = json.loads(sealed)
            return Backup(
                path=path,
                store=str(contents["store"]),
                made_utc=datetime.fromisoformat(contents["made_utc"]),
                is_encrypted=is_encrypted,
                schema_version=int(contents["schema_version"]),
                community=contents["community"],
                synthetic=bool(contents["synthetic"]),
                tables={table: (int(rows), str(digest)) for table, (rows, digest) in contents["tables"].items()},
                database_sha256=str(contents["database_sha256"]),
                secrets={ending: base64.b64decode(contents["secrets"][ending]) for ending in contents["secrets"]},
            )
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, BadFileError | StoreVersionError | StoreKeyError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "it is not one, or it is damaged"
        raise BadFileError(f"{path} cannot be used as a backup: {reason}. Take an older one.") from error


def unpack_database(backup: Backup, target: Path) -> None:
    """Write the backup's database to `target`; `BadFileError` when a byte of it is not as it was written."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(backup.path) as archive, archive.open(_DATABASE) as source, target.open("wb") as copy:
            while block := source.read(2**20):
                digest.update(block)
                copy.write(block)
    except (zipfile.BadZipFile, KeyError, EOFError):
        digest = hashlib.sha256(b"damaged")
    if digest.hexdigest() != backup.database_sha256:
        raise BadFileError(f"{backup.path} cannot be used as a backup: its database is damaged. Take an older one.")


def list_secrets(store_path: Path) -> dict[str, Path]:
    """Where the files that belong to a store lie, by ending, whether they exist or not."""
    return {ending: store_path.with_name(f"{store_path.stem}.{ending}") for ending in SECRETS}


@contextmanager
def make_scratch(store_path: Path, purpose: str) -> Iterator[Path]:
    """A folder of our own beside the store, gone at the end; what a killed process left of such is cleared away."""
    prefix = f"{store_path.stem}.{purpose}-"
    for left in store_path.parent.glob(f"{prefix}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=store_path.parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def describe_file(path: Path, key: StoreKey | None) -> dict[str, Any]:
    """Schema version, community's name and whether it is synthetic, of a closed store."""
    connection = connect(path, key, only_look=True)
    try:
        version = fetch_first(connection.execute("SELECT max(version) FROM schema_migrations"))
        community = fetch_first(connection.execute("SELECT name, synthetic FROM community")) or (None, False)
    finally:
        connection.close()
    return {
        "schema_version": int(version[0]) if version else 0,
        "community": community[0],
        "synthetic": bool(community[1]),
    }


def _pack(
    work: Path,
    database: Path,
    key: StoreKey | None,
    *,
    secrets: dict[str, bytes],
    contents: dict[str, Any],
    store_name: str,
    made: datetime,
) -> None:
    with database.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    common = {"format": FORMAT, "store": store_name, "made_utc": made.isoformat()}
    encoded = {ending: base64.b64encode(content).decode() for ending, content in secrets.items()}
    inner = json.dumps({**common, **contents, "database_sha256": digest, "secrets": encoded}).encode()
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as packed, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_HEADER, json.dumps({**common, "encrypted": key is not None}))
        if key is None:
            archive.writestr(_CLEAR, inner)
        else:
            archive.writestr(_SEALED, key.seal(inner, purpose=_PURPOSE))
        archive.write(database, _DATABASE)


def _compare(work: Path, back: Path, key: StoreKey | None, tables: dict[str, tuple[int, str]]) -> None:
    """Restore a backup that was just written into a scratch file, and hold it against what was backed up."""
    unpack_database(read_backup(work, key), back)
    found = digest_tables(back, key)
    if found != tables:
        differing = sorted(table for table in found.keys() | tables.keys() if found.get(table) != tables.get(table))
        raise OSError(f"what was read back differs in {', '.join(differing)}")


def _read_small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MAX_SMALL_BYTES:
        raise ValueError(f"{name} is too large")
    return archive.read(name)


def _unseal(path: Path, sealed: bytes, key: StoreKey | None) -> bytes:
    if key is None:
        raise build_key_missing(path.name)
    content = key.unseal(sealed, purpose=_PURPOSE)
    if content is None:
        raise StoreKeyError(
            f"{path} is encrypted, and not with the key that was given; or it is damaged. "
            "Give the key that its store had on that day, with SHAPAN_KEY_FILE."
        )
    return content
