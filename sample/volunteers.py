"""Volunteers of the last four weeks: teams, check-in points, check-ins, points and gifts, by the real rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import shapely

from data.ledger_writes import build_entry_event, build_line_rows
from data.moments import to_stored_time
from data.zone_hours import EVERY_DAY, ZoneHours
from sample.dwellings import Row, grid_id
from sample.ground import Gate
from sample.place import AS_OF, ORIGIN_M, SHANGHAI
from tasks.booking import to_day, to_rows
from tasks.cards import to_number
from tasks.checkin_points import DAY_FROM, DAY_TO
from tasks.checkin_rules import Attempt, PointRules, Visit, Way, find_doubts
from tasks.ledger import Entry, build_earn, build_hand_out, build_spend, build_stock, take_entry
from tasks.volunteers import CONSENT_TEXT

WHO = "sample"
"""Who took all of it down: no account."""
DAYS = 28
_FIRST = AS_OF.astimezone(SHANGHAI).date() - timedelta(days=DAYS)
_PEOPLE = (
    *("王阿姨", "李大爷", "赵师傅", "孙老师", "周阿姨", "吴大妈"),
    *("郑师傅", "冯大爷", "陈阿姨", "褚老师", "卫师傅", "蒋阿姨"),
)
_TEAMS = (("北区楼栋队", 2), ("西区楼栋队", 6), ("南区楼栋队", 9))
_POINTS, _AROUND_M, _PERIOD = 4, 80.0, timedelta(hours=4)
_WAYS = (Way.SCANNER, Way.STAMP_CARD, Way.STAMP_CARD, Way.RADIO, Way.KIOSK)
_GIFTS = (("毛巾", 6, 30), ("洗手液", 8, 20), ("保温杯", 14, 1), ("雨伞", 20, 12))
_VISITS = (7, 12)
"""Of each in the four weeks, from to: the least suffices for the last piece of a gift."""


@dataclass
class _Written:
    """Rows as they grow, and what each account of the book holds."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    events: list[tuple[datetime, Row]] = field(default_factory=list)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)

    def put(self, table: str, key: str, at: datetime, kind: str, row: Row, detail: Mapping[str, object]) -> None:
        """One row and its event."""
        self.tables.setdefault(table, []).append(row)
        self.tell(table, key, at, kind, detail)

    def tell(self, table: str, key: str, at: datetime, kind: str, detail: Mapping[str, object]) -> None:
        told = json.dumps(dict(detail), ensure_ascii=False, sort_keys=True)
        self.events.append((at, {
            "event_id": 0, "at_utc": to_stored_time(at), "kind": kind, "subject_table": table, "subject_id": key,
            "detail": told,
        }))  # fmt: skip

    def book(self, entry: Entry) -> None:
        """An entry of the book, as `tasks.booking.book` would write it."""
        after = take_entry(self.balances, entry)
        row, lines = to_rows(entry, after)
        self.balances.update(after)
        entries = self.tables.setdefault("ledger_entries", [])
        entries.append({**row, "entry_no": len(entries) + 1})
        self.tables.setdefault("ledger_postings", []).extend(build_line_rows(entry.entry_id, lines))
        event = build_entry_event(row, lines, at=entry.at_utc)
        self.tell("ledger_entries", entry.entry_id, entry.at_utc, event.kind, event.detail)


def build_volunteers(
    gates: list[Gate], grids: Mapping[int, shapely.Polygon], incidents: list[Row], first_event: int,
    rng: np.random.Generator,
) -> tuple[dict[str, list[Row]], list[Row]]:  # fmt: skip
    """
    Rows by table, and events that go on after number `first_event`; the same for the same generator.

    Points are gates around which most was reported lately: what was planted is not looked at.
    """
    written = _Written()
    people = _join(written, rng)
    points = _open_points(written, gates, grids, incidents)
    _offer(written)
    for at, who, point, way in _draw_visits(people, points, rng):
        _check_in(written, at, who, point, way)
    _spend(written, people)
    written.events.sort(key=lambda one: one[0])
    events = [{**row, "event_id": first_event + number} for number, (_, row) in enumerate(written.events, start=1)]
    return written.tables, events


