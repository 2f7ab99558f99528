"""
Schematic plans (示意) in the store: made, corrected, copied to sister buildings, and each of it taken back.

A plan makes no unit: homes of the register get the outline of the room that has their number, and rooms that no home
of the register is in stay rooms of the plan. An outline that came with a file is never touched. Rows are what the
specification leads to, so an event holds only the specification before and after; both commit together with the log.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from data.audit import build_entry, write_audited
from data.moments import to_stored_time
from data.plan_spec import Entrance, Plan, PlanSpec, Room, build_plan, parse_spec
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.building_front import Front
from gis.errors import RecordMissingError, RefusedError
from gis.plan_problems import PlanProblemError

SCHEMATIC: Final = "schematic"
_SAME_SHAPE: Final = 0.04
"""Share of the outline that may differ between sister buildings."""
_SAME_DOOR_M: Final = 2.0


@dataclass(frozen=True)
class House:
    """What a plan is made on: outline, entrances from left to right, storeys from below; units of the register."""

    building_id: str
    name: str
    outline: BaseGeometry
    entrances: tuple[Entrance, ...]
    levels: tuple[int, ...]
    units: pd.DataFrame
    front: Front


@dataclass(frozen=True)
class Made:
    """What became of it: rooms of the plan, and units of the register in them and without one."""

    rooms: int
    units: int
    without: int


def read_house(store: Store, building_id: str) -> House:
    """The building as the register has it; `RecordMissingError` without one."""
    rows = store.read_geo(
        "SELECT building_id, coalesce(zone, '') || coalesce(name, building_id) AS name, floors_above, floors_below, "
        "ST_AsWKB(geom) AS geom FROM buildings WHERE building_id = ?",
        [building_id],
    )
    if rows.empty:
        raise RecordMissingError(f"There is no building '{building_id[:60]}'. Choose it again.")
    row = rows.iloc[0]
    doors = store.read_geo(
        "SELECT entrance_id, ST_AsWKB(geom) AS geom FROM entrances WHERE building_id = ? ORDER BY 1", [building_id]
    )
    places = shapely.get_coordinates(doors.geometry.to_numpy())
    front = Front(row["geom"], places)
    order = np.argsort(front.turn(places)[:, 0], kind="stable").tolist() if len(doors) else []
    entrances = tuple(Entrance(str(doors["entrance_id"].iloc[i]), doors.geometry.iloc[i]) for i in order)
    units = store.read(
        "SELECT unit_id, entrance_id, level, room, geom IS NOT NULL AND geom_source IS NULL AS is_own FROM units "
        "WHERE building_id = ? ORDER BY level, room, unit_id",
        [building_id],
    )
    levels = (*range(-int(row["floors_below"]), 0), *range(1, int(row["floors_above"]) + 1))
    return House(building_id, str(row["name"]), row["geom"], entrances, levels, units, front)


def read_spec(store: Store, building_id: str) -> PlanSpec | None:
    """What the building's plan is made from; None where it has none."""
    rows = store.read("SELECT spec FROM building_plans WHERE building_id = ?", [building_id])
    return None if rows.empty else parse_spec(json.loads(str(rows["spec"].iloc[0])))


def propose_spec(house: House) -> PlanSpec:
    """As many rooms behind each entrance as the register has on most storeys; storeys that have others."""
    keys = [door.key for door in house.entrances] or [""]
    doors = house.units["entrance_id"].where(house.units["entrance_id"].isin(keys), keys[0])
    homes = zip(house.units["level"].tolist(), doors.tolist(), strict=True)
    counted = Counter((int(level), str(door)) for level, door in homes if not pd.isna(level))
    most = {key: max([n for (_, door), n in counted.items() if door == key], default=2) for key in keys}
    usual = {key: _usual([n for (_, door), n in counted.items() if door == key], most[key]) for key in keys}
    storeys = {
        str(level): {key: counted[level, key] for key in keys if counted.get((level, key), usual[key]) != usual[key]}
        for level in house.levels
    }
    return PlanSpec("landings", usual, {level: counts for level, counts in storeys.items() if counts})


def _usual(counts: Sequence[int], default: int) -> int:
    return max(set(counts), key=lambda n: (counts.count(n), n)) if counts else default


def put_plan(
    store: Store,
    viewer: Viewer,
    building_id: str,
    spec: PlanSpec | None,
    *,
    clock: Clock,
    copied_from: str | None = None,
) -> Made:
    """
    Make the plan of a building, change it, or take it off (`spec` None).

    Raises
    ------
    NotAllowedError
        The role may not.
    RecordMissingError, BadRecordError
        There is no such building; the plan cannot be made so, the sentence says why.
    """
    return put_plans(store, viewer, {building_id: spec}, clock=clock, copied_from=copied_from)[building_id]


