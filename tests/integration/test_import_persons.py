"""Importing persons: who may, what is kept of them, and that they are nowhere else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from data.accounts import add_account
from data.approvals import ask, decide
from data.erasure import Person, build_subject, erase_person
from data.identity import split_identity
from data.importing import ImportOptions, ImportRefusedError, SourceFile, import_sources, undo_import
from data.importing.texts import is_masked_form
from data.intake import SEALED, open_sealed
from data.keys import to_key
from data.masking import mask_frame
from data.queries import find_occupants
from data.secret_files import get_key
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadFileError, RefusedError
from layers import SCENES
from server.operations import LocalOperations
from tests.fixtures import persons_files as people
from tests.integration.import_support import NOW, clock, content, rows, table

KEY_TEXT = "a key of the persons' tests"
WITH = ImportOptions(with_persons=True)
NOT_UNDONE = {"audit_log", "events", "import_batches", "import_changes", "revisions"}
NOT_UNDONE |= {"incident_categories", "community"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encrypted store with a map and an administrator."""
    folder = tmp_path_factory.mktemp("made")
    with Store(folder / "place.duckdb", clock=clock, key=to_key(KEY_TEXT)) as store:
        import_sources(store, people.the_map(), clock=clock)
        add_account(store, "chief", Role.ADMIN, password="a first password of it", clock=clock)
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with Store(tmp_path / "place.duckdb", clock=clock, key=to_key(KEY_TEXT)) as opened:
        yield opened


def find_canaries(text: str) -> list[str]:
    escaped = text.encode("ascii", "backslashreplace").decode()
    return [canary for canary in people.CANARIES if canary in text or json.dumps(canary)[1:-1] in escaped]


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {name: found for name, found in content(store).items() if name not in NOT_UNDONE}


def test_every_field_is_kept_as_the_guide_says(store: Store) -> None:
    report = import_sources(store, people.registers(), WITH, clock=clock)
    assert report.count("minors") == 1
    unit = rows(store, "units").set_index("room")
    assert (unit.loc["101", "owner_name"], unit.loc["101", "owner_phone"]) == (people.OWNER, people.PHONES[0])
    assert unit["has_minor"].isna()["101"]
    assert bool(unit.loc["201", "has_minor"])
    rental = rows(store, "rentals").iloc[0]
    assert (rental["landlord_name"], rental["landlord_phone"]) == (people.LANDLORD, people.PHONES[1])
    site = rows(store, "key_sites").iloc[0]
    assert (site["contact_name"], site["contact_phone"]) == (people.CONTACT, people.PHONES[2])
    incident = rows(store, "incidents").iloc[0]
    assert (incident["reporter_name"], incident["reporter_phone"]) == (people.CALLER, people.PHONES[3])
    assert len(incident["reporter_key"]) == 64
    assert incident["narrative"] == "诸**称邻居上**吵闹，电话***"
    assert incident["address_text"] == "1幢101室上**家"
    assert incident["unit_id"] == rental["unit_id"] == unit.loc["101", "unit_id"]
    found = rows(store, "occupants").set_index("name")
    assert set(found.index) == {people.ADULT, people.TENANT}
    adult, tenant = found.loc[people.ADULT], found.loc[people.TENANT]
    assert (adult["kind"], bool(adult["floating"]), adult["unit_id"]) == ("owner", False, unit.loc["101", "unit_id"])
    assert (tenant["kind"], bool(tenant["floating"]), tenant["unit_id"]) == ("tenant", True, unit.loc["201", "unit_id"])
    assert (tenant["phone"], str(tenant["moved_in_on"])[:10]) == (people.PHONES[5], "2024-01-15")
    # The page of erasures looks for persons by this very hash.
    expected = split_identity(people.ADULT_ID, get_key(store, "identity"))
    assert (adult["identity_last4"], adult["identity_hash"]) == expected
    sealed = store.read("SELECT * FROM sealed_texts ORDER BY column_name").to_dict("records")
    originals = [open_sealed(get_key(store, SEALED), row) for row in sealed]
    assert originals == [f"1幢101室{people.ADULT}家", people.NARRATIVE]


