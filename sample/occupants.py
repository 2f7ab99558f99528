"""
Who is registered at home. Nobody under fourteen has a row: a home says only that somebody so young lives there.
"""

from __future__ import annotations

import numpy as np

from sample.dwellings import Row
from sample.place import made_up_phone

_YOUNG_SHARE = 0.12
"""Of the residents, under fourteen (the census of 2020 has 17.9 % under fifteen in China, an old estate has fewer)."""


def build_occupants(units: list[Row], rng: np.random.Generator) -> list[Row]:
    """Rows of those of fourteen and older; sets `has_minor` of each home. Somebody grown-up is always there."""
    rows: list[Row] = []
    for unit in units:
        residents, floating = int(unit["residents_count"]), int(unit["floating_count"])
        young = min(int(rng.binomial(residents, _YOUNG_SHARE)), residents - 1) if residents > 1 else 0
        unit["has_minor"] = young > 0
        is_let = floating > 0
        for index in range(residents - young):
            number = len(rows) + 1
            kind = "tenant" if is_let else "owner" if index == 0 else "family"
            rows.append(
                {
                    "occupant_id": f"P{number:05d}", "unit_id": unit["unit_id"], "kind": kind,
                    "floating": index < floating, "name": f"样例住户{number:05d}",
                    "phone": made_up_phone(40_000 + number), "identity_last4": f"{int(rng.integers(10_000)):04d}",
                }
            )  # fmt: skip
    return rows