def put_plans(
    store: Store, viewer: Viewer, specs: Mapping[str, PlanSpec | None], *, clock: Clock, copied_from: str | None = None
) -> dict[str, Made]:
    """Plans of several buildings, all or none. Raises as `put_plan`."""
    check_right(viewer, "action", "manage_plans")
    ready = {one: _prepare(store, one, spec) for one, spec in specs.items()}

    def work(transaction: Transaction) -> dict[str, Made]:
        made = {}
        for building_id, (house, spec, plan) in ready.items():
            before = _fetch_spec(transaction, building_id)
            made[building_id] = _write(transaction, house, spec, plan, viewer, clock, copied_from)
            after = None if spec is None else spec.to_dict()
            detail = {"before": before, "after": after, "copied_from": copied_from}
            _append(transaction, "plan.set" if spec is not None else "plan.removed", building_id, detail, clock)
        return made

    def describe(made: dict[str, Made]) -> list[Any]:
        return [
            build_entry(viewer, "change", subject_kind="building", subject_id=one, detail={"what": "plan"})
            for one in made
        ]

    return write_audited(store, work, describe, clock=clock)


def undo_plan_change(store: Store, viewer: Viewer, event_id: int, *, clock: Clock) -> None:
    """
    Take one change back: the building has the plan that it had before, or none.

    Raises
    ------
    RecordMissingError
        There is no such change.
    RefusedError
        It is not the last one of its building, or took another back itself.
    """
    check_right(viewer, "action", "manage_plans")
    rows = store.read(
        "SELECT kind, subject_id, detail FROM events WHERE event_id = ? AND subject_table = 'building_plans'",
        [event_id],
    )
    if rows.empty:
        raise RecordMissingError(f"There is no change {event_id} of a plan. Choose one from the list.")
    building_id, detail = str(rows["subject_id"].iloc[0]), json.loads(str(rows["detail"].iloc[0]))
    before = None if detail["before"] is None else parse_spec(detail["before"])
    house, spec, plan = _prepare(store, building_id, before)

    def work(transaction: Transaction) -> None:
        last = transaction.fetch(
            "SELECT max(event_id) AS n FROM events WHERE subject_id = ? AND subject_table = 'building_plans'",
            [building_id],
        )
        if int(last["n"].iloc[0]) != event_id or rows["kind"].iloc[0] == "plan.undone":
            raise RefusedError(
                f"Change {event_id} is not the last one of '{building_id}', or took another back itself. "
                "Take back the later one first, or make the plan anew."
            )
        now = _fetch_spec(transaction, building_id)
        _write(transaction, house, spec, plan, viewer, clock, None)
        _append(transaction, "plan.undone", building_id, {"before": now, "after": detail["before"]}, clock)

    entry = build_entry(
        viewer, "change", subject_kind="building", subject_id=building_id, detail={"what": "plan.undone"}
    )
    write_audited(store, work, lambda _: [entry], clock=clock)