def test_the_same_file_again_changes_nothing_in_either_format(store: Store) -> None:
    import_sources(store, people.registers(), WITH, clock=clock)
    before = content(store)
    again = import_sources(store, people.registers(), WITH, clock=clock)
    assert again.nothing_new
    xlsx = import_sources(store, [people.occupants(name="实有人口.xlsx")], WITH, clock=clock)
    assert xlsx.nothing_new
    assert content(store) == before


def test_undo_takes_everything_back_seals_included(store: Store) -> None:
    before = everything(store)
    import_sources(store, people.registers(), WITH, clock=clock)
    assert everything(store) != before
    undone = undo_import(store, clock=clock)
    assert undone.tables["sealed_texts"] == 2
    assert everything(store) == before
    assert find_canaries(str(content(store))) == []


def test_nobody_is_in_a_report_a_batch_a_log_a_scene_or_a_byte_of_the_files(store: Store, tmp_path: Path) -> None:
    operations = LocalOperations(store, clock)
    report = operations.import_sources(people.registers(), WITH, lambda share, what: None)
    assert find_canaries(json.dumps(report, ensure_ascii=False)) == []
    for name in ("import_batches", "events", "audit_log", "revisions", "addresses"):
        assert find_canaries(str(rows(store, name).to_dict())) == [], name
    logged = store.read("SELECT detail FROM audit_log WHERE action = 'import'")["detail"].iloc[0]
    assert json.loads(logged)["with_persons"] is True
    assert json.loads(logged)["rows"]["occupants"] == 2
    wall = Viewer(Role.WALL)
    for name, scene in SCENES.items():
        assert find_canaries(scene.build(store, wall, "zh", {}).decode()) == [], name
    for viewer in (Viewer(Role.OFFICER), wall):
        shown = mask_frame(store.read("SELECT before, table_name FROM import_changes"), "import_changes", viewer, store)
        assert find_canaries(str(shown.to_dict())) == []
    # Numbers are nowhere in the store as it is read, names and telephones only in their own columns.
    whole = str(content(store))
    assert [i for i in (people.ADULT_ID, people.TENANT_ID, people.CHILD_ID, people.CHILD) if i in whole] == []
    store.close()
    for path in tmp_path.iterdir():
        held = path.read_bytes() if path.is_file() else b""
        found = [c for c in people.CANARIES for e in ("utf-8", "gb18030", "utf-16-le") if c.encode(e) in held]
        assert found == [], path.name


def test_masked_for_officers_absent_for_the_wall(store: Store) -> None:
    import_sources(store, people.registers(), WITH, clock=clock)
    unit_id = rows(store, "occupants")["unit_id"].iloc[0]
    shown = find_occupants(store, Viewer(Role.OFFICER), unit_id).iloc[0]
    assert shown["name"] in ("上**", "夏**")
    assert shown["identity_last4"] is None


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((people.ADULT, people.WRONG_ID, "", "1幢101室", "", "", ""), "identity number that cannot be one"),
        ((people.ADULT, "9.90099E+17", "", "1幢101室", "", "", ""), "identity number that cannot be one"),
        (("", "", people.PHONES[4], "1幢101室", "", "", ""), "neither a name nor an identity number"),
        ((people.ADULT, people.ADULT_ID, "", f"9幢999室{people.ADULT}", "", "", ""), "lead to no home"),
        ((people.ADULT, people.ADULT_ID, "", "1幢", "", "", ""), "this dwelling is not: import units first"),
    ],
)
def test_bad_rows_are_named_by_row_alone(store: Store, row: tuple[str, ...], sentence: str) -> None:
    before = content(store)
    with pytest.raises(ImportRefusedError, match=sentence) as caught:
        import_sources(store, [people.occupants([people.ROWS[1], row])], WITH, clock=clock)
    assert "row 3" in str(caught.value)
    assert find_canaries(str(caught.value) + json.dumps(caught.value.report.to_dict(), ensure_ascii=False)) == []
    assert content(store) == before
    skipping = ImportOptions(with_persons=True, skip_bad_rows=True)
    report = import_sources(store, [people.occupants([people.ROWS[1], row])], skipping, clock=clock)
    assert report.tables["occupants"].new == 1
    assert find_canaries(report.to_text()) == []


