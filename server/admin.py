"""
/api/v1/admin/*: the command line's way into a store that this process holds.

Whoever shows the token of the ticket file is let in. Files come as bytes, never as a path to read. Work that takes
long answers in JSON lines: any number of `{"progress": …}`, then one `{"report": …}` or one `{"error": …}`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from data.keys import find_key
from gis.errors import ShapanError, find_kind
from server.answers import build_refusal
from server.operations import LocalOperations, Progress, Report
from server.state import AppState

if TYPE_CHECKING:
    from data.importing import ImportOptions, SourceFile

PREFIX = "/api/v1/admin"
MAX_FILES = 500
MAX_UPLOAD_BYTES = 2_000_000_000  # one community's files are some megabytes; this only stops an accident

_Handler = Callable[[Request], Awaitable[Response]]


def build_admin_routes(state: AppState) -> list[BaseRoute]:
    """Routes of the command line."""
    operations = LocalOperations(state.store, state.clock, find_key(state.runtime.settings))

    def guarded(handler: _Handler) -> _Handler:
        async def answer(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), state.token.encode()):
                return build_refusal(401, "The command line's token is missing or wrong.", kind="RefusedError")
            return await handler(request)

        return answer

    async def respond_ticket(_: Request) -> Response:
        return JSONResponse({"store": state.runtime.settings.store_name}, headers={"Cache-Control": "no-store"})

    async def respond_info(_: Request) -> Response:
        return await _respond(operations.info)

    async def respond_undo(request: Request) -> Response:
        try:
            batch_id = dict(await request.json()).get("batch_id")
        except (ValueError, TypeError):
            return build_refusal(400, 'Expected JSON: {"batch_id": …}, null for the newest import.')
        return await _respond(lambda: operations.undo(None if batch_id is None else str(batch_id)))

    async def respond_import(request: Request) -> Response:
        if int(request.headers.get("content-length") or 0) > MAX_UPLOAD_BYTES:
            return build_refusal(413, f"More than {MAX_UPLOAD_BYTES} bytes: import the files in parts.")
        try:
            sources, options = await _read_form(request)
        except (ValueError, TypeError) as error:
            return build_refusal(400, f"Options of the import cannot be read: {error}.")
        lines = _stream_work(lambda progress: operations.import_sources(sources, options, progress))
        return StreamingResponse(lines, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    async def respond_backup(request: Request) -> Response:
        try:
            asked = dict(await request.json())
            folder, keep = Path(str(asked["folder"])), None if asked.get("keep") is None else int(asked["keep"])
        except (ValueError, TypeError, KeyError):
            return build_refusal(400, 'Expected JSON: {"folder": …, "keep": …}, null to keep all.')
        lines = _stream_work(lambda progress: operations.back_up(folder, keep, progress))
        return StreamingResponse(lines, media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})

    async def respond_access(request: Request) -> Response:
        try:
            arguments = dict(await request.json())
        except (ValueError, TypeError):
            return build_refusal(400, "Expected a JSON object of arguments.")
        return await _respond(lambda: operations.access(request.path_params["operation"], arguments))

    async def respond_analyse(request: Request) -> Response:
        try:
            options = dict(await request.json())
        except (ValueError, TypeError):
            return build_refusal(400, "Expected a JSON object of options.")
        return await _respond(lambda: operations.analyse(request.path_params["method"], options))

    return [
        Route(f"{PREFIX}/ticket", guarded(respond_ticket)),
        Route(f"{PREFIX}/info", guarded(respond_info)),
        Route(f"{PREFIX}/import", guarded(respond_import), methods=["POST"]),
        Route(f"{PREFIX}/undo", guarded(respond_undo), methods=["POST"]),
        Route(f"{PREFIX}/access/{{operation}}", guarded(respond_access), methods=["POST"]),
        Route(f"{PREFIX}/analyse/{{method}}", guarded(respond_analyse), methods=["POST"]),
        Route(f"{PREFIX}/backup", guarded(respond_backup), methods=["POST"]),
    ]


async def _respond(work: Callable[[], Report]) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(work), headers={"Cache-Control": "no-store"})
    except ShapanError as error:
        return build_refusal(409, str(error), kind=find_kind(error))


async def _read_form(request: Request) -> tuple[list[SourceFile], ImportOptions]:
    from data.importing import ImportOptions, SourceFile  # slow to load, and only imports need it

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise ValueError("expected a form with files")
    parser = MultiPartParser(request.headers, request.stream(), max_files=MAX_FILES, max_part_size=1_000_000)
    # Files may hold persons: they stay in memory, where the parser would put larger ones into a temporary file.
    parser.spool_max_size = MAX_UPLOAD_BYTES
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise ValueError("the form is broken") from error
    try:
        sources = [
            SourceFile(part.filename or "", await part.read())
            for part in form.getlist("source")
            if isinstance(part, UploadFile)
        ]
        chosen = dict(json.loads(str(form.get("options") or "{}")))
    finally:
        await form.close()
    return sources, ImportOptions(**chosen)


async def _stream_work(work: Callable[[Progress], Report]) -> AsyncIterator[str]:
    """Lines of `work`, which runs in a thread; it runs to its end even when nobody listens any more."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    def put(line: dict[str, object]) -> None:
        loop.call_soon_threadsafe(lines.put_nowait, line)

    def run() -> None:
        try:
            report = work(lambda share, what: put({"progress": {"share": share, "what": what}}))
            put({"report": report})
        except ShapanError as error:
            put({"error": {"kind": find_kind(error), "message": str(error)}})
        except BaseException as error:
            put({"error": {"kind": "Unexpected", "message": f"{type(error).__name__}: see the server's log."}})
            raise

    task = loop.run_in_executor(None, run)
    while True:
        line = await lines.get()
        yield json.dumps(line, ensure_ascii=False) + "\n"
        if "progress" not in line:
            break
    await task
