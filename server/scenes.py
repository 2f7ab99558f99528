"""
GET /scene/{layer}.json: the data of one drawn layer; after a write that changed nothing of what it shows, the address
that the browser has them from already.

`v` is the newest revision of the layer's tables and `b` the boot id of the process. When both are current the answer
may be kept for ever, because whoever wants newer data asks for another address; else it may not be kept at all.
A scene is the wall's, whoever looks: it never shows a person, so one file serves everybody whom the door lets in.
Answers are compressed once and kept in memory, the least recently used dropped first.

Many screens ask for the same file at the same moment, and while incidents come in it is out of date before it is done.
So one build answers all that wait for it; a file that is as new as the asked revision is good enough; and a file that
takes long is not built again at once.
"""

from __future__ import annotations

import asyncio
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
from server.memory import give_back
from server.state import AppState, Scene

CACHE_BYTES = 32_000_000  # a third of what a server that nobody asks anything leaves of the 500 MB of the issue
_GZIP_LEVEL = 6  # the sample's 19 files together: 204,810 bytes; 9 saves 0.2 % more and takes twice as long
_NOT_PARAMETERS = frozenset({"v", "b", "lang"})
# Two builds of one file begin at least so far apart, but no farther than eight times what one took: building takes at
# most an eighth of a core, and an alarm that comes alone is built at once.
_PACE_S = 0.6
_LONG_S = 0.02
# What took so long took much memory for a moment: of 20,000 buildings in two languages 80 MB stayed with the process.
_LARGE_S = 0.05
_MOST_BUILT = 48  # slots whose last file is held, beside the cache: about twice the layers of one wall


@dataclass(frozen=True)
class SceneAnswer:
    """One scene file, as it goes over the wire."""

    body_gzip: bytes
    etag: str
    revision: int = 0  # that it was made at: what it shows has not changed since


class SceneCache:
    """Of each slot the newest file, the least recently used dropped first, bounded in bytes; used from any thread."""

    def __init__(self, *, max_bytes: int = CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[object, SceneAnswer]] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def find(self, slot: Hashable, shown: object) -> SceneAnswer | None:
        """What is kept of `slot` if it shows `shown`, now the most recently used."""
        with self._lock:
            kept, answer = self._answers.get(slot, (None, None))
            if answer is None or kept != shown:
                return None
            self._answers.move_to_end(slot)
            return answer

    def keep(self, slot: Hashable, shown: object, answer: SceneAnswer) -> None:
        """Keep `answer` instead of what `slot` showed before, unless it alone is larger than the whole cache."""
        size = len(answer.body_gzip)
        with self._lock:
            _, before = self._answers.pop(slot, (None, None))
            self._bytes -= 0 if before is None else len(before.body_gzip)
            if size > self._max_bytes:
                return
            self._answers[slot] = (shown, answer)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, dropped) = self._answers.popitem(last=False)
                self._bytes -= len(dropped.body_gzip)


Slot = Hashable
"""One file, whatever it shows: layer, language and parameters."""


@dataclass(frozen=True)
class _Built:
    """
    The last build of a slot: its file, when it began and how long it took (seconds of the monotonic clock).

    `revision` is the one that it shows, None when the tables changed while it was built.
    """

    answer: SceneAnswer
    revision: int | None
    begun_s: float
    took_s: float


def find_pause_s(built: _Built) -> float:
    """
    Seconds until the slot may be built again; none left when it is not positive.

    What is built quickly, as the file of a few alarms, may take an eighth of the time; what takes long, as that of two
    hundred while a flood comes in, a twenty-fourth: else who sends waits for it.
    """
    share = 8 if built.took_s < _LONG_S else 24
    return built.begun_s + min(_PACE_S, share * built.took_s) - time.monotonic()


