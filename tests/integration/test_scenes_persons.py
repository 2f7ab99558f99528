"""No person is in anything that a viewer of the wall can fetch: canaries in every person column of the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from data.masking import find_tables_with_persons
from data.reading import read_columns, to_records
from data.runtime import clear_store, set_store
from data.settings import Settings
from data.store import Store, Transaction
from i18n import LANGUAGES
from layers import SCENES
from server.events import EventHub
from server.routes import build_routes
from server.state import AppState
from tests.fixtures.canaries import KEY, NAME, PHONE, plant
from tests.fixtures.loops import run_async

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 1, tzinfo=UTC)
# What the pages must know to draw the planted rows: they are of a kind that is in the catalogue.
DRAW_NOTHING = {
    "due_visits",  # the one task is submitted: nothing is due
    "hot", "hot_curtains",  # one incident is no hot place
    "gables",  # a roof of unknown kind is flat
    "trees", "rentals",  # the one row is another kind: a green, a suspected group rental
}  # fmt: skip
_KINDS = [
    (
        "buildings",
        "UPDATE buildings SET use = 'residential', height_source = 'file', base_m = 0",
    ),
    ("key_sites", "UPDATE key_sites SET kind = 'hotel'"),
    ("responders", "UPDATE responders SET kind = 'grid_worker'"),
    ("roads", "UPDATE roads SET kind = 'inner', geom = ST_GeomFromText('LINESTRING (0 0, 90 0)')"),
    ("walls", "UPDATE walls SET geom = ST_GeomFromText('LINESTRING (0 0, 90 0)')"),
    ("land", "UPDATE land SET kind = 'green', geom = ST_GeomFromText('POLYGON ((0 0, 9 0, 9 9, 0 0))')"),
]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppState]:
    """A row in every table, a canary in every person column; the process's store for pages and routes."""
    home = tmp_path_factory.mktemp("persons")

    def name_kinds(transaction: Transaction) -> None:
        for table, sql in _KINDS:
            transaction.execute(table, sql)

    with Store(home / "canaries.duckdb", clock=lambda: AT) as store:
        store.write(plant)
        store.write(name_kinds)
        runtime = set_store(store, Settings(home, "canaries"))
        yield AppState(runtime, lambda: AT, SCENES, EventHub(), "token", AT)
        clear_store()


def find_canaries(text: str) -> list[str]:
    """Parts of the canaries in `text`, also as a JSON string may spell them."""
    parts = {NAME[:2], PHONE[-4:], PHONE[:7], KEY}
    return sorted(part for part in parts for spelled in (part, json.dumps(part)[1:-1]) if spelled in text)


def test_canaries_are_planted_everywhere(state: AppState) -> None:
    for table, columns in find_tables_with_persons(state.store).items():
        for column in columns:
            value = str(state.store.read(f"SELECT {column} FROM {table}").iloc[0, 0])
            assert find_canaries(value), f"{table}.{column}"


def test_no_canary_in_any_scene_file(state: AppState) -> None:
    for name, text in run_async(fetch_scenes(state)):
        if name not in DRAW_NOTHING:
            assert len(text) > 10, f"{name} draws nothing: it proves nothing"
        assert find_canaries(text) == [], name


async def fetch_scenes(state: AppState) -> list[tuple[str, str]]:
    """Every scene file in both languages, by its address."""
    app = Starlette(routes=build_routes(state, assets=ROOT / "ui" / "components" / "table"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        asked = [(name, lang) for name in SCENES for lang in LANGUAGES]
        of_one = {name: {"building": "1"} for name, scene in SCENES.items() if "building" in scene.params}
        answers = [
            (name, await client.get(f"/scene/{name}.json", params={"lang": lang, **of_one.get(name, {})}))
            for name, lang in asked
        ]
    return [(name, answer.raise_for_status().text) for name, answer in answers]


@pytest.mark.parametrize(("kind", "place_id"), [("building", "1"), ("grid", "g1"), ("site", "1"), ("unit", "1")])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_canary_in_any_page(state: AppState, lang: str, kind: str, place_id: str) -> None:
    page = AppTest.from_file(str(ROOT / "ui" / "main.py"), default_timeout=60)
    page.query_params["lang"] = lang
    page.session_state["selected"] = {"kind": kind, "id": place_id}
    page.run()
    assert not page.exception
    sent = " ".join(str(element.proto) for element in page.main)
    sent += " ".join(element.proto.body for element in page.get("html"))
    assert 'data-kind="' + kind in sent.replace('\\"', '"')
    assert find_canaries(sent) == []
    for name in (NAME, PHONE):  # nor does a search find somebody
        page.text_input[0].set_value(name).run()
        assert not page.exception
        assert not [button for button in page.button if str(button.key).startswith("hit-")]


def test_plain_columns_hold_nobody_and_aware_times(state: AppState) -> None:
    sql = "SELECT incident_id, reporter_name, reporter_phone, narrative, reporter_key, reported_utc FROM incidents"
    columns, reported = (
        read_columns(state.store, ("incidents",), sql),
        datetime(2026, 10, 30, tzinfo=UTC),
    )  # of the canaries
    assert columns == {"incident_id": ["1"], "reported_utc": [reported]}
    assert to_records(columns) == [{"incident_id": "1", "reported_utc": reported}]
    assert read_columns(state.store, ("incidents",), f"{sql} WHERE false") == {"incident_id": [], "reported_utc": []}
