"""The desk takes calls by hand: what it is asked while somebody types, and what becomes of what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from data.store import Store
from data.viewer import Role, Viewer
from incidents.taking_in import TakingIn
from server.hand_intake import PREFIX, Numbers, build_hand_routes
from tests.fixtures.access import Clock
from tests.fixtures.intake import MIDDLE_M, intake_clock, intake_store

__all__ = ["intake_clock", "intake_store"]

URL = f"{PREFIX}/incidents"


class SignedIn:
    """What the door leaves for the application: who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["viewer"] = Viewer(Role.OFFICER, account_id="o", name="officer07")
        await self._app(scope, receive, send)


@pytest.fixture
def desk(intake_store: Store, intake_clock: Clock) -> Iterator[TestClient]:
    routes = build_hand_routes(intake_store, intake_clock, TakingIn(intake_store, intake_clock))
    with TestClient(SignedIn(Starlette(routes=routes))) as client:
        yield client


def take_in(desk: TestClient, status: int = 201, key: str | None = None, **values: Any) -> dict[str, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = desk.post(URL, json={"category": "theft.ebike", **values}, headers=headers)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_what_is_typed_is_answered_with_how_sure_and_why(desk: TestClient) -> None:
    def find(text: str) -> list[dict[str, Any]]:
        return list(desk.get(f"{PREFIX}/find", params={"q": text}).json()["options"])

    (sure,) = find("小村12幢1单元101室")
    assert (sure["address"], sure["confidence"], sure["reason"]) == ("小村12幢1单元101室", 1.0, "exact")
    (less,) = find("12幢101")
    assert less["address"] == "小村12幢1单元101室"
    assert less["confidence"] < 1
    near = find("12幢1单元109")
    assert near[0]["reason"] == "no_such_room"
    assert {"小村12幢1单元101室", "小村12幢1单元102室"} <= {one["address"] for one in near[1:]}
    assert {one["reason"] for one in near[1:]} == {"similar"}
    assert find("  ") == find("") == []


def test_lists_and_plan(desk: TestClient) -> None:
    units = desk.get(f"{PREFIX}/units", params={"building": "b12"}).json()
    assert units["address"] == "小村12幢"
    assert [one["address"] for one in units["units"]] == ["小村12幢1单元101室", "小村12幢1单元102室"]
    assert desk.get(f"{PREFIX}/units", params={"building": "' OR 1=1"}).json() == {"address": None, "units": []}
    plan = desk.get(f"{PREFIX}/plan").json()
    b12 = next(one for one in plan["buildings"] if one["id"] == "b12")
    assert (b12["x_m"], b12["y_m"]) == (MIDDLE_M[0] + 5, MIDDLE_M[1] + 5)
    first = tuple(float(part) for part in b12["d"].split("L")[0][1:].split())
    # The corner of the outline, back from the drawing to metres: one of those of a box of 10 m at the middle.
    corner = (plan["west"] + first[0] - MIDDLE_M[0], plan["north"] - first[1] - MIDDLE_M[1])
    assert min(abs(corner[0] - x) + abs(corner[1] - y) for x in (0, 10) for y in (0, 10)) < 0.11


def test_a_call_becomes_an_incident_of_now(desk: TestClient, intake_store: Store, intake_clock: Clock) -> None:
    taken = take_in(
        desk, address="小村12幢1单元101室", description="王建国来电 13812341234", caller_phone="13987654321",
        caller_address="小村13幢",
    )  # fmt: skip
    assert (taken["status"], taken["source_no"]) == ("placed", "20261123-140000"), "Shanghai time, to be read out"
    row = intake_store.read("SELECT * EXCLUDE (geom) FROM incidents").iloc[0]
    assert (row["number"], row["sent_by"], row["unit_id"]) == ("20261123-140000", "officer07", "u101")
    assert row["narrative"] == "王**来电 ***"
    assert row["caller_address"] == "小村13幢", "the caller is not the scene"
    assert row["reported_utc"].to_pydatetime() == intake_clock.now.replace(tzinfo=None)
    assert "13812341234" not in str(taken)


def test_the_same_form_sent_twice_comes_in_once(desk: TestClient, intake_store: Store) -> None:
    first, again = (take_in(desk, key="form-1", address="小村12幢") for _ in range(2))
    assert again["incident_id"] == first["incident_id"]
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 1
    take_in(desk, key="form-2", address="小村12幢")
    assert len(intake_store.read("SELECT 1 FROM incidents")) == 2


def test_the_same_place_within_ten_minutes_is_offered_in_words(desk: TestClient, intake_clock: Clock) -> None:
    first = take_in(desk, address="小村12幢1单元101室")
    assert first["alike"] == []
    intake_clock.move(minutes=9)
    (alike,) = take_in(desk, address="小村12幢1单元101室")["alike"]
    assert (alike["incident_id"], alike["time"]) == (first["incident_id"], "14:00:00")
    assert alike["address"] == "小村12幢1单元101室"
    intake_clock.move(minutes=20)
    assert take_in(desk, address="小村12幢1单元101室")["alike"] == []


def test_urgency_is_that_of_the_kind_unless_said(desk: TestClient, intake_store: Store) -> None:
    intake_store.write(
        lambda tx: tx.execute(
            "incident_categories", "UPDATE incident_categories SET urgency = 'urgent' WHERE category = 'theft'"
        )
    )
    ids = [take_in(desk, address="小村12幢", **more)["incident_id"] for more in ({}, {"urgency": "not_police"})]
    rows = intake_store.read("SELECT incident_id, urgency FROM incidents").set_index("incident_id")["urgency"]
    assert [rows[one] for one in ids] == ["urgent", "not_police"], "from the kind above, which is nearest"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"category": "no such"}, "category"),
        ({"lon": 1.0}, "lat"),
        ({"received_at": "2027-01-01T00:00:00+08:00"}, "received_at"),
        ({"description": "x" * 5000}, "description"),
        ({"surprise": "1"}, "surprise"),
        ({"address": "a\x00b"}, "address"),
    ],
)
def test_what_cannot_be_used_is_named_by_field(
    desk: TestClient, intake_store: Store, values: dict[str, Any], field: str
) -> None:
    error = take_in(desk, 422, **{"address": "小村12幢", **values})["error"]
    assert field in {one["field"] for one in error["fields"]}
    assert intake_store.read("SELECT 1 FROM incidents").empty


@pytest.mark.parametrize("body", [b"", b"[]", b"nothing", b"\xff\xfe", b'{"category": "theft"', "中".encode("gb18030")])
def test_what_is_no_incident_is_refused(desk: TestClient, body: bytes) -> None:
    assert desk.post(URL, content=body).status_code == 422


def test_numbers_of_one_second_differ(intake_clock: Clock) -> None:
    numbers = Numbers()
    taken = [numbers.take(intake_clock.now) for _ in range(3)]
    assert taken == ["20261123-140000", "20261123-140000-1", "20261123-140000-2"]
