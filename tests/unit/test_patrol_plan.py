"""The plan of a shift: brute force on small shifts, hand-made cases, and what holds for any shift."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import BadRecordError
from incidents.patrol_plan import ImpossiblePatrolError, PatrolPlan, Why, plan_patrol
from incidents.patrol_slots import HotPlace, PatrolRules, expect
from incidents.team_routes import Matrix, Walker

HOUR = 3600.0
FLAT = (1.0,) * 24


def travel_between(xy: list[tuple[float, float]]) -> Matrix:
    """Seconds at 1 m/s, straight."""
    points = np.array(xy, dtype=np.float64)
    return np.hypot(points[:, None, 0] - points[None, :, 0], points[:, None, 1] - points[None, :, 1])


def place(row: int, rates: tuple[float, ...] = FLAT, **more: object) -> HotPlace:
    return HotPlace(f"p{row}", more.pop("grid_id", None), row, rates, **more)  # type: ignore[arg-type]


def check_kept(plan: PatrolPlan, places: list[HotPlace], walkers: list[Walker], travel: Matrix) -> None:
    """What any plan has to keep, reckoned from its times alone."""
    rows = {one.place_id: one.row for one in places}
    begun: dict[str, list[float]] = {}
    for walker, route in zip(walkers, plan.routes, strict=True):
        at, now = walker.start, walker.from_s
        for visit in route:
            assert visit.arrival_s == pytest.approx(now + travel[at, rows[visit.place_id]])
            assert visit.begin_s >= visit.arrival_s - 1e-6
            assert visit.leave_s == pytest.approx(visit.begin_s + plan.rules.stop_minutes * 60)
            begun.setdefault(visit.place_id, []).append(visit.begin_s)
            at, now = rows[visit.place_id], visit.leave_s
        if route and walker.end is not None:
            assert now + travel[at, walker.end] <= walker.to_s + 1e-6
    for times in begun.values():
        for one, other in pairwise(sorted(times)):
            assert other - one >= (plan.rules.gap_minutes + plan.rules.stop_minutes) * 60 - 1e-6
    left = {one.place_id for one in plan.left_out}
    assert left | set(begun) == set(rows)
    assert not left & set(begun)


def test_one_shift_is_the_best_of_all_orders() -> None:
    # Each place once, any time: the best that any order of any of the seven reaches, by trying all.
    rng = np.random.default_rng(3)
    for _ in range(4):
        travel = travel_between([tuple(xy) for xy in rng.uniform(0, 900, (8, 2))])
        rates = rng.uniform(0.2, 3.0, 7)
        places = [place(n + 1, (float(rates[n]),) * 24, most_visits=1) for n in range(7)]
        walker = Walker(0, 0, 8 * HOUR, 8 * HOUR + 75 * 60)
        # One window as wide as the shift, nothing narrowed and nothing raised: plain orienteering.
        rules = PatrolRules(gap_minutes=600, fairness=0, freedom=1, search_s=0.3)
        plan = plan_patrol(places, [walker], {"foot": travel}, rules)
        check_kept(plan, places, [walker], travel)
        best = 0.0
        for size in range(8):
            for order in permutations(range(1, 8), size):
                way = math.fsum(travel[a, b] for a, b in pairwise((0, *order, 0)))
                if way + size * 12 * 60 <= 75 * 60:
                    best = max(best, math.fsum(rates[n - 1] for n in order) * 0.2)
        assert plan.covered == pytest.approx(best)


def test_hours_decide_when_a_place_is_visited() -> None:
    # 40 an hour from 20:00 to 21:00, nothing else all day: whoever goes there goes then.
    evening = tuple(40.0 if hour == 20 else 0.01 for hour in range(24))
    travel = travel_between([(0, 0), (100, 0)])
    places = [place(1, evening, most_visits=1)]
    walker = Walker(0, 0, 14 * HOUR, 22 * HOUR)
    plan = plan_patrol(places, [walker], {"foot": travel}, PatrolRules(gap_minutes=30, search_s=0))
    ((visit,),) = plan.routes
    assert 19.8 * HOUR <= visit.begin_s <= 21 * HOUR
    assert plan.expected == pytest.approx(40 + 7 * 0.01)


def test_expected_incidents_are_added_up_over_hours_and_midnight() -> None:
    rates = tuple(float(hour) for hour in range(24))
    # Half an hour at 23, then three quarters of an hour at 0 and a quarter at 1, by hand.
    assert expect(place(1, rates), 22.5 * HOUR, 24 * HOUR) == pytest.approx(0.5 * 22 + 23)
    assert expect(place(1, rates), 23.5 * HOUR, 25.25 * HOUR) == pytest.approx(0.5 * 23 + 0 + 0.25 * 1)


def test_fixed_points_are_seen_and_too_many_are_named() -> None:
    travel = travel_between([(0, 0), (1500, 0), (0, 1500), (10, 0)])
    places = [place(1, must=True), place(2, must=True), place(3, (50.0,) * 24)]
    walker = Walker(0, 0, 8 * HOUR, 10 * HOUR + 1800)
    plan = plan_patrol(places, [walker], {"foot": travel}, PatrolRules(search_s=0))
    assert {"p1", "p2"} <= {visit.place_id for route in plan.routes for visit in route}
    short = Walker(0, 0, 8 * HOUR, 9 * HOUR + 1200)  # 80 minutes: one of them needs 62, both 145
    with pytest.raises(ImpossiblePatrolError, match=r"dropping any one of these is enough: 'p1', 'p2'") as caught:
        plan_patrol(places, [short], {"foot": travel}, PatrolRules(search_s=0))
    assert caught.value.drop == ("p1", "p2")
    closed = [place(1, must=True, windows_s=((1 * HOUR, 2 * HOUR),))]
    with pytest.raises(ImpossiblePatrolError, match="'p1' is not open while anybody"):
        plan_patrol(closed, [walker], {"foot": travel}, PatrolRules(search_s=0))


def test_what_is_left_out_says_why() -> None:
    travel = travel_between([(0, 0), (10, 0), (3000, 0), (20, 0), (30, 0)])
    travel[:, 3] = travel[3, :] = np.inf
    places = [
        place(1, (5.0,) * 24),
        place(2),
        place(3),
        place(4, windows_s=((0.0, HOUR),)),
        HotPlace("nobody", None, 1, FLAT, walkers=frozenset()),
    ]
    walker = Walker(0, 0, 8 * HOUR, 8 * HOUR + 1800)
    plan = plan_patrol(places, [walker], {"foot": travel}, PatrolRules(freedom=1, search_s=0))
    why = {one.place_id: one.why for one in plan.left_out}
    assert why == {"p2": Why.NO_TIME, "p3": Why.NO_WAY, "p4": Why.CLOSED, "nobody": Why.NOT_ALLOWED}
    # By hand: from p1 (10 m out) to p2 and back to the start, 5,980 s longer than from p1, and the stop of 12 minutes.
    needed = next(one.needed_minutes for one in plan.left_out if one.place_id == "p2")
    assert needed == pytest.approx((2990 + 3000 - 10) / 60 + 12)


def test_no_grid_is_left_alone_where_fairness_is_asked() -> None:
    # Time for two stops; two places of grid a are worth 3, that of grid b is worth 2.
    travel = travel_between([(0, 0), (10, 0), (20, 0), (30, 0)])
    rich = (3.0,) * 24
    places = [
        place(1, rich, grid_id="a", most_visits=1),
        place(2, rich, grid_id="a", most_visits=1),
        place(3, (2.0,) * 24, grid_id="b", most_visits=1),
    ]
    walker = Walker(0, 0, 8 * HOUR, 8 * HOUR + 30 * 60)
    alone = plan_patrol(
        places, [walker], {"foot": travel}, PatrolRules(gap_minutes=600, fairness=0, freedom=1, search_s=0)
    )
    fair = plan_patrol(
        places, [walker], {"foot": travel}, PatrolRules(gap_minutes=600, fairness=1, freedom=1, search_s=0)
    )
    assert "p3" not in {visit.place_id for visit in alone.routes[0]}
    assert [visit.is_fair for visit in fair.routes[0] if visit.place_id == "p3"] == [True]


def test_stops_are_spread_over_those_who_have_the_time() -> None:
    travel = travel_between([(0, 0), *((10.0 * n, 0) for n in range(1, 9))])
    places = [place(n, most_visits=1) for n in range(1, 9)]
    walkers = [Walker(0, 0, 8 * HOUR, 12 * HOUR), Walker(0, 0, 8 * HOUR, 12 * HOUR)]
    plan = plan_patrol(places, walkers, {"foot": travel}, PatrolRules(gap_minutes=600, freedom=1, search_s=0))
    check_kept(plan, places, walkers, travel)
    # Eight stops, four each, two more at the most; none is given up for it.
    assert plan.left_out == ()
    assert max(len(route) for route in plan.routes) <= 6


def test_a_locked_stop_stays_and_the_rest_goes_around_it() -> None:
    travel = travel_between([(0, 0), (100, 0), (200, 0), (300, 0)])
    places = [place(1), place(2), place(3)]
    walkers = [Walker(0, 0, 8 * HOUR, 12 * HOUR), Walker(0, 0, 8 * HOUR, 12 * HOUR)]
    plan = plan_patrol(places, walkers, {"foot": travel}, PatrolRules(search_s=0), locked=[(1, "p2", 10 * HOUR)])
    check_kept(plan, places, walkers, travel)
    assert any(v.place_id == "p2" and abs(v.begin_s - 10 * HOUR) <= 300 for v in plan.routes[1])
    with pytest.raises(BadRecordError, match="Locked stop at 'p9': no such place"):
        plan_patrol(places, walkers, {"foot": travel}, PatrolRules(search_s=0), locked=[(0, "p9", 10 * HOUR)])


def test_the_seed_decides_the_times_and_nothing_else_does() -> None:
    travel = travel_between([(0, 0), (100, 0), (200, 50)])
    places, walker = [place(1), place(2)], Walker(0, 0, 8 * HOUR, 18 * HOUR)
    plans = [
        plan_patrol(places, [walker], {"foot": travel}, PatrolRules(seed=seed, search_s=0)) for seed in (1, 1, 2, 3)
    ]
    assert plans[0] == plans[1]
    assert len({tuple(visit.begin_s for visit in plan.routes[0]) for plan in plans}) == 3


@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 9),
    people=st.integers(1, 3),
    hours=st.floats(0.5, 9),
    gap=st.sampled_from([0.0, 45.0, 120.0]),
)
@settings(max_examples=25, deadline=None)
def test_any_plan_keeps_times_gaps_and_duty(seed: int, count: int, people: int, hours: float, gap: float) -> None:
    rng = np.random.default_rng(seed)
    travel = travel_between([tuple(xy) for xy in rng.uniform(0, 1200, (count + 1, 2))])
    places = [
        place(
            n + 1,
            tuple(rng.uniform(0, 2, 24).tolist()),
            grid_id=f"g{n % 3}",
            windows_s=((9 * HOUR, 11 * HOUR), (14 * HOUR, 23 * HOUR)) if n % 4 == 0 else (),
        )
        for n in range(count)
    ]
    walkers = [Walker(0, 0 if n else None, (8 + n) * HOUR, (8 + n + hours) * HOUR) for n in range(people)]
    plan = plan_patrol(places, walkers, {"foot": travel}, PatrolRules(gap_minutes=gap, search_s=0, seed=seed))
    check_kept(plan, places, walkers, travel)
    for visit in (visit for route in plan.routes for visit in route):
        assert 0 <= visit.covered <= plan.expected + 1e-9
        assert visit.slack_s >= 0


def test_a_shift_of_twenty_places_and_eight_people() -> None:
    rng = np.random.default_rng(1)
    travel = travel_between([tuple(xy) for xy in rng.uniform(0, 850, (21, 2))])
    places = [place(n + 1, tuple(rng.uniform(0, 0.2, 24).tolist()), grid_id=f"g{n % 11}") for n in range(20)]
    walkers = [Walker(0, 0, 8 * HOUR, 16 * HOUR, profile="foot") for _ in range(8)]
    plan = plan_patrol(places, walkers, {"foot": travel}, PatrolRules(search_s=0))
    check_kept(plan, places, walkers, travel)
    assert plan.left_out == ()
