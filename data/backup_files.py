"""Names of backups: found, and given, without looking into them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

ENDING, UNFINISHED = ".shapanbackup", ".partial"
# Where backups lie when nobody says otherwise, beside the store: data/settings.py.
FOLDER = "backups"


def find_backups(folder: Path, store_name: str) -> list[Path]:
    """Backups of a store in a folder, the newest first by their names."""
    return _find(folder, store_name, ENDING)


def find_unfinished(folder: Path, store_name: str) -> list[Path]:
    """What a process left there that was killed while it wrote a backup of that store."""
    return _find(folder, store_name, UNFINISHED)


def _find(folder: Path, store_name: str, ending: str) -> list[Path]:
    own = re.compile(re.escape(store_name) + r"-(\d{8}T\d{6}Z)(?:-(\d+))?" + re.escape(ending))
    found = [
        (match[1], int(match[2] or 1), path)
        for path in folder.glob(f"*{ending}")
        if (match := own.fullmatch(path.name))
    ]
    return [path for *_, path in sorted(found, reverse=True)]


def choose_name(folder: Path, store_name: str, made: datetime) -> Path:
    """A name in UTC that nothing has yet."""
    stem = f"{store_name}-{made:%Y%m%dT%H%M%SZ}"
    stems = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return next(path for stem in stems if not (path := folder / f"{stem}{ENDING}").exists())
