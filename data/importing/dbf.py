"""The text in a Shapefile's .dbf: its encoding is decided on all of it, and half characters at cut ends are removed."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from data.importing.encoding import GB18030, UTF8, choose_encoding, decodes, to_codec
from gis.errors import BadFileError

# Language driver ids of dBASE as GDAL writes and reads them.
_LANGUAGES: Final = {0x4D: GB18030, 0x4F: "big5"}
_LONGEST_CHARACTER: Final = 4
_LONGEST_NAME: Final = 10


def prepare(
    data: bytes, source: str, *, option: str | None = None, declared: str | None = None
) -> tuple[bytes, str, int]:
    """
    The table ready to be read in one encoding.

    Returns
    -------
    The bytes, the codec, and how many values were cut in the middle of a character by the width of their column.
    """
    try:
        count, header, width = struct.unpack_from("<IHH", data, 4)
        fields = _text_fields(data, header)
        count = min(count, (len(data) - header) // width)
        records = np.frombuffer(data, dtype=np.uint8, count=count * width, offset=header).reshape(count, width).copy()
    except (struct.error, ValueError, ZeroDivisionError, IndexError) as error:
        raise BadFileError(f"{source}: its .dbf file is broken or cut off. Export it again.") from error
    columns = [np.unique(records[:, at : at + size], axis=0) for at, size in fields]
    names = [data[32 + 32 * i : 43 + 32 * i].split(b"\0")[0] for i in range((header - 33) // 32)]
    # A name has ten bytes at most: one that fills them may end in half a character.
    certain = [name for name in names if len(name) < _LONGEST_NAME]
    whole = b"\n".join([*certain, *(b"\n".join(_without_tail(row.tobytes())) for column in columns for row in column)])
    said = declared or _LANGUAGES.get(data[29], "")
    codec = _choose(whole, columns, source, option, said, [name for name in names if len(name) >= _LONGEST_NAME])
    head = _without_half_names(data[:header], names, codec)
    cut = sum(_blank_half_characters(records, at, size, codec) for at, size in fields)
    return head + records.tobytes() + data[header + records.size :], codec, cut


def _without_half_names(head: bytes, names: list[bytes], codec: str) -> bytes:
    """The header with half characters at the end of names of columns taken off."""
    fixed = bytearray(head)
    for number, name in enumerate(names):
        if len(name) >= _LONGEST_NAME and not decodes(name, codec):
            length = _sound_length(name, codec)
            at = 32 + 32 * number
            fixed[at + length : at + 11] = bytes(11 - length)
    return bytes(fixed)


def _text_fields(data: bytes, header: int) -> list[tuple[int, int]]:
    """Offset and width of the character columns in a record."""
    at, result = 1, []
    for start in range(32, header - 1, 32):
        if data[start] == 0x0D:
            break
        size = data[start + 16]
        if data[start + 11 : start + 12] == b"C":
            result.append((at, size))
        at += size
    return result


def _without_tail(value: bytes) -> list[bytes]:
    """The value without padding; a value that fills its column is judged without its last, perhaps cut, character."""
    text = value.rstrip(b" \0")
    return [text] if len(text) < len(value) else []


def _choose(
    whole: bytes,
    columns: list[npt.NDArray[np.uint8]],
    source: str,
    option: str | None,
    said: str | None,
    names: list[bytes],
) -> str:
    codec = choose_encoding(whole, source, option=option, declared=said)
    full = names + [row.tobytes() for column in columns for row in column if row.size and row[-1] not in (0x20, 0)]
    candidates = [codec] if option else [codec, to_codec(said) if said else None, UTF8, GB18030]
    for candidate in dict.fromkeys(c for c in candidates if c):
        if decodes(whole, candidate) and all(_sound_length(value, candidate) for value in full):
            return candidate
    return codec


def _sound_length(value: bytes, codec: str) -> int:
    """Bytes of `value` that are text when up to one character at its end is cut off; 0 when none are."""
    for length in range(len(value), max(len(value) - _LONGEST_CHARACTER, 0), -1):
        if decodes(value[:length], codec):
            return length
    return 0


def _blank_half_characters(records: npt.NDArray[np.uint8], at: int, size: int, codec: str) -> int:
    if not size:
        return 0
    column = records[:, at : at + size]
    cut = 0
    for row in np.flatnonzero(column[:, -1] >= 0x40):
        value = column[row].tobytes()
        if not decodes(value, codec) and (length := _sound_length(value, codec)):
            column[row, length:] = 0x20
            cut += 1
    return cut
