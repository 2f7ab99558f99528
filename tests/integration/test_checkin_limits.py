"""A check-in server open to anybody: who sends too much, too large or too slowly is sent away and loses nothing."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from i18n import LANGUAGES, t
from server.checkin_box import CheckinBox
from server.checkin_server import FAULT_COSTS, build_checkin_app
from server.listen import bind_port
from server.patience import PatientProtocol
from server.rate_limits import Allowance, RateLimits
from tasks.records import format_at, sign_record
from tests.fixtures.access import Clock

WAIT_S = 20.0


@pytest.fixture
def box(tmp_path: Path) -> Iterator[CheckinBox]:
    opened = CheckinBox(tmp_path / "box", clock=Clock())
    yield opened
    opened.queue.close()


def items(*numbers: int) -> dict[str, Any]:
    at = format_at(Clock()())
    plains = [{"id": f"phone-{n:06d}", "point": "p-1", "card": "1234566", "at": at, "code": "0000"} for n in numbers]
    return {"items": [{"record": dict(sign_record(plain, "S" * 16).plain)} for plain in plains]}


class Hand:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_too_much_from_one_address_waits_and_comes_later(box: CheckinBox) -> None:
    clock = Hand()
    limits = RateLimits(Allowance(60, 2), Allowance(1000, 100), clock_s=clock)
    app = build_checkin_app(box, limits=limits)
    phone, other = (TestClient(app, client=(address, 5000)) for address in ("192.0.2.1", "192.0.2.2"))
    assert phone.post("/checkins", json=items(*range(50))).status_code == 202
    waits = phone.post("/checkins", json=items(*range(50, 70)))
    # The door took one of the ten that were left; nineteen more are needed, ten of them at two a second.
    assert (waits.status_code, waits.headers.get("retry-after")) == (429, "5"), waits.text
    message = waits.json()["error"]["message"]
    assert [t("checkins.phone_wait", lang, n=5) in message for lang in LANGUAGES] == [True, True]
    assert box.queue.count_waiting() == 50  # nothing of it was kept, so that nothing is told to be
    assert other.post("/checkins", json=items(900)).status_code == 202
    clock.now_s += 6
    assert phone.post("/checkins", json=items(*range(50, 70))).status_code == 202
    assert box.queue.count_waiting() == 71
    # Nonsense is dearer than check-ins: after some of it the address waits, the page included.
    clock.now_s += 60
    for _ in range(60 // FAULT_COSTS):
        assert phone.post("/checkins", json={"items": [5]}).status_code == 400
    assert phone.get("/").status_code == 429
    assert other.get("/").status_code == 200


class Impatient(PatientProtocol):
    head_s = 0.3
    most_of_address = 3


@contextmanager
def serve(app: ASGIApp) -> Iterator[int]:
    with bind_port("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, http=Impatient, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(WAIT_S)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes; a connection that it cut counts as closed."""
    connection.settimeout(WAIT_S)
    content = b""
    try:
        while chunk := connection.recv(65536):
            content += chunk
    except ConnectionResetError:
        pass
    return content


def test_who_says_nothing_or_half_of_it_is_cut_off_and_others_are_answered(box: CheckinBox) -> None:
    with serve(build_checkin_app(box, body_s=0.4)) as port:

        def open_one(said: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(said)
            return connection

        begin = time.monotonic()
        silent, half = open_one(b""), open_one(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert read_all(silent) == read_all(half) == b""
        assert time.monotonic() - begin < WAIT_S / 2
        # A head of more than uvicorn takes, and a body that never comes.
        endless = open_one(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000)
        assert b" 200 " not in read_all(endless)
        slow = open_one(
            b"POST /checkins HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        assert re.match(rb"HTTP/1.1 408 .*connection: close", read_all(slow), re.DOTALL | re.IGNORECASE)
        # No more than three of an address at once; when they are gone the next one is answered.
        held = [open_one(b"") for _ in range(3)]
        assert read_all(open_one(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == b""
        for one in held:
            one.close()
        for _ in range(100):
            answer = read_all(open_one(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            if answer:
                break
            time.sleep(0.02)  # the server hears of the closing a moment later
        assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"ok": True, "waiting": 0}
    assert not PatientProtocol._open
