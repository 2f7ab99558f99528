"""Dispatches as rows and their acts as events, there and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from data.incident_writes import Event
from incidents.dispatching import Act, Dispatch, DispatchAction, DispatchState, Kind, Way, rebuild

PREFIX = "dispatch."


def to_row(dispatch: Dispatch) -> dict[str, Any]:
    """A dispatch as its row: codes as text, times aware."""
    return {name: str(value) if isinstance(value, (Kind, Way, DispatchState)) else value
            for name, value in asdict(dispatch).items()}  # fmt: skip


def to_dispatch(row: Mapping[str, Any]) -> Dispatch:
    """A plain row as a dispatch."""
    answered = row["answered_way"]
    return Dispatch(
        **{
            **row,
            "kind": Kind(row["kind"]),
            "way": Way(row["way"]),
            "state": DispatchState(row["state"]),
            "answered_way": None if answered is None else Way(answered),
            "level": int(row["level"]),
        }
    )


def to_sent_event(dispatch: Dispatch) -> Event:
    """The first event of a dispatch: all that it began with."""
    detail: dict[str, object] = {
        "by": dispatch.sent_by,
        "state": dispatch.state.value,
        "incident_id": dispatch.incident_id,
        "responder_id": dispatch.responder_id,
        "kind": dispatch.kind.value,
        "way": dispatch.way.value,
        "decision_id": dispatch.decision_id,
        "from_dispatch_id": dispatch.from_dispatch_id,
    }
    return Event(PREFIX + DispatchAction.SEND.value, dispatch.sent_utc, detail)


def to_act_event(act: Act, dispatch: Dispatch) -> Event:
    """An act as it is kept, with the state that it led to."""
    detail: dict[str, object] = {"by": act.by, "state": dispatch.state.value, "incident_id": dispatch.incident_id}
    detail |= {} if act.way is None else {"way": act.way.value}
    detail |= {} if act.reason is None else {"reason": act.reason}
    detail |= {"level": act.level} if act.level else {}
    return Event(PREFIX + act.action.value, act.at_utc, detail)


def rebuild_dispatches(events: Iterable[tuple[str, str, datetime, str]]) -> dict[str, Dispatch]:
    """Dispatches by id from `(kind, dispatch id, aware time, detail)` in order: what the table holds."""
    firsts: dict[str, Dispatch] = {}
    acts: dict[str, list[Act]] = {}
    for kind, dispatch_id, at_utc, text in events:
        detail = json.loads(text)
        action = DispatchAction(kind.removeprefix(PREFIX))
        if action is DispatchAction.SEND:
            firsts[dispatch_id] = Dispatch(
                dispatch_id, detail["incident_id"], detail["responder_id"], Kind(detail["kind"]), Way(detail["way"]),
                DispatchState.SENT, at_utc, detail["by"], detail["decision_id"], detail["from_dispatch_id"],
            )  # fmt: skip
            acts[dispatch_id] = []
        else:
            way = detail.get("way")
            acts[dispatch_id].append(
                Act(action, at_utc, detail["by"], None if way is None else Way(way), detail.get("reason"),
                    detail.get("level", 0))
            )  # fmt: skip
    return {dispatch_id: rebuild(first, acts[dispatch_id]) for dispatch_id, first in firsts.items()}
