"""
What one running process holds: its open store and settings, for pages that cannot be handed an argument.

Streamlit runs a page's file again from its top whenever somebody does something, with no place to pass objects in. This
is the one module-level state of the product: the entry sets it once at the start, pages and layers only read it. Tests
of pages set it too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from data.settings import Settings
from data.store import Store
from gis.errors import StoreMissingError


@dataclass(frozen=True)
class Runtime:
    """
    The process's store and settings.

    Attributes
    ----------
    store
        Open store of the one community.
    settings
        Settings of this process.
    boot_id
        Random for each start. A scene's address carries it beside the revision, so that a browser's cached copy never
        outlives the program, the drawing code or the file that it was made from.
    """

    store: Store
    settings: Settings
    boot_id: str = field(default_factory=lambda: secrets.token_hex(4))


_current: Runtime | None = None


def set_store(store: Store, settings: Settings) -> Runtime:
    """Make `store` the process's store; returns what `get_runtime` gives from now on."""
    global _current
    _current = Runtime(store, settings)
    return _current


def clear_store() -> None:
    """Forget the store, before it is closed."""
    global _current
    _current = None


def get_runtime() -> Runtime:
    """
    Store, settings and boot id of this process.

    Raises
    ------
    StoreMissingError
        The entry has not opened a store: the pages were started by something else than `shapan serve`.
    """
    if _current is None:
        raise StoreMissingError("No store is open in this process. Start the pages with: shapan serve")
    return _current


def get_store() -> Store:
    """The process's open store; as `get_runtime`."""
    return get_runtime().store


def get_settings() -> Settings:
    """The process's settings; as `get_runtime`."""
    return get_runtime().settings


def get_boot_id() -> str:
    """Random id of this start of the process: parameter `b` of a scene's address."""
    return get_runtime().boot_id
