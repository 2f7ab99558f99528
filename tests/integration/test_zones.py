"""Beats and repeat-alarm zones: each change an event, the rows are what the events add up to."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Any

import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Point, box

from data.audit import verify
from data.queries import find_zone_measures, find_zone_records, find_zones
from data.store import Store
from data.viewer import WALL, Role, Viewer
from data.zone_hours import ZoneHours
from data.zones import (
    ZoneDraft,
    add_measure,
    change_zone,
    close_zone,
    continue_zone,
    open_zone,
    rebuild_zones,
    record_lot,
)
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from layers import SCENES
from tests.fixtures.access import Clock, access_store, add, clock

__all__ = ["access_store", "clock"]  # fixtures
COMMANDER = Viewer(Role.COMMANDER, account_id="a-1", name="chief")
AWAY = box(500_000, 3_690_000, 500_080, 3_690_060) - box(500_010, 3_690_010, 500_020, 3_690_020)
OUTLINE = MultiPolygon([box(0, 0, 40, 30), box(60, 0, 70, 10)])


def draft(**values: Any) -> ZoneDraft:
    given = {"name": "东门一带", "kind": "beat", "reason": "夜间盗窃多于平常", "review_on": date(2027, 1, 4)}
    return ZoneDraft(**{**given, "geometry": OUTLINE, **values})


def read_state(store: Store) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both tables as `rebuild_zones` gives them."""
    zones = store.read("SELECT * EXCLUDE (geom), ST_AsWKB(geom) AS geom FROM zones ORDER BY zone_id")
    measures = store.read("SELECT * FROM zone_measures ORDER BY measure_id")

    def plain(row: dict[Any, Any]) -> dict[str, Any]:
        return {
            str(name): None
            if pd.isna(value)
            else str(value.date())
            if name.endswith("_on")
            else str(value)
            if name.startswith("hours_")
            else value
            for name, value in row.items()
            if name != "geom"
        } | ({"geom": shapely.from_wkb(bytes(row["geom"]))} if "geom" in row else {})

    return (
        {row["zone_id"]: plain(row) for row in zones.to_dict("records")},
        {row["measure_id"]: plain(row) for row in measures.to_dict("records")},
    )


def read_events(store: Store) -> list[tuple[str, str, str]]:
    rows = store.read("SELECT kind, subject_id, detail::VARCHAR AS detail FROM events ORDER BY event_id")
    return list(rows.itertuples(index=False, name=None))


def test_the_state_is_rebuilt_from_the_events(access_store: Store, clock: Clock) -> None:
    officer = add(access_store, clock, "officer07")
    first = open_zone(access_store, COMMANDER, draft(kinds=("theft", "fraud"), shift="22–2 时"), clock=clock)
    second = open_zone(access_store, COMMANDER, draft(kind="repeat_alarm", source="analysis"), clock=clock)
    third = open_zone(access_store, COMMANDER, draft(starts_on=date(2026, 12, 1)), clock=clock)
    night = {"hours_from": time(22), "hours_to": time(2), "weekdays": "567", "weight": 3.0}
    change_zone(
        access_store, COMMANDER, first, owner_account_id=officer.account_id, partners="物业", **night, clock=clock
    )
    add_measure(access_store, COMMANDER, first, "每晚两次徒步巡逻", done_on=date(2026, 11, 22), clock=clock)
    clock.move(days=40)
    continue_zone(access_store, COMMANDER, third, "还看不出变化", review_on=date(2027, 2, 1), clock=clock)
    record_lot(
        access_store, COMMANDER, {first: date(2027, 1, 11), second: date(2027, 2, 8)},
        dates=[date(2027, 2, 8), date(2027, 1, 11)], seed=7, clock=clock,
    )  # fmt: skip
    close_zone(access_store, COMMANDER, third, "起数回到平常", clock=clock)

    zones, measures = rebuild_zones(read_events(access_store))
    for zone in zones.values():
        zone["geom"] = shapely.from_wkt(zone["geom"])
    assert (zones, measures) == read_state(access_store)
    assert zones[first]["starts_on"] == "2027-01-11"
    assert zones[third] == zones[third] | {"status": "closed", "closed_on": "2027-01-02", "result": "起数回到平常"}
    assert zones[first] == zones[first] | {"hours_from": "22:00:00", "weekdays": "567", "weight": 3.0}
    assert len(measures) == 1

    records = find_zone_records(access_store, COMMANDER).set_index("zone_id")
    assert records.loc[first, "owner"] == "officer07"
    assert records.index[-1] == third  # the closed one comes last
    assert records.geometry[first].equals(OUTLINE)
    assert set(find_zones(access_store, WALL)["zone_id"]) == {first, second}
    assert "reason" not in find_zones(access_store, WALL)
    assert find_zone_measures(access_store, COMMANDER)["text"].tolist() == ["每晚两次徒步巡逻"]
    assert verify(access_store).is_whole
    logged = access_store.read("SELECT detail FROM audit_log WHERE subject_kind = 'zone' ORDER BY seq")["detail"]
    assert len(logged) == len(read_events(access_store)) == 10


