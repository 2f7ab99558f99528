"""`python -m bench`: run the benchmarks and write docs/benchmarks.md; the figures themselves go beside it as JSON."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from bench import (
    bench_addresses,
    bench_dispatch,
    bench_encryption,
    bench_first_frame,
    bench_hotspots,
    bench_import,
    bench_live,
    bench_statistics,
)
from bench.places import make_places
from bench.replicated import ROOT, SIDE
from bench.report import WRITERS, write_page
from tests.browser.conftest import find_chromium

PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / "docs" / "benchmarks.json"

Figures = dict[str, Any]


def run_part(part: str, *, side: int, rounds: int) -> Figures:
    """Figures of one part, with the load that it was measured under."""
    loads = [os.getloadavg()[0]]
    work: dict[str, Callable[[], Figures]] = {
        "addresses": lambda: dict(bench_addresses.run()),
        "dispatch": lambda: dict(bench_dispatch.run()),
        "encryption": lambda: dict(bench_encryption.run()),
        "hotspots": lambda: dict(bench_hotspots.run()),
        "import": lambda: dict(bench_import.run(side=side, rounds=rounds)),
        "statistics": lambda: dict(bench_statistics.run()),
    }
    if part in work:
        figures = work[part]()
    else:
        with make_places(side=side) as places:
            loads = [os.getloadavg()[0]]
            if part == "live":
                figures = {"places": bench_live.run(places)}
            else:
                figures = {"visits": bench_first_frame.run(places, rounds=rounds)}
    loads.append(os.getloadavg()[0])
    return {"load": sum(loads) / len(loads), **figures}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks against peers.")
    parser.add_argument("--only", choices=list(WRITERS), action="append", help="this part; may be given again")
    parser.add_argument("--side", type=int, default=SIDE, help="copies of the real community along one side")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions of a visit or an import")
    parser.add_argument("--write", action="store_true", help="write the page also when only parts are run")
    asked = parser.parse_args()
    parts = asked.only or list(WRITERS)
    results: dict[str, Figures] = json.loads(KEPT.read_text(encoding="utf-8")) if asked.only and KEPT.exists() else {}
    said = subprocess.run([find_chromium(), "--version"], capture_output=True, text=True, check=True).stdout
    browser = said.split(" built")[0].strip()
    for part in parts:
        print(f"{part} …", file=sys.stderr, flush=True)
        results[part] = run_part(part, side=asked.side, rounds=asked.rounds)
        print(json.dumps({part: results[part]}, indent=1, ensure_ascii=False), flush=True)
        if asked.only is None or asked.write:
            KEPT.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            PAGE.write_text(write_page(results, browser), encoding="utf-8")


if __name__ == "__main__":
    main()
