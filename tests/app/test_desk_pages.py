"""Pages of the auditor and the administrator without a browser: log, accounts, approvals, settings."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from data.accounts import Refusal, find_account, sign_in
from data.api_keys import ApiKey, KeyRefusal, KeyRing, list_keys
from data.approvals import ask, decide, list_approvals
from data.audit import ACTIONS, Entry, get_head_path, get_key_path, record
from data.backup_files import find_backups
from data.exporting import use_export
from data.looks import log_looks
from data.openings import open_fields
from data.runtime import clear_store, set_store
from data.sessions import Sessions
from data.settings import Settings
from data.settings_store import LIMITS, StoreSettings, read_settings
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RefusedError
from i18n import LANGUAGES, Language, section, t, term
from tests.fixtures.access import PASSWORD, Clock, access_store, add, clock
from ui.exports import build_file, guard
from ui.log_words import list_actions, list_kinds

__all__ = ["access_store", "clock"]  # fixtures
ROOT = Path(__file__).resolve().parents[2]
HOSTILE = '<script>alert("x")</script>**[here](http://evil.example)** `'
PAGES = {"audit": Role.AUDITOR, "accounts": Role.ADMIN, "approvals": Role.COMMANDER, "settings": Role.ADMIN}
_MORE = """
UPDATE units SET address_id = unit_id WHERE true;
INSERT INTO addresses (address_id, full_text, zone, building, unit, room, building_id, unit_id)
    SELECT 'u' || n, '小村西区' || n || '幢1单元101室', '西区', '' || n, '1', '101', 'b' || n, 'u' || n
    FROM range(1, 3) t(n);
INSERT INTO incident_categories (category, parent, name_zh, name_en, sensitive) VALUES
    ('theft', NULL, '盗窃', 'Theft', false), ('violence', NULL, '侵害人身', 'Violence', false),
    ('domestic_violence', 'violence', '家庭暴力', 'Domestic violence', true)
"""


@pytest.fixture
def store(access_store: Store) -> Iterator[Store]:
    """A village with two homes as the process's store."""

    def fill(transaction: Any) -> None:
        for sql in filter(str.strip, _MORE.split(";")):
            words = sql.split()
            transaction.execute(words[1] if words[0] == "UPDATE" else words[2], sql)

    access_store.write(fill)
    set_store(access_store, Settings(access_store.path.parent, "demo"))
    yield access_store
    clear_store()


def viewer(role: Role) -> Viewer:
    return Viewer(role, account_id=f"demo-{role}", name=f"demo-{role}")


def draw(name: str, role: str, lang: str) -> None:
    """What runs as a page: it may use nothing of this module."""
    import importlib

    from data.viewer import Role, Viewer

    page = importlib.import_module(f"ui.{name}_page")
    getattr(page, f"show_{name}")(Viewer(Role(role), account_id=f"demo-{role}", name=f"demo-{role}"), lang)


def open_page(name: str, lang: Language = "zh", role: Role | None = None) -> AppTest:
    """A page after its first run."""
    arguments = {"name": name, "role": (role or PAGES[name]).value, "lang": lang}
    return check(AppTest.from_function(draw, default_timeout=60, kwargs=arguments).run())


def check(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def press(page: AppTest, key: str) -> AppTest:
    return check(page.button(key=key).click().run())


def get_html(page: AppTest) -> str:
    return "\n".join(one.proto.body for one in page.get("html"))


def get_state(page: AppTest) -> str:
    """The line about the chain, or the backups."""
    return unescape(next(one.proto.body for one in page.get("html") if 'class="sh-state"' in one.proto.body))


def get_rows(page: AppTest) -> list[list[str]]:
    """Cells of the first table, as the browser would show them."""
    table = next((one.proto.body for one in page.get("html") if "<table" in one.proto.body), "")
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]


def find_log(store: Store, action: str) -> list[dict[str, Any]]:
    """Rows of one action, oldest first."""
    rows = store.read("SELECT * FROM audit_log WHERE action = ? ORDER BY seq", [action]).to_dict("records")
    return [{str(name): value for name, value in row.items()} | {"detail": json.loads(row["detail"])} for row in rows]


