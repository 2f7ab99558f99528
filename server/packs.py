"""
/packs.pdf: inspection packs on paper, of the tasks that are asked for or of the whole round.

Who takes packs out begins a round, or goes on with the one that lasts; each pack that is made stands in the log of
looks, under the place that it tells of. The same look is written when a phone takes them out (server/visits.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.audit import build_entry, record
from data.queries import find_task, get_info
from data.store import Clock, Store
from data.viewer import Viewer
from gis.errors import NotAllowedError, RecordMissingError, ShapanError
from i18n import LANGUAGES, Language, check_language, t
from layers.pack import Pack, build_pack
from layers.pack_paper import Carrier, print_packs
from server.door import find_viewer
from server.pages import build_note, build_page
from server.state import AppState
from tasks.visit_rounds import MOST_STOPS, Round, find_round, take_out

PATH = "/packs.pdf"
_STATUS = ((NotAllowedError, 403), (RecordMissingError, 404))


def build_pack_routes(state: AppState) -> list[Route]:
    """The route of one process."""

    async def respond(request: Request) -> Response:
        viewer = find_carrier(request, is_demo=state.runtime.is_demo)
        lang = check_language(request.query_params.get("lang"))
        task_ids = request.query_params.getlist("task")[:MOST_STOPS]
        url = f"{find_own_url(request, state)}/phone/visit?task="
        try:
            content = await run_in_threadpool(_print, state, viewer, task_ids, lang, url)
        except ShapanError as error:
            status = next((code for kind, code in _STATUS if isinstance(error, kind)), 409)
            return _say_no(lang, status)
        headers = {"Cache-Control": "no-store", "Content-Disposition": 'inline; filename="packs.pdf"'}
        return Response(content, media_type="application/pdf", headers=headers)

    return [Route(PATH, respond, methods=["GET"])]


def find_carrier(request: Request, *, is_demo: bool) -> Viewer:
    """Who takes packs out; in the demonstration a visitor of a role is one account."""
    viewer = find_viewer(request)
    return replace(viewer, account_id=f"demo-{viewer.role.value}") if is_demo else viewer


def find_own_url(request: Request, state: AppState) -> str:
    """Where a phone reaches this server: the office network's address, else the one that was asked."""
    if state.network is not None:
        return state.network.url
    return f"{request.url.scheme}://{request.url.netloc}"


def build_packs(
    store: Store, viewer: Viewer, task_ids: Sequence[str], *, way: str, languages: Sequence[Language], clock: Clock
) -> tuple[Round, list[Pack]]:
    """Take packs out and log it, `way` being paper or phone; without `task_ids` those of the round that lasts."""
    if task_ids:
        lasting = take_out(store, viewer, task_ids, clock=clock)
    else:
        found = find_round(store, viewer, now=clock())
        if found is None:
            raise RecordMissingError("No round of visits lasts. Choose tasks, or load the round on a phone.")
        lasting, task_ids = found, list_still_seen(store, viewer, found.task_ids)
    packs = [build_pack(store, viewer, one, now=clock(), languages=languages) for one in task_ids]
    entries = [
        build_entry(
            viewer, "look", subject_kind=_find_subject(pack)[0], subject_id=_find_subject(pack)[1],
            detail={"what": "pack", "way": way, "task": pack.task_id, "round": lasting.round_id},
        )
        for pack in packs
    ]  # fmt: skip
    record(store, *entries, clock=clock)
    return lasting, packs


def list_still_seen(store: Store, viewer: Viewer, task_ids: Sequence[str]) -> list[str]:
    """Those that this viewer may still see: one that went to somebody else meanwhile does not spoil the others."""
    return [one for one in task_ids if not find_task(store, viewer, one).empty]


def _find_subject(pack: Pack) -> tuple[str, str]:
    """What was looked at: the home, so that "who looked at this home" finds it; else the task."""
    if "unit" in pack.register:
        return "unit", pack.register["unit"]
    known = pack.subject_kind in ("building", "site") and pack.subject_id is not None
    return (pack.subject_kind, str(pack.subject_id)) if known else ("task", pack.task_id)


def _print(state: AppState, viewer: Viewer, task_ids: Sequence[str], lang: Language, url: str) -> bytes:
    store = state.store
    lasting, packs = build_packs(store, viewer, task_ids, way="paper", languages=(lang,), clock=state.clock)
    carrier = Carrier(
        viewer.name or viewer.role.value, state.clock(), lasting.ends_utc, is_synthetic=get_info(store).synthetic
    )
    return print_packs(packs, carrier, lang, build_url=lambda task_id: url + task_id)


def _say_no(lang: Language, status: int) -> Response:
    other = f"{PATH}?lang={LANGUAGES[lang == 'zh']}"
    return build_page(t("pack.title", lang), build_note(t("pack.refused", lang)), lang=lang, other=other, status=status)