class SceneEndpoint:
    """Answers `/scene/{layer}.json`; made once per process with its cache."""

    def __init__(self, state: AppState, cache: SceneCache | None = None) -> None:
        self._state = state
        self._cache = cache or SceneCache()
        self._building = threading.Lock()  # one at a time: a busy minute must not hold many scenes in the making
        self._urgent = threading.Lock()  # and beside it what waits for no other
        self._built: dict[Slot, _Built] = {}
        self._keeping = threading.Lock()
        self._under_way: dict[Slot, asyncio.Task[tuple[SceneAnswer, int | None]]] = {}
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
            if not scene.is_told:
                continue
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
            answer, revision = await self._find(
                scene, check_language(query.get("lang")), params, self._find_wanted(scene, query)
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

    def find_body(self, scene: Scene, lang: Language, *, most_bytes: int) -> bytes | None:
        """
        The whole file as the wall gets it now, compressed; None when it is too early to build it again, or too long.

        Called on any thread. Who gets None asks for the address, where all that wait share one build.
        """
        slot: Slot = (scene.name, lang, ())
        built = self._built.get(slot)
        if built is not None and len(built.answer.body_gzip) > 2 * most_bytes:  # it will hardly be half as long now
            return None
        # Overtaken by a write while it was built: it would be again.
        if built is not None and built.revision is None and find_pause_s(built) > 0:
            return None
        begun_s = time.monotonic()
        answer, revision = self._answer(scene, WALL, lang, {})
        self._keep_built(slot, _Built(answer, revision, begun_s, time.monotonic() - begun_s))
        return answer.body_gzip if len(answer.body_gzip) <= most_bytes else None

    def _find_wanted(self, scene: Scene, query: Mapping[str, str]) -> int:
        """How new the file has to be: as the address says, when it is one of this process, else as new as the store."""
        newest = self._state.store.revision(*scene.tables)
        asked = query.get("v", "")
        is_ours = query.get("b", self._state.runtime.boot_id) == self._state.runtime.boot_id
        return min(int(asked), newest) if is_ours and asked.isascii() and asked.isdecimal() else newest

    async def _find(
        self, scene: Scene, lang: Language, params: Mapping[str, str], wanted: int
    ) -> tuple[SceneAnswer, int | None]:
        """A file at least as new as `wanted`: the last one, one that is being built, or a new one."""
        slot: Slot = (scene.name, lang, tuple(sorted(params.items())))
        while True:
            built = self._built.get(slot)
            if built is not None and built.answer.revision >= wanted:
                return built.answer, built.revision
            task = self._under_way.get(slot)
            is_mine = task is None or task.done()
            if task is None or task.done():  # who waits for what is done gives nobody else a turn: for ever
                task = self._under_way[slot] = asyncio.create_task(self._build(slot, scene, lang, params))
                task.add_done_callback(lambda done: self._forget(slot, done))
            answer, revision = await asyncio.shield(task)
            if is_mine or (answer.revision if revision is None else revision) >= wanted:
                return answer, revision

    def _forget(self, slot: Slot, done: asyncio.Task[tuple[SceneAnswer, int | None]]) -> None:
        if self._under_way.get(slot) is done:
            del self._under_way[slot]

    async def _build(
        self, slot: Slot, scene: Scene, lang: Language, params: Mapping[str, str]
    ) -> tuple[SceneAnswer, int | None]:
        last = self._built.get(slot)
        if last is not None and (pause_s := find_pause_s(last)) > 0:
            await asyncio.sleep(pause_s)
        begun_s = time.monotonic()
        answer, revision = await run_in_threadpool(self._answer, scene, WALL, lang, params)
        self._keep_built(slot, _Built(answer, revision, begun_s, time.monotonic() - begun_s))
        return answer, revision

    def _keep_built(self, slot: Slot, built: _Built) -> None:
        with self._keeping:
            self._built.pop(slot, None)
            self._built[slot] = built
            if len(self._built) > _MOST_BUILT:
                del self._built[next(iter(self._built))]

    def _answer(
        self, scene: Scene, viewer: Viewer, lang: Language, params: Mapping[str, str]
    ) -> tuple[SceneAnswer, int | None]:
        """The file and the revision it shows; None when the tables changed while it was built."""
        store = self._state.store
        revision = store.revision(*scene.tables)
        shown = scene.find_print(store)
        slot = (scene.name, lang, tuple(sorted(params.items())), viewer)
        answer = self._cache.find(slot, shown)
        if answer is not None:
            return answer, revision
        with self._building if scene.waits else self._urgent:
            answer = self._cache.find(slot, shown)
            if answer is not None:
                return answer, revision
            started = time.perf_counter()
            body = scene.build(store, viewer, lang, params)
            took_s = time.perf_counter() - started
            self._state.metrics.note_scene(scene.name, took_s)
            answer = SceneAnswer(
                gzip.compress(body, _GZIP_LEVEL, mtime=0),
                f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
                revision,
            )
            if took_s > _LARGE_S:
                del body
                give_back()
            # Both, because rows are there a moment before their revision is.
            if scene.find_print(store, kept=False) != shown or store.revision(*scene.tables) != revision:
                return answer, None
            self._cache.keep(slot, shown, answer)  # before the next in the queue looks: it would build the same again
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
