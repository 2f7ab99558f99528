"""Files of the station's platform: read and written in its layout, each row once, nothing overwritten, no formula."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import cli
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadFileError, BadRecordError, NotAllowedError
from tasks.life_cycle import Action, Receiver
from tasks.orders import Wrong
from tasks.platform import (
    get_layout,
    give_back,
    read_layout_table,
    read_layouts,
    replace_layouts,
    take_file,
)
from tasks.platform_layouts import Layout, Record, parse_layouts, read_file, write_file
from tests.fixtures.access import access_store, clock, found
from tests.fixtures.tasks import Office, office

__all__ = ["access_store", "clock", "office"]

GIVEN = parse_layouts(
    "layout,content,file,sheet,field,header,form,codes\n"
    "a,tasks,csv,,number,编号,text,\na,tasks,csv,,place,地址,text,\na,tasks,csv,,note,=要求,text,\n"
    "a,tasks,csv,,kind,类型,code,inspection=日常检查;verification=信息核实\na,tasks,csv,,due,期限,time,\n"
    "b,tasks,xlsx,任务,due,期限,date,\nb,tasks,xlsx,任务,number,编号,text,\nb,tasks,xlsx,任务,place,地址,text,\n"
    "c,verified,xlsx,,place,地址,text,\nc,verified,xlsx,,residents_count,人数,number,\n"
    "c,verified,xlsx,,use,用途,code,dwelling=住宅;shop=店面\n"
)
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@＝＋－＠'\t") , max_size=20
).map(lambda text: " ".join(text.split()))  # fmt: skip
_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC).astimezone(UTC)
)


@st.composite
def records(draw: st.DrawFn) -> tuple[Layout, list[Record]]:
    """A layout, and records that it can say."""
    layout = draw(st.sampled_from(sorted(GIVEN.values(), key=lambda one: one.name)))
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        row: dict[str, str] = {}
        for column in layout.columns:
            if column.form == "code":
                value = draw(st.sampled_from(["", *column.codes]))
            elif column.form == "number":
                value = str(draw(st.integers(0, 9999)))
            elif column.form in ("time", "date"):
                shanghai = draw(_TIMES).astimezone(ZoneInfo("Asia/Shanghai"))
                day = shanghai.replace(hour=0, minute=0) if column.form == "date" else shanghai
                value = day.isoformat()
            else:
                value = draw(_TEXTS)
            if value:
                row[column.field] = value
        if row:
            rows.append(row)
    return layout, rows


@given(records())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_and_no_cell_is_a_formula(drawn: tuple[Layout, list[Record]]) -> None:
    layout, rows = drawn
    content = write_file(layout, rows)
    read, problems = read_file(layout, content)
    assert problems == []
    assert [record for _, record in read] == rows
    if layout.file == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "inlineStr"}
        cells = [str(cell.value) for line in sheet.iter_rows() for cell in line if cell.value is not None]
    else:
        cells = [cell.strip('"') for line in content.decode("utf-8-sig").splitlines() for cell in line.split('","')]
    assert [cell for cell in cells if cell.lstrip(" \u3000")[:1] in tuple("=+-@＝＋－＠\t\r")] == []


# On a store


def build_tasks(*rows: tuple[str, str, str]) -> bytes:
    """A file of the platform: number, address, date."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    heads = [column.header for column in parse_layouts(read_product())["station-tasks"].columns]
    sheet.append(heads)
    for number, place, due in rows:
        sheet.append([number, "日常检查", place, "看看消防通道", "紧急", due, "待签收", "", "", ""])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read_product() -> str:
    return files("data").joinpath("platform_layouts.csv").read_text(encoding="utf-8")


def test_tasks_come_in_once_and_their_results_go_back_under_their_numbers(office: Office) -> None:
    store, officer, now = office.store, office.officer, office.clock
    content = build_tasks(("R-1", "某处 空地", "2026-11-25 18:00"), ("R-2", "另一处", "2026/11/26"), ("", "无号", "2026-11-25"), ("R-4", "某处", "明天"))  # fmt: skip # noqa: E501
    taken = take_file(store, officer, "station-tasks", content, clock=now)
    assert (taken.new, taken.known) == (2, 0)
    assert [(one.row, one.column, one.code) for one in taken.problems] == [(5, "要求完成时间", "bad_time"), (4, "number", "missing")]  # fmt: skip # noqa: E501
    again = take_file(store, officer, "station-tasks", content, clock=now)
    assert (again.new, again.known) == (0, 2)
    rows = store.read("SELECT t.task_id, p.number, t.due_utc, t.priority, t.place_text FROM tasks t JOIN platform_tasks p USING (task_id) ORDER BY p.number")  # fmt: skip # noqa: E501
    assert rows["number"].tolist() == ["R-1", "R-2"]
    assert rows["due_utc"].iloc[0] == datetime(2026, 11, 25, 10)  # noqa: DTZ001 - 18:00 in Shanghai, as stored
    task = str(rows["task_id"].iloc[0])
    office.do(officer, task, Action.ASSIGN, receiver=Receiver("role", "officer"))
    office.do(officer, task, Action.SUBMIT, evidence=office.saw("e1"), findings=(Wrong("exit", now().date()),))
    name, back, count = give_back(store, officer, "station-tasks", since=now() - timedelta(days=1), until=now() + timedelta(days=1), clock=now)  # fmt: skip # noqa: E501
    assert (name, count) == ("station-tasks.xlsx", 2)
    read, problems = read_file(get_layout(store, "station-tasks"), back)
    assert problems == []
    told = {record["number"]: record for _, record in read}
    assert (told["R-1"]["state"], told["R-1"]["result"], told["R-1"]["findings"]) == ("submitted", "found", "通道和窗户畅通")  # fmt: skip # noqa: E501
    assert told["R-2"]["state"] == "waiting"
    logged = store.read("SELECT action FROM audit_log WHERE detail ->> 'what' = 'platform' ORDER BY seq")["action"]
    assert logged.tolist() == ["import", "import", "export"]


