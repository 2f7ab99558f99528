"""What the dispatch page shows, gathered once a run: open incidents, who is on them, and whom to send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from data.queries import find_categories, find_dispatches, find_reported
from data.store import Store
from data.viewer import Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from incidents.advising import Advice, advise_dispatch
from incidents.dispatching import ACTIVE
from incidents.life_cycle import ENDED, State

OPEN = tuple(state.value for state in State if state not in ENDED)
_URGENCY = ("urgent", "normal", "not_police")
_MOST = 200


@dataclass(frozen=True)
class OpenIncident:
    """An incident that has not ended; `place` is its address without what all of them begin with."""

    row: Mapping[str, Any]
    place: str | None
    dispatches: tuple[Mapping[str, Any], ...]

    @property
    def id(self) -> str:
        return str(self.row["incident_id"])

    @property
    def active(self) -> tuple[Mapping[str, Any], ...]:
        """Dispatches that have not ended."""
        return tuple(one for one in self.dispatches if one["state"] in ACTIVE)

    @property
    def level(self) -> int:
        """The highest level to which one of its dispatches was raised."""
        return max((int(one["level"]) for one in self.active if one["state"] == "sent"), default=0)

    @property
    def waits(self) -> bool:
        """Nobody is on it, or nobody answers."""
        return self.level > 0 or (not self.active and self.row["status"] in ("received", "placed"))


@dataclass(frozen=True)
class Chosen:
    """The chosen incident with the ranking; `problem` is a code where there is none."""

    incident: OpenIncident
    advice: Advice | None
    problem: str | None


def find_open(store: Store, viewer: Viewer) -> tuple[OpenIncident, ...]:
    """Open incidents: those that wait first, then by urgency, the oldest first."""
    rows = find_reported(store, viewer, statuses=OPEN, limit=_MOST)
    names = find_categories(store, viewer)[["category", "name_zh", "name_en"]]
    rows = pd.DataFrame(rows).merge(names, on="category", how="left")
    dispatches = find_dispatches(store, viewer)
    by_incident = dict(iter(dispatches.groupby("incident_id")))
    community = store.read("SELECT coalesce(max(address_prefix), '') || coalesce(max(name), '') AS head FROM community")
    head = str(community["head"].iloc[0])
    found = [
        OpenIncident(
            _to_plain(row),
            _shorten(row["address"], head),
            tuple(_to_plain(one) for one in _records(by_incident.get(row["incident_id"]))),
        )
        for row in rows.to_dict("records")
    ]
    return tuple(sorted(found, key=_order))


def _order(one: OpenIncident) -> tuple[bool, int, datetime]:
    urgency = one.row["urgency"]
    rank = _URGENCY.index(urgency) if urgency in _URGENCY else 0
    return not one.waits, rank, one.row["reported_utc"]


def find_chosen(
    store: Store, viewer: Viewer, incident: OpenIncident, *, at: datetime, by_hand: Sequence[str] = ()
) -> Chosen:
    """The ranking for one incident as it is now; responders chosen by hand are routed too."""
    try:
        return Chosen(incident, advise_dispatch(store, viewer, incident.id, at=at, chosen=by_hand), None)
    except NotAllowedError:
        return Chosen(incident, None, "sensitive")
    except RefusedError:
        return Chosen(incident, None, "no_place")
    except RecordMissingError:
        return Chosen(incident, None, "no_roads")


def _shorten(address: object, head: str) -> str | None:
    return (address.removeprefix(head) or address) if isinstance(address, str) else None


def _records(frame: pd.DataFrame | None) -> list[dict[Any, Any]]:
    return [] if frame is None else frame.to_dict("records")


def _to_plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): None if name != "geom" and pd.isna(value) else value for name, value in row.items()}