def look(store: Store, role: Role, unit_id: str, reason: str) -> None:
    """Somebody opens a home and looks at it."""
    who = viewer(role)
    opening = open_fields(store, who, "unit", unit_id, reason=reason, clock=utc_now)
    log_looks(store, opening.apply(who), frozenset({("unit", unit_id)}), clock=utc_now)


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
    sheet = openpyxl.load_workbook(io.BytesIO(build_file("xlsx", text, [text], [[text]]))).active
    assert sheet is not None
    cells = [row[0] for row in sheet.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(str(cell.value).startswith("'") for cell in cells)


@pytest.mark.parametrize("text", ["正常", "a=b", "5", "", "1-2", "王建国"])
def test_what_is_no_formula_stays(text: str) -> None:
    assert guard(text) == text
    assert guard(None) == ""


# Accounts


def add_by_page(page: AppTest, name: str, role: Role = Role.OFFICER, grids: tuple[str, ...] = ()) -> AppTest:
    page.text_input(key="accounts_name").set_value(name)
    page.text_input(key="accounts_display_name").set_value(HOSTILE[:40])
    check(page.selectbox(key="accounts_role_zh").set_value(role.value).run())
    if grids:
        page.multiselect(key="accounts_grids").set_value(list(grids))
    return press(page, "accounts_add")


def test_an_account_is_added_and_its_password_shown_once(store: Store) -> None:
    page = add_by_page(open_page("accounts"), "Officer07")
    (secret,) = [one.value for one in page.code]
    account = sign_in(store, "officer07", secret, clock=utc_now)
    assert not isinstance(account, Refusal)
    assert account.must_change
    html = get_html(page)
    assert "officer07" in html
    assert "<script" not in html
    entries = find_log(store, "account")
    assert [(entry["actor"], entry["detail"]["step"]) for entry in entries] == [("demo-admin", "add")]
    assert secret not in json.dumps(entries, default=str)
    assert page.text_input(key="accounts_name").value == ""
    check(page.run())
    assert not page.code
    assert secret not in get_html(page)


def test_a_grid_worker_gets_grids_by_their_names(store: Store) -> None:
    page = add_by_page(open_page("accounts"), "wg01", Role.GRID_WORKER)
    assert [one.value for one in page.error] == [t("accounts.grids_missing", "zh")]
    assert find_account(store, "wg01") is None
    page = add_by_page(open_page("accounts"), "wg01", Role.GRID_WORKER, ("g2",))
    account = find_account(store, "wg01")
    assert account is not None
    assert account.grids == {"g2"}
    assert "第2网格" in get_html(page)


@pytest.mark.parametrize(("name", "said"), [("x y", "bad_name"), ("", "bad_name"), ("boss", "taken")])
def test_a_name_that_cannot_be_used_is_said(store: Store, clock: Clock, name: str, said: str) -> None:
    add(store, clock, "boss", Role.ADMIN)
    page = add_by_page(open_page("accounts"), name)
    assert [one.value for one in page.error] == [t(f"accounts.{said}", "zh", **({"name": name} if name else {}))]
    assert not page.code
    assert len(find_log(store, "account")) == 1  # that of `add`


def test_a_password_is_reset_and_an_account_disabled(store: Store, clock: Clock) -> None:
    add(store, clock, "boss", Role.ADMIN)
    add(store, clock, "officer07")
    page = open_page("accounts")
    check(page.selectbox(key="accounts_chosen_zh").set_value("officer07").run())
    press(page, "accounts_reset")
    (secret,) = [one.value for one in page.code]
    assert isinstance(sign_in(store, "officer07", PASSWORD, clock=utc_now), Refusal)
    assert not isinstance(sign_in(store, "officer07", secret, clock=utc_now), Refusal)
    press(page, "accounts_disable")
    account = find_account(store, "officer07")
    assert account is not None
    assert account.disabled_utc is not None
    assert "officer07" not in page.selectbox(key="accounts_chosen_zh").options
    check(page.selectbox(key="accounts_chosen_zh").set_value("boss").run())
    press(page, "accounts_disable")
    assert [one.value for one in page.error] == [t("accounts.last_admin", "zh", name="boss")]
    steps = [(entry["actor"], entry["detail"]["step"]) for entry in find_log(store, "account")]
    assert steps[2:] == [("demo-admin", "reset"), ("demo-admin", "disable")]


def test_a_session_is_ended_where_it_is_held(store: Store, clock: Clock) -> None:
    account = add(store, clock, "officer07")
    sessions = Sessions(store, utc_now)
    token = sessions.start(account, address="10.1.2.3")
    page = open_page("accounts")
    shown = "\n".join(one.value for one in page.markdown)
    assert "officer07" in shown
    assert "10\\.1\\.2\\.3" in shown
    (button,) = [one for one in page.button if str(one.key).startswith("accounts-end-")]
    check(button.click().run())
    assert sessions.find(token) is None
    assert t("accounts.sessions_empty", "zh") in get_html(page)
    (entry,) = [entry for entry in find_log(store, "account") if entry["subject_kind"] == "session"]
    assert (entry["actor"], entry["detail"]) == ("demo-admin", {"step": "revoke", "account": account.account_id})
    sessions.close()


def test_a_key_is_shown_once_and_revoked(store: Store) -> None:
    page = open_page("accounts")
    page.text_input(key="key_name").set_value("alarm-system")
    press(page, "key_add")
    assert [one.value for one in page.error] == [t("accounts.key_no_scope", "zh")]
    page.multiselect(key="key_scopes_zh").set_value(["incidents:write"])
    press(page, "key_add")
    (secret,) = [one.value for one in page.code]
    ring = KeyRing(store, utc_now)
    assert isinstance(ring.check(secret, "incidents:write"), ApiKey)
    assert not check(page.run()).code
    (key,) = list_keys(store)
    assert key.created_by == "demo-admin"
    check(page.selectbox(key="key_chosen_zh").set_value(key.key_id).run())
    press(page, "key_revoke")
    assert ring.check(secret, "incidents:write") is KeyRefusal.REVOKED
    assert [(entry["actor"], entry["detail"]["step"]) for entry in find_log(store, "key")] == [
        ("demo-admin", "create"),
        ("demo-admin", "revoke"),
    ]


# Approvals


def ask_by_page(store: Store, role: Role = Role.COMMANDER) -> str:
    page = open_page("approvals", role=role)
    check(page.selectbox(key="approvals_grid_zh").set_value("g1").run())
    page.text_area(key="approvals_reason").set_value("消防演练通知住户")
    press(page, "approvals_ask")
    assert [one.value for one in page.success] == [t("approvals.asked_done", "zh")]
    return list_approvals(store)[0].approval_id


def get_decisions(page: AppTest) -> list[str]:
    return [str(one.key) for one in page.button if str(one.key).startswith(("approvals-yes", "approvals-no"))]


def test_nobody_decides_what_they_asked_for(store: Store) -> None:
    approval_id = ask_by_page(store)
    page = open_page("approvals", role=Role.COMMANDER)
    assert get_decisions(page) == []
    assert t("approvals.own", "zh") in [one.value for one in page.caption]
    with pytest.raises(NotAllowedError, match="for themselves"):
        decide(store, viewer(Role.COMMANDER), approval_id, approved=True, clock=utc_now)
    assert get_decisions(open_page("approvals", role=Role.OFFICER)) == []  # may ask, may not decide
    assert len(get_decisions(open_page("approvals", role=Role.AUDITOR))) == 2
    assert not [one for one in open_page("approvals", role=Role.AUDITOR).button if one.key == "approvals_ask"]


@pytest.mark.parametrize(("reason", "said"), [("短", "reason_short"), ("", "reason_short")])
def test_a_request_needs_a_reason_and_a_scope(store: Store, reason: str, said: str) -> None:
    page = open_page("approvals")
    page.text_area(key="approvals_reason").set_value("理由写得足够长")
    press(page, "approvals_ask")
    assert [one.value for one in page.error] == [t("approvals.scope_missing", "zh")]
    check(page.selectbox(key="approvals_grid_zh").set_value("g1").run())
    page.text_area(key="approvals_reason").set_value(reason)
    press(page, "approvals_ask")
    assert [one.value for one in page.error] == [t(f"approvals.{said}", "zh")]
    assert list_approvals(store) == ()


def test_an_approved_export_is_used_once_by_who_asked(store: Store) -> None:
    approval_id = ask_by_page(store)
    press(open_page("approvals", role=Role.ADMIN), f"approvals-yes-{approval_id}")
    for role in (Role.OFFICER, Role.ADMIN):
        assert not [one for one in open_page("approvals", role=role).button if one.key == f"csv-{approval_id}"]
        with pytest.raises(RefusedError, match="another account"):
            use_export(store, viewer(role), approval_id, clock=utc_now)
    stale = open_page("approvals")
    page = press(open_page("approvals"), f"csv-{approval_id}")
    (button,) = page.get("download_button")
    assert ".csv" in button.proto.label
    (entry,) = find_log(store, "export")
    assert (entry["actor"], entry["subject_kind"], entry["subject_id"]) == ("demo-commander", "grid", "g1")
    # u1's owner, its tenant and the landlord of its rental; nobody of the second grid.
    assert entry["detail"] == {"what": "export_personal", "approval": approval_id, "rows": 3}
    press(stale, f"csv-{approval_id}")  # another window that still shows the button
    assert not stale.get("download_button")
    assert len(find_log(store, "export")) == 1


def test_a_refused_request_is_refused(store: Store) -> None:
    approval_id = ask_by_page(store)
    page = press(open_page("approvals", role=Role.ADMIN), f"approvals-no-{approval_id}")
    assert [one.value for one in page.success] == [t("approvals.refused", "zh")]
    with pytest.raises(RefusedError, match="was refused"):
        use_export(store, viewer(Role.COMMANDER), approval_id, clock=utc_now)
    assert find_log(store, "export") == []


def test_what_an_export_holds(store: Store) -> None:
    rows = {}
    for action in ("export_personal", "export_precise"):
        approval = ask(store, viewer(Role.OFFICER), action, "building:b1", "核对登记与点位", clock=utc_now)  # type: ignore[arg-type]
        decide(store, viewer(Role.ADMIN), approval.approval_id, approved=True, clock=utc_now)
        rows[action] = use_export(store, viewer(Role.OFFICER), approval.approval_id, clock=utc_now).rows
    people = rows["export_personal"]
    assert sorted(zip(people["person_role"], people["name"], strict=True)) == [
        ("landlord", "王建国"),
        ("owner", "王建国"),
        ("tenant", "李小红"),
    ]
    assert not {"identity_hash", "reporter_key", "reporter_name"} & {*people.columns, *rows["export_precise"].columns}
    (incident,) = rows["export_precise"].to_dict("records")
    assert (incident["category"], incident["status"]) == ("theft", "closed")
    # EPSG:4549 has its central meridian at 120° E, false easting 500 km; ST_Point(1, 0) lies on the equator 499,999 m
    # west of it: about 4.49° (one degree there is 111.32 km).
    assert incident["longitude_deg"] == pytest.approx(115.51, abs=0.02)
    assert incident["latitude_deg"] == pytest.approx(0, abs=0.01)


def test_a_person_is_erased_by_two(store: Store) -> None:
    page = open_page("approvals")
    check(page.selectbox(key="approvals_action_zh").set_value("erase_person").run())
    page.text_input(key="approvals_person_name").set_value("王建国")
    check(page.text_input(key="approvals_person_phone").set_value("138 1234 1234").run())
    assert t("approvals.table_units", "zh", count=2) in page.info[0].value
    page.text_area(key="approvals_reason").set_value("本人书面申请删除")
    press(page, "approvals_ask")
    (approval,) = list_approvals(store)
    assert "王建国" not in json.dumps(find_log(store, "approve"), ensure_ascii=False, default=str)
    press(open_page("approvals", role=Role.ADMIN), f"approvals-yes-{approval.approval_id}")
    page, key = open_page("approvals"), f"erase_{approval.approval_id}"
    page.text_input(key=f"{key}_name").set_value("李小红")
    check(page.text_input(key=f"{key}_phone").set_value("13987654321").run())
    press(page, f"erase-{approval.approval_id}")
    assert [one.value for one in page.error] == [t("approvals.person_other", "zh")]
    page.text_input(key=f"{key}_name").set_value("王建国")
    check(page.text_input(key=f"{key}_phone").set_value("13812341234").run())
    press(page, f"erase-{approval.approval_id}")
    assert t("approvals.table_rentals", "zh", count=1) in page.success[0].value
    assert store.read("SELECT count(owner_name) AS n FROM units")["n"].iloc[0] == 0
    assert len(find_log(store, "erase")) == 1


# Settings


def test_settings_are_saved_and_logged_as_they_were_and_are(store: Store) -> None:
    page = open_page("settings")
    page.number_input(key="setting_idle_minutes_30").set_value(15)
    page.multiselect[0].set_value(["theft"])
    submit = next(one for one in page.button if one.label == t("settings.save", "zh"))
    check(submit.click().run())
    settings = read_settings(store)
    assert (settings.idle_minutes, settings.sensitive_kinds) == (15, ("theft",))
    assert t("settings.name_idle_minutes", "zh") in page.success[0].value
    entries = {entry["subject_id"]: entry for entry in find_log(store, "change")}
    assert set(entries) == {"idle_minutes", "sensitive_kinds"}
    assert entries["idle_minutes"]["detail"] == {"from": 30, "to": 15}
    assert {entry["actor"] for entry in entries.values()} == {"demo-admin"}
    check(next(one for one in page.button if one.label == t("settings.save", "zh")).click().run())
    assert [one.value for one in page.success] == [t("settings.unchanged", "zh")]
    assert len(find_log(store, "change")) == 2


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_setting_says_default_range_and_meaning(store: Store, lang: Language) -> None:
    page, default = open_page("settings", lang), StoreSettings()
    captions = [one.value for one in page.caption]
    for name, (low, high) in LIMITS.items():
        limits = t("settings.range", lang, default=getattr(default, name), low=low, high=high)
        assert f"{t(f'settings.text_{name}', lang)} {limits}" in captions
        box = next(one for one in page.number_input if one.label == t(f"settings.name_{name}", lang))
        assert (box.min, box.max, box.value) == (low, high, getattr(default, name))
    assert {field for field in vars(default) if field != "sensitive_kinds"} == set(LIMITS)


def test_what_is_due_is_counted_before_it_goes(store: Store) -> None:
    page = press(open_page("settings"), "settings_due")
    assert t("settings.due_none", "zh") in get_html(page)
    old = utc_now() - timedelta(days=900)
    sql = "UPDATE incidents SET reported_utc = ? WHERE incident_id = 'i1'"
    store.write(lambda transaction: transaction.execute("incidents", sql, [old.replace(tzinfo=None)]))
    press(page, "settings_due")
    assert get_rows(page) == [[t("settings.rule_callers", "zh"), t("settings.done_emptied", "zh"), "1"]]
    assert store.read("SELECT count(reporter_name) AS n FROM incidents")["n"].iloc[0] == 2
    press(page, "settings_apply")
    assert [one.value for one in page.success] == [t("settings.due_applied", "zh", count="1")]
    assert store.read("SELECT count(reporter_name) AS n FROM incidents")["n"].iloc[0] == 1
    assert [(e["actor"], e["detail"]) for e in find_log(store, "retention")] == [("demo-admin", {"callers": 1})]


def test_a_backup_is_made_and_said(store: Store) -> None:
    page = open_page("settings")
    assert t("settings.backup_none", "zh") in get_html(page)
    press(page, "settings_backup")
    (path,) = find_backups(Settings(store.path.parent, "demo").backup_folder, "demo")
    assert path.name.replace(".", "\\.").replace("-", "\\-") in page.success[0].value
    assert 'data-state="whole"' in get_state(page)
    (entry,) = find_log(store, "backup")
    assert (entry["actor"], entry["detail"]["file"]) == ("demo-admin", path.name)


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
