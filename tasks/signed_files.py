"""
Signed files between the office and check-in servers, pure: JSON with a signature (Ed25519, RFC 8032) over all the rest.

They travel on a stick or by any way there is: whoever carries them can read and lose them, and change nothing. Each has
an id, so that it is taken once, and a day on which it ends.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gis.errors import BadFileError, RefusedError

MOST_BYTES: Final = 64_000_000
_AHEAD: Final = timedelta(hours=26)
"""Clocks of two machines that never meet may be a day apart."""


class FileKind(StrEnum):
    """What a file holds."""

    POINTS = "shapan-points-1"
    CHECKINS = "shapan-checkins-1"


@dataclass(frozen=True)
class SignedFile:
    """A file whose signature is good; `signer` is the public key, hexadecimal, times are aware."""

    file_id: str
    kind: FileKind
    signer: str
    made: datetime
    expires: datetime
    body: Mapping[str, Any]


def to_public(key: Ed25519PrivateKey) -> str:
    """The public key of a private one, hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def build_file(
    kind: FileKind, body: Mapping[str, Any], key: Ed25519PrivateKey, *, now: datetime, lasts: timedelta
) -> tuple[str, bytes]:
    """A signed file; returns its id and its bytes."""
    file_id = f"x-{secrets.token_hex(10)}"
    plain = {
        "kind": kind.value, "file_id": file_id, "signer": to_public(key), "body": dict(body),
        "made": now.astimezone(UTC).isoformat(timespec="seconds"),
        "expires": (now + lasts).astimezone(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    signature = key.sign(_to_bytes(plain)).hex()
    return file_id, json.dumps({**plain, "signature": signature}, ensure_ascii=False).encode()


def read_file(content: bytes, kind: FileKind, *, trusted: Collection[str], now: datetime) -> SignedFile:
    """
    Read a signed file.

    Parameters
    ----------
    trusted
        Public keys that are believed, hexadecimal.

    Raises
    ------
    BadFileError
        It is no such file, or not as it was signed.
    RefusedError
        It was signed by somebody who is not believed, it has ended, or it says to be of the future.
    """
    try:
        if len(content) > MOST_BYTES:
            raise ValueError(f"{len(content)} bytes")
        given = dict(json.loads(content.decode("utf-8")))
        signature = bytes.fromhex(str(given.pop("signature")))
        signer, made, expires = (str(given[name]) for name in ("signer", "made", "expires"))
        times = (datetime.fromisoformat(made), datetime.fromisoformat(expires))
        body, file_id = dict(given["body"]), str(given["file_id"])
        if given["kind"] != kind.value or any(one.tzinfo is None for one in times):
            raise ValueError("another kind of file")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFileError(f"This is no file of kind {kind.value}. Choose the file as it was written.") from error
    if signer not in trusted:
        raise RefusedError(f"The file was signed by {signer[:16]}…, who is not known here. Enter that key first.")
    try:
        key.verify(signature, _to_bytes(given))
    except InvalidSignature as error:
        raise BadFileError(f"File {file_id[:40]} is not as it was signed: it was changed on its way.") from error
    if times[1] <= now:
        raise RefusedError(f"File {file_id[:40]} ended on {times[1]:%Y-%m-%d %H:%M} UTC. Have a new one written.")
    if times[0] > now + _AHEAD:
        raise RefusedError(
            f"File {file_id[:40]} is of {times[0]:%Y-%m-%d %H:%M} UTC, which is to come. Set the clocks."
        )
    return SignedFile(file_id, kind, signer, *times, body)


def _to_bytes(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(plain), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
