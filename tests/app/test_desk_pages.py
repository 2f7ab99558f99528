"""The log's page without a browser, its files, and what all desk pages share."""

from __future__ import annotations

import ast
import csv
import io
import re
from datetime import timedelta

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from data.approvals import ask, decide
from data.audit import ACTIONS, Entry, get_head_path, get_key_path, record
from data.cells import guard, unguard
from data.exporting import use_export
from data.store import Store, utc_now
from data.viewer import Role
from i18n import LANGUAGES, Language, section, t, term
from tests.fixtures.access import Clock, access_store, add, clock
from tests.fixtures.desk_pages import (
    HOSTILE,
    PAGES,
    ROOT,
    check,
    draw,
    find_log,
    get_html,
    get_rows,
    get_state,
    look,
    open_page,
    press,
    store,
    viewer,
)
from ui.exports import build_file
from ui.log_words import list_actions, list_kinds

__all__ = ["access_store", "clock", "store"]  # fixtures


# The log


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_action_and_kind_of_subject_has_a_word(lang: Language) -> None:
    assert set(list_actions(lang)) == ACTIONS
    kinds = set()
    for path in [*(ROOT / "data").rglob("*.py"), *(ROOT / "server").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "subject_kind" and isinstance(node.value, ast.Constant):
                kinds.add(str(node.value.value))
    assert {"account", "session", "approval", "route", "setting", "key", "audit_log", "person"} <= kinds
    assert kinds - set(list_kinds(lang)) == set()


def test_the_newest_comes_first_in_pages_of_a_hundred(store: Store) -> None:
    entries = [Entry("look", "officer07", subject_kind="unit", subject_id=f"n{number}") for number in range(230)]
    record(store, *entries, clock=utc_now)
    page = open_page("audit")
    shown = [row[4] for row in get_rows(page)]
    assert shown == [f"{t('audit.kind_unit', 'zh')} n{number}" for number in range(229, 129, -1)]
    assert t("audit.count", "zh", first=1, last=100, total=230) in [one.value for one in page.caption]
    assert page.button(key="audit_newer_top").disabled
    press(page, "audit_older_bottom")
    press(page, "audit_older_top")
    assert [row[4].split()[-1] for row in get_rows(page)] == [f"n{number}" for number in range(29, -1, -1)]
    assert page.button(key="audit_older_top").disabled
    check(page.text_input(key="audit_id").set_value("n3").run())  # what is asked for begins on the first page
    assert [row[4].split()[-1] for row in get_rows(page)] == ["n3"]


def test_filters_leave_what_fits(store: Store, clock: Clock) -> None:
    clock.move(days=-40)
    add(store, clock, "officer07")
    record(
        store,
        Entry("look", "officer07", subject_kind="unit", subject_id="u1"),
        Entry("refusal", "officer07", subject_kind="route", subject_id="/x"),
        Entry("backup", "server"),
        clock=utc_now,
    )
    old = Entry("look", "officer07", subject_kind="unit", subject_id="u9")
    record(store, old, clock=lambda: utc_now() - timedelta(days=20))
    page = open_page("audit")
    shown = [row[3] for row in get_rows(page)]
    assert shown == [t(f"audit.action_{action}", "zh") for action in ("backup", "refusal", "look")]
    check(page.selectbox(key="audit_period_zh").set_value("all").run())
    assert "u9" in get_html(page)
    check(page.selectbox(key="audit_actor_zh").set_value("officer07").run())
    assert {row[1] for row in get_rows(page)} == {"officer07"}
    check(page.selectbox(key="audit_action_zh").set_value("look").run())
    assert [row[4].split()[-1] for row in get_rows(page)] == ["u9", "u1"]
    check(page.selectbox(key="audit_action_zh").set_value("").run())
    check(page.selectbox(key="audit_kind_zh").set_value("route").run())
    assert [row[4].split()[-1] for row in get_rows(page)] == ["/x"]
    check(page.selectbox(key="audit_actor_zh").set_value("server").run())
    assert t("audit.empty", "zh") in get_html(page)


DAMAGES = {
    "changed": "UPDATE audit_log SET subject_id = 'u9' WHERE seq = 2",
    "missing": "DELETE FROM audit_log WHERE seq = 2",
    "cut": "DELETE FROM audit_log WHERE seq > 2",
    "head": None,
    "key": None,
}


@pytest.mark.parametrize(("damage", "lang"), [*((damage, "zh") for damage in DAMAGES), ("missing", "en")])
def test_the_chain_is_whole_until_somebody_touches_it(store: Store, damage: str, lang: Language) -> None:
    record(store, *(Entry("look", "x", subject_kind="unit", subject_id=f"u{n}") for n in range(4)), clock=utc_now)
    page = open_page("audit", lang)
    assert 'data-state="whole"' in get_state(page)
    assert t("audit.whole", lang, rows=4, time="").strip() in get_state(page)
    if sql := DAMAGES[damage]:
        store.write(lambda transaction: transaction.execute("audit_log", sql))
    else:
        (get_head_path if damage == "head" else get_key_path)(store.path).unlink()
    assert 'data-state="whole"' in get_state(check(page.run()))  # what was verified, and when, stays said
    press(page, "audit_verify")
    state = get_state(page)
    assert 'data-state="broken"' in state
    values = {"next": 3} if damage == "missing" else {"first": 3, "last": 4} if damage == "cut" else {}
    assert t(f"audit.problem_{damage}", lang, **values) in state
    seq = {"changed": 2, "missing": 2, "cut": 3, "head": 4, "key": 1}[damage]
    assert t("audit.broken", lang, seq=seq) in state
    if lang == "zh":
        assert not re.search("[A-Za-z]{2}", re.sub("<[^>]*>", "", state))


def test_rows_that_came_after_the_check_are_counted(store: Store) -> None:
    record(store, Entry("backup", "server"), clock=utc_now)
    page = open_page("audit")
    record(store, Entry("backup", "server"), clock=utc_now)
    assert t("audit.newer", "zh", count=1) in get_state(check(page.run()))


@pytest.mark.parametrize("typed", ["西区1栋1单元101", "小村西区1幢1单元101室"])
def test_who_looked_at_this_home_and_why(store: Store, typed: str) -> None:
    look(store, Role.OFFICER, "u1", "核对走失老人家属")
    look(store, Role.COMMANDER, "u2", "别处的理由写在这里")
    page = open_page("audit")
    check(page.text_input(key="audit_address").set_value(typed).run())
    tables = [one.proto.body for one in page.get("html") if "<table" in one.proto.body]
    file = tables[-1]
    assert file.count("核对走失老人家属") == 2  # of the opening, and of the look that used it
    assert "demo-officer" in file
    assert "demo-commander" not in file
    assert "u2" not in file


def test_the_file_of_a_home_holds_what_was_taken_out_with_its_grid(store: Store) -> None:
    approval = ask(store, viewer(Role.COMMANDER), "export_personal", "grid:g1", "消防演练通知住户", clock=utc_now)
    decide(store, viewer(Role.ADMIN), approval.approval_id, approved=True, clock=utc_now)
    use_export(store, viewer(Role.COMMANDER), approval.approval_id, clock=utc_now)
    for unit_id, count in (("u1", 1), ("u2", 0)):
        page = open_page("audit")
        check(page.segmented_control(key="audit_by_zh").set_value("id").run())
        check(page.text_input(key="audit_file_id").set_value(unit_id).run())
        what = f"{t('audit.kind_unit', 'zh')} {unit_id}"
        assert t("audit.file_of", "zh", what=what, count=count) in [one.value.strip("*") for one in page.markdown]
    assert t("audit.file_nobody", "zh") in get_html(page)


def test_an_address_that_nobody_knows_says_what_was_understood(store: Store) -> None:
    page = open_page("audit")
    check(page.text_input(key="audit_address").set_value("西区99幢1单元101室").run())
    assert t("wall.no_hit", "zh") in [one.value for one in page.caption]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_log_is_exported_and_the_export_is_logged(store: Store, form: str) -> None:
    record(store, *(Entry("backup", "server") for _ in range(120)), clock=utc_now)
    page = press(open_page("audit"), f"audit_{form}")
    (button,) = page.get("download_button")
    assert re.search(rf"audit-\d{{8}}-\d{{6}}\.{form}", button.proto.label)
    (entry,) = find_log(store, "export")
    assert (entry["actor"], entry["subject_kind"]) == ("demo-auditor", "audit_log")
    assert entry["detail"] == {"format": form, "rows": 120}
    assert not check(page.run()).get("download_button")  # once


def test_hostile_words_in_the_log_are_words(store: Store) -> None:
    record(store, Entry("look", HOSTILE, subject_kind="unit", subject_id=HOSTILE, reason=HOSTILE), clock=utc_now)
    html = get_html(open_page("audit"))
    assert html.count("&lt;script&gt;") == 3
    assert "<script" not in html


# Files


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_no_cell_of_a_csv_is_a_formula(row: list[str]) -> None:
    read = list(csv.reader(io.StringIO(build_file("csv", "w", ["h"], [row]).decode("utf-8-sig"), newline="")))
    assert read[0] == ["w"]
    for before, after in zip(row, read[2], strict=True):
        assert after in (before, f"'{before}")
        assert after[:1] not in {"=", "+", "-", "@", "\t", "\r"}  # OWASP, "CSV Injection"


@pytest.mark.parametrize("text", ["=1+1", "+86138", "-3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1+1"])
def test_what_begins_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert unguard(guard(text)) == text
    sheet = openpyxl.load_workbook(io.BytesIO(build_file("xlsx", text, [text], [[text]]))).active
    assert sheet is not None
    cells = [row[0] for row in sheet.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(str(cell.value).startswith("'") for cell in cells)


@pytest.mark.parametrize("text", ["正常", "a=b", "5", "", "1-2", "王建国"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert guard(text) == unguard(text) == text
    assert unguard(f"'{text}") == f"'{text}"  # an apostrophe of one's own
    assert guard(None) == ""


# Rights and languages


def test_other_roles_do_nothing_even_where_a_page_is_drawn_for_them(store: Store) -> None:
    for name in ("accounts", "settings", "audit"):
        page = AppTest.from_function(
            draw, default_timeout=60, kwargs={"name": name, "role": Role.OFFICER.value, "lang": "zh"}
        ).run()
        assert page.exception
        assert page.exception[0].message.startswith("Role 'officer' may not use")


def find_words(page: AppTest) -> set[str]:
    words = {one.label for kind in ("button", "selectbox", "text_input", "number_input") for one in page.get(kind)}
    words |= {one.value for kind in ("caption", "title", "subheader", "markdown") for one in page.get(kind)}
    html = re.sub(r"<style>.*?</style>|<td[^>]*>.*?</td>", "", get_html(page), flags=re.DOTALL)
    return words | {text.strip() for text in re.split(r"<[^>]*>", html) if text.strip()}


@pytest.mark.parametrize("name", PAGES)
def test_every_word_is_another_in_the_other_language(store: Store, name: str, clock: Clock) -> None:
    record(store, *(Entry("backup", "server") for _ in range(3)), clock=utc_now)
    ask(store, viewer(Role.OFFICER), "export_precise", "grid:g1", "12345 678", clock=utc_now)
    chinese, english = (find_words(open_page(name, lang)) for lang in LANGUAGES)
    assert len(chinese) > 8
    same = {text for text in chinese & english if any(letter.isalpha() for letter in text)}
    assert same == set()
    latin = {text for text in chinese if re.search("[A-Za-z]{3}", text)} - {term("role", "admin", "zh")}
    known = {"CSV", "Excel", "officer", "demo", "alarm-system", "tmp", "pytest"}
    assert {text for text in latin if not any(word in text for word in known)} == set()
    assert section(name, "zh").keys() == section(name, "en").keys()
