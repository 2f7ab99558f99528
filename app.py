"""
Web entry: settings → store → ASGI application (pages, routes, guard), served until it is told to stop. No logic.
"""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import socket
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import streamlit
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route
from streamlit.components.v2 import manifest_scanner
from streamlit.web import bootstrap

from data.drills import is_drill
from data.retention import apply_retention
from data.runtime import clear_store, set_store
from data.sessions import Sessions
from data.settings import Settings
from data.store import Clock, Store, utc_now
from incidents.forces import forget_off_duty
from layers import SCENES
from server.admission import check_may_serve
from server.certificates import to_fingerprint
from server.dispatch_jobs import build_dispatch_schedulers
from server.door import DEMO_COOKIE, SESSION_COOKIE, Door, DoorState, find_session_viewer
from server.drilling import build_drill_schedulers
from server.events import EventHub
from server.guard import Guard, build_content_security_policy
from server.jobs import Job, Scheduler
from server.keeping import build_backup_job, find_backup_age_s
from server.lan import LanOptions, OfficeNetwork, check_lan_options
from server.listen import bind_port, check_address, run_until_stopped
from server.logs import adopt_loggers, get_log_path, open_logs
from server.memory import bound_memory
from server.office import bind_office
from server.oidc import OfficeSignIn
from server.oidc_options import ProviderOptions, find_provider_options
from server.oidc_provider import Provider
from server.operations import is_synthetic, open_store
from server.pairing import Pairing
from server.patrol_jobs import build_patrol_schedulers
from server.routes import build_routes
from server.scenes import SceneEndpoint
from server.signin import SignIn
from server.state import AppState
from server.task_jobs import build_task_jobs
from server.ticket import Ticket, get_ticket_path, remove_ticket, write_ticket
from server.watch import Watch

HERE = Path(__file__).resolve().parent


def configure_streamlit(*, address: str, port: int) -> None:
    """Give Streamlit the options of `ui/streamlit.toml`, over any user's own."""
    sections = tomllib.loads((HERE / "ui" / "streamlit.toml").read_text(encoding="utf-8"))
    options = {f"{section}.{name}": value for section, names in sections.items() for name, value in names.items()}
    # It would read the metadata of every installed package to look for components, 0.15 s of the processor: ours are
    # declared by the pages, and those of a package that happens to lie beside us are not to be served.
    manifest_scanner.scan_component_manifests = lambda *_, **__: []
    bootstrap.load_config_options({**options, "server.address": address, "server.port": port})
    adopt_loggers("streamlit", "uvicorn", "websockets")


def build_app(state: AppState, door: DoorState, provider: ProviderOptions | None = None) -> streamlit.App:
    """The pages with our routes beside them; in front of all the watch, the guard and the door."""
    network = state.network
    scenes = SceneEndpoint(state)
    index_html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")

    @asynccontextmanager
    async def run(_: streamlit.App) -> AsyncIterator[None]:
        unsubscribe = state.store.subscribe(state.tell)
        state.hub.open(state.read_revisions(), asyncio.get_running_loop())
        gc.freeze()  # what the imports made never dies: Streamlit's collection after each rerun need not walk it
        gc.enable()
        scenes.start()
        renewing = None if network is None else asyncio.create_task(network.keep_fresh())
        schedulers = [
            Scheduler(build_jobs(state, door), state.clock),
            *build_dispatch_schedulers(state.store, state.clock, webhook_ca=state.runtime.settings.webhook_ca),
            *build_drill_schedulers(state.store, state.clock),
            *build_patrol_schedulers(state.store, state.clock),
        ]
        for scheduler in schedulers:
            scheduler.start()
        try:
            yield
        finally:
            for scheduler in schedulers:
                await asyncio.to_thread(scheduler.stop)
            if renewing is not None:
                renewing.cancel()
            await asyncio.to_thread(scenes.close)
            unsubscribe()
            state.hub.close()

    routes: list[BaseRoute] = [
        *build_routes(state, assets=HERE / "ui" / "components" / "table", scenes=scenes, page=index_html),
        *SignIn(door, office_sign_in=provider is not None).build_routes(),
    ]
    if provider is not None:
        routes += OfficeSignIn(door, Provider(provider, door.clock)).build_routes()
    door.routes = frozenset(route.path for route in routes if isinstance(route, Route))
    return streamlit.App(
        HERE / "ui" / "main.py",
        routes=routes,
        middleware=[
            Middleware(Watch, routes=routes, on_answer=state.metrics.note_request),
            Middleware(
                Guard,
                policy=build_content_security_policy(index_html),
                find_hosts=frozenset if network is None else lambda: network.hosts,
            ),
            Middleware(Door, state=door),
        ],
        lifespan=run,
    )


