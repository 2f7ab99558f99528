"""
What one running process holds: its open store and settings, for pages that cannot be handed an argument.

Streamlit runs a page's file again from its top whenever somebody does something, with no place to pass objects in. This
is the one module-level state of the product: the entry sets it once at the start, pages and layers only read it. Tests
of pages set it too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from data.settings import Settings
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import StoreMissingError

FindViewer = Callable[[Mapping[str, str]], Viewer | None]


def find_demo_viewer(_: Mapping[str, str]) -> Viewer:
    """An officer of the sample, whatever the cookies say."""
    return Viewer(Role.OFFICER, account_id="demo-officer", name="demo-officer")


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
    find_viewer
        Who a page is drawn for, from the cookies of its browser; None when nobody is signed in any more.
    is_demo
        The sample, shown without sign-in.
    boot_id
        Random for each start. A scene's address carries it beside the revision, so that a browser's cached copy never
        outlives the program, the drawing code or the file that it was made from.
    """

    store: Store
    settings: Settings
    find_viewer: FindViewer = find_demo_viewer
    is_demo: bool = True
    boot_id: str = field(default_factory=lambda: secrets.token_hex(4))


_current: Runtime | None = None


def set_store(
    store: Store, settings: Settings, *, find_viewer: FindViewer = find_demo_viewer, is_demo: bool = True
) -> Runtime:
    """Make `store` the process's store; returns what `get_runtime` gives from now on."""
    global _current
    _current = Runtime(store, settings, find_viewer, is_demo)
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
