"""Listening: on loopback, in an office network beside it, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from gis.errors import PortInUseError, RefusedError
from server.patience import MOST, PatientProtocol

_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
_STOP_S = 3  # for answers that are on their way when the server is told to stop
_WEBSOCKET_BYTES = 8_000_000  # largest message of a browser to Streamlit; ours are a few hundred bytes


def check_address(address: str) -> str:
    """
    `address` as the loopback address of IPv4 or IPv6.

    Raises
    ------
    RefusedError
        Any other address: what goes over the office's network goes encrypted.
    """
    if address not in _LOOPBACK:
        raise RefusedError(
            f"Address '{address[:80]}' is refused: without --lan the server listens on this machine only. Leave "
            "--address away, give 127.0.0.1 or ::1, or serve the office's network with HTTPS: shapan serve --lan"
        )
    return _LOOPBACK[address]


def bind_port(address: str, port: int, *, option: str = "--port") -> socket.socket:
    """
    A listening socket; port 0 takes any free one. `option` of the command line chooses the port, for the sentence.

    Raises
    ------
    PortInUseError
        Somebody else listens there, or the system does not let us.
    RefusedError
        The address is not this machine's.
    """
    # With its protocol named: only then asyncio turns Nagle's algorithm off, under which each answer after the first on
    # a connection waits 40 ms for the other side to acknowledge its headers.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":  # there it would let two servers share one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise PortInUseError(
                f"Port {port} on {address} is taken by another program. Stop that program, or choose another port: "
                f"shapan serve {option} {port + 1 if port < 65535 else 8501}"
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise RefusedError(
                f"Address {address} is not one of this machine's. Leave --address away to listen on all of them."
            ) from error
        raise
    return listener


@dataclass(frozen=True)
class Beside:
    """
    Another listener of the same process: what answers there, how it is encrypted (None: not at all), and whether
    anybody at all may come: then connections that say nothing are closed, and there are only so many.
    """

    app: ASGIApp
    listener: socket.socket
    context: ssl.SSLContext | None = None
    is_public: bool = False


class _BesideServer(uvicorn.Server):
    """Uvicorn that is started and stopped by the main one, without signals of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready and when it begins to stop, and takes others along."""

    def __init__(
        self,
        config: uvicorn.Config,
        beside: Sequence[Beside],
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._beside = [
            (_BesideServer(_configure(one.app, one.context, lifespan=False, is_public=one.is_public)), one)
            for one in beside
        ]
        self._running: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server, one in self._beside:
            task = asyncio.create_task(server.serve([one.listener]))
            self._running.append(task)
            while not server.started and not task.done():
                await asyncio.sleep(0.01)
        if self.started and not self.should_exit:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server, _ in self._beside:
            server.should_exit = True
        await asyncio.gather(*self._running, return_exceptions=True)
        await super().shutdown(sockets)  # last, because it ends what the application holds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)


def _configure(
    app: ASGIApp, context: ssl.SSLContext | None, *, lifespan: bool, is_public: bool = False
) -> uvicorn.Config:  # fmt: skip
    return uvicorn.Config(
        app,
        http=PatientProtocol if is_public else "auto",
        limit_concurrency=MOST if is_public else None,
        ws="websockets-sansio",
        ws_max_size=_WEBSOCKET_BYTES,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,  # what it says goes through our own log, which quotes no values
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # a header must not say who asks: loopback may read more than the office
        timeout_graceful_shutdown=_STOP_S,
        lifespan="auto" if lifespan else "off",
        ssl_context_factory=None if context is None else lambda *_: context,
    )


def run_until_stopped(
    app: ASGIApp,
    listener: socket.socket,
    *,
    beside: Sequence[Beside] = (),
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> None:
    """
    Serve `app` on `listener` until Ctrl-C or SIGTERM, then return, so that the caller can close what it holds.

    `on_ready` is called once requests are answered; `on_stop` in the signal handler, before the server waits for
    answers under way: streams that never end by themselves end there. What is `beside` starts after `app` has, and has
    ended before `app` is told to end.
    """
    # Uvicorn raises the signal again after it has stopped; that must not end the process before the store is closed.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        _Server(_configure(app, None, lifespan=True), beside, on_ready, on_stop).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
        for one in (listener, *(other.listener for other in beside)):
            one.close()
