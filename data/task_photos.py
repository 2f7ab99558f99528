"""
Photos of visits and of check-ins: made smaller, without what a phone writes into them, encrypted, beside the store.

They lie in NAME.photos. Their key lies in the store itself (`file_keys`): an encrypted store guards them with its own
key, and giving it another (`shapan rekey`) changes no photo. A picture is encrypted together with its id, so that no
file can stand in for another. It is on the disk before its row is written: what was acknowledged is never lost.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pandas as pd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image, ImageOps, UnidentifiedImageError

from data.audit import build_entry, write_audited
from data.durable import put_in_place, sync_folder
from data.incident_writes import insert_rows
from data.looks import log_looks
from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from data.task_rights import check_task
from data.viewer import Viewer
from gis.errors import BadFileError, BadRecordError, RecordMissingError

MAX_BYTES: Final = 15_000_000
MAX_PIXELS: Final = 60_000_000
"""What a phone's camera of 2026 gives; more is refused before it is unpacked."""
KEPT_SIDE_PX: Final = 2048
"""Longest side that is kept: a meter's figures across a room can be read, and a day of 500 visits stays below 1 GB."""
MOST_FOR_TASK: Final = 40
_QUALITY: Final = 82
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_NONCE_BYTES: Final = 12  # NIST SP 800-38D recommends 96 bits
_PURPOSE: Final = "photos"
_ROW_WITHIN: Final = timedelta(hours=1)
_RIGHTS: Final = "t.grid_id, t.accepted_by, t.receiver_kind, t.receiver_id"


@dataclass(frozen=True)
class Photo:
    """A photo as it is kept; times are aware."""

    photo_id: str
    media_type: str
    content: bytes


def get_photo_folder(store_path: Path) -> Path:
    """Where the photos of a store lie."""
    return store_path.with_name(f"{store_path.stem}.photos")


def add_photo(
    store: Store,
    viewer: Viewer,
    task_id: str,
    evidence_id: str,
    content: bytes,
    *,
    captured_utc: datetime,
    clock: Clock,
) -> str:
    """
    Keep a photo; returns its id, the same for the same picture sent again. It may come before the evidence it is of.

    Raises
    ------
    NotAllowedError
        The role may not, or the task lies in another's grid.
    RecordMissingError
        There is no such task.
    BadRecordError
        It is no JPEG, PNG or WebP, too large, or the task has its most.
    """
    rows = store.read(f"SELECT {_RIGHTS} FROM tasks t WHERE task_id = ?", [task_id])
    check_task(viewer, "action", "work_task", _to_row(rows), task_id)
    if rows.empty:
        raise RecordMissingError(f"There is no task '{task_id[:40]}'. Choose it from the list.")
    photo_id = hashlib.sha256(b"\x1f".join((task_id.encode(), evidence_id.encode(), content))).hexdigest()[:32]
    known = store.read(
        "SELECT count(*) AS n, count(*) FILTER (photo_id = ?) AS same FROM task_photos WHERE task_id = ?",
        [photo_id, task_id],
    )
    if int(known["same"].iloc[0]):
        return photo_id
    if int(known["n"].iloc[0]) >= MOST_FOR_TASK:
        raise BadRecordError(f"Task '{task_id[:40]}' has {MOST_FOR_TASK} photos, which is the most. Leave some out.")
    picture, size_px = make_plain(content)
    keep_picture(store, photo_id, picture)
    row = {
        "photo_id": photo_id, "task_id": task_id, "evidence_id": evidence_id,
        "sent_by": viewer.account_id or viewer.role.value, "media_type": "image/jpeg", "size_bytes": len(picture),
        "width_px": size_px[0], "height_px": size_px[1], "captured_utc": to_stored_time(captured_utc),
        "received_utc": to_stored_time(clock()),
    }  # fmt: skip

    def put(transaction: Transaction) -> None:
        if transaction.fetch("SELECT 1 FROM task_photos WHERE photo_id = ?", [photo_id]).empty:
            insert_rows(transaction, "task_photos", [row])

    detail = {"photo": photo_id, "bytes": len(picture)}
    entry = build_entry(viewer, "change", subject_kind="task", subject_id=task_id, detail=detail)
    write_audited(store, put, lambda _: [entry], clock=clock)
    return photo_id


def get_photo(store: Store, viewer: Viewer, photo_id: str, *, clock: Clock) -> Photo:
    """
    A photo, for who may see its task; the look is logged.

    Raises
    ------
    NotAllowedError, RecordMissingError
        The viewer may not, or there is none.
    BadFileError
        The file is gone, or not as it was written.
    """
    rows = store.read(
        f"SELECT p.media_type, p.task_id, {_RIGHTS} FROM task_photos p JOIN tasks t USING (task_id) "
        "WHERE p.photo_id = ?",
        [photo_id],
    )
    check_task(viewer, "action", "see_photo", _to_row(rows), f"of photo {photo_id}")
    if rows.empty:
        raise RecordMissingError(f"There is no photo '{photo_id[:40]}'. Reload the page.")
    log_looks(store, viewer, frozenset({("task", str(rows["task_id"].iloc[0]))}), clock=clock)
    content = read_picture(store, photo_id)
    return Photo(photo_id, str(rows["media_type"].iloc[0]), content)