def rebuild_specs(events: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What `(building, detail)` of plan events in order lead to: specification by building, None where it has none."""
    return {building_id: json.loads(detail)["after"] for building_id, detail in events}


def copy_spec(source: House, spec: PlanSpec, target: House) -> PlanSpec:
    """The specification for a sister building: entrances from left to right, storeys that it has too."""
    keys = dict(zip((d.key for d in source.entrances), (d.key for d in target.entrances), strict=True)) or {"": ""}
    levels = {str(level) for level in target.levels}
    renamed = {
        "|".join((level, keys[entrance], index)): number
        for (level, entrance, index), number in ((key.split("|"), number) for key, number in spec.names.items())
        if level in levels
    }
    storeys = {
        level: {keys[key]: n for key, n in counts.items()} for level, counts in spec.storeys.items() if level in levels
    }
    return PlanSpec(spec.kind, {keys[key]: n for key, n in spec.rooms.items()}, storeys, renamed, spec.through)


def find_sisters(store: Store, source: House) -> list[House]:
    """Buildings of the same shape with the same entrances, whichever way they stand."""
    rows = store.read(
        "SELECT b.building_id FROM buildings b WHERE b.building_id <> $id "
        "AND abs(ST_Area(b.geom) - $area) < $area * $share "
        "AND (SELECT count(*) FROM entrances e WHERE e.building_id = b.building_id) = $doors ORDER BY 1",
        {"id": source.building_id, "area": source.outline.area, "share": _SAME_SHAPE, "doors": len(source.entrances)},
    )
    return [house for one in rows["building_id"] if _is_sister(source, house := read_house(store, str(one)))]


def _is_sister(source: House, other: House) -> bool:
    shapes = [shapely.transform(house.outline, house.front.turn) for house in (source, other)]
    if shapes[0].symmetric_difference(shapes[1]).area > _SAME_SHAPE * source.outline.area:
        return False
    doors = [
        house.front.turn(shapely.get_coordinates([door.at for door in house.entrances])) for house in (source, other)
    ]
    return not source.entrances or bool(np.abs(doors[0] - doors[1]).max() < _SAME_DOOR_M)


def _prepare(store: Store, building_id: str, spec: PlanSpec | None) -> tuple[House, PlanSpec | None, Plan | None]:
    house = read_house(store, building_id)
    plan = None if spec is None else build_plan(spec, house.outline, house.entrances, house.levels)
    return house, spec, plan


def match_units(house: House, rooms: Sequence[Room]) -> dict[int, str]:
    """
    Position of a room in `rooms` → unit of the register that is in it.

    By entrance, storey and number; where none of a landing's numbers is known but there are as many homes as rooms, in
    their order.
    """
    matched: dict[int, str] = {}
    units = house.units.to_dict("records")
    doors = {door.key for door in house.entrances}
    for level, entrance in dict.fromkeys((room.level, room.entrance) for room in rooms):
        here = [(i, room) for i, room in enumerate(rooms) if (room.level, room.entrance) == (level, entrance)]
        homes = [
            unit for unit in units
            if not pd.isna(unit["level"]) and int(unit["level"]) == level
            and (unit["entrance_id"] == entrance or unit["entrance_id"] not in doors)
        ]  # fmt: skip
        by_number = {str(unit["room"]).upper(): str(unit["unit_id"]) for unit in homes}
        found = {i: by_number[room.number.upper()] for i, room in here if room.number.upper() in by_number}
        if not found and len(homes) == len(here):
            found = {i: str(unit["unit_id"]) for (i, _), unit in zip(here, homes, strict=True)}
        matched |= {i: unit for i, unit in found.items() if unit not in matched.values()}
    return matched


def _write(
    transaction: Transaction, house: House, spec: PlanSpec | None, plan: Plan | None, viewer: Viewer, clock: Clock,
    copied_from: str | None,
) -> Made:  # fmt: skip
    key = [house.building_id]
    for table in ("building_plans", "plan_rooms"):
        transaction.execute(table, f"DELETE FROM {table} WHERE building_id = ?", key)
    off = "UPDATE units SET geom = NULL, geom_source = NULL WHERE building_id = ? AND geom_source = 'schematic'"
    transaction.execute("units", off, key)
    if spec is None or plan is None:
        return Made(0, 0, 0)
    row = [
        house.building_id,
        json.dumps(spec.to_dict()),
        to_stored_time(clock()),
        viewer.account_id or viewer.role.value,
    ]
    sql = "INSERT INTO building_plans VALUES (?, ?, ?, ?, ?)"
    transaction.execute("building_plans", sql, [*row, copied_from])
    matched = match_units(house, plan.rooms)
    transaction.append("plan_rooms", _to_rows(house, plan, matched))
    own = set(house.units.loc[house.units["is_own"], "unit_id"])
    for i, unit_id in matched.items():
        if unit_id not in own:
            transaction.execute(
                "units",
                "UPDATE units SET geom = ST_GeomFromWKB(?), geom_source = 'schematic' WHERE unit_id = ?",
                [shapely.to_wkb(plan.rooms[i].outline), unit_id],
            )
    placed = len(matched)
    return Made(len(plan.rooms), placed, int(len(house.units) - placed))


def _to_rows(house: House, plan: Plan, matched: Mapping[int, str]) -> gpd.GeoDataFrame:
    counts: dict[tuple[int, str], int] = {}
    rows: list[dict[str, Any]] = []

    def add(level: int, kind: str, shape: BaseGeometry, **more: Any) -> None:
        counts[level, kind] = counts.get((level, kind), 0) + 1
        base = {"building_id": house.building_id, "level": level, "kind": kind, "place": counts[level, kind]}
        rows.append({**base, "entrance_id": None, "number": None, "unit_id": None, **more, "geom": shape})

    for i, room in enumerate(plan.rooms):
        add(
            room.level,
            "room",
            room.outline,
            entrance_id=room.entrance or None,
            number=room.number,
            unit_id=matched.get(i),
        )
    for level, way in plan.landings:
        add(level, "landing", way)
    return gpd.GeoDataFrame(rows, geometry="geom")


def _fetch_spec(transaction: Transaction, building_id: str) -> Any:
    rows = transaction.fetch("SELECT spec FROM building_plans WHERE building_id = ?", [building_id])
    return None if rows.empty else json.loads(str(rows["spec"].iloc[0]))


def _append(transaction: Transaction, kind: str, building_id: str, detail: Mapping[str, Any], clock: Clock) -> None:
    transaction.execute(
        "events",
        "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, ?, ?, ?, ?, ? FROM events",
        [to_stored_time(clock()), kind, "building_plans", building_id, json.dumps(detail, ensure_ascii=False)],
    )


def check_spec(store: Store, building_id: str, spec: PlanSpec) -> Plan:
    """The plan as it would be; raises `BadRecordError` as `put_plan`, and writes nothing."""
    _, _, plan = _prepare(store, building_id, spec)
    if plan is None:
        raise PlanProblemError("nothing", "There is nothing to make. Give rooms for each landing.")
    return plan
