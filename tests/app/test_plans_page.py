"""The page of floor plans: a plan is made, a storey corrected, undone; what is drawn over a photo becomes parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shapely import Point, box
from shapely.geometry import mapping
from streamlit.testing.v1 import AppTest

from data.building_plans import read_spec
from data.queries import find_plan_changes, find_site_plan
from data.runtime import clear_store, set_store
from data.settings import Settings
from data.site_plans import read_plan
from data.store import Store, utc_now
from data.viewer import Role, Viewer
from gis.errors import BadFileError
from gis.plan_problems import PlanProblemError
from gis.storey_plans import MOST_ROOMS
from i18n import LANGUAGES, Language, section, t
from layers.site_plan import find_site_front
from tests.fixtures.desk_pages import ROOT, check, draw, press
from tests.fixtures.small_community import build, found
from ui.plan_site import _act
from ui.plan_words import say_file_problems, say_problem

OFFICER = Viewer(Role.OFFICER, account_id="demo-officer", name="demo-officer")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A house of two storeys with one door, and a hotel in it."""
    with Store(tmp_path / "demo.duckdb", clock=utc_now) as opened:
        found(opened)
        build(opened, "buildings", {"building_id": "b1", "name": "1幢", "floors_above": 2, "geom": box(0, 0, 20, 10)})
        build(opened, "entrances", {"entrance_id": "e1", "building_id": "b1", "name": "1单元", "geom": Point(10, 0)})
        site = {"site_id": "s1", "name": "旅馆", "kind": "hotel", "building_id": "b1", "geom": Point(10, 5)}
        build(opened, "key_sites", site)
        set_store(opened, Settings(tmp_path, "demo"))
        yield opened
        clear_store()


def open_page(role: Role, lang: Language = "zh") -> AppTest:
    arguments = {"name": "plans", "role": role.value, "lang": lang}
    page = AppTest.from_function(draw, default_timeout=60, kwargs=arguments)
    page.query_params["building"] = "b1"
    return check(page.run())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_plan_is_made_and_taken_back(store: Store, lang: Language) -> None:
    page = open_page(Role.OFFICER, lang)
    press(page, "plans-keep")
    spec = read_spec(store, "b1")
    assert spec is not None
    assert spec.rooms == {"e1": 2}  # no home is on record: two behind a door, as most often
    assert [one.value for one in page.success] == [t("plans.kept", lang)]
    newest = int(find_plan_changes(store, OFFICER)["event_id"].max())
    press(page, f"plans-undo-{newest}")
    assert read_spec(store, "b1") is None


def test_what_is_drawn_lies_in_the_building(store: Store) -> None:
    """The frame's origin is the left end of the front; the room is 4 m by 3 m, its middle 3 m along and 2.5 m in."""
    front, _, _ = find_site_front(store, "s1", find_site_plan(store, OFFICER, "s1"))
    room = {"what": "add", "kind": "room", "name": "大堂", "points": [[1, 1], [5, 1], [5, 4], [1, 4]]}
    _act(store, OFFICER, "s1", 1, front, room, "zh")
    _act(store, OFFICER, "s1", 1, front, {"what": "add", "kind": "gas", "name": "", "points": [[2, 2]]}, "zh")
    kept = find_site_plan(store, OFFICER, "s1")
    assert kept["kind"].tolist() == ["room", "gas"]
    assert kept.geometry.iloc[0].area == pytest.approx(12, abs=0.01)
    middle = front.turn(np.array(kept.geometry.iloc[0].centroid.coords))[0]
    assert middle.tolist() == pytest.approx([3, 2.5], abs=0.01)
    _act(store, OFFICER, "s1", 1, front, {"what": "remove", "id": 1}, "zh")
    assert find_site_plan(store, OFFICER, "s1")["kind"].tolist() == ["gas"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_stands_against_a_plan_is_said_in_the_pages_language(store: Store, lang: Language) -> None:
    """As many homes as may be asked for at one landing of 200 m², and a file: no English on the Chinese page."""
    page = open_page(Role.OFFICER, lang)
    check(page.number_input(key=f"plans-rooms-e1-b1-{lang}").set_value(MOST_ROOMS).run())
    (caption,) = [one.value for one in page.caption if one.value != t("plans.lead", lang)][-1:]
    far = {"type": "Feature", "properties": {"level": 1, "kind": "exit"}, "geometry": mapping(Point(900, 0))}
    odd = {"type": "Feature", "properties": {"level": 0, "kind": "exit"}, "geometry": mapping(Point(1, 1))}
    with pytest.raises(BadFileError) as caught:
        read_plan(json.dumps({"features": [far, odd] * 5}).encode(), "EPSG:4549", Point(10, 5))
    said = [say_problem(PlanProblemError("small", "", n=20, area_m2=200, least_m2=12), lang)]
    said += [say_file_problems(caught.value, lang)]
    assert [one.value for one in page.warning] == [t("plans.cannot", lang)]
    for words in (caption, *said):
        assert "{" not in words
        assert bool(re.search("[\u4e00-\u9fff]", words)) == (lang == "zh")
    assert t("plans.file_more", lang, n=4) in said[1]


def test_every_problem_of_a_plan_has_words() -> None:
    plans = ("gis/storey_plans.py", "data/plan_spec.py", "data/building_plans.py")
    texts = [(ROOT / one).read_text(encoding="utf-8") for one in plans]
    codes = {f"why_{one}" for text in texts for one in re.findall(r'PlanProblemError\(\s*"(\w+)"', text)}
    files = (ROOT / "data" / "site_plans.py").read_text(encoding="utf-8")
    codes |= {f"file_{one}" for one in re.findall(r'(?:_Wrong\(|\[\(|append\(\()"(\w+)"', files)}
    assert len(codes) >= 20
    for lang in LANGUAGES:
        assert {f"plans.{one}" for one in codes} <= set(section("plans", lang))
