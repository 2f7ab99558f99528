"""Incidents come in from another system over HTTP: placed, masked, answered once, refused with reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.incident_places import DISAGREE_M
from data.intake import unseal
from data.queries import find_incidents, find_unplaced
from data.store import Store
from data.viewer import Role, Viewer
from server.api import PREFIX
from server.intake_models import ChangeIn, IncidentIn
from tests.fixtures.access import Clock
from tests.fixtures.intake import (
    MIDDLE_M,
    URL,
    build_client,
    build_store,
    intake_clock,
    intake_store,
    local,
    make_key,
    report,
    send,
    sender,
)

__all__ = ["intake_clock", "intake_store", "sender"]

OFFICER = Viewer(Role.OFFICER, account_id="o", name="officer07")


# Taking in


def test_an_incident_is_answered_with_its_place_after_it_is_stored(sender: TestClient, intake_store: Store) -> None:
    taken = send(sender, source_no="110-1", address="小村12幢1单元101室")
    row = intake_store.read("SELECT * EXCLUDE (geom), ST_X(geom) AS x, ST_Y(geom) AS y FROM incidents").iloc[0]
    assert (row["incident_id"], row["number"], row["status"]) == (taken["incident_id"], "110-1", "placed")
    assert (row["building_id"], row["unit_id"], row["grid_id"]) == ("b12", "u101", "g1")
    assert (row["x"], row["y"]) == (MIDDLE_M[0] + 5, MIDDLE_M[1] + 5)
    place = taken["place"]
    assert (place["address"], place["confidence"], place["reason"]) == ("小村12幢1单元101室", 1.0, "exact")
    assert (place["x_m"], place["y_m"], place["crs"]) == (row["x"], row["y"], "EPSG:4549")
    # On the central meridian of 120° E; the latitude by the meridian arc (pyproj's own inverse is asked elsewhere).
    assert place["lon"] == pytest.approx(120.00005, abs=2e-5)
    kinds = intake_store.read("SELECT kind FROM events ORDER BY event_id")["kind"].tolist()
    assert kinds == ["incident.receive", "incident.place"]


def test_one_number_of_one_system_comes_in_once(sender: TestClient, intake_store: Store, intake_clock: Clock) -> None:
    first = send(sender, source_no="1", **local(5, 5))
    again = send(sender, source_no="1", status=200, **local(65, 5))
    assert (again["incident_id"], again["is_new"], again["place"]) == (first["incident_id"], False, None)
    assert intake_store.read("SELECT building_id FROM incidents")["building_id"].tolist() == ["b12"]
    other = make_key(intake_store, intake_clock, "incidents:write", name="other-system")
    with build_client(intake_store, intake_clock, other) as client:
        assert send(client, source_no="1", **local(5, 5))["incident_id"] != first["incident_id"]
    # A system that got a new key is still the same system.
    renewed = make_key(intake_store, intake_clock, "incidents:write")
    with build_client(intake_store, intake_clock, renewed) as client:
        assert send(client, source_no="1", status=200, **local(5, 5))["incident_id"] == first["incident_id"]


def test_twice_in_one_request_is_once(sender: TestClient, intake_store: Store) -> None:
    answer = sender.post(URL, json=[report(source_no="1"), report(source_no="1"), report()])
    assert [one["is_new"] for one in answer.json()["incidents"]] == [True, False, True]
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 2
    assert intake_store.read("SELECT event_id FROM events ORDER BY 1")["event_id"].tolist() == [1, 2]


def test_a_repeat_gets_the_first_answer_byte_for_byte(sender: TestClient, intake_store: Store) -> None:
    headers, body = {"Idempotency-Key": "k-1"}, [report(address="12幢"), report(**local(65, 5))]
    first = sender.post(URL, json=body, headers=headers)
    intake_store.write(lambda tx: tx.execute("incidents", "UPDATE incidents SET status = 'closed'"))
    again = sender.post(URL, json=body, headers=headers)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 2
    other = sender.post(URL, json=body[0], headers=headers)
    assert other.status_code == 422
    assert "used with another body" in other.json()["error"]["message"]
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 2
    assert sender.post(URL, json=body, headers={"Idempotency-Key": "k-2"}).status_code == 201


def test_words_are_masked_and_sealed_and_never_answered(sender: TestClient, intake_store: Store) -> None:
    words = {
        "description": "王建国说电话13812341234打来",
        "address": "小村12幢 找李小红",
        "caller_address": "13812341234对面",
    }
    caller = {"caller_name": "李小红", "caller_phone": "139 8765 4321"}
    answer = sender.post(URL, json=report(**words, **caller))
    incident_id = answer.json()["incidents"][0]["incident_id"]
    row = intake_store.read("SELECT * EXCLUDE (geom) FROM incidents").iloc[0]
    assert row["narrative"] == "王**说电话***打来"
    assert row["address_text"] == "小村12幢 找李**", "the caller's own name, which no register knew before"
    assert row["caller_address"] == "***对面"
    assert (row["reporter_name"], row["reporter_phone"]) == ("李小红", "139 8765 4321")
    looking = Viewer(Role.OFFICER, account_id="o", name="o", openings=frozenset({("incident", incident_id)}))
    opened = unseal(intake_store, looking, "incidents", incident_id, "narrative", clock=lambda: Clock().now)
    assert opened == words["description"]
    texts = [answer.text, sender.get(URL).text, sender.get(f"{URL}/{incident_id}").text]
    events = intake_store.read("SELECT detail FROM events")["detail"].tolist()
    for secret in ("王建国", "13812341234", "李小红", "4321", "李**"):
        assert not [text for text in [*texts, *events] if secret in text]


def test_an_unencrypted_store_keeps_no_caller_and_says_so(tmp_path: Path, intake_clock: Clock) -> None:
    with build_store(tmp_path / "plain.duckdb", intake_clock, key="") as store:
        with build_client(store, intake_clock, make_key(store, intake_clock, "incidents:write")) as client:
            taken = send(client, caller_name="李小红", caller_phone="13987654321", caller_address="对面", **local(5, 5))
        assert taken["left_out"] == ["caller_name", "caller_phone", "caller_address"]
        row = store.read("SELECT reporter_name, reporter_phone, caller_address, reporter_key FROM incidents").iloc[0]
        assert row[["reporter_name", "reporter_phone", "caller_address"]].isna().all()
        assert len(row["reporter_key"]) == 64, "the keyed hash tells one caller from another, and nothing else"


# Places


def test_coordinates_and_address_that_disagree_are_said_and_kept(sender: TestClient, intake_store: Store) -> None:
    near = send(sender, address="小村12幢", **local(10 + DISAGREE_M, 5))["place"]
    assert (near["gap_m"], near["disagrees"], near["reason"], near["source"]) == (50.0, False, "agree", "both")
    far = send(sender, address="小村12幢", **local(10 + DISAGREE_M + 0.02, 5))["place"]
    assert (far["gap_m"], far["disagrees"], far["reason"]) == (50.02, True, "disagree")
    assert far["confidence"] < near["confidence"]
    assert far["building_id"] == "b12"
    rows = intake_store.read("SELECT place_gap_m, said_x, said_crs FROM incidents ORDER BY place_gap_m")
    assert rows["place_gap_m"].tolist() == [50.0, 50.02]
    assert rows["said_x"].tolist() == [MIDDLE_M[0] + 60, MIDDLE_M[0] + 60.02]


def test_what_nobody_can_place_waits_in_a_list(sender: TestClient, intake_store: Store) -> None:
    lost = send(sender, address="不知道在哪 13812341234", urgency="urgent", source_no="9")
    assert (lost["status"], lost["place"]["is_placed"], lost["place"]["reason"]) == (
        "received",
        False,
        "not_understood",
    )
    outside = send(sender, lon=120.0, lat=34.0, crs="WGS84")
    assert outside["place"]["reason"] == "outside_community"
    send(sender, address="12幢")
    waiting = find_unplaced(intake_store, OFFICER)
    assert waiting["incident_id"].tolist() == [lost["incident_id"], outside["incident_id"]]
    assert waiting["address_text"].iloc[0] == "不知道在哪 ***"
    assert [one["source_no"] for one in sender.get(URL, params={"placed": False}).json()["incidents"]].count("9") == 1
    assert len(find_incidents(intake_store, OFFICER, only_places=True)) == 1, "rules that look for places never meet it"
    assert len(find_incidents(intake_store, OFFICER)) == 3


def test_where_the_caller_is_is_not_the_scene(sender: TestClient, intake_store: Store) -> None:
    caller = {"caller_lon": MIDDLE_M[0] + 65, "caller_lat": MIDDLE_M[1] + 5, "caller_crs": "LOCAL"}
    taken = send(sender, address="小村12幢", **caller)
    assert taken["place"]["building_id"] == "b12"
    assert taken["place"]["gap_m"] is None
    kept = intake_store.read("SELECT caller_place FROM incidents")["caller_place"].iloc[0]
    assert kept == f"POINT ({MIDDLE_M[0] + 65:.2f} {MIDDLE_M[1] + 5:.2f})"
    only = send(sender, **caller)
    assert only["place"]["is_placed"] is False, "a caller's place alone is no scene"


def test_duplicates_are_offered_and_never_merged(sender: TestClient, intake_store: Store) -> None:
    first = send(sender, address="小村12幢1单元101室")
    second = send(sender, address="小村12幢")
    other_home = send(sender, address="小村12幢1单元102室")
    elsewhere = send(sender, address="小村13幢")
    later = send(sender, address="小村12幢", received_at="2026-11-23T14:05:01+08:00")  # ten minutes and one second
    street = send(sender, **local(-50, -50))
    near_it = send(sender, **local(-50, -20.5))
    assert first["possible_duplicates"] == elsewhere["possible_duplicates"] == []
    assert second["possible_duplicates"] == [first["incident_id"]]
    assert other_home["possible_duplicates"] == [second["incident_id"]], "another home is another place"
    assert later["possible_duplicates"] == street["possible_duplicates"] == []
    assert near_it["possible_duplicates"] == [street["incident_id"]]
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 7
    both = sender.post(URL, json=[report(address="小村13幢"), report(address="13幢")]).json()["incidents"]
    assert both[1]["incident_id"] in both[0]["possible_duplicates"]


# Refusals


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"received_at": "2026-11-23T14:00:00"}, ["received_at"]),
        ({"received_at": "2026-11-25T14:00:00+08:00"}, ["received_at"]),
        ({"received_at": "1066-10-14T09:00:00Z"}, ["received_at"]),
        ({"category": "nix"}, ["category"]),
        ({"lon": 120.0}, ["lat", "crs"]),
        ({"lon": 516000.0, "lat": 3696000.0, "crs": "WGS84"}, ["lon", "lat"]),
        ({"lon": 120, "lat": 33, "crs": "Beijing54"}, ["crs"]),
        ({"caller_lat": 33.0}, ["caller_lon", "caller_crs"]),
        ({"occurred_from": "2026-11-23T13:00:00+08:00", "occurred_to": "2026-11-23T12:00:00+08:00"}, ["occurred_to"]),
        ({"urgency": "panic", "sauce": "call"}, ["urgency", "sauce"]),
        ({"description": "x" * 4001}, ["description"]),
        ({"address": "a\u0000b"}, ["address"]),
    ],
)
def test_each_field_that_cannot_be_used_is_named(
    sender: TestClient, intake_store: Store, values: dict[str, Any], fields: list[str]
) -> None:
    error = send(sender, status=422, **values)
    assert [one["field"] for one in error["fields"]] == fields
    assert all(one["reason"] for one in error["fields"])
    many = sender.post(URL, json=[report(source_no="1"), report(**values)])
    assert [one["field"] for one in many.json()["error"]["fields"]] == [f"[1].{field}" for field in fields]
    assert intake_store.read("SELECT 1 FROM incidents").empty, "all or nothing"


def test_a_refusal_never_repeats_what_was_sent(sender: TestClient) -> None:
    error = send(
        sender, status=422, description="李小红" + "x" * 4000, caller_phone="13987654321\u0007", category="王建国"
    )
    assert "李小红" not in json.dumps(error, ensure_ascii=False)
    assert "13987654321" not in json.dumps(error)


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"", 422), (b"null", 422), (b"[]", 422), (b'{"a":' * 5000, 400), (b"\xff\xfe", 400)],
)
def test_what_is_no_request(sender: TestClient, content: bytes, status: int) -> None:
    answer = sender.post(URL, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]


def test_keys_are_asked_for_before_anything_is_read(intake_store: Store, intake_clock: Clock) -> None:
    reader = make_key(intake_store, intake_clock, "incidents:read")
    slow = make_key(intake_store, intake_clock, "incidents:write", rate=1)
    for key, method, status in [
        (None, "POST", 401),
        ("spk_000000000000_" + "x" * 43, "POST", 401),
        (reader, "POST", 403),
        (reader, "PATCH", 403),
        (reader, "GET", 200),
    ]:
        with build_client(intake_store, intake_clock, key) as client:
            answer = client.request(method, URL, content=b"{" if method != "GET" else None)
        assert answer.status_code == status, (method, status, answer.text)
    with build_client(intake_store, intake_clock, slow) as client:
        assert client.post(URL, json=report()).status_code == 201
        too_soon = client.post(URL, json=report())
        assert (too_soon.status_code, too_soon.headers["retry-after"]) == (429, "5")
        intake_clock.move(minutes=1)
        assert client.post(URL, json=report()).status_code == 201
    assert intake_store.read("SELECT 1 FROM api_keys WHERE last_used_utc IS NOT NULL").shape[0] >= 1


def test_a_body_is_bounded(sender: TestClient) -> None:
    assert sender.post(URL, content=b" " * 2_000_001).status_code == 413
    assert sender.post(URL, content=iter([b" " * 1_500_000] * 2)).status_code == 413


def test_examples_of_the_description_can_be_sent(sender: TestClient) -> None:
    schemas = sender.get(f"{PREFIX}/openapi.json").json()["components"]["schemas"]
    for model in (IncidentIn, ChangeIn):
        examples = schemas[model.__name__]["examples"]
        assert len(examples) >= 2
        for example in examples:
            model.model_validate(example)
