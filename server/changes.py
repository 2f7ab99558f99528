"""
What a commit changed in the scene files, told to the walls with the event: a few records instead of whole files.

Of a scene whose records each belong to one row the records of the rows that show something else; of others the whole
file where it is small; else nothing but that it changed, and the wall asks for it. Scenes with parameters answer a
question of one page: that page asks again by itself.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Mapping

from data.store import Store
from data.viewer import WALL
from gis.errors import ShapanError
from i18n import Language
from layers.scene import to_json
from server.scenes import SceneEndpoint
from server.state import Scene

WHOLE_BYTES = 2_000  # compressed; a stream is not compressed, and such a file is about four times as long
_KEPT = 16  # answers: walls of one language that were told before ask for the same


class SceneChanges:
    """Says what changed in `scenes` between two revisions; used from any thread."""

    def __init__(self, store: Store, scenes: Mapping[str, Scene], files: SceneEndpoint) -> None:
        self._store = store
        self._scenes = [scene for scene in scenes.values() if scene.is_told and not scene.params]
        self._files = files
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Language, int, int], str] = OrderedDict()

    def describe(self, lang: Language, since: int) -> tuple[int, str]:
        """
        The newest revision, and JSON of what changed up to it after revision `since`, by name of the scene.

        `{"keys": […], "records": […]}`: these records take the place of those that have the keys as `id`;
        `{"whole": …}`: the new content; `null`: the file has to be asked for.
        """
        now = self._store.revision()
        key = (lang, since, now)
        with self._lock:  # one at a time: the next wall finds the answer
            text = self._kept.get(key)
            if text is None:
                written = self._store.find_written(since)
                asked = (scene for scene in self._scenes if not written.isdisjoint(scene.tables))
                found = {scene.name: self._describe(scene, lang, since) for scene in asked}
                changes = ",".join(f'"{name}":{change}' for name, change in found.items() if change)
                text = self._kept[key] = f"{{{changes}}}"
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return now, text

    def _describe(self, scene: Scene, lang: Language, since: int) -> str:
        """JSON of what changed in one scene; empty where nothing did."""
        try:
            keys = scene.find_changed(self._store, since)
            if keys is None:
                return self._find_whole(scene, lang)
            if not keys:
                return ""
            records = scene.build_some(self._store, WALL, lang, keys)
            return to_json({"keys": sorted(keys), "records": records}).decode()
        except ShapanError:  # the wall hears the sentence when it asks for the file
            return "null"

    def _find_whole(self, scene: Scene, lang: Language) -> str:
        body = self._files.find_body(scene, lang, most_bytes=WHOLE_BYTES)
        return "null" if body is None else f'{{"whole":{gzip.decompress(body).decode()}}}'
