"""Positions of people with radios: who is on duty is kept, each row is answered, nothing is kept of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely
from starlette.testclient import TestClient

from data.queries import find_forces
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from incidents.duty import Status
from incidents.forces import forget_off_duty, put_status, set_status
from server.api import PREFIX
from tests.fixtures.access import Clock
from tests.fixtures.intake import MIDDLE_M, build_client, intake_clock, intake_store, make_key

__all__ = ["intake_clock", "intake_store"]

URL = f"{PREFIX}/positions"
OFFICER = Viewer(Role.OFFICER, account_id="o", name="officer07")
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)  # 14:00 in Shanghai
# Call sign, kind, status, hours since it was said, duty hours.
_FORCES = (
    ("警员01", "officer", "ready", 1, "08:00", "17:00"),
    ("警员02", "officer", "off", 1, "08:00", "17:00"),
    ("辅警01", "auxiliary", None, 0, "08:00", "17:00"),
    ("辅警02", "auxiliary", None, 0, "14:30", "22:00"),
    ("志愿01", "volunteer", "ready", 1, "13:00", "15:00"),
    ("志愿02", "volunteer", "on_the_way", 1, "13:00", "15:00"),
    ("保安01", "estate_guard", "ready", 1, None, None),
    ("保安01", "estate_guard", "ready", 1, None, None),
)


@pytest.fixture
def store(intake_store: Store) -> Store:
    for number, (sign, kind, status, hours, begin, end) in enumerate(_FORCES, start=1):
        row = [f"r{number}", sign, kind, status, NOW.replace(tzinfo=None) - timedelta(hours=hours), begin, end]
        names = "responder_id, call_sign, kind, status, status_utc, duty_from, duty_to, full_time"
        sql = f"INSERT INTO responders ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, true)"
        intake_store.write(lambda tx, sql=sql, row=row: tx.execute("responders", sql, row))
    return intake_store


@pytest.fixture
def radio(store: Store, intake_clock: Clock) -> Iterator[TestClient]:
    with build_client(store, intake_clock, make_key(store, intake_clock, "positions:write", name="radio")) as client:
        yield client


def seen(call_sign: str | None, east_m: float = 0.0, *, minutes_ago: float = 1, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes_ago)
    place = {"lon": MIDDLE_M[0] + east_m, "lat": MIDDLE_M[1], "crs": "LOCAL"}
    return {"call_sign": call_sign, "at": at.isoformat(), **place, **more}


def post(radio: TestClient, *rows: dict[str, Any]) -> list[str]:
    answer = radio.post(URL, json=list(rows))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["stored"] == sum(row["is_stored"] for row in body["positions"])
    assert all(row["is_stored"] == (row["outcome"] == "stored") for row in body["positions"])
    return [row["outcome"] for row in body["positions"]]


def read(store: Store, responder_id: str) -> tuple[float | None, datetime | None, str | None, float | None]:
    """East of the middle, time, source, accuracy."""
    row = store.read(
        "SELECT ST_X(geom) AS x, position_utc, position_source, position_accuracy_m FROM responders "
        "WHERE responder_id = ?",
        [responder_id],
    ).astype(object)
    x, at, source, accuracy = row.where(row.notna(), None).iloc[0]
    return None if x is None else x - MIDDLE_M[0], None if at is None else at.to_pydatetime(), source, accuracy


def test_a_batch_keeps_who_is_on_duty_and_answers_each_row(radio: TestClient, store: Store) -> None:
    outcomes = post(
        radio,
        seen("警员01", 10, accuracy_m=8),
        seen("警员02", 20),
        seen("辅警01", 30),
        seen("辅警02", 40),
        seen("志愿01", 50),
        seen("志愿02", 60),
        seen("保安01", 70),
        seen("保安09", 80),
        seen("警员01", 5_000, minutes_ago=0),
    )
    assert outcomes == [
        "stored", "off_duty", "stored", "off_duty", "not_accepted", "stored", "ambiguous_call_sign",
        "unknown_responder", "outside_community",
    ]  # fmt: skip
    at = (NOW - timedelta(minutes=1)).replace(tzinfo=None)
    assert read(store, "r1") == (10, at, "radio", 8.0)
    assert read(store, "r3") == (30, at, "radio", None)  # by the roster, nobody has called yet
    assert read(store, "r6")[0] == 60
    for refused in ("r2", "r4", "r5", "r7", "r8"):
        assert read(store, refused) == (None, None, None, None)


def test_a_large_batch_is_kept_as_many_small_ones_are(radio: TestClient, store: Store) -> None:
    signs = [f"网{number:03d}" for number in range(60)]
    columns = "responder_id, call_sign, kind, status, status_utc, full_time"
    rows = [[f"w{sign}", sign, "officer", "ready", NOW.replace(tzinfo=None), True] for sign in signs]
    sql = f"INSERT INTO responders ({columns}) VALUES (?, ?, ?, ?, ?, ?)"
    store.write(lambda tx: [tx.execute("responders", sql, row) for row in rows])

    def report(minutes_ago: float) -> list[dict[str, Any]]:
        return [seen(sign, number, minutes_ago=minutes_ago, accuracy_m=number) for number, sign in enumerate(signs)]

    def kept() -> list[tuple[Any, ...]]:
        return [read(store, f"w{sign}") for sign in signs]

    small = report(2)
    assert all(post(radio, *small[at : at + 10]) == ["stored"] * 10 for at in range(0, 60, 10))
    by_key = kept()
    assert post(radio, *report(1)) == ["stored"] * 60
    assert [row[:1] + row[2:] for row in kept()] == [row[:1] + row[2:] for row in by_key]
    assert {row[1] for row in kept()} == {(NOW - timedelta(minutes=1)).replace(tzinfo=None)}
    assert kept()[7] == (7.0, (NOW - timedelta(minutes=1)).replace(tzinfo=None), "radio", 7.0)


def test_rows_in_any_order_leave_the_newest(radio: TestClient, store: Store) -> None:
    rows = [seen("警员01", 30, minutes_ago=3), seen("警员01", 10, minutes_ago=1), seen("警员01", 20, minutes_ago=2)]
    assert post(radio, *rows) == ["older", "stored", "older"]
    assert read(store, "r1")[0] == 10
    assert post(radio, *rows) == ["older", "duplicate", "older"]  # the same again
    assert post(radio, seen("警员01", 9, minutes_ago=0.5), seen("警员01", 8, minutes_ago=0.5)) == [
        "stored",
        "duplicate",
    ]
    assert read(store, "r1")[0] == 9


def test_times_that_cannot_be_are_told(radio: TestClient) -> None:
    assert post(radio, seen("警员01", minutes_ago=-3), seen("警员01", minutes_ago=24 * 60 + 1)) == [
        "in_future",
        "too_old",
    ]
    assert post(radio, seen("警员01", minutes_ago=-1)) == ["stored"]  # clocks differ


def test_coordinates_of_maps_are_taken_in_their_own_system(radio: TestClient, store: Store) -> None:
    # The middle of the community in WGS 84, and its GCJ-02 as the map services shift it: some hundred metres apart.
    answer = radio.post(
        URL, json={"responder_id": "r1", "at": NOW.isoformat(), "lon": 120.0, "lat": 33.425, "crs": "WGS84"}
    )
    assert answer.json()["positions"][0]["outcome"] == "stored"
    other = radio.post(
        URL, json={"responder_id": "r3", "at": NOW.isoformat(), "lon": 120.0, "lat": 33.425, "crs": "GCJ02"}
    )
    first, second = read(store, "r1")[0], read(store, "r3")[0]
    assert other.status_code == 200
    assert first is not None
    assert second is not None
    assert 300 < first - second < 700


def test_what_has_no_sense_is_refused_whole_and_by_field(radio: TestClient, store: Store) -> None:
    answer = radio.post(URL, json=[seen("警员01"), {**seen(None), "lon": 200.0, "crs": "WGS84"}])
    assert answer.status_code == 422
    fields = {one["field"] for one in answer.json()["error"]["fields"]}
    assert fields == {"[1].lon", "[1].lat", "[1].call_sign"}
    assert read(store, "r1") == (None, None, None, None)
    assert radio.post(URL, json=[]).status_code == 422
    assert radio.post(URL, json=[seen("警员01")] * 501).status_code == 422


def test_the_key_of_the_alarm_system_may_not(store: Store, intake_clock: Clock) -> None:
    with build_client(
        store, intake_clock, make_key(store, intake_clock, "incidents:write", "incidents:read")
    ) as client:
        assert client.post(URL, json=seen("警员01")).status_code == 403
    with build_client(store, intake_clock, make_key(store, intake_clock, "positions:write", name="radio2")) as client:
        assert client.get(f"{PREFIX}/incidents").status_code == 403
        assert client.post(f"{PREFIX}/incidents", json={}).status_code == 403
    with build_client(store, intake_clock, None) as client:
        assert client.post(URL, json=seen("警员01")).status_code == 401


# By hand


def test_a_roll_call_sets_status_and_place_as_an_event_and_in_the_log(store: Store, intake_clock: Clock) -> None:
    set_status(store, OFFICER, "r4", Status.READY, clock=intake_clock, place=(MIDDLE_M[0] + 5, MIDDLE_M[1]))
    assert read(store, "r4") == (5, NOW.replace(tzinfo=None), "roll_call", 50.0)
    row = find_forces(store, OFFICER).set_index("responder_id").loc["r4"]
    assert (row["status"], row["status_utc"], row["grid_id"]) == ("ready", NOW, "g1")
    event = store.read(
        "SELECT kind, subject_table, subject_id, detail FROM events ORDER BY event_id DESC LIMIT 1"
    ).iloc[0]
    assert (event["kind"], event["subject_table"], event["subject_id"]) == ("responder.status", "responders", "r4")
    assert event["detail"] == '{"by": "officer07", "source": "roll_call", "status": "ready"}'
    log = store.read("SELECT action, subject_kind, subject_id FROM audit_log ORDER BY seq DESC LIMIT 1").iloc[0]
    assert tuple(log) == ("change", "responder", "r4")


def test_going_off_duty_takes_the_position_away(radio: TestClient, store: Store, intake_clock: Clock) -> None:
    post(radio, seen("警员01", 10))
    set_status(store, OFFICER, "r1", Status.OFF, clock=intake_clock)
    assert read(store, "r1") == (None, None, None, None)
    with pytest.raises(RefusedError, match="off duty"):
        set_status(store, OFFICER, "r1", Status.OFF, clock=intake_clock, place=MIDDLE_M)


def test_whose_duty_ended_without_a_word_is_forgotten(radio: TestClient, store: Store, intake_clock: Clock) -> None:
    assert post(radio, seen("警员01", 10), seen("辅警01", 20), seen("志愿02", 30)) == ["stored"] * 3
    assert forget_off_duty(store, clock=intake_clock) == 0
    intake_clock.move(hours=3, minutes=1)  # 17:01: the duty of all three is over, one is still on the way
    assert forget_off_duty(store, clock=intake_clock) == 2
    assert [read(store, one)[0] for one in ("r1", "r3", "r6")] == [None, None, 30]
    assert forget_off_duty(store, clock=intake_clock) == 0


def test_setting_out_and_coming_free_is_remembered_for_the_rest(store: Store) -> None:
    def put(status: Status, minutes: int) -> None:
        at = NOW + timedelta(minutes=minutes)
        store.write(lambda tx: put_status(tx, "r1", status, at_utc=at, by="officer07", source="hand"))

    def rest() -> list[object]:
        row = store.read("SELECT last_sent_utc, last_off_utc FROM responders WHERE responder_id = 'r1'").astype(object)
        return [None if value != value or value is None else value.minute for value in row.iloc[0]]

    put(Status.ON_THE_WAY, 1)
    put(Status.ON_SCENE, 2)
    assert rest() == [1, None]
    put(Status.READY, 20)
    put(Status.NOT_READY, 30)
    assert rest() == [1, 20]


def test_who_may_hold_a_roll_call_is_in_the_rights_table(store: Store, intake_clock: Clock) -> None:
    for role in (Role.WALL, Role.VOLUNTEER, Role.GRID_WORKER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(NotAllowedError, match="roll_call"):
            set_status(store, Viewer(role, account_id="x", name="x"), "r1", Status.READY, clock=intake_clock)
    with pytest.raises(RecordMissingError, match="no responder 'r99'"):
        set_status(store, OFFICER, "r99", Status.READY, clock=intake_clock)


def test_nobody_is_named_where_forces_are_listed(store: Store) -> None:
    store.write(lambda tx: tx.execute("responders", "UPDATE responders SET name = '王建国', phone = '13812341234'"))
    frame = find_forces(store, OFFICER)
    assert not {"name", "phone"} & set(frame.columns)
    assert shapely.is_missing(frame.geometry.to_numpy()).all()
