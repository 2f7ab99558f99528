"""Choosing who is to do a task: the proposals first, each with its reasons; anybody else may be chosen."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from shapely import Point

from data.store import Store, utc_now
from data.task_receivers import find_receivers
from data.viewer import Viewer
from gis.errors import RecordMissingError
from gis.walk_links import Spot
from i18n import Language, t, term
from incidents.walking import get_walk_network
from tasks.life_cycle import Receiver
from tasks.proposing import Proposal, build_candidates, find_walks_s, rank_receivers
from ui.tables import LOCAL

_ALL = 500


def choose_receiver(
    store: Store, viewer: Viewer, place: Mapping[str, Any], key: str, lang: Language
) -> Receiver | None:
    """A list of receivers for a task at `place` (grid_id, x_m, y_m), the proposed one chosen."""
    receivers = find_receivers(store, viewer, x_m=place.get("x_m"), y_m=place.get("y_m"))
    now = utc_now()
    walks_s = None
    if place.get("x_m") is not None and place.get("y_m") is not None:
        with suppress(RecordMissingError):  # no roads: straight distances have to do
            spot = Spot(Point(place["x_m"], place["y_m"]), place.get("building_id"))
            walks_s = find_walks_s(get_walk_network(store), receivers, spot, now)
    candidates = build_candidates(receivers, walks_s)
    ranked = rank_receivers(candidates, grid_id=place.get("grid_id"), at=now.astimezone(LOCAL).time(), limit=_ALL)
    chosen: int | None = st.selectbox(
        t("tasks.receiver", lang), range(len(ranked)), format_func=lambda n: say_proposal(ranked[n], lang),
        help=t("tasks.receiver_help", lang), key=f"receiver-{key}-{lang}",
    )  # fmt: skip
    return None if chosen is None else ranked[chosen].candidate.receiver


def say_proposal(proposal: Proposal, lang: Language) -> str:
    """Name and reasons: grid, duty, what waits, how far."""
    one = proposal.candidate
    name = term("role", one.receiver.id, lang) if one.receiver.kind == "role" else one.name
    words = [t(f"tasks.reason_{code}", lang) for code in proposal.reasons]
    words.append(t("tasks.reason_waiting", lang, n=one.waiting))
    if one.walk_s == float("inf"):
        words.append(t("round.no_way", lang))
    elif one.walk_s is not None:
        words.append(t("tasks.reason_walk", lang, n=max(round(one.walk_s / 60), 1)))
    elif one.distance_m is not None:
        words.append(t("tasks.reason_far", lang, n=round(one.distance_m, -1)))
    return t("tasks.proposal", lang, name=name, reasons=t("tasks.comma", lang).join(words))
