"""A scene file: what one layer draws, by URL, built once per revision of the tables that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from data.prints import find_changed, find_print, read_print
from data.store import Store
from data.viewer import Viewer
from i18n import Language
from layers.frame import LocalFrame, build_frame

Records = list[dict[str, object]] | dict[str, object]


@dataclass(frozen=True)
class SceneRequest:
    """Everything that a scene may depend on; `only`: records of these keys are wanted, None for all."""

    store: Store
    viewer: Viewer
    lang: Language
    params: Mapping[str, str]
    frame: LocalFrame
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class Scene:
    """
    One scene file.

    Attributes
    ----------
    name
        Its name in the URL.
    tables
        Tables that it reads: its version is their highest revision.
    build_records
        Makes the records.
    params
        Names of the query parameters that it understands; others are refused by the server.
    draws
        Of some of its tables the columns that decide what it shows, key included, as SQL. A write that leaves them as
        they were leaves the scene as it was. Of its other tables every write counts.
    keyed
        Table whose key is the `id` of each record, where the records of one row depend on no other row: then
        `build_records` keeps to `only`, and a write sends no more than what it changed.
    is_row_new_all
        A row that came or went may change every record.
    is_told
        Walls are told what changed in it. Not for what no wall shows, and never with `params`: those are asked for.
    waits
        Whether it may be built after others that are in the making; an alarm may not.
    """

    name: str
    tables: tuple[str, ...]
    build_records: Callable[[SceneRequest], Records]
    params: tuple[str, ...] = ()
    draws: Mapping[str, str] = field(default_factory=dict, hash=False)
    keyed: str | None = None
    is_row_new_all: bool = False
    is_told: bool = True
    waits: bool = True

    def find_print(self, store: Store, *, kept: bool = True) -> tuple[object, ...]:
        """What its content depends on: equal prints, equal content. `kept`: as found when a table was last written."""
        find = find_print if kept else read_print
        return tuple(
            find(store, table, self.draws[table]) if table in self.draws else store.revision(table)
            for table in self.tables
        )

    def build(self, store: Store, viewer: Viewer, lang: Language, params: Mapping[str, str]) -> bytes:
        """The file's bytes: compact JSON in UTF-8."""
        return to_json(self.build_records(SceneRequest(store, viewer, lang, params, build_frame(store))))

    def find_changed(self, store: Store, since: int) -> frozenset[str] | None:
        """Keys of the records that are others than at revision `since`; None where all may be."""
        changed: frozenset[str] = frozenset()
        for table in self.tables:
            found = self._find_changed(store, table, since)
            if found is None or (found and table != self.keyed):
                return None
            changed |= found
        return changed

    def _find_changed(self, store: Store, table: str, since: int) -> frozenset[str] | None:
        if table in self.draws:
            return find_changed(store, table, self.draws[table], since, is_row_new_all=self.is_row_new_all)
        return store.find_changed(table, since)

    def build_some(self, store: Store, viewer: Viewer, lang: Language, keys: frozenset[str]) -> list[dict[str, object]]:
        """Records of these keys as they are now; none of a row that is gone."""
        request = SceneRequest(store, viewer, lang, {}, build_frame(store), keys)
        return cast("list[dict[str, object]]", self.build_records(request))


def to_json(content: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
