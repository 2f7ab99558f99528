"""The shift book: what is broken, and how shifts handed over. Places and call signs only."""

from __future__ import annotations

import pandas as pd

from data.reading import read_rows
from data.rights import governed
from data.store import Store
from data.viewer import Viewer

_DEFECTS = """
SELECT defect_id, kind, gate_id, place, note, reported_utc, reported_by, mended_utc, mended_by, mended_note FROM defects
WHERE $with_mended OR mended_utc IS NULL ORDER BY mended_utc NULLS FIRST, reported_utc, defect_id
"""
_HANDOVERS = """
SELECT handover_id, content, content_sha256, remarks, given_account_id, given_by, given_utc, taken_account_id, taken_by,
    taken_utc
FROM handovers ORDER BY given_utc DESC, handover_id LIMIT $rows
"""


@governed
def find_defects(store: Store, viewer: Viewer, *, with_mended: bool = False) -> pd.DataFrame:
    """What is broken, the oldest first; then, if asked for, what was mended."""
    return read_rows(store, viewer, ("defects",), _DEFECTS, {"with_mended": with_mended})


@governed
def find_handovers(store: Store, viewer: Viewer, *, limit: int = 30) -> pd.DataFrame:
    """Handovers, the newest first; `content` is JSON."""
    return read_rows(store, viewer, ("handovers",), _HANDOVERS, {"rows": limit})
