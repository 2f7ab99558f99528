"""A city's own tree of kinds: read from its table, judged cell by cell, written whole or not; one kind by hand."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest

from data.queries import find_categories, find_sending_rules
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError, RecordMissingError
from incidents.kind_changes import change_kind, export_kinds, preview_tree, read_kinds, write_tree
from incidents.kind_tree import plan_tree, read_tree
from incidents.sending import May, SendingRules
from tests.fixtures.access import Clock
from tests.fixtures.intake import intake_clock, intake_store

__all__ = ["intake_clock", "intake_store"]

COMMANDER = Viewer(Role.COMMANDER, account_id="c", name="commander01")
TREE = """编码,上级编码,名称,英文名,紧急程度,颜色,符号,按键,敏感,到场时限,派志愿者,备注
01,,刑事,Crime,一般,黄,刑,1,否,10,,a
0101,01,持刀伤人,Knife attack,紧急,,,1,,3,否,b
0102,01,盗窃,Theft,,,,2,,,是,
02,,求助,,非警务,#7edc8f,助,2,,30,,
0201,02,轻生,,紧急,,,1,是,3,随警,
"""


def last_logged(store: Store) -> list[tuple[str, str, dict[str, object]]]:
    rows = store.rows("SELECT subject_id, detail FROM audit_log WHERE subject_kind = 'incident_kind' ORDER BY seq")
    return [(code, (detail := json.loads(text))["step"], detail) for code, text in rows]


def book(text: str) -> bytes:
    workbook = openpyxl.Workbook()
    for line in text.splitlines():
        workbook.active.append([int(cell) if cell in ("3", "10", "30") else cell for cell in line.split(",")])
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


@pytest.mark.parametrize("form", ["utf-8", "gb18030", "xlsx"])
def test_a_citys_tree_takes_the_place_of_the_one_in_force(intake_store: Store, intake_clock: Clock, form: str) -> None:
    content = book(TREE) if form == "xlsx" else TREE.encode(form)
    tree = read_tree(f"tree.{'xlsx' if form == 'xlsx' else 'csv'}", content)
    assert (tree.problems, tree.not_read) == ((), ("备注",))
    planned = preview_tree(intake_store, COMMANDER, tree)
    assert (len(planned.new), len(planned.changed), set(planned.gone)) == (5, 0, {"theft", "theft.ebike", "self_harm"})
    write_tree(intake_store, COMMANDER, tree, clock=intake_clock)
    kinds = find_categories(intake_store, COMMANDER).set_index("category")
    knife = kinds.loc["0101"]
    assert (knife["urgency"], knife["colour"], knife["key"], knife["target_minutes"]) == ("urgent", "#d9d36a", "1", 3)
    assert kinds["sensitive"].to_dict() == {"01": False, "0101": False, "0102": False, "02": False, "0201": True}
    assert kinds.loc["02", "name_en"] == "求助"  # no English name was given
    rules = SendingRules.build(find_sending_rules(intake_store, COMMANDER))
    assert rules.find(("0101", "01"), "volunteer").may is May.NO
    assert rules.find(("0102", "01"), "volunteer").may is May.YES
    # Of a kind of which nobody said anything the product knows nothing either: it may be a knife.
    assert rules.find(("0101", "01"), "estate_guard").may is May.WITH_POLICE
    assert rules.find(("0101", "01"), "officer").may is May.YES
    logged = last_logged(intake_store)
    assert sorted((code, step) for code, step, _ in logged) == [
        *((code, "added") for code in ("01", "0101", "0102", "02", "0201")),
        *((code, "removed") for code in ("self_harm", "theft", "theft.ebike")),
    ]
    events = "SELECT count(*) FROM events WHERE subject_table = 'incident_categories'"
    assert intake_store.rows(events) == [(8,)]
    # The same once more, and what is taken out and put in again, change nothing and write nothing down.
    for again in (content, export_kinds(intake_store, COMMANDER, clock=intake_clock)):
        name = f"tree.{'xlsx' if again is content and form == 'xlsx' else 'csv'}"
        plan = write_tree(intake_store, COMMANDER, read_tree(name, again), clock=intake_clock)
        assert (plan.new, plan.changed, plan.gone, plan.same) == ({}, {}, (), 5)
    assert len(last_logged(intake_store)) == 8
    assert intake_store.rows(events) == [(8,)]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("0102,01,盗窃", "0102,09,盗窃", [(4, "parent", "unknown_parent")]),
        ("01,,刑事", "01,0101,刑事", [(2, "parent", "circle"), (3, "parent", "circle"), (4, "parent", "circle")]),
        ("2,,,是,", "1,,,是,", [(4, "key", "twice")]),  # below one kind
        ("助,2,", "助,1,", [(5, "key", "twice")]),  # among the groups
        ("助,2,", "助,？,", [(5, "key", "bad_key")]),
        ("0102,01,盗窃", "0101,01,盗窃", [(4, "category", "twice")]),
        ("0102,01,盗窃", ",01,盗窃", [(4, "category", "missing")]),
        ("0102,01,盗窃", "*,01,盗窃", [(4, "category", "bad_code")]),
        ("#7edc8f", "#ff2010", [(5, "colour", "red")]),
        ("#7edc8f", "彩虹", [(5, "colour", "unknown_colour")]),
        (",30,,", ",三十,,", [(5, "target_minutes", "bad_minutes")]),
        ("紧急,,,1,,3,否,b", "飞快,,,1,,3,也许,b", [(3, "urgency", "unknown_word"),
            (3, "may_volunteer", "unknown_word")]),
    ],
)  # fmt: skip
def test_every_bad_cell_is_named_and_nothing_is_written(
    intake_store: Store, intake_clock: Clock, old: str, new: str, found: list[tuple[int, str, str]]
) -> None:
    assert old in TREE
    before = read_kinds(intake_store, COMMANDER)
    tree = read_tree("tree.csv", TREE.replace(old, new, 1).encode())
    plan = preview_tree(intake_store, COMMANDER, tree)
    assert [(one.row, one.column, one.code) for one in plan.problems] == found
    with pytest.raises(BadRecordError, match=f"{len(found)} cells.*{found[0][2]}"):
        write_tree(intake_store, COMMANDER, tree, clock=intake_clock)
    assert read_kinds(intake_store, COMMANDER) == before
    assert last_logged(intake_store) == []


def test_a_tree_has_two_levels_at_least_and_four_at_most() -> None:
    flat = read_tree("a.csv", b"code,parent,name\na,,A\nb,,B\n")
    assert [(one.row, one.code) for one in plan_tree({}, flat, set()).problems] == [(1, "flat")]
    deep = read_tree("a.csv", b"code,parent,name\na,,A\nb,a,B\nc,b,C\nd,c,D\ne,d,E\n")
    assert [(one.row, one.code) for one in plan_tree({}, deep, set()).problems] == [(6, "too_deep")]


def test_a_kind_of_which_there_are_incidents_stays(intake_store: Store, intake_clock: Clock) -> None:
    sql = """INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc,
        occurred_to_utc, status) VALUES ('i1', 'theft.ebike', 'normal', 'call', now(), now(), now(), 'closed')"""
    intake_store.write(lambda transaction: transaction.execute("incidents", sql))
    tree = read_tree("tree.csv", TREE.encode())
    problems = preview_tree(intake_store, COMMANDER, tree).problems
    assert [(one.code, one.value) for one in problems] == [("in_use", "theft.ebike")]
    with pytest.raises(BadRecordError, match=r"in_use: 'theft.ebike'"):
        write_tree(intake_store, COMMANDER, tree, clock=intake_clock)
    assert "theft.ebike" in read_kinds(intake_store, COMMANDER)


def test_one_kind_by_hand(intake_store: Store, intake_clock: Clock) -> None:
    write_tree(intake_store, COMMANDER, read_tree("tree.csv", TREE.encode()), clock=intake_clock)
    values = {"key": "3", "target_minutes": 15.0, "sensitive": True, "may_volunteer": None, "may_officer": "no"}
    plan = change_kind(intake_store, COMMANDER, "0102", values, clock=intake_clock)
    assert set(plan.changed["0102"]) == set(values)
    assert last_logged(intake_store)[-1] == (
        "0102",
        "changed",
        {
            "step": "changed",
            "from": {"key": "2", "target_minutes": None, "sensitive": False, "may_volunteer": "yes",
                     "may_officer": None},
            "to": values,
        },
    )  # fmt: skip
    assert intake_store.rows("SELECT kind, may FROM sending_rules WHERE category = '0102'") == [("officer", "no")]
    assert not change_kind(intake_store, COMMANDER, "0102", values, clock=intake_clock).changed
    with pytest.raises(BadRecordError, match="twice"):
        change_kind(intake_store, COMMANDER, "0102", {"key": "1"}, clock=intake_clock)
    with pytest.raises(RecordMissingError):
        change_kind(intake_store, COMMANDER, "0199", {"key": "1"}, clock=intake_clock)


def test_a_rule_that_names_a_skill_keeps_it(intake_store: Store, intake_clock: Clock) -> None:
    sql = "INSERT INTO sending_rules VALUES ('theft', 'volunteer', 'no', 'mediation', true)"
    intake_store.write(lambda transaction: transaction.execute("sending_rules", sql))
    change_kind(intake_store, COMMANDER, "theft", {"may_volunteer": None}, clock=intake_clock)
    kept = intake_store.rows("SELECT may, skill, skill_needed FROM sending_rules")
    assert kept == [(None, "mediation", True)]


def test_who_may(intake_store: Store, intake_clock: Clock) -> None:
    tree = read_tree("tree.csv", TREE.encode())
    for role in (Role.WALL, Role.VOLUNTEER, Role.GRID_WORKER, Role.OFFICER, Role.AUDITOR):
        viewer = Viewer(role, account_id="x", name="x")
        for act in (
            lambda viewer=viewer: write_tree(intake_store, viewer, tree, clock=intake_clock),
            lambda viewer=viewer: change_kind(intake_store, viewer, "theft", {"key": "1"}, clock=intake_clock),
            lambda viewer=viewer: preview_tree(intake_store, viewer, tree),
        ):
            with pytest.raises(NotAllowedError, match="manage_kinds"):
                act()


def test_a_table_that_is_no_tree_says_what_was_expected() -> None:
    with pytest.raises(BadFileError, match=r"parent.*上级编码"):
        read_tree("a.csv", "编码,名称\n1,a\n".encode())