def test_open_zones_are_drawn_without_who_and_why(access_store: Store, clock: Clock) -> None:
    boundary = "UPDATE community SET boundary = ST_MakeEnvelope(499000, 3689000, 501000, 3691000)"
    access_store.write(lambda transaction: transaction.execute("community", boundary))
    zone = open_zone(access_store, COMMANDER, draft(name="<script>", partners="物业", geometry=AWAY), clock=clock)
    shut = open_zone(access_store, COMMANDER, draft(), clock=clock)
    close_zone(access_store, COMMANDER, shut, "起数回到平常", clock=clock)
    (record,) = json.loads(SCENES["zones"].build(access_store, WALL, "zh", {}))
    assert record.keys() == {"p", "l", "c", "e", "id", "n"}
    assert (record["id"], record["n"]) == (zone, "<script>")
    assert len(record["p"]) == 2  # a courtyard stays open
    assert {tuple(record[name][:3]) for name in ("c", "e")} == {(95, 208, 180)}  # calm, never an alarm's red


def test_the_lot_is_written_before_anything_begins_and_stays(access_store: Store, clock: Clock) -> None:
    one, two = (open_zone(access_store, COMMANDER, draft(), clock=clock) for _ in range(2))
    days = {one: date(2026, 12, 7), two: date(2027, 1, 4)}
    with pytest.raises(BadRecordError, match="dates after today"):
        record_lot(
            access_store, COMMANDER, {**days, one: date(2026, 11, 23)}, dates=[date(2026, 11, 23)], seed=1, clock=clock
        )
    lot = record_lot(access_store, COMMANDER, days, dates=sorted(days.values()), seed=20261123, clock=clock)
    kinds = [kind for kind, _, _ in read_events(access_store)]
    assert kinds == ["zone.opened", "zone.opened", "zone.lot", "zone.changed", "zone.changed"]
    assert '"seed": 20261123' in read_events(access_store)[2][2] or '"seed":20261123' in read_events(access_store)[2][2]
    with pytest.raises(RefusedError, match="drawn by lot"):
        change_zone(access_store, COMMANDER, one, starts_on=date(2026, 12, 8), clock=clock)
    with pytest.raises(RefusedError, match="has a start already"):
        record_lot(access_store, COMMANDER, days, dates=sorted(days.values()), seed=2, clock=clock)
    assert set(find_zone_records(access_store, COMMANDER)["lot_id"]) == {lot}


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"name": "  "}, "The name has 0 characters"),
        ({"reason": "多"}, "The reason has 1 characters, expected at least 4"),
        ({"kind": "district"}, "expected one of beat, repeat_alarm"),
        ({"source": "guess"}, "expected one of analysis, drawn"),
        ({"review_on": date(2026, 11, 23)}, "expected a day after today"),
        ({"weekdays": ""}, "expected some of 1"),
        ({"weekdays": "71"}, "each once, ascending"),
        ({"hours_from": time(22)}, "expected both ends or none"),
        ({"hours_from": time(8), "hours_to": time(8)}, "begin and end at 08:00"),
        ({"weight": 0.5}, "weight is 0.5, expected 1 to 5"),
        ({"weight": float("nan")}, "expected 1 to 5"),
        ({"geometry": Point(1, 1)}, "no outline with an area"),
        ({"geometry": shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])}, "no outline with an area"),
    ],
)
def test_what_cannot_be_a_zone_is_refused(
    access_store: Store, clock: Clock, values: dict[str, Any], match: str
) -> None:
    with pytest.raises(BadRecordError, match=match):
        open_zone(access_store, COMMANDER, draft(**values), clock=clock)
    assert read_events(access_store) == []


