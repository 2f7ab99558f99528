"""GET /events: what a browser hears, and that nothing is left when it goes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.events import MAX_CLIENTS, EventHub, find_since, respond_events
from tests.fixtures.loops import run_async


async def hear(stream: AsyncIterator[str], count: int) -> list[dict[str, int]]:
    """The next `count` sets of revisions."""
    heard = []
    async for text in stream:
        if text.startswith("event: revisions"):
            heard.append(json.loads(text.split("data: ")[1]))
            if len(heard) == count:
                break
    return heard


def test_first_comes_the_state_of_every_table() -> None:
    async def run() -> list[dict[str, int]]:
        hub = EventHub()
        hub.open({"gates": 3, "grids": 7}, asyncio.get_running_loop())
        return await hear(hub.stream(), 1)

    assert run_async(run()) == [{"gates": 3, "grids": 7}]


def test_changes_within_the_pause_arrive_as_one_with_the_newest_revision() -> None:
    async def run() -> list[dict[str, int]]:
        hub = EventHub(coalesce_s=0.1)
        hub.open({}, asyncio.get_running_loop())
        stream = hub.stream()
        assert await anext(stream) == "retry: 1000\n\n"
        listening = asyncio.create_task(hear(stream, 2))
        await asyncio.sleep(0)
        hub.publish({"incidents": 1})
        while not hub.sent:
            await asyncio.sleep(0.001)
        for revision in range(2, 50):
            hub.publish({"incidents": revision, f"table{revision % 3}": revision})
            await asyncio.sleep(0)  # the stream has its turn between two changes
        return await listening

    first, second = run_async(run())
    assert first == {"incidents": 1}
    assert second == {"incidents": 49, "table0": 48, "table1": 49, "table2": 47}


def test_a_wall_is_told_what_changed_since_what_it_shows_and_then_since_what_it_was_told() -> None:
    asked: list[int] = []

    async def describe(since: int) -> tuple[int, str]:
        asked.append(since)
        return since + 10, '{"names":null}'

    async def run() -> list[str]:
        hub = EventHub(coalesce_s=0.0)
        hub.open({"gates": 3}, asyncio.get_running_loop())
        stream = hub.stream(7, describe)
        assert await anext(stream) == "retry: 1000\n\n"
        first = await anext(stream)
        hub.publish({"gates": 4})
        return [first, await anext(stream)]

    first, second = run_async(run())
    assert first == 'event: revisions\ndata: {"gates": 3}\n\nevent: scenes\nid: 17\ndata: {"names":null}\n\n'
    assert second == 'event: revisions\ndata: {"gates": 4}\n\nevent: scenes\nid: 27\ndata: {"names":null}\n\n'
    assert asked == [7, 17]


@pytest.mark.parametrize(
    ("query", "last", "since"),
    [
        ("since=812", None, 812),
        ("since=812", "900", 900),
        ("", None, None),
        ("since=-1", None, None),
        ("since=" + "9" * 30, None, None),
    ],
)
def test_where_a_wall_is(query: str, last: str | None, since: int | None) -> None:
    """After a loss the browser says by itself which event it heard last (HTML standard, 9.2.4)."""
    headers = [(b"last-event-id", last.encode())] if last else []
    assert find_since(Request({"type": "http", "query_string": query.encode(), "headers": headers})) == since


def test_what_was_published_before_the_start_is_not_lost() -> None:
    async def run() -> list[dict[str, int]]:
        hub = EventHub()
        hub.publish({"gates": 4})
        hub.open({"gates": 3, "grids": 7}, asyncio.get_running_loop())
        return await hear(hub.stream(), 1)

    assert run_async(run()) == [{"gates": 4, "grids": 7}]


def test_a_quiet_stream_says_that_it_is_alive() -> None:
    async def run() -> list[str]:
        hub = EventHub(heartbeat_s=0.01)
        hub.open({}, asyncio.get_running_loop())
        stream = hub.stream()
        return [await anext(stream) for _ in range(3)]

    assert run_async(run()) == ["retry: 1000\n\n", ": still here\n\n", ": still here\n\n"]


def test_closing_ends_every_stream() -> None:
    async def run() -> list[list[str]]:
        hub = EventHub()
        hub.open({}, asyncio.get_running_loop())

        async def listen() -> list[str]:
            return [text async for text in hub.stream()]

        listeners = [asyncio.create_task(listen()) for _ in range(3)]
        while hub.clients < 3:
            await asyncio.sleep(0)
        hub.close()
        texts = await asyncio.wait_for(asyncio.gather(*listeners), 5)
        assert hub.clients == 0
        return texts

    assert run_async(run()) == [["retry: 1000\n\n"]] * 3


def test_publishing_after_the_loop_is_gone_harms_nobody() -> None:
    hub = EventHub()

    async def run() -> None:
        hub.open({}, asyncio.get_running_loop())

    run_async(run())
    hub.publish({"gates": 1})
    hub.close()


@pytest.fixture
def served() -> Iterator[tuple[EventHub, str]]:
    """A hub behind a real HTTP server on loopback."""
    hub = EventHub()
    started: list[asyncio.AbstractEventLoop] = []

    async def answer(_: Request) -> Response:
        if not started:
            started.append(asyncio.get_running_loop())
            hub.open({"gates": 1}, started[0])
        return respond_events(hub)

    config = uvicorn.Config(Starlette(routes=[Route("/events", answer)]), port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    await_true(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield hub, f"http://127.0.0.1:{port}/events"
    server.should_exit = True
    hub.close()
    thread.join(10)
    assert not thread.is_alive()


def await_true(question: object, *, seconds: float = 10.0) -> None:
    """Ask again until the answer is yes."""
    end = time.monotonic() + seconds
    assert callable(question)
    while not question():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.005)


def test_a_browser_that_goes_leaves_nothing_behind(served: tuple[EventHub, str]) -> None:
    hub, url = served
    for _ in range(20):
        with httpx.stream("GET", url, trust_env=False) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            while next(lines) != "event: revisions":
                pass
            assert json.loads(next(lines).removeprefix("data: ")) == {"gates": 1}
            assert hub.clients == 1
        await_true(lambda: hub.clients == 0)


def test_one_too_many_is_told_to_come_back(served: tuple[EventHub, str]) -> None:
    hub, url = served
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(trust_env=False, limits=limits) as client:
        open_streams = [client.send(client.build_request("GET", url), stream=True) for _ in range(MAX_CLIENTS)]
        await_true(lambda: hub.clients == MAX_CLIENTS)
        refused = client.get(url)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        for stream in open_streams:
            stream.close()
    await_true(lambda: hub.clients == 0)


def test_an_event_arrives_at_once(served: tuple[EventHub, str]) -> None:
    hub, url = served
    with httpx.stream("GET", url, trust_env=False) as answer:
        lines = answer.iter_lines()
        while next(lines) != 'data: {"gates": 1}':
            pass
        time.sleep(hub.coalesce_s)  # the pause after the first: what is measured is an event in quiet times
        before = time.monotonic()
        hub.publish({"incidents": 481})
        while next(lines) != 'data: {"incidents": 481}':
            pass
        # Idle it takes about 2 ms; the bound only tells "at once" from "with the next heartbeat".
        assert time.monotonic() - before < 2
