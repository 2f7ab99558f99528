"""
Web entry: settings → store → ASGI application (pages, routes, guard), served until it is told to stop. No logic.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import platform
import secrets
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from data.runtime import clear_store, set_store
from data.settings import Settings
from data.store import Clock, Store, utc_now
from layers import SCENES
from server.events import EventHub
from server.guard import Guard, build_content_security_policy
from server.listen import bind_port, check_address, run_until_stopped
from server.operations import open_store
from server.routes import build_routes
from server.scenes import SceneEndpoint
from server.state import AppState
from server.ticket import Ticket, get_ticket_path, remove_ticket, write_ticket

HERE = Path(__file__).resolve().parent
_M_ARENA_MAX = -8  # malloc.h of glibc


def bound_memory() -> None:
    """On glibc, two heaps for all threads: by default each of forty keeps for ever what one large scene once took."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def configure_streamlit(*, address: str, port: int) -> None:
    """Give Streamlit the options of `ui/streamlit.toml`, over any user's own."""
    sections = tomllib.loads((HERE / "ui" / "streamlit.toml").read_text(encoding="utf-8"))
    options = {f"{section}.{name}": value for section, names in sections.items() for name, value in names.items()}
    bootstrap.load_config_options({**options, "server.address": address, "server.port": port})


def build_app(state: AppState) -> streamlit.App:
    """The pages with our routes beside them and the guard in front."""
    scenes = SceneEndpoint(state)
    index_html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")

    @asynccontextmanager
    async def run(_: streamlit.App) -> AsyncIterator[None]:
        unsubscribe = state.store.subscribe(state.hub.publish)
        state.hub.open(state.read_revisions(), asyncio.get_running_loop())
        gc.collect()
        gc.freeze()  # what the imports made never dies: Streamlit's collection after each rerun need not walk it
        scenes.start()
        try:
            yield
        finally:
            await asyncio.to_thread(scenes.close)
            unsubscribe()
            state.hub.close()

    return streamlit.App(
        HERE / "ui" / "main.py",
        routes=build_routes(state, assets=HERE / "ui" / "components" / "table", scenes=scenes),
        middleware=[Middleware(Guard, policy=build_content_security_policy(index_html))],
        lifespan=run,
    )


def serve(
    settings: Settings,
    *,
    address: str = "127.0.0.1",
    clock: Clock = utc_now,
    on_ready: Callable[[Ticket, Store], None] = lambda *_: None,
) -> None:
    """
    Serve the store of `settings` until Ctrl-C or SIGTERM, then close it.

    Raises
    ------
    RefusedError
        `address` is not loopback.
    PortInUseError, StoreInUseError, StoreVersionError, StoreMissingError
        Nothing was started.
    """
    bound_memory()
    listener = bind_port(check_address(address), settings.port)
    try:
        port = int(listener.getsockname()[1])
        with open_store(settings, clock=clock) as store:
            started = clock()
            name = f"[{address}]" if ":" in address else "localhost"
            ticket = Ticket(
                pid=os.getpid(),
                port=port,
                store=settings.store_name,
                url=f"http://{name}:{port}",
                token=secrets.token_urlsafe(32),
                started_utc=started.isoformat(),
            )
            state = AppState(set_store(store, settings), clock, SCENES, EventHub(), ticket.token, started)
            configure_streamlit(address=address, port=port)
            path = get_ticket_path(settings)

            def announce() -> None:
                write_ticket(path, ticket)
                on_ready(ticket, store)

            try:
                run_until_stopped(build_app(state), listener, on_ready=announce, on_stop=state.hub.close)
            finally:
                remove_ticket(path, ticket)
                clear_store()
    finally:
        listener.close()
