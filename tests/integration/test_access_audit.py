"""The log of looks and changes: whatever is done to a row is found, and so is a row that is gone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.audit import AuditReport, Entry, build_entry, get_head_path, get_key_path, record, verify, write_audited
from data.store import Store, Transaction
from data.viewer import Role, Viewer
from gis.errors import AuditBrokenError, BadFileError
from tests.fixtures.access import Clock

ROWS = 6
COLUMNS = (
    *("seq", "at_utc", "actor", "account_id", "role", "address", "action", "subject_kind", "subject_id", "reason"),
    *("detail", "previous_hash", "row_hash"),
)


@pytest.fixture
def log(access_store: Store, clock: Clock) -> Store:
    """Six rows, each a minute after the one before."""
    for number in range(ROWS):
        viewer = Viewer(Role.OFFICER, account_id=f"a{number}", name=f"officer{number}")
        entry = build_entry(viewer, "look", subject_kind="unit", subject_id=f"u{number}", detail={"n": number})
        record(access_store, entry, clock=clock)
        clock.move(minutes=1)
    return access_store


def tamper(store: Store, *statements: str) -> None:
    """What somebody does who can write the file."""
    store.write(lambda tx: [tx.execute("audit_log", sql) for sql in statements])


def test_a_log_that_nobody_touched_is_whole(log: Store) -> None:
    report = verify(log)
    assert report.is_whole
    assert (report.rows, report.first_bad_seq, report.problem, report.went_back) == (ROWS, None, "", 0)
    assert report.to_dict()["is_whole"] is True
    head = json.loads(get_head_path(log.path).read_text(encoding="ascii"))
    assert head["seq"] == ROWS
    for path in (get_head_path(log.path), get_key_path(log.path)):
        assert path.stat().st_mode & 0o077 == 0, "for its owner only"


def test_an_empty_log_is_whole(access_store: Store) -> None:
    assert verify(access_store).is_whole


def verify_after(store: Store, *statements: str) -> AuditReport:
    """What verifying finds after tampering; then every row is as it was again."""
    rows = store.read("SELECT * FROM audit_log ORDER BY seq")
    tamper(store, *statements)
    report = verify(store)
    store.write(lambda tx: [tx.execute("audit_log", "DELETE FROM audit_log"), tx.append("audit_log", rows)])
    assert verify(store).is_whole
    return report


def test_changing_any_field_of_any_row_is_found(log: Store) -> None:
    new = {"seq": "seq + 100", "at_utc": "at_utc + INTERVAL 1 MICROSECOND"}
    for seq in (1, 3, ROWS):
        for column in COLUMNS:
            value = new.get(column, f"coalesce({column}, '') || '0'")
            report = verify_after(log, f"UPDATE audit_log SET {column} = {value} WHERE seq = {seq}")
            assert not report.is_whole, column
            assert report.first_bad_seq in (seq, seq + 1), column


def test_emptying_a_field_is_found(log: Store) -> None:
    for column in ("account_id", "role", "subject_id", "address", "reason"):
        sql = f"UPDATE audit_log SET {column} = CASE WHEN {column} IS NULL THEN '' END WHERE seq = 2"
        assert verify_after(log, sql).first_bad_seq == 2, column


def test_removing_any_row_is_found(log: Store) -> None:
    for seq in range(1, ROWS + 1):
        report = verify_after(log, f"DELETE FROM audit_log WHERE seq = {seq}")
        assert report.first_bad_seq == seq
        assert "missing" in report.problem


@pytest.mark.parametrize("left", [0, 3, 5])
def test_cutting_off_the_end_is_found_also_after_more_was_written(log: Store, clock: Clock, left: int) -> None:
    tamper(log, f"DELETE FROM audit_log WHERE seq > {left}")
    assert verify(log).first_bad_seq == left + 1
    record(log, Entry("look", "later"), clock=clock)
    report = verify(log)
    assert report.first_bad_seq == left + 1
    assert f"row {left + 1} is missing" in report.problem


def test_moving_rows_is_found(log: Store) -> None:
    for one, other in ((1, 2), (2, 5), (5, 6)):
        report = verify_after(
            log,
            f"UPDATE audit_log SET seq = 1000 WHERE seq = {one}",
            f"UPDATE audit_log SET seq = {one} WHERE seq = {other}",
            f"UPDATE audit_log SET seq = {other} WHERE seq = 1000",
        )
        assert report.first_bad_seq == one


def test_removing_a_row_and_counting_anew_is_found(log: Store) -> None:
    tamper(log, "DELETE FROM audit_log WHERE seq = 3", "UPDATE audit_log SET seq = seq - 1 WHERE seq > 3")
    assert verify(log).first_bad_seq == 3


def test_a_row_that_was_put_in_is_found(log: Store) -> None:
    tamper(log, "INSERT INTO audit_log SELECT * REPLACE (7 AS seq, 'somebody' AS actor) FROM audit_log WHERE seq = 6")
    assert verify(log).first_bad_seq == 7


def test_taking_the_head_away_is_found_also_after_more_was_written(log: Store, clock: Clock) -> None:
    tamper(log, "DELETE FROM audit_log WHERE seq > 4")
    get_head_path(log.path).unlink()
    assert "the head demo.audit.head is gone" in verify(log).problem
    record(log, Entry("look", "later"), clock=clock)
    report = verify(log)
    assert report.first_bad_seq == 5
    assert "when row 5 was written the head was gone" in report.problem


@pytest.mark.parametrize("change", [{"seq": 4}, {"row_hash": "0" * 64}, {"mac": "0" * 64}])
def test_a_head_that_was_written_by_another_is_found(log: Store, change: dict[str, object]) -> None:
    path = get_head_path(log.path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="ascii")) | change), encoding="ascii")
    assert "not as it was written" in verify(log).problem


def test_an_older_head_and_the_log_of_that_time_are_found_by_nobody_but_an_export(log: Store, clock: Clock) -> None:
    """
    The limit that data/audit.py names: whoever can put back the head as well puts back the whole past. The hash of the
    newest row, exported before and kept elsewhere, is what tells.
    """
    old_head = get_head_path(log.path).read_text(encoding="ascii")
    exported = json.loads(old_head)["row_hash"]
    record(log, Entry("look", "later"), clock=clock)
    kept_elsewhere = json.loads(get_head_path(log.path).read_text(encoding="ascii"))["row_hash"]
    tamper(log, f"DELETE FROM audit_log WHERE seq > {ROWS}")
    get_head_path(log.path).write_text(old_head, encoding="ascii")
    assert verify(log).is_whole
    assert kept_elsewhere != exported
    assert log.read("SELECT row_hash FROM audit_log WHERE row_hash = ?", [kept_elsewhere]).empty


def test_without_its_key_nothing_is_written_and_nothing_done(log: Store, clock: Clock) -> None:
    path = get_key_path(log.path)
    key = path.read_bytes()
    path.unlink()
    with pytest.raises(AuditBrokenError, match=r"its key .*demo\.audit\.key is gone\. Bring it back from a backup"):
        write_audited(log, touch_aliases, lambda _: [Entry("change", "x")], clock=clock)
    assert log.read("SELECT * FROM aliases").empty
    assert "the key demo.audit.key is gone" in verify(log).problem
    path.write_bytes(key[:10])
    with pytest.raises(BadFileError, match=r"The secret .* has 5 bytes, expected 32"):
        record(log, Entry("look", "x"), clock=clock)
    path.write_bytes(b"\xff" * 65)
    with pytest.raises(BadFileError, match="cannot be read"):
        record(log, Entry("look", "x"), clock=clock)
    path.write_bytes(b"0" * 64 + b"\n")
    assert verify(log).first_bad_seq == 1, "another key"
    path.write_bytes(key)
    assert verify(log).is_whole


def touch_aliases(transaction: Transaction) -> None:
    transaction.execute("aliases", "INSERT INTO aliases VALUES ('a', 'b', 'zone')")


def test_work_and_its_row_come_together_or_not_at_all(log: Store, clock: Clock) -> None:
    def fail(_: Transaction) -> None:
        raise KeyError("own error")

    with pytest.raises(KeyError, match="own error"):
        write_audited(log, fail, lambda _: [Entry("change", "x")], clock=clock)

    def fail_to_describe(_: None) -> list[Entry]:
        raise KeyError("another")

    with pytest.raises(KeyError, match="another"):
        write_audited(log, touch_aliases, fail_to_describe, clock=clock)
    assert log.read("SELECT * FROM aliases").empty
    assert verify(log).rows == ROWS


def test_many_threads_write_one_chain(log: Store, clock: Clock) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: record(log, Entry("look", f"thread{n}"), clock=clock), range(24)))
    report = verify(log)
    assert (report.is_whole, report.rows) == (True, ROWS + 24)
    assert json.loads(get_head_path(log.path).read_text(encoding="ascii"))["seq"] == ROWS + 24


def test_a_clock_that_was_set_back_is_told_but_breaks_nothing(log: Store, clock: Clock) -> None:
    clock.move(days=-1)
    record(log, Entry("look", "x"), clock=clock)
    report = verify(log)
    assert (report.is_whole, report.went_back) == (True, 1)


def test_a_kill_between_commit_and_head_is_no_damage(log: Store, clock: Clock) -> None:
    head = get_head_path(log.path).read_bytes()
    record(log, Entry("look", "x"), clock=clock)
    get_head_path(log.path).write_bytes(head)  # as if the process had ended before it wrote the new one
    assert verify(log).is_whole
    record(log, Entry("look", "y"), clock=clock)
    assert verify(log).is_whole


def test_the_log_is_whole_after_the_store_was_opened_again(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        with Store(tmp_path / "demo.duckdb", clock=clock) as store:
            record(store, Entry("look", "x", reason="理由，含\"引号\"与'撇号'\n换行"), clock=clock)
            assert verify(store).rows == number + 1
            assert verify(store).is_whole


def test_what_is_not_to_be_logged_is_a_defect() -> None:
    with pytest.raises(ValueError, match="Action 'looked' is not logged"):
        Entry("looked", "x")


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actor=text, reason=st.none() | text, detail=st.dictionaries(text, st.none() | st.integers() | text, max_size=3))
def test_any_text_keeps_the_chain(
    access_store: Store, clock: Clock, actor: str, reason: str | None, detail: dict[str, object]
) -> None:
    record(access_store, Entry("change", actor, reason=reason, detail=detail), clock=clock)
    assert verify(access_store).is_whole
