"""The wall's own page: what is put before Streamlit's, for whom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from data.runtime import Runtime
from data.settings import Settings
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from layers import SCENES
from server.events import EventHub
from server.index import Index
from server.state import AppState
from tests.fixtures.loops import run_async
from tests.fixtures.small_community import found

PAGE = '<html><head><title>x</title><script type="module" src="./static/index.js"></script></head></html>'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "small.duckdb") as opened:
        yield opened


def ask(store: Store, role: Role, query: str = "") -> str:
    state = AppState(
        Runtime(store, Settings(store.path.parent), boot_id="boot"), utc_now, SCENES, EventHub(), "", utc_now()
    )
    scope = {"type": "http", "query_string": query.encode(), "headers": [], "state": {"viewer": Viewer(role)}}
    answer = run_async(Index(state, PAGE).respond(Request(scope)))
    assert answer.headers["cache-control"] == "no-store"
    return bytes(answer.body).decode()


def test_the_first_picture_stands_before_streamlits_script_in_the_pages_language(store: Store) -> None:
    page = ask(found(store), Role.WALL, "lang=en")
    assert re.sub(r"<link rel=\"preload\".*early\.js\?b=boot\"></script>", "", page) == PAGE
    assert page.index("/vendor/deck.js") < page.index("early.js") < page.index("./static/index.js")
    told = re.search(r'id="shapan-first">(.*?)</script>', page)
    assert told
    first = json.loads(told[1])
    assert first["lang"] == "en"
    assert [layer["id"] for layer in first["deck"]["layers"]] == first["first"]
    # Every file that is preloaded is one that is drawn, and the other way.
    preloaded = [url.replace("&amp;", "&") for url in re.findall(r'crossorigin href="([^"]+)"', page)]
    assert sorted(preloaded) == sorted(first["files"].values())
    assert set(first["files"]) == {*first["layerScene"].values(), "border"}


def test_who_may_not_see_the_wall_and_a_store_without_community_get_the_page_alone(store: Store) -> None:
    assert ask(store, Role.WALL) == PAGE
    assert ask(found(store), Role.AUDITOR) == PAGE
