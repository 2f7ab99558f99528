"""Files between the office and a check-in server: what is forged, replayed, altered or over is found, each by a try."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.queries import find_checkin_files, find_checkins
from gis.errors import BadFileError, BadRecordError, NotAllowedError, RefusedError
from tasks.cards import get_card, renew_card
from tasks.checkin_files import add_server, get_office_public, take_checkins_file, write_points_file
from tasks.checkin_points import find_day_code
from tasks.checkins import decide
from tasks.records import format_at, sign_record
from tasks.signed_files import FileKind, build_file, read_file, to_public
from tests.fixtures.volunteers import OFFICER, TODAY, WORKER, Square, shared_square

__all__ = ["shared_square"]

SERVER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
# The points lie on 120° E, the central meridian of EPSG:4549.
LASTS = timedelta(days=7)


class Phone:
    """A volunteer's telephone: knows the card, and where it is."""

    def __init__(self, square: Square, volunteer_id: str, point: dict[str, Any]) -> None:
        self.square, self.point = square, point
        self.card = get_card(square.store, OFFICER, volunteer_id)
        self.number = 0

    def sign(self, **change: str) -> dict[str, str]:
        self.number += 1
        plain = {
            "id": f"ph-{self.card.number}-{self.number:04d}", "point": self.point["point_id"], "card": self.card.number,
            "code": find_day_code(self.square.store, OFFICER, self.point["point_id"], TODAY),
            "at": format_at(self.square.clock()), "lat": f"{self.point['lat']:.7f}", "lon": f"{self.point['lon']:.7f}",
            "acc": "12",
        }  # fmt: skip
        return dict(sign_record({**plain, **change}, self.card.secret).plain)


def pack(square: Square, *records: Any, key: Ed25519PrivateKey = SERVER, start: int = 1, **change: Any) -> bytes:
    received = square.clock().isoformat()
    rows = [{"seq": start + n, "received": received, "record": one} for n, one in enumerate(records)]
    given = {"now": square.clock(), "lasts": LASTS, **change}
    return build_file(FileKind.CHECKINS, {"records": rows}, key, **given)[1]


@pytest.fixture
def phone(shared_square: Square) -> Phone:
    one = shared_square
    add_server(one.store, OFFICER, "外网", to_public(SERVER), address="https://daka.example.cn/", clock=one.clock)
    point_id = one.add_point(points=2, period_minutes=10)
    file = json.loads(write_points_file(one.store, OFFICER, clock=one.clock))
    return Phone(one, one.join(), next(p for p in file["body"]["points"] if p["point_id"] == point_id))


def take(square: Square, content: bytes) -> dict[str, int]:
    return take_checkins_file(square.store, OFFICER, content, clock=square.clock)


def test_the_file_of_points_says_where_and_when_and_no_more(shared_square: Square, phone: Phone) -> None:
    one = shared_square
    content = write_points_file(one.store, OFFICER, clock=one.clock)
    public = get_office_public(one.store, OFFICER)
    file = read_file(content, FileKind.POINTS, trusted={public}, now=one.clock())
    assert set(phone.point) == {
        *("point_id", "name", "weekdays", "hours_from", "hours_to", "opens_on", "closes_on", "radius_m", "points"),
        *("period_minutes", "photo_wanted", "lon", "lat"),
    }
    assert abs(phone.point["lon"] - 120) < 1e-6
    text = content.decode()
    assert "多次报警" not in text
    assert phone.card.number not in text
    assert set(file.body) == {"points", "arrived"}
    with pytest.raises(NotAllowedError):
        write_points_file(one.store, WORKER, clock=one.clock)


def test_check_ins_come_in_once(shared_square: Square, phone: Phone) -> None:
    one = shared_square
    first, second = phone.sign(), phone.sign(lat="", lon="", acc="")
    report = take(one, pack(one, first, second))
    # The second is of the same moment and place: a doubt, like the missing position.
    assert report == {"records": 2, "new": 2, "counted": 1, "pending": 1, "same_period": 1, "no_position": 1}
    one.clock.move(minutes=1)
    again = take(one, pack(one, first, second, first))
    assert again == {"records": 3, "repeats": 3}
    row = find_checkins(one.store, OFFICER, state="counted", point_id=phone.point["point_id"]).iloc[0]
    assert (row["points"], row["way"], row["accuracy_m"]) == (2, "phone", 12.0)
    assert row["distance_m"] < 0.5
    latest = json.loads(find_checkin_files(one.store, OFFICER)["report"].iloc[0])
    assert latest["last_seq"] == 3
    arrived = json.loads(write_points_file(one.store, OFFICER, clock=one.clock))["body"]["arrived"]
    assert arrived[to_public(SERVER)] >= 3


