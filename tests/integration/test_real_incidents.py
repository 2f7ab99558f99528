"""Real incidents as a store of their own, each method on it; how long each takes is measured in bench/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from data.store import Store
from data.viewer import Role, Viewer
from incidents.analysing import METHODS, Options
from server.analysis import analyse_store
from tests.integration.test_cli import shapan
from ui.command_data import Question, Situation, find_situation
from ui.command_links import build_links_map, find_links
from ui.command_map import build_map
from ui.command_methods_data import METHODS as ON_THE_PAGE
from ui.command_methods_data import find_method
from ui.command_repeats_data import BYS, find_board

COMMANDER = Viewer(Role.COMMANDER)
YEAR = Question(52)
# Of the store there is no road, house or change to ask for; what needs one says so.
OPTIONS = {
    "displacement": Options(
        treated=(592_000.0, 4_521_000.0, 1_500.0), control=(588_000.0, 4_502_000.0, 3_000.0), ring_m=500.0,
        change="2022-07-01", weeks=104,
    ),
    "gi-star": Options(cell_m=250.0),
    "kde": Options(cell_m=250.0),
    "pai": Options(cell_m=250.0),
    "repeats": Options(by="grid"),
    "scan": Options(radii_m=(250.0, 500.0, 1_000.0)),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """`nyc_shootings` imported as anybody would: longitude and latitude, a time, a kind."""
    home = tmp_path_factory.mktemp("nyc")
    rows = pd.read_csv(real_data / "incidents" / "nyc_shootings_2006_2023H1.csv.gz").dropna()
    rows = rows.drop_duplicates("key")  # a shooting has a row for each who was hit
    incidents = pd.DataFrame(
        {"id": rows["key"].astype(str), "category": "shooting", "time": rows["date"] + " " + rows["time"],
         "lon": rows["lon"], "lat": rows["lat"]}
    )  # fmt: skip
    incidents.to_csv(home / "incidents.csv", index=False)
    made = shapan(home, "import", str(home / "incidents.csv"), "--store", "nyc", "--name", "New York")
    assert made.exit_code == 0, made.output
    with Store(home / "nyc.duckdb") as opened:
        assert int(opened.read("SELECT count(*) AS n FROM incidents")["n"].iloc[0]) == len(rows)
        yield opened


@pytest.fixture(scope="module")
def situation(store: Store) -> Situation:
    found = find_situation(store, COMMANDER, YEAR)
    assert found is not None
    return found


def test_the_page_ends_where_the_data_end_and_finds_what_is_there(store: Store, situation: Situation) -> None:
    assert f"{situation.until:%Y-%m}" in ("2023-06", "2023-07")  # it was imported years later
    assert situation.n > 900
    assert situation.cell_m > 25  # a city: cells of 25 m would be 1.6 million
    assert situation.cells is not None
    assert int(situation.cells.cells["hot"].sum()) > 50
    assert situation.cells.counted.counts.sum() + situation.cells.n_outside == situation.n
    assert build_map(situation, (), title="x").count('class="h"') > 50


@pytest.mark.parametrize("method", ON_THE_PAGE)
def test_each_method_of_the_page(store: Store, situation: Situation, method: str) -> None:
    findings = find_method(store, COMMANDER, YEAR, method)
    assert bool(findings) == (method != "calendar")  # the store has none
    for finding in findings:
        assert finding.answer.sentence("zh")
    if method == "back_test":
        rows = findings[0].answer.rows.set_index(["map", "share"])
        # What is known of shootings: a year of them tells more than the last four weeks.
        assert rows.loc[("mean", 0.1), "hit_rate"] > 2 * rows.loc[("last_period", 0.1), "hit_rate"]


@pytest.mark.parametrize("by", BYS)
def test_each_kind_of_place(store: Store, situation: Situation, by: str) -> None:
    board = find_board(store, COMMANDER, YEAR, by)
    assert board is not None
    if by in ("grid", "address"):
        assert board.answer.n_used == situation.n
        assert board.places[0].count >= 2


def test_chains_of_the_city(store: Store, situation: Situation) -> None:
    links = find_links(store, COMMANDER, YEAR, 200.0, 14.0)
    assert links is not None
    assert links.longest[0].size >= 3
    assert build_links_map(situation, links, title="x", on=None).count('class="o ') == situation.n


@pytest.mark.parametrize("method", METHODS)
def test_each_method_of_the_command_line(store: Store, method: str) -> None:
    answer = analyse_store(store, COMMANDER, method, OPTIONS.get(method, Options()))
    assert answer.n_used > 0
    assert answer.sentence("en")
