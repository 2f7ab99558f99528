"""
/phone/visit: a round of visits on a phone, loaded at the office, worked without a network, sent on return.

A plain page with scripts of our own (server/phone_visit/): a service worker keeps the page, the phone's own store keeps
the packs and what was found, sealed. Everything that is sent carries the phone's own key and is answered once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.drills import is_drill
from data.queries import find_tasks, get_info
from data.store import Clock, Store
from data.task_photos import add_photo
from data.viewer import Viewer
from data.visit_answers import answer_once
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, ShapanError
from i18n import LANGUAGES, check_language, section, t
from layers.pack import Pack
from server.answers import build_refusal
from server.files import FileAnswer, build_assets, respond_not_found
from server.packs import build_packs, find_carrier
from server.state import AppState
from server.visit_models import ChosenModel, PhotoModel, SeenModel
from tasks.receiving import get_actor
from tasks.visit_order import order_visits
from tasks.visit_rounds import MOST_STOPS, Round, end_round, find_round
from tasks.visiting import take_seen

Model = TypeVar("Model", bound=BaseModel)
PATH = "/phone/visit"
FILES = Path(__file__).parent / "phone_visit"
_NEVER_KEPT = {"Cache-Control": "no-store"}
# Mediation needs its sessions and patrols have no door: they stay on the page of tasks.
KINDS = ("inspection", "verification", "rectification", "other")
_SHOWN_STATES = ("assigned", "accepted", "on_site")
_STATUS: tuple[tuple[type[ShapanError], int], ...] = (
    (NotAllowedError, 403),
    (RecordMissingError, 404),
    (BadRecordError, 422),
)


def build_visit_routes(state: AppState) -> list[Route]:
    """Routes of one process."""
    page = _VisitPage(state)
    return [
        Route(PATH, page.show, methods=["GET"]),
        Route(f"{PATH}/round.json", page.tell, methods=["GET"]),
        Route(f"{PATH}/round", page.load, methods=["POST"]),
        Route(f"{PATH}/send", page.take, methods=["POST"]),
        Route(f"{PATH}/photo", page.take_photo, methods=["POST"]),
        Route(f"{PATH}/end", page.end, methods=["POST"]),
        Route(f"{PATH}/{{file}}", page.give_file, methods=["GET"]),
    ]


class _VisitPage:
    def __init__(self, state: AppState) -> None:
        self._state = state
        self._store: Store = state.store
        self._clock: Clock = state.clock
        self._files = build_assets(FILES, boot_id=state.runtime.boot_id)
        self._mark = _build_mark(FILES)

    async def show(self, request: Request) -> Response:
        """The page itself, which holds nobody's data: it may be kept on the phone."""
        lang = check_language(request.query_params.get("lang"))
        facts = await run_in_threadpool(self._find_facts)
        strings = {one: section("visit", one) for one in LANGUAGES}
        data = json.dumps({"lang": lang, "strings": strings, **facts}, ensure_ascii=False).replace("<", "\\u003c")
        html = (
            f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
            f"<title>{escape(t('visit.title', lang))}</title>"
            '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">'
            f'<link rel="stylesheet" href="{PATH}/visit.css">'
            f'<script type="application/json" id="facts">{data}</script>'
            f'<script type="module" src="{PATH}/visit.js"></script></head>'
            '<body><main id="visit"></main></body></html>'
        )
        return Response(html, media_type="text/html", headers={"Cache-Control": "no-cache"})

    async def give_file(self, request: Request) -> Response:
        """A script or style of the page; the service worker names the state of all of them."""
        name = request.path_params["file"]
        answer: FileAnswer | None = self._files.get(name)
        if answer is None:
            return respond_not_found()
        if name != "worker.js":
            return answer.respond(request)
        text = (FILES / name).read_text(encoding="utf-8").replace("@MARK@", self._mark)
        headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/phone/"}
        return Response(text, media_type="text/javascript", headers=headers)

    async def tell(self, request: Request) -> Response:
        """Who asks, the round that lasts, and which visits could be taken out."""
        viewer = self._find_viewer(request)
        return await _answer(lambda: self._describe(viewer, find_round(self._store, viewer, now=self._clock())))

    async def load(self, request: Request) -> Response:
        """Take visits out: their packs, and the time of our clock."""
        viewer, body = self._find_viewer(request), await request.body()

        def work() -> Mapping[str, Any]:
            chosen = order_visits(self._store, viewer, _read(ChosenModel, body).tasks, now=self._clock())
            lasting, packs = build_packs(
                self._store, viewer, chosen, way="phone", languages=LANGUAGES, clock=self._clock
            )
            return {**self._describe(viewer, lasting), "stops": [_describe_stop(pack) for pack in packs]}

        return await _answer(work)

    async def take(self, request: Request) -> Response:
        """One thing that was seen."""
        viewer, body = self._find_viewer(request), await request.body()

        def work() -> Mapping[str, Any]:
            seen = _read(SeenModel, body).to_seen()
            return answer_once(
                self._store, get_actor(viewer), seen.key, body,
                lambda: take_seen(self._store, viewer, seen, clock=self._clock), clock=self._clock,
            )  # fmt: skip

        return await _answer(work)

    async def take_photo(self, request: Request) -> Response:
        """One photo: the body is the picture."""
        viewer, body = self._find_viewer(request), await request.body()

        def work() -> Mapping[str, Any]:
            said = _read(PhotoModel, json.dumps(dict(request.query_params)).encode())
            captured = min(said.device_utc + timedelta(seconds=said.skew_s), self._clock())
            head = f"{said.task} {said.evidence} ".encode()

            def keep() -> Mapping[str, Any]:
                photo = add_photo(
                    self._store, viewer, said.task, said.evidence, body, captured_utc=captured, clock=self._clock
                )
                return {"task": said.task, "photo": photo, "kept": False}

            return answer_once(self._store, get_actor(viewer), said.key, head + body, keep, clock=self._clock)

        return await _answer(work)

    async def end(self, request: Request) -> Response:
        """The round is over: packs are valid no more."""
        viewer = self._find_viewer(request)
        return await _answer(lambda: {"ended": end_round(self._store, viewer, clock=self._clock)})

    def _find_viewer(self, request: Request) -> Viewer:
        return find_carrier(request, is_demo=self._state.runtime.is_demo)

    def _find_facts(self) -> dict[str, Any]:
        """What the page has to say of the store whatever it shows."""
        return {**self._find_marks(), "most": MOST_STOPS}

    def _find_marks(self) -> dict[str, bool]:
        return {"synthetic": get_info(self._store).synthetic, "drill": is_drill(self._store)}

    def _describe(self, viewer: Viewer, lasting: Round | None) -> dict[str, Any]:
        now = self._clock()
        found = find_tasks(
            self._store, viewer, now=now, states=_SHOWN_STATES, only_mine=True, limit=MOST_STOPS
        ).to_dict("records")
        return {
            "account": get_actor(viewer),
            # The page itself may have been kept since before this store was one of a drill.
            "marks": self._find_marks(),
            "name": viewer.name or viewer.role.value,
            "server_utc": now.isoformat(),
            "round": None
            if lasting is None
            else {
                "id": lasting.round_id,
                "ends_utc": lasting.ends_utc.isoformat(),
                "tasks": list(lasting.task_ids),
            },
            "tasks": [
                {
                    "id": row["task_id"],
                    "kind": row["kind"],
                    "place": row["place_text"],
                    "due_utc": row["due_utc"].isoformat(),
                    "urgent": row["priority"] == "urgent",
                }
                for row in found
                if row["kind"] in KINDS
            ],
        }