@pytest.mark.parametrize(
    ("column", "value", "is_minor"),
    [
        # The import happens on 2025-03-01, 12:00 in Shanghai.
        ("出生日期", "2011-03-02", True),
        ("出生日期", "2011-03-01", False),
        ("出生年月", "2011年04月", True),
        ("年龄", "13岁", True),
        ("年龄", "14", False),
    ],
)
def test_fourteen_is_the_border(store: Store, column: str, value: str, is_minor: bool) -> None:
    source = table("人口.csv", f"姓名,居住地址,{column}\n{people.CHILD},1幢101室,{value}\n")
    report = import_sources(store, [source], WITH, clock=clock)
    assert (report.count("minors"), len(rows(store, "occupants"))) == ((1, 0) if is_minor else (0, 1))
    unit = rows(store, "units").set_index("room").loc["101"]
    assert str(unit["has_minor"]) == ("True" if is_minor else "<NA>")
    assert (people.CHILD in str(content(store))) is not is_minor


def test_who_is_there_by_name_keeps_the_id_when_a_number_comes(store: Store) -> None:
    plain = table("人口.csv", f"姓名,居住地址\n{people.ADULT},1幢101室\n")
    import_sources(store, [plain], WITH, clock=clock)
    before = rows(store, "occupants")["occupant_id"].tolist()
    import_sources(store, [people.occupants(people.ROWS[:1])], WITH, clock=clock)
    after = rows(store, "occupants")
    assert after["occupant_id"].tolist() == before
    assert after["identity_last4"].tolist() == [people.ADULT_ID[-4:]]
    moved = (*people.ROWS[0][:3], "2幢201室", *people.ROWS[0][4:])
    import_sources(store, [people.occupants([moved])], WITH, clock=clock)
    assert rows(store, "occupants")["occupant_id"].tolist() == before


def test_a_name_that_becomes_known_is_masked_in_old_texts_and_stays_so(store: Store) -> None:
    call = table(
        "警情.csv",
        f"警情编号,警情类别,报警时间,警情地址,报警内容\nJ1,纠纷,2025-02-01 13:30,1幢101室,{people.TENANT}吵闹\n",
    )
    import_sources(store, [call], WITH, clock=clock)
    assert rows(store, "incidents")["narrative"].iloc[0] == f"{people.TENANT}吵闹"
    import_sources(store, [people.occupants()], WITH, clock=clock)
    import_sources(store, [call], WITH, clock=clock)
    assert rows(store, "incidents")["narrative"].iloc[0] == "夏**吵闹"
    # Its time was over, and the person is known no more: the same file brings neither original nor name back.
    store.write(lambda tx: tx.execute("sealed_texts", "DELETE FROM sealed_texts"))
    store.write(lambda tx: tx.execute("occupants", "DELETE FROM occupants"))
    assert import_sources(store, [call], WITH, clock=clock).nothing_new
    assert len(rows(store, "sealed_texts")) == 0


def test_another_text_that_looks_alike_when_masked_is_sealed_too(store: Store) -> None:
    head = "警情编号,警情类别,报警时间,警情地址,报警人,报警内容\n"
    for minute, name in enumerate(("诸葛测试丁", "诸葛测试辛", "诸葛测试辛")):
        call = f"J1,纠纷,2025-02-01 13:30,1幢101室,{name},{name}报警\n"
        at = partial(NOW.replace, minute=minute)
        report = import_sources(store, [table("警情.csv", head + call)], WITH, clock=at)
    assert report.nothing_new
    sealed = store.read("SELECT * FROM sealed_texts").to_dict("records")
    originals = {open_sealed(get_key(store, SEALED), row) for row in sealed}
    assert originals == {"诸葛测试丁报警", "诸葛测试辛报警"}
    # A name longer than any mask is believed to hide: when its original is gone it does not come back all the same.
    long = "Maria Alexandra Johanna Katharina von Beispielhausen"
    call = f"J2,纠纷,2025-02-01 13:30,1幢101室,{long},{long}报警\n"
    import_sources(store, [table("警情.csv", head + call)], WITH, clock=clock)
    assert rows(store, "incidents")["narrative"].tolist()[1] == "M**报警"
    store.write(lambda tx: tx.execute("sealed_texts", "DELETE FROM sealed_texts"))
    assert import_sources(store, [table("警情.csv", head + call)], WITH, clock=clock).nothing_new


