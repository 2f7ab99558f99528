"""Changes of scenes: a wall that applies what it is told shows what one shows that loads afresh."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely import Point

from data.changes import MOST_KEYS, ChangeLog, may_return_keys
from data.prints import find_changed, find_print, read_print
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store, utc_now
from data.viewer import WALL
from layers import SCENES
from server.changes import SceneChanges
from server.events import EventHub
from server.scenes import SceneEndpoint
from server.state import AppState

PUSHED = sorted(name for name, scene in SCENES.items() if scene.is_told and not scene.params)

# What happens in a day: table, statement, parameters ({key} is the least of the table).
WRITES: dict[str, tuple[str, str]] = {
    "a building is renamed": ("buildings", "UPDATE buildings SET name = '新1幢' WHERE building_id = ?"),
    "a building grows": ("buildings", "UPDATE buildings SET height_m = height_m + 3 WHERE building_id = ?"),
    "a building is gone": ("buildings", "DELETE FROM buildings WHERE building_id = ?"),
    "all are renamed": ("buildings", "UPDATE buildings SET name = name || 'x'"),
    "a responder moves": ("responders", "UPDATE responders SET geom = ST_Point(ST_X(geom) + 5, ST_Y(geom)) "
                          "WHERE responder_id = ?"),
    "a rental is visited": ("rentals", "UPDATE rentals SET last_visit_on = DATE '2026-01-02' WHERE rental_id = ?"),
    "a rental is suspected": ("rentals", "UPDATE rentals SET suspected_group = NOT suspected_group "
                              "WHERE rental_id = ?"),
    "a rental is no more": ("rentals", "DELETE FROM rentals WHERE rental_id = ?"),
    "a site gets a name": ("key_sites", "UPDATE key_sites SET name = '旅馆' WHERE site_id = ?"),
    "a site closes": ("key_sites", "DELETE FROM key_sites WHERE site_id = ?"),
    "an address is put right": ("addresses", "UPDATE addresses SET full_text = full_text || '号' WHERE address_id = ?"),
    "a grid gets another worker": ("grids", "UPDATE grids SET worker_responder_id = NULL WHERE grid_id = ?"),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, sample_file: Path) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("written") / "demo.duckdb"
    shutil.copy(sample_file, path)
    with Store(path) as opened:
        yield opened


def read(store: Store, name: str) -> Any:
    return json.loads(SCENES[name].build(store, WALL, "zh", {}))


def apply(records: list[dict[str, Any]], keys: frozenset[str], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the browser does, in the order of the keys: where a record is drawn does not depend on its place."""
    return [record for record in records if record["id"] not in keys] + json.loads(json.dumps(told))


def in_order(records: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)


@pytest.fixture(scope="module")
def shown(store: Store) -> dict[str, Any]:
    """What a wall shows at the beginning, by scene; each test leaves what it shows then."""
    return {name: read(store, name) for name in PUSHED}


@pytest.mark.parametrize("name", WRITES)
def test_after_a_write_every_scene_is_told_as_it_is(store: Store, shown: dict[str, Any], name: str) -> None:
    table, sql = WRITES[name]
    for scene in SCENES.values():
        scene.find_changed(store, store.revision())  # as the walls ask after each event
    since = store.revision()
    key = store.read(f"SELECT min({store.keys[table]}) AS key FROM {table}")["key"].iloc[0]
    store.write(lambda tx: tx.execute(table, sql, [key] if "?" in sql else []))
    for scene_name in PUSHED:
        scene = SCENES[scene_name]
        keys = scene.find_changed(store, since)
        if store.revision(*scene.tables) <= since:
            assert keys == frozenset(), scene_name
            continue
        now = read(store, scene_name)
        if keys is None:
            shown[scene_name] = now  # the whole file is asked for
        elif keys:
            told = scene.build_some(store, WALL, "zh", keys)
            shown[scene_name] = apply(shown[scene_name], keys, told)
            assert in_order(shown[scene_name]) == in_order(now), scene_name
        else:
            assert in_order(shown[scene_name]) == in_order(now), scene_name


def begin_to_keep(store: Store, table: str, sql: str) -> None:
    """A write that changes nothing: how rows look is kept from the first write on that somebody asks about."""
    since = store.revision()
    store.write(lambda tx: tx.execute(table, sql))
    for name in PUSHED:
        SCENES[name].find_changed(store, since)


def test_of_one_building_only_its_own_records_are_told(store: Store) -> None:
    key = store.read("SELECT max(building_id) AS key FROM buildings")["key"].iloc[0]
    begin_to_keep(store, "buildings", "UPDATE buildings SET name = name")
    since = store.revision()
    for name in PUSHED:
        SCENES[name].find_changed(store, since)
    store.write(lambda tx: tx.execute("buildings", "UPDATE buildings SET name = '9幢' WHERE building_id = ?", [key]))
    changed = {name: SCENES[name].find_changed(store, since) for name in PUSHED}
    assert {name: keys for name, keys in changed.items() if keys != frozenset()} == {
        "buildings": {key},
        "names": {key},
        "figures": None,
        "alarms": None,  # one may stand beside that building
    }


def test_a_visit_is_told_to_the_figures_and_the_layer_that_shows_its_date(store: Store) -> None:
    begin_to_keep(store, "rentals", "UPDATE rentals SET colour = colour")
    since = store.revision()
    for name in PUSHED:
        SCENES[name].find_changed(store, since)
    sql = "UPDATE rentals SET last_visit_on = DATE '2026-03-04' WHERE rental_id = (SELECT max(rental_id) FROM rentals)"
    store.write(lambda tx: tx.execute("rentals", sql))  # rows that nobody named: all are read again
    changed = {name: SCENES[name].find_changed(store, since) for name in PUSHED}
    assert [name for name, keys in changed.items() if keys != frozenset()] == ["figures", "freshness"]


