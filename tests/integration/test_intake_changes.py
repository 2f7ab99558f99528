"""Incidents are asked for and changed by another system: filters, what it may not read, life cycle and events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.queries import find_incidents, find_unplaced
from data.store import Store
from data.viewer import Role, Viewer
from incidents.life_cycle import rebuild
from incidents.steps import to_step
from tests.fixtures.access import Clock
from tests.fixtures.intake import URL, intake_clock, intake_store, local, send, sender

__all__ = ["intake_clock", "intake_store", "sender"]

OFFICER = Viewer(Role.OFFICER, account_id="o", name="officer07")


def test_pages_filters_and_the_tree_of_kinds(sender: TestClient) -> None:
    ids = [send(sender, address="12幢", received_at=f"2026-11-23T1{n}:00:00+08:00")["incident_id"] for n in range(5)]
    first = sender.get(URL, params={"limit": 2}).json()
    assert [one["incident_id"] for one in first["incidents"]] == ids[:2:-1]
    second = sender.get(URL, params={"limit": 2, "before": first["next_before"]}).json()
    assert [one["incident_id"] for one in second["incidents"]] == ids[2:0:-1]
    last = sender.get(URL, params={"limit": 2, "before": second["next_before"]}).json()
    assert ([one["incident_id"] for one in last["incidents"]], last["next_before"]) == (ids[:1], None)
    window = {"since": "2026-11-23T11:00:00+08:00", "until": "2026-11-23T13:00:00+08:00"}
    assert len(sender.get(URL, params=window).json()["incidents"]) == 2
    assert len(sender.get(URL, params={"category": "theft"}).json()["incidents"]) == 5, "and the kinds below it"
    assert sender.get(URL, params={"category": "self_harm"}).json()["incidents"] == []
    assert sender.get(URL, params={"status": ["closed", "received"]}).json()["incidents"] == []
    kinds = sender.get(URL.replace("incidents", "incident-categories")).json()["categories"]
    assert [(one["category"], one["parent"]) for one in kinds][1:] == [("theft", None), ("theft.ebike", "theft")]


def test_of_a_sensitive_kind_another_system_reads_grid_and_time_only(sender: TestClient) -> None:
    taken = send(sender, category="self_harm", address="小村12幢1单元101室", source_no="s1")
    one = sender.get(f"{URL}/{taken['incident_id']}").json()
    assert (one["undisclosed"], one["category"], one["source_no"], one["place"]["grid_id"]) == (True, None, None, "g1")
    hidden = ("lon", "lat", "x_m", "building_id", "unit_id", "address", "confidence", "gap_m", "reason")
    assert {one["place"][name] for name in hidden} == {None}
    assert sender.get(URL, params={"category": "self_harm"}).json()["incidents"] == []


def test_a_life_with_its_events_and_its_log(sender: TestClient, intake_store: Store, intake_clock: Clock) -> None:
    incident_id = send(sender, address="nowhere at all")["incident_id"]
    url = f"{URL}/{incident_id}"

    def change(status: int = 200, reason: str = "as the officer said", **values: Any) -> dict[str, Any]:
        intake_clock.move(minutes=1)
        answer = sender.patch(url, json={"reason": reason, **values})
        assert answer.status_code == status, answer.text
        body: dict[str, Any] = answer.json()
        return body

    refused = change(409, action="dispatch")
    assert "Allowed now: place, handle, cancel, mark_duplicate." in refused["error"]["message"]
    assert change(404, address="still nowhere")["error"]["kind"] == "RecordMissingError"
    assert change(address="小村12幢")["status"] == "placed"
    assert change(action="dispatch")["status"] == "dispatched"
    assert change(action="accept")["status"] == "accepted"
    assert change(action="send_back", reason="打错了，王建国 13812341234")["status"] == "dispatched"
    assert change(action="arrive", category="theft", urgency="urgent")["category"] == "theft"
    assert change(**local(65, 5))["place"]["building_id"] == "b13"
    assert change(action="handle")["closed_at"] is None
    ended = change(action="close")
    assert (ended["status"], ended["allowed_actions"]) == ("closed", ["reopen"])
    assert [stay["duration_s"] for stay in ended["times"]][-3:] == [120.0, 60.0, None]
    again = change(action="reopen")
    assert (again["status"], again["closed_at"]) == ("placed", None)
    other = send(sender, address="小村13幢")["incident_id"]
    assert change(404, action="mark_duplicate", duplicate_of="a-nothing")["error"]["message"]
    repeated = change(action="mark_duplicate", duplicate_of=other)
    assert (repeated["status"], repeated["duplicate_of"]) == ("duplicate", other)
    assert find_incidents(intake_store, OFFICER, only_places=True)["incident_id"].tolist() == [other]

    rows = intake_store.read("SELECT kind, detail FROM events WHERE subject_id = ? ORDER BY event_id", [incident_id])
    steps = [
        to_step(kind, intake_clock.now, json.loads(detail))
        for kind, detail in rows.itertuples(index=False)
        if kind != "incident.correct"
    ]
    stored = intake_store.read("SELECT status FROM incidents WHERE incident_id = ?", [incident_id])
    assert rebuild(incident_id, steps).state.value == stored["status"].iloc[0] == "duplicate"
    assert "王**" in "".join(rows["detail"])
    log = intake_store.read(
        "SELECT actor, action, reason FROM audit_log WHERE subject_id = ? ORDER BY seq", [incident_id]
    )
    assert set(log["actor"]) == {"alarm-system"}
    assert log["action"].tolist() == ["change"] * 10
    for text in [*rows["detail"], *log["reason"]]:
        assert "王建国" not in text
        assert "13812341234" not in text


def test_sent_back_without_a_place_waits_again(sender: TestClient, intake_store: Store) -> None:
    incident_id = send(sender, address="小村12幢")["incident_id"]
    answer = sender.patch(f"{URL}/{incident_id}", json={"action": "send_back", "reason": "wrong place"}).json()
    assert (answer["status"], answer["place"]["is_placed"], answer["place"]["building_id"]) == ("received", False, None)
    assert find_unplaced(intake_store, OFFICER)["address_text"].tolist() == ["小村12幢"]


def test_an_imported_incident_gets_its_first_steps_when_it_is_changed(sender: TestClient, intake_store: Store) -> None:
    intake_store.write(
        lambda tx: tx.execute(
            "incidents",
            "INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc, "
            "occurred_to_utc, closed_utc, status, geom) VALUES ('i1', 'theft', 'normal', 'call', '2026-01-01', "
            "'2026-01-01', '2026-01-01', '2026-01-02', 'closed', ST_Point(1, 1))",
        )
    )
    assert [one["action"] for one in sender.get(f"{URL}/i1").json()["steps"]] == ["receive", "place", "handle", "close"]
    assert intake_store.read("SELECT 1 FROM events").empty, "asking writes nothing"
    answer = sender.patch(f"{URL}/i1", json={"action": "reopen", "reason": "it goes on"}).json()
    assert (answer["status"], len(answer["steps"])) == ("placed", 5)
    assert len(intake_store.read("SELECT 1 FROM events")) == 5


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "nothing else"},
        {"action": "close"},
        {"action": "close", "reason": "1234"},
        {"action": "receive", "reason": "not by hand"},
        {"action": "cancel", "duplicate_of": "x", "reason": "not both"},
        {"category": "nix", "reason": "unknown kind"},
        {"lon": 120.0, "reason": "half a place"},
    ],
)
def test_a_change_that_cannot_be_used(sender: TestClient, body: dict[str, Any]) -> None:
    incident_id = send(sender, address="小村12幢")["incident_id"]
    answer = sender.patch(f"{URL}/{incident_id}", json=body)
    assert (answer.status_code, bool(answer.json()["error"]["fields"])) == (422, True)


def test_nobody_there(sender: TestClient) -> None:
    assert sender.get(f"{URL}/nobody").status_code == 404
    assert sender.patch(f"{URL}/nobody", json={"action": "cancel", "reason": "nobody is there"}).status_code == 404


@pytest.mark.parametrize(("lang", "word"), [("zh", "坐标系"), ("en", "never guessed")])
def test_the_page_that_explains_it_needs_nothing_from_elsewhere(sender: TestClient, lang: str, word: str) -> None:
    answer = sender.get(f"/api/v1/docs?lang={lang}", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert word in answer.text
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    assert "<script" not in answer.text
