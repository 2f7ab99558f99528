"""Real incidents of a city as a store of their own, each part of the commander's page; a CSV of a million rows."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from bench.processes import read_memory_mb
from bench.replicated import ROOT
from data.store import Store
from data.viewer import Role, Viewer
from ui.command_data import Question, find_situation
from ui.command_links import find_links
from ui.command_methods_data import METHODS, find_method
from ui.command_repeats_data import BYS, find_board

_SHOOTINGS = Path("incidents") / "nyc_shootings_2006_2023H1.csv.gz"
_QUESTION = Question(52)
_COMMANDER = Viewer(Role.COMMANDER)


def measure_city() -> dict[str, float] | None:
    """Processor seconds of each part of the page by its name; None where the real files are not at hand."""
    source = Path(os.environ.get("SHAPAN_TEST_DATA", "")) / _SHOOTINGS
    if not source.is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rows = pd.read_csv(source).dropna().drop_duplicates("key")
        time_of_each = rows["date"] + " " + rows["time"]
        incidents = pd.DataFrame({"id": rows["key"].astype(str), "category": "shooting", "time": time_of_each})
        incidents.assign(lon=rows["lon"], lat=rows["lat"]).to_csv(home / "incidents.csv", index=False)
        _run(home, "import", str(home / "incidents.csv"), "--store", "city", "--name", "New York")
        with Store(home / "city.duckdb") as store:
            return _time_all(store)


def _time_all(store: Store) -> dict[str, float]:
    work = {
        "what changed, hot cells, fresh cluster": lambda: find_situation(store, _COMMANDER, _QUESTION),
        **{f"method {one}": lambda one=one: find_method(store, _COMMANDER, _QUESTION, one) for one in METHODS},
        **{f"repeats by {one}": lambda one=one: find_board(store, _COMMANDER, _QUESTION, one) for one in BYS},
        "chains": lambda: find_links(store, _COMMANDER, _QUESTION, 200.0, 14.0),
    }
    taken = {}
    for name, ask in work.items():
        begin = time.process_time()
        ask()
        taken[name] = time.process_time() - begin
    return taken


def measure_million() -> dict[str, float]:
    """Most memory (MB) and processor seconds of `shapan analyse gi-star --json` on a CSV of a million places."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        table = pd.DataFrame(rng.uniform(0, 20_000, (1_000_000, 2)).round(2), columns=["x", "y"])
        table.assign(value=rng.poisson(0.5, 1_000_000)).to_csv(home / "million.csv", index=False)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # The system's own figure of a child's most memory begins with ours, from before it was another program.
        most_mb = _run(home, "analyse", "gi-star", "--csv", str(home / "million.csv"), "--band", "30", "--json")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"memory_mb": most_mb, "used_s": used_s}


def _run(home: Path, *arguments: str) -> float:
    """Run `shapan` and return its most memory, MB."""
    environment = {**os.environ, "SHAPAN_HOME": str(home), "SHAPAN_STORE": ""}
    command = [sys.executable, "-m", "cli", *arguments]
    most_mb = 0.0
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                most_mb = max(most_mb, read_memory_mb(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return most_mb
