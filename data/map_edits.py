"""
Gates and walls by hand: placed, drawn, moved, changed, confirmed, taken off, and each of it taken back.

Whoever stands before a gate knows better than a file: what was set by hand carries `verified_utc`, and no import
overwrites it or brings back what was taken off. Every change is one event that holds the row before and after, so the
rows are what the events add up to (`rebuild_map`); row, event and the entry in the log commit together.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final, Literal

import pandas as pd
import shapely
from shapely import LineString, Point

from data.audit import build_entry, write_audited
from data.intake import mask_at_intake
from data.moments import to_stored_time
from data.rights import check_right
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError, RefusedError

Table = Literal["gates", "walls"]
Row = dict[str, Any]
KEYS: Final[Mapping[Table, str]] = {"gates": "gate_id", "walls": "wall_id"}
GATE_KINDS: Final = ("vehicle", "pedestrian", "emergency")
WALL_KINDS: Final = ("wall", "fence")
WALL_HEIGHT_M: Final[Mapping[str, float]] = {"wall": 2.2, "fence": 1.8}  # as imports assume it where a file says none
MOST_NAME_CHARACTERS: Final = 40
_COLUMNS: Final[Mapping[Table, tuple[str, ...]]] = {
    "gates": ("gate_id", "name", "kind", "closes_at", "opens_at", "batch_id", "verified_utc"),
    "walls": ("wall_id", "kind", "height_m", "batch_id", "verified_utc"),
}
_AROUND_M: Final = 500.0  # a gate of the next street is of use; one in another town is a slip of the hand
_LEAST_WALL_M, _MOST_WALL_M = 0.5, 20_000.0


@dataclass(frozen=True)
class GateDraft:
    """A gate as somebody wants it; hours are Asia/Shanghai, both or neither (it never closes)."""

    point: Point
    """In the community's CRS"""
    kind: str = "pedestrian"
    name: str = ""
    closes_at: time | None = None
    opens_at: time | None = None


@dataclass(frozen=True)
class WallDraft:
    """A wall or fence as somebody wants it."""

    line: LineString
    """In the community's CRS"""
    kind: str = "wall"
    height_m: float | None = None
    """None: as usual for its kind"""


def add_gate(store: Store, viewer: Viewer, draft: GateDraft, *, clock: Clock) -> str:
    """
    Place a gate; returns its id.

    Raises
    ------
    NotAllowedError
        The role may not.
    BadRecordError
        Kind, hours or place cannot be: the sentence says which.
    """
    gate_id = f"g-hand-{secrets.token_hex(5)}"
    _commit(store, viewer, "gates", {gate_id: _to_gate(store, gate_id, draft)}, "added", clock)
    return gate_id


def add_wall(store: Store, viewer: Viewer, draft: WallDraft, *, clock: Clock) -> str:
    """Draw a wall; returns its id. Raises as `add_gate`."""
    wall_id = f"wall-hand-{secrets.token_hex(5)}"
    _commit(store, viewer, "walls", {wall_id: _to_wall(store, wall_id, draft)}, "added", clock)
    return wall_id


def change_gate(store: Store, viewer: Viewer, gate_id: str, draft: GateDraft, *, clock: Clock) -> None:
    """Set place, kind, name and hours of a gate. Raises as `add_gate`, and `RecordMissingError`."""
    _commit(store, viewer, "gates", {gate_id: _to_gate(store, gate_id, draft)}, "changed", clock)


def change_wall(store: Store, viewer: Viewer, wall_id: str, draft: WallDraft, *, clock: Clock) -> None:
    """Set course, kind and height of a wall. Raises as `change_gate`."""
    _commit(store, viewer, "walls", {wall_id: _to_wall(store, wall_id, draft)}, "changed", clock)


def remove_feature(store: Store, viewer: Viewer, table: Table, feature_id: str, *, clock: Clock) -> None:
    """Take a gate or wall off the map, for imports to come as well. Raises as `change_gate`."""
    _commit(store, viewer, table, {feature_id: None}, "removed", clock)


