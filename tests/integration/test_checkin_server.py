"""The check-in server: what phones send is kept once, and what is no check-in is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from data.queries import find_checkins
from gis.errors import BadFileError, NotAllowedError, RefusedError
from server.checkin_box import CheckinBox
from server.checkin_server import MOST_BYTES, build_checkin_app
from tasks.cards import get_card
from tasks.checkin_files import add_server, get_checkin_photo, get_office_public, take_checkins_file, write_points_file
from tasks.checkin_points import find_day_code
from tasks.records import format_at, sign_record
from tests.fixtures.volunteers import OFFICER, TODAY, WORKER, Square, shared_square

__all__ = ["shared_square"]


@pytest.fixture
def box(shared_square: Square, tmp_path: Path) -> Iterator[CheckinBox]:
    """A server that believes the office of the square."""
    opened = CheckinBox(tmp_path / "box", clock=shared_square.clock)
    opened.believe(get_office_public(shared_square.store, OFFICER))
    yield opened
    opened.queue.close()


def sign(square: Square, volunteer_id: str, point_id: str, number: int = 1, **more: str) -> dict[str, Any]:
    card = get_card(square.store, OFFICER, volunteer_id)
    plain = {
        "id": f"phone-{card.number}-{number}", "point": point_id, "card": card.number, "at": format_at(square.clock()),
        "code": find_day_code(square.store, OFFICER, point_id, TODAY), **more,
    }  # fmt: skip
    return dict(sign_record(plain, card.secret).plain)


def test_from_the_phone_to_the_points_and_back(shared_square: Square, box: CheckinBox) -> None:
    one, phone = shared_square, TestClient(build_checkin_app(box))
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), (10, 120, 200)).save(drawn, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    photo = base64.b64encode(drawn.getvalue()).decode()
    point, who = one.add_point(photo_wanted=True), one.join()
    assert phone.get("/points.json").json() == {"points": []}
    add_server(one.store, OFFICER, "外网", box.public_key, address="https://daka.example.cn", clock=one.clock)
    first = write_points_file(one.store, OFFICER, clock=one.clock)
    assert box.take_points(first) >= 1
    told = phone.get("/points.json").json()["points"]
    assert point in {given["point_id"] for given in told}
    place = next(given for given in told if given["point_id"] == point)
    record = sign(one, who, point, lat=str(place["lat"]), lon=str(place["lon"]), acc="8",
                  photo=hashlib.sha256(photo.encode()).hexdigest())  # fmt: skip
    for _ in range(3):  # a phone on a bad line sends again and again
        answer = phone.post("/checkins", json={"items": [{"record": record, "photo": photo}]})
        assert (answer.status_code, answer.json()) == (202, {"taken": [record["id"]]})
    assert phone.get("/health").json() == {"ok": True, "waiting": 1}
    content, number = box.write_checkins()
    assert number == 1
    one.clock.move(minutes=1)
    assert take_checkins_file(one.store, OFFICER, content, clock=one.clock)["counted"] == 1
    assert find_checkins(one.store, OFFICER, volunteer_id=who)["points"].tolist() == [2]
    kept = get_checkin_photo(one.store, OFFICER, record["id"], clock=one.clock)
    with Image.open(io.BytesIO(kept)) as opened:
        assert (opened.size, dict(opened.getexif())) == ((40, 30), {})
    assert one.store.rows(
        "SELECT count(*) FROM audit_log WHERE action = 'look' AND subject_id = ?", [record["id"]]
    ) == [(1,)]
    with pytest.raises(NotAllowedError):
        get_checkin_photo(one.store, WORKER, record["id"], clock=one.clock)
    assert box.queue.count_waiting() == 1  # until the office says that it has it
    box.take_points(write_points_file(one.store, OFFICER, clock=one.clock))
    assert box.queue.count_waiting() == 0
    with pytest.raises(RefusedError, match="newer file of points"):
        box.take_points(first)


def test_what_is_no_check_in_is_refused_and_kept_out(shared_square: Square, box: CheckinBox) -> None:
    one, phone = shared_square, TestClient(build_checkin_app(box))
    good = sign(one, one.join(), one.add_point())
    for body in ({}, {"items": []}, {"items": [5]}, {"items": [{"record": {**good, "card": "x"}}]},
                 {"items": [{"record": good, "photo": "another"}]}, {"items": [{"record": good}] * 101}):  # fmt: skip
        assert phone.post("/checkins", json=body).status_code == 400
    assert phone.post("/checkins", content=b"{" * 9000, headers={"content-type": "application/json"}).status_code == 400
    assert phone.post("/checkins", content=b"x", headers={"content-type": "text/plain"}).status_code == 415
    large = json.dumps({"items": [{"record": good, "photo": "x" * MOST_BYTES}]})
    assert phone.post("/checkins", content=large, headers={"content-type": "application/json"}).status_code == 413
    assert box.queue.count_waiting() == 0
    # Another record under the same id does not push the first out: the office sees both.
    forged = {**good, "code": "0000"}
    phone.post("/checkins", json={"items": [{"record": forged}]})
    phone.post("/checkins", json={"items": [{"record": good}]})
    assert box.queue.count_waiting() == 2
    page = phone.get("/?lang=en")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "Check in" in page.text


def test_files_of_another_office_are_not_taken(shared_square: Square, box: CheckinBox, tmp_path: Path) -> None:
    one = shared_square
    content = write_points_file(one.store, OFFICER, clock=one.clock)
    stranger = CheckinBox(tmp_path / "other", clock=one.clock)
    with pytest.raises(RefusedError, match="No office is known"):
        stranger.take_points(content)
    stranger.believe("0" * 64)
    with pytest.raises(RefusedError, match="is not known here"):
        stranger.take_points(content)
    with pytest.raises(RefusedError, match="another office already"):
        stranger.believe("1" * 64)
    stranger.queue.close()
    with pytest.raises(BadFileError, match="not as it was signed"):
        box.take_points(content.replace("东门岗亭".encode(), "西门岗亭".encode()))
    box.take_points(content)
    one.clock.move(days=36)
    assert box.find_points() == []  # a server that nobody cares for shows nothing old
    with pytest.raises(RefusedError, match="ended on"):
        box.take_points(content)
    one.clock.move(days=-36)
    again = CheckinBox(tmp_path / "box", clock=one.clock)  # the key and what it believes are there after a restart
    assert (again.public_key, len(again.find_points())) == (box.public_key, len(box.find_points()))
    again.queue.close()
