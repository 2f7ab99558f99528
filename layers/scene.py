"""A scene file: what one layer draws, by URL, built once per revision of the tables that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from data.prints import find_print, read_print
from data.store import Store
from data.viewer import Viewer
from i18n import Language
from layers.frame import LocalFrame, build_frame

Records = list[dict[str, object]] | dict[str, object]


@dataclass(frozen=True)
class SceneRequest:
    """Everything that a scene may depend on."""

    store: Store
    viewer: Viewer
    lang: Language
    params: Mapping[str, str]
    frame: LocalFrame


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
    """

    name: str
    tables: tuple[str, ...]
    build_records: Callable[[SceneRequest], Records]
    params: tuple[str, ...] = ()
    draws: Mapping[str, str] = field(default_factory=dict, hash=False)

    def find_print(self, store: Store, *, kept: bool = True) -> tuple[object, ...]:
        """What its content depends on: equal prints, equal content. `kept`: as found when a table was last written."""
        find = find_print if kept else read_print
        return tuple(
            find(store, table, self.draws[table]) if table in self.draws else store.revision(table)
            for table in self.tables
        )

    def build(self, store: Store, viewer: Viewer, lang: Language, params: Mapping[str, str]) -> bytes:
        """The file's bytes: compact JSON in UTF-8."""
        request = SceneRequest(store, viewer, lang, params, build_frame(store))
        return json.dumps(
            self.build_records(request), ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
