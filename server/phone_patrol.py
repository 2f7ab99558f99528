"""
/phone/patrol: the route of whoever walks it, on their own telephone: what is next, from when to when, by which gates.

A plain page without script, as /phone/sent; it shows nobody else's route. In the demonstration a visitor chooses whose
page they look at, there and here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.drills import is_drill
from data.queries import find_own_patrols
from data.store import Clock, Store
from data.viewer import Viewer
from i18n import Language, check_language, t
from incidents.dispatches import find_own_responder
from incidents.duty import LOCAL
from layers.patrol_routes import draw_route, say_gates
from server.door import find_viewer
from server.operations import is_synthetic
from server.pages import build_page
from server.state import AppState

PATH = "/phone/patrol"
AGAIN_S = 60
_STYLE = (
    "<style>.stop{display:grid;grid-template-columns:4.4rem 1fr;gap:.2rem .8rem;padding:.7rem 0;"
    "border-bottom:1px solid #22384f}.stop b{font-size:1.05rem;color:#fff}.stop time{font-variant-numeric:tabular-nums;"
    "font-weight:650}.stop small{grid-column:2;color:#9fb3cb}.stop.past{opacity:.5}.route svg{width:100%;height:auto;"
    "border-radius:.6rem;margin:.6rem 0}.sent strong{font-size:1.6rem;color:#fff;font-variant-numeric:tabular-nums}"
    "</style>"
)


def build_patrol_routes(state: AppState) -> list[Route]:
    """Routes of one process."""
    page = _PatrolPage(state.store, state.clock, is_demo=state.runtime.is_demo)
    return [Route(PATH, page.show, methods=["GET"])]


class _PatrolPage:
    def __init__(self, store: Store, clock: Clock, *, is_demo: bool) -> None:
        self._store = store
        self._clock = clock
        self._is_demo = is_demo

    async def show(self, request: Request) -> Response:
        """The viewer's own route."""
        lang = check_language(request.query_params.get("lang"))
        viewer = find_viewer(request)
        if self._is_demo:
            viewer = replace(viewer, account_id=f"demo-{viewer.role.value}")
        return await run_in_threadpool(self._draw, viewer, lang)

    def _draw(self, viewer: Viewer, lang: Language) -> Response:
        own, now = find_own_responder(self._store, viewer), self._clock()
        rows = [] if own is None else find_own_patrols(self._store, viewer, own, now=now).to_dict("records")
        body = _STYLE + ("".join(self._draw_plan(row, now, lang) for row in rows[:1]) or _say_none(lang))
        body += f'<p><a href="/phone/sent?lang={lang}">{escape(t("phone_sent.title", lang))}</a></p>'
        other = f"{PATH}?lang={'en' if lang == 'zh' else 'zh'}"
        title = t("patrol.phone_title", lang)
        return build_page(
            title, body, lang=lang, other=other, again_s=AGAIN_S, is_drill=is_drill(self._store),
            is_sample=is_synthetic(self._store),
        )  # fmt: skip

    def _draw_plan(self, row: Mapping[Any, Any], now: datetime, lang: Language) -> str:
        team = json.loads(row["team"])
        begin, end = (row[name].astimezone(LOCAL) for name in ("begin_utc", "end_utc"))
        state = t(f"patrol.state_{row['state']}", lang)
        head = f"{begin:%m-%d %H:%M}–{end:%H:%M} · {t('patrol.team', lang, n=int(row['team_no']))} · {state}"
        stops = team["stops"]
        if not stops:
            return f"<p>{escape(head)}</p><p>{escape(t('patrol.stays', lang))}</p>"
        coming = [stop for stop in stops if _read(stop["leave"]) > now]
        listed = "".join(
            _draw_stop(number, stop, now, lang) for number, stop in enumerate(stops, start=1)
        )  # fmt: skip
        picture = draw_route(self._store, team, ratio=1.15)
        return (
            f"<p>{escape(head)}</p>{_draw_next(coming, team, now, lang)}"
            f'<section class="route" aria-label="{escape(t("patrol.phone_map", lang))}">{picture}{listed}</section>'
        )


def _draw_next(coming: list[Mapping[str, Any]], team: Mapping[str, Any], now: datetime, lang: Language) -> str:
    """The stop that counts now, large."""
    if not coming:
        return f"<p>{escape(t('patrol.phone_over', lang, name=team['start']['name']))}</p>"
    stop = coming[0]
    is_there = _read(stop["begin"]) <= now
    gates = say_gates(stop["way"], lang)
    more = t("patrol.phone_gates", lang, gates=gates) if gates and not is_there else ""
    slack = t("patrol.phone_slack", lang, n=f"{stop['slack_minutes']:.0f}")
    return (
        f'<section class="sent" data-stop="{escape(stop["stop_id"])}">'
        f"<h2>{escape(t('patrol.phone_now' if is_there else 'patrol.phone_next', lang))}</h2>"
        f'<p class="place">{escape(stop["name"])}</p><strong>{_hours(stop)}</strong>'
        f"<p>{escape(' · '.join(part for part in (more, slack) if part))}</p></section>"
    )


def _draw_stop(number: int, stop: Mapping[str, Any], now: datetime, lang: Language) -> str:
    past = " past" if _read(stop["leave"]) <= now else ""
    gates = say_gates(stop["way"], lang)
    via = f"<small>{escape(t('patrol.phone_gates', lang, gates=gates))}</small>" if gates else ""
    return (
        f'<div class="stop{past}"><time>{_hours(stop)}</time><b>{number}. {escape(stop["name"])}</b>{via}</div>'
    )  # fmt: skip


def _hours(stop: Mapping[str, Any]) -> str:
    begin, leave = (_read(stop[name]).astimezone(LOCAL) for name in ("begin", "leave"))
    return f"{begin:%H:%M}–{leave:%H:%M}"


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _say_none(lang: Language) -> str:
    return f"<p>{escape(t('patrol.phone_none', lang))}</p>"
