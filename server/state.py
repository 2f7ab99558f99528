"""What the routes of one process share: an object that is made at the entry and handed to `build_routes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from data.runtime import Runtime
from data.store import Clock, Store
from data.viewer import Viewer
from i18n import Language
from server.events import EventHub
from server.lan import OfficeNetwork
from server.metrics import Metrics
from server.pairing import Pairing

# Not drawn, but heard of at once: a screen chimes when nobody answers.
_TOLD = frozenset({"dispatches"})


class Scene(Protocol):
    """What `layers.SCENES` holds: one drawn layer's data."""

    @property
    def name(self) -> str: ...

    @property
    def tables(self) -> tuple[str, ...]: ...

    @property
    def params(self) -> tuple[str, ...]: ...

    @property
    def is_told(self) -> bool: ...

    @property
    def waits(self) -> bool: ...

    def find_print(self, store: Store, *, kept: bool = True) -> tuple[object, ...]:
        """What its content depends on: equal prints, equal content."""
        ...

    def build(self, store: Store, viewer: Viewer, lang: Language, params: Mapping[str, str]) -> bytes:
        """JSON of the layer; raises a `ShapanError` that is a `ValueError` for a parameter it cannot use."""
        ...

    def find_changed(self, store: Store, since: int) -> frozenset[str] | None:
        """Keys of the records that are others than at revision `since`; None where all may be."""
        ...

    def build_some(self, store: Store, viewer: Viewer, lang: Language, keys: frozenset[str]) -> list[dict[str, object]]:
        """Records of these keys as they are now."""
        ...


@dataclass(frozen=True)
class AppState:
    """
    State of one server process.

    Attributes
    ----------
    runtime
        Open store, settings and boot id.
    clock
        Aware time, UTC.
    scenes
        Scene files by name.
    hub
        Revisions on their way to the browsers.
    token
        What the command line shows to be let in, from the ticket file.
    started_utc
        When this process began to serve.
    metrics
        Figures of this process.
    network
        The office network that is served beside loopback; None without `--lan`.
    pairing
        Surfaces that follow one another; None: `build_routes` begins with none.
    """

    runtime: Runtime
    clock: Clock
    scenes: Mapping[str, Scene]
    hub: EventHub
    token: str
    started_utc: datetime
    metrics: Metrics = field(default_factory=Metrics)
    network: OfficeNetwork | None = None
    pairing: Pairing | None = None

    @property
    def store(self) -> Store:
        return self.runtime.store

    def read_revisions(self) -> dict[str, int]:
        """Last revision of every table that is drawn and was ever written."""
        revisions = {table: self.store.revision(table) for table in sorted(self._drawn)}
        return {table: revision for table, revision in revisions.items() if revision}

    def tell(self, changed: Mapping[str, int]) -> None:
        """What a commit changed, for the browsers: of sign-ins and looks they hear nothing."""
        drawn = {table: revision for table, revision in changed.items() if table in self._drawn}
        if drawn:
            self.hub.publish(drawn)

    @property
    def _drawn(self) -> frozenset[str]:
        return _TOLD | {table for scene in self.scenes.values() for table in scene.tables}
