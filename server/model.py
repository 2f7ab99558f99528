"""
/model/{path}: the photographic model (倾斜摄影实景三维) of the place, a folder of 3D Tiles that the office mounts.

Only files of that folder whose ending a model has are given, whatever the address says: a path is resolved first, links
included, and then has to lie in the folder. What cannot be drawn without the internet is refused
(data/model_files.py). Behind the door like every scene; kept by the browser as long as the file is the same.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from data.model_files import find_problem, say_refused
from server.answers import build_refusal
from server.files import respond_not_found
from server.state import AppState

PATH: Final = "/model/{path:path}"
_log = logging.getLogger(__name__)
_TYPES: Final = {
    ".json": "application/json", ".gltf": "model/gltf+json", ".glb": "model/gltf-binary",
    **dict.fromkeys((".b3dm", ".i3dm", ".pnts", ".cmpt", ".bin", ".subtree"), "application/octet-stream"),
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".ktx2": "image/ktx2",
}  # fmt: skip


def find_file(folder: Path | None, path: str) -> Path | None:
    """The file of a model's folder that an address names; None for everything else."""
    if folder is None or "\x00" in path or "\\" in path:
        return None
    root = folder.resolve()
    try:
        file = (root / path).resolve()
        is_file = file.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, a loop of links
        return None
    return file if is_file and file.is_relative_to(root) and file.suffix.lower() in _TYPES else None


def build_model_routes(state: AppState) -> list[Route]:
    """The route of one process; without a model it finds nothing."""
    folder = state.runtime.settings.model_folder

    async def respond(request: Request) -> Response:
        file = await run_in_threadpool(find_file, folder, request.path_params["path"])
        if file is None:
            return respond_not_found()
        why = await run_in_threadpool(find_problem, file)
        if why is not None:  # the browser would fetch a decoder from another host
            sentence = say_refused(request.path_params["path"], why)
            _log.warning("%s", sentence)
            return build_refusal(415, sentence, kind="BadFileError")
        kind = _TYPES[file.suffix.lower()]
        return FileResponse(file, media_type=kind, headers={"Cache-Control": "private, no-cache"})

    return [Route(PATH, respond, methods=["GET"])]
