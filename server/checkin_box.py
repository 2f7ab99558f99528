"""
A check-in server's own keys and files: whom it believes, what it brings to the office and fetches from there.

It believes one office, whose key was given at the first start. It holds no register: no name, no list of cards.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.store import Clock
from gis.errors import BadFileError, RefusedError
from server.checkin_queue import CheckinQueue
from tasks.signed_files import FileKind, build_file, read_file, to_public

_LASTS: Final = timedelta(days=7)
_OFFICE, _POINTS, _POINTS_END, _FILES = "office", "points", "points_end", "files"


class CheckinBox:
    """Keys and queue of one check-in server in `folder`."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self.queue = CheckinQueue(folder)
        self.clock = clock
        self._key = _open_key(folder / "server.key")

    @property
    def public_key(self) -> str:
        """What the office has to believe, hexadecimal."""
        return to_public(self._key)

    def believe(self, office_key: str) -> None:
        """
        Believe this office, once and for all.

        Raises
        ------
        RefusedError
            Another office's key was given before, or it is no key.
        """
        key = office_key.strip().lower()
        if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
            raise RefusedError(
                "The office's key has 64 hexadecimal digits. Copy it from the office's page of check-ins."
            )
        known = self.queue.find(_OFFICE)
        if known is not None and known != key:
            raise RefusedError("This server believes another office already. Begin with an empty folder.")
        self.queue.keep(_OFFICE, key)

    def take_points(self, content: bytes) -> int:
        """
        Take the office's file of points; what it says to have arrived is forgotten here. Returns how many points.

        Raises
        ------
        BadFileError, RefusedError
            The file is not as the office signed it, older than the last one, over, or no office is known.
        """
        office = self.queue.find(_OFFICE)
        if office is None:
            raise RefusedError("No office is known here: give its key once with --office-key.")
        file = read_file(content, FileKind.POINTS, trusted={office}, now=self.clock())
        before = self.queue.find(_FILES)
        if before is not None and file.made.isoformat() < before:
            raise RefusedError(f"A newer file of points, of {before}, was taken before. Have a new one written.")
        points, arrived = file.body.get("points"), file.body.get("arrived")
        if not isinstance(points, list) or not isinstance(arrived, dict):
            raise BadFileError("The file of points has another form. Have a new one written.")
        self.queue.keep(_POINTS, points)
        self.queue.keep(_POINTS_END, file.expires.isoformat())
        self.queue.keep(_FILES, file.made.isoformat())
        self.queue.forget_until(int(arrived.get(self.public_key, 0)))
        return len(points)

    def find_points(self) -> list[dict[str, Any]]:
        """Points as the office told them; none once its file is over."""
        end = self.queue.find(_POINTS_END)
        if end is None or end <= self.clock().isoformat():
            return []
        points: list[dict[str, Any]] = self.queue.find(_POINTS) or []
        return points

    def write_checkins(self) -> tuple[bytes, int]:
        """A signed file of all check-ins that the office has not said to have; and how many they are."""
        rows = self.queue.list_waiting()
        _, content = build_file(
            FileKind.CHECKINS, {"records": rows}, self._key, now=self.clock(), lasts=_LASTS
        )  # fmt: skip
        return content, len(rows)


def _open_key(path: Path) -> Ed25519PrivateKey:
    """The server's own key, made at its first start, readable for its owner alone."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except ValueError as error:
        raise BadFileError(
            f"{path} holds no key. Bring it back from a backup, or begin with an empty folder."
        ) from error
