"""
Files that pages load from us: pydeck's own renderer out of the installed wheel, and the table component's files.

Nothing is looked up on the disk by what a request says: what may be served is listed once, at the start.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from i18n import LANGUAGES, t

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_RENDERER = "pydeck/nbextension/static/index.js"


@dataclass(frozen=True)
class _Kept:
    body: bytes
    body_gzip: bytes
    etag: str


class FileAnswer:
    """One file, read and compressed at its first request, then kept."""

    def __init__(self, path: Path, *, marks: Mapping[str, str]) -> None:
        self._path = path
        self._marks = marks
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def _read(self) -> _Kept:
        with self._lock:
            if self._kept is None:
                body = self._path.read_bytes()
                self._kept = _Kept(body, gzip.compress(body, 9, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:24]}"')
            return self._kept

    def respond(self, request: Request) -> Response:
        """The file; kept for ever when the address carries one of its marks, else asked again each time."""
        kept = self._read()
        is_versioned = any(request.query_params.get(name) == mark for name, mark in self._marks.items())
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if is_versioned else "no-cache",
            "ETag": kept.etag,
            "Vary": "Accept-Encoding",
        }
        if kept.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = kept.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = kept.body_gzip
        return Response(body, headers={**headers, "Content-Type": _TYPES[self._path.suffix]})


def build_renderer() -> FileAnswer:
    """pydeck's own renderer bundle, from the installed wheel; `?v=` names the wheel's version."""
    return FileAnswer(Path(str(distribution("pydeck").locate_file(_RENDERER))), marks={"v": version("pydeck")})


def build_assets(folder: Path, *, boot_id: str) -> dict[str, FileAnswer]:
    """The scripts and styles of `folder` and below, by their path relative to it; `?b=` names this start."""
    return {
        path.relative_to(folder).as_posix(): FileAnswer(path, marks={"b": boot_id})
        for path in sorted(folder.rglob("*"))
        if path.suffix in _TYPES and path.is_file() and not path.is_symlink()
    }


class AssetsEndpoint:
    """
    Answers `/assets/{path}` from a fixed list: the table's files by their own path, those of the folders `beside` it
    under their folder's name. Scripts import one another by these addresses.
    """

    def __init__(self, folder: Path, *, boot_id: str, beside: tuple[str, ...] = ()) -> None:
        self._answers = build_assets(folder, boot_id=boot_id)
        for name in beside:
            answers = build_assets(folder.parent / name, boot_id=boot_id)
            self._answers |= {f"{name}/{path}": answer for path, answer in answers.items()}

    def respond(self, request: Request) -> Response:
        """The file, or 404."""
        answer = self._answers.get(request.path_params["path"])
        return respond_not_found() if answer is None else answer.respond(request)


def respond_not_found() -> Response:
    """404 in both languages."""
    return PlainTextResponse("\n".join(t("server.not_found", lang) for lang in LANGUAGES), status_code=404)
