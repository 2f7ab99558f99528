"""The roll call without a browser: one press for an answer, the place that was named goes with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from data.store import Store, Transaction, utc_now
from data.viewer import Role
from i18n import LANGUAGES, Language, t, term
from tests.fixtures.access import access_store, clock
from tests.fixtures.desk_pages import get_html, get_rows, open_page, press, store

__all__ = ["access_store", "clock", "store"]  # fixtures

_ROWS = (
    ("p1", "警员01", "officer", "警务1"),
    ("p2", "警员02", "officer", "警务1"),
    ("g1", "保安01", "estate_guard", "卫士3"),
)


@pytest.fixture
def forces(store: Store) -> Store:
    def put(transaction: Transaction) -> None:
        said = (utc_now() - timedelta(hours=1)).replace(tzinfo=None)
        for row in _ROWS:
            sql = """INSERT INTO responders (responder_id, call_sign, kind, channel, full_time, status, status_utc)
                VALUES (?, ?, ?, ?, true, 'off', ?)"""
            transaction.execute("responders", sql, [*row, said])
        sql = "INSERT INTO gates (gate_id, name, kind, geom) VALUES ('D1', '北门', 'vehicle', ST_Point(5, 6))"
        transaction.execute("gates", sql)

    store.write(put)
    return store


def read(store: Store, responder_id: str) -> tuple[Any, ...]:
    sql = "SELECT status, ST_X(geom), ST_Y(geom), position_source FROM responders WHERE responder_id = ?"
    row = store.read(sql, [responder_id]).astype(object)
    return tuple(row.where(row.notna(), None).iloc[0])


def test_one_press_is_one_answer_and_the_next_is_called(forces: Store) -> None:
    page = open_page("forces", role=Role.OFFICER)
    assert "## 警员01" in [one.value for one in page.markdown]  # the police are called first
    page.selectbox(key="forces_place").set_value("gate D1").run()
    press(page, "forces_ready")
    assert read(forces, "p1") == ("ready", 5.0, 6.0, "roll_call")
    assert "## 警员02" in [one.value for one in page.markdown]
    assert page.selectbox(key="forces_place").value is None  # the place was of the one before
    press(page, "forces_not_ready")
    assert read(forces, "p2") == ("not_ready", None, None, None)
    assert t("forces.all_called", "zh") in get_html(page)
    assert [row[2] for row in get_rows(page)] == [term("responder_status", s, "zh") for s in ("ready", "not_ready")]
    press(page, "forces_again")
    press(page, "forces_off")
    assert read(forces, "p1") == ("off", None, None, None)


def test_no_answer_changes_nothing_and_there_is_a_way_back(forces: Store) -> None:
    page = open_page("forces", role=Role.OFFICER)
    press(page, "forces_next")
    assert read(forces, "p1")[0] == "off"
    assert forces.read("SELECT 1 FROM events WHERE kind = 'responder.status'").empty
    press(page, "forces_back")
    assert "## 警员01" in [one.value for one in page.markdown]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_says_who_can_go_and_names_nobody(forces: Store, lang: Language) -> None:
    forces.write(lambda tx: tx.execute("responders", "UPDATE responders SET name = '王建国', status = 'ready'"))
    page = open_page("forces", lang, Role.COMMANDER)
    assert t("forces.can_go", lang, count=3) in get_html(page)
    assert "王" not in get_html(page)
    assert t("forces.no_position", lang) in get_html(page)


def test_without_anybody_the_page_says_what_to_do(store: Store) -> None:
    assert t("forces.empty", "zh") in get_html(open_page("forces", role=Role.OFFICER))
