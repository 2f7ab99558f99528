"""Exports of the 110 system: every row is told what becomes of it before anything is written."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest

from data.importing.options import SourceFile
from data.store import Store
from gis.errors import BadFileError
from incidents.export_rows import Row, read_rows
from incidents.taking_in import TakingIn
from tests.fixtures.access import Clock
from tests.fixtures.intake import intake_clock, intake_store
from ui.intake_file import take_rows

__all__ = ["intake_clock", "intake_store"]

HEAD = ["接警单编号", "报警时间", "警情类别", "报警地址", "报警内容", "报警电话", "处警状态", "办结时间"]
ROWS = [
    ["110-1", "2026-11-20 08:30:00", "盗窃电动自行车", "小村12幢1单元101室", "王建国说车没了", "13812341234", "", ""],
    ["110-2", "2026-11-20 09:00", "盗窃", "不知道在哪里", "=cmd|'/c calc'!A1", "", "待处", ""],
    ["110-3", "2026-11-20 10:00", "盗窃", "小村13幢", "<script>alert(1)</script>", "", "办结", "2026-11-20 11:00"],
    ["110-1", "2026-11-20 08:30:00", "盗窃电动自行车", "小村12幢1单元101室", "又一遍", "", "", ""],
    ["110-4", "昨天下午", "盗窃", "小村12幢", "", "", "", ""],
    ["110-5", "2026-11-20 10:00", "飞碟", "小村12幢", "", "", "", ""],
    ["110-6", "2026-11-20 10:00", "盗窃", "小村12幢", "", "", "办结", "2026-11-19 10:00"],
    ["110-7", "2027-11-20 10:00", "盗窃", "小村12幢", "", "", "", ""],
    ["", "2026-11-20 12:00", "盗窃", "小村12幢", "没有编号", "", "", ""],
]


def to_csv(encoding: str) -> SourceFile:
    text = "\r\n".join(",".join(cells) for cells in [HEAD, *ROWS])
    return SourceFile("export 2026.csv", text.encode(encoding))


def to_xlsx(_: str) -> SourceFile:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for cells in [HEAD, *ROWS]:
        book.active.append(cells)  # type: ignore[union-attr]
    for row in book.active.iter_rows():  # type: ignore[union-attr]
        for cell in row:
            cell.data_type = "s"
    book.save(file)
    return SourceFile("台账.xlsx", file.getvalue())


def read(store: Store, clock: Clock, source: SourceFile) -> list[Row]:
    return read_rows(store, TakingIn(store, clock), source, {"theft": "urgent"}, clock())


@pytest.mark.parametrize(
    ("build", "encoding"), [(to_csv, "gb18030"), (to_csv, "utf-8-sig"), (to_csv, "utf-16"), (to_xlsx, "")]
)
def test_each_row_says_what_becomes_of_it_and_the_file_comes_in_once(
    intake_store: Store, intake_clock: Clock, build: Callable[[str], SourceFile], encoding: str
) -> None:
    source = build(encoding)
    rows = read(intake_store, intake_clock, source)
    assert [row.number_in_file for row in rows] == list(range(2, 11))
    assert [row.problem for row in rows] == [
        None, None, None, None, "time_unreadable", "category_unknown", "time_backwards", "time_impossible", None,
    ]  # fmt: skip
    assert [row.is_known for row in rows] == [False, False, False, True, *[False] * 5]
    assert [row.found.is_placed for row in rows if row.found] == [True, False, True, True, True]
    assert intake_store.read("SELECT 1 FROM incidents").empty, "nothing is written by reading"
    outcomes = take_rows(TakingIn(intake_store, intake_clock), source, [row for row in rows if row.is_new])
    assert [one.is_new for one in outcomes] == [True] * 4
    stored = intake_store.read("SELECT * EXCLUDE (geom) FROM incidents ORDER BY reported_utc")
    assert stored["status"].tolist() == ["placed", "received", "closed", "placed"]
    assert stored["urgency"].tolist() == ["normal", "urgent", "urgent", "urgent"], "as is usual for the kind"
    assert stored["narrative"].tolist() == [
        "王**说车没了",
        "=cmd|'/c calc'!A1",
        "<script>alert(1)</script>",
        "没有编号",
    ]
    # 08:30 in Shanghai is 00:30 UTC; of what was over the steps are as old as it is.
    assert str(stored["reported_utc"].iloc[0]) == "2026-11-20 00:30:00"
    steps = intake_store.rows(
        "SELECT e.kind, e.at_utc::VARCHAR FROM events e JOIN incidents i ON e.subject_id = i.incident_id "
        "WHERE i.number = '110-3' ORDER BY e.event_id"
    )
    assert steps == [
        ("incident.receive", "2026-11-20 02:00:00"),
        ("incident.place", "2026-11-20 02:00:00"),
        ("incident.handle", "2026-11-20 03:00:00"),
        ("incident.close", "2026-11-20 03:00:00"),
    ]
    again = read(intake_store, intake_clock, source)
    assert not any(row.is_new for row in again)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "nothing|empty|Nothing|expected"),
        ("编号,时间\n1,2026-11-20\n".encode(), "a column is missing"),
        (b"\x00\x01\x02\x03" * 50, "."),
        (b"PK\x03\x04 this is no workbook", "."),
        ("13812341234,张三\n1,2\n".encode(), "no header"),
    ],
)
def test_files_that_are_none_are_refused(
    intake_store: Store, intake_clock: Clock, content: bytes, sentence: str
) -> None:
    for name in ("a.csv", "a.xlsx"):
        if name.endswith("xlsx") and not content.startswith(b"PK"):
            continue
        with pytest.raises(BadFileError, match=sentence):
            read(intake_store, intake_clock, SourceFile(name, content))


def test_a_file_of_years_is_refused_before_it_is_placed(intake_store: Store, intake_clock: Clock) -> None:
    lines = "\n".join(f"n{i},2026-11-20 08:30,盗窃,小村12幢" for i in range(20_001))
    source = SourceFile("long.csv", ("接警单编号,报警时间,警情类别,报警地址\n" + lines).encode())
    with pytest.raises(BadFileError, match="20,001 rows, expected at most 20,000"):
        read(intake_store, intake_clock, source)
