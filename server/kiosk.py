"""
/kiosk: a screen with a scanner at a check-in point. A card is held before it, and large words say what came of it.

A plain page without script: the scanner types into the one field and presses Enter. The card's secret is needed,
because nobody looks at who holds it. It shows a card's number, never a name.
"""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.drills import is_drill
from data.queries import find_open_points
from data.store import Clock, Store
from data.viewer import Viewer
from gis.errors import ShapanError
from i18n import Language, check_language, t
from server.door import find_viewer
from server.operations import is_synthetic
from server.pages import build_form, build_note, build_page
from server.state import AppState
from tasks.cards import find_card_holder, read_card
from tasks.checkin_rules import Way
from tasks.checkins import Taken, check_in

PATH = "/kiosk"
AGAIN_S = 6


def build_kiosk_routes(state: AppState) -> list[Route]:
    """Routes of one process."""
    page = _Kiosk(state.store, state.clock)
    return [Route(PATH, page.show, methods=["GET"]), Route(PATH, page.take, methods=["POST"])]


class _Kiosk:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """The field of the scanner, or the choice of the point."""
        lang = check_language(request.query_params.get("lang"))
        point = request.query_params.get("point", "")[:40]
        return await run_in_threadpool(self._draw, find_viewer(request), point, lang, "")

    async def take(self, request: Request) -> Response:
        """A card was read."""
        form = await request.form(max_files=0, max_fields=4, max_part_size=2000)
        values = {name: str(value)[:300] for name, value in form.items()}
        lang, point = check_language(values.get("lang")), values.get("point", "")[:40]
        said = await run_in_threadpool(self._take, find_viewer(request), point, values.get("card", ""), lang)
        return await run_in_threadpool(self._draw, find_viewer(request), point, lang, said)

    def _take(self, viewer: Viewer, point: str, text: str, lang: Language) -> str:
        who, card = find_card_holder(self._store, text, with_secret=True), read_card(text)
        if who is None or card is None:
            return build_note(t("checkins.card_unknown", lang))
        try:
            taken = check_in(self._store, viewer, who, point, Way.KIOSK, clock=self._clock)
        except ShapanError:
            return build_note(t("checkins.failed", lang))
        return _say(taken, card.number, lang)

    def _draw(self, viewer: Viewer, point: str, lang: Language, said: str) -> Response:
        rows = find_open_points(self._store, viewer).set_index("point_id")
        names = {str(one): str(name) for one, name in rows["name"].items()}
        other = f"{PATH}?lang={'en' if lang == 'zh' else 'zh'}&point={point}"
        title = names.get(point, t("checkins.kiosk_title", lang))
        if point not in names:
            body = (
                "".join(
                    f'<a class="button" href="{PATH}?lang={lang}&amp;point={escape(one)}">{escape(name)}</a>'
                    for one, name in names.items()
                )
                or f"<p>{escape(t('checkins.no_points', lang))}</p>"
            )
            return self._build(title, said + body, lang, other)
        row = rows.loc[point]
        hours = {"from": f"{row['hours_from']:%H:%M}", "to": f"{row['hours_to']:%H:%M}"}
        facts = f"{t('checkins.phone_hours', lang, **hours)} · {t('checkins.phone_points_each', lang, n=row['points'])}"
        field = (
            f'<label for="card">{escape(t("checkins.kiosk_field", lang))}</label>'
            '<input id="card" name="card" autocomplete="off" autofocus required maxlength="300">'
        )
        form = build_form(PATH, field, t("checkins.take", lang), hidden={"lang": lang, "point": point})
        on = f"{PATH}?lang={lang}&point={point}" if said else None
        return self._build(title, f"<p>{escape(facts)}</p>{said}{form}", lang, other, go_on=on)

    def _build(self, title: str, body: str, lang: Language, other: str, *, go_on: str | None = None) -> Response:
        return build_page(
            title, body, lang=lang, other=other, go_on=go_on, again_s=AGAIN_S if go_on else None,
            is_drill=is_drill(self._store), is_sample=is_synthetic(self._store), is_large=True,
        )  # fmt: skip


def _say(taken: Taken, number: str, lang: Language) -> str:
    key = "repeat" if taken.is_repeat else taken.state
    head = t(f"checkins.receipt_{key}", lang, points=taken.points)
    text = t("checkins.receipt_balance", lang, who=number, balance=taken.balance)
    return (
        f'<section class="sent" data-state="{taken.state}"><p class="place">{escape(head)}</p>'
        f"<p>{escape(text)}</p></section>"
    )
