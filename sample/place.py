"""
The invented place: where it lies, what it is called, what has to come out exactly.

Everything in `sample/` is laid out in local metres around (0, 0), x east and y north, and moved to the metric CRS at
the end. The place does not exist; it is put beside 120.14 E, 33.38 N so that the CRS of its zone applies.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np

CRS = "EPSG:4549"
"""CGCS2000 / 3-degree Gauss-Krueger, central meridian 120 E, false easting 500,000 m."""

ORIGIN_M = (513_027.0, 3_694_902.0)
"""Where the local (0, 0) lies in the CRS: about 120.14 E, 33.38 N."""

COMMUNITY_ID = "sample-wanhu"
COMMUNITY = "万户新村"
ADDRESS_PREFIX = "江苏省盐城市亭湖区"

AREA_M2 = 720_000.0
GRIDS = 11
RESIDENTS = 15_000
FLOATING = 2_805
FULL_TIME_WORKERS = 6
RENTALS = 900
SUSPECTED_GROUPS = 40
INCIDENTS = 3_500

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
AS_OF = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
"""The sample's fixed "now": 2026-11-15 24:00 in Shanghai. No clock is read anywhere in this package."""

HISTORY_DAYS = 730
"""Two years of incidents end at AS_OF."""


def subject_rng(seed: int, subject: str) -> np.random.Generator:
    """A generator of its own for each subject, so that a change in one leaves the others as they were."""
    return np.random.default_rng([seed, *subject.encode("utf-8")])


def made_up_phone(number: int) -> str:
    """A telephone number that cannot exist: none in China begins with 000."""
    return f"{number:011d}"


class LayoutError(RuntimeError):
    """A drawn layout on which the community cannot be built: another one is drawn."""
