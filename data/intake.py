"""
Intake of free text: numbers and names that the store knows are masked before a text is stored, the original is sealed.

Known names are those of this store: occupants, owners, landlords, contacts, people with radios, callers. A name that
nobody registered stays, which is why the wall gets no free text at all.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from data.looks import log_looks
from data.masking import mask_name, mask_text
from data.moments import to_stored_time
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.viewer import Viewer
from gis.errors import BadFileError, NotAllowedError, RecordMissingError

_NAMES = """
SELECT name FROM (
    SELECT name FROM occupants UNION SELECT owner_name FROM units UNION SELECT landlord_name FROM rentals
    UNION SELECT contact_name FROM key_sites UNION SELECT name FROM responders UNION SELECT display_name FROM accounts
    UNION SELECT reporter_name FROM incidents
) WHERE length(trim(name)) >= 2
"""
SEALED = "sealed texts"
_NONCE_BYTES = 12  # NIST SP 800-38D recommends 96 bits


@dataclass(frozen=True)
class KnownNames:
    """
    Names to be found in a text.

    Looked up by length at each place of the text: a pattern of ten thousand alternatives would try all of them there.
    """

    names: frozenset[str]
    lengths: tuple[int, ...]

    @classmethod
    def build(cls, names: Iterable[str]) -> KnownNames:
        """Of names of at least two characters; the longest is tried first, so that 张三丰 is not taken for 张三."""
        known = frozenset(name.strip() for name in names if len(name.strip()) >= 2)
        return cls(known, tuple(sorted({len(name) for name in known}, reverse=True)))

    def mask(self, text: str) -> str:
        """The text with every known name as its first character and `**`."""
        parts, place = [], 0
        while place < len(text):
            name = self._find(text, place)
            parts.append(mask_name(name) if name else text[place])
            place += len(name) or 1
        return "".join(parts)

    def _find(self, text: str, place: int) -> str:
        """The longest name that begins at `place`, else an empty text; a Latin one counts as a whole word only."""
        for length in self.lengths:
            name = text[place : place + length]
            if name in self.names:
                around = text[place - 1 : place] + text[place + length : place + length + 1]
                if not (name.isascii() and any(c.isascii() and c.isalnum() for c in around)):
                    return name
        return ""


def read_known_names(store: Store) -> KnownNames:
    """Names of everybody whom this store knows. Building it costs more than masking: keep it for a whole import."""
    return KnownNames.build(str(name) for name in store.read(_NAMES)["name"])


def mask_at_intake(known: Store | KnownNames, text: str) -> str:
    """`text` with telephone and identity numbers as `***` and known names as 张**."""
    names = read_known_names(known) if isinstance(known, Store) else known
    return names.mask(mask_text(text))


def seal(
    transaction: Transaction, key: bytes, original: str, *, table: str, row_id: str, column: str, clock: Clock
) -> str:
    """
    Keep the original of a masked text, encrypted; returns `sealed_id`.

    `key` is `get_key(store, "sealed texts")`. The id of the row is bound in, so that a sealed text that was moved to
    another row cannot be opened there.
    """
    row = build_sealed(key, original, table=table, row_id=row_id, column=column, clock=clock)
    transaction.execute(
        "sealed_texts",
        f"INSERT INTO sealed_texts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        list(row.values()),
    )
    return str(row["sealed_id"])


def build_sealed(key: bytes, original: str, *, table: str, row_id: str, column: str, clock: Clock) -> dict[str, object]:
    """A row of sealed_texts, as `seal` writes it: for writes of many rows at once."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(key).encrypt(nonce, original.encode(), _bind(table, row_id, column))
    return {
        "sealed_id": f"t-{secrets.token_hex(8)}",
        "subject_table": table,
        "subject_id": row_id,
        "column_name": column,
        "sealed_text": base64.b64encode(nonce + cipher).decode(),
        "sealed_utc": to_stored_time(clock()),
    }


def take_in(
    store: Store,
    transaction: Transaction,
    known: KnownNames,
    text: str,
    *,
    table: str,
    row_id: str,
    column: str,
    clock: Clock,
) -> str:
    """The text as it is to be stored in `table.column` of `row_id`; the original of a masked one is sealed with it."""
    masked = mask_at_intake(known, text)
    if masked != text:
        key = get_key(store, SEALED)
        seal(transaction, key, text, table=table, row_id=row_id, column=column, clock=clock)
    return masked


_KINDS = {"incidents": "incident", "rentals": "rental", "units": "unit", "key_sites": "site"}


def unseal(store: Store, viewer: Viewer, table: str, row_id: str, column: str, *, clock: Clock) -> str:
    """
    The original of a masked text, for a viewer who has opened its subject (which the log knows).

    Raises
    ------
    NotAllowedError
        The subject is not open to this viewer.
    RecordMissingError
        Nothing is sealed there, or it was removed when its time was over.
    BadFileError
        It was sealed with another secret, or was moved or changed.
    """
    kind, subject_id = _KINDS.get(table), row_id
    if table == "task_evidence":  # what opens is the task that it belongs to
        owners = store.read("SELECT task_id FROM task_evidence WHERE evidence_id = ?", [row_id])["task_id"]
        kind, subject_id = "task", "" if owners.empty else str(owners.iloc[0])
    if viewer.account_id is None or kind is None or (kind, subject_id) not in viewer.openings:
        raise NotAllowedError("The original is sealed. Open the masked fields with a reason first.")
    log_looks(store, viewer, frozenset({(kind, subject_id)}), clock=clock)
    rows = store.read(
        "SELECT * FROM sealed_texts WHERE subject_table = ? AND subject_id = ? AND column_name = ? "
        "ORDER BY sealed_utc DESC, sealed_id LIMIT 1",
        [table, row_id, column],
    )
    if rows.empty:
        raise RecordMissingError("There is no sealed original: nothing was masked, or its time was over.")
    return open_sealed(get_key(store, SEALED), rows.to_dict("records")[0])


def open_sealed(key: bytes, row: Mapping[Any, Any]) -> str:
    """The original in a row of sealed_texts; `BadFileError` when the key is another or the row was changed."""
    blob = base64.b64decode(str(row["sealed_text"]))
    bound = _bind(str(row["subject_table"]), str(row["subject_id"]), str(row["column_name"]))
    try:
        return AESGCM(key).decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], bound).decode()
    except InvalidTag as error:
        raise BadFileError(
            f"The sealed original of {row['subject_table']} '{row['subject_id']}' cannot be opened: it was sealed with "
            "another secret of the store, or was changed. Bring the secret back from the backup of that time."
        ) from error


def _bind(table: str, row_id: str, column: str) -> bytes:
    return "\x1f".join((table, row_id, column)).encode()
