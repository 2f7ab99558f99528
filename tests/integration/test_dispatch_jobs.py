"""What runs by itself: nobody answers and the right people hear of it; the other system is told everything."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from data.administration import change_settings
from data.keys import to_key
from data.secret_files import get_key
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from data.webhooks import count_waiting
from incidents.dispatches import answer, send
from incidents.dispatching import DispatchAction
from incidents.escalating import Escalation
from server.certificates import Subjects, build_authority, build_server_certificate
from server.dispatch_jobs import build_dispatch_schedulers
from server.webhook import WebhookSender
from tests.fixtures.access import Clock
from tests.fixtures.dispatch import (
    OFFICER,
    add_responders,
    check_rebuilt,
    dispatch_clock,
    dispatch_store,
    read_dispatches,
    take_in,
)
from tests.fixtures.intake import KEY, build_store
from tests.fixtures.serving import build_environment
from tests.fixtures.webhook_receiver import Receiver

__all__ = ["dispatch_clock", "dispatch_store"]

ADMIN = Viewer(Role.ADMIN, account_id="a1", name="admin")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_nobody_answers(dispatch_store: Store, dispatch_clock: Clock) -> None:
    """Dispatchers after a minute, the commander after two, given up after half an hour: free again, and it waits."""
    store, clock = dispatch_store, dispatch_clock
    urgent, normal = take_in(store, clock), take_in(store, clock, urgency="normal")
    send(store, OFFICER, urgent, "r2", clock=clock)
    send(store, OFFICER, normal, "r3", clock=clock)
    escalation = Escalation(store, clock)
    seen = []
    sent = clock.now
    for second in range(0, 1810, 20):
        clock.now = sent + timedelta(seconds=second)
        if second == 900:  # a server that was started anew knows what the old one knew
            escalation = Escalation(store, clock)
        seen += [(second, one.responder_id, one.state.value, one.level) for one in escalation.run()]
    assert sorted(seen) == [
        (60, "r2", "sent", 1), (120, "r2", "sent", 2), (180, "r3", "sent", 1), (360, "r3", "sent", 2),
        (1800, "r2", "expired", 2), (1800, "r3", "expired", 2),
    ]  # fmt: skip
    assert store.read("SELECT DISTINCT status FROM incidents")["status"].tolist() == ["placed"]
    assert set(store.read("SELECT actor FROM audit_log WHERE subject_kind = 'dispatch'")["actor"]) == {
        "officer07",
        "server",
    }
    check_rebuilt(store)


def test_an_answer_ends_it_and_the_settings_say_when(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    told = send(store, OFFICER, take_in(store, clock), "r2", clock=clock).dispatch
    escalation = Escalation(store, clock)
    clock.move(seconds=30)
    assert escalation.run() == ()
    change_settings(store, ADMIN, {"answer_urgent_s": 20}, clock=clock)
    assert [one.level for one in escalation.run()] == [1]
    clock.move(hours=-1)  # a clock that is set back tells nobody anything
    assert escalation.run() == ()
    clock.move(hours=1)
    answer(store, OFFICER, told.dispatch_id, DispatchAction.ACCEPT, clock=clock)
    clock.move(hours=9)
    assert escalation.run() == ()


def test_the_server_looks_by_itself_and_tells_the_screens(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    incident_id = take_in(store, clock)
    send(store, OFFICER, incident_id, "r2", clock=clock)
    told: list[str] = []
    store.subscribe(lambda changed: told.extend(changed))
    schedulers = build_dispatch_schedulers(store, clock, look_s=0.01)
    for scheduler in schedulers:
        scheduler.start()
    clock.move(seconds=61)
    end = time.monotonic() + 20
    while "dispatches" not in told and time.monotonic() < end:
        clock.move(seconds=1)
        time.sleep(0.01)
    for scheduler in schedulers:
        scheduler.stop()
    assert [one.level for one in read_dispatches(store, incident_id)] == [1]


# The webhook


def set_webhook(store: Store, url: str, clock: Clock) -> WebhookSender:
    change_settings(store, ADMIN, {"webhook_url": url}, clock=clock)
    return WebhookSender(store, clock)


def test_every_step_is_told_in_order_signed_and_without_a_person(
    dispatch_store: Store, dispatch_clock: Clock, receiver: Receiver
) -> None:
    store, clock = dispatch_store, dispatch_clock
    sender = set_webhook(store, receiver.url, clock)
    incident_id = take_in(store, clock)
    told = send(store, OFFICER, incident_id, "r2", clock=clock).dispatch.dispatch_id
    answer(store, OFFICER, told, DispatchAction.ACCEPT, clock=clock)
    clock.move(seconds=9)
    answer(store, OFFICER, told, DispatchAction.DECLINE, reason="王建国 13812341234 病了", clock=clock)
    assert (sender.run(), sender.run()) == (3, 0)
    assert [one.message["event"] for one in receiver.received] == [
        "dispatch.send", "dispatch.accept", "dispatch.decline",
    ]  # fmt: skip
    first = receiver.received[0].message
    assert (first["dispatch"]["call_sign"], first["dispatch"]["channel"], first["incident"]["incident_id"]) == (
        "卫士02", "4", incident_id,
    )  # fmt: skip
    assert (first["incident"]["address"], first["incident"]["crs"]) == ("小村12幢1单元101室", "EPSG:4549")
    for one in receiver.received:
        seconds, signature = (part.split("=")[1] for part in one.headers["X-Shapan-Signature"].split(","))
        # RFC 2104 by the standard library; the key as the settings page shows it.
        expected = hmac.new(get_key(store, "webhook"), seconds.encode() + b"." + one.body, hashlib.sha256).hexdigest()
        assert (signature, int(seconds)) == (expected, int(clock.now.timestamp()))
        assert one.headers["X-Shapan-Message"] == one.message["message_id"]
        for person in ("王", "李小红", "1381234", "1398765", "病了"):
            assert person not in one.body.decode()
    assert len({one.message["message_id"] for one in receiver.received}) == 3


def test_of_a_sensitive_kind_only_grid_and_time(
    dispatch_store: Store, dispatch_clock: Clock, receiver: Receiver
) -> None:
    store, clock = dispatch_store, dispatch_clock
    sender = set_webhook(store, receiver.url, clock)
    incident_id = take_in(store, clock)
    store.write(lambda tx: tx.execute("incidents", "UPDATE incidents SET category = 'self_harm'"))
    send(store, OFFICER, incident_id, "r2", clock=clock)
    sender.run()
    about = receiver.received[0].message["incident"]
    assert (about["undisclosed"], about["grid_id"], about["status"]) == (True, "g1", "placed")
    assert {about[name] for name in ("category", "number", "address", "x_m", "y_m")} == {None}


def test_what_is_not_taken_comes_again_and_holds_up_what_follows(
    dispatch_store: Store, dispatch_clock: Clock, receiver: Receiver
) -> None:
    store, clock = dispatch_store, dispatch_clock
    sender = set_webhook(store, receiver.url, clock)
    receiver.statuses = [503, 500, 429]
    told = send(store, OFFICER, take_in(store, clock), "r2", clock=clock).dispatch.dispatch_id
    answer(store, OFFICER, told, DispatchAction.ACCEPT, clock=clock)
    tried = []
    for second in range(40):
        before = len(receiver.received)
        sender.run()
        tried += [second] * (len(receiver.received) - before)
        clock.move(seconds=1)
    assert tried == [0, 2, 6, 14, 14], "after 2, 4 and 8 seconds; then the second message at once"
    assert [one.message["event"] for one in receiver.received] == ["dispatch.send"] * 4 + ["dispatch.accept"]
    assert len({one.body for one in receiver.received}) == 2, "the same message to the byte"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(dispatch_store: Store, dispatch_clock: Clock, receiver: Receiver, status: int) -> None:
    store, clock = dispatch_store, dispatch_clock
    with Receiver() as elsewhere:
        receiver.statuses, receiver.location = [status] * 9, elsewhere.url
        sender = set_webhook(store, receiver.url, clock)
        send(store, OFFICER, take_in(store, clock), "r2", clock=clock)
        for _ in range(8):
            sender.run()
            clock.move(minutes=6)
        assert elsewhere.received == []
    assert len(receiver.received) == 5, "what refuses five times is given up"
    assert (count_waiting(store).waiting, count_waiting(store).given_up) == (0, 1)


def test_an_address_outside_is_never_called_even_if_it_stands_in_the_file(
    dispatch_store: Store, dispatch_clock: Clock
) -> None:
    store, clock = dispatch_store, dispatch_clock
    sender = set_webhook(store, "http://127.0.0.1:1/", clock)
    store.write(lambda tx: tx.execute("settings", "UPDATE settings SET value = '\"http://198.51.100.1/\"' "
                                                  "WHERE name = 'webhook_url'"))  # fmt: skip
    send(store, OFFICER, take_in(store, clock), "r2", clock=clock)
    assert sender.run() == 0
    problems = store.read("SELECT problem, attempts FROM webhook_outbox").to_dict("records")
    assert problems == [{"problem": "address_refused", "attempts": 1}]


def test_https_with_the_offices_own_authority(dispatch_store: Store, dispatch_clock: Clock, tmp_path: Path) -> None:
    store, clock = dispatch_store, dispatch_clock
    here = Subjects(frozenset(), frozenset({ipaddress.ip_address("127.0.0.1")}))
    authority = build_authority(here, now=utc_now())
    ca_file, server_file = tmp_path / "ca.pem", tmp_path / "server.pem"
    ca_file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    signed = build_server_certificate(authority, here, now=utc_now())
    key = signed.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    server_file.write_bytes(key + signed.certificate.public_bytes(Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server_file)
    with Receiver(tls) as receiver:
        stranger = set_webhook(store, receiver.url, clock)
        send(store, OFFICER, take_in(store, clock), "r2", clock=clock)
        assert stranger.run() == 0
        assert store.read("SELECT problem FROM webhook_outbox")["problem"].tolist() == ["certificate_refused"]
        assert receiver.received == []
        clock.move(minutes=1)
        assert WebhookSender(store, clock, ca_file).run() == 1
        assert len(receiver.received) == 1


def test_nobody_there_for_a_day_and_it_is_given_up(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    sender = set_webhook(store, "http://127.0.0.1:1/", clock)
    send(store, OFFICER, take_in(store, clock), "r2", clock=clock)
    waits = []
    for _ in range(10):
        sender.run()
        due = store.read("SELECT next_utc FROM webhook_outbox")["next_utc"].iloc[0].to_pydatetime()
        waits.append((due.replace(tzinfo=clock.now.tzinfo) - clock.now).total_seconds())
        clock.now = due.replace(tzinfo=clock.now.tzinfo)
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    clock.move(hours=24)
    sender.run()
    assert (count_waiting(store).waiting, count_waiting(store).given_up) == (0, 1)


def test_killed_after_the_commit_nothing_is_lost(tmp_path: Path, receiver: Receiver) -> None:
    clock = Clock()
    path = tmp_path / "place.duckdb"
    with build_store(path, clock) as store:
        add_responders(store)
        incident_id = take_in(store, clock)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.killed_dispatcher", str(path), incident_id, receiver.url],
        env=build_environment(tmp_path), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    with Store(path, clock=clock, key=to_key(KEY)) as store:
        assert read_dispatches(store, incident_id)[0].dispatch_id == killed.stdout.strip()
        assert WebhookSender(store, clock).run() == 1
        check_rebuilt(store)
    assert receiver.received[0].message["dispatch"]["dispatch_id"] == killed.stdout.strip()