def read_picture(store: Store, photo_id: str) -> bytes:
    """A picture that was kept; `BadFileError` when it is gone, or not as it was written. Who may is asked before."""
    path = _find_path(store.path, photo_id)
    try:
        sealed = path.read_bytes()
        content = AESGCM(_get_key(store)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], photo_id.encode())
    except (OSError, InvalidTag) as error:
        raise BadFileError(
            f"Photo '{photo_id}' in {path.parent.parent} is gone or not as it was written. Bring it back from a backup."
        ) from error
    return content


def make_plain(content: bytes) -> tuple[bytes, tuple[int, int]]:
    """The picture alone as JPEG, upright, without place, camera or any other word in it; and its size in pixels."""
    if len(content) > MAX_BYTES:
        raise BadRecordError(f"The photo has {len(content)} bytes, expected at most {MAX_BYTES}. Take a smaller one.")
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadRecordError(
                    f"The photo has {image.width} x {image.height} pixels, expected at most {MAX_PIXELS}. "
                    "Take a smaller one."
                )
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, BadRecordError):
            raise
        raise BadRecordError("The photo cannot be read: expected JPEG, PNG or WebP. Take it again.") from error
    upright.thumbnail((KEPT_SIDE_PX, KEPT_SIDE_PX))
    plain = Image.new("RGB", upright.size)  # a fresh picture carries nothing but pixels
    plain.paste(upright)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue(), plain.size


def mirror_photos(store_path: Path, folder: Path, *, known: frozenset[str] | None = None) -> int:
    """
    Copy photos that a backup folder does not have yet into NAME.photos there; returns how many.

    They are encrypted and never change, so a backup needs each only once. The key comes with the backup itself. With
    `known`, the ids that the store has, those that were let go leave the folder as well: kept in a backup they would
    not be gone.
    """
    photos = get_photo_folder(store_path)
    copied = _copy_missing(photos, folder / photos.name)
    if known is not None:
        _remove_others(folder / photos.name, known)
    return copied


def find_photo_ids(store: Store) -> frozenset[str]:
    """Ids of all photos of a store: of visits, and of check-ins (tasks/checkin_files.py), which lie beside them."""
    sql = "SELECT photo_id FROM task_photos UNION SELECT photo_id FROM checkins WHERE photo_id IS NOT NULL"
    return frozenset(str(one) for (one,) in store.rows(sql))


def sweep_photos(store: Store, *, now: datetime) -> int:
    """
    Remove files that no row names any more; returns how many. What was cut off after a commit is made up for here.

    A file comes before its row: what was written within the last hour before `now` (aware) may be waiting for it.
    """
    return _remove_others(get_photo_folder(store.path), find_photo_ids(store), written_before=now - _ROW_WITHIN)


def remove_photos(store: Store, photo_ids: Iterable[str]) -> None:
    """Remove the files of photos whose rows are gone."""
    for photo_id in photo_ids:
        _find_path(store.path, photo_id).unlink(missing_ok=True)


def _remove_others(folder: Path, known: frozenset[str], *, written_before: datetime | None = None) -> int:
    count = 0
    for file in sorted(folder.glob("??/*")):
        is_new = written_before is not None and file.stat().st_mtime >= written_before.timestamp()
        if file.name not in known and not is_new:
            file.unlink(missing_ok=True)
            count += 1
    return count


def bring_photos_back(folder: Path, name: str, store_path: Path) -> int:
    """Copy photos of store `name` from a backup folder to where the restored store looks for them; returns how many."""
    return _copy_missing(folder / f"{name}.photos", get_photo_folder(store_path))


def _copy_missing(source: Path, target: Path) -> int:
    count = 0
    for file in sorted(source.glob("??/*")):
        there = target / file.parent.name / file.name
        if file.suffix or there.exists():
            continue
        there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = there.with_suffix(".new")
        shutil.copyfile(file, work)
        put_in_place(work, there)
        count += 1
    return count


def _to_row(rows: pd.DataFrame) -> dict[str, object] | None:
    return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}


def keep_picture(store: Store, photo_id: str, picture: bytes) -> None:
    """Write a picture of `make_plain` encrypted beside the store; one that is there stays."""
    path = _find_path(store.path, photo_id)
    if path.exists():
        path.touch()  # its row may have gone, and a new one is on its way: it is not to be swept meanwhile
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    work = path.with_suffix(f".{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(nonce + AESGCM(_get_key(store)).encrypt(nonce, picture, photo_id.encode()))
    put_in_place(work, path)
    sync_folder(path.parent.parent)


def _find_path(store_path: Path, photo_id: str) -> Path:
    return get_photo_folder(store_path) / photo_id[:2] / photo_id


def _get_key(store: Store) -> bytes:
    """The key of the photos, made at its first use."""
    sql = "SELECT key_hex FROM file_keys WHERE purpose = ?"
    rows = store.read(sql, [_PURPOSE])
    if not rows.empty:
        return bytes.fromhex(str(rows["key_hex"].iloc[0]))

    def make(transaction: Transaction) -> str:
        there = transaction.fetch(sql, [_PURPOSE])
        if not there.empty:
            return str(there["key_hex"].iloc[0])
        key = secrets.token_hex(32)
        insert_rows(transaction, "file_keys", [{"purpose": _PURPOSE, "key_hex": key}])
        return key

    return bytes.fromhex(store.write(make))
