"""Put the sample into an empty store, and what was planted into a file beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from data.store import Store, Transaction
from gis.errors import RefusedError
from sample.build import build_community

Progress = Callable[[str, float], None]
"""Called with the name of the step and the share that is done, 0 to 1."""


def write_sample(store: Store, truth_path: Path, *, seed: int = 7, progress: Progress | None = None) -> None:
    """
    Write the sample community into `store` in one transaction, and the truth to `truth_path` after the commit.

    Raises
    ------
    RefusedError
        The store already holds a community; it is left as it was.
    """
    report = progress or (lambda _step, _share: None)
    _check_empty(store.read("SELECT name FROM community")["name"].tolist(), store.path)
    report("Building the sample community", 0.0)
    sample = build_community(seed)
    waiting = truth_path.with_name(truth_path.name + ".part")
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.write_text(json.dumps(sample.truth, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def put(transaction: Transaction) -> None:
        _check_empty(transaction.fetch("SELECT name FROM community")["name"].tolist(), store.path)
        for done, (table, frame) in enumerate(sample.tables.items()):
            report(f"Writing {table}", 0.5 + 0.5 * done / len(sample.tables))
            transaction.append(table, frame)

    try:
        store.write(put)
    except BaseException:
        waiting.unlink()
        raise
    waiting.replace(truth_path)
    report("The sample community is ready", 1.0)


def _check_empty(names: list[str], path: Path) -> None:
    if names:
        raise RefusedError(
            f"Store {path} already holds the community '{names[0]}', expected an empty one. "
            "Choose another name with --store NAME."
        )
