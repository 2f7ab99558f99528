"""Pages of tasks without a browser: the list, one task to its end, a new one, the day's report, the board."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data.queries import find_field_facts, find_tasks
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from i18n import LANGUAGES, Language, t
from tasks.doing import act, create_task
from tasks.life_cycle import Action, Kind, Receiver, State
from tasks.orders import Evidence, NewTask, Order, Wrong
from tests.fixtures.access import access_store, clock
from tests.fixtures.desk_pages import HOSTILE, check, get_html, open_page, press, store
from ui.report_files import BUILD, PDF, XLSX
from ui.task_day import build_day_report

__all__ = ["access_store", "clock", "store"]  # fixtures
OFFICER, CHIEF = (
    Viewer(role, account_id=f"demo-{role}", name=f"demo-{role}") for role in (Role.OFFICER, Role.COMMANDER)
)


def make(store: Store, **values: object) -> str:
    given: dict[str, object] = {
        "kind": Kind.INSPECTION, "subject_kind": "rental", "subject_id": "r1", "due_utc": utc_now() + timedelta(days=1),
        "receiver": Receiver("role", "officer"), "note": HOSTILE, "checklist": "rental",
    }  # fmt: skip
    return create_task(store, CHIEF, NewTask(**{**given, **values}), clock=utc_now)  # type: ignore[arg-type]


def open_task(task_id: str, role: Role = Role.OFFICER, lang: Language = "zh") -> AppTest:
    page = open_page("tasks", lang, role)
    page.query_params["task"] = task_id
    return check(page.run())


def find_buttons(page: AppTest) -> set[str]:
    return {one.label for one in page.button}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "role"), [("tasks", Role.OFFICER), ("board", Role.COMMANDER)])
def test_every_view_draws_in_both_languages(store: Store, name: str, role: Role, lang: Language) -> None:
    task = make(store)
    found = (Wrong("wiring", date(2030, 1, 1)),)
    evidence = Evidence("e1", utc_now(), HOSTILE)
    act(store, OFFICER, task, Order(Action.SUBMIT, evidence=evidence, findings=found), clock=utc_now)
    act(store, CHIEF, task, Order(Action.DEMAND), clock=utc_now)
    page = open_page(name, lang, role)
    for view in page.segmented_control[0].options:
        check(page.segmented_control[0].set_value(view).run())
        assert "<script>" not in get_html(page)
    if name == "tasks":
        one = open_task(task, lang=lang)
        assert "<script>" not in get_html(one)
        assert t("tasks.state_rectifying", lang) in "".join(text.value for text in one.markdown)


def test_a_visit_is_three_presses_when_all_is_in_order(store: Store) -> None:
    task = make(store)
    page = open_task(task)
    page = press(page, f"accept-{task}")
    page = press(page, f"arrive-{task}")
    submit = next(one for one in page.button if one.label == t("tasks.do_submit", "zh"))
    page = check(submit.click().run())
    (row,) = find_tasks(store, OFFICER, now=utc_now()).to_dict("records")
    assert (row["state"], row["evidence_count"], row["findings_count"]) == (State.SUBMITTED.value, 1, 0)
    answers = store.read("SELECT answers::VARCHAR AS a FROM task_evidence")["a"].iloc[0]
    assert answers.count('"ok"') == 6
    # Who submitted it does not close it: the button is another's.
    assert t("tasks.do_close", "zh") not in find_buttons(open_task(task))
    press(open_task(task, Role.COMMANDER), f"close-{task}")
    assert find_tasks(store, OFFICER, now=utc_now()).empty


def test_only_what_is_allowed_has_a_button(store: Store) -> None:
    task = make(store, receiver=Receiver("grid", "g1"))
    nobody = Viewer(Role.GRID_WORKER, frozenset({"g2"}), "demo-grid_worker", "demo-grid_worker")
    assert find_tasks(store, nobody, now=utc_now()).empty
    page = open_task(task, Role.GRID_WORKER)  # a grid worker without grids
    assert page.warning[0].value == t("tasks.gone", "zh")
    assert open_task("t-nothing").warning[0].value == t("tasks.gone", "zh")


def test_a_new_task_begins_with_its_place(store: Store) -> None:
    page = open_page("tasks", "zh", Role.OFFICER)
    check(page.segmented_control[0].set_value(t("tasks.view_new", "zh")).run())
    check(page.text_input(key="new_where").set_value("河边小广场").run())
    create = next(one for one in page.button if one.label == t("tasks.create", "zh"))
    check(create.click().run())
    (row,) = find_tasks(store, OFFICER, now=utc_now()).to_dict("records")
    assert (row["place_text"], row["subject_kind"], row["kind"]) == ("河边小广场", "place", "inspection")
    assert page.success[0].value == t("tasks.created", "zh")


def test_a_dispute_is_begun_with_incidents_of_its_address_and_gets_more_later(store: Store) -> None:
    name = "UPDATE buildings SET name = '河边1幢' WHERE building_id = 'b1'"
    store.write(lambda tx: tx.execute("buildings", name))
    page = open_page("tasks", "zh", Role.OFFICER)
    check(page.segmented_control[0].set_value(t("tasks.view_new", "zh")).run())
    check(page.text_input(key="new_where").set_value("河边1幢").run())
    assert not page.checkbox  # of other kinds nobody is asked
    check(page.selectbox(key="new_kind_zh").set_value(Kind.DISPUTE).run())
    box = page.checkbox(key="new-link-i1")
    assert t("tasks.same_building", "zh") in box.label
    box.check()
    create = next(one for one in page.button if one.label == t("tasks.create", "zh"))
    check(create.click().run())
    (row,) = find_tasks(store, OFFICER, now=utc_now()).to_dict("records")
    linked = "SELECT incident_id AS i FROM task_incidents WHERE task_id = ?"
    assert store.read(linked, [row["task_id"]])["i"].tolist() == ["i1"]
    task = make(store, kind=Kind.DISPUTE)
    page = open_task(task, Role.COMMANDER)
    link = next(one for one in page.button if one.label == t("tasks.do_link", "zh"))
    page = check(link.click().run())
    assert page.error[0].value == t("tasks.choose_incidents", "zh")
    page.checkbox(key=f"link-{task}-i1").check()
    page = check(next(one for one in page.button if one.label == t("tasks.do_link", "zh")).click().run())
    assert page.success[0].value == t("tasks.done_link", "zh")
    assert store.read(linked, [task])["i"].tolist() == ["i1"]
    assert not [one for one in page.checkbox if one.key and one.key.startswith("link-")]


def test_the_days_report_writes_itself(store: Store) -> None:
    task = make(store)
    act(store, OFFICER, task, Order(Action.ACCEPT), clock=utc_now)
    found = (Wrong("wiring", date(2030, 1, 1)), Wrong("exit", date(2030, 1, 1)))
    evidence = Evidence("e1", utc_now(), "两处问题")
    act(store, OFFICER, task, Order(Action.SUBMIT, evidence=evidence, findings=found), clock=utc_now)
    other = make(store, subject_kind="unit", subject_id="u2")
    today = (utc_now() + timedelta(hours=8)).date()
    report = build_day_report(store, OFFICER, today, "zh")
    assert list(report.parts[0].lines) == ["完成并提交 1 次", "接受 1 项", "发现问题 2 处"]
    assert report.parts[1].lines == ["还有 1 项，其中 0 项超期"]
    assert "西区2幢1单元101室" in str(report.parts[1].table)
    assert other
    assert BUILD[PDF](report).startswith(b"%PDF")
    assert BUILD[XLSX](report).startswith(b"PK")
    assert list(build_day_report(store, CHIEF, today, "zh").parts[0].lines) == ["这一天没有记录。"]  # nobody else's


def test_a_mend_of_the_board_is_one_press_and_ends_in_the_register(store: Store) -> None:
    """The most valuable records have a button each; pressed it is a task, which done and closed is no mend any more."""
    store.write(lambda tx: tx.execute("rentals", "UPDATE rentals SET colour = 'green' WHERE rental_id = 'r1'"))
    page = open_page("board", "zh", Role.COMMANDER)
    page = check(page.segmented_control[0].set_value("fresh").run())
    mends = [one.key for one in page.button if (one.key or "").startswith("mend-")]
    assert 1 <= len(mends) <= 3
    assert "mend-r1" in mends
    page = press(page, "mend-r1")
    assert page.success[0].value == t("board.mended", "zh")
    assert "mend-r1" not in [one.key for one in page.button]  # somebody is on the way
    (row,) = find_tasks(store, OFFICER, now=utc_now()).to_dict("records")
    assert (row["kind"], row["subject_id"], row["receiver_kind"]) == ("verification", "r1", "grid")
    evidence = Evidence("e1", utc_now(), "与登记一致")
    act(store, OFFICER, row["task_id"], Order(Action.SUBMIT, evidence=evidence), clock=utc_now)
    act(store, CHIEF, row["task_id"], Order(Action.CLOSE), clock=utc_now)
    told = find_field_facts(store, OFFICER, "rental", "r1")
    assert set(told["how"]) == {"door"}
    assert (pd.Timestamp(utc_now()) - told["verified_utc"].max()) < timedelta(minutes=5)
