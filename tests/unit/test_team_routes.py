"""The search behind patrols: proven optima, brute force, and what cannot be done."""

from __future__ import annotations

import csv
import io
import json
import math
from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pytest

from bench import patrol
from bench.orienteering import read_instance
from gis.errors import BadFileError
from incidents.team_routes import Errand, ImpossiblePlanError, Walker, find_team_routes

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def distances(xy: Matrix) -> Matrix:
    return np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1])


def test_proven_optima_are_reached(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Optima of Tsiligirides' first problem, proven: tsiligirides_1_proven_optima.json beside the instances."""
    folder = real_data / "orienteering"
    optima = {
        row["file"]: row["optimal_score"]
        for row in json.loads((folder / "tsiligirides_1_proven_optima.json").read_text())
    }
    assert patrol.main([str(folder / "Tsiligirides_1"), "--seconds", "0"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["file"] for row in rows} == set(optima)
    assert {row["file"]: float(row["score"]) for row in rows} == optima
    for row in rows:
        instance = read_instance(folder / "Tsiligirides_1" / row["file"])
        route = [int(place) for place in row["routes"].split()]
        assert (route[0], route[-1]) == (0, 1)
        assert len(set(route)) == len(route)
        length = math.fsum(math.dist(instance.xy[a], instance.xy[b]) for a, b in pairwise(route))
        assert length == pytest.approx(float(row["length"]), abs=1e-5)
        assert length <= instance.tmax + 1e-9
        assert math.fsum(instance.scores[route]) == float(row["score"])


def find_best_by_trying_all(travel: Matrix, errands: list[Errand], until: float, *, walkers: int) -> float:
    """Best sum of worths of one or two people from place 0 and back: every order of every subset."""
    worth: dict[frozenset[int], float] = {}
    for size in range(len(errands) + 1):
        for order in permutations(range(len(errands)), size):
            now, at = 0.0, 0
            for number in order:
                errand = errands[number]
                now += travel[at, errand.place]
                if errand.windows_s:
                    now = max(now, errand.windows_s[0][0])
                    if now > errand.windows_s[0][1]:
                        break
                now, at = now + errand.stay_s, errand.place
            else:
                if now + travel[at, 0] <= until:
                    worth[frozenset(order)] = sum(errands[number].worth for number in order)
    if walkers == 1:
        return max(worth.values())
    return max(a + b for one, a in worth.items() for other, b in worth.items() if not one & other)


@pytest.mark.parametrize("seed", range(12))
def test_small_plans_are_the_best_there_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, walkers = int(rng.integers(3, 7)), 1 + seed % 2
    travel = distances(rng.uniform(0, 10, (count + 1, 2)))
    errands = []
    for place in range(1, count + 1):
        opens = rng.uniform(0, 15)
        windows = () if rng.random() < 0.5 else ((opens, opens + rng.uniform(1, 6)),)
        errands.append(Errand(place, float(rng.integers(1, 20)), rng.uniform(0, 2), windows))
    until = rng.uniform(8, 25)
    plan = find_team_routes({"foot": travel}, errands, [Walker(0, 0, 0.0, until)] * walkers)
    assert plan.worth == pytest.approx(find_best_by_trying_all(travel, errands, until, walkers=walkers))
    made = [call.errand for route in plan.routes for call in route]
    assert sorted([*made, *plan.left]) == list(range(count))
    for route in plan.routes:
        now, at = 0.0, 0
        for call in route:
            errand = errands[call.errand]
            assert call.arrival_s == pytest.approx(now + travel[at, errand.place])
            assert call.begin_s >= call.arrival_s
            assert not errand.windows_s or errand.windows_s[0][0] <= call.begin_s <= errand.windows_s[0][1] + 1e-9
            now, at = call.leave_s, errand.place
        assert not route or now + travel[at, 0] <= until + 1e-9


def test_what_must_be_visited_is_or_the_plan_is_refused() -> None:
    travel = distances(np.array([[0.0, 0.0], [100.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]))
    near = [Errand(place, 50.0) for place in (2, 3, 4)]
    walker = Walker(0, 0, 0.0, 200.0)
    plan = find_team_routes({"foot": travel}, [Errand(1, 1.0, must=True), *near], [walker])
    assert 0 not in plan.left
    # 205 seconds there and back with the stay: it does not fit beside anything, and nothing else is offered instead.
    far = [Errand(1, 1.0, stay_s=5.0, must=True), *near]
    with pytest.raises(ImpossiblePlanError, match="1 of 1 visits that must be made do not fit") as caught:
        find_team_routes({"foot": travel}, far, [walker])
    assert caught.value.errands == (0,)


def test_a_place_without_a_way_is_left_and_only_who_may_goes() -> None:
    travel = distances(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
    travel[0, 2] = travel[2, 0] = travel[1, 2] = travel[2, 1] = np.inf
    errands = [Errand(1, 1.0, walkers=frozenset({1})), Errand(2, 9.0)]
    plan = find_team_routes({"foot": travel}, errands, [Walker(0, 0, 0.0, 99.0), Walker(0, 0, 0.0, 99.0)])
    assert plan.left == (1,)
    assert [len(route) for route in plan.routes] == [0, 1]


def test_team_files_and_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Two paths of at most 10 from (0, 0) to (3, 0): one takes the place above, one that below, (9, 9) is too far.
    team = tmp_path / "team.txt"
    team.write_text("n 5\nm 2\ntmax 10\n0 0 0\n1;4;5\n1\t-4\t6\n9 9 900\n3 0 0\n")
    bad = {"short.txt": "5 1\n0 0\n", "empty.txt": "", "count.txt": "n 3\nm 1\ntmax 5\n0 0 0\n1 1 1\n"}
    for name, text in bad.items():
        (tmp_path / name).write_text(text)
    assert patrol.main([str(team), *(str(tmp_path / name) for name in bad), "--seconds", "0"]) == 2
    said = capsys.readouterr()
    (row,) = csv.DictReader(io.StringIO(said.out))
    assert row["score"] == "11"
    assert sorted(row["routes"].split(";")) == ["0 1 4", "0 2 4"]
    assert "short.txt, line 2: '0 0', expected 3 numbers." in said.err
    with pytest.raises(BadFileError, match="has 2 places, expected 3"):
        read_instance(tmp_path / "count.txt")
