"""Whether a store may be served at all, and to whom: asked once, before anybody is answered."""

from __future__ import annotations

from data.accounts import is_administered
from data.store import Store
from gis.errors import RefusedError
from server.operations import is_synthetic


def check_may_serve(store: Store, *, in_office_network: bool) -> None:
    """
    Raise when the store has no administrator and needs one.

    Raises
    ------
    RefusedError
        It holds a real place, or nothing yet; or it holds the sample and should be shown outside this machine.
    """
    if is_administered(store):
        return
    name = store.path.stem
    if not is_synthetic(store):
        raise RefusedError(
            f"A real store needs an administrator first, and '{name}' has none: shapan user add NAME --role admin "
            f"--store {name}"
        )
    if in_office_network:
        raise RefusedError(
            f"Without sign-in the sample is shown on this machine only, and '{name}' has no administrator. "
            f"Add one first: shapan user add NAME --role admin --store {name}"
        )
