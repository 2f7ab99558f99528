"""
Whether the files of a photographic model (3D Tiles) can be drawn without the internet.

The renderer fetches the decoders of Draco, Basis and KTX2 from another host, and that of meshopt needs a permission
that our pages do not give: what needs one of them is refused by its header, before a browser asks for anything. So is a
file that names a part of itself on another host. What is not checked when the folder is mounted is checked when it is
given.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gis.errors import BadFileError

TILESET: Final = "tileset.json"
UNDRAWABLE: Final = {
    "KHR_draco_mesh_compression": "Draco", "3DTILES_draco_point_compression": "Draco",
    "KHR_texture_basisu": "Basis/KTX2", "EXT_meshopt_compression": "meshopt", "KHR_meshopt_compression": "meshopt",
}  # fmt: skip
"""Extensions of glTF and 3D Tiles whose decoder is not with us, and its name."""
_AT_FIRST: Final = 300
"""So many files are looked at when a folder is mounted: a model has thousands, made by one program with one setting."""
_MOST_JSON: Final = 64_000_000
# Bytes of the header, and where in it the lengths of what stands before the glTF are (3D Tiles 1.0).
_HEADERS: Final = {b"b3dm": 28, b"i3dm": 32, b"pnts": 28}
_PARTS: Final = frozenset({".json", ".gltf", ".glb", ".b3dm", ".i3dm", ".pnts", ".cmpt", ".ktx2"})


def check_model(folder: Path) -> None:
    """
    Whether a folder is a model that can be drawn here, as far as its tileset and its first files tell.

    Raises
    ------
    BadFileError
        There is no tileset, or a file needs what is not here; names the file and the way out.
    """
    if not (folder / TILESET).is_file():
        raise BadFileError(
            f"The model's folder {str(folder)[:200]} has no {TILESET}. Name the folder that holds it in SHAPAN_MODEL."
        )
    files = (one for one in folder.rglob("*") if one.suffix.lower() in _PARTS and one.is_file())
    for file in (folder / TILESET, *islice(files, _AT_FIRST)):
        if (why := find_problem(file)) is not None:
            raise BadFileError(say_refused(file.relative_to(folder).as_posix(), why))


def find_model_problem(folder: Path | None) -> str | None:
    """Sentence that says why a mounted model is not shown; None where it is, or where there is none."""
    if folder is None:
        return None
    tileset = folder / TILESET
    return _find_model_problem(folder, tileset.stat().st_mtime_ns if tileset.is_file() else 0)


@lru_cache(maxsize=4)
def _find_model_problem(folder: Path, _written: int) -> str | None:
    try:
        check_model(folder)
    except BadFileError as error:
        return str(error)
    return None


def say_refused(name: str, why: str) -> str:
    """The sentence of a file that is not given to a browser."""
    return (
        f"The model's file {name[:120]} {why}: it cannot be drawn without the internet. Export the model anew without "
        "compression of meshes and with JPEG or PNG textures."
    )


def find_problem(file: Path) -> str | None:
    """Why a file cannot be drawn here (`uses Draco`, …); None where it can."""
    facts = file.stat()
    return _find_problem(file, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=8192)
def _find_problem(file: Path, _written: int, size: int) -> str | None:
    ending = file.suffix.lower()
    if ending == ".ktx2":
        return "is a KTX2 texture"
    if ending not in _PARTS or (ending in (".json", ".gltf") and size > _MOST_JSON):
        return None
    try:
        content = file.read_bytes()
        for said in [json.loads(content)] if ending in (".json", ".gltf") else _list_said(content):
            if (why := _find_in(said)) is not None:
                return why
    except (OSError, ValueError, struct.error, RecursionError):
        return "cannot be read"
    return None


def _list_said(content: bytes) -> Iterator[Any]:
    """Everything in JSON that a tile says of itself: of its glTF, its tables, and of the tiles within."""
    magic = content[:4]
    if magic == b"cmpt":
        count, at = struct.unpack_from("<I", content, 12)[0], 16
        for _ in range(min(count, 10_000)):
            length = struct.unpack_from("<I", content, at + 8)[0]
            yield from _list_said(content[at : at + length])
            at += max(length, 12)
    elif magic == b"glTF":
        length = struct.unpack_from("<I", content, 12)[0]
        yield json.loads(content[20 : 20 + length])
    elif magic in _HEADERS:
        head = _HEADERS[magic]
        lengths = struct.unpack_from("<4I", content, 12)  # feature table: JSON and binary, batch table: the same
        at = head
        for place, length in enumerate(lengths):
            if place % 2 == 0 and length:
                yield json.loads(content[at : at + length])
            at += length
        if magic == b"b3dm" or (magic == b"i3dm" and struct.unpack_from("<I", content, 28)[0] == 1):
            yield from _list_said(content[at:])
        elif magic == b"i3dm":
            yield {"uri": content[at:].decode("utf-8").strip("\x00 ")}


def _find_in(said: Any) -> str | None:
    """What in a JSON of a tile, glTF or tileset cannot be had here."""
    if isinstance(said, Mapping):
        for name, value in said.items():
            if name in UNDRAWABLE:
                return f"uses {UNDRAWABLE[name]}"
            if name in ("extensionsRequired", "extensionsUsed") and isinstance(value, list):
                for one in value:
                    if one in UNDRAWABLE:
                        return f"uses {UNDRAWABLE[one]}"
            elif name in ("uri", "url") and isinstance(value, str) and _is_elsewhere(value):
                return "names a part on another host"
            elif name == "mimeType" and value == "image/ktx2":
                return "uses Basis/KTX2"
            elif (why := _find_in(value)) is not None:
                return why
    elif isinstance(said, list):
        for one in said:
            if isinstance(one, (Mapping, list)) and (why := _find_in(one)) is not None:
                return why
    return None


def _is_elsewhere(uri: str) -> bool:
    scheme, colon, _ = uri.partition(":")
    return uri.startswith(("//", "\\\\", "/\\")) or (colon == ":" and scheme.isalpha() and scheme.lower() != "data")
