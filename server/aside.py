"""
ASGI middleware behind the door: what other systems post goes straight to the interface that they post to.

Behind the door stands what pages need (Streamlit's sessions and compression, and a list of all routes). An incident
passes none of it: each layer costs it time, and the senders of an office post two hundred a second.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class Aside:
    """
    Wraps the application.

    Parameters
    ----------
    routes
        Our own routes; the interface is the one mounted at `mounted`.
    mounted
        Path under which it lies.
    busy
        Paths that are taken aside, with all below them; other routes may lie under `mounted`.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], mounted: str, busy: Sequence[str]) -> None:
        self._app = app
        self._mount = next(route for route in routes if isinstance(route, Mount) and route.path == mounted)
        self._busy = tuple(busy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and any(path == one or path.startswith(f"{one}/") for one in self._busy):
            match, below = self._mount.matches(scope)
            if match is Match.FULL:
                scope.update(below)
                await self._mount.handle(scope, receive, send)
                return
        await self._app(scope, receive, send)
