"""The page of patrol plans without a browser: from its defaults to a plan, planned again, approved, walked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pypdfium2
import pytest
from streamlit.testing.v1 import AppTest

from data.moments import to_stored_time
from data.queries import find_incidents
from data.store import Store, Transaction, utc_now
from data.viewer import Role
from data.zones import ZoneDraft, open_zone
from i18n import LANGUAGES, Language, t
from incidents.patrol_done import State
from tests.fixtures.command_page import COMMANDER, check, press, read_text, store
from ui.command_data import find_zone_states
from ui.patrol_cards import build_cards, build_code, find_origin
from ui.patrol_compare import list_changes
from ui.patrol_data import find_base, find_call_signs, find_people, find_plans, get_shift
from ui.patrol_done import read_done
from ui.patrol_words import say_time
from ui.tables import LOCAL

__all__ = ["store"]  # fixtures
_TABLES = ("patrol_plans", "patrol_stops", "patrol_members", "patrol_presences", "patrol_reasons", "tasks", "zones")

_OURS = "note LIKE '巡防计划 % 组：%'"


@pytest.fixture(autouse=True)
def anew(store: Store) -> Iterator[None]:
    yield
    store.write(lambda tx: [tx.execute(table, f"DELETE FROM {table}") for table in _TABLES])


def draw(role: str, lang: str) -> None:
    """What runs as a page: it may use nothing of this module."""
    from data.viewer import Role, Viewer
    from ui.patrol_page import show_patrol

    show_patrol(Viewer(Role(role), account_id=f"demo-{role}", name=f"demo-{role}"), lang)  # type: ignore[arg-type]


def open_page(role: Role = Role.COMMANDER, lang: Language = "zh") -> AppTest:
    return check(AppTest.from_function(draw, default_timeout=120, kwargs={"role": role.value, "lang": lang}).run())


def read_stops(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [stop for team in plan["found"]["teams"] for stop in team["stops"]]


def test_from_defaults_to_a_plan_that_is_planned_again_and_approved(store: Store) -> None:
    page = press(open_page(), "patrol_propose")
    (plan,) = find_plans(store, COMMANDER)
    assert t("patrol.proposed", "zh") in read_text(page)
    assert plan["state"] == "proposed"
    assert [team["is_joint"] for team in plan["found"]["teams"][:2]] == [True, True]
    stops = read_stops(plan)
    assert {stop["place_id"] for stop in stops} | {one["place_id"] for one in plan["found"]["left_out"]} == {
        one["place_id"] for one in plan["asked"]["places"]
    }
    assert 0 < plan["found"]["covered"] < plan["found"]["expected"]
    # Lock the first stop of the first team, take out its second, plan again around both.
    team = plan["found"]["teams"][0]["stops"]
    key = f"{plan['plan_id']}_1_1_zh"
    page.button_group(key=f"patrol_lock_{key}").set_value([team[0]["stop_id"]])
    page.button_group(key=f"patrol_remove_{key}").set_value([team[1]["stop_id"]])
    press(page, "patrol_again")
    (again,) = find_plans(store, COMMANDER)
    assert (again["revision"], again["seed"]) == (2, plan["seed"])
    (kept,) = [stop for stop in read_stops(again) if stop["is_locked"]]
    assert kept["place_id"] == team[0]["place_id"]
    moved = datetime.fromisoformat(kept["begin"]) - datetime.fromisoformat(team[0]["begin"])
    assert abs(moved) <= timedelta(seconds=1)
    times = {(stop["place_id"], stop["begin"]) for stop in read_stops(again)}
    assert (team[1]["place_id"], team[1]["begin"]) not in times
    press(open_page(), "patrol_approve")
    (approved,) = find_plans(store, COMMANDER)
    assert (approved["state"], approved["approved_by"]) == ("approved", "demo-commander")
    tasks = store.read(f"SELECT kind, receiver_kind, note FROM tasks WHERE {_OURS}")
    walked = [one for one in approved["found"]["teams"] if one["stops"]]
    assert len(tasks) == len(walked)
    assert set(tasks["kind"]) == {"patrol"}
    assert set(tasks["receiver_kind"]) == {"role"}  # nobody of them has an account
    assert any(kept["name"] in note for note in tasks["note"])
    # A press that was cut off between the approval and the tasks is made good.
    gone = f"subject_table = 'tasks' AND subject_id IN (SELECT task_id FROM tasks WHERE {_OURS})"
    store.write(lambda tx: tx.execute("events", f"DELETE FROM events WHERE {gone}"))
    store.write(lambda tx: tx.execute("tasks", f"DELETE FROM tasks WHERE {_OURS}"))
    press(open_page(), "patrol_hand_out")
    assert len(store.read(f"SELECT 1 FROM tasks WHERE {_OURS}")) == len(walked)
    assert [one.key for one in open_page().button if one.key == "patrol_hand_out"] == []
    press(open_page(), "patrol_drop")
    assert find_plans(store, COMMANDER)[0]["state"] == "dropped"
    assert set(store.read(f"SELECT state FROM tasks WHERE {_OURS}")["state"]) == {"cancelled"}


def test_an_officer_plans_and_the_commander_approves(store: Store) -> None:
    page = open_page(Role.OFFICER, "en")
    places = next(one for one in page.multiselect if str(one.key).startswith("patrol_places"))
    heavier = places.value[0]
    check(next(one for one in page.multiselect if str(one.key).startswith("patrol_reweigh")).set_value([heavier]).run())
    fixed = next(one for one in page.multiselect if str(one.key).startswith("patrol_fixed"))
    gates = [f"gate:D{number:03d}" for number in range(1, 9)]  # as many as somebody likes
    check(fixed.set_value(gates).run())
    press(page, "patrol_propose")
    assert t("patrol.reweigh_why", "en", n=4) in read_text(page)
    assert find_plans(store, COMMANDER) == []
    page.selectbox(key=f"patrol_times_{heavier}").set_value(3.0)
    page.text_input(key=f"patrol_why_{heavier}").set_value("  夜市   新开，电话13812341234 ")
    page = press(page, "patrol_propose")
    (plan,) = find_plans(store, COMMANDER)
    asked = {one["place_id"]: one for one in plan["asked"]["places"]}
    # Hot places weigh 1 by themselves; the reason is kept as free text is, without the number.
    assert (asked[heavier]["weight"], asked[heavier]["times"]) == (3.0, 3.0)
    assert asked[heavier]["reason"].startswith("夜市 新开，电话")
    assert "13812341234" not in json.dumps(plan["asked"], ensure_ascii=False)
    assert {one["weight"] for place_id, one in asked.items() if place_id != heavier} == {1.0}
    assert set(gates) <= {stop["place_id"] for stop in read_stops(plan)}
    assert "× 3" in read_text(page)
    assert [one.key for one in page.button if one.key in ("patrol_approve", "patrol_drop")] == ["patrol_drop"]
    assert t("patrol.proposed", "en") in read_text(page)


def test_what_must_be_seen_and_does_not_fit_is_named(store: Store) -> None:
    page = open_page()
    # The only one who goes is there for three of eight hours, and the fixed point is to be seen after that.
    begin, end = get_shift(date.today() + timedelta(days=1), (time(14), time(22)))  # noqa: DTZ011
    short = next(
        one
        for one in find_people(store, COMMANDER, begin, end)
        if one.person.to_utc.astimezone(LOCAL).time() == time(17) and one.person.kind == "officer"
    )
    people = next(one for one in page.multiselect if str(one.key).startswith("patrol_people"))
    people.set_value([short.person.responder_id])
    fixed = next(one for one in page.multiselect if str(one.key).startswith("patrol_fixed"))
    check(fixed.set_value(["site:K002"]).run())
    page.time_input(key="patrol_at_site:K002").set_value(time(19))
    page.time_input(key="patrol_by_site:K002").set_value(time(20))
    press(page, "patrol_propose")
    assert t("patrol.drop_one", "zh", names="万户小学教学楼") in read_text(page)
    assert find_plans(store, COMMANDER) == []


def test_done_against_planned_feeds_did_it_work(store: Store) -> None:
    incidents = find_incidents(store, COMMANDER, only_places=True)
    middle = incidents.geometry.iloc[0]
    zone = ZoneDraft("东门一带", "beat", "夜间盗窃多", date.today() + timedelta(days=30), middle.buffer(60),  # noqa: DTZ011
                     starts_on=date(2026, 10, 1), weight=5.0)  # fmt: skip
    zone_id = open_zone(store, COMMANDER, zone, clock=utc_now)
    press(press(open_page(), "patrol_propose"), "patrol_approve")
    (plan,) = find_plans(store, COMMANDER)
    stop = next(one for one in read_stops(plan) if one["place_id"] == f"zone:{zone_id}")
    team = next(one for one in plan["found"]["teams"] if stop in one["stops"])
    begin = datetime.fromisoformat(stop["begin"])

    def walk(transaction: Transaction) -> None:
        transaction.execute("patrol_plans", "UPDATE patrol_plans SET state = 'running'")
        point = "(SELECT geom FROM patrol_stops WHERE stop_id = ?)"
        sql = f"INSERT INTO patrol_presences VALUES ('x', ?, ?, ?, ?, ?, 'position', {point})"
        times = [to_stored_time(begin), to_stored_time(begin + timedelta(minutes=10))]
        values = [plan["plan_id"], stop["place_id"], team["members"][0], *times, stop["stop_id"]]
        transaction.execute("patrol_presences", sql, values)

    store.write(walk)
    rows, _ = read_done(store, COMMANDER, find_plans(store, COMMANDER)[0], now=plan["end_utc"] + timedelta(hours=1))
    done = [row for row in rows if row.state is State.DONE]
    assert [(row.stop.stop_id, round(row.minutes)) for row in done] == [(stop["stop_id"], 10)]
    assert {row.state for row in rows} == {State.DONE, State.MISSED}
    page = open_page()
    assert t("patrol.done_basis", "zh") in read_text(page)
    (state,) = find_zone_states(store, COMMANDER)
    assert state.dose is not None
    assert round(state.dose.minutes) == 10


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_next_plan_stands_beside_the_last_and_has_its_cards(store: Store, lang: Language) -> None:
    press(press(open_page(lang=lang), "patrol_propose"), "patrol_approve")
    press(press(open_page(lang=lang), "patrol_new"), "patrol_propose")
    plans = find_plans(store, COMMANDER)
    plan = next(one for one in plans if one["state"] == "proposed")
    base = find_base(plans, plan)
    assert base is not None
    assert base["state"] == "approved"
    assert list_changes(base, plan, lang) != []
    assert list_changes(plan, plan, lang) == []
    page = open_page(lang=lang)
    view = page.button_group(key=f"patrol_view_{plan['plan_id']}_proposed_{lang}")
    check(view.set_value("compare").run())
    signs = find_call_signs(store, COMMANDER)
    pdf = build_cards(store, COMMANDER, plan, signs, lang, origin=None)
    team = next(one for one in plan["found"]["teams"] if one["stops"])
    (page, *_) = pypdfium2.PdfDocument(pdf)
    printed = page.get_textpage().get_text_bounded()
    assert f"{say_time(team['stops'][0]['begin'])}–{say_time(team['stops'][0]['leave'])}" in printed
    assert str(team["stops"][0]["name"])[:5] in printed.replace(" ", "")  # a column is wider than a letter
    assert json.dumps(signs)  # call signs only: the page and the cards know no name
    assert find_origin("http://localhost:8501/patrol") is None
    assert find_origin("https://10.0.0.8:8443/patrol?x=1") == "https://10.0.0.8:8443"
    code = f"{plan['plan_id']}/1/2"
    assert build_code(plan, 2, None) == f"SHAPAN-PATROL:{code}"
    assert build_code(plan, 2, "https://h") == f"https://h/phone/patrol?card={code}"
