"""
Is a log whole, as far as DuckDB does not look: it takes a log whose beginning is damaged for an empty one.

A log is a head, then entries, each behind its size. A killed process leaves an unfinished entry at the end, a power cut
also zeros there; neither was acknowledged, because that comes after the bytes are on the disk. Layout of DuckDB 1.5's
logs, versions 2 (plain) and 3 (encrypted), as read from files that it wrote.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_HEAD = bytes.fromhex("64 00 62 65 00")  # field 100: kind 98, a version; field 101: which
_HEAD_END = b"\xff\xff"
_LONGEST_HEAD_BYTES = 128
_ENCRYPTED_VERSION = 3
# Behind an entry's size: its checksum; and around both, when encrypted, a nonce of 12 and a tag of 16 bytes.
_PLAIN_BYTES, _SEALED_BYTES = 8, 8 + 12 + 16
# No entry of ours comes near: one holds at most 2,048 rows. A size beyond is a damaged one.
_LARGEST_ENTRY_BYTES = 2**30


def mend_log(log: Path) -> str | None:
    """
    Cut off zeros that a power cut left at the end of a log; None, or what is wrong with it.

    `OSError` when it cannot be read or cut.
    """
    size = log.stat().st_size
    with log.open("rb") as file:
        head = file.read(_LONGEST_HEAD_BYTES)
        if not head.startswith(_HEAD[: len(head)]):
            return _cut_zeros(file, log, 0, otherwise="its beginning is not a log's")
        end = head.find(_HEAD_END)
        if end < 0:  # cut off while it was begun
            return None
        around = _SEALED_BYTES if head[len(_HEAD)] >= _ENCRYPTED_VERSION else _PLAIN_BYTES
        at = end + len(_HEAD_END)
        while at + 8 <= size:
            file.seek(at)
            length = int.from_bytes(file.read(8), "little")
            if not length:
                return _cut_zeros(file, log, at, otherwise=f"there is a gap at byte {at}")
            if length > _LARGEST_ENTRY_BYTES:
                return f"the size of an entry at byte {at} cannot be true"
            at += 8 + around + length
    return None


def _cut_zeros(file: BinaryIO, log: Path, at: int, *, otherwise: str) -> str | None:
    """End the log there when nothing but zeros follows."""
    file.seek(at)
    if any(any(block) for block in iter(lambda: file.read(2**20), b"")):
        return otherwise
    with log.open("r+b") as writable:
        writable.truncate(at)
        os.fsync(writable.fileno())
    return None
