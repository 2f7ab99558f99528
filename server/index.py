"""
GET /: Streamlit's own page, with a script before it that draws ground and buildings at once.

Streamlit's start takes a browser one to three seconds before our component may begin; the picture does not wait for it.
The component takes over what is drawn then (ui/components/table/first.js).
"""

from __future__ import annotations

import json
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from data.drills import is_drill
from data.rights import Right, get_right
from gis.errors import ShapanError
from i18n import Language, check_language, t
from layers import build_frame
from layers.first import RENDERER, build_first
from server.door import find_viewer
from server.state import AppState

_OWN_SCRIPT = '<script type="module"'  # Streamlit's begins here; deferred scripts run in the order of the page


class Index:
    """Answers `/`; `page` is Streamlit's index.html."""

    def __init__(self, state: AppState, page: str) -> None:
        self._state = state
        self._head, self._mark, self._rest = page.partition(_OWN_SCRIPT)

    async def respond(self, request: Request) -> Response:
        """The page; for who may not see the wall, and where there is no community, as Streamlit has it."""
        lang = check_language(request.query_params.get("lang"))
        may_see = get_right(find_viewer(request).role, "page", "wall") is not Right.NO
        early = await run_in_threadpool(self._build_early, lang) if may_see else ""
        return HTMLResponse(self._head + early + self._mark + self._rest, headers={"Cache-Control": "no-store"})

    def _build_early(self, lang: Language) -> str:
        store, boot_id = self._state.store, self._state.runtime.boot_id
        try:
            first = build_first(build_frame(store), self._state.read_revisions(), lang=lang, boot_id=boot_id)
        except ShapanError:  # the page itself says what is missing
            return ""
        if is_drill(store):
            first["drill"] = t("table.drill", lang)
        told = json.dumps(first, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        fetched = "".join(
            f'<link rel="preload" as="fetch" crossorigin href="{escape(url)}">' for url in first["files"].values()
        )
        return (
            f'{fetched}<script type="application/json" id="shapan-first">{told}</script>'
            f'<script defer src="{RENDERER}"></script>'
            f'<script type="module" src="/assets/early.js?b={boot_id}"></script>'
        )