def test_verified_records_are_checks_or_proposals_and_never_change_the_register(office: Office) -> None:
    store, officer, now = office.store, office.officer, office.clock
    address = "INSERT INTO addresses (address_id, full_text, building, room, building_id, unit_id, geom) VALUES ('a1', '小村1幢101室', '1', '101', 'b1', 'u1', ST_Point(1, 0))"  # noqa: E501
    store.write(lambda tx: tx.execute("addresses", address))
    store.write(lambda tx: tx.execute("units", "UPDATE units SET address_id = 'a1' WHERE unit_id = 'u1'"))
    layout = get_layout(store, "station-verified")
    said = {"place": "小村1幢101室", "residents_count": "5", "use": "dwelling", "verified": "2026-11-20T10:00:00+08:00"}
    content = write_file(layout, [said, {**said, "place": "没有的地方99幢"}])
    taken = take_file(store, officer, "station-verified", content, clock=now)
    assert (taken.differ, [(one.row, one.code) for one in taken.problems]) == (1, [(3, "not_found")])
    take_file(store, officer, "station-verified", content, clock=now)
    row = store.read("SELECT field, old_value, new_value, what FROM proposals").values.tolist()
    assert row == [["residents_count", "2", "5", "corrected"]]
    assert store.read("SELECT residents_count AS n FROM units WHERE unit_id = 'u1'")["n"].tolist() == [2]
    checks = store.read("SELECT field, how FROM register_checks").values.tolist()
    assert checks == [["use", "import"]]
    task = office.make()
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    office.do(officer, task, Action.CLOSE)
    _, back, count = give_back(store, officer, "station-verified", since=now() - timedelta(days=1), until=now() + timedelta(days=1), clock=now)  # fmt: skip # noqa: E501
    ((_, told),), _ = read_file(layout, back)
    assert count == 1
    assert (told["place"], told["residents_count"], told["how"]) == ("小村1幢101室", "2", "door")
    assert "王建国" not in back.decode("utf-8-sig")


def test_an_office_keeps_its_own_layouts_and_a_wrong_row_is_named(office: Office) -> None:
    store, now = office.store, office.clock
    commander = Viewer(Role.COMMANDER, account_id="c", name="c")
    own = "layout,content,file,sheet,field,header,form,codes\nours,tasks,csv,,number,号,text,\n"
    replace_layouts(store, commander, own, clock=now)
    assert list(read_layouts(store)) == ["ours"]
    for wrong, named in (
        (own + "ours,tasks,csv,,number,另,text,\n", "row 3 .*there twice"),
        (own + "x,tasks,csv,,name,姓名,text,\n", "field 'name' is not known"),
        (own + "x,tasks,csv,,kind,类,code,\n", "codes are written"),
        (own + "x,tasks,pdf,,kind,类,text,\n", "expected content"),
    ):
        with pytest.raises(BadRecordError, match=named):
            replace_layouts(store, commander, wrong, clock=now)
    assert read_layout_table(store) == own
    replace_layouts(store, commander, None, clock=now)
    assert "station-tasks" in read_layouts(store)
    with pytest.raises(NotAllowedError):
        take_file(store, office.worker, "station-tasks", b"", clock=now)
    with pytest.raises(NotAllowedError):
        give_back(store, office.worker, "station-tasks", since=now(), until=now(), clock=now)
    with pytest.raises(BadFileError):
        take_file(store, office.officer, "station-tasks", b"no workbook", clock=now)
    with pytest.raises(BadRecordError, match="expected one of station-tasks, station-verified"):
        get_layout(store, "nothing")


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    with Store(tmp_path / "small.duckdb", clock=lambda: datetime(2026, 11, 23, 6, tzinfo=UTC)) as store:
        store.write(found)
    file, back, table = tmp_path / "in.xlsx", tmp_path / "back.xlsx", tmp_path / "layouts.csv"
    file.write_bytes(build_tasks(("R-1", "某处", "2026-12-25 18:00")))

    def shapan(*arguments: str) -> Result:
        environ = {"SHAPAN_HOME": str(tmp_path), "SHAPAN_STORE": "small"}
        return CliRunner().invoke(cli.app, ["platform", *arguments], prog_name="shapan", env=environ)

    assert "1 new, 0 known, 0 differ" in shapan("read", str(file), "--layout", "station-tasks").stdout
    assert "0 new, 1 known, 0 differ" in shapan("read", str(file), "--layout", "station-tasks").stdout
    assert "1 rows" in shapan("write", str(back), "--layout", "station-tasks").stdout
    shown = shapan("layouts")
    table.write_text(shown.stdout, encoding="utf-8")
    read, problems = read_file(parse_layouts(shown.stdout)["station-tasks"], back.read_bytes())
    assert (problems, read[0][1]["number"], read[0][1]["state"]) == ([], "R-1", "waiting")
    assert shapan("layouts", "--replace", str(table)).exit_code == 0
    refused = shapan("read", str(tmp_path / "nowhere.xlsx"), "--layout", "station-tasks")
    assert (refused.exit_code != 0, "cannot be read" in refused.stderr) == (True, True)
    assert "There is no layout 'other'" in shapan("write", str(back), "--layout", "other").stderr
