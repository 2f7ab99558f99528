"""One place for a panel: a building, a grid, a key site or a unit, with what stands in it and what happened there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import pandas as pd

from data.masking import is_shown_persons, sees_sensitive
from data.moments import to_stored_time
from data.queries_incidents import CATEGORY_TREE
from data.queries_maps import find_grids
from data.reading import find_history_start, read_rows
from data.rights import check_grid, governed
from data.store import Store
from data.viewer import Viewer
from gis.errors import RecordMissingError

Rows = tuple[dict[str, Any], ...]
PlaceKind = Literal["building", "grid", "site", "unit"]
PLACE_KINDS: tuple[PlaceKind, ...] = get_args(PlaceKind)

_BUILDING = """
SELECT b.building_id AS id, b.name, b.zone, b.number, a.full_text AS address, b.grid_id, g.name AS grid_name, b.use,
    b.floors_above, b.floors_below, b.floors_source, b.height_m, b.height_source, b.year_built, b.structure,
    h.units_count, h.residents_count, h.floating_count
FROM (
    SELECT count(*) AS units_count, coalesce(sum(residents_count), 0)::BIGINT AS residents_count,
        coalesce(sum(floating_count), 0)::BIGINT AS floating_count
    FROM units WHERE building_id = $id
) h, buildings b LEFT JOIN addresses a USING (address_id) LEFT JOIN grids g ON g.grid_id = b.grid_id
WHERE b.building_id = $id
"""
_SITE = """
SELECT s.site_id AS id, s.name, s.kind AS site_kind, s.building_id, b.name AS building_name, s.level, s.address_text,
    coalesce(b.grid_id, (SELECT min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, s.geom))) AS grid_id,
    s.last_visit_on, s.contact_name, s.contact_phone
FROM key_sites s LEFT JOIN buildings b USING (building_id) WHERE s.site_id = $id
"""
_UNIT = """
SELECT u.unit_id AS id, u.name, u.building_id, b.name AS building_name, b.zone, e.name AS entrance_name, u.level,
    u.room, a.full_text AS address, b.grid_id, u.use, u.area_m2, u.residents_count, u.floating_count, u.has_minor,
    u.owner_name, u.owner_phone
FROM units u LEFT JOIN buildings b USING (building_id) LEFT JOIN addresses a ON a.address_id = u.address_id
    LEFT JOIN entrances e ON e.entrance_id = u.entrance_id
WHERE u.unit_id = $id
"""
_WORKER = """
SELECT w.responder_id, w.call_sign, w.full_time, w.channel, w.duty_from, w.duty_to, w.name, w.phone, g.grid_id
FROM grids g JOIN responders w ON w.responder_id = g.worker_responder_id WHERE g.grid_id = $id
"""
_RENTALS = """
SELECT r.rental_id, r.unit_id, b.grid_id, u.level, u.room, a.full_text AS address, r.rooms_count, r.beds_count,
    r.tenants_count, r.area_m2, r.colour, r.registered_on, r.last_visit_on, r.suspected_group, r.suspicion_reason,
    r.confirmed_utc, r.landlord_name, r.landlord_phone
FROM rentals r LEFT JOIN units u USING (unit_id) LEFT JOIN addresses a ON a.address_id = u.address_id
    LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id)
WHERE CASE WHEN $kind = 'unit' THEN r.unit_id = $id ELSE b.building_id = $id END
ORDER BY u.level, u.room, r.rental_id
"""
_SITES = """
SELECT s.site_id, s.name, s.kind, s.level, s.last_visit_on, s.contact_name, s.contact_phone, b.grid_id
FROM key_sites s LEFT JOIN buildings b USING (building_id) WHERE s.building_id = $id ORDER BY s.name, s.site_id
"""
_ENTRANCES = "SELECT entrance_id, name, unit_number FROM entrances WHERE building_id = $id ORDER BY name, entrance_id"
# At a building the wall is not told that a sensitive incident was there; in a grid it is counted without its kind.
_COUNTS = (
    CATEGORY_TREE
    + """
SELECT CASE WHEN $sees_all OR NOT coalesce(k.sensitive, false) THEN i.category END AS category, count(*) AS total,
    count(*) FILTER (i.reported_utc >= $since) AS lately, max(i.reported_utc) AS last_reported_utc
FROM incidents i LEFT JOIN kinds k USING (category)
WHERE ($sees_all OR $kind = 'grid' OR NOT coalesce(k.sensitive, false))
    AND i.status NOT IN ('cancelled', 'duplicate')
    AND CASE $kind WHEN 'grid' THEN i.grid_id WHEN 'building' THEN i.building_id ELSE i.unit_id END = $id
