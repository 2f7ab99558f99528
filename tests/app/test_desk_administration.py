"""Pages of accounts, approvals and settings without a browser."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from data.accounts import Refusal, find_account, sign_in
from data.api_keys import ApiKey, KeyRefusal, KeyRing, list_keys
from data.approvals import ask, decide, list_approvals
from data.backup_files import find_backups
from data.exporting import use_export
from data.sessions import Sessions
from data.settings import Settings
from data.settings_store import LIMITS, SWITCHES, StoreSettings, read_settings
from data.store import Store, utc_now
from data.viewer import Role
from gis.errors import NotAllowedError, RefusedError
from i18n import LANGUAGES, Language, t
from tests.fixtures.access import PASSWORD, Clock, access_store, add, clock
from tests.fixtures.desk_pages import (
    HOSTILE,
    check,
    find_log,
    get_html,
    get_rows,
    get_state,
    open_page,
    press,
    store,
    viewer,
)

__all__ = ["access_store", "clock", "store"]  # fixtures


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
    assert set(vars(default)) == {*LIMITS, *SWITCHES, "sensitive_kinds", "webhook_url"}


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
