"""Free text of incidents on its way in: numbers and known names masked, the originals sealed beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from data.importing.incoming import Incoming
from data.importing.layer import Layer
from data.importing.persons import PersonRules
from data.intake import SEALED, KnownNames, mask_at_intake, open_sealed, read_known_names, seal
from data.secret_files import get_key
from data.store import Clock, Store, Transaction

_COLUMNS: Final = ("narrative", "address_text")
_MASKED: Final = re.compile(r"\*{2,}")
# A name has at most about twenty characters, an identity number written with blanks between its digits 35.
_LONGEST_MASKED: Final = 40


@dataclass(frozen=True)
class Seals:
    """Originals to seal: (incident, column, text), with the key for it."""

    texts: Sequence[tuple[str, str, str]] = ()
    key: bytes = field(default=b"", repr=False)


def mask_texts(store: Store, incoming: Sequence[Incoming], layers: Sequence[Layer], rules: PersonRules) -> Seals:
    """
    Mask the free texts of incoming incidents in place; returns the originals that are to be sealed with them.

    Known are the names in the store and all in the files, of those too who are not kept (children, callers of old). A
    text that the store holds already, masked, stays as it is but for names that became known since: importing the same
    file again changes nothing, and brings no original back that was removed because its time was over. Callers before
    `rules.callers_from` get no seal.
    """
    incidents = [one for one in incoming if one.table == "incidents" and "narrative" in one.frame]
    if not incidents:
        return Seals()
    files = [layer.persons for layer in layers if layer.persons is not None]
    new = {str(n) for frame in files for c in frame if str(c).endswith("name") for n in frame[c].dropna()}
    known = KnownNames.build([*read_known_names(store).names, *new])
    before = store.read("SELECT incident_id, narrative, address_text FROM incidents").set_index("incident_id")
    sealed = store.read(
        "SELECT * FROM sealed_texts WHERE subject_table = 'incidents' ORDER BY sealed_utc, sealed_id"
    ).to_dict("records")
    newest = {(str(row["subject_id"]), str(row["column_name"])): row for row in sealed}
    key = get_key(store, SEALED)
    texts: list[tuple[str, str, str]] = []
    for one in incidents:
        is_over = (one.frame["reported_utc"] < rules.callers_from).tolist()
        ids = one.frame["incident_id"].tolist()
        for column in _COLUMNS:
            stored = before[column].reindex(ids).tolist()
            masked: list[str | None] = []
            for row_id, text, was, over in zip(ids, one.frame[column], stored, is_over, strict=True):
                if pd.isna(text):
                    masked.append(None)
                    continue
                there = newest.get((row_id, column))
                is_known = isinstance(was, str) and _is_same(text, was, there, key)
                shown = mask_at_intake(known, was if is_known else text)
                masked.append(shown)
                # Shown alike, but sealed is another text: the new one is sealed too.
                is_new = not is_known and (shown != was or there is not None)
                if is_new and shown != text and not over:
                    texts.append((row_id, column, text))
            one.frame[column] = pd.Series(masked, index=one.frame.index, dtype="str")
    return Seals(texts, key)


def _is_same(text: str, stored: str, sealed: Mapping[Any, Any] | None, key: bytes) -> bool:
    """Whether a text is the one that stands masked in the store."""
    if text == stored or (sealed is not None and open_sealed(key, sealed) == text):
        return True
    return sealed is None and is_masked_form(stored, text)


def is_masked_form(masked: str, text: str) -> bool:
    """Whether `masked` can be `text` with parts masked: what stands between the masks follows in the same order."""
    pieces = _MASKED.split(masked)
    if len(pieces) == 1 or not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
        return masked == text
    place, last = len(pieces[0]), len(text) - len(pieces[-1])
    for piece in pieces[1:-1]:
        found = text.find(piece, place + 1, min(last, place + _LONGEST_MASKED + len(piece)))
        if found < 0:
            return False
        place = found + len(piece)
    return 0 < last - place <= _LONGEST_MASKED


def seal_texts(transaction: Transaction, seals: Seals, clock: Clock) -> list[str]:
    """Seal the originals; returns the ids of the rows."""
    return [
        seal(transaction, seals.key, text, table="incidents", row_id=row_id, column=column, clock=clock)
        for row_id, column, text in seals.texts
    ]
