"""Who is called what: building numbers by zone, entrances, rooms, standard addresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample.place import ADDRESS_PREFIX, COMMUNITY
from sample.plans import Plan

HOUSES = ("residential", "mixed")
_PAIRS = (("甲", "乙"), ("东", "西"))


@dataclass(frozen=True)
class Named:
    """A building with its id, its number in the zone or its street number, and the names of its entrances."""

    plan: Plan
    building_id: str
    number: str | None
    name: str
    unit_numbers: tuple[str | None, ...]
    """单元 of each door in canonical form; None where the house has no entrances by name."""
    street_number: str | None = None

    @property
    def address(self) -> str:
        """Standard address of the building."""
        if self.number is not None:
            return f"{ADDRESS_PREFIX}{COMMUNITY}{self.plan.zone}{self.number}幢"
        if self.street_number is not None:
            return f"{ADDRESS_PREFIX}{self.street_number}"
        return f"{ADDRESS_PREFIX}{COMMUNITY}{self.plan.zone}{self.name}"

    def entrance_name(self, door: int) -> str:
        """Name of a door as spoken."""
        unit = self.unit_numbers[door]
        return f"{unit}单元" if unit is not None else ("正门" if self.number is None else "楼道门")

    def entrance_address(self, door: int) -> str:
        """Standard address of an entrance."""
        unit = self.unit_numbers[door]
        return self.address if unit is None else f"{self.address}{unit}单元"


def name_buildings(plans: tuple[Plan, ...], rng: np.random.Generator) -> list[Named]:
    """Number the houses of each zone from the north-west, row by row; shops get street numbers."""
    order = sorted(range(len(plans)), key=lambda i: _reading_order(plans[i]))
    counts: dict[str, int] = {}
    streets: dict[str, int] = {}
    named: list[Named] = []
    for index in order:
        plan = plans[index]
        building_id = f"B{len(named) + 1:03d}"
        if plan.use in HOUSES:
            counts[plan.zone] = counts.get(plan.zone, 0) + 1
            number = str(counts[plan.zone])
            named.append(Named(plan, building_id, number, f"{number}幢", _unit_numbers(plan, rng)))
        elif plan.street is not None:
            streets[plan.street] = streets.get(plan.street, 0) + 2
            street_number = f"{plan.street}{streets[plan.street]}号"
            named.append(Named(plan, building_id, None, street_number, (None,) * len(plan.doors), street_number))
        else:
            named.append(Named(plan, building_id, None, plan.name or "", (None,) * len(plan.doors)))
    return named


def _reading_order(plan: Plan) -> tuple[str, float, float]:
    centre = plan.footprint.centroid
    return (plan.zone, -round(centre.y / 36), centre.x)


def _unit_numbers(plan: Plan, rng: np.random.Generator) -> tuple[str | None, ...]:
    """1单元 from the west; one house in ten with two stairs says 甲/乙 or 东/西, a few houses name none."""
    doors, chance = len(plan.doors), rng.random()
    if doors == 1:
        return (None,) if chance < 0.5 else ("1",)
    if doors == 2 and chance < 0.3:
        first, second = _PAIRS[int(rng.integers(2))]
        return (second, first) if first == "东" else (first, second)
    if doors == 2 and chance < 0.36:
        return (None, None)
    return tuple(str(i + 1) for i in range(doors))
