"""Which encoding a text is in: decided on the whole file, never on its first lines."""

from __future__ import annotations

import codecs
from contextlib import suppress
from typing import Final

from gis.errors import BadFileError

UTF8: Final = "utf-8"
GB18030: Final = "gb18030"
# What .cpg files and the language byte of .dbf files say, as Python calls it.
_SPOKEN: Final = {
    "big-5": "big5",
    "65001": UTF8,
    "936": GB18030,
    "cp936": GB18030,
    "gbk": GB18030,
    "gb2312": GB18030,
    "950": "big5",
    "oem": "",
    "ansi 936": GB18030,
    "ansi 1252": "cp1252",
    "iso-8859-1": "latin-1",
    "88591": "latin-1",
}


def to_codec(name: str, *, option: bool = False) -> str | None:
    """Python's name of an encoding; None when it is not known, `BadFileError` when the user named it."""
    key = name.strip().strip('"').lower()
    try:
        return codecs.lookup(_SPOKEN.get(key, key) or "?").name
    except LookupError:
        if not option:
            return None
        raise BadFileError(
            f"Encoding '{name[:40]}' is not known: expected e.g. utf-8, gb18030 or big5. Correct --encoding."
        ) from None


def decodes(data: bytes, codec: str) -> bool:
    """Whether all of `data` is text in this encoding."""
    try:
        data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def choose_encoding(data: bytes, source: str, *, option: str | None = None, declared: str | None = None) -> str:
    """
    The encoding of `data`: the one the user named, else the declared one if all of it decodes, else UTF-8, else
    GB18030.

    Raises
    ------
    BadFileError
        None fits; the sentence names --encoding.
    """
    if option:
        codec = to_codec(option, option=True) or UTF8
        if decodes(data, codec):
            return codec
        raise BadFileError(f"{source}: the text is not {option}: some bytes have no meaning in it. Correct --encoding.")
    said = to_codec(declared) if declared else None
    # One-byte encodings decode anything: such a .cpg proves nothing, and Chinese tools write it by default.
    proves = said is not None and not said.startswith(("iso8859", "cp125", "latin"))
    for codec in [*([said] if said and proves else []), UTF8, GB18030]:
        if decodes(data, codec):
            return codec
    raise BadFileError(
        f"{source}: the text is neither UTF-8 nor GB18030. Name its encoding, e.g. --encoding big5; if it is not text "
        "at all, export it again."
    )


def _find_utf16(data: bytes) -> str | None:
    """UTF-16 without a byte order mark: line ends and tabs have a zero byte, on one side only; other text has none."""
    head = data[:20_000]
    if len(data) % 2 or b"\0" not in head:
        return None
    for codec, tokens in (("utf-16-le", (b"\n\0", b"\t\0", b",\0")), ("utf-16-be", (b"\0\n", b"\0\t", b"\0,"))):
        if sum(head.count(token) for token in tokens) > 1 and decodes(data, codec):
            text = head[: len(head) // 2 * 2].decode(codec, "ignore")
            if all(c.isprintable() or c in "\r\n\t\u3000\u00a0" for c in text):
                return codec
    return None


def decode_text(data: bytes, source: str, *, option: str | None = None) -> tuple[str, str]:
    """Text of a whole file without byte order mark, and its encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not option and decodes(data, "utf-16"):
        return data.decode("utf-16"), "utf-16"
    if not option and (wide := _find_utf16(data)):
        return data.decode(wide), "utf-16"
    if not option:
        with suppress(UnicodeDecodeError):  # nearly every file: decoded once
            return data.decode(UTF8).removeprefix("\ufeff"), UTF8
    codec = choose_encoding(data, source, option=option)
    return data.decode(codec).removeprefix("\ufeff"), codec
