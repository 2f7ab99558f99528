"""The server's log: machine-readable, bounded, and without a person whatever somebody logs."""

from __future__ import annotations

import json
import logging
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import BadRecordError
from server import logs
from server.logs import adopt_loggers, describe_error, get_log_path, open_logs, to_entry

PERSON = "张三丰"
Write = Callable[[], list[dict[str, object]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return get_log_path(tmp_path, "small")


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_object_a_line_with_the_fields_that_were_named(path: Path) -> None:
    with open_logs(path):
        logging.getLogger("server.watch").info("request", extra={"fields": {"route": "/events", "status": 200}})
    (entry,) = read(path)
    assert str(entry.pop("time")).endswith("+00:00")
    assert entry == {"level": "info", "logger": "server.watch", "message": "request", "route": "/events", "status": 200}


def test_values_in_sentences_and_texts_of_errors_stay_out(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_logs(path):
        log = logging.getLogger("data.importing")
        log.warning("Row of %s cannot be used.", PERSON)
        try:
            try:
                int(PERSON)
            except ValueError as error:
                raise BadRecordError(f"Occupant '{PERSON}' is refused.") from error
        except BadRecordError:
            log.exception("A page failed for %s.", PERSON)
        logging.getLogger("somebody.else").error(f"their sentence names {PERSON}")
    kept, shown = path.read_text(encoding="utf-8"), capsys.readouterr().err
    assert PERSON not in kept + shown
    first, second, third = read(path)
    assert first["message"] == "Row of %s cannot be used."
    error = second["error"]
    assert isinstance(error, dict)
    assert (error["kind"], error["cause"]) == ("gis.errors.BadRecordError", "ValueError")
    assert error["frames"][-1].endswith("test_values_in_sentences_and_texts_of_errors_stay_out")
    assert "message" not in third
    assert "Traceback (without values):" in shown  # a defect is seen as one on standard error


def test_other_packages_are_heard_only_when_something_fails(path: Path) -> None:
    with open_logs(path):
        logging.getLogger("otherpackage.heard").warning("noise")
        logging.getLogger("server").debug("noise")
        logging.getLogger("otherpackage.heard").error("trouble")
    assert [entry["logger"] for entry in read(path)] == ["otherpackage.heard"]


def test_what_other_packages_print_by_themselves_goes_through_ours(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = logging.getLogger("otherpackage.pages")
    theirs.propagate = False
    theirs.addHandler(logging.StreamHandler(sys.stderr))
    theirs.setLevel(logging.CRITICAL)
    with open_logs(path):
        adopt_loggers("otherpackage")
        try:
            int(PERSON)
        except ValueError:
            theirs.exception("Uncaught: %s", PERSON)
    shown = capsys.readouterr().err
    assert PERSON not in shown + path.read_text(encoding="utf-8")
    assert shown.count("Traceback (without values):") == 1
    (entry,) = read(path)
    assert (entry["logger"], entry["level"]) == ("otherpackage.pages", "error")


def test_is_for_its_owner_only_and_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES", 2000)
    with open_logs(path):
        for number in range(400):
            logging.getLogger("server").info("request", extra={"fields": {"number": number}})
    files = sorted(path.parent.iterdir())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in files] == ["small.jsonl", *(f"small.jsonl.{n}" for n in range(1, logs.LOGS_KEPT + 1))]
    assert all(file.stat().st_size <= 2000 for file in files)
    assert read(path)[-1]["number"] == 399


def test_leaves_logging_as_it_was(path: Path) -> None:
    before = (list(logging.getLogger().handlers), logging.getLogger("server").level)
    with open_logs(path):
        assert (list(logging.getLogger().handlers), logging.getLogger("server").level) != before
    assert (list(logging.getLogger().handlers), logging.getLogger("server").level) == before


def test_a_full_disk_is_said_once_and_stops_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")  # the kernel's own: every write finds no space
    if not full.exists():
        pytest.skip("There is no /dev/full on this system.")
    path.parent.mkdir()
    path.symlink_to(full)
    with open_logs(path):
        for _ in range(5):
            logging.getLogger("server").info("request")
    assert capsys.readouterr().err.count("cannot be written") == 1


@given(name=st.text(min_size=1), value=st.one_of(st.text(), st.integers(), st.binary(), st.none()))
def test_whatever_is_logged_is_one_line_of_json(name: str, value: object) -> None:
    record = logging.LogRecord(f"server.{name}", logging.INFO, "x.py", 1, "said %s", (value,), None)
    line = logs._JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "said %s"
    assert to_entry(record)["logger"] == f"server.{name}"


def test_frames_do_not_say_where_it_is_installed() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        frames = describe_error(error)["frames"]
    assert isinstance(frames, list)
    assert not any(sys.prefix in frame or str(Path.home()) in frame for frame in frames[1:])
    assert frames[-1].startswith("json/")
