"""Files that are whole on the disk, whenever the process or the power ends."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def copy_durably(source: Path, target: Path) -> None:
    """Copy a file; its bytes and its name are on the disk when this returns, and nothing is left when it raises."""
    try:
        shutil.copyfile(source, target)
        sync(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def put_in_place(work: Path, path: Path) -> None:
    """Let a finished file take its place in one step that survives a power cut."""
    sync(work)
    work.replace(path)
    sync_folder(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until names in a folder are on the disk; Windows does that by itself and cannot open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