def _describe_stop(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.task_id,
        "kind": pack.kind,
        "place": pack.place,
        "due_utc": pack.due_utc.isoformat(),
        "outside": pack.outside,
        "plan": pack.plan,
        "schematic": pack.is_schematic,
        "parts": {lang: [vars(part) for part in parts] for lang, parts in pack.parts.items()},
        "items": pack.items,
        "known": pack.known,
        "register": pack.register,
        "demanded": pack.demanded,
    }


async def _answer(work: Callable[[], Mapping[str, Any]]) -> Response:
    try:
        answer = await run_in_threadpool(work)
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}. Load the round again."
        return build_refusal(422, said, kind="BadRecordError")
    except ShapanError as error:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 409)
        return build_refusal(status, str(error), kind=type(error).__name__)
    return JSONResponse(answer, headers=_NEVER_KEPT)


def _read(model: type[Model], body: bytes) -> Model:
    return model.model_validate_json(body)


def _build_mark(folder: Path) -> str:
    """One short hash of all files of the page: another one makes phones fetch them anew."""
    digest = hashlib.sha256()
    for path in sorted(one for one in folder.iterdir() if one.suffix in (".js", ".css")):
        digest.update(path.name.encode() + path.read_bytes())
    for lang in LANGUAGES:
        digest.update(json.dumps(section("visit", lang), sort_keys=True).encode())
    return digest.hexdigest()[:16]
