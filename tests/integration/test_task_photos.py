"""Photos of evidence: no word in them but pixels, unreadable beside the store, the same picture once."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.approvals import ask, decide
from data.backup import make_backup, read_backup
from data.erasure import Person, build_subject, erase_person
from data.freshness import Difference, propose
from data.keys import to_key
from data.restoring import restore_backup
from data.retention import apply_retention
from data.store import Store
from data.task_photos import (
    KEPT_SIDE_PX,
    add_photo,
    bring_photos_back,
    find_photo_ids,
    get_photo,
    get_photo_folder,
    mirror_photos,
    sweep_photos,
)
from data.viewer import WALL, Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError, RecordMissingError
from tasks.life_cycle import Action
from tests.fixtures.tasks import Office, access_store, clock, office

__all__ = ["access_store", "clock", "office"]
CAMERA = "CanaryPhone 9"


def take(size: tuple[int, int] = (60, 40), kind: str = "JPEG") -> bytes:
    """A picture whose upper left corner is red, turned as a phone does it, with camera, place and comment in it."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 2, : size[0] // 2, 0] = 255
    exif = Image.Exif()
    exif[0x0110] = CAMERA
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright (Exif 2.32, 4.6.4)
    exif.get_ifd(0x8825)[2] = (33.5, 0.0, 0.0)
    out = io.BytesIO()
    comment = {"comment": CAMERA.encode()} if kind == "JPEG" else {}
    Image.fromarray(pixels).save(out, kind, exif=exif, **comment)
    return out.getvalue()


def keep(office: Office, content: bytes, task: str, evidence: str = "e1", who: Viewer | None = None) -> str:
    viewer = who or office.worker
    return add_photo(office.store, viewer, task, evidence, content, captured_utc=office.clock(), clock=office.clock)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_keeps_its_pixels_and_nothing_else(office: Office, kind: str) -> None:
    task = office.make()
    content = take(kind=kind)
    assert CAMERA.encode() in content
    photo = get_photo(office.store, office.officer, keep(office, content, task), clock=office.clock)
    assert CAMERA.encode() not in photo.content
    with Image.open(io.BytesIO(photo.content)) as kept:
        assert (kept.format, kept.size) == ("JPEG", (40, 60))  # upright
        assert not kept.getexif()
        assert "comment" not in kept.info
        assert kept.getpixel((35, 5))[0] > 200  # the red corner is now the upper right one
        assert kept.getpixel((5, 5))[0] < 60
    looks = office.store.read("SELECT subject_kind, subject_id FROM audit_log WHERE action = 'look'")
    assert looks.to_dict("records") == [{"subject_kind": "task", "subject_id": task}]


def test_a_photo_may_come_first_or_twice_and_is_one(office: Office) -> None:
    task = office.make()
    first = keep(office, take(), task)
    assert keep(office, take(), task) == first
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    files = [path for path in get_photo_folder(office.store.path).rglob("*") if path.is_file()]
    assert [path.name for path in files] == [first]
    assert not files[0].read_bytes().startswith(b"\xff\xd8")
    assert files[0].stat().st_mode & 0o077 == 0
    stored = files[0].read_bytes()
    files[0].write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(BadFileError, match="not as it was written"):
        get_photo(office.store, office.officer, first, clock=office.clock)


def test_what_is_no_photo_and_who_may_not(office: Office) -> None:
    task = office.make()
    large = io.BytesIO()
    Image.new("1", (9000, 9000)).save(large, "PNG")
    for content, why in ((b"<svg/>", "cannot be read"), (b"x" * 15_000_001, "at most 15000000"),
                         (take()[:400], "cannot be read"), (large.getvalue(), "81")):  # fmt: skip
        with pytest.raises(BadRecordError, match=why if why != "81" else "9000 x 9000 pixels"):
            keep(office, content, task)
    assert office.store.read("SELECT count(*) AS n FROM task_photos")["n"].iloc[0] == 0
    photo = keep(office, take((4200, 1000)), task)
    assert office.store.read("SELECT max(height_px) AS n FROM task_photos")["n"].iloc[0] == KEPT_SIDE_PX
    for viewer in (office.neighbour, WALL):
        with pytest.raises(NotAllowedError):
            get_photo(office.store, viewer, photo, clock=office.clock)
    with pytest.raises(RecordMissingError):
        get_photo(office.store, office.officer, "nothing", clock=office.clock)


