"""How fresh the registers are: by field, by building; what is worth verifying first; what waits to be accepted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import geopandas as gpd
import pandas as pd

from data.freshness import REGISTERS
from data.moments import to_stored_time
from data.reading import read_rows, read_shapes
from data.rights import find_grid_limit, governed
from data.store import Store
from data.viewer import Viewer

# Each record that visits see, with when it was last found true: by a field's check, a visit, or the import that wrote
# it. A row's own `verified_utc` counts too; the invented sample was never imported.
_KNOWN = """
WITH checked AS (
    SELECT subject_kind, subject_id, max(verified_utc) AS at, arg_max(how, verified_utc) AS how FROM register_checks
    GROUP BY ALL
), records AS (
    SELECT 'rental' AS kind, r.rental_id AS id, coalesce(r.building_id, u.building_id) AS building_id, r.unit_id,
        coalesce(r.tenants_count, 0) AS people, r.colour AS mark, r.suspected_group AS suspected, r.verified_utc,
        r.last_visit_on, r.batch_id
    FROM rentals r LEFT JOIN units u USING (unit_id)
    UNION ALL
    SELECT 'site', site_id, building_id, NULL, 0, kind, false, NULL, last_visit_on, batch_id FROM key_sites
), known AS (
    SELECT k.*, b.grid_id, greatest(c.at, k.verified_utc, (k.last_visit_on::TIMESTAMP), i.finished_utc) AS known_utc,
        CASE WHEN c.at IS NOT NULL AND c.at >= coalesce(k.last_visit_on::TIMESTAMP, c.at) THEN c.how
            WHEN k.last_visit_on IS NOT NULL THEN 'door' WHEN i.finished_utc IS NOT NULL THEN 'import' END AS how
    FROM records k JOIN buildings b USING (building_id)
        LEFT JOIN checked c ON c.subject_kind = k.kind AND c.subject_id = k.id
        LEFT JOIN import_batches i ON i.batch_id = k.batch_id AND i.undone_utc IS NULL
)
"""
_BUILDINGS = (
    _KNOWN
    + """
SELECT b.building_id, b.grid_id, b.height_m, b.base_m, count(k.id) AS records,
    count(*) FILTER (k.id IS NOT NULL AND k.known_utc IS NULL) AS unknown,
    median(epoch($now::TIMESTAMP) - epoch(k.known_utc)) / 86400 AS age_days, ST_AsWKB(b.geom) AS geom
FROM buildings b LEFT JOIN known k ON k.building_id = b.building_id
GROUP BY b.building_id, b.grid_id, b.height_m, b.base_m, b.geom ORDER BY b.building_id
"""
)
# Value of verifying: people registered there times how many of its own cycles have passed; a suspicion doubles it.
_MENDS = (
    _KNOWN
    + """
SELECT k.kind, k.id, k.building_id, k.unit_id, k.grid_id, k.people, k.mark, k.suspected, k.known_utc, k.how,
    coalesce((epoch($now::TIMESTAMP) - epoch(k.known_utc)) / 86400, 365) AS age_days, c.days AS cycle_days,
    greatest(k.people, 1) * coalesce((epoch($now::TIMESTAMP) - epoch(k.known_utc)) / 86400, 365)
        / greatest(c.days, 1) * CASE WHEN k.suspected THEN 2 ELSE 1 END AS value
FROM known k JOIN (SELECT unnest($marks::VARCHAR[]) AS mark, unnest($days::INTEGER[]) AS days) c ON c.mark = k.mark
WHERE ($grids IS NULL OR list_contains($grids, k.grid_id))
    AND NOT EXISTS (
        SELECT 1 FROM tasks t WHERE t.subject_id = k.id AND t.subject_kind = k.kind AND t.closed_utc IS NULL
    )
ORDER BY value DESC, k.id LIMIT $limit
"""
)
_GRID_OF = """
    SELECT 'building' AS kind, building_id AS id, grid_id FROM buildings
    UNION ALL SELECT 'unit', u.unit_id, b.grid_id FROM units u JOIN buildings b USING (building_id)
    UNION ALL SELECT 'rental', r.rental_id, b.grid_id FROM rentals r LEFT JOIN units u USING (unit_id)
        JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id)
    UNION ALL SELECT 'site', s.site_id, b.grid_id FROM key_sites s JOIN buildings b USING (building_id)
"""
_CHECKS = f"""
SELECT c.subject_kind, c.subject_id, c.field, c.verified_utc, c.how, coalesce(a.name, c.account_id) AS by,
    coalesce(c.role, a.role) AS role,
    c.source_id, p.grid_id
FROM register_checks c LEFT JOIN accounts a USING (account_id)
    LEFT JOIN ({_GRID_OF}) p ON p.kind = c.subject_kind AND p.id = c.subject_id
WHERE c.subject_kind = $kind AND c.subject_id = $id AND ($grids IS NULL OR list_contains($grids, p.grid_id))
ORDER BY c.field
"""
# When nobody checked a field by itself: the row's own time of a visit, else the import that wrote it.
_ROW_KNOWN = {
    "building": ("verified_utc", "NULL"),
    "unit": ("verified_utc", "NULL"),
    "rental": ("verified_utc", "last_visit_on"),
    "site": ("NULL", "last_visit_on"),
}
_PROPOSALS = """
SELECT p.*, coalesce(a.name, p.proposed_by) AS proposed_by_name, coalesce(d.name, p.decided_by) AS decided_by_name
FROM proposals p LEFT JOIN accounts a ON a.account_id = p.proposed_by
    LEFT JOIN accounts d ON d.account_id = p.decided_by
