"""Where the subject of a task is: its text, building, home, grid and point, asked once when the task is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from data.store import Store
from gis.errors import BadRecordError, RecordMissingError

_UNIT_TEXT = "coalesce(a.full_text, concat_ws(' ', b.name, u.room))"
_UNIT_GEOM = "coalesce(ST_PointOnSurface(u.geom), ST_PointOnSurface(b.geom))"
# Kind of subject → text, building_id, unit_id, grid_id, geom of all of them.
_SUBJECTS: Mapping[str, str] = {
    "building": "SELECT b.building_id AS id, coalesce(a.full_text, concat(b.zone, b.name), b.building_id) AS text, "
    "b.building_id, NULL::VARCHAR AS unit_id, b.grid_id, ST_PointOnSurface(b.geom) AS geom "
    "FROM buildings b LEFT JOIN addresses a ON a.address_id = b.address_id",
    "unit": f"SELECT u.unit_id AS id, {_UNIT_TEXT} AS text, u.building_id, u.unit_id, b.grid_id, {_UNIT_GEOM} AS geom "
    "FROM units u LEFT JOIN buildings b USING (building_id) LEFT JOIN addresses a ON a.address_id = u.address_id",
    "rental": f"SELECT r.rental_id AS id, coalesce({_UNIT_TEXT}, r.rental_id) AS text, b.building_id, r.unit_id, "
    f"b.grid_id, {_UNIT_GEOM} AS geom FROM rentals r LEFT JOIN units u USING (unit_id) "
    "LEFT JOIN buildings b ON b.building_id = coalesce(r.building_id, u.building_id) "
    "LEFT JOIN addresses a ON a.address_id = u.address_id",
    "site": "SELECT s.site_id AS id, s.name AS text, s.building_id, NULL::VARCHAR AS unit_id, coalesce(b.grid_id, "
    "(SELECT min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, s.geom))) AS grid_id, s.geom "
    "FROM key_sites s LEFT JOIN buildings b USING (building_id)",
    "zone": "SELECT z.zone_id AS id, z.name AS text, NULL::VARCHAR AS building_id, NULL::VARCHAR AS unit_id, (SELECT "
    "min(g.grid_id) FROM grids g WHERE ST_Intersects(g.geom, ST_PointOnSurface(z.geom))) AS grid_id, "
    "ST_PointOnSurface(z.geom) AS geom FROM zones z",
    # The caller's own words stay with the incident: a task says the address that they were matched to.
    "incident": f"SELECT i.incident_id AS id, coalesce({_UNIT_TEXT}, c.full_text, b.name, '') AS text, "
    "i.building_id, i.unit_id, i.grid_id, i.geom FROM incidents i LEFT JOIN units u ON u.unit_id = i.unit_id "
    "LEFT JOIN buildings b ON b.building_id = i.building_id LEFT JOIN addresses a ON a.address_id = u.address_id "
    "LEFT JOIN addresses c ON c.address_id = b.address_id",
}
SUBJECT_KINDS = (*_SUBJECTS, "place")


@dataclass(frozen=True)
class TaskPlace:
    """Where a task is; `x_m`, `y_m` in the community's CRS, None where no place is known."""

    text: str
    building_id: str | None = None
    unit_id: str | None = None
    grid_id: str | None = None
    x_m: float | None = None
    y_m: float | None = None


def find_task_places(store: Store, kind: str, ids: list[str] | None = None) -> dict[str, TaskPlace]:
    """Places of subjects of one kind by id; of all of them without `ids`."""
    if kind not in _SUBJECTS:
        raise BadRecordError(f"Subject kind '{kind[:40]}' is not known: expected one of {', '.join(SUBJECT_KINDS)}.")
    rows = store.read(
        "SELECT id, text, building_id, unit_id, grid_id, ST_X(ST_PointOnSurface(geom)) AS x_m, "
        f"ST_Y(ST_PointOnSurface(geom)) AS y_m FROM ({_SUBJECTS[kind]}) "
        "WHERE $ids IS NULL OR list_contains($ids::VARCHAR[], id) ORDER BY id",
        {"ids": ids},
    )
    plain = rows.astype(object).where(rows.notna(), None)
    places = (dict(row) for row in plain.to_dict("records"))
    heads = store.read("SELECT concat(address_prefix, name) AS head FROM community")["head"]
    return {
        str(row.pop("id")): TaskPlace(**{**row, "text": shorten(str(row["text"]), *heads)})  # type: ignore[arg-type]
        for row in places
    }


def shorten(text: str, *heads: str) -> str:
    """An address as people here say it: without province, city and the community's own name."""
    return next((text[len(head) :] for head in heads if head and text.startswith(head) and text != head), text)


def get_task_place(store: Store, kind: str, subject_id: str) -> TaskPlace:
    """The place of one subject; `RecordMissingError` when there is none such."""
    found = find_task_places(store, kind, [subject_id]).get(subject_id)
    if found is None:
        raise RecordMissingError(f"There is no {kind} '{subject_id[:80]}' in this store. Look it up again.")
    return found


def find_grid_at(store: Store, x_m: float, y_m: float) -> str | None:
    """The grid at a point of the community's CRS, None outside all of them."""
    rows = store.read("SELECT min(grid_id) AS g FROM grids WHERE ST_Intersects(geom, ST_Point(?, ?))", [x_m, y_m])
    return None if rows.empty or pd.isna(rows["g"].iloc[0]) else str(rows["g"].iloc[0])