def confirm_features(store: Store, viewer: Viewer, table: Table, ids: Sequence[str], *, clock: Clock) -> None:
    """They are as they stand there: somebody looked. Raises as `change_gate`."""
    _commit(store, viewer, table, {one: {} for one in ids}, "confirmed", clock)


def undo_map_change(store: Store, viewer: Viewer, event_id: int, *, clock: Clock) -> None:
    """
    Take one change back: the gate or wall is as it was before it.

    Raises
    ------
    RecordMissingError
        There is no such change.
    RefusedError
        The gate or wall was changed again since, or the change was one that took another back.
    """
    check_right(viewer, "action", "manage_map")

    def work(transaction: Transaction) -> tuple[Table, str]:
        found = transaction.fetch(
            "SELECT kind, subject_table, subject_id, detail FROM events WHERE event_id = ? AND kind LIKE 'map.%'",
            [event_id],
        )
        if found.empty:
            raise RecordMissingError(f"There is no change {event_id} of a gate or wall. Choose one from the list.")
        table: Table = "gates" if found["subject_table"].iloc[0] == "gates" else "walls"
        feature_id, detail = str(found["subject_id"].iloc[0]), json.loads(str(found["detail"].iloc[0]))
        last = transaction.fetch(
            "SELECT max(event_id) AS n FROM events WHERE subject_table = ? AND subject_id = ? AND kind LIKE 'map.%'",
            [table, feature_id],
        )
        if int(last["n"].iloc[0]) != event_id or found["kind"].iloc[0] == "map.undone":
            raise RefusedError(
                f"Change {event_id} is not the last one of '{feature_id}', or took another back itself. "
                "Take back the later one first, or set it anew."
            )
        now = detail["after"]
        if _read_row(transaction, table, feature_id) != now:
            raise RefusedError(f"'{feature_id}' is not as change {event_id} left it: an import came between. Set it.")
        _put(transaction, table, feature_id, detail["before"], clock)
        _append(transaction, "map.undone", table, feature_id, {"before": now, "after": detail["before"]}, clock)
        return table, feature_id

    def describe(result: tuple[Table, str]) -> list[Any]:
        return [_describe(viewer, result[0], result[1], "undone")]

    write_audited(store, work, describe, clock=clock)


def rebuild_map(events: Iterable[tuple[str, str, str, str]]) -> dict[tuple[str, str], Row | None]:
    """
    What `(kind, table, id, detail)` in order lead to: each touched gate or wall by table and id, None where it is off
    the map; times as ISO text, places as WKT.
    """
    return {(table, one): json.loads(detail)["after"] for kind, table, one, detail in events if kind[:4] == "map."}


def _to_gate(store: Store, gate_id: str, draft: GateDraft) -> Row:
    _check_word("gate", draft.kind, GATE_KINDS)
    if (draft.closes_at is None) != (draft.opens_at is None) or (
        draft.closes_at is not None and draft.closes_at == draft.opens_at
    ):
        raise BadRecordError(
            f"A gate closes at {draft.closes_at} and opens at {draft.opens_at}: expected two different times, "
            "or neither for one that never closes."
        )
    _check_near(store, draft.point)
    name = " ".join(draft.name.split())[:MOST_NAME_CHARACTERS]
    return {
        "gate_id": gate_id, "name": mask_at_intake(store, name) if name else None, "kind": draft.kind,
        "closes_at": _to_text(draft.closes_at), "opens_at": _to_text(draft.opens_at), "geom": _to_wkt(draft.point),
    }  # fmt: skip


def _to_wall(store: Store, wall_id: str, draft: WallDraft) -> Row:
    _check_word("wall", draft.kind, WALL_KINDS)
    height_m = WALL_HEIGHT_M[draft.kind] if draft.height_m is None else draft.height_m
    if not 0.3 <= height_m <= 20:
        raise BadRecordError(f"A wall's height_m is {height_m:g}, expected 0.3 to 20. Correct it.")
    length_m = draft.line.length
    if draft.line.geom_type != "LineString" or not _LEAST_WALL_M <= length_m <= _MOST_WALL_M:
        raise BadRecordError(
            f"The wall is {length_m:.1f} m long, expected a line of {_LEAST_WALL_M} m to {_MOST_WALL_M / 1000:g} km. "
            "Draw it again."
        )
    _check_near(store, draft.line)
    return {"wall_id": wall_id, "kind": draft.kind, "height_m": float(height_m), "geom": _to_wkt(draft.line)}


