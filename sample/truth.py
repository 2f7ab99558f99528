"""What was planted, exactly: for tests of the analysis, and out of its reach. Coordinates are in the metric CRS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import shapely

from sample.categories import KINDS
from sample.drawing import Drawn
from sample.dwellings import Row
from sample.incidents import START
from sample.place import AS_OF, CRS, ORIGIN_M
from sample.planted import MOST_TIMES, Planted
from sample.scene import Scene

CELL_M = 25.0


def build_truth(
    planted: list[Planted],
    drawn: Drawn,
    scene: Scene,
    incidents: list[Row],
    callers: list[dict[str, object]],
    *,
    seed: int,
) -> dict[str, Any]:
    """A plain dictionary that JSON can hold. Hours are of the day in Shanghai, days are dates there."""
    ids: dict[str, list[str]] = {}
    for row in incidents:
        if isinstance(row["planted"], str):
            ids.setdefault(row["planted"], []).append(row["incident_id"])
    places = [_place(place, drawn, scene, ids.get(place.key, [])) for place in planted]
    by_role: dict[str, list[dict[str, Any]]] = {}
    for place in places:
        by_role.setdefault(str(place.pop("role")), []).append(place)
    series = {key: value for key, value in drawn.series.items() if key != "first_day"}
    first = int(str(drawn.series["first_day"]))
    series |= {
        "from": _date(first), "to": _date(first + int(str(drawn.series["days"]))),
        "incident_ids": ids.get("near-repeat", []),
    }  # fmt: skip
    return {
        "about": "What the sample planted. Never read by analysis; tests compare what analysis found with this.",
        "seed": seed,
        "crs": CRS,
        "data_as_of": AS_OF.isoformat(),
        "cell_m": CELL_M,
        "most_times_baseline": MOST_TIMES,
        "baseline_reported": drawn.expected,
        "hot_places": by_role["hot"],
        "repeat_addresses": by_role["repeat_address"],
        "near_repeat_series": series,
        "patrol_worked": by_role["patrol_worked"][0],
        "patrol_moved": {"from": by_role["patrol_moved_from"][0], "to": by_role["patrol_moved_to"][0]},
        "persistent_callers": callers,
        "not_planted": "police_found incidents gather around the police office because patrols start there.",
    }


def _place(place: Planted, drawn: Drawn, scene: Scene, ids: list[str]) -> dict[str, Any]:
    xy = scene.places[["x", "y"]].to_numpy()[place.places] + np.array(ORIGIN_M)
    corners = np.unique(np.floor(xy / CELL_M).astype(int), axis=0) * CELL_M
    rows = scene.places.iloc[place.places]
    expected = drawn.expected * float(place.shares(scene).sum())
    found = {
        "key": place.key, "role": place.role, "times": place.times,
        "categories": [KINDS[k].code for k in place.kinds], "hours": list(place.hours),
        "from": _date(place.first), "to": _date(place.last),
        "baseline_expected": round(expected, 2), "extra_incident_ids": ids,
        "buildings": sorted(rows["building_id"].dropna().unique().tolist()),
        "centre": [round(float(v), 2) for v in xy.mean(axis=0)],
        "cells": [
            {"centre": [float(x + CELL_M / 2), float(y + CELL_M / 2)],
             "polygon": [list(p) for p in shapely.box(x, y, x + CELL_M, y + CELL_M).exterior.coords]}
            for x, y in corners.tolist()
        ],
    }  # fmt: skip
    if place.role == "repeat_address":
        row = rows.iloc[0]
        found |= {"building_id": row["building_id"], "unit_id": row["unit_id"], "address": row["label"]}
    return found


def _date(day: int) -> str:
    """Date in Shanghai of a day of the history; `to` dates are the first day after."""
    return (START + timedelta(days=day, hours=8)).date().isoformat()