def test_what_is_forged_or_altered_is_found(shared_square: Square, phone: Phone) -> None:
    one = shared_square
    true = phone.sign()
    moved = {**true, "id": "forged-0001", "lat": "33.9"}
    guessed = dict(sign_record({**phone.sign(), "id": "forged-0002", "mac": ""}, "A" * 16).plain)
    assert take(one, pack(one, moved, guessed))["bad_signature"] == 2
    for checkin_id in ("forged-0001", "forged-0002"):
        assert one.store.rows("SELECT state, points FROM checkins WHERE checkin_id = ?", [checkin_id]) == [
            ("pending", 0)
        ]
        assert decide(one.store, OFFICER, checkin_id, accept=False, reason="签名不对", clock=one.clock).points == 0
    take(one, pack(one, true))
    other = dict(sign_record({**true, "at": format_at(one.clock() - timedelta(hours=1))}, phone.card.secret).plain)
    assert take(one, pack(one, other)) == {"records": 1, "altered": 1}
    stranger = {**true, "card": "1234566", "id": "stranger-01"}
    nowhere = phone.sign(point="p-nowhere")
    assert take(one, pack(one, stranger, nowhere, {"id": 5}, "text")) == {"records": 4, "unknown": 2, "unreadable": 2}
    renew_card(one.store, OFFICER, one.store.rows("SELECT volunteer_id FROM volunteers WHERE number = ?",
                                                  [phone.card.number])[0][0], clock=one.clock)  # fmt: skip
    assert take(one, pack(one, phone.sign()))["bad_signature"] == 1  # the lost card


def test_too_far_too_fast_late_ahead_and_yesterdays_code(shared_square: Square, phone: Phone) -> None:
    one = shared_square
    far = phone.sign(lat=f"{phone.point['lat'] + 0.001:.7f}")  # 111 m north: 40 m and twice 12 m are granted
    assert take(one, pack(one, far))["too_far"] == 1
    before = phone.sign(at=format_at(one.clock() - timedelta(hours=49)))
    found = take(one, pack(one, before))
    assert (found["late"], found["wrong_code"]) == (1, 1)
    assert take(one, pack(one, phone.sign(at=format_at(one.clock() + timedelta(minutes=7)))))["clock_ahead"] == 1
    there = one.add_point(3000.0)
    sent = phone.sign(point=there, lat="", lon="", code=find_day_code(one.store, OFFICER, there, TODAY))
    assert take(one, pack(one, sent))["too_fast"] == 1


def test_files_that_are_not_believed(shared_square: Square, phone: Phone) -> None:
    one = shared_square
    good = pack(one, phone.sign())
    take(one, good)
    with pytest.raises(RefusedError, match="was taken in already"):
        take(one, good)
    with pytest.raises(RefusedError, match="is not known here"):
        take(one, pack(one, phone.sign(), key=Ed25519PrivateKey.from_private_bytes(b"x" * 32)))
    with pytest.raises(RefusedError, match="ended on"):
        take(one, pack(one, phone.sign(), lasts=timedelta(0)))
    with pytest.raises(RefusedError, match="which is to come"):
        take(one, pack(one, phone.sign(), now=one.clock() + timedelta(days=3)))
    plain = json.loads(pack(one, phone.sign()))
    changes = {"made": (one.clock() - timedelta(hours=1)).isoformat(), "file_id": "x-other", "body": {"records": []}}
    for name, value in changes.items():
        with pytest.raises(BadFileError, match="not as it was signed"):
            take(one, json.dumps({**plain, name: value}).encode())
    for junk in (b"", b"{}", b"[1]", b"\xff", json.dumps({**plain, "kind": "shapan-points-1"}).encode()):
        with pytest.raises(BadFileError, match="no file of kind"):
            take(one, junk)
    with pytest.raises(BadRecordError, match="no address"):
        add_server(one.store, OFFICER, "外网", to_public(SERVER), address="http://daka", clock=one.clock)
    with pytest.raises(BadRecordError, match="64 hexadecimal"):
        add_server(one.store, OFFICER, "外网", "abc", clock=one.clock)
