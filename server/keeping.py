"""Keeping a store: backups, restoring one, another key. For the command line and for the nightly job."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data.audit import SERVER, Entry, record
from data.backup import make_backup, read_backup
from data.backup_files import find_backups
from data.connecting import is_encrypted
from data.drills import is_drill
from data.keys import StoreKey, ask_new_key, choose_key, find_key, make_key_file, read_key_file
from data.moments import to_aware
from data.rekeying import change_key, find_clear_copies
from data.restoring import describe_replaced, restore_backup
from data.settings import Settings
from data.settings_store import read_settings
from data.store import Clock, Store
from data.task_photos import bring_photos_back, find_photo_ids, mirror_photos, sweep_photos
from gis.errors import RefusedError, ShapanError, StoreKeyError, StoreMissingError
from server.jobs import Job
from server.operations import is_synthetic

if TYPE_CHECKING:
    from server.operations import Progress, Report

_DAY = timedelta(hours=23)  # a night's backup that ended later than this night's begins is not one too few


def back_up(
    store: Store, folder: Path, *, key: StoreKey | None, keep: int | None, actor: str, clock: Clock, progress: Progress
) -> Report:
    """Back up an open store into `folder` and write it down in the log; see `make_backup`. A drill store is refused."""
    if is_drill(store):
        name = store.path.stem
        raise RefusedError(
            f"Store '{name}' is a drill store: it is not backed up, so that it never takes a real one's place. Keep "
            f"its report with: shapan drill --report --store {name} --json"
        )
    backup = make_backup(store, folder, clock=clock, key=key, keep=keep, progress=progress)
    sweep_photos(store, now=clock())
    # After it: whatever photo a row names is there.
    photos = mirror_photos(store.path, folder, known=find_photo_ids(store))
    detail = {"file": backup.path.name, "encrypted": backup.is_encrypted}
    record(store, Entry("backup", actor, detail=detail), clock=clock)
    return {**backup.to_dict(), "photos_copied": photos, "kept": len(find_backups(folder, store.path.stem))}


def build_backup_job(store: Store, settings: Settings, clock: Clock) -> Job:
    """The nightly backup; at a start after a night that was missed, at once. The sample is not backed up."""

    def work() -> None:
        if not is_synthetic(store):
            keep = read_settings(store).backup_keep
            key = find_key(settings)
            back_up(
                store, settings.backup_folder, key=key, keep=keep, actor=SERVER, clock=clock, progress=lambda *_: None
            )

    def is_due() -> bool:
        return not is_synthetic(store) and is_backup_due(store, settings.backup_folder, clock=clock)

    return Job("backup", work, at=lambda: time(read_settings(store).backup_hour), is_due_at_start=is_due)


def find_backup_age_s(store_name: str, folder: Path, *, clock: Clock) -> float | None:
    """Seconds since the newest backup in `folder`; None when there is none."""
    newest = next(iter(find_backups(folder, store_name)), None)
    return None if newest is None else clock().timestamp() - newest.stat().st_mtime


def is_backup_due(store: Store, folder: Path, *, clock: Clock) -> bool:
    """Whether the newest backup there, or the store that was never backed up, is older than a day."""
    newest = next(iter(find_backups(folder, store.path.stem)), None)
    if newest is None:
        since = to_aware(store.read("SELECT min(applied_utc) AS t FROM schema_migrations")["t"].iloc[0])
    else:
        since = datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    return since is not None and clock() - since > _DAY


def restore(settings: Settings, file: Path, *, dry_run: bool, clock: Clock) -> Report:
    """
    What a backup holds and what it would replace; without `dry_run` it is restored to the settings' store.

    Raises
    ------
    BadFileError, StoreKeyError, StoreInUseError, RefusedError, StoreVersionError
        See `restore_backup`.
    """
    key = choose_key(settings, is_encrypted=_needs_key(file))
    backup = read_backup(file, key)
    path = settings.store_path
    report: Report = {
        "backup": backup.to_dict(),
        "store": settings.store_name,
        "replaces": describe_replaced(path, key),
        "restored": not dry_run,
    }
    if dry_run:
        return report
    done = restore_backup(backup, path, key=key, clock=clock)
    return {
        **report,
        "photos_copied": bring_photos_back(file.parent, backup.store, path),
        "from_version": done.from_version,
        "to_version": done.to_version,
        "set_aside": [str(aside) for aside in done.set_aside],
    }


def encrypt(settings: Settings, *, new_key_file: Path | None, is_new: bool, clock: Clock) -> Report:
    """
    Give the settings' store a key (`is_new`: it has none yet) or another key.

    The new key is that of `new_key_file`, which is made with a random one when it is not there; else, for a store
    that has none, that of the settings; else what a person types twice.

    Raises
    ------
    RefusedError
        The store has a key already, or has none yet.
    StoreMissingError, StoreInUseError, StoreKeyError, StoreWriteError
        See `change_key`.
    """
    path, name = settings.store_path, settings.store_name
    if not path.exists():
        raise StoreMissingError(f"There is no store '{name}' in {path.parent}. Choose another with --store NAME.")
    if is_new and is_encrypted(path):
        raise RefusedError(
            f"Store '{name}' is encrypted already. Give it another key with: shapan rekey --store {name}"
        )
    if not is_new and not is_encrypted(path):
        raise RefusedError(f"Store '{name}' is not encrypted. Give it a key with: shapan encrypt --store {name}")
    key = None if is_new else choose_key(settings, is_encrypted=True)
    is_made = new_key_file is not None and not new_key_file.exists()
    if new_key_file is not None:
        new_key = make_key_file(new_key_file) if is_made else read_key_file(new_key_file)
    else:
        new_key = (find_key(settings) if is_new else None) or ask_new_key(name)
    # A key file that was made stays even when this fails: nobody must be left with a store and without its key.
    tables = change_key(path, key=key, new_key=new_key, clock=clock)
    return {
        "store": name,
        "encrypted": True,
        "rows": sum(rows for rows, _ in tables.values()),
        "key_file": None if new_key_file is None else str(new_key_file),
        "key_file_made": is_made,
        "left_in_clear": [str(copy) for copy in find_clear_copies(path)] + _find_clear_backups(settings),
    }


def _needs_key(file: Path) -> bool:
    try:
        read_backup(file, None)
    except StoreKeyError:
        return True
    except ShapanError:
        pass  # said by whoever reads it
    return False


def _find_clear_backups(settings: Settings) -> list[str]:
    """Backups that need no key."""
    return [str(file) for file in find_backups(settings.backup_folder, settings.store_name) if not _needs_key(file)]
