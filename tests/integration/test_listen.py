"""What the server's sockets are told."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from server.listen import bind_port


def test_an_answer_does_not_wait_for_the_other_sides_acknowledgement() -> None:
    """Nagle's algorithm is off on what is accepted: it holds the second piece back (RFC 896)."""

    async def ask() -> int:
        told: list[int] = []

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = bind_port("127.0.0.1", 0)
        async with await asyncio.start_server(answer, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()
        return told[0]

    with ThreadPoolExecutor(1) as own:  # the driver of the browser may have a loop in this thread
        assert own.submit(asyncio.run, ask()).result()
