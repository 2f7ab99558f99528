"""
GET /scene/{layer}.json: the data of one drawn layer; after a write that changed nothing of what it shows, the address
that the browser has them from already.

`v` is the newest revision of the layer's tables and `b` the boot id of the process. When both are current the answer
may be kept for ever, because whoever wants newer data asks for another address; else it may not be kept at all.
A scene is the wall's, whoever looks: it never shows a person, so one file serves everybody whom the door lets in.
Answers are compressed once and kept in memory, the least recently used dropped first.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from data.viewer import WALL, Viewer
from gis.errors import ShapanError
from i18n import LANGUAGES, Language, check_language
from server.answers import build_refusal
from server.state import AppState, Scene

CACHE_BYTES = 96_000_000  # a third of the memory that the whole server may take (issue: 500 MB), with room to spare
_GZIP_LEVEL = 6  # the sample's 19 files together: 204,810 bytes; 9 saves 0.2 % more and takes twice as long
_NOT_PARAMETERS = frozenset({"v", "b", "lang"})


@dataclass(frozen=True)
class SceneAnswer:
    """One scene file, as it goes over the wire."""

    body_gzip: bytes
    etag: str
    revision: int = 0  # that it was made at: what it shows has not changed since


class SceneCache:
    """Least recently used scene files, bounded in bytes; used from any thread."""

    def __init__(self, *, max_bytes: int = CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, SceneAnswer] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def find(self, key: Hashable) -> SceneAnswer | None:
        """What is kept under `key`, now the most recently used."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def keep(self, key: Hashable, answer: SceneAnswer) -> None:
        """Keep `answer` unless it alone is larger than the whole cache."""
        size = len(answer.body_gzip)
        with self._lock:
            if size > self._max_bytes or key in self._answers:
                return
            self._answers[key] = answer
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, dropped = self._answers.popitem(last=False)
                self._bytes -= len(dropped.body_gzip)


class SceneEndpoint:
    """Answers `/scene/{layer}.json`; made once per process with its cache."""

    def __init__(self, state: AppState, cache: SceneCache | None = None) -> None:
        self._state = state
        self._cache = cache or SceneCache()
        self._building = threading.Lock()  # one at a time: a busy minute must not hold many scenes in the making
        self._closing = threading.Event()
        self._warming = threading.Thread(target=self._warm, name="warm-scenes")

    def start(self) -> None:
        """Begin to build, beside the answers, what the first visitor of the wall will ask for."""
        self._warming.start()

    def close(self) -> None:
        """Wait for the scene that is being warmed: a thread left in native code crashes the process at its exit."""
        self._closing.set()
        self._warming.join()

    def _warm(self) -> None:
        for scene in self._state.scenes.values():
            if self._closing.is_set():
                return
            with suppress(ShapanError):  # a scene that cannot be built says so when it is asked for
                self._answer(scene, WALL, LANGUAGES[0], {})

    async def respond(self, request: Request) -> Response:
        """The layer's JSON; 404 for an unknown layer, 400 with a sentence for a parameter that cannot be used."""
        name = request.path_params["layer"]
        scene = self._state.scenes.get(name)
        if scene is None:
            known = ", ".join(sorted(self._state.scenes)) or "none"
            return build_refusal(404, f"There is no layer '{name[:40]}'. Known layers: {known}.")
        query = request.query_params
        if "lang" in query and query["lang"] not in LANGUAGES:
            return build_refusal(400, f"Language '{query['lang'][:20]}' is not spoken here: expected zh or en.")
        params = {key: value for key, value in query.items() if key not in _NOT_PARAMETERS}
        if unknown := sorted(set(params) - set(scene.params)):
            expected = ", ".join(scene.params) or "none"
            return build_refusal(400, f"Layer '{name}' has no parameter '{unknown[0][:40]}'. Expected: {expected}.")
        try:
            answer, revision = await run_in_threadpool(
                self._answer, scene, WALL, check_language(query.get("lang")), params
            )
        except ShapanError as error:
            if isinstance(error, ValueError):
                return build_refusal(400, str(error))
            raise
        is_ours = revision is not None and query.get("b") == self._state.runtime.boot_id
        if is_ours and query.get("v") == str(revision) != str(answer.revision):
            before = f"?{urlencode({**query, 'v': answer.revision})}"
            return RedirectResponse(before, 307, headers={"Cache-Control": "private, no-cache"})
        is_current = is_ours and query.get("v") == str(answer.revision)
        return _build_response(request, answer, is_current=is_current)

    def find_body(self, scene: Scene, lang: Language) -> bytes:
        """The whole file as the wall gets it, compressed."""
        return self._answer(scene, WALL, lang, {})[0].body_gzip

    def _answer(
        self, scene: Scene, viewer: Viewer, lang: Language, params: Mapping[str, str]
    ) -> tuple[SceneAnswer, int | None]:
        """The file and the revision it shows; None when the tables changed while it was built."""
        store = self._state.store
        revision = store.revision(*scene.tables)
        shown = scene.find_print(store)
        key = (scene.name, shown, lang, tuple(sorted(params.items())), viewer)
        answer = self._cache.find(key)
        if answer is not None:
            return answer, revision
        with self._building:
            answer = self._cache.find(key)
            if answer is not None:
                return answer, revision
            started = time.perf_counter()
            body = scene.build(store, viewer, lang, params)
            self._state.metrics.note_scene(scene.name, time.perf_counter() - started)
            answer = SceneAnswer(
                gzip.compress(body, _GZIP_LEVEL, mtime=0),
                f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
                revision,
            )
            # Both, because rows are there a moment before their revision is.
            if scene.find_print(store, kept=False) != shown or store.revision(*scene.tables) != revision:
                return answer, None
            self._cache.keep(key, answer)  # before the next in the queue looks: it would build the same again
            return answer, revision


def _build_response(request: Request, answer: SceneAnswer, *, is_current: bool) -> Response:
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable" if is_current else "private, no-cache",
        "ETag": answer.etag,
        "Vary": "Accept-Encoding",
    }
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(answer.body_gzip, media_type="application/json", headers=headers)
    return Response(gzip.decompress(answer.body_gzip), media_type="application/json", headers=headers)
