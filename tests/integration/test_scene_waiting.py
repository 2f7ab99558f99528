"""Who asks for a scene file at the very moment at which another build of it ends."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from data.runtime import Runtime
from data.settings import Settings
from data.store import Store, utc_now
from layers.scene import Scene, SceneRequest
from server.events import EventHub
from server.scenes import SceneEndpoint
from server.state import AppState
from tests.fixtures.small_community import found

_WRITE = "INSERT INTO aliases (alias, canonical, kind) VALUES (?, 'x', 'site')"


def test_who_asks_while_an_older_build_ends_gets_a_newer_one_and_the_server_goes_on(tmp_path: Path) -> None:
    builds: list[int] = []

    def build(request: SceneRequest) -> dict[str, object]:
        builds.append(len(builds))
        if len(builds) == 1:  # overtaken: what is being built is too old for whoever asks next
            request.store.write(lambda transaction: transaction.execute("aliases", _WRITE, ["meanwhile"]))
        return {"aliases": [row[0] for row in request.store.rows("SELECT alias FROM aliases ORDER BY alias")]}

    async def ask(endpoint: SceneEndpoint, store: Store) -> Any:
        app = Starlette(routes=[Route("/scene/{layer}.json", endpoint.respond)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            first = asyncio.create_task(client.get("/scene/names.json"))
            under_way = await find_build()
            while not under_way.done():  # looks at every turn of the loop: it is there before who waits is woken
                await asyncio.sleep(0)
            second = await client.get("/scene/names.json", params={"v": store.revision("aliases")})
            await first
            return second.json()

    with Store(tmp_path / "small.duckdb") as store:
        found(store)
        scene = Scene("names", ("aliases",), build)
        runtime = Runtime(store, Settings(tmp_path, "small"))
        state = AppState(runtime, utc_now, {"names": scene}, EventHub(), "", utc_now())
        answers: list[Any] = []
        asking = ask(SceneEndpoint(state), store)
        # A loop that never gives a turn cannot be ended: it must not hold up the tests that follow.
        thread = threading.Thread(target=lambda: answers.append(asyncio.run(asking)), daemon=True)
        thread.start()
        thread.join(timeout=20)
    assert answers == [{"aliases": ["meanwhile"]}]
    assert len(builds) == 2


async def find_build() -> asyncio.Task[Any]:
    """The task that builds a scene, once there is one."""
    while True:
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", "").endswith("._build"):
                return task
        await asyncio.sleep(0)