GROUP BY ALL ORDER BY total DESC, 1
"""
)


@dataclass(frozen=True)
class IncidentCounts:
    """
    Incidents at a place.

    Attributes
    ----------
    total, total_84_days
        So far, and in the 84 days before the data were true.
    by_category, by_category_84_days
        The same by code, most first. In a grid, kinds that the viewer may not know are in the totals only.
    last_reported_utc
        When the last one was reported; None where there was none.
    """

    total: int
    total_84_days: int
    by_category: dict[str, int]
    by_category_84_days: dict[str, int]
    last_reported_utc: datetime | None


@dataclass(frozen=True)
class Place:
    """
    One place as this viewer may see it.

    Attributes
    ----------
    kind, id
        What it is.
    facts
        Columns of its row. For a grid those of `find_grids` with `worker` (a dict, None without one). Person columns
        are absent for viewers who see none, else masked.
    entrances, rentals, key_sites
        What belongs to a building (of a unit: its rentals), one dict a row. A suspected rental says its reason.
    incidents
        What was reported there; for a key site, in its building.
    """

    kind: PlaceKind
    id: str
    facts: dict[str, Any]
    entrances: Rows
    rentals: Rows
    key_sites: Rows
    incidents: IncidentCounts

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists; dates and times stay objects."""
        return asdict(self)


@governed
def get_place(store: Store, viewer: Viewer, kind: PlaceKind, place_id: str) -> Place:
    """
    What a panel shows of one place.

    Raises
    ------
    RecordMissingError
        There is no such place, or `kind` is none of `PLACE_KINDS`.
    NotAllowedError
        A grid worker asks for a place outside their own grids.
    """
    query = {"id": place_id}
    entrances: Rows = ()
    rentals: Rows = ()
    key_sites: Rows = ()
    if kind == "grid":
        facts = _get_grid(store, viewer, place_id)
    elif kind == "building":
        facts = _get_one(kind, place_id, read_rows(store, viewer, ("buildings",), _BUILDING, query))
        entrances = _to_dicts(read_rows(store, viewer, ("entrances",), _ENTRANCES, query))
        rentals = _to_dicts(read_rows(store, viewer, ("rentals",), _RENTALS, {**query, "kind": kind}))
        key_sites = _to_dicts(read_rows(store, viewer, ("key_sites",), _SITES, query))
    elif kind == "site":
        facts = _get_one(kind, place_id, read_rows(store, viewer, ("key_sites",), _SITE, query))
    elif kind == "unit":
        facts = _get_one(kind, place_id, read_rows(store, viewer, ("units",), _UNIT, query))
        rentals = _to_dicts(read_rows(store, viewer, ("rentals",), _RENTALS, {**query, "kind": kind}))
    else:
        raise RecordMissingError(f"Place kind '{kind}' is not known: expected one of {', '.join(PLACE_KINDS)}.")
    grid_id = facts["id"] if kind == "grid" else facts["grid_id"]
    check_grid(viewer, "query", "get_place", grid_id, what=f"{kind} '{place_id[:80]}'")
    if not is_shown_persons(viewer):
        facts.pop("has_minor", None)  # who could be met alone at home is nobody's business at the wall
    counted = ("building", facts["building_id"]) if kind == "site" else (kind, place_id)
    return Place(kind, place_id, facts, entrances, rentals, key_sites, _count_incidents(store, viewer, *counted))


def _get_grid(store: Store, viewer: Viewer, grid_id: str) -> dict[str, Any]:
    grids = pd.DataFrame(find_grids(store, viewer)).drop(columns="geom").rename(columns={"grid_id": "id"})
    facts = _get_one("grid", grid_id, grids[grids["id"] == grid_id])
    workers = _to_dicts(read_rows(store, viewer, ("responders",), _WORKER, {"id": grid_id}))
    return {**facts, "worker": workers[0] if workers else None}


def _get_one(kind: str, place_id: str, frame: pd.DataFrame) -> dict[str, Any]:
    if frame.empty:
        raise RecordMissingError(
            f"There is no {kind} '{place_id[:80]}' in this store: it may have been taken back with its import. "
            "Reload the page, or look it up by its address."
        )
    return _to_dicts(frame)[0]


def _to_dicts(frame: pd.DataFrame) -> Rows:
    """Rows with None where something is missing, and Python's own times."""
    rows = frame.astype(object).to_dict("records")
    return tuple({str(name): _to_plain(value) for name, value in row.items()} for row in rows)


def _to_plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _count_incidents(store: Store, viewer: Viewer, kind: str, place_id: str | None) -> IncidentCounts:
    since = find_history_start(store)
    parameters = {
        "id": place_id,
        "kind": kind,
        "sees_all": sees_sensitive(viewer),
        "since": None if since is None else to_stored_time(since),
    }
    rows = read_rows(store, viewer, ("incidents",), _COUNTS, parameters)
    told = rows[rows["category"].notna()]
    lately = told[told["lately"] > 0].sort_values("lately", ascending=False, kind="stable")
    last = rows["last_reported_utc"].max()
    return IncidentCounts(
        total=int(rows["total"].sum()),
        total_84_days=int(rows["lately"].sum()),
        by_category={str(c): int(n) for c, n in zip(told["category"], told["total"], strict=True)},
        by_category_84_days={str(c): int(n) for c, n in zip(lately["category"], lately["lately"], strict=True)},
        last_reported_utc=None if pd.isna(last) else last.to_pydatetime(),
    )
