"""Answers to what a phone sent: the same key gets the first answer, however often the line breaks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from data.incident_writes import insert_rows
from data.moments import to_stored_time
from data.store import Clock, Store, Transaction
from gis.errors import RefusedError

_SQL = "SELECT request_sha256, answer FROM visit_answers WHERE answer_id = ?"


def answer_once(
    store: Store, account: str, key: str, request: bytes, work: Callable[[], Mapping[str, Any]], *, clock: Clock
) -> dict[str, Any]:
    """
    The answer to a request with this key of this account: that of the first time, else what `work` gives.

    `work` has to be harmless when it is repeated: killed between its commit and ours, it is asked again.

    Raises
    ------
    RefusedError
        The key was used for another request.
    """
    answer_id = hashlib.sha256(f"{account}\x1f{key}".encode()).hexdigest()
    print_ = hashlib.sha256(request).hexdigest()
    known = _read(store.read(_SQL, [answer_id]).to_dict("records"), key, print_)
    if known is not None:
        return known
    answer = dict(work())

    def put(transaction: Transaction) -> dict[str, Any]:
        there = _read(transaction.fetch(_SQL, [answer_id]).to_dict("records"), key, print_)
        if there is not None:  # sent twice at once: both get what was written first
            return there
        row = {
            "answer_id": answer_id, "account_id": account, "request_sha256": print_,
            "answer": json.dumps(answer, ensure_ascii=False, sort_keys=True), "answered_utc": to_stored_time(clock()),
        }  # fmt: skip
        insert_rows(transaction, "visit_answers", [row])
        return answer

    return store.write(put)


def _read(rows: list[dict[Any, Any]], key: str, print_: str) -> dict[str, Any] | None:
    if not rows:
        return None
    if rows[0]["request_sha256"] != print_:
        raise RefusedError(f"Key '{key[:40]}' was used for something else already. Send it under a key of its own.")
    answer: dict[str, Any] = json.loads(rows[0]["answer"])
    return answer
