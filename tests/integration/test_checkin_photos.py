"""Photos that came with check-ins: there while somebody may have to decide by them, and gone with their row."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from data.approvals import ask, decide
from data.erasure import Person, build_subject, erase_person
from data.retention import apply_retention
from data.store import Store
from data.task_photos import get_photo_folder, mirror_photos, sweep_photos
from data.viewer import Role, Viewer
from tasks.cards import get_card
from tasks.checkin_files import add_server, get_checkin_photo, take_checkins_file
from tasks.records import format_at, sign_record
from tasks.signed_files import FileKind, build_file, to_public
from tasks.volunteers import leave
from tests.fixtures.serving import ROOT
from tests.fixtures.volunteers import COMMANDER, OFFICER, Square, square

__all__ = ["square"]
SERVER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
ADMIN = Viewer(Role.ADMIN, account_id="a2", name="boss")


def bring(square: Square, *people: str) -> list[str]:
    """A check-in with a photo of each, by a file of a check-in server; returns their ids."""
    point = square.add_point(photo_wanted=True)
    add_server(square.store, OFFICER, "外网", to_public(SERVER), clock=square.clock)
    rows = []
    for number, who in enumerate(people):
        card = get_card(square.store, OFFICER, who)
        drawn = io.BytesIO()
        Image.new("RGB", (40, 30), (number, 120, 200)).save(drawn, "JPEG")
        photo = base64.b64encode(drawn.getvalue()).decode()
        digest = hashlib.sha256(photo.encode()).hexdigest()
        plain = {"id": f"phone-photo-{number}", "point": point, "card": card.number, "at": format_at(square.clock()),
                 "photo": digest}  # fmt: skip
        record = dict(sign_record(plain, card.secret).plain)
        rows.append({"seq": number + 1, "received": square.clock().isoformat(), "record": record, "photo": photo})
    content = build_file(FileKind.CHECKINS, {"records": rows}, SERVER, now=square.clock(), lasts=timedelta(days=7))[1]
    assert take_checkins_file(square.store, OFFICER, content, clock=square.clock)["new"] == len(people)
    return [str(row["record"]["id"]) for row in rows]


def list_files(store_path: Path) -> list[str]:
    return sorted(file.name for file in get_photo_folder(store_path).glob("??/*"))


def find_latest(store_path: Path) -> datetime:
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in get_photo_folder(store_path).glob("??/*")), UTC)


def test_photos_stay_while_they_count_and_go_with_their_row(square: Square, tmp_path: Path) -> None:
    one, path = square, square.store.path
    stays, leaves, erased = one.join("甲"), one.join("乙"), one.join("王阿姨", phone_last4="1234")
    ids = bring(one, stays, leaves, erased)
    files = {row[0]: row[1] for row in one.store.rows("SELECT checkin_id, photo_id FROM checkins")}
    assert list_files(path) == sorted(files.values())
    # The night's backup leaves them where they are, and has them too.
    assert sweep_photos(one.store, now=find_latest(path) + timedelta(days=1)) == 0
    assert mirror_photos(path, tmp_path / "backups") == 3
    assert get_checkin_photo(one.store, OFFICER, ids[1], clock=one.clock)[:2] == b"\xff\xd8"

    leave(one.store, OFFICER, leaves, clock=one.clock)
    assert list_files(path) == sorted([files[ids[0]], files[ids[2]]])
    person = Person("王阿姨", "138 0000 1234")
    asked = ask(one.store, COMMANDER, "erase_person", build_subject(one.store, person), "本人申请删除", clock=one.clock)
    given = decide(one.store, ADMIN, asked.approval_id, approved=True, clock=one.clock)
    assert erase_person(one.store, COMMANDER, person, given.approval_id, clock=one.clock).photos == (files[ids[2]],)
    assert list_files(path) == [files[ids[0]]]
    assert one.store.rows("SELECT count(record) FROM checkins WHERE volunteer_id = ?", [erased]) == [(0,)]

    one.clock.now = find_latest(path) + timedelta(days=40)
    assert apply_retention(one.store, clock=one.clock)["checkin_records"] == 1
    assert list_files(path) == []


@pytest.mark.timeout(120)
def test_a_photo_whose_row_went_just_before_a_kill_goes_at_the_next_look(square: Square) -> None:
    one, path = square, square.store.path
    who, other = one.join("甲"), one.join("乙")
    bring(one, who, other)
    one.store.close()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.killed_leaver", str(path), who], cwd=ROOT, timeout=100,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    one.store = Store(path, clock=one.clock)
    assert one.store.rows("SELECT state, call_name FROM volunteers WHERE volunteer_id = ?", [who]) == [("left", None)]
    ((left,),) = one.store.rows("SELECT photo_id FROM checkins WHERE photo_id IS NOT NULL")
    assert len(list_files(path)) == 2  # the row is gone, its file is not
    one.clock.now = find_latest(path) + timedelta(hours=2)
    assert apply_retention(one.store, clock=one.clock)["checkin_records"] == 0
    assert list_files(path) == [left]
