"""Kinds of incident on the page of settings: one by hand, and a whole tree from a table."""

from __future__ import annotations

import pytest

from data.queries import find_categories, find_sending_rules
from data.store import Store
from data.viewer import Role
from i18n import LANGUAGES, Language, t
from incidents.sending import May, SendingRules
from tests.fixtures.access import access_store, clock
from tests.fixtures.desk_pages import check, find_log, get_html, open_page, press, store, viewer
from ui.log_words import say_detail

__all__ = ["access_store", "clock", "store"]  # fixtures


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_kind_is_changed_and_logged(store: Store, lang: Language) -> None:
    page = open_page("settings", lang)
    code = str(page.selectbox(key="kinds_code").value)
    by_label = {one.label: one for one in page.selectbox}
    by_label[t("kinds.urgency", lang)].set_value("urgent")
    by_label[t("terms.responder.volunteer", lang)].set_value("no")
    next(one for one in page.number_input if one.label == t("kinds.target_minutes", lang)).set_value(7.0)
    submit = next(one for one in page.button if one.label == t("kinds.save", lang))
    check(submit.click().run())
    assert [one.value for one in page.success] == [t("kinds.saved", lang)]
    kind = find_categories(store, viewer(Role.ADMIN)).set_index("category").loc[code]
    assert (kind["urgency"], kind["target_minutes"]) == ("urgent", 7)
    rules = SendingRules.build(find_sending_rules(store, viewer(Role.ADMIN)))
    assert rules.find((code,), "volunteer").may is May.NO
    (entry,) = [one for one in find_log(store, "change") if one["subject_kind"] == "incident_kind"]
    assert (entry["actor"], entry["subject_id"]) == ("demo-admin", code)
    assert set(entry["detail"]["to"]) == {"urgency", "target_minutes", "may_volunteer"}
    words = say_detail(str(entry["detail"]).replace("'", '"').replace("None", "null"), lang)
    assert t("kinds.may_no", lang) in words
    assert "None" not in words
    check(next(one for one in page.button if one.label == t("kinds.save", lang)).click().run())
    assert [one.value for one in page.success] == [t("kinds.unchanged", lang)]


def test_a_tree_from_a_table_is_reported_first_and_then_written(store: Store) -> None:
    page = open_page("settings")
    used = store.rows("SELECT DISTINCT category FROM incidents ORDER BY category")
    bad = "编码,上级编码,名称,按键\nx,,甲,1\nx1,x,乙,?\n"
    check(page.file_uploader(key="kinds_file").upload("tree.csv", bad.encode(), "text/csv").run())
    html = get_html(page)
    assert t("kinds.problem_bad_key", "zh") in html
    assert html.count(t("kinds.problem_in_use", "zh")) == len(used)
    assert "kinds_write" not in [one.key for one in page.button]
    good = "编码,上级编码,名称,按键\nx,,甲,1\n" + "".join(f"{code},x,名{at},{at}\n" for at, (code,) in enumerate(used))
    check(page.file_uploader(key="kinds_file").set_value(("tree.csv", good.encode(), "text/csv")).run())
    press(page, "kinds_write")
    assert set(find_categories(store, viewer(Role.ADMIN))["category"]) == {"x", *(code for (code,) in used)}
    assert len(page.success) == 1


def test_the_commander_finds_it_with_the_forces_and_officers_do_not(store: Store) -> None:
    assert t("kinds.title", "zh") in [one.value for one in open_page("forces", role=Role.COMMANDER).subheader]
    assert t("kinds.title", "zh") not in [one.value for one in open_page("forces", role=Role.OFFICER).subheader]
