"""
`python -m bench.patrol FILE…`: the patrol's search on published orienteering and team-orienteering instances.

One line of CSV a file: `file,routes,score,length,seconds`. Routes are the places in order, counted from 0 as they stand
in the file, one path after the other: `0 7 4 1;0 3 1`. Score and length are added up anew from the file's figures.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.orienteering import Instance, read_instance
from gis.errors import ShapanError
from incidents.team_routes import Errand, Walker, find_team_routes

_SEED = 1
_TOLERANCE = 1e-9


def solve(instance: Instance, *, seconds: float) -> tuple[list[list[int]], float, float]:
    """Routes, score and length of the best plan found."""
    gaps = instance.xy[:, None, :] - instance.xy[None, :, :]
    length = np.hypot(gaps[..., 0], gaps[..., 1])
    inner = [n for n, score in enumerate(instance.scores) if score > 0 and n not in {instance.start, instance.end}]
    within = [n for n in inner if length[instance.start, n] + length[n, instance.end] <= instance.tmax + _TOLERANCE]
    errands = [Errand(place=n, worth=float(instance.scores[n])) for n in within]
    walker = Walker(start=instance.start, end=instance.end, from_s=0.0, to_s=instance.tmax)
    plan = find_team_routes(
        {"foot": length}, errands, [walker] * instance.paths, seconds=seconds, rng=np.random.default_rng(_SEED)
    )
    routes = [[instance.start, *(within[call.errand] for call in route), instance.end] for route in plan.routes]
    if length[instance.start, instance.end] > instance.tmax + _TOLERANCE:
        routes = []  # not even the straight way fits
    score = math.fsum(float(instance.scores[n]) for n in {n for route in routes for n in route})
    total = math.fsum(float(length[a, b]) for route in routes for a, b in pairwise(route))
    return routes, score, total


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 when a file could not be read; the others are solved all the same."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        prog="python -m bench.patrol", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an instance, or a folder of them (*.txt)")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to search on each (default 0.5)")
    asked = parser.parse_args(arguments)
    files = [inner for path in asked.files for inner in (sorted(path.glob("*.txt")) if path.is_dir() else [path])]
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["file", "routes", "score", "length", "seconds"])
    failed = False
    for path in files:
        try:
            instance = read_instance(path)
        except ShapanError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        began = time.perf_counter()
        routes, score, length = solve(instance, seconds=asked.seconds)
        seconds = time.perf_counter() - began
        listed = ";".join(" ".join(map(str, route)) for route in routes)
        out.writerow([path.name, listed, f"{score:g}", f"{length:.6f}", f"{seconds:.3f}"])
        sys.stdout.flush()
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
