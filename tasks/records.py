"""
The signed record of a check-in, pure: what is signed, by whom, and how it is read.

A record is a flat object of short texts, signed as they stand, so that no two programs ever write a number
differently. A phone signs with the secret of the card (HMAC-SHA256): the server that it goes through can lose a record
but make none. What is entered at the office is signed by the office in the same way.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gis.errors import BadRecordError

VERSION: Final = "shapan-checkin-1"
FIELDS: Final = ("id", "point", "card", "code", "at", "lat", "lon", "acc", "photo")
"""What is signed, in this order."""
_PATTERNS: Final[Mapping[str, str]] = {
    "id": r"[A-Za-z0-9_-]{8,40}",
    "point": r"[A-Za-z0-9_-]{1,40}",
    "card": r"\d{7}",
    "code": r"\d{0,8}",
    "at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z",
    "lat": r"(-?\d{1,2}(\.\d{1,9})?)?",
    "lon": r"(-?\d{1,3}(\.\d{1,9})?)?",
    "acc": r"(\d{1,7}(\.\d{1,3})?)?",
    "photo": r"([0-9a-f]{64})?",
    "mac": r"[0-9a-f]{64}",
}


@dataclass(frozen=True)
class Record:
    """
    A record whose fields are in order; whether its signature is good is another question.

    Attributes
    ----------
    at
        Aware, by the clock of who took it down.
    lon_deg, lat_deg, accuracy_m
        WGS 84, None where the device did not say.
    photo_sha256
        Hash of the photo that comes with it, None without one.
    """

    record_id: str
    point_id: str
    card: str
    code: str
    at: datetime
    lon_deg: float | None
    lat_deg: float | None
    accuracy_m: float | None
    photo_sha256: str | None
    plain: Mapping[str, str]

    def is_signed_by(self, secret: str | bytes) -> bool:
        """Whether `mac` was made with this secret."""
        return hmac.compare_digest(self.plain["mac"], build_mac(self.plain, secret))

    def to_text(self) -> str:
        """As it is kept: canonical JSON."""
        return json.dumps(dict(self.plain), sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hash of the text that is kept."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()


def build_mac(plain: Mapping[str, str], secret: str | bytes) -> str:
    """HMAC-SHA256 over version and fields, a line each, hexadecimal."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, "\n".join((VERSION, *(plain[name] for name in FIELDS))).encode(), "sha256").hexdigest()


def sign_record(plain: Mapping[str, str], secret: str | bytes) -> Record:
    """A record of these fields (missing ones empty), signed."""
    full = {name: plain.get(name, "") for name in FIELDS}
    return read_record({**full, "mac": build_mac(full, secret)})


def read_record(given: object) -> Record:
    """
    Read what came in.

    Raises
    ------
    BadRecordError
        It is no object of texts, or a field has another form; names the field, never its value.
    """
    if not isinstance(given, Mapping):
        raise BadRecordError("A check-in is no object. Send it again from the page.")
    plain: dict[str, str] = {}
    for name, pattern in _PATTERNS.items():
        value = given.get(name, "")
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise BadRecordError(f"Field '{name}' of a check-in has another form than expected. Send it again.")
        plain[name] = value
    try:
        at = datetime.fromisoformat(plain["at"]).astimezone(UTC)
    except ValueError as error:
        raise BadRecordError("Field 'at' of a check-in is no time. Send it again.") from error
    lat, lon, acc = (float(plain[name]) if plain[name] else None for name in ("lat", "lon", "acc"))
    if (lat is None) != (lon is None) or (lat is not None and lon is not None and (abs(lat) > 90 or abs(lon) > 180)):
        raise BadRecordError("Fields 'lat' and 'lon' of a check-in are no place. Send it again.")
    return Record(
        plain["id"], plain["point"], plain["card"], plain["code"], at, lon, lat, acc, plain["photo"] or None, plain
    )  # fmt: skip


def format_at(moment: datetime) -> str:
    """An aware time as a record says it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