WHERE ($subject IS NULL OR p.subject_id = $subject)
    AND ($with_decided OR p.state = 'waiting') AND ($grids IS NULL OR list_contains($grids, p.grid_id))
ORDER BY p.received_utc DESC, p.proposal_id LIMIT 300
"""
_VERDICTS = """
SELECT v.*, b.grid_id, b.building_id, r.unit_id, coalesce(a.full_text, r.rental_id) AS place_text,
    coalesce(k.name, v.decided_by) AS decided_by_name, r.suspicion_reason
FROM verdicts v JOIN rentals r USING (rental_id) LEFT JOIN units u ON u.unit_id = r.unit_id
    LEFT JOIN addresses a ON a.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id)
    LEFT JOIN accounts k ON k.account_id = v.decided_by
WHERE ($rental IS NULL OR v.rental_id = $rental) AND ($grids IS NULL OR list_contains($grids, b.grid_id))
ORDER BY v.state = 'expired', v.since_utc DESC, v.rental_id
"""


@governed
def find_freshness(store: Store, viewer: Viewer, *, now: datetime) -> gpd.GeoDataFrame:
    """
    Buildings with the age in days of the middle one of the records that visits see there (rentals, key sites).

    `age_days` is missing where there is nothing to visit (`records` is 0) or nothing was ever verified.
    """
    return read_shapes(store, viewer, ("buildings",), _BUILDINGS, {"now": to_stored_time(now)})


@governed
def find_mends(store: Store, viewer: Viewer, *, now: datetime, cycles: dict[str, int], limit: int = 3) -> pd.DataFrame:
    """
    Records that are most worth verifying today and have no open task: the most valuable first.

    `value` is people registered there (at least 1) times the age in cycles, doubled for a suspicion; a record that was
    never verified counts as a year old. `cycles` are days by colour of a rental or kind of a site.
    """
    parameters = {
        "now": to_stored_time(now), "marks": list(cycles), "days": list(cycles.values()), "limit": limit,
        "grids": find_grid_limit(viewer, "query", "find_mends"),
    }  # fmt: skip
    return read_rows(store, viewer, ("rentals", "key_sites"), _MENDS, parameters)


@governed
def find_checks(store: Store, viewer: Viewer, kind: str, subject_id: str) -> pd.DataFrame:
    """Fields of a subject: when, by whom (account and role) and how each was last found true."""
    grids = find_grid_limit(viewer, "query", "find_checks")
    parameters = {"kind": kind, "id": subject_id, "grids": grids}
    return read_rows(store, viewer, ("register_checks",), _CHECKS, parameters)


@governed
def find_proposals(
    store: Store, viewer: Viewer, *, with_decided: bool = False, subject_id: str | None = None
) -> pd.DataFrame:
    """Differences that wait to be accepted (`with_decided`: all), the newest first; of one subject if it is given."""
    grids = find_grid_limit(viewer, "query", "find_proposals")
    parameters = {"with_decided": with_decided, "grids": grids, "subject": subject_id}
    return read_rows(store, viewer, ("proposals",), _PROPOSALS, parameters)


@governed
def find_field_facts(
    store: Store, viewer: Viewer, kind: str, subject_id: str, *, fields: Sequence[str] | None = None
) -> pd.DataFrame:
    """
    Every field (or these `fields`) that a visit sees of a building, unit, rental or site: its value, and when, by whom
    (account's name) and how it was last found true: door, phone, proposal or import; nothing where it never was.
    """
    table, key, known = REGISTERS[kind]
    verified, visited = _ROW_KNOWN[kind]
    each = " UNION ALL ".join(
        f"SELECT {n} AS seat, '{field}' AS field, x.{field}::VARCHAR AS value, x.{key} AS id, x.batch_id, "
        f"({verified})::TIMESTAMP AS verified_utc, ({visited})::TIMESTAMP AS visited FROM {table} x WHERE x.{key} = $id"
        for n, field in enumerate(known)
        if fields is None or field in fields
    )
    sql = f"""
    SELECT f.field, f.value, coalesce(c.verified_utc, f.verified_utc, f.visited, i.finished_utc) AS verified_utc,
        CASE WHEN c.verified_utc IS NOT NULL THEN c.how WHEN coalesce(f.verified_utc, f.visited) IS NOT NULL THEN 'door'
            WHEN i.finished_utc IS NOT NULL THEN 'import' END AS how,
        coalesce(a.name, c.account_id) AS by, coalesce(c.role, a.role) AS role, c.source_id, p.grid_id
    FROM ({each}) f LEFT JOIN register_checks c ON c.subject_kind = $kind AND c.subject_id = f.id AND c.field = f.field
        LEFT JOIN accounts a USING (account_id)
        LEFT JOIN import_batches i ON i.batch_id = f.batch_id AND i.undone_utc IS NULL
        LEFT JOIN ({_GRID_OF}) p ON p.kind = $kind AND p.id = f.id
    WHERE $grids IS NULL OR list_contains($grids, p.grid_id) ORDER BY f.seat
    """
    parameters = {"kind": kind, "id": subject_id, "grids": find_grid_limit(viewer, "query", "find_field_facts")}
    return read_rows(store, viewer, (table, "register_checks"), sql, parameters)


@governed
def find_verdicts(store: Store, viewer: Viewer, *, rental_id: str | None = None) -> pd.DataFrame:
    """Verdicts on group rentals, the last changed first; 疑似 unless the state says confirmed."""
    grids = find_grid_limit(viewer, "query", "find_verdicts")
    return read_rows(store, viewer, ("verdicts", "rentals"), _VERDICTS, {"rental": rental_id, "grids": grids})
