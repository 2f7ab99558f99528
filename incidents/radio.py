"""What is read out on the radio: whom, where, what, which way, how long. No name, no caller, nothing of residents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gis.walk_routes import Route
from i18n import Language, t
from incidents.ranking import Ranked

MOST_GATES = 3


@dataclass(frozen=True)
class Scene:
    """
    What may be said of an incident where everybody on the channel listens.

    `kind` is its name in each language; None for a sensitive kind, which is not said on the radio.
    """

    place: str
    kind: Mapping[str, str] | None
    is_urgent: bool
    level: int | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Scene:
        """From a row of `find_scene`."""
        names = {"zh": row["name_zh"] or row["category"], "en": row["name_en"] or row["category"]}
        place = row["address"] or " ".join(str(row[name]) for name in ("zone", "building_name") if row[name])
        head = row["address_head"] or ""
        place = str(place or row["grid_name"] or "").removeprefix(head) or str(place)
        return cls(place, None if row["sensitive"] else names, row["urgency"] == "urgent", row["level"])


def say_order(scene: Scene, row: Ranked, route: Route | None, lang: Language) -> str:
    """The sentence for one responder."""
    kind = t("ranking.say_some_kind", lang) if scene.kind is None else scene.kind[lang]
    what = "ranking.say_what_urgent" if scene.is_urgent else "ranking.say_what"
    way = more = ""
    if route is not None:
        minutes = max(math.ceil(route.travel_time_s / 60), 1)
        gates = [gate.name for gate in route.gates if gate.name][-MOST_GATES:]
        key = "ranking.say_way_gates" if gates else "ranking.say_way"
        way = t(key, lang, gates=t("ranking.then", lang).join(gates), minutes=minutes)
        more = "" if route.is_verified else t("ranking.say_unverified", lang)
    if any(reason.code == "with_police" for reason in row.reasons):
        more += t("ranking.say_with_police", lang)
    return t(
        "ranking.say",
        lang,
        call_sign=row.call_sign,
        what=t(what, lang, place=scene.place or t("ranking.say_no_place", lang), kind=kind),
        way=way,
        more=more,
    ).replace("  ", " ")
