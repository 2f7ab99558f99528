"""How many people live where, and whom the police can send. Every name is obviously made up."""

from __future__ import annotations

from datetime import time, timedelta

import numpy as np
import shapely

from incidents.duty import LOCAL, is_within
from sample.dwellings import Row, grid_id
from sample.network import Piece
from sample.place import AS_OF, FLOATING, FULL_TIME_WORKERS, RESIDENTS, made_up_phone


def settle(units: list[Row], rentals: list[Row], rng: np.random.Generator) -> None:
    """Give each dwelling its residents; tenants first, the rest so that the totals come out exactly."""
    tenants = {row["unit_id"]: row["tenants_count"] for row in rentals}
    homes = [unit for unit in units if unit["use"] == "dwelling"]
    for number, unit in enumerate(units, start=1):
        unit["residents_count"] = tenants.get(unit["unit_id"], 0)
        unit["floating_count"] = 0
        unit["owner_name"] = f"样例业主{number:05d}"
        unit["owner_phone"] = made_up_phone(20_000 + number)
    owned = [unit for unit in homes if unit["unit_id"] not in tenants]
    wanted = rng.choice(7, size=len(owned), p=[0.07, 0.17, 0.31, 0.26, 0.12, 0.05, 0.02])
    for unit, count in zip(owned, wanted.tolist(), strict=True):
        unit["residents_count"] = count
    _correct(owned, "residents_count", RESIDENTS - sum(u["residents_count"] for u in units), rng, low=0, high=7)
    let = [unit for unit in homes if unit["unit_id"] in tenants]
    for unit in let:
        unit["floating_count"] = unit["residents_count"]
    surplus = sum(u["floating_count"] for u in units) - FLOATING
    if surplus > 0:
        _correct(let, "floating_count", -surplus, rng, low=0, high=99)
    while surplus < 0:
        unit = owned[int(rng.integers(len(owned)))]
        if unit["floating_count"] < unit["residents_count"]:
            unit["floating_count"] += 1
            surplus += 1


def _correct(rows: list[Row], column: str, difference: int, rng: np.random.Generator, *, low: int, high: int) -> None:
    """Spread `difference` over random rows, one by one, within `low` and `high`."""
    step = 1 if difference > 0 else -1
    while difference:
        row = rows[int(rng.integers(len(rows)))]
        if low <= row[column] + step <= high:
            row[column] += step
            difference -= step


# kind, call sign, count, organisation, channel, duties (from, to)
# Vehicles and skills go round in each kind; nothing is drawn for them, so that what is drawn stays as it was.
_VEHICLES: dict[str, tuple[str, ...]] = {
    "officer": ("car", "ebike", "ebike"), "auxiliary": ("ebike", "foot"), "grid_worker": ("ebike", "foot"),
    "property_guard": ("foot", "ebike"), "estate_guard": ("foot", "foot", "ebike"), "venue_guard": ("foot",),
    "unit_guard": ("foot",), "volunteer": ("foot", "foot", "foot", "ebike"),
}  # fmt: skip
_SKILLS: dict[str, tuple[str, ...]] = {
    "officer": ("negotiation mediation", "first_aid traffic", "mediation", ""),
    "auxiliary": ("traffic", "first_aid", ""),
    "grid_worker": ("mediation", "first_aid", ""), "property_guard": ("firefighting", ""),
    "estate_guard": ("firefighting", "", ""), "venue_guard": ("firefighting", ""), "unit_guard": ("first_aid", ""),
    "volunteer": ("first_aid", "mediation", "", ""),
}  # fmt: skip
_DAY, _LATE, _NIGHT = (time(8), time(17)), (time(14), time(22)), (time(22), time(6))
_FORCES: tuple[tuple[str, str, int, str, str, tuple[tuple[time, time], ...]], ...] = (
    ("officer", "警员", 12, "万户新村警务室", "警务1", (_DAY, _LATE, _NIGHT)),
    ("auxiliary", "辅警", 10, "万户新村警务室", "警务1", (_DAY, _LATE, _NIGHT)),
    ("grid_worker", "网格", 11, "万户社区网格站", "网格2", ((time(8, 30), time(17, 30)),)),
    ("property_guard", "物业", 10, "万户物业", "卫士3", (_DAY, _LATE)),
    ("estate_guard", "保安", 14, "万户物业秩序部", "卫士3", (_DAY, _LATE, _NIGHT)),
    ("venue_guard", "场所", 8, "商户联防队", "卫士4", ((time(10), time(19)), (time(18), time(2)))),
    ("unit_guard", "内保", 6, "单位内保", "卫士4", ((time(7), time(19)), (time(19), time(7)))),
    ("volunteer", "志愿", 11, "万家卫士志愿队", "卫士5", ((time(9), time(11)), (time(19), time(21)))),
)


def build_responders(
    grids: dict[int, shapely.Polygon], pieces: list[Piece], office: shapely.Point, rng: np.random.Generator
) -> list[Row]:
    """About eighty people with radios, last seen on ways inside the community during the last hour."""
    lines = [piece.line for piece in pieces if piece.line.length > 12]
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    by_grid = {number: np.flatnonzero(shapely.contains(face, middles)) for number, face in grids.items()}
    rows: list[Row] = []
    for kind, sign, count, body, channel, duties in _FORCES:
        for index in range(1, count + 1):
            grid = index if kind == "grid_worker" else int(rng.integers(1, len(grids) + 1))
            tied = kind in ("grid_worker", "estate_guard", "property_guard", "volunteer")
            if kind in ("officer", "auxiliary") and index % 3 == 1:
                choice = int(np.argmin(shapely.distance(middles, office)))
            else:
                choice = int(rng.choice(by_grid[grid]))
            line = lines[choice]
            start, stop = duties[index % len(duties)]
            number = len(rows) + 1
            rows.append(
                {
                    "responder_id": f"R{number:03d}", "call_sign": f"{sign}{index:02d}", "kind": kind,
                    "organisation": body, "channel": channel, "grid_id": grid_id(grid) if tied else None,
                    "full_time": index <= FULL_TIME_WORKERS if kind == "grid_worker" else kind != "volunteer",
                    "duty_from": start, "duty_to": stop, "name": f"测试卫士{number:03d}",
                    "phone": made_up_phone(number),
                    "position_utc": (AS_OF - timedelta(seconds=int(rng.integers(5, 3600)))).replace(tzinfo=None),
                    "geom": line.interpolate(float(rng.uniform(0.1, 0.9)), normalized=True),
                    **_equip(kind, index, start, stop),
                }
            )  # fmt: skip
    return rows


def _equip(kind: str, index: int, start: time, stop: time) -> Row:
    """Vehicle, skills and readiness of somebody, and where the position comes from."""
    on_duty = is_within(AS_OF.astimezone(LOCAL).time(), start, stop)
    # One in nine is at something else just now.
    status = "off" if not on_duty else "not_ready" if index % 9 == 0 else "ready"
    begun = AS_OF - timedelta(hours=2, minutes=7 * index)
    return {
        "vehicle": _VEHICLES[kind][index % len(_VEHICLES[kind])],
        "skills": _SKILLS[kind][index % len(_SKILLS[kind])],
        "status": status,
        "status_utc": begun.replace(tzinfo=None),
        "no_night_duty": kind == "volunteer" and index % 3 != 0,
        "position_source": "sample",
        "position_accuracy_m": 10.0,
    }
