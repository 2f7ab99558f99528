"""
Floor plans of key sites (重点单位): read from GeoJSON, kept, looked at and taken back.

A plan of a school or kindergarten opens for a purpose only: typed, for some minutes, and every look is in the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from data.audit import build_entry, write_audited
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.crs import is_plausible_degrees, transform_xy
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from gis.plan_problems import PlanFileError, Problem

AREAS: Final = ("room", "corridor", "stairs")
MARKS: Final = ("exit", "extinguisher", "hydrant", "gas", "power", "camera", "hazard")
KINDS: Final = (*AREAS, "wall", "door", *MARKS)
WITH_PURPOSE: Final = frozenset({"school", "kindergarten"})
SUBJECT: Final = "site_plan"
"""Kind of its openings and looks."""
MOST_PARTS: Final = 2_000
_AROUND_M: Final = 150.0
_LEAST_M2: Final = 0.05
_LEAST_M: Final = 0.1
_SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(AREAS, ("Polygon", "MultiPolygon")),
    "wall": ("LineString", "MultiLineString"),
    **dict.fromkeys(("door", *MARKS), ("Point",)),
}


class PurposeNeededError(NotAllowedError):
    """The plan of a school opens for a purpose only, and none was given."""


@dataclass(frozen=True)
class PlanPart:
    """One part of a plan; geometry in the community's CRS."""

    level: int
    kind: str
    name: str
    geom: BaseGeometry
    source: str = "file"


def read_plan(content: bytes, crs: str, near: BaseGeometry) -> tuple[PlanPart, ...]:
    """
    Parts of a GeoJSON file with properties `level`, `kind` and perhaps `name`; WGS 84 degrees, or metres of `crs`.

    Parameters
    ----------
    near
        The building or point of the site, in `crs`: a plan farther than 150 m from it is another's.

    Raises
    ------
    BadFileError
        Everything that is wrong with it, with the number of the feature.
    """
    try:
        features = json.loads(content.decode("utf-8-sig"))["features"]
        if not isinstance(features, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise PlanFileError(
            [("file", {})], "The plan is no GeoJSON FeatureCollection. Export it as GeoJSON with level and kind."
        ) from error
    if not 0 < len(features) <= MOST_PARTS:
        raise PlanFileError(
            [("count", {"n": len(features), "most": MOST_PARTS})],
            f"The plan has {len(features)} features, expected 1 to {MOST_PARTS}. Export what is needed.",
        )
    parts: list[PlanPart] = []
    problems: list[str] = []
    told: list[Problem] = []
    for number, feature in enumerate(features, start=1):
        found = _read_feature(feature, crs)
        if isinstance(found, _Wrong):
            problems.append(f"feature {number}: {found.said}")
            told.append((found.code, {**found.values, "number": number}))
        elif found.geom.distance(near) > _AROUND_M:
            problems.append(
                f"feature {number}: lies {found.geom.distance(near):.0f} m from the site, expected at most 150"
            )
            told.append(("far", {"number": number, "metres": round(found.geom.distance(near))}))
        else:
            parts.append(found)
    if problems:
        more = f", and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise PlanFileError(
            told, f"The plan cannot be used: {'; '.join(problems[:6])}{more}. Correct them in the file."
        )
    return tuple(parts)


@dataclass(frozen=True)
class _Wrong:
    """What is wrong with a feature: a code with its values, and in English."""

    code: str
    said: str
    values: dict[str, object] = field(default_factory=dict)


def _read_feature(feature: Any, crs: str) -> PlanPart | _Wrong:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return _Wrong("properties", "has no properties")
    kind, level, name = properties.get("kind"), properties.get("level", 1), properties.get("name")
    if kind not in KINDS:
        said = f"kind is '{str(kind)[:20]}', expected one of {', '.join(KINDS)}"
        return _Wrong("part", said, {"value": str(kind)[:20], "known": ", ".join(KINDS)})
    if isinstance(level, bool) or not isinstance(level, int) or not -20 <= level <= 300 or level == 0:
        said = f"level is '{str(level)[:20]}', expected a whole number from -20 to 300 without 0"
        return _Wrong("level", said, {"value": str(level)[:20]})
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(feature.get("geometry"))))
    except (shapely.errors.ShapelyError, TypeError, ValueError):
        return _Wrong("unreadable", "its geometry cannot be read")
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        return _Wrong("empty", "has no geometry")
    if shape.geom_type not in _SHAPES[kind]:
        said = f"is a {shape.geom_type}, expected {' or '.join(_SHAPES[kind])} for a {kind}"
        return _Wrong("geometry", said, {"value": shape.geom_type, "known": " / ".join(_SHAPES[kind]), "part": kind})
    shape = _to_metric(shape, crs)
    if not shape.is_valid:
        return _Wrong("crossed", "its outline crosses itself")
    return PlanPart(level, str(kind), " ".join(str(name or "").split())[:60], shape)


def _to_metric(shape: BaseGeometry, crs: str) -> BaseGeometry:
    xy = shapely.get_coordinates(shape)
    if not is_plausible_degrees(xy):
        return shape
    return shapely.transform(shape, lambda degrees: transform_xy(degrees, "EPSG:4326", crs))


def put_site_plan(store: Store, viewer: Viewer, site_id: str, parts: Sequence[PlanPart], *, clock: Clock) -> int:
    """
    Keep a plan instead of the one before; without parts it is taken off. Returns how many parts it has.

    Raises
    ------
    NotAllowedError, RecordMissingError
        The role may not; there is no such site.
    """
    rows = [_to_row(store, one) for one in parts]
    return _change(store, viewer, site_id, lambda _: rows, clock)


