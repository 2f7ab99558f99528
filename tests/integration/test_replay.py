"""A day once more: each incident lights up, calms down and is over at its times, and the wall's masking holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shapely import Point, box

from data.store import Store
from data.viewer import WALL
from gis.errors import BadRecordError
from i18n import t
from layers import SCENES
from tests.fixtures.small_community import build, found

DAY = {"day": "2026-11-20"}
KINDS = """
INSERT INTO incident_categories (category, parent, name_zh, name_en, sensitive) VALUES
    ('theft', NULL, '盗窃', 'Theft', false), ('domestic_violence', NULL, '家庭暴力', 'Domestic violence', true)
"""


def read(store: Store, **params: str) -> Any:
    return json.loads(SCENES["replay"].build(store, WALL, "zh", params))


def at(hour: int, minute: int = 0, day: int = 20) -> datetime:
    """Shanghai time of November 2026 as the store holds it: UTC, eight hours earlier, without zone."""
    return datetime(2026, 11, day, hour - 8, minute)  # noqa: DTZ001 - as the store holds it


def to_ms(moment: datetime) -> int:
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def incident(name: str, reported: datetime, closed: datetime | None = None, **more: Any) -> dict[str, Any]:
    times = {"reported_utc": reported, "occurred_from_utc": reported, "occurred_to_utc": reported, "closed_utc": closed}
    row: dict[str, Any] = {"incident_id": name, "category": "theft", "urgency": "normal", "source": "call",
           "grid_id": "g1", "reporter_name": "李小红", "narrative": "李小红说的", "geom": Point(-50, -50)}  # fmt: skip
    return {**row, **times, "status": "closed" if closed else "placed", **more}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "small.duckdb") as opened:
        found(opened)
        opened.write(lambda transaction: transaction.execute("incident_categories", KINDS))
        build(
            opened,
            "grids",
            {"grid_id": "g1", "number": 1, "name": "第1网格", "source": "file", "geom": box(-100, -100, 100, 100)},
        )
        yield opened


def take_steps(store: Store, incident_id: str, *steps: tuple[datetime, str, str]) -> None:
    """Events as the life cycle keeps them: when, action, the state that it led to."""

    def put(transaction: Any) -> None:
        for moment, action, state in steps:
            transaction.execute(
                "events",
                "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, ?, ?, 'incidents', ?, ? FROM events",
                [moment, f"incident.{action}", incident_id, json.dumps({"by": "officer07", "state": state})],
            )

    store.write(put)


def test_it_lights_up_calms_down_and_is_over_at_its_times(store: Store) -> None:
    build(store, "incidents", incident("i1", at(9), at(11)))
    take_steps(
        store, "i1",
        (at(9), "receive", "received"), (at(9, 1), "place", "placed"), (at(9, 2), "dispatch", "dispatched"),
        (at(9, 5), "accept", "accepted"), (at(9, 20), "arrive", "on_scene"), (at(10), "handle", "handled"),
        (at(11), "close", "closed"), (at(12), "reopen", "placed"), (at(13), "cancel", "cancelled"),
    )  # fmt: skip
    (one,) = read(store, **DAY)["incidents"]
    # Loud until somebody accepts, calm until it is handled, then over; reopened it is loud again.
    moments = [(at(9), 0), (at(9, 5), 1), (at(10), 2), (at(11), 3), (at(12), 0), (at(13), 3)]
    assert one["m"] == [[to_ms(moment), code] for moment, code in moments]
    assert (one["k"], one["u"]) == ("盗窃", "normal")


def test_what_came_without_steps_has_its_report_and_its_end(store: Store) -> None:
    build(store, "incidents", incident("i1", at(9), at(11)), incident("i2", at(10)))
    known = {one["id"]: one["m"] for one in read(store, **DAY)["incidents"]}
    assert known == {"i1": [[to_ms(at(9)), 0], [to_ms(at(11)), 3]], "i2": [[to_ms(at(10)), 0]]}


def test_the_period_is_a_day_of_shanghai_with_what_was_open_before(store: Store) -> None:
    midnight = datetime(2026, 11, 19, 16)  # noqa: DTZ001 - UTC of midnight in Shanghai, as the store holds it
    build(
        store, "incidents",
        incident("first", midnight), incident("next day", at(9, day=21)),
        incident("open", at(20, day=19), at(8, 30)), incident("over", at(20, day=19), at(21, day=19)),
        incident("no place", at(12), geom=Point()),
    )  # fmt: skip
    answer = read(store, **DAY)
    assert {one["id"] for one in answer["incidents"]} == {"first", "open"}
    assert (answer["since"], answer["until"]) == (to_ms(midnight), to_ms(midnight) + 86_400_000)
    assert (answer["first"], answer["last"]) == ("2026-11-19", "2026-11-21")
    assert read(store, days="3")["since"] == to_ms(midnight) - 86_400_000  # and more days end with it
    longer = {one["id"] for one in read(store, **DAY, days="3")["incidents"]}
    assert longer == {"first", "open", "next day"}
    assert read(store)["since"] == to_ms(midnight) + 86_400_000  # the last day with incidents, where none is asked for


def test_of_a_sensitive_kind_there_is_the_grid_and_nobody_is_named(store: Store) -> None:
    build(store, "incidents", incident("i1", at(9), category="domestic_violence", building_id="b1"))
    text = SCENES["replay"].build(store, WALL, "zh", DAY).decode()
    (one,) = json.loads(text)["incidents"]
    assert one["k"] == "警情"
    assert one["p"] == t("alarms.grid", "zh", number="01")
    assert one["x"] != [-50, -50]
    for word in ("家庭暴力", "domestic", "李小红", "officer07"):
        assert word not in text


@pytest.mark.parametrize(
    "params", [{"day": "yesterday"}, {"day": "2026-02-30"}, {"day": "9999-12-31"}, {"days": "2"}, {"days": "x"}]
)
def test_a_period_that_cannot_be_is_refused(store: Store, params: dict[str, str]) -> None:
    with pytest.raises(BadRecordError, match="expected"):
        read(store, **params)


def test_the_samples_last_day(sample_store: Store) -> None:
    answer = read(sample_store, days="7")
    until, since = answer["until"], answer["since"]
    told = sample_store.read(
        "SELECT count(*) AS n FROM incidents WHERE epoch_ms(reported_utc) >= ? AND epoch_ms(reported_utc) < ?",
        [since, until],
    )
    begun = [one for one in answer["incidents"] if one["m"][0][0] >= since]
    assert len(begun) == int(told["n"].iloc[0])
    assert all(len(one["x"]) == 2 and one["k"] and one["p"] for one in answer["incidents"])