def _join(written: _Written, rng: np.random.Generator) -> list[Row]:
    heads = sorted(int(one) for one in rng.choice(900_000, size=len(_PEOPLE), replace=False))
    for number, (name, home) in enumerate(_TEAMS, start=1):
        made = _at(_FIRST - timedelta(days=14), 9)
        team: Row = {
            "team_id": f"sm-{number}", "name": name, "code": f"SAMPL{number + 1}", "leader_id": f"sv-{number:02d}",
            "grid_id": grid_id(home), "made_utc": to_stored_time(made),
        }  # fmt: skip
        written.put("volunteer_teams", team["team_id"], made, "team.made", team, {"grid_id": team["grid_id"]})
    for number, (name, head) in enumerate(zip(_PEOPLE, heads, strict=True), start=1):
        team_number = (number - 1) % len(_TEAMS)
        joined = _at(_FIRST - timedelta(days=13 - number), 10)
        row: Row = {
            "volunteer_id": f"sv-{number:02d}", "number": to_number(100_000 + head), "card_issue": 1,
            "call_name": f"样例{name}", "phone_last4": None, "birth_year": str(int(rng.integers(1946, 1986))),
            "consent_on": joined.date(), "consent_text": CONSENT_TEXT, "team_id": f"sm-{team_number + 1}",
            "grid_id": grid_id(_TEAMS[team_number][1]), "state": "active", "joined_utc": to_stored_time(joined),
            "joined_by": WHO,
        }  # fmt: skip
        detail = {"team_id": row["team_id"], "consent_on": row["consent_on"].isoformat(), "consent_text": CONSENT_TEXT}
        written.put("volunteers", row["volunteer_id"], joined, "volunteer.joined", row, detail)
    return written.tables["volunteers"]


