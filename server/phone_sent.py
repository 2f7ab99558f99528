"""
/phone/sent: what a responder with an account is sent to, on their own telephone, and their answer in one touch.

A plain page without script: it works on any telephone, asks for itself again every ten seconds, and shows nothing of
anybody else. In the demonstration a visitor chooses whose page they look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Any

import pandas as pd
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from data.drills import is_drill
from data.queries import find_own_dispatches, find_responders
from data.store import Clock, Store
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, check_language, t, term
from incidents.dispatches import answer, find_own_responder, link_account
from incidents.dispatching import ANSWERS, DispatchAction, Way
from server.door import find_viewer
from server.operations import is_synthetic
from server.pages import HEADERS, build_note, build_page
from server.state import AppState

PATH = "/phone/sent"
AGAIN_S = 10
_ACTIONS: Mapping[str, tuple[DispatchAction, ...]] = {
    "sent": (DispatchAction.ACCEPT, DispatchAction.DECLINE),
    "accepted": (DispatchAction.ARRIVE, DispatchAction.DEPART, DispatchAction.DECLINE),
    "on_the_way": (DispatchAction.ARRIVE, DispatchAction.DECLINE),
    "on_scene": (),
}


def build_phone_routes(state: AppState) -> list[Route]:
    """Routes of one process."""
    page = _PhonePage(state.store, state.clock, is_demo=state.runtime.is_demo)
    return [
        Route(PATH, page.show, methods=["GET"]),
        Route(PATH, page.take, methods=["POST"]),
    ]


class _PhonePage:
    def __init__(self, store: Store, clock: Clock, *, is_demo: bool) -> None:
        self._store = store
        self._clock = clock
        self._is_demo = is_demo

    async def show(self, request: Request) -> Response:
        """What the viewer is sent to now."""
        lang = check_language(request.query_params.get("lang"))
        return await run_in_threadpool(self._draw, self._find_viewer(request), lang, "")

    async def take(self, request: Request) -> Response:
        """An answer, or in the demonstration whose page it is."""
        form = await request.form(max_files=0, max_fields=6, max_part_size=2000)
        values = {name: str(value)[:100] for name, value in form.items()}
        lang, viewer = check_language(values.get("lang")), self._find_viewer(request)
        try:
            await run_in_threadpool(self._do, viewer, values)
        except ShapanError:
            return await run_in_threadpool(self._draw, viewer, lang, t("phone_sent.refused", lang))
        return RedirectResponse(f"{PATH}?lang={lang}", 303, headers=HEADERS)

    def _find_viewer(self, request: Request) -> Viewer:
        viewer = find_viewer(request)
        return replace(viewer, account_id=f"demo-{viewer.role.value}") if self._is_demo else viewer

    def _do(self, viewer: Viewer, values: Mapping[str, str]) -> None:
        if self._is_demo and values.get("who"):
            link_account(self._store, None, str(viewer.account_id), values["who"], clock=self._clock)
        elif values.get("action") in {action.value for action in ANSWERS}:
            answer(
                self._store, viewer, values.get("dispatch", ""), DispatchAction(values["action"]), way=Way.IN_APP,
                own_only=True, clock=self._clock,
            )  # fmt: skip

    def _draw(self, viewer: Viewer, lang: Language, note: str) -> Response:
        own = find_own_responder(self._store, viewer)
        said = build_note(note) if note else ""
        if own is None:
            body = said + f"<p>{escape(t('phone_sent.nobody', lang))}</p>"
        else:
            rows = find_own_dispatches(self._store, viewer, own).to_dict("records")
            body = said + ("".join(self._draw_one(_plain(row), lang) for row in rows) or _draw_none(lang))
        if self._is_demo:
            body += self._draw_choice(viewer, own, lang)
        body += f'<p><a href="/phone/patrol?lang={lang}">{escape(t("patrol.phone_title", lang))}</a></p>'
        other = f"{PATH}?lang={'en' if lang == 'zh' else 'zh'}"
        title = t("phone_sent.title", lang)
        return build_page(
            title, body, lang=lang, other=other, again_s=AGAIN_S, is_drill=is_drill(self._store),
            is_sample=is_synthetic(self._store),
        )  # fmt: skip

    def _draw_one(self, row: Mapping[str, Any], lang: Language) -> str:
        state, place = str(row["state"]), row["address"] or row["grid_name"] or t("phone_sent.no_place", lang)
        storey = "" if row["storey"] is None else t("phone_sent.storey", lang, n=int(row["storey"]))
        minutes = max(int((self._clock() - row["sent_utc"]).total_seconds() // 60), 0)
        facts = " · ".join(
            part
            for part in (
                t(f"dispatch.urgency_{row['urgency']}", lang),
                storey,
                t("phone_sent.ago", lang, n=minutes),
                t("dispatch.channel", lang, channel=row["channel"] or "–"),
            )
            if part
        )
        buttons = "".join(
            f'<form method="post" action="{PATH}"><input type="hidden" name="lang" value="{lang}">'
            f'<input type="hidden" name="dispatch" value="{escape(str(row["dispatch_id"]))}">'
            f'<button class="big{" second" if number else ""}" name="action" value="{action}">'
            f"{escape(t(f'phone_sent.act_{action}', lang))}</button></form>"
            for number, action in enumerate(_ACTIONS[state])
        )
        done = "" if buttons else f"<p>{escape(t('phone_sent.there', lang))}</p>"
        return (
            f'<section class="sent" data-state="{state}"><h2>{escape(str(row[f"name_{lang}"] or row["category"]))}</h2>'
            f'<p class="place">{escape(str(place))}</p><p>{escape(facts)}</p>'
            f"<p><strong>{escape(t(f'dispatch.state_{state}', lang))}</strong></p>{buttons}{done}</section>"
        )

    def _draw_choice(self, viewer: Viewer, own: str | None, lang: Language) -> str:
        forces = find_responders(self._store, viewer, placed=False)
        options = "".join(
            f'<option value="{escape(str(row["responder_id"]))}"{" selected" if row["responder_id"] == own else ""}>'
            f"{escape(str(row['call_sign']))} · {escape(term('responder', row['kind'], lang))}</option>"
            for row in forces.drop(columns="geom").to_dict("records")
        )
        label = escape(t("phone_sent.demo_who", lang))
        return (
            f'<form method="post" action="{PATH}"><input type="hidden" name="lang" value="{lang}">'
            f'<label for="who">{label}</label><select id="who" name="who">{options}</select>'
            f'<button class="second">{escape(t("phone_sent.demo_choose", lang))}</button></form>'
        )


def _draw_none(lang: Language) -> str:
    return f"<p>{escape(t('phone_sent.none', lang))}</p>"


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}