@pytest.mark.parametrize(
    ("masked", "text", "expected"),
    [
        ("张**报警", "张三丰报警", True),
        ("电话***", "电话13900001111", True),
        ("***", "13900001111", True),
        ("张**报警", "李四报警", False),
        ("张**和李**", "张三和王五", False),
        ("张**", "张三" + "很" * 50, False),
        ("无", "无", True),
        ("无", "有", False),
    ],
)
def test_a_masked_text_is_known_again(masked: str, text: str, expected: bool) -> None:
    assert is_masked_form(masked, text) is expected


def test_callers_whose_time_is_over_do_not_come_in(store: Store) -> None:
    old = table(
        "警情.csv",
        "警情编号,警情类别,报警时间,警情地址,报警人,报警电话,报警内容\n"
        f"J0,纠纷,2020-02-01 13:30,1幢101室,{people.CALLER},{people.PHONES[3]},{people.NARRATIVE}\n",
    )
    report = import_sources(store, [old], WITH, clock=clock)
    assert report.count("caller_over") == 1
    assert find_canaries(str(content(store)).replace(people.ADULT, "")) == []
    assert len(rows(store, "sealed_texts")) == 0


def test_before_holds_persons_only_where_they_change(store: Store) -> None:
    import_sources(store, people.registers(), WITH, clock=clock)
    area = table("units.csv", "楼栋,室号,面积\n1幢,101,88\n")
    import_sources(store, [area], clock=clock)
    kept = store.read("SELECT before FROM import_changes WHERE table_name = 'units' ORDER BY batch_id")["before"].iloc[
        -1
    ]
    assert "owner_name" not in json.loads(kept)
    phone = table("units.csv", f"楼栋,室号,业主姓名,联系电话\n1幢,101,{people.OWNER},{people.PHONES[1]}\n")
    import_sources(store, [phone], WITH, clock=clock)
    everywhere = str(rows(store, "import_changes").to_dict())
    assert people.PHONES[0] in everywhere  # else it could not be taken back
    person = Person(people.OWNER, people.PHONES[0])
    _erase(store, person)
    assert people.PHONES[0] not in str(content(store))
    undo_import(store, clock=clock)
    undo_import(store, clock=clock)
    unit = rows(store, "units").set_index("room").loc["101"]
    assert unit["area_m2"] != 88
    assert people.OWNER not in str(rows(store, "units").to_dict())


def _erase(store: Store, person: Person) -> None:
    """Erase with the approval of a second person."""
    one, two = (
        add_account(store, name, Role.COMMANDER, password="a first password of it", clock=clock).to_viewer()
        for name in ("one", "two")
    )
    asked = ask(store, one, "erase_person", build_subject(store, person), "asked for by themselves", clock=clock)
    decide(store, two, asked.approval_id, approved=True, clock=clock)
    erase_person(store, one, person, asked.approval_id, clock=clock)


def test_what_no_field_takes_is_left_out(store: Store) -> None:
    units = table(
        "units.csv",
        f"楼栋,室号,业主姓名,姓名,其他,用途\n1幢,101,{people.OWNER},{people.ADULT},{people.ADULT_ID},住宅{people.PHONES[4]}\n",
    )
    rental = table(
        "出租屋.csv", f"出租屋地址,承租人,联系电话\n1幢101室{people.PHONES[5]},{people.TENANT},{people.PHONES[4]}\n"
    )
    report = import_sources(store, [units, rental], WITH, clock=clock)
    assert report.count("person_column") == 4
    assert report.count("number_in_cell") == 2
    assert find_canaries(str(content(store)).replace(people.OWNER, "")) == []
    assert rows(store, "rentals")["address_text"].iloc[0] == "1幢101室***"


