"""Prints of scenes: a scene may only be called unchanged when it is, and is so called when nothing shown changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.store import Store
from data.viewer import WALL
from layers import SCENES

PRINTED = sorted(name for name, scene in SCENES.items() if scene.draws)
_OTHER = {
    "GEOMETRY": "ST_Point(0, 0)",
    "INTEGER": "{0} + 1",
    "DOUBLE": "{0} + 1",
    "VARCHAR": "{0} || 'x'",
    "BOOLEAN": "NOT {0}",
}


def spoil(store: Store, table: str, drawn: str) -> str:
    """Settings that write over every column of `table` that is not `drawn`."""
    sql = "SELECT column_name AS c, data_type AS t, is_nullable AS n FROM duckdb_columns() WHERE table_name = ?"
    named = {column.strip() for column in drawn.split(",")}
    rows = store.read(sql, [table])
    others = [(c, t, n) for c, t, n in zip(rows["c"], rows["t"], rows["n"], strict=True) if c not in named]
    return ", ".join(f'"{c}" = {"NULL" if n else _OTHER[t.partition("(")[0]].format(c)}' for c, t, n in others)


@pytest.mark.parametrize("name", PRINTED)
def test_what_a_scene_does_not_name_as_drawn_changes_nothing_of_it(
    tmp_path: Path, sample_file: Path, name: str
) -> None:
    scene, path = SCENES[name], tmp_path / "demo.duckdb"
    shutil.copy(sample_file, path)
    with Store(path) as store:
        before, shown = scene.find_print(store), scene.build(store, WALL, "zh", {})
        for table, drawn in scene.draws.items():
            settings = spoil(store, table, drawn)
            if settings:
                store.write(lambda tx, t=table, s=settings: tx.execute(t, f"UPDATE {t} SET {s}"))  # type: ignore[misc]
        assert scene.find_print(store) == scene.find_print(store, kept=False) == before
        assert scene.build(store, WALL, "zh", {}) == shown


@pytest.mark.parametrize("name", PRINTED)
def test_a_scene_names_only_tables_that_it_reads(name: str) -> None:
    assert set(SCENES[name].draws) <= set(SCENES[name].tables)


def test_a_print_notices_a_change_and_its_taking_back(tmp_path: Path, sample_file: Path) -> None:
    scene, path = SCENES["key_sites"], tmp_path / "demo.duckdb"
    shutil.copy(sample_file, path)
    with Store(path) as store:
        before = scene.find_print(store)
        store.write(lambda tx: tx.execute("key_sites", "UPDATE key_sites SET name = name || 'x'"))
        assert scene.find_print(store) != before
        store.write(lambda tx: tx.execute("key_sites", "UPDATE key_sites SET name = name[:-2]"))
        assert scene.find_print(store) == before