def test_kept_prints_are_those_of_the_rows_whatever_was_written(store: Store) -> None:
    """The oracle reads the whole table."""
    columns = "responder_id, call_sign, geom"
    first = find_print(store, "responders", columns)
    begin = store.revision()
    rows = [{"responder_id": f"new-{n}", "call_sign": f"N{n}", "kind": "volunteer", "full_time": False,
             "geom": Point(500_000 + n, 3_700_000)} for n in range(3)]  # fmt: skip
    frame = gpd.GeoDataFrame(rows, geometry="geom", crs=store.crs())
    store.write(lambda tx: tx.append("responders", frame))
    assert find_print(store, "responders", columns) == read_print(store, "responders", columns)
    assert find_changed(store, "responders", columns, begin) == {"new-0", "new-1", "new-2"}
    assert find_changed(store, "responders", columns, begin, is_row_new_all=True) is None
    middle = store.revision()
    store.write(
        lambda tx: tx.execute("responders", "UPDATE responders SET call_sign = 'X' WHERE responder_id = 'new-1'")
    )
    store.write(lambda tx: tx.execute("responders", "DELETE FROM responders WHERE responder_id IN ('new-0', 'new-2')"))
    assert find_print(store, "responders", columns) == read_print(store, "responders", columns)
    assert find_changed(store, "responders", columns, middle) == {"new-0", "new-1", "new-2"}
    store.write(lambda tx: tx.execute("responders", "DELETE FROM responders WHERE responder_id LIKE 'new-%'"))
    assert find_print(store, "responders", columns) == read_print(store, "responders", columns) == first
    assert find_changed(store, "responders", columns, middle) is None  # a statement that names no keys


def test_what_a_wall_is_told(store: Store) -> None:
    """Records of what is keyed, a small file whole, of a large one only that it has to be asked for."""
    state = AppState(Runtime(store, Settings(store.path.parent, "demo")), utc_now, SCENES, EventHub(), "", utc_now())
    changes = SceneChanges(store, SCENES, SceneEndpoint(state))
    begin_to_keep(store, "buildings", "UPDATE buildings SET height_m = height_m")
    since = store.revision()
    assert changes.describe("zh", since) == (since, "{}")
    key = store.read("SELECT max(building_id) AS key FROM buildings")["key"].iloc[0]
    store.write(lambda tx: tx.execute("buildings", "UPDATE buildings SET height_m = 40 WHERE building_id = ?", [key]))
    now, text = changes.describe("zh", since)
    told = json.loads(text)
    assert now == since + 1
    # A height is in the figure's revision, in roofs and shadows, under labels and pins; homes are lit on their storeys.
    drawn = {"buildings", "names", "figures", "shadows", "gables", "parapets", "labels", "key_sites", "alarms"}
    drawn |= {"freshness", "due_visits"}  # plates over the roofs
    assert set(told) == drawn
    assert [record["id"] for record in told["buildings"]["records"]] == told["buildings"]["keys"] == [key]
    assert told["figures"]["whole"] == read(store, "figures")
    assert told["gables"] is told["shadows"] is None
    assert len(text) < 10_000


@pytest.mark.parametrize(
    ("sql", "may"),
    [
        ("UPDATE t SET a = ? WHERE id = ?", True),
        ("update t set a = 1 where id in (?, ?)", True),
        ("DELETE FROM t WHERE id = ?", True),
        ("INSERT INTO t (id, a) VALUES (?, ?)", True),
        ("INSERT OR REPLACE INTO t VALUES (?, ?) ON CONFLICT (id) DO NOTHING", True),
        ("UPDATE t SET a = 1", False),
        ("UPDATE t SET a = 1 WHERE a = 2", False),  # as many as there are
        ("UPDATE t SET id = 'new' WHERE id = ?", False),  # the old key would stay behind
        ("UPDATE t SET a = o.a FROM other o WHERE id = o.id", False),
        ("DELETE FROM t USING other WHERE id = ?", False),
        ("INSERT INTO t SELECT * FROM other", False),
        ("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM other)", False),
        ("UPDATE t SET a = 1 WHERE id = ? RETURNING a", False),
        ("UPDATE t SET a = 1 WHERE id = ? -- why", False),
        ("INSERT INTO other (id) VALUES (?)", False),  # said to be of a table that it is not of
        ("DROP TABLE t", False),
    ],
)
def test_which_statements_can_say_what_they_touched(sql: str, may: bool) -> None:
    assert may_return_keys(sql, "t", "id") is may


def test_the_log_forgets_the_oldest_and_says_so() -> None:
    log = ChangeLog(5)
    assert log.find("t", 4) is None  # before the store was opened
    assert log.find("t", 5) == frozenset()
    for revision in range(6, 6 + 300):
        log.note(revision, {"t": frozenset({str(revision % 7)})})
    assert log.find("t", 5) is None
    assert log.find("t", 300) == {str(n % 7) for n in range(301, 306)}
    log.note(306, {"t": None, "u": frozenset()})
    assert log.find("t", 300) is None
    assert log.find("t", 306) == log.find("u", 5) == frozenset()
    log.note(307, {"v": frozenset(map(str, range(MOST_KEYS)))})
    log.note(308, {"v": frozenset({"one more"})})
    assert log.find("v", 306) is None
