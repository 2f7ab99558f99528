"""The two places that are measured, each in a home of its own: the sample, and 20,000 real buildings."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.replicated import SIDE, find_buildings_file, write_replicated
from data.store import Store
from tests.fixtures.serving import run_shapan


@dataclass(frozen=True)
class Place:
    """A store that can be served."""

    name: str
    home: Path
    store: str
    buildings: int


@contextmanager
def make_places(*, side: int = SIDE) -> Iterator[list[Place]]:
    """The sample and, where the real files are, `side` x `side` copies of them; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="shapan-bench-") as folder:
        home = Path(folder)
        _run(home, "demo", "--store", "demo")
        places = [Place("sample", home, "demo", _count(home, "demo"))]
        source = find_buildings_file()
        if source is not None:
            files = home / "files"
            files.mkdir()
            write_replicated(source, files, side=side)
            _run(home, "import", str(files), "--store", "real", "--name", "Replicated")
            _open_to_all(home / "real.duckdb")
            places.append(Place("replicated", home, "real", _count(home, "real")))
        yield places


def _open_to_all(path: Path) -> None:
    """Call the real place synthetic, as it is served without a sign-in only then; no sign-in is measured here."""
    with Store.open_existing(path) as store:
        store.write(lambda tx: tx.execute("community", "UPDATE community SET synthetic = true"))


def _run(home: Path, *arguments: str) -> str:
    done = run_shapan(home, *arguments, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _count(home: Path, store: str) -> int:
    return int(json.loads(_run(home, "info", "--store", store, "--json"))["buildings"])
