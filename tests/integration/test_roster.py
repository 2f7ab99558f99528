"""The list of people with radios from a file: read by its words, written by call sign, no name ever."""

from __future__ import annotations

import io
from datetime import time
from pathlib import Path

import openpyxl
import pytest

from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError
from incidents.roster import read_roster, write_roster
from tests.fixtures.access import Clock
from tests.fixtures.intake import intake_clock, intake_store

__all__ = ["intake_clock", "intake_store"]

COMMANDER = Viewer(Role.COMMANDER, account_id="c", name="commander01")
LIST = """呼号,人员类别,频道,单位,交通工具,技能,上岗时间,下岗时间,夜间不派,姓名,手机
警员01,民警,警务1,警务室,警车,急救、调解,08:00,17:00,否,王建国,13812345678
志愿01,志愿者,卫士5,,,,19:00,21:00,是,李小红,13987654321
保安01,小区保安,卫士3,万户物业,电动车,消防,22:00,06:00,,,
"""


def read(store: Store) -> dict[str, tuple[object, ...]]:
    rows = store.read(
        "SELECT call_sign, kind, channel, vehicle, skills, duty_from, duty_to, no_night_duty, full_time, name, phone, "
        "status FROM responders"
    ).astype(object)
    return {row[0]: tuple(row[1:]) for row in rows.where(rows.notna(), None).itertuples(index=False, name=None)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_comes_in_by_call_sign_and_without_names(
    intake_store: Store, intake_clock: Clock, encoding: str
) -> None:
    roster = read_roster("人员.csv", LIST.encode(encoding))
    assert roster.problems == ()
    assert roster.not_read == ("姓名", "手机")
    done = write_roster(intake_store, COMMANDER, roster, clock=intake_clock)
    assert (done.new, done.changed, done.same) == (3, 0, 0)
    assert read(intake_store) == {
        "警员01": ("officer", "警务1", "car", "first_aid mediation", time(8), time(17), False, True, None, None, "off"),
        "志愿01": ("volunteer", "卫士5", "foot", "", time(19), time(21), True, False, None, None, "off"),
        "保安01": ("estate_guard", "卫士3", "ebike", "firefighting", time(22), time(6), False, True, None, None, "off"),
    }  # fmt: skip
    again = write_roster(intake_store, COMMANDER, roster, clock=intake_clock)
    assert (again.new, again.changed, again.same) == (0, 0, 3)


def test_what_differs_is_changed_and_the_rest_stays(intake_store: Store, intake_clock: Clock) -> None:
    write_roster(intake_store, COMMANDER, read_roster("a.csv", LIST.encode()), clock=intake_clock)
    intake_store.write(lambda tx: tx.execute("responders", "UPDATE responders SET status = 'ready'"))
    shorter = "call_sign;kind;vehicle\n警员01;officer;e-bike\n".encode()
    done = write_roster(intake_store, COMMANDER, read_roster("b.csv", shorter), clock=intake_clock)
    assert (done.new, done.changed, done.same) == (0, 1, 0)
    after = read(intake_store)
    assert set(after) == {"警员01", "志愿01", "保安01"}
    assert after["警员01"][1:5] == ("警务1", "ebike", "first_aid mediation", time(8))  # what the file lacks stays
    assert after["警员01"][-1] == "ready"
    log = intake_store.read("SELECT action, subject_kind FROM audit_log ORDER BY seq DESC LIMIT 1").iloc[0]
    assert tuple(log) == ("import", "responder")


def test_a_workbook_is_read_as_well(intake_store: Store, intake_clock: Clock) -> None:
    book = openpyxl.Workbook()
    book.active.append(["呼号", "类别", "上岗", "下岗"])
    book.active.append(["网格01", "网格员", time(8, 30), "17:30"])
    content = io.BytesIO()
    book.save(content)
    roster = read_roster("人员.xlsx", content.getvalue())
    assert roster.rows == (
        {"call_sign": "网格01", "kind": "grid_worker", "duty_from": time(8, 30), "duty_to": time(17, 30)},
    )
    assert write_roster(intake_store, COMMANDER, roster, clock=intake_clock).new == 1


def test_every_cell_that_cannot_be_used_is_named_and_nothing_is_written(
    intake_store: Store, intake_clock: Clock
) -> None:
    text = "呼号,类别,交通工具,技能,上岗,下岗\n警员01,飞行员,火箭,急救 魔法,25:00,\n,民警,,,,\n警员01,民警,,,8:00,\n"
    roster = read_roster("a.csv", text.encode())
    assert [(one.row, one.column, one.code) for one in roster.problems] == [
        (2, "kind", "unknown_word"), (2, "vehicle", "unknown_word"), (2, "skills", "unknown_word"),
        (2, "duty_from", "bad_time"), (3, "call_sign", "missing"), (4, "call_sign", "twice"),
        (4, "duty_from", "one_end"),
    ]  # fmt: skip
    with pytest.raises(BadRecordError, match="7 cells"):
        write_roster(intake_store, COMMANDER, roster, clock=intake_clock)
    assert read(intake_store) == {}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", "名单,电话\n1,2\n".encode(), "call_sign.*呼号"),
        ("a.xlsx", b"PK no workbook", "cannot be read as .xlsx"),
        ("a.csv", b"x" * 5_000_001, "at most 5,000,000"),
        ("a.csv", ("呼号,类别\n" + "a,民警\n" * 2_001).encode(), "at most 2,000"),
    ],
)
def test_a_file_that_is_no_list_says_what_was_expected(name: str, content: bytes, says: str) -> None:
    with pytest.raises(BadFileError, match=says):
        read_roster(name, content)


def test_who_may_is_in_the_rights_table(intake_store: Store, intake_clock: Clock, tmp_path: Path) -> None:
    roster = read_roster("a.csv", LIST.encode())
    for role in (Role.WALL, Role.VOLUNTEER, Role.GRID_WORKER, Role.OFFICER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(NotAllowedError, match="manage_forces"):
            write_roster(intake_store, Viewer(role, account_id="x", name="x"), roster, clock=intake_clock)
