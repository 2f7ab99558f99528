"""The doors of the office network: their sockets, and what answers behind each."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from data.drills import is_drill
from data.store import Clock, Store
from server.connect import build_plain_app
from server.health import build_health_route
from server.lan import LanOptions, OfficeNetwork
from server.listen import Beside, bind_port

_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - meant: the office's devices come from outside; the guard checks what they ask for


@dataclass(frozen=True)
class OfficeDoors:
    """Sockets of the office network that are open and wait for what answers."""

    options: LanOptions
    https: socket.socket
    http: socket.socket

    def build_network(self, folder: Path, clock: Clock) -> OfficeNetwork:
        """Names, addresses and certificates; as `OfficeNetwork`."""
        ports = [int(door.getsockname()[1]) for door in (self.https, self.http)]
        return OfficeNetwork(folder, self.options, https_port=ports[0], http_port=ports[1], clock=clock)

    def build_listeners(self, app: ASGIApp, network: OfficeNetwork, store: Store) -> Sequence[Beside]:
        """`app` behind HTTPS, and the plain door that only explains."""
        plain = build_plain_app(network, health=build_health_route(store), is_drill=is_drill(store))
        return [Beside(app, self.https, network.context), Beside(plain, self.http)]


@contextmanager
def bind_office(options: LanOptions) -> Iterator[OfficeDoors]:
    """
    Sockets for `options`, which were checked; closed at the end.

    Raises
    ------
    PortInUseError, RefusedError
        As `bind_port`.
    """
    address = options.address or _EVERY_ADDRESS
    with ExitStack() as held:
        https = held.enter_context(closing(bind_port(address, options.https_port, option="--https-port")))
        http = held.enter_context(closing(bind_port(address, options.http_port, option="--http-port")))
        yield OfficeDoors(options, https, http)
