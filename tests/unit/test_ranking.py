"""Whom to send: the order, the reasons, who is left out and why, and what would help where nobody can."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from i18n import LANGUAGES, section
from incidents.duty import REST, SAID_COUNTS, find_duty, is_night, is_within
from incidents.ranking import STALE, Need, Ranked, Ranking, Responder, Way, rank_responders
from incidents.sending import May, SendingRules

NOON = datetime(2026, 11, 16, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
NIGHT = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)  # 23:00 in Shanghai
INF = float("inf")
NOISE = Need(("noise.night", "noise", "alarm"), "normal")
KNIFE = Need(("violence.weapon", "violence", "alarm"), "urgent")
RULES = SendingRules.build()


def responder(responder_id: str, kind: str = "officer", **values: Any) -> Responder:
    given_values: dict[str, Any] = {
        "channel": "警务1", "status": "ready", "status_utc": NOON - timedelta(hours=1), "duty_from": time(8),
        "duty_to": time(17), "position_utc": NOON - timedelta(minutes=1), **values,
    }  # fmt: skip
    return Responder(responder_id, f"呼{responder_id}", kind, **given_values)


def rank(*rows: tuple[Responder, float], need: Need = NOISE, at: datetime = NOON, **more: Any) -> Ranking:
    ways = {one.responder_id: Way(time_s) for one, time_s in rows if one.has_position}
    return rank_responders([one for one, _ in rows], {**ways, **more}, need, rules=RULES, at=at)


def codes(row: Ranked) -> list[str]:
    return [reason.code for reason in row.reasons]


def only(ranking: Ranking) -> Ranked:
    """The one who was left out."""
    assert ranking.rows == ()
    (row,) = ranking.left_out
    return row


def test_the_quickest_comes_first_and_equals_stand_in_the_written_order() -> None:
    rows = [
        (responder("R1", "volunteer"), 60.0),
        (responder("R2", "estate_guard"), 60.0),
        (responder("R4"), 60.0),
        (responder("R3"), 60.0),
        (responder("R9"), 59.9),
    ]
    for seed in range(5):
        random.Random(seed).shuffle(rows)
        assert [row.responder_id for row in rank(*rows).rows] == ["R9", "R3", "R4", "R2", "R1"]


def test_a_row_says_how_long_and_when() -> None:
    (row,) = rank((responder("R1", channel="卫士3", vehicle="ebike"), 95.0)).rows
    assert (row.call_sign, row.channel, row.vehicle, row.travel_time_s) == ("呼R1", "卫士3", "ebike", 95.0)
    assert row.eta == NOON + timedelta(seconds=95)


def test_a_volunteer_is_never_sent_to_a_knife() -> None:
    ranking = rank((responder("R1", "volunteer"), 5.0), (responder("R2"), 500.0), need=KNIFE)
    assert [row.responder_id for row in ranking.rows] == ["R2"]
    assert [(row.responder_id, codes(row)) for row in ranking.left_out] == [("R1", ["may_not"])]
    assert ranking.left_out[0].reasons[0].values == {"category": "violence.weapon", "kind": "volunteer"}
    assert ranking.left_out[0].travel_time_s == 5.0  # known all the same: who is left out can be chosen by hand


def test_over_65_never_at_night() -> None:
    old = responder("R1", "volunteer", no_night_duty=True, duty_from=time(19), duty_to=time(23, 30))
    assert codes(only(rank((old, 30.0), at=NIGHT))) == ["not_at_night", "by_roster", "stale_position"]
    evening = dataclasses.replace(old, status_utc=NIGHT - timedelta(hours=2), position_utc=NIGHT - timedelta(hours=1))
    before_ten = datetime(2026, 11, 16, 13, 59, tzinfo=UTC)  # 21:59 in Shanghai
    assert len(rank((evening, 30.0), at=before_ten).rows) == 1


def test_guards_go_to_a_fight_only_with_police_and_it_is_said_when_there_are_none() -> None:
    fight = Need(("violence.fight", "violence", "alarm"), "urgent")
    ranking = rank((responder("R1", "estate_guard"), 30.0), (responder("R2", "auxiliary"), 90.0), need=fight)
    assert [codes(row) for row in ranking.rows] == [["with_police"], ["last_police"]]
    assert next(reason.code for reason in ranking.advice) == "no_police"
    with_officer = rank((responder("R1", "estate_guard"), 30.0), (responder("R2"), 90.0), need=fight)
    assert with_officer.advice == ()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"status": "off"}, "off_duty"),
        ({"status": "not_ready"}, "not_ready"),
        ({"status": "on_the_way"}, "busy"),
        ({"status": "on_scene"}, "busy"),
        ({"status": None, "duty_from": time(14), "duty_to": time(22)}, "off_duty"),
        ({"last_off_utc": NOON - REST + timedelta(seconds=1)}, "resting"),
        ({"has_position": False, "position_utc": None}, "no_position"),
    ],
)
def test_each_one_left_out_says_why(values: dict[str, Any], code: str) -> None:
    assert codes(only(rank((responder("R1", **values), 30.0)))) == [code]


def test_rest_ends_and_an_urgent_incident_cuts_it_short() -> None:
    resting = responder("R1", last_off_utc=NOON - timedelta(minutes=2))
    assert len(rank((dataclasses.replace(resting, last_off_utc=NOON - REST), 30.0)).rows) == 1
    (row,) = rank((resting, 30.0), need=KNIFE).rows
    assert codes(row) == ["rest_cut_short", "last_police"]


def test_whom_no_way_leads_there_is_left_out_and_the_gate_is_named() -> None:
    shut = Way(INF, 75.0, ("西区北便门",))
    ranking = rank_responders([responder("R1")], {"R1": shut}, NOISE, rules=RULES, at=NOON)
    assert only(ranking).travel_time_s is None
    assert only(ranking).reasons[0].values == {"gates": ["西区北便门"]}
    help_ = ranking.advice[0]
    assert (help_.code, dict(help_.values)) == (
        "open_gate", {"gates": ["西区北便门"], "call_sign": "呼R1", "seconds": 75.0},
    )  # fmt: skip


def test_nobody_can_says_what_would_help() -> None:
    ranking = rank(
        (responder("R1", status="on_scene"), 40.0),
        (responder("R2", last_off_utc=NOON), 50.0),
        (responder("R3", has_position=False), INF),
        (responder("R4", status=None, duty_from=time(14), duty_to=time(22)), 60.0),
        (responder("R5", status="not_ready"), 70.0),
    )
    assert ranking.rows == ()
    said = {reason.code: dict(reason.values) for reason in ranking.advice}
    assert said["ask_busy"] == {"call_sign": "呼R1", "seconds": 40.0}
    assert said["ask_resting"] == {"call_sign": "呼R2", "seconds": 50.0}
    assert said["ask_not_ready"] == {"call_sign": "呼R5", "seconds": 70.0}
    assert said["ask_position"] == {"call_signs": ["呼R3"], "count": 1}
    assert said["wait_for_duty"]["call_sign"] == "呼R4"
    assert said["wait_for_duty"]["at"] == datetime(2026, 11, 16, 6, 0, tzinfo=UTC)  # 14:00 in Shanghai
    assert said["ask_neighbours"] == {"kinds": ["officer"]}


def test_a_stale_position_is_named_as_such_and_ranked_all_the_same() -> None:
    ranking = rank(
        (responder("R1", position_utc=NOON - STALE - timedelta(seconds=1)), 30.0),
        (responder("R2", position_utc=NOON - STALE), 40.0),
    )
    assert [codes(row) for row in ranking.rows] == [["stale_position"], []]
    assert ranking.rows[0].reasons[0].values == {"minutes": 10}


def test_what_stays_behind_is_counted_where_they_are_now() -> None:
    ranking = rank(
        (responder("R1", grid_id="G1"), 30.0),
        (responder("R2", grid_id="G1"), 40.0),
        (responder("R3", grid_id="G2"), 50.0),
        (responder("R4", grid_id="G2", status="off"), 60.0),
        (responder("R5", "estate_guard", grid_id=None), 70.0),
    )
    assert {row.responder_id: row.coverage_left for row in ranking.rows} == {"R1": 1, "R2": 1, "R3": 0, "R5": None}
    assert codes(ranking.rows[2]) == ["last_in_grid"]


def test_a_skill_that_helps_is_named_and_one_that_is_needed_leaves_out() -> None:
    own = pd.DataFrame([{"category": "noise", "kind": "*", "may": None, "skill": "mediation", "skill_needed": True}])
    rows = [responder("R1"), responder("R2", skills=frozenset({"mediation"}))]
    ways = {"R1": Way(10.0), "R2": Way(20.0)}
    ranking = rank_responders(rows, ways, NOISE, rules=SendingRules.build(own), at=NOON)
    assert [(row.responder_id, codes(row)) for row in ranking.rows] == [("R2", ["has_skill", "last_police"])]
    assert codes(ranking.left_out[0]) == ["skill_missing"]
    elderly = Need(("help.elderly", "help"), "normal")
    helper = responder("R3", "volunteer", skills=frozenset({"first_aid"}))
    (row,) = rank((helper, 30.0), need=elderly).rows
    assert codes(row) == ["has_skill"]


def test_rules_hold_for_all_below_and_the_nearest_one_counts() -> None:
    assert RULES.find(("violence.fight", "violence", "alarm"), "volunteer").may is May.NO
    assert RULES.find(("violence.fight", "violence", "alarm"), "estate_guard").may is May.WITH_POLICE
    assert RULES.find(("domestic_violence", "violence", "alarm"), "estate_guard").may is May.NO
    # A kind that no rule knows may be a knife: the police go, others with them.
    assert RULES.find(("anything",), "volunteer").may is May.WITH_POLICE
    assert RULES.find(("anything",), "officer").may is May.YES
    assert RULES.find(("theft.ebike", "theft", "alarm"), "estate_guard").may is May.YES
    own = SendingRules.build(
        pd.DataFrame(
            [{"category": "violence.fight", "kind": "estate_guard", "may": "no", "skill": None, "skill_needed": None}]
        )
    )
    assert own.find(("violence.fight", "violence", "alarm"), "estate_guard").may is May.NO
    assert own.find(("violence.fight", "violence", "alarm"), "unit_guard").may is May.WITH_POLICE


def test_what_was_said_counts_for_some_hours_and_not_beyond_the_duty() -> None:
    def status(said: str | None, ago: timedelta, at: datetime = NOON) -> tuple[str, bool]:
        duty = find_duty(said, at - ago, time(8), time(17), at)
        return duty.status.value, duty.is_said

    hour = timedelta(hours=1)
    assert status("not_ready", hour) == ("not_ready", True)
    assert status("off", SAID_COUNTS) == ("ready", False)  # of the night before: the roster says ready
    assert status("ready", -hour) == ("ready", False)  # said later than the moment that is asked for
    seven_in_the_evening = NOON + 7 * hour
    assert status("ready", 3 * hour, seven_in_the_evening) == ("off", True)  # said at 16:00, the duty ended at 17:00
    assert status("ready", hour, seven_in_the_evening) == ("ready", True)  # said at 18:00, after the duty
    assert status("on_scene", 3 * hour, seven_in_the_evening) == ("on_scene", True)
    assert find_duty(None, None, None, None, NOON).status.value == "off"
    assert status("asleep", hour) == ("ready", False)  # a word of another program's: the roster says it


def test_hours_that_pass_midnight() -> None:
    assert [is_within(time(h), time(22), time(6)) for h in (21, 22, 23, 0, 5, 6)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert is_night(NIGHT)
    assert not is_night(NOON)


def test_nothing_that_somebody_did_before_changes_the_order() -> None:
    fields = {field.name for field in dataclasses.fields(Responder)}
    assert fields == {
        "responder_id", "call_sign", "kind", "channel", "vehicle", "skills", "status", "status_utc", "duty_from",
        "duty_to", "no_night_duty", "last_sent_utc", "last_off_utc", "position_utc", "has_position", "grid_id",
    }  # fmt: skip
    # Having been sent often or long ago leaves the place in the order as it is, once rested.
    rows = [
        (responder("R1", last_sent_utc=NOON - timedelta(hours=1), last_off_utc=NOON - REST), 30.0),
        (responder("R2"), 30.0),
    ]
    assert [row.responder_id for row in rank(*rows).rows] == ["R1", "R2"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["officer", "auxiliary", "estate_guard", "grid_worker", "volunteer"]),
            st.sampled_from(["off", "ready", "not_ready", "on_the_way", "on_scene", None]),
            st.one_of(st.just(INF), st.floats(0, 3600)),
            st.booleans(),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.sampled_from([NOISE, KNIFE]),
    st.sampled_from([NOON, NIGHT]),
)
def test_everybody_is_named_once_and_always_with_a_reason(
    drawn: list[tuple[str, str | None, float, bool, bool]], need: Need, at: datetime
) -> None:
    rows = [
        (responder(f"R{n}", kind, status=status, no_night_duty=old, has_position=placed), time_s)
        for n, (kind, status, time_s, old, placed) in enumerate(drawn)
    ]
    ranking = rank(*rows, need=need, at=at)
    named = [row.responder_id for row in (*ranking.rows, *ranking.left_out)]
    assert sorted(named) == sorted(one.responder_id for one, _ in rows)
    times = [row.travel_time_s for row in ranking.rows]
    assert times == sorted(time_s for time_s in times if time_s is not None)
    assert all(row.reasons for row in ranking.left_out)
    assert bool(ranking.advice) or ranking.rows != ()
    by_id = {one.responder_id: one for one, _ in rows}
    for row in ranking.rows:
        one = by_id[row.responder_id]
        assert not (one.kind == "volunteer" and need is KNIFE)
        assert not (one.no_night_duty and at is NIGHT)
    for lang in LANGUAGES:
        words = section("ranking", lang)
        for row in (*ranking.rows, *ranking.left_out):
            assert {f"ranking.reason_{code}" for code in codes(row)} <= set(words)
        assert {f"ranking.reason_{reason.code}" for reason in ranking.advice} <= set(words)
    json.dumps(ranking.to_dict(), default=str)
