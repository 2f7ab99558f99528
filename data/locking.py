"""
One process owns a store: a lock of the operating system on a file beside it.

The lock vanishes with its process, however that ends, so there is no stale lock to clear up. The file's text (process
and start) only serves the sentence that a second process gets. It is never deleted: deleting a lock file while somebody
else opens it would let two processes hold "the" lock.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gis.errors import BadFileError, StoreInUseError

_BUSY = frozenset({errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK})
_SHOWN_ZONE = "Asia/Shanghai"

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        # Windows forbids others to read a locked range: lock a byte far behind the text.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # flock, not lockf: a POSIX record lock is lost as soon as this process closes any other handle of the file.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class OwnerLock:
    """
    Held from construction until `release()` or the end of the process.

    Raises
    ------
    StoreInUseError
        Somebody else holds it; says who and since when.
    BadFileError
        The lock file cannot be made there.
    """

    def __init__(self, store_path: Path, *, now: datetime) -> None:
        self.path = store_path.with_name(store_path.name + ".lock")
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise BadFileError(
                f"Store '{store_path.stem}' cannot be opened for writing: {self.path}: {error.strerror}. "
                "Make that folder writable for this user, or set SHAPAN_HOME to one that is."
            ) from error
        try:
            _lock(self._descriptor)
        except OSError as error:
            owner = self._describe_owner()
            os.close(self._descriptor)
            if error.errno not in _BUSY:
                raise BadFileError(
                    f"Store '{store_path.stem}' cannot be locked: {self.path}: {error.strerror}. "
                    "Set SHAPAN_HOME to a folder on a local disk."
                ) from error
            raise StoreInUseError(
                f"Store '{store_path.stem}' is in use by {owner}. Stop it, or work on another store with --store NAME."
            ) from error
        text = json.dumps({"pid": os.getpid(), "since": now.astimezone(UTC).isoformat(timespec="seconds")})
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, text.encode())

    def release(self) -> None:
        """Let the store go; a second time it does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)

    def _describe_owner(self) -> str:
        try:
            owner = json.loads(os.pread(self._descriptor, 4096, 0) if hasattr(os, "pread") else self.path.read_bytes())
            since = datetime.fromisoformat(owner["since"]).astimezone(ZoneInfo(_SHOWN_ZONE))
            return f"process {int(owner['pid'])} since {since:%Y-%m-%d %H:%M} ({_SHOWN_ZONE})"
        except (OSError, ValueError, KeyError, TypeError):
            # The owner is between taking the lock and writing its name.
            return "another process, which has just taken it"
