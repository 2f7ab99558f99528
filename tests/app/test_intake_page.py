"""The page of calls without a browser: lists, one incident's steps, reasons, duplicates, and who may open a caller."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data.incident_places import Said
from data.incident_writes import Answer, IntakeRequest
from data.queries import find_case
from data.runtime import clear_store, set_store
from data.settings import Settings
from data.store import Store, utc_now
from data.viewer import Role
from i18n import t
from incidents.taking_in import Report, TakingIn
from tests.fixtures.desk_pages import HOSTILE, check, get_html, open_page, press
from tests.fixtures.intake import build_store
from ui.intake_state import get_taking_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with build_store(tmp_path / "place.duckdb", utc_now) as opened:  # type: ignore[arg-type]
        set_store(opened, Settings(tmp_path, "place"))
        yield opened
        clear_store()
        get_taking_in.cache_clear()


def put(store: Store, address: str, words: str = "") -> str:
    taking_in, now = TakingIn(store, utc_now), utc_now()
    report = Report(now, now, now, "theft.ebike", "normal", "call", Said(address=address), description=words or None)
    row, _ = taking_in.build(report, sent_by="officer07")
    taking_in.writer.write(IntakeRequest(None, "", (row,), lambda _: Answer(201, "")))
    return row.incident_id


def open_case(incident_id: str) -> AppTest:
    page = open_page("intake", role=Role.OFFICER)
    page.session_state["intake_case"] = incident_id
    return check(page.run())


def list_steps(page: AppTest) -> set[str]:
    return {button.key.removeprefix("do-") for button in page.button if str(button.key).startswith("do-")}


def test_only_what_is_allowed_has_a_button_and_going_back_needs_a_reason(store: Store) -> None:
    incident_id = put(store, "小村12幢1单元101室")
    page = open_case(incident_id)
    assert list_steps(page) == {"dispatch", "handle", "send_back", "cancel"}
    page = press(page, "do-cancel")
    assert t("intake.reason_missing", "zh") in page.error[0].value
    page = press(page, "do-dispatch")
    assert list_steps(page) == {"accept", "arrive", "send_back", "cancel"}
    page = check(page.text_input(key=f"reason-{incident_id}-dispatched").input("派错了人，退回").run())
    page = press(page, "do-send_back")
    assert "派错了人，退回" in get_html(page), "the history says why"
    page = check(page.text_input(key=f"reason-{incident_id}-placed").input("报警人来电撤销").run())
    page = press(page, "do-cancel")
    assert list_steps(page) == {"reopen"}
    assert store.rows("SELECT status FROM incidents") == [("cancelled",)]


def test_what_waits_for_a_place_is_placed_from_what_may_have_been_meant(store: Store) -> None:
    incident_id = put(store, "小河边的凉亭")
    page = open_page("intake", role=Role.OFFICER)
    page = check(page.button_group[0].set_value("unplaced").run())
    page = press(page, f"place-{incident_id}")
    assert list_steps(page) == {"handle", "cancel"}
    page = check(page.text_input(key=f"where-{incident_id}").input("13幢").run())
    page = press(page, "at-小村13幢")
    assert store.rows("SELECT status, building_id, place_source FROM incidents") == [("placed", "b13", "address")]
    assert "核实后定位" in get_html(page)


def test_words_are_shown_as_words(store: Store) -> None:
    page = open_case(put(store, "小村12幢", HOSTILE))
    assert "<script>" not in get_html(page)
    assert "&lt;script&gt;" in get_html(page)


@pytest.mark.parametrize("while_it_is_drawn", [False, True])
def test_an_incident_that_is_gone_is_said_to_be(
    store: Store, monkeypatch: pytest.MonkeyPatch, while_it_is_drawn: bool
) -> None:
    incident_id = put(store, "小村12幢")

    def find_and_lose(*asked: Any) -> Any:
        rows = find_case(*asked)
        store.write(lambda t: t.execute("incidents", "DELETE FROM incidents"))
        return rows

    if while_it_is_drawn:
        monkeypatch.setattr("ui.intake_case.find_case", find_and_lose)
    else:
        store.write(lambda t: t.execute("incidents", "DELETE FROM incidents"))
    assert t("intake.gone", "zh") in get_html(open_case(incident_id))