def add_part(store: Store, viewer: Viewer, site_id: str, part: PlanPart, *, clock: Clock) -> int:
    """
    Add one part, as it was drawn. Raises as `put_site_plan`.

    Raises
    ------
    BadRecordError
        Its outline crosses itself or is nothing, or the plan has its most.
    """
    if part.kind not in KINDS or part.geom.geom_type not in _SHAPES[part.kind] or not _is_something(part.geom):
        raise BadRecordError(f"The {part.kind[:20]} that was drawn crosses itself or has no size. Draw it again.")
    row = _to_row(store, part)

    def add(before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(before) >= MOST_PARTS:
            raise BadRecordError(f"The plan has {MOST_PARTS} parts, which is the most. Take some off.")
        return [*before, row]

    return _change(store, viewer, site_id, add, clock)


def remove_part(store: Store, viewer: Viewer, site_id: str, part_id: int, *, clock: Clock) -> int:
    """Take one part off; those after it count anew. Raises as `put_site_plan`, and where there is no such part."""

    def take_off(before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not 1 <= part_id <= len(before):
            raise RecordMissingError(f"The plan has no part {part_id}. Look at it again.")
        return [row for number, row in enumerate(before, start=1) if number != part_id]

    return _change(store, viewer, site_id, take_off, clock)


def _is_something(shape: BaseGeometry) -> bool:
    return bool(shape.is_valid) and (shape.geom_type == "Point" or shape.area > _LEAST_M2 or shape.length > _LEAST_M)


def _to_row(store: Store, part: PlanPart) -> dict[str, Any]:
    name = mask_at_intake(store, part.name) if part.name else None
    shape = shapely.to_wkt(part.geom, rounding_precision=3)
    return {"level": part.level, "kind": part.kind, "name": name, "source": part.source, "geom": shape}


def _change(
    store: Store,
    viewer: Viewer,
    site_id: str,
    choose: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    clock: Clock,
) -> int:
    """Write what `choose` makes of the parts as they are inside the transaction, with its event and the log."""
    check_right(viewer, "action", "manage_plans")
    get_site_kind(store, site_id)

    def work(transaction: Transaction) -> int:
        before = _fetch(transaction, site_id)
        rows = choose(before)
        _write(transaction, site_id, rows, clock)
        _append(transaction, "site_plan.set" if rows else "site_plan.removed", site_id, before, rows, clock)
        return len(rows)

    entry = build_entry(viewer, "change", subject_kind=SUBJECT, subject_id=site_id, detail={"what": "site_plan"})
    return write_audited(store, work, lambda _: [entry], clock=clock)


def undo_site_plan(store: Store, viewer: Viewer, site_id: str, *, clock: Clock) -> None:
    """
    Take the last change of a site's plan back.

    Raises
    ------
    RefusedError
        There is none, or the last one took another back itself.
    """
    check_right(viewer, "action", "manage_plans")

    def work(transaction: Transaction) -> None:
        sql = """SELECT kind, detail FROM events WHERE subject_table = 'site_plan_parts' AND subject_id = ?
            ORDER BY event_id DESC LIMIT 1"""
        last = transaction.fetch(sql, [site_id])
        if last.empty or last["kind"].iloc[0] == "site_plan.undone":
            raise RefusedError(f"There is no change of the plan of '{site_id[:60]}' to take back. Put another plan.")
        rows = json.loads(str(last["detail"].iloc[0]))["before"]
        now = _fetch(transaction, site_id)
        _write(transaction, site_id, rows, clock)
        _append(transaction, "site_plan.undone", site_id, now, rows, clock)

    entry = build_entry(viewer, "change", subject_kind=SUBJECT, subject_id=site_id, detail={"what": "site_plan.undone"})
    write_audited(store, work, lambda _: [entry], clock=clock)


def get_site_kind(store: Store, site_id: str) -> str:
    """Kind of a key site; `RecordMissingError` without one."""
    rows = store.read("SELECT kind FROM key_sites WHERE site_id = ?", [site_id])
    if rows.empty:
        raise RecordMissingError(f"There is no key site '{site_id[:60]}'. Choose it again.")
    return str(rows["kind"].iloc[0])


def _fetch(transaction: Transaction, site_id: str) -> list[dict[str, Any]]:
    sql = """SELECT level, kind, name, source, ST_AsText(geom) AS geom FROM site_plan_parts
        WHERE site_id = ? ORDER BY part_id"""
    rows = transaction.fetch(sql, [site_id])
    plain = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{str(name): int(v) if name == "level" else v for name, v in row.items()} for row in plain]


def _write(transaction: Transaction, site_id: str, rows: Sequence[Mapping[str, Any]], clock: Clock) -> None:
    transaction.execute("site_plan_parts", "DELETE FROM site_plan_parts WHERE site_id = ?", [site_id])
    if not rows:
        return
    shapes = [shapely.from_wkt(row["geom"]) for row in rows]
    known = [{name: row[name] for name in ("level", "kind", "name", "source")} for row in rows]
    frame = gpd.GeoDataFrame(known, geometry=shapes).rename_geometry("geom")
    frame.insert(0, "site_id", site_id)
    frame.insert(1, "part_id", range(1, len(frame) + 1))
    frame.insert(2, "put_utc", to_stored_time(clock()))
    transaction.append("site_plan_parts", frame)


def _append(
    transaction: Transaction, kind: str, site_id: str, before: Sequence[Any], after: Sequence[Any], clock: Clock
) -> None:
    detail = json.dumps({"before": list(before), "after": list(after)}, ensure_ascii=False)
    transaction.execute(
        "events",
        "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, ?, ?, ?, ?, ? FROM events",
        [to_stored_time(clock()), kind, "site_plan_parts", site_id, detail],
    )
