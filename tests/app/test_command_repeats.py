"""Places that repeat and the methods, on the sample: each told apart, drawn, said, beside what luck would make."""

from __future__ import annotations

import re
from datetime import timedelta

import pandas as pd
import pytest

from data.queries import find_zone_records
from data.store import Store, utc_now
from data.zones import ZoneDraft, find_today, open_zone
from i18n import LANGUAGES, Language
from incidents.life_cycle import State
from tasks.life_cycle import Kind, Priority
from tests.fixtures.command_page import (
    COMMANDER,
    check,
    get_situation,
    open_page,
    press,
    read_text,
    situation,
    store,
    without_zones,
)
from ui.command_data import Question, Situation
from ui.command_links import build_links_map, find_links
from ui.command_methods_data import METHODS, find_method
from ui.command_repeats import build_share_map
from ui.command_repeats_data import BYS, find_board
from ui.command_state import Prefill
from ui.command_task import build_task
from ui.command_words import say_cluster, say_status

__all__ = ["situation", "store", "without_zones"]  # fixtures


@pytest.mark.parametrize("by", BYS)
def test_each_kind_of_place_is_told_apart(store: Store, situation: Situation, by: str) -> None:
    board = find_board(store, COMMANDER, situation.question, by)
    assert board is not None
    assert board.answer.n_used + board.answer.left_out["no_place"] == situation.n
    counts = pd.Series(board.ids[situation.in_period], dtype=object).value_counts()
    assert [one.count for one in board.places] == sorted(counts[counts >= 2], reverse=True)[:12]
    # The places that are lit make 80 % of the incidents, and one fewer would not.
    made = sorted(counts[list(board.makers)], reverse=True)
    assert sum(made) >= 0.8 * board.answer.n_used > sum(made[:-1])
    for place in board.places:
        assert place.name
        assert place.change is not None
        assert place.change["count"] == place.count == int((place.inside & situation.in_period).sum())
    svg = build_share_map(situation, board, title="x", on=board.places[0])
    assert svg.count(" on") >= 1


def test_from_any_place_one_click_to_its_incidents_and_to_a_zone(store: Store, situation: Situation) -> None:
    page = open_page("repeats")
    assert "80%" in read_text(page)
    press(page, "command-repeat-1")
    board = find_board(store, COMMANDER, situation.question, "building")
    assert board is not None
    place = board.places[0]
    assert f"本期警情（{place.count} 起）" in [one.value for one in page.subheader]
    press(page, "command_patrol")
    page.button[0].click()
    check(page.run())
    (row,) = find_zone_records(store, COMMANDER).to_dict("records")
    assert row["name"] == place.name
    assert row["geom"].contains(place.geometry)


def test_from_a_place_and_from_a_zone_a_task_is_made(store: Store, situation: Situation) -> None:
    page = press(open_page("repeats"), "command-repeat-1")
    next(one for one in page.text_area if one.label == "要求").input("晚上八点看一次楼道")
    check(next(one for one in page.button if one.label == "派出").click().run())
    assert "任务已派" in read_text(page)
    board = find_board(store, COMMANDER, situation.question, "building")
    assert board is not None
    place = board.places[0]
    (task,) = store.read("SELECT * FROM tasks").to_dict("records")
    assert (task["kind"], task["origin"], task["subject_kind"]) == ("patrol", "commander", "building")
    assert f"building:{task['subject_id']}" == place.key
    assert task["note"] == "晚上八点看一次楼道"
    assert task["grid_id"] is not None
    assert len(store.read("SELECT incident_id FROM task_incidents")) == place.count
    zone_id = plant_zone(store, "东门")
    page = press(open_page("zones"), f"command-zone-{zone_id}")
    check(next(one for one in page.button if one.label == "派出").click().run())
    (task,) = store.read("SELECT * FROM tasks WHERE origin = 'zone'").to_dict("records")
    assert (task["subject_kind"], task["subject_id"], task["origin_id"]) == ("zone", zone_id, zone_id)
    assert build_task(Prefill("路口", wkt="POINT (5 6)"), Kind.OTHER, "x", "", utc_now(), Priority.LOW).receiver is None


def plant_zone(store: Store, name: str) -> str:
    """An open zone in the middle of the community."""
    outline = get_situation(store).outline.centroid.buffer(40)
    review = find_today(utc_now) + timedelta(weeks=12)
    return open_zone(store, COMMANDER, ZoneDraft(name, "beat", "试验用的理由", review, outline), clock=utc_now)


