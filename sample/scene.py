"""Where incidents can happen, and how often each kind does at each place when nothing is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from sample.categories import KINDS, PLACE_CLASSES
from sample.dwellings import Registers, Row
from sample.layout import RawWay
from sample.network import Piece

_SITE_WEIGHT = {
    "ktv": 6.0, "internet_cafe": 5.0, "hotel": 4.5, "bathhouse": 4.0, "supermarket": 3.5, "restaurant": 2.5,
    "bank": 2.0, "recycling": 2.0, "pharmacy": 1.5, "express": 1.5,
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """
    Places and the baseline. `places` has the columns x, y (local metres), place_class, building_id, unit_id, label and
    zone; `rates[i, c]` is the expected share of all baseline incidents at place i of kind c; it sums to 1.
    """

    places: pd.DataFrame
    rates: np.ndarray


def build_scene(
    registers: Registers,
    sites: list[Row],
    pieces: list[Piece],
    ways: list[RawWay],
    squares: list[tuple[str, BaseGeometry]],
    rng: np.random.Generator,
) -> Scene:
    """
    Places with a modest natural spread: buildings differ by a gamma factor of shape 12, homes by one of shape 0.45.

    So some addresses repeat without anything planted, as they do everywhere.
    """
    buildings = {row["building_id"]: row for row in registers.buildings}
    kind_of = {row["unit_id"]: row["kind"] for row in _with_units(sites, registers)}
    factor = dict(zip(buildings, rng.gamma(12, 1 / 12, len(buildings)).tolist(), strict=True))
    texts = {row["address_id"]: row["full_text"] for row in registers.addresses}
    rows: list[tuple[float, float, int, str | None, str | None, str, float]] = []
    for unit in registers.units:
        at, key = unit["geom"].representative_point(), unit["building_id"]
        home = unit["use"] == "dwelling"
        spread = float(rng.gamma(0.45, 1 / 0.45)) if home else float(rng.gamma(5, 1 / 5))
        weight = factor[key] * spread * (1.0 if home else _SITE_WEIGHT.get(kind_of.get(unit["unit_id"], ""), 1.0))
        label = texts[unit["address_id"]]
        rows.append((at.x, at.y, 0 if home else 2, key, unit["unit_id"], label, weight))
    for entrance in registers.entrances:
        building = buildings[entrance["building_id"]]
        if building["use"] in ("residential", "mixed", "shed"):
            at = entrance["geom"]
            weight = factor[building["building_id"]] * min(building["floors_above"], 11) / 6
            rows.append((at.x, at.y, 1, building["building_id"], None, texts[building["address_id"]], weight))
    for piece in pieces:
        way = ways[piece.way]
        if way.kind in ("main", "secondary", "inner"):
            steps = max(1, round(piece.line.length / 25))
            for share in (np.arange(steps) + 0.5) / steps:
                at = piece.line.interpolate(float(share), normalized=True)
                weight = piece.line.length / steps * {"main": 2.0, "secondary": 1.6, "inner": 0.7}[way.kind]
                label = way.name or "小区内部道路"
                rows.append((at.x, at.y, 3, None, None, label, weight * float(rng.gamma(6, 1 / 6))))
    for name, area in squares:
        at = area.representative_point()
        rows.append((at.x, at.y, 4, None, None, name, float(area.area) ** 0.5))
    columns = ["x", "y", "place_class", "building_id", "unit_id", "label", "weight"]
    places = pd.DataFrame(rows, columns=columns)
    weight = places["weight"] / places.groupby("place_class")["weight"].transform("sum")
    mix = np.array([kind.places for kind in KINDS]).T
    total = np.array([kind.rate for kind in KINDS])
    rates = weight.to_numpy()[:, None] * mix[places["place_class"].to_numpy()] * total[None, :]
    assert mix.shape[0] == len(PLACE_CLASSES)  # noqa: S101 - a slip of the table above, not of a user
    places["zone"] = places["building_id"].map({key: row["zone"] for key, row in buildings.items()})
    return Scene(places.drop(columns="weight"), rates / rates.sum())


def _with_units(sites: list[Row], registers: Registers) -> list[Row]:
    texts = {row["full_text"]: row["unit_id"] for row in registers.addresses if row["unit_id"] is not None}
    known = [site for site in sites if site["address_text"] in texts]
    return [{"unit_id": texts[site["address_text"]], "kind": site["kind"]} for site in known]
