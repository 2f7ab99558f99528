"""Listening: on loopback only, on one port, until told to stop."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from gis.errors import PortInUseError, RefusedError

_LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
_STOP_S = 3  # for answers that are on their way when the server is told to stop
_WEBSOCKET_BYTES = 8_000_000  # largest message of a browser to Streamlit; ours are a few hundred bytes


def check_address(address: str) -> str:
    """
    `address` as the loopback address of IPv4 or IPv6.

    Raises
    ------
    RefusedError
        Any other address: until there is sign-in, whoever reaches the port sees everything.
    """
    if address not in _LOOPBACK:
        raise RefusedError(
            f"Address '{address[:80]}' is refused: there is no sign-in yet, so the server listens on this machine "
            "only. Leave --address away, or give 127.0.0.1 or ::1."
        )
    return _LOOPBACK[address]


def bind_port(address: str, port: int) -> socket.socket:
    """
    A listening socket; port 0 takes any free one.

    Raises
    ------
    PortInUseError
        Somebody else listens there, or the system does not let us.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
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
                f"shapan serve --port {port + 1 if port < 65535 else 8501}"
            ) from error
        raise
    return listener


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready and when it begins to stop."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)


def run_until_stopped(
    app: ASGIApp, listener: socket.socket, *, on_ready: Callable[[], None], on_stop: Callable[[], None]
) -> None:
    """
    Serve `app` on `listener` until Ctrl-C or SIGTERM, then return, so that the caller can close what it holds.

    `on_ready` is called once requests are answered; `on_stop` in the signal handler, before the server waits for
    answers under way: streams that never end by themselves end there.
    """
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=_WEBSOCKET_BYTES,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    # Uvicorn raises the signal again after it has stopped; that must not end the process before the store is closed.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        _Server(config, on_ready, on_stop).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
        listener.close()
