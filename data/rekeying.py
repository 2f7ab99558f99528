"""
A store under another key: a whole new copy, compared with the old file, takes its place in one step.

Before that step the file is what it was and opens with the old key, after it with the new one; a kill at any moment
leaves the one or the other, and at most an unfinished copy that the next opening clears away.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from data.connecting import DatabaseError, check_head, copy_whole, digest_tables, first_line, is_encrypted
from data.database import fold_log, remove_files
from data.durable import put_in_place, sync
from data.keys import StoreKey, build_key_missing
from data.locking import OwnerLock
from gis.errors import RefusedError, ShapanError, StoreMissingError, StoreWriteError


def change_key(
    path: Path, *, key: StoreKey | None, new_key: StoreKey, clock: Callable[[], datetime]
) -> dict[str, tuple[int, str]]:
    """
    Encrypt a store's file, plain or under `key`, with `new_key`; rows and digest of each table, compared in both.

    Raises
    ------
    StoreMissingError, StoreInUseError, StoreKeyError, BadFileError
        There is none; a server has it; `key` does not open it; it is damaged. It is as it was.
    RefusedError
        Both keys are the same.
    StoreWriteError
        There is no room for a second copy, or the copy differs. The file is as it was.
    """
    if not path.exists():
        raise StoreMissingError(f"There is no store '{path.stem}' in {path.parent}. Choose another with --store NAME.")
    check_head(path)
    if not is_encrypted(path):
        key = None
    elif key is None:
        raise build_key_missing(path.stem)
    if key == new_key:
        raise RefusedError(f"Store '{path.stem}' has this key already. Give another new one.")
    lock = OwnerLock(path, now=clock())
    work = path.with_name(path.name + ".new")
    try:
        if not fold_log(path, key):
            raise OSError("its log cannot be folded into it")
        copy_whole(path, work, key=key, new_key=new_key)
        sync(work)
        before, after = digest_tables(path, key), digest_tables(work, new_key)
        if before != after:
            differing = sorted(table for table in before.keys() | after.keys() if before.get(table) != after.get(table))
            raise OSError(f"the new copy differs in {', '.join(differing)}")
        put_in_place(work, path)
    except ShapanError:
        remove_files(work)
        raise
    except (OSError, DatabaseError) as error:
        remove_files(work)
        raise StoreWriteError(
            f"Store '{path.stem}' was not encrypted anew: {first_line(error)}. It is as it was. "
            f"Make sure that {path.parent} has room for a second copy, then repeat it."
        ) from None
    finally:
        lock.release()
    return after


def find_clear_copies(path: Path) -> list[Path]:
    """Copies of a store that were set aside beside it and are not encrypted."""
    return sorted(copy for copy in path.parent.glob(f"{path.stem}.*.duckdb") if not is_encrypted(copy))
