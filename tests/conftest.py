"""What every test may use: where the real data are, the sample, and how stores are made quickly."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from data import database
from data.keys import StoreKey
from data.migrating import Migration, find_migrations
from data.store import Store
from sample import SampleCommunity, build_community, write_sample
from tests.fixtures.access import village_file
from tests.fixtures.intake import intake_file

__all__ = ["intake_file", "village_file"]  # once a run, whoever asks: an imported fixture is each module's own
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real files; absent on a user's machine it skips loudly, in CI it fails."""
    folder = Path(os.environ.get("SHAPAN_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        message = f"No real data at {folder}: set SHAPAN_TEST_DATA to the folder that holds real_community/."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def sample_community() -> SampleCommunity:
    """The seeded sample, built once a run: tables with the schema's columns, and what was planted in them."""
    return build_community()


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`demo.duckdb` with the sample and `demo.truth.json` beside it, made once for all workers: to be copied."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "sample-file"
    folder.mkdir(exist_ok=True)
    path, made = folder / "demo.duckdb", folder / "made"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with Store(path) as store:
                write_sample(store, folder / "demo.truth.json")
            made.touch()
    return path


@pytest.fixture(scope="session")
def sample_store(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The sample, open: for tests that only read."""
    with Store(Path(shutil.copy(sample_file, tmp_path_factory.mktemp("sample")))) as store:
        yield store


@pytest.fixture(scope="session", autouse=True)
def blank_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    The first new store of each key runs the migrations, the next ones are a copy of it: there are a thousand.

    Older files, and migrations that a test brings itself, run as always.
    """
    kept: dict[StoreKey | None, Path] = {}
    migrate = database._migrate
    ours = find_migrations()

    def copy_or_migrate(
        work: Path, pending: Sequence[Migration], clock: Callable[[], datetime], key: StoreKey | None
    ) -> None:
        if tuple(pending) != ours:
            migrate(work, pending, clock, key)
        elif key in kept:
            shutil.copyfile(kept[key], work)
        else:
            migrate(work, pending, clock, key)
            kept[key] = tmp_path_factory.mktemp("blank") / "blank.duckdb"
            shutil.copyfile(work, kept[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_migrate", copy_or_migrate)
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded stays: Streamlit collects after each drawing of a page, and need not walk through all of it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """A store that is thrown away needs no log folded in: that is a tenth of a second, a thousand times."""
    fold_log, database.fold_log = database.fold_log, lambda *_: True
    try:
        return (yield)
    finally:
        database.fold_log = fold_log


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Lines that were run, by package: said here, so that the runner's own closing line stays the last."""
    merged = Path(os.environ.get("SLIPCOVER_COVERAGE_DIR", "")) / "merged.json"
    if not merged.is_file():
        return
    run: dict[str, list[int]] = {}
    for name, lines in json.loads(merged.read_text(encoding="utf-8"))["files"].items():
        counts = run.setdefault(Path(name).parts[0], [0, 0])
        counts[0] += len(lines["executed_lines"])
        counts[1] += len(lines["executed_lines"]) + len(lines["missing_lines"])
    counts = [sum(column) for column in zip(*run.values(), strict=True)]
    terminalreporter.section("coverage by line")
    for name, (ran, of) in [*sorted(run.items()), ("all", counts)]:
        terminalreporter.write_line(f"{name:10} {ran:7} of {of:7} {100 * ran / max(of, 1):5.1f} %")