def test_what_follows_what_is_drawn_and_the_chain_listed(store: Store, situation: Situation) -> None:
    links = find_links(store, COMMANDER, situation.question, 50.0, 7.0)
    assert links is not None
    roles = links.chains.rows["role"].value_counts()
    svg = build_links_map(situation, links, title="x", on=links.longest[0].number)
    for role, count in roles.items():
        assert svg.count(f'class="o {role}"') == count
    drawn = sum(path.count("M") for path in re.findall(r'class="k(?: on)?" d="([^"]*)"', svg))
    apart = [(links.xy[a] != links.xy[b]).any() for a, b in links.chains.figures["links"]]
    assert drawn == sum(apart) > 20
    page = open_page("repeats")
    press(page, f"command-chain-{links.longest[0].number}")
    assert "首起" in read_text(page)
    assert "碰巧会有的对数" in read_text(page)


def test_what_the_police_found_stands_beside_as_visits_per_100_rentals(store: Store, situation: Situation) -> None:
    text = read_text(open_page("repeats"))
    assert "民警自行发现" in "".join(one.value for one in open_page("repeats").subheader)
    found = store.read("SELECT grid_id FROM incidents WHERE source = 'police_found' AND reported_utc >= ?", [
        situation.since.replace(tzinfo=None)
    ])  # fmt: skip
    assert f"民警自行发现和检查 {len(found)} 次" in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_method_says_what_it_was_asked_what_it_used_and_its_sentence(store: Store, lang: Language) -> None:
    page = open_page("methods", lang)
    for method in METHODS:
        page.segmented_control(key=f"command_method_{lang}").set_value(method)
        text = read_text(check(page.run()))
        findings = find_method(store, COMMANDER, Question(), method)
        assert findings, method
        for finding in findings:
            assert (
                say_cluster(get_situation(store), lang) if method == "scan" else finding.answer.sentence(lang)
            ) in text
            used = "用了 {} 起" if lang == "zh" else "used {}"
            assert used.format(finding.answer.n_used) in text


def test_the_back_test_stands_on_the_page_beside_last_periods_counts(store: Store) -> None:
    findings = {one.label: one.answer.rows for one in find_method(store, COMMANDER, Question(), "back_test")}
    assert set(findings) == {"square", "segment"}
    for rows in findings.values():
        assert set(rows["share"]) == {0.05, 0.10, 0.20}
        assert set(rows["map"]) == {"last_period", "mean", "density"}
        assert rows["rival_hit_rate"].notna().all()
        assert (rows["pei"] <= 1).all()
    page = open_page("methods")
    page.segmented_control(key="command_method_zh").set_value("back_test")
    text = read_text(check(page.run()))
    assert text.count("上期起数") >= 2
    assert "取 10% 面积命中" in text
    assert "取 10% 街道长度命中" in text
    assert [one.value for one in page.subheader] == ["按面积", "按街道长度"]
    best = findings["square"].set_index(["map", "share"]).loc[("mean", 0.1)]
    assert f"{100 * best['hit_rate']:.1f}%" in text
    assert f"{100 * best['rival_hit_rate']:.1f}%" in text


def test_a_calendar_is_kept_and_compared(store: Store) -> None:
    page = open_page("methods")
    page.segmented_control(key="command_method_zh").set_value("calendar")
    text = read_text(check(page.run()))
    assert "“节假日”" in text
    assert "“上学日”" in text
    page.text_input[0].input("庙会")
    page.text_area[0].input("2026-10-10..2026-10-12，2026-11-01")
    check(next(one for one in page.button if one.label == "保存").click().run())
    text = read_text(page)
    assert "日历“庙会”已存，4 天" in text
    kept = store.read("SELECT day FROM calendar_days WHERE calendar = '庙会' ORDER BY day")["day"]
    assert [str(day.date()) for day in kept] == ["2026-10-10", "2026-10-11", "2026-10-12", "2026-11-01"]
    page.text_area[0].input("2026-13-40")
    check(next(one for one in page.button if one.label == "保存").click().run())
    assert "没有存" in read_text(page)


@pytest.mark.parametrize("status", [*State, "new", "arrived", "odd"])
def test_every_state_of_an_incident_has_its_word(status: str) -> None:
    assert all(say_status(status, lang) for lang in LANGUAGES)
    assert (say_status(status, "zh") == status) == (status == "odd")