def _check_word(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise BadRecordError(f"A {what}'s kind is '{value[:40]}', expected one of {', '.join(allowed)}.")


def _check_near(store: Store, shape: Point | LineString) -> None:
    if shape.is_empty or not shapely.is_valid(shape):
        raise BadRecordError("The gate or wall has no place. Point at the map once more.")
    rows = store.read_geo("SELECT ST_AsWKB(boundary) AS geom FROM community WHERE boundary IS NOT NULL")
    away_m = rows.geometry.iloc[0].distance(shape) if len(rows) else 0.0
    if away_m > _AROUND_M:
        raise BadRecordError(
            f"The place is {away_m:.0f} m outside the community, expected at most {_AROUND_M:.0f}. Point at the map "
            "once more."
        )


def _to_text(moment: time | None) -> str | None:
    return None if moment is None else moment.strftime("%H:%M:%S")


def _to_wkt(shape: Point | LineString) -> str:
    """To the millimetre, as DuckDB writes it back."""
    return shapely.to_wkt(shapely.set_precision(shape, 0.001), rounding_precision=3)


def _commit(
    store: Store, viewer: Viewer, table: Table, rows: Mapping[str, Row | None], what: str, clock: Clock
) -> None:
    """Write rows (None: off the map; empty: as it is) with an event each."""
    check_right(viewer, "action", "manage_map")
    now = to_stored_time(clock()).isoformat()

    def work(transaction: Transaction) -> None:
        for feature_id, row in rows.items():
            before = _read_row(transaction, table, feature_id)
            if (before is None) != (what == "added"):
                raise RecordMissingError(
                    f"There is no {table[:-1]} '{feature_id[:60]}' on the map any more. Look at the map again."
                )
            after = None if row is None else {**(before or {"batch_id": None}), **row, "verified_utc": now}
            _put(transaction, table, feature_id, after, clock)
            kept = None if after is None else _read_row(transaction, table, feature_id)
            _append(transaction, f"map.{what}", table, feature_id, {"before": before, "after": kept}, clock)

    write_audited(store, work, lambda _: [_describe(viewer, table, one, what) for one in rows], clock=clock)


def _describe(viewer: Viewer, table: Table, feature_id: str, what: str) -> Any:
    return build_entry(viewer, "change", subject_kind=table[:-1], subject_id=feature_id, detail={"what": f"map.{what}"})


def _read_row(transaction: Transaction, table: Table, feature_id: str) -> Row | None:
    names = ", ".join(_COLUMNS[table])
    found = transaction.fetch(
        f"SELECT {names}, ST_AsText(geom) AS geom FROM {table} WHERE {KEYS[table]} = ?", [feature_id]
    )
    if found.empty:
        return None
    return {str(name): _to_plain(value) for name, value in found.iloc[0].items()}


def _to_plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value if isinstance(value, str | float) else str(value)


def _put(transaction: Transaction, table: Table, feature_id: str, row: Row | None, clock: Clock) -> None:
    transaction.execute(table, f"DELETE FROM {table} WHERE {KEYS[table]} = ?", [feature_id])
    if row is None:
        sql = "INSERT INTO map_removals VALUES (?, ?, ?)"
        transaction.execute("map_removals", sql, [feature_id, table, to_stored_time(clock())])
        return
    sql = "DELETE FROM map_removals WHERE feature_id = ? AND table_name = ?"
    transaction.execute("map_removals", sql, [feature_id, table])
    marks = ", ".join("ST_GeomFromText(?)" if name == "geom" else "?" for name in row)
    transaction.execute(table, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def _append(
    transaction: Transaction, kind: str, table: Table, feature_id: str, detail: Mapping[str, Any], clock: Clock
) -> None:
    transaction.execute(
        "events",
        "INSERT INTO events SELECT coalesce(max(event_id), 0) + 1, ?, ?, ?, ?, ? FROM events",
        [to_stored_time(clock()), kind, table, feature_id, json.dumps(detail, ensure_ascii=False)],
    )