def test_a_closed_zone_stays_as_it_is(access_store: Store, clock: Clock) -> None:
    zone = open_zone(access_store, COMMANDER, draft(), clock=clock)
    close_zone(access_store, COMMANDER, zone, "有效，减少一半", clock=clock)
    before = read_state(access_store)
    for change in (
        lambda: close_zone(access_store, COMMANDER, zone, "again again", clock=clock),
        lambda: add_measure(access_store, COMMANDER, zone, "one more", done_on=date(2026, 11, 1), clock=clock),
        lambda: continue_zone(access_store, COMMANDER, zone, "goes on", review_on=date(2027, 1, 1), clock=clock),
        lambda: change_zone(access_store, COMMANDER, zone, name="other", clock=clock),
    ):
        with pytest.raises(RefusedError, match="is closed"):
            change()
    with pytest.raises(RecordMissingError):
        close_zone(access_store, COMMANDER, "z-none", "result", clock=clock)
    with pytest.raises(BadRecordError, match="kind cannot be changed"):
        change_zone(access_store, COMMANDER, zone, kind="beat", clock=clock)
    assert read_state(access_store) == before


@pytest.mark.parametrize("role", [Role.WALL, Role.VOLUNTEER, Role.GRID_WORKER, Role.AUDITOR, Role.ADMIN])
def test_other_roles_open_no_zone(access_store: Store, clock: Clock, role: Role) -> None:
    with pytest.raises(NotAllowedError):
        open_zone(access_store, Viewer(role, account_id="a", name="n"), draft(), clock=clock)


def test_names_and_numbers_in_what_is_typed_are_masked(access_store: Store, clock: Clock) -> None:
    text = "王建国报警，电话13812341234"  # who owns the homes of the village
    zone = open_zone(access_store, COMMANDER, draft(reason=text, partners=text), clock=clock)
    add_measure(access_store, COMMANDER, zone, text, done_on=date(2026, 11, 1), clock=clock)
    close_zone(access_store, COMMANDER, zone, text, clock=clock)
    stored = str(read_state(access_store)) + str(read_events(access_store))
    assert "王**报警，电话***" in stored
    assert "王建国" not in stored
    assert "13812341234" not in stored


def test_a_zone_that_was_opened_before_zones_had_hours_is_rebuilt_with_every_hour() -> None:
    zones, _ = rebuild_zones([("zone.opened", "z-1", '{"zone_id": "z-1"}'), ("zone.changed", "z-1", '{"weight": 2}')])
    assert zones == {
        "z-1": {"zone_id": "z-1", "weekdays": "1234567", "hours_from": None, "hours_to": None, "weight": 2}
    }


def test_hours_past_midnight_belong_to_the_evening_that_they_begin_in() -> None:
    friday_night = ZoneHours("5", time(22), time(2))  # 2026-11-27 is a Friday; Shanghai is UTC + 8
    assert friday_night.is_within(datetime(2026, 11, 27, 14, tzinfo=UTC))
    assert friday_night.is_within(datetime(2026, 11, 27, 17, 59, tzinfo=UTC))
    assert not friday_night.is_within(datetime(2026, 11, 27, 18, tzinfo=UTC))
    assert not friday_night.is_within(datetime(2026, 11, 26, 17, tzinfo=UTC))  # Friday 1:00: Thursday's night
    assert ZoneHours("6").is_within(datetime(2026, 11, 27, 16, tzinfo=UTC))
    assert not ZoneHours("6").is_within(datetime(2026, 11, 28, 16, tzinfo=UTC))
    assert ZoneHours().find_window(date(2026, 11, 28)) == (
        datetime(2026, 11, 27, 16, tzinfo=UTC), datetime(2026, 11, 28, 16, tzinfo=UTC),
    )  # fmt: skip