def build_jobs(state: AppState, door: DoorState) -> list[Job]:
    """Work at its time: sessions that ended, what is kept no longer, nightly backup, tasks; of a drill the first."""
    store, clock = state.store, state.clock
    always = [
        Job("sessions", door.sessions.sweep, every=timedelta(minutes=1)),
        *([] if state.pairing is None else [Job("pairing", state.pairing.sweep, every=timedelta(minutes=1))]),
        Job("off_duty", lambda: forget_off_duty(store, clock=clock), every=timedelta(minutes=5)),
    ]
    if is_drill(store):
        return always
    return [
        *always,
        # Each hour, because some things are kept for hours: a daily job would keep them for up to a day more.
        Job("retention", lambda: apply_retention(store, clock=clock), every=timedelta(hours=1)),
        build_backup_job(store, state.runtime.settings, clock),
        *build_task_jobs(store, clock),
    ]


def open_door(store: Store, clock: Clock, *, in_office_network: bool) -> DoorState:
    """
    Who gets in: on this machine everybody to the synthetic sample, else accounts.

    Raises
    ------
    RefusedError
        Accounts are needed and there is no administrator: nobody could sign in.
    """
    check_may_serve(store, in_office_network=in_office_network)
    is_demo = is_synthetic(store) and not in_office_network
    return DoorState(store, clock, Sessions(store, clock), is_demo)


def serve(
    settings: Settings,
    *,
    address: str = "127.0.0.1",
    lan: LanOptions | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock = utc_now,
    on_ready: Callable[[Ticket, Store], None] = lambda *_: None,
) -> None:
    """
    Serve the store of `settings` until Ctrl-C or SIGTERM, then close it.

    Parameters
    ----------
    address
        Of loopback.
    lan
        Serve the office network beside it, with HTTPS.
    environ
        Says which provider of sign-ins the office has (`SHAPAN_OIDC_…`), if any.

    Raises
    ------
    RefusedError
        `address` is not loopback, or nobody could sign in, or what `lan` or `environ` asks for cannot be.
    PortInUseError, StoreInUseError, StoreVersionError, StoreMissingError, BadFileError
        Nothing was started.
    """
    bound_memory()
    provider = find_provider_options(environ)
    with ExitStack() as held:
        listener = held.enter_context(closing(bind_port(check_address(address), settings.port)))
        office = None if lan is None else held.enter_context(bind_office(check_lan_options(lan)))
        store = held.enter_context(open_store(settings, clock=clock))
        held.enter_context(open_logs(get_log_path(settings.home, settings.store_name)))
        door = open_door(store, clock, in_office_network=office is not None)
        held.callback(door.sessions.close)
        network = None if office is None else office.build_network(settings.home / "ca", clock)
        ticket = build_ticket(settings, listener, address=address, network=network, started=clock())
        runtime = set_store(
            store,
            settings,
            find_viewer=lambda cookies: find_session_viewer(
                door, cookies.get(SESSION_COOKIE), cookies.get(DEMO_COOKIE)
            ),
            is_demo=door.is_demo,
        )
        held.callback(clear_store)
        pairing = Pairing(clock)
        state = AppState(runtime, clock, SCENES, EventHub(), ticket.token, clock(), network=network, pairing=pairing)
        door.sessions.on_end(lambda session: pairing.end_session(session.session_id))
        state.metrics.watch(store, state.hub)
        state.metrics.watch_backups(lambda: find_backup_age_s(settings.store_name, settings.backup_folder, clock=clock))
        configure_streamlit(address=address, port=ticket.port)
        app = build_app(state, door, None if door.is_demo else provider)
        path = get_ticket_path(settings)
        held.callback(remove_ticket, path, ticket)

        def announce() -> None:
            write_ticket(path, ticket)
            on_ready(ticket, store)

        def close_streams() -> None:
            state.hub.close()
            pairing.close()

        run_until_stopped(
            app,
            listener,
            beside=[] if office is None or network is None else office.build_listeners(app, network, store),
            on_ready=announce,
            on_stop=close_streams,
        )


def build_ticket(
    settings: Settings, listener: socket.socket, *, address: str, network: OfficeNetwork | None, started: datetime
) -> Ticket:
    """What the command line needs to find this server."""
    name, port = f"[{address}]" if ":" in address else "localhost", int(listener.getsockname()[1])
    ticket = Ticket(
        pid=os.getpid(),
        port=port,
        store=settings.store_name,
        url=f"http://{name}:{port}",
        token=secrets.token_urlsafe(32),
        started_utc=started.isoformat(),
    )
    if network is None:
        return ticket
    fingerprint = to_fingerprint(network.authority)
    return replace(ticket, lan_url=network.url, connect_url=network.connect_url, fingerprint=fingerprint)
