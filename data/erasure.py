"""
Erasure of a person: their fields are emptied wherever the store holds them; homes, rentals, incidents and events stay.

A person is known by name and telephone, or by the keyed hash of an identity number. Two persons have to agree: the
approval names a keyed hash of what is searched for, so that neither it nor the log holds the person's name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.approvals import use_in
from data.audit import build_entry, write_audited
from data.checkin_records import empty_records
from data.intake import SEALED, KnownNames, open_sealed
from data.rights import check_right
from data.secret_files import get_key
from data.store import Clock, Store, Transaction
from data.task_photos import remove_photos
from data.viewer import Viewer
from gis.errors import BadRecordError, RecordMissingError

# Table → its key, column of the name, column of the telephone, and what else of the person stands in the row.
_REGISTERS: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "occupants": ("occupant_id", "name", "phone", ("identity_last4", "identity_hash")),
    "units": ("unit_id", "owner_name", "owner_phone", ()),
    "rentals": ("rental_id", "landlord_name", "landlord_phone", ()),
    "key_sites": ("site_id", "contact_name", "contact_phone", ()),
    "responders": ("responder_id", "name", "phone", ()),
    "volunteers": ("volunteer_id", "call_name", "phone_last4", ("birth_year",)),
    "incidents": ("incident_id", "reporter_name", "reporter_phone", ("caller_address", "caller_place")),
}
_HOMES = frozenset({"occupants", "units", "rentals"})  # registers whose rows say which home
_MOBILE_DIGITS = 11
# Registers that hold only the last digits of a telephone: how many.
_LAST_DIGITS: Mapping[str, int] = {"volunteers": 4}
_FREE_TEXTS = ("narrative", "address_text")
# Table → its key and the columns in which somebody wrote freely.
_TEXTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "incidents": ("incident_id", _FREE_TEXTS),
    "tasks": ("task_id", ("note",)),
    "task_evidence": ("evidence_id", ("narrative",)),
    "task_findings": ("finding_id", ("narrative",)),
    "task_sessions": ("session_id", ("narrative", "agreement")),
    "proposals": ("proposal_id", ("note",)),
}


@dataclass(frozen=True)
class Person:
    """
    Whom to look for: `name` with `phone`, or `identity_hash` (data/identity.py), or both.

    A name alone is not enough: there are three hundred thousand 张伟.
    """

    name: str | None = None
    phone: str | None = None
    identity_hash: str | None = None

    def __post_init__(self) -> None:
        if not self.identity_hash and not (self.name and _to_digits(self.phone)):
            raise BadRecordError("Whom to erase is not clear: give name and telephone, or the identity number.")


@dataclass(frozen=True)
class Erasure:
    """
    What was emptied: rows by table, `texts` (rows whose words were masked), `sealed` (originals removed), `photos` (ids
    of those of visits to the person's home, and of their own check-ins).
    """

    rows: dict[str, int]
    texts: int
    sealed: int
    photos: tuple[str, ...] = ()


def build_subject(store: Store, person: Person) -> str:
    """How an approval names the person: a keyed hash, the same for the same person."""
    plain = json.dumps([(person.name or "").strip(), _to_digits(person.phone), person.identity_hash or ""])
    return "person:" + hmac.new(get_key(store, "erasure"), plain.encode(), hashlib.sha256).hexdigest()


def find_rows(store: Store, viewer: Viewer, person: Person) -> dict[str, int]:
    """How many rows of each register name the person: what an erasure would empty."""
    check_right(viewer, "action", "erase_person")

    def count(transaction: Transaction) -> dict[str, int]:
        marks = _find_marks(transaction, person)
        return {table: len(transaction.fetch(*_build_search(table, marks))) for table in _REGISTERS}

    return {table: found for table, found in store.write(count).items() if found}


def erase_person(store: Store, viewer: Viewer, person: Person, approval_id: str, *, clock: Clock) -> Erasure:
    """
    Empty every field of a person, with an approval for `build_subject(store, person)`; logged, all in one transaction.

    Raises
    ------
    NotAllowedError
        The role may not erase.
    RefusedError
        The approval cannot be used; nothing was changed.
    RecordMissingError
        Nobody like that is in the store; the approval stays usable.
    """
    check_right(viewer, "action", "erase_person")
    subject = build_subject(store, person)

    def work(transaction: Transaction) -> Erasure:
        use_in(transaction, viewer, approval_id, "erase_person", subject, clock=clock)
        erased = _erase(store, transaction, person)
        if not erased.rows:
            raise RecordMissingError("Nobody like that is in the store. Nothing was changed; check the spelling.")
        return erased

    erased = write_audited(
        store,
        work,
        lambda erased: [
            build_entry(
                viewer,
                "erase",
                subject_kind="person",
                subject_id=subject,
                detail={
                    "approval": approval_id, "rows": erased.rows, "texts": erased.texts, "sealed": erased.sealed,
                    "photos": len(erased.photos),
                },
            )
        ],
        clock=clock,
    )  # fmt: skip
    remove_photos(store, erased.photos)
    return erased


def _erase(store: Store, transaction: Transaction, person: Person) -> Erasure:
    marks = _find_marks(transaction, person)
    rows: dict[str, int] = {}
    homes: set[str] = set()
    photos: tuple[str, ...] = ()
    for table, (key, name, phone, others) in _REGISTERS.items():
        ids = transaction.fetch(*_build_search(table, marks))["row_id"].tolist()
        if not ids:
            continue
        rows[table] = len(ids)
        if table in _HOMES:
            sql = (
                f"SELECT DISTINCT unit_id FROM {table} WHERE list_contains(?::VARCHAR[], {key}) AND unit_id IS NOT NULL"
            )
            homes |= {str(one) for one in transaction.fetch(sql, [ids])["unit_id"]}
        if table == "incidents":
            _rename_caller(transaction, ids)
        if table == "volunteers":
            photos = empty_records(transaction, ids)
        emptied = ", ".join(f"{column} = NULL" for column in (name, phone, *others))
        transaction.execute(table, f"UPDATE {table} SET {emptied} WHERE list_contains(?::VARCHAR[], {key})", [ids])
    if imports := _erase_from_imports(transaction, marks):
        rows["import_changes"] = imports
    texts, sealed = _erase_from_texts(transaction, marks), _erase_sealed(store, transaction, marks)
    return Erasure(rows, texts, sealed, (*photos, *_erase_photos(transaction, homes)))


def _erase_photos(transaction: Transaction, homes: set[str]) -> tuple[str, ...]:
    """Let photos of visits to these homes go: who is on one of them no program can tell; returns their ids."""
    where = "task_id IN (SELECT task_id FROM tasks WHERE list_contains(?::VARCHAR[], unit_id))"
    ids = transaction.fetch(f"SELECT photo_id FROM task_photos WHERE {where} ORDER BY 1", [sorted(homes)])["photo_id"]
    if len(ids):
        transaction.execute("task_photos", f"DELETE FROM task_photos WHERE {where}", [sorted(homes)])
    return tuple(str(one) for one in ids)


@dataclass(frozen=True)
class _Marks:
    """What tells the person in a row or a text: pairs of name and digits of the telephone, and the identity's hash."""

    pairs: frozenset[tuple[str, str]]
    identity_hash: str | None
    names: KnownNames

    def mask(self, text: str) -> str:
        """The text with telephone numbers and names of the person masked."""
        for _, digits in self.pairs:
            spaced = r"[\s\-]?".join(digits)
            text = re.sub(rf"(?<!\d){spaced}(?!\d)", "***", text) if digits else text
        return self.names.mask(text)


def _find_marks(transaction: Transaction, person: Person) -> _Marks:
    """The person's own marks, and those of occupants with the same identity number."""
    pairs = {(person.name.strip(), _to_digits(person.phone))} if person.name and person.phone else set()
    same = transaction.fetch(
        "SELECT name, phone FROM occupants WHERE identity_hash = ? AND name IS NOT NULL", [person.identity_hash]
    )
    pairs |= {(str(name).strip(), _to_digits(phone)) for name, phone in zip(same["name"], same["phone"], strict=True)}
    return _Marks(frozenset(pairs), person.identity_hash, KnownNames.build(name for name, _ in pairs))


def _build_search(table: str, marks: _Marks) -> tuple[str, list[object]]:
    """Question for the rows of a register that name the person: `row_id`."""
    key, name, phone, _ = _REGISTERS[table]
    length = _LAST_DIGITS.get(table, _MOBILE_DIGITS)
    digits = f"right(regexp_replace(coalesce({phone}, ''), '[^0-9]', '', 'g'), {length})"
    conditions: list[str] = []
    parameters: list[object] = []
    for known_name, known_digits in sorted(marks.pairs):
        if known_digits:
            conditions.append(f"(trim({name}) = ? AND {digits} = ?)")
            parameters += [known_name, known_digits[-length:]]
    if marks.identity_hash and table == "occupants":
        conditions.append("identity_hash = ?")
        parameters.append(marks.identity_hash)
    return f"SELECT {key} AS row_id FROM {table} WHERE {' OR '.join(conditions) or 'false'}", parameters


def _rename_caller(transaction: Transaction, incident_ids: list[str]) -> None:
    """Give a caller a new random key: their calls still count as one caller's, and nobody can tell whose."""
    keys = transaction.fetch(
        "SELECT DISTINCT reporter_key AS k FROM incidents "
        "WHERE list_contains(?::VARCHAR[], incident_id) AND reporter_key IS NOT NULL",
        [incident_ids],
    )
    for key in keys["k"]:
        transaction.execute(
            "incidents",
            "UPDATE incidents SET reporter_key = ? WHERE reporter_key = ?",
            [f"erased-{secrets.token_hex(16)}", key],
        )


def _erase_from_imports(transaction: Transaction, marks: _Marks) -> int:
    """Empty the person in rows as they were before an import, so that undoing it brings nobody back."""
    changes = transaction.fetch(
        "SELECT batch_id, table_name, row_id, before::VARCHAR AS before FROM import_changes "
        "WHERE before IS NOT NULL AND list_contains(?::VARCHAR[], table_name)",
        [list(_REGISTERS)],
    )
    count = 0
    for change in changes.to_dict("records"):
        row = json.loads(change["before"])
        after = _empty_row(row, _REGISTERS[change["table_name"]], marks)
        if after != row:
            count += 1
            transaction.execute(
                "import_changes",
                "UPDATE import_changes SET before = ? WHERE batch_id = ? AND table_name = ? AND row_id = ?",
                [json.dumps(after, ensure_ascii=False), change["batch_id"], change["table_name"], change["row_id"]],
            )
    return count


def _empty_row(
    row: Mapping[str, Any], register: tuple[str, str, str, tuple[str, ...]], marks: _Marks
) -> dict[str, Any]:
    _, name, phone, others = register
    same_pair = (str(row.get(name) or "").strip(), _to_digits(row.get(phone))) in marks.pairs
    same_hash = marks.identity_hash is not None and row.get("identity_hash") == marks.identity_hash
    after = dict(row)
    if same_pair or same_hash:
        after |= {column: None for column in (name, phone, *others, "reporter_key") if column in row}
    return after | {c: marks.mask(row[c]) for c in _FREE_TEXTS if isinstance(row.get(c), str)}


def _erase_from_texts(transaction: Transaction, marks: _Marks) -> int:
    """Mask the person in free texts of incidents and tasks; returns in how many rows."""
    count = 0
    for table, (key, columns) in _TEXTS.items():
        for row in transaction.fetch(f"SELECT {key}, {', '.join(columns)} FROM {table}").to_dict("records"):
            texts = {column: row[column] for column in columns if isinstance(row[column], str)}
            changed = {column: masked for column, text in texts.items() if (masked := marks.mask(text)) != text}
            if changed:
                count += 1
                sets = ", ".join(f"{column} = ?" for column in changed)
                transaction.execute(table, f"UPDATE {table} SET {sets} WHERE {key} = ?", [*changed.values(), row[key]])
    return count


def _erase_sealed(store: Store, transaction: Transaction, marks: _Marks) -> int:
    """Remove sealed originals that name the person; returns how many."""
    sealed = transaction.fetch("SELECT * FROM sealed_texts").to_dict("records")
    key = get_key(store, SEALED) if sealed else b""
    gone = [row["sealed_id"] for row in sealed if marks.mask(plain := open_sealed(key, row)) != plain]
    if gone:
        transaction.execute(
            "sealed_texts", "DELETE FROM sealed_texts WHERE list_contains(?::VARCHAR[], sealed_id)", [gone]
        )
    return len(gone)


def _to_digits(phone: object) -> str:
    """Digits of a telephone number without country code: +86 138-1234-1234 and 13812341234 are one."""
    return re.sub(r"[^0-9]", "", phone)[-_MOBILE_DIGITS:] if isinstance(phone, str) else ""