def test_an_identity_number_used_as_a_number_of_the_record_is_not_kept(store: Store) -> None:
    source = table(
        "人口.csv", f"编号,姓名,居住地址\n{people.ADULT_ID},{people.ADULT},1幢101室\nP7,{people.TENANT},1幢101室\n"
    )
    import_sources(store, [source], WITH, clock=clock)
    assert set(rows(store, "occupants")["source_key"].dropna()) == {"P7"}
    assert people.ADULT_ID not in str(content(store))


# Who may


def test_without_the_option_both_ways_out_are_named(store: Store) -> None:
    before = content(store)
    with pytest.raises(RefusedError) as caught:
        import_sources(store, people.registers(), clock=clock)
    for word in ("--drop-persons", "--with-persons", "实有人口.csv", "报警人"):
        assert word in str(caught.value)
    assert find_canaries(str(caught.value)) == []
    assert content(store) == before
    report = import_sources(store, people.registers(), ImportOptions(drop_persons=True), clock=clock)
    assert report.count("occupants") == 3
    assert find_canaries(str(content(store)) + report.to_text()) == []
    with pytest.raises(RefusedError, match="not both"):
        import_sources(store, [], ImportOptions(drop_persons=True, with_persons=True), clock=clock)


def test_a_store_has_to_be_real_encrypted_and_administered(tmp_path: Path) -> None:
    def refusal(store: Store) -> str:
        before = content(store)
        with pytest.raises(RefusedError) as caught:
            import_sources(store, people.registers(), WITH, clock=clock)
        assert content(store) == before
        return str(caught.value)

    def make(store: Store, *, synthetic: bool) -> None:
        columns = "community_id, name, crs, synthetic, boundary_source"
        sql = f"INSERT INTO community ({columns}) VALUES ('c', 'x', 'EPSG:4549', ?, 'file')"
        store.write(lambda tx: tx.execute("community", sql, [synthetic]))

    with Store(tmp_path / "empty.duckdb", clock=clock) as store:
        assert "shapan import FOLDER --drop-persons --store empty" in refusal(store)
        make(store, synthetic=True)
        assert "synthetic sample" in refusal(store)
    with Store(tmp_path / "plain.duckdb", clock=clock) as store:
        make(store, synthetic=False)
        assert "shapan encrypt --store plain" in refusal(store)
    with Store(tmp_path / "bare.duckdb", clock=clock, key=to_key(KEY_TEXT)) as store:
        make(store, synthetic=False)
        assert "shapan user add NAME --role admin --store bare" in refusal(store)
        assert not (tmp_path / "bare.secret").exists()


@pytest.mark.parametrize("name", ["实有人口.csv", "实有人口.xlsx"])
def test_a_file_without_a_header_line_shows_nobody(store: Store, name: str) -> None:
    with_header = people.occupants(name=name)
    if name.endswith(".csv"):
        source = SourceFile(name, with_header.data.split(b"\n", 1)[1])
    else:
        import io

        import openpyxl

        book = openpyxl.load_workbook(io.BytesIO(with_header.data))
        book.worksheets[0].delete_rows(1)
        buffer = io.BytesIO()
        book.save(buffer)
        source = SourceFile(name, buffer.getvalue())
    with pytest.raises(BadFileError, match="the first line is no header") as caught:
        import_sources(store, [source], WITH, clock=clock)
    assert find_canaries(str(caught.value)) == []


def test_today_is_the_day_of_the_import_in_shanghai(store: Store) -> None:
    born = people.identity("20110302", 9)
    source = people.occupants([(people.ADULT, born, "", "1幢101室", "", "", "")])
    late = datetime(2025, 3, 1, 16, 0, tzinfo=UTC)  # midnight of the second of March
    assert import_sources(store, [source], WITH, clock=lambda: late).count("minors") == 0
