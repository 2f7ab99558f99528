"""Words of a patrol plan: shifts, stops, gates that are open then, why something is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from i18n import Language, t, term
from layers.patrol_routes import say_gates
from ui.patrol_map import say_team
from ui.tables import LOCAL

Json = Mapping[str, Any]


def say_shift(plan: Json) -> str:
    """Day and hours."""
    begin, end = (plan[name].astimezone(LOCAL) for name in ("begin_utc", "end_utc"))
    return f"{begin:%m-%d} {begin:%H:%M}–{end:%H:%M}"


def say_time(text: str) -> str:
    """The hour of a stored time."""
    return f"{datetime.fromisoformat(text).astimezone(LOCAL):%H:%M}"


def say_head(number: int, team: Json, call_signs: Mapping[str, str], lang: Language) -> str:
    """Who walks together, how, and from when to when."""
    parts = [
        t("patrol.team", lang, n=number),
        say_team(team, call_signs),
        *([t("patrol.joint_patrol", lang)] if team["is_joint"] else []),
        term("vehicle", team["vehicle"], lang),
        f"{say_time(team['from'])}–{say_time(team['to'])}",
        t("patrol.sets_out", lang, name=team["start"]["name"]),
    ]
    return " · ".join(parts)


def say_why(one: Json, lang: Language) -> str:
    """Why a place is left out."""
    minutes = one.get("needed_minutes")
    return t(f"patrol.why_{one['why']}", lang, minutes="–" if minutes is None else f"{minutes:.0f}")


def say_place(place: Json, lang: Language) -> str:
    """Kind and name."""
    kind = t(f"patrol.kind_{place['kind']}", lang)
    return f"{kind} · {place['name']}"


def list_rows(team: Json, lang: Language) -> list[list[str]]:
    """The stops of a team as rows of a table; heads are `HEADS`."""
    return [
        [
            str(number),
            say_time(stop["arrival"]),
            f"{say_time(stop['begin'])}–{say_time(stop['leave'])}",
            str(stop["name"]),
            "" if stop["way"] is None else t("patrol.metres", lang, n=stop["way"]["length_m"]),
            say_gates(stop["way"], lang),
            t("patrol.minutes", lang, n=f"{stop['slack_minutes']:.0f}"),
            f"{stop['covered']:.3f}",
            t("patrol.list_join", lang).join(_list_marks(stop, lang)),
        ]
        for number, stop in enumerate(team["stops"], start=1)
    ]


def _list_marks(stop: Json, lang: Language) -> list[str]:
    """What is special: time to spare before it, locked, or there for its grid."""
    free = round(stop["free_minutes"])
    marks = [t("patrol.mark_free", lang, n=free)] if free >= _LEAST_FREE else []
    return marks + [t(f"patrol.mark_{name}", lang) for name in ("locked", "fair") if stop[f"is_{name}"]]


_LEAST_FREE = 10
HEADS = ("number", "arrival", "stay", "place", "way", "gates", "slack", "covered", "mark")
NARROW = frozenset({0, 1, 2, 4, 6, 7})


def say_task(number: int, team: Json, lang: Language) -> str:
    """What a team's task asks: times and places in order."""
    stops = t("patrol.stop_join", lang).join(
        f"{say_time(stop['begin'])}–{say_time(stop['leave'])} {stop['name']}" for stop in team["stops"]
    )
    return t("patrol.task_note", lang, n=number, stops=stops)
