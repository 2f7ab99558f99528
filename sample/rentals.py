"""Rentals and the suspicion of group rental. The suspicion names a rule and its figures, never a person."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import numpy as np

from sample.dwellings import Row
from sample.place import AS_OF, RENTALS, SHANGHAI, SUSPECTED_GROUPS, made_up_phone

NANJING_LEAST_M2 = 10.0
"""Built area per tenant below which Nanjing (2014) calls it a group rental; a configurable rule, of uncertain rank."""

_COLOURS = ("green", "yellow", "orange")
_CYCLE_DAYS = {"green": 21, "yellow": 14, "orange": 7, "red": 7}


def build_rentals(units: list[Row], texts: dict[str, str], rng: np.random.Generator) -> list[Row]:
    """Rentals in random dwellings; suspected ones rather in small dwellings. `texts` are addresses by unit."""
    homes = [unit for unit in units if unit["use"] == "dwelling"]
    let = rng.choice(len(homes), size=RENTALS, replace=False)
    chosen = sorted((homes[int(i)] for i in let), key=lambda unit: str(unit["unit_id"]))
    small = sorted(chosen, key=lambda unit: float(unit["area_m2"]))[: SUSPECTED_GROUPS * 9]
    groups = {small[int(i)]["unit_id"] for i in rng.choice(len(small), size=SUSPECTED_GROUPS, replace=False)}
    today = AS_OF.astimezone(SHANGHAI).date() - timedelta(days=1)
    rows = []
    for number, unit in enumerate(chosen, start=1):
        group = unit["unit_id"] in groups
        colour = "red" if group and rng.random() < 0.5 else str(rng.choice(_COLOURS, p=[0.68, 0.22, 0.10]))
        figures = _group(float(unit["area_m2"]), rng) if group else _ordinary(rng)
        age_days = int(rng.integers(20, 1500))
        rows.append(
            {
                "rental_id": f"L{number:04d}", "unit_id": unit["unit_id"], "building_id": unit["building_id"],
                "address_text": texts[unit["unit_id"]], **figures, "area_m2": unit["area_m2"], "colour": colour,
                "registered_on": today - timedelta(days=age_days),
                "last_visit_on": today - timedelta(days=min(age_days, int(rng.integers(0, _CYCLE_DAYS[colour] * 2)))),
                "suspected_group": group, "landlord_name": f"样例房东{number:03d}",
                "landlord_phone": made_up_phone(1_000 + number),
            }
        )  # fmt: skip
    return rows


def _ordinary(rng: np.random.Generator) -> Row:
    tenants = int(rng.choice([1, 2, 3, 4, 5], p=[0.18, 0.34, 0.30, 0.14, 0.04]))
    return {
        "rooms_count": min(tenants, int(rng.integers(1, 4))), "beds_count": tenants, "tenants_count": tenants,
        "suspicion_reason": None,
    }  # fmt: skip


def _group(area_m2: float, rng: np.random.Generator) -> Row:
    """Most are over the Nanjing rule by area; the rest by rooms that are not bedrooms or by people per room."""
    kind = rng.random()
    if kind < 0.7:
        tenants = ceil(area_m2 / NANJING_LEAST_M2 + 0.01) + int(rng.integers(0, 2))
        each = area_m2 / tenants
        rooms = max(3, ceil(tenants / 2))
        reason = f"南京2014：{area_m2:.0f}㎡住{tenants}人（人均{each:.1f}㎡，不足10㎡）"
    elif kind < 0.87:
        tenants, rooms = int(rng.integers(5, 8)), 3
        reason = f"南京2014：客厅隔作卧室，{rooms}间住{tenants}人"
    else:
        rooms = 2
        tenants = rooms * 3
        reason = f"上海：{rooms}间住{tenants}人（每间3人，超过2人）"
    return {
        "rooms_count": rooms, "beds_count": tenants + int(rng.integers(0, 2)), "tenants_count": tenants,
        "suspicion_reason": reason,
    }  # fmt: skip