def test_photos_come_back_with_a_backup_of_an_encrypted_store(office: Office, tmp_path: Path) -> None:
    task = office.make()
    photo = keep(office, take(), task)
    folder, key = tmp_path / "backups", to_key("another key of the office")
    backup = make_backup(office.store, folder, clock=office.clock, key=key)
    assert (mirror_photos(office.store.path, folder), mirror_photos(office.store.path, folder)) == (1, 0)
    path = tmp_path / "elsewhere" / "village.duckdb"
    restore_backup(read_backup(backup.path, key), path, key=key, clock=office.clock)
    assert bring_photos_back(folder, "demo", path) == 1
    with Store(path, clock=office.clock, key=key) as restored:
        assert restored.is_encrypted
        assert get_photo(restored, office.officer, photo, clock=office.clock).content[:2] == b"\xff\xd8"


def test_photos_go_when_their_time_is_over_and_leave_the_backup_too(office: Office, tmp_path: Path) -> None:
    store, folder = office.store, tmp_path / "backups"
    old, young = office.make(), office.make()
    for task in (old, young):
        keep(office, take(), task)
        evidence = office.saw(f"e-{task}", "门口有电线", x_m=1.0, y_m=2.0)
        office.do(office.worker, task, Action.SUBMIT, evidence=evidence)
    office.do(office.officer, old, Action.CLOSE)
    mirror_photos(store.path, folder, known=find_photo_ids(store))
    office.clock.move(days=364)
    assert apply_retention(store, clock=office.clock)["photos"] == 0
    office.clock.move(days=2)
    assert apply_retention(store, clock=office.clock)["photos"] == 1  # the other's task is open yet
    left = find_photo_ids(store)
    assert {file.name for file in get_photo_folder(store.path).glob("??/*")} == left
    mirror_photos(store.path, folder, known=left)
    assert {file.name for file in (folder / "demo.photos").glob("??/*")} == left
    assert len(left) == 1
    office.clock.move(days=1095 - 366 + 1)
    gone = apply_retention(store, clock=office.clock)
    assert (gone["evidence"], gone["photos"]) == (1, 0)
    rows = store.read("SELECT task_id, narrative, place_source, geom IS NULL AS empty FROM task_evidence")
    assert {row[0]: tuple(row[1:]) for row in rows.astype(object).where(rows.notna(), None).to_numpy().tolist()} == {
        old: (None, "none", True), young: ("门口有电线", "device", False)
    }  # fmt: skip


def test_a_file_without_its_row_is_swept_after_an_hour(office: Office) -> None:
    photo = keep(office, take(), office.make())
    folder = get_photo_folder(office.store.path)
    stray = folder / photo[:2] / ("0" * 32)
    stray.write_bytes(b"of a photo whose row never came")
    now = datetime.fromtimestamp(stray.stat().st_mtime, UTC)
    assert sweep_photos(office.store, now=now + timedelta(minutes=59)) == 0
    assert sweep_photos(office.store, now=now + timedelta(minutes=61)) == 1
    assert get_photo(office.store, office.officer, photo, clock=office.clock).content


def test_erasing_a_person_takes_the_photos_of_their_home(office: Office) -> None:
    store, admin = office.store, Viewer(Role.ADMIN, account_id="a2", name="boss")
    theirs, others = (
        keep(office, take(), office.make(subject_id=unit, receiver=None), who=office.officer) for unit in ("u1", "u2")
    )
    commander = Viewer(Role.COMMANDER, account_id="a1", name="commander")
    li = Person("李小红", "139-8765-4321")
    note = Difference("p1", "unit", "u1", "moved_in", "residents_count", "3", office.clock(), "李小红搬来了")
    propose(store, office.officer, note, clock=office.clock)
    store.write(lambda tx: tx.execute("proposals", "UPDATE proposals SET note = '李小红搬来了'"))
    asked = ask(store, commander, "erase_person", build_subject(store, li), "本人申请删除", clock=office.clock)
    given = decide(store, admin, asked.approval_id, approved=True, clock=office.clock)
    erased = erase_person(store, commander, li, given.approval_id, clock=office.clock)
    assert erased.photos == (theirs,)
    assert find_photo_ids(store) == {others}
    assert "李小红" not in store.read("SELECT note FROM proposals")["note"].iloc[0]
    assert {file.name for file in get_photo_folder(store.path).glob("??/*")} == {others}
