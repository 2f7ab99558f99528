"""Ten thousand check-ins in an hour, as fast as they go, each sent at least once more on a bad line: none is lost."""

from __future__ import annotations

import random
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import time
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from data.store import utc_now
from tasks.booking import to_day
from tasks.cards import get_card
from tasks.checkin_files import take_checkins_file
from tasks.checkin_points import find_day_code
from tasks.ledger_check import check_book
from tasks.records import format_at, sign_record
from tests.fixtures.checkin_process import serve_checkins_of
from tests.fixtures.volunteers import OFFICER, Square, square

__all__ = ["square"]

NUMBER, PEOPLE, POINTS, PHONES = 10_000, 100, 10, 8
LEAST_A_SECOND = NUMBER / 3600


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_check_ins_lose_none(square: Square, tmp_path: Path) -> None:
    square.clock.now = utc_now()
    today = to_day(utc_now())
    points = [
        square.add_point(200.0 * n, opens_on=today, lit=True, hours_from=time(0), hours_to=time(23, 59))
        for n in range(POINTS)
    ]
    cards = [get_card(square.store, OFFICER, square.join(f"甲{n}")) for n in range(PEOPLE)]
    codes = {point: find_day_code(square.store, OFFICER, point, today) for point in points}
    at = format_at(utc_now())
    records = [
        sign_record(
            {"id": f"soak-{n:06d}", "point": point, "card": card.number, "code": codes[point], "at": at}, card.secret
        )
        for n in range(NUMBER)
        for point, card in [(points[n % POINTS], cards[n % PEOPLE])]
    ]
    with serve_checkins_of(square, tmp_path / "box") as running:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate is not what is tested

        def send(phone: int) -> int:
            lot = random.Random(phone)
            acknowledged = 0
            with httpx.Client(base_url=running.url, verify=context, timeout=60) as client:
                for record in records[phone::PHONES]:
                    body = {"items": [{"record": dict(record.plain)}]}
                    for _ in range(2 if lot.random() < 0.2 else 1):  # the answer got lost: once more
                        while (answer := client.post("/checkins", json=body)).status_code == 429:
                            sleep(int(answer.headers["retry-after"]))  # all phones come from one address here
                        assert answer.status_code == 202, answer.text
                    acknowledged += 1
            return acknowledged

        begin = monotonic()
        with ThreadPoolExecutor(PHONES) as pool:
            sent = sum(pool.map(send, range(PHONES)))
        taken_s = monotonic() - begin
        assert sent == NUMBER
        content = running.collect()
    square.clock.now = utc_now()
    begin = monotonic()
    report = take_checkins_file(square.store, OFFICER, content, clock=square.clock)
    office_s = monotonic() - begin
    print(f"phones {NUMBER / taken_s:.0f}/s, office {NUMBER / office_s:.0f}/s, {report}")
    assert (report["records"], report["new"], report.get("counted", 0) + report.get("pending", 0)) == (
        NUMBER,
        NUMBER,
        NUMBER,
    )
    assert square.store.rows("SELECT count(*), count(DISTINCT checkin_id) FROM checkins") == [(NUMBER, NUMBER)]
    assert check_book(square.store).is_whole
    assert NUMBER / taken_s >= LEAST_A_SECOND
    assert NUMBER / office_s >= LEAST_A_SECOND
