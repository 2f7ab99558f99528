"""People with radios and the places that they name, as the page of the roll call shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

import pandas as pd
import shapely

from data.moments import to_aware
from data.queries import find_buildings, find_forces, find_gates, find_grids, find_key_sites
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t, term
from incidents.duty import Duty, find_duty


@dataclass(frozen=True)
class Force:
    """One person with a radio, by call sign; times are aware, duty hours local."""

    responder_id: str
    call_sign: str
    kind: str
    vehicle: str
    channel: str
    duty: Duty
    status_utc: datetime | None
    duty_from: time | None
    duty_to: time | None
    position_utc: datetime | None
    position_source: str | None
    has_position: bool
    grid_name: str | None

    def say_status(self, lang: Language) -> str:
        """The status that counts, and whether it was said or is the roster's."""
        said = term("responder_status", self.duty.status.value, lang)
        return said if self.duty.is_said else t("forces.by_roster", lang, status=said)

    def say_hours(self, lang: Language) -> str:
        """Duty hours."""
        if self.duty_from is None or self.duty_to is None:
            return t("forces.no_hours", lang)
        return f"{self.duty_from:%H:%M}–{self.duty_to:%H:%M}"

    def say_position(self, now: datetime, lang: Language) -> str:
        """Where, and how old that is."""
        if not self.has_position or self.position_utc is None:
            return t("forces.no_position", lang)
        minutes = max(int((now - self.position_utc).total_seconds() // 60), 0)
        age = (
            t("forces.age_minutes", lang, minutes=minutes)
            if minutes < 120
            else t("forces.age_hours", lang, hours=minutes // 60)
            if minutes < 48 * 60
            else t("forces.age_days", lang, days=minutes // (24 * 60))
        )
        source = term("position_source", self.position_source, lang) if self.position_source else ""
        return " · ".join(part for part in (self.grid_name or t("forces.outside_grids", lang), age, source) if part)


@dataclass(frozen=True)
class Places:
    """Houses, gates and key sites to be named on the radio: key → name, key → point in the community's CRS, metres."""

    names: Mapping[str, str]
    points: Mapping[str, tuple[float, float]]


def read_forces(store: Store, viewer: Viewer, now: datetime) -> list[Force]:
    """Everybody with a radio, by call sign."""
    grids = {
        str(row["grid_id"]): str(row["name"])
        for row in find_grids(store, viewer)[["grid_id", "name"]].to_dict("records")
    }
    frame = find_forces(store, viewer)
    forces = []
    for row in frame.astype(object).to_dict("records"):
        plain = {name: None if name != "geom" and pd.isna(value) else value for name, value in row.items()}
        status_utc = to_aware(plain["status_utc"])
        duty = find_duty(plain["status"], status_utc, plain["duty_from"], plain["duty_to"], now)
        forces.append(
            Force(
                responder_id=str(plain["responder_id"]),
                call_sign=str(plain["call_sign"]),
                kind=str(plain["kind"]),
                vehicle=str(plain["vehicle"] or "foot"),
                channel=str(plain["channel"] or ""),
                duty=duty,
                status_utc=status_utc,
                duty_from=plain["duty_from"],
                duty_to=plain["duty_to"],
                position_utc=to_aware(plain["position_utc"]),
                position_source=plain["position_source"],
                has_position=plain["geom"] is not None and not plain["geom"].is_empty,
                grid_name=grids.get(str(plain["grid_id"])),
            )
        )
    return sorted(forces, key=lambda one: (one.call_sign, one.responder_id))


def read_places(store: Store, viewer: Viewer, lang: Language) -> Places:
    """Gates first, then key sites and houses."""
    names: dict[str, str] = {}
    points: dict[str, tuple[float, float]] = {}

    def add(key: str, name: object, shape: shapely.Geometry) -> None:
        if isinstance(name, str) and name:
            inside = shapely.point_on_surface(shape)
            names[key], points[key] = name, (float(inside.x), float(inside.y))

    for row in find_gates(store, viewer).to_dict("records"):
        add(f"gate {row['gate_id']}", row["name"], row["geom"])
    for row in find_key_sites(store, viewer).to_dict("records"):
        add(f"site {row['site_id']}", row["name"], row["geom"])
    for row in find_buildings(store, viewer).to_dict("records"):
        zone = row["zone"] if isinstance(row["zone"], str) else ""
        name = row["name"] if isinstance(row["name"], str) else t("forces.house", lang, id=row["building_id"])
        add(f"building {row['building_id']}", f"{zone}{name}", row["geom"])
    return Places(names, points)
