"""
What the command line asks for, done on an open store: by the server for a command that came in, by the command itself
when no server runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from data.audit import COMMAND_LINE, build_entry, check_writable, get_head_path, record
from data.connecting import is_encrypted
from data.keys import StoreKey, choose_key
from data.queries_info import get_info
from data.settings import Settings
from data.store import Clock, Store
from gis.errors import RecordMissingError, RefusedError

if TYPE_CHECKING:
    from data.importing import ImportOptions, SourceFile

Report = dict[str, object]
Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""


class Operations(Protocol):
    """What can be asked of a store, wherever it is open."""

    def info(self) -> Report: ...

    def import_sources(self, sources: Sequence[SourceFile], options: ImportOptions, progress: Progress) -> Report: ...

    def undo(self, batch_id: str | None) -> Report: ...

    def back_up(self, folder: Path, keep: int | None, progress: Progress) -> Report: ...

    def access(self, operation: str, arguments: Mapping[str, Any]) -> Report: ...

    def analyse(self, method: str, options: Mapping[str, object]) -> Report: ...


@dataclass(frozen=True)
class LocalOperations:
    """On a store that this process has open."""

    store: Store
    clock: Clock
    key: StoreKey | None = None
    """Encrypts backups of a store that is not encrypted itself."""

    def info(self) -> Report:
        """Figures of the community, with the store's name."""
        return read_info(self.store)

    def import_sources(self, sources: Sequence[SourceFile], options: ImportOptions, progress: Progress) -> Report:
        """Bring files in; everything found, repaired, derived and refused."""
        from data.importing import import_sources  # slow to load, and only imports need it

        check_writable(self.store)
        report = import_sources(self.store, sources, options, clock=self.clock, progress=progress)
        if report.batch_id is not None and not report.nothing_new:
            rows = {table: count.new + count.changed for table, count in report.tables.items()}
            rows = {table: count for table, count in rows.items() if count}
            self._note("import", report.batch_id, {"with_persons": options.with_persons, "rows": rows})
        return {**report.to_dict(), "text": report.to_text()}

    def undo(self, batch_id: str | None) -> Report:
        """Take an import back; None: the newest that has not been taken back."""
        from data.importing import undo_import

        check_writable(self.store)
        report = undo_import(self.store, batch_id, clock=self.clock)
        self._note("undo", report.batch_id)
        return {**report.to_dict(), "text": report.to_text()}

    def back_up(self, folder: Path, keep: int | None, progress: Progress) -> Report:
        """Back the store up into a folder; `keep` deletes older backups there until so many are left."""
        from server.keeping import back_up

        return back_up(
            self.store, folder, key=self.key, keep=keep, actor=COMMAND_LINE, clock=self.clock, progress=progress
        )

    def access(self, operation: str, arguments: Mapping[str, Any]) -> Report:
        """Accounts, keys and the log: see `server.access.OPERATIONS`."""
        from server.access import run  # loads the rules of everything that can be asked: figures need none of them

        return run(self.store, self.clock, operation, arguments)

    def analyse(self, method: str, options: Mapping[str, object]) -> Report:
        """One of the methods of `incidents.analysing.METHODS` on the store's incidents."""
        from incidents.analysing import Options  # slow to load, and only analyses need it
        from server.access import OWNER
        from server.analysis import analyse_store

        return analyse_store(self.store, OWNER, method, Options.from_dict(options)).to_dict()

    def _note(self, action: str, batch_id: str | None, detail: Mapping[str, object] | None = None) -> None:
        entry = build_entry(None, action, subject_kind="import", subject_id=batch_id, detail=detail or {})
        record(self.store, entry, clock=self.clock)


def is_synthetic(store: Store) -> bool:
    """Whether the store holds the invented sample; false while it holds nothing."""
    rows = store.read("SELECT synthetic FROM community")
    return not rows.empty and bool(rows["synthetic"].iloc[0])


def read_info(store: Store) -> Report:
    """Figures of the community, with the store's name."""
    return {"store": store.path.stem, **get_info(store).to_dict(), "encrypted": store.is_encrypted}


@contextmanager
def open_store(settings: Settings, *, clock: Clock, create: bool = False) -> Iterator[Store]:
    """
    The store of `settings`, opened by this process and closed at the end.

    With `create` a file is made when there is none, and taken away again when the work on it fails: a failed first
    import leaves nothing behind.

    Raises
    ------
    StoreMissingError
        There is no file and `create` is false.
    StoreKeyError
        It is encrypted, and the settings' key, or what a person typed at the terminal, does not open it.
    """
    path = settings.store_path
    is_new = not path.exists()
    # Opened outside the block below: a file that another process made meanwhile is not ours to take away.
    key = choose_key(settings, is_encrypted=is_encrypted(path))
    store = Store(path, clock=clock, key=key) if create else Store.open_existing(path, clock=clock, key=key)
    is_new = is_new and store.revision() == 0
    is_done = False
    try:
        with store:
            yield store
        is_done = True
    finally:
        if is_new and not is_done:
            remove_store(settings)


def remove_store(settings: Settings) -> None:
    """
    Delete the store's file, its log, the sample's truth, and the head that would tell a new store's log to go on.

    Its lock stays, because another process may just open it; its secrets stay, because a backup may need them.
    """
    path = settings.store_path
    for gone in (path, path.with_name(path.name + ".wal"), settings.truth_path, get_head_path(path)):
        gone.unlink(missing_ok=True)


def check_sample(info: Report, *, force: bool) -> Report:
    """
    `info` of a store that a demo was asked for, when it is a sample and may stay as it is.

    Raises
    ------
    RefusedError
        A real place is there; or a server holds the sample that should be replaced.
    """
    if not info["synthetic"]:
        raise RefusedError(
            f"Store '{info['store']}' holds a real place, {info['name']}: the sample is never mixed with one. "
            "Choose another name, e.g. shapan demo --store demo"
        )
    if force:
        raise RefusedError(f"Store '{info['store']}' is being served. Stop the server first, then run the demo again.")
    return {"created": False, **info}


def make_sample_store(settings: Settings, *, seed: int, force: bool, clock: Clock, progress: Progress) -> Report:
    """
    Make the sample community's store; one that is there stays, or is replaced with `force`.

    Raises
    ------
    RefusedError
        The store holds a real place, or a sample of another seed and `force` is false.
    """
    if settings.store_path.exists():
        with open_store(settings, clock=clock) as store:
            found = _find_sample(store)
        if found is not None and not force:
            if found["seed"] != seed:
                raise RefusedError(
                    f"Store '{settings.store_name}' holds the sample of seed {found['seed']}, not {seed}. "
                    "Choose another name with --store, or replace it with --force."
                )
            return {"created": False, **found}
        remove_store(settings)
    from sample import write_sample  # slow to load, and only this needs it

    with open_store(settings, clock=clock, create=True) as store:
        write_sample(store, settings.truth_path, seed=seed, progress=lambda step, share: progress(share, step))
        return {"created": True, **(_find_sample(store) or {})}


def _find_sample(store: Store) -> Report | None:
    """Figures and seed of the sample in `store`; None when the store is empty; refuses a real place."""
    try:
        info = read_info(store)
    except RecordMissingError:
        return None
    check_sample(info, force=False)
    return {**info, "seed": int(store.read("SELECT seed FROM community")["seed"].iloc[0])}