def _open_points(
    written: _Written, gates: list[Gate], grids: Mapping[int, shapely.Polygon], incidents: list[Row]
) -> list[Row]:
    since = to_stored_time(AS_OF - timedelta(days=DAYS))
    lately = shapely.STRtree([row["geom"] for row in incidents if row["reported_utc"] >= since])
    counts = {gate.name: len(lately.query(gate.at, predicate="dwithin", distance=_AROUND_M)) for gate in gates}
    chosen: list[Gate] = []
    for gate in sorted(gates, key=lambda one: (-counts[one.name], one.name)):
        if all(gate.at.distance(other.at) > 3 * _AROUND_M for other in chosen):
            chosen.append(gate)
    made = _at(_FIRST, 8)
    for number, gate in enumerate(chosen[:_POINTS], start=1):
        home = min(grids, key=lambda one: grids[one].distance(gate.at))
        values: dict[str, Any] = {
            "name": gate.name, "reason": f"最近四周 {_AROUND_M:.0f} 米内报警 {counts[gate.name]} 起", "lit": False,
            "weekdays": EVERY_DAY, "hours_from": DAY_FROM, "hours_to": DAY_TO, "opens_on": _FIRST,
            "closes_on": _FIRST + timedelta(days=365), "radius_m": 40.0, "points": 2,
            "period_minutes": int(_PERIOD.total_seconds() // 60), "photo_wanted": False, "grid_id": grid_id(home),
        }  # fmt: skip
        row: Row = {"point_id": f"sp-{number}", "state": "open", **values, "made_utc": to_stored_time(made),
               "made_by": WHO, "changed_utc": to_stored_time(made), "geom": gate.at}  # fmt: skip
        x_m, y_m = gate.at.x + ORIGIN_M[0], gate.at.y + ORIGIN_M[1]
        detail = {
            name: value.isoformat() if isinstance(value, date | time) else value for name, value in values.items()
        }
        detail |= {"x_m": round(x_m, 2), "y_m": round(y_m, 2)}
        written.put("checkin_points", row["point_id"], made, "point.opened", row, detail)
    return written.tables["checkin_points"]


def _offer(written: _Written) -> None:
    made = _at(_FIRST, 8, 30)
    for number, (name, points, pieces) in enumerate(_GIFTS, start=1):
        row: Row = {"gift_id": f"sg-{number}", "name": name, "points": points, "state": "offered",
               "made_utc": to_stored_time(made)}  # fmt: skip
        written.tables.setdefault("gifts", []).append(row)
        key = f"first-{row['gift_id']}"
        written.book(build_stock(key, row["gift_id"], pieces, at=made, on=to_day(made), by=WHO, reason="首次入库"))


def _draw_visits(
    people: list[Row], points: list[Row], rng: np.random.Generator
) -> list[tuple[datetime, Row, Row, Way]]:  # fmt: skip
    """Who looks in where and when, in the order of time; at the end two by phone, of which somebody has to decide."""
    visits = []
    for person in people:
        number = int(rng.integers(*_VISITS))
        for day in sorted(int(one) for one in rng.choice(DAYS - 1, size=number, replace=False)):
            at = _at(_FIRST + timedelta(days=day), int(rng.integers(8, 18)), int(rng.integers(0, 60)))
            point = points[int(rng.integers(0, len(points)))]
            visits.append((at, person, point, _WAYS[int(rng.integers(0, len(_WAYS)))]))
    last = _FIRST + timedelta(days=DAYS - 1)
    visits += [(_at(last, hour, 10), people[hour - 10], points[0], Way.PHONE) for hour in (10, 11)]
    return sorted(visits, key=lambda one: (one[0], one[1]["volunteer_id"]))


def _check_in(written: _Written, at: datetime, who: Row, point: Row, way: Way) -> None:
    checkins = written.tables.setdefault("checkins", [])
    checkin_id = f"sc-{len(checkins) + 1:04d}"
    rules = _to_rules(point)
    where = {one["point_id"]: one["geom"] for one in written.tables["checkin_points"]}
    others = [
        Visit(row["point_id"], where[row["point_id"]].x, where[row["point_id"]].y, row["done_utc"].replace(tzinfo=UTC))
        for row in checkins
        if row["volunteer_id"] == who["volunteer_id"]
    ]
    # A phone that stood beside the next house: 95 m off where 40 m and twice 12 m are granted.
    off_m, accuracy_m = (95.0, 12.0) if way is Way.PHONE else (None, None)
    x_m = None if off_m is None else rules.x_m + off_m
    attempt = Attempt(way, at, at + timedelta(seconds=20), who["team_id"], "0000", x_m,
                      None if x_m is None else rules.y_m, accuracy_m)  # fmt: skip
    doubts = find_doubts(attempt, rules, others, codes=["0000"])
    points = 0 if doubts else int(point["points"])
    state = "pending" if doubts else "counted"
    row: Row = {
        "checkin_id": checkin_id, "volunteer_id": who["volunteer_id"], "point_id": point["point_id"],
        "way": way.value, "done_utc": to_stored_time(at), "received_utc": to_stored_time(attempt.received),
        "state": state, "doubts": " ".join(doubts), "is_spot_check": False, "distance_m": off_m,
        "accuracy_m": accuracy_m, "points": points, "entered_by": WHO,
        "record_sha256": hashlib.sha256(checkin_id.encode()).hexdigest(),
    }  # fmt: skip
    detail = {
        "volunteer_id": row["volunteer_id"], "point_id": row["point_id"], "way": way.value, "state": state,
        "doubts": list(doubts), "points": points, "by": WHO, "done_utc": row["done_utc"].isoformat(),
    }  # fmt: skip
    written.put("checkins", checkin_id, attempt.received, "checkin.taken", row, detail)
    if points:
        received = attempt.received
        written.book(
            build_earn(who["volunteer_id"], checkin_id, points, at=received, counted_on=to_day(at), by=WHO)
        )  # fmt: skip


def _spend(written: _Written, people: list[Row]) -> None:
    """Three fetched a towel at the end: reserved and handed out at one visit to the counter."""
    points = _GIFTS[0][1]
    for number, person in enumerate(people[3:6], start=1):
        at, redemption_id, gift_id = _at(_FIRST + timedelta(days=DAYS - 1), 18, number), f"sd-{number}", "sg-1"
        ids = (redemption_id, person["volunteer_id"], gift_id)
        written.book(build_spend(*ids, points, at=at, on=to_day(at), by=WHO))
        out = at + timedelta(seconds=40)
        written.book(build_hand_out(*ids, at=out, on=to_day(out), by=WHO))
        written.tables.setdefault("redemptions", []).append({
            "redemption_id": redemption_id, "volunteer_id": person["volunteer_id"], "gift_id": gift_id,
            "points": points, "code": f"{number:06d}", "state": "handed_out", "reserved_utc": to_stored_time(at),
            "reserved_by": WHO, "lapses_utc": to_stored_time(at + timedelta(days=14)), "ended_utc": to_stored_time(out),
            "ended_by": WHO,
        })  # fmt: skip


def _to_rules(point: Row) -> PointRules:
    hours = ZoneHours(point["weekdays"], point["hours_from"], point["hours_to"])
    return PointRules(
        point["point_id"], point["geom"].x, point["geom"].y, True, hours, point["opens_on"], point["closes_on"],
        point["radius_m"], _PERIOD,
    )  # fmt: skip


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)
