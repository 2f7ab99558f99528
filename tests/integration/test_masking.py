"""Persons leave the store through one door, and the wall sees none of them."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from shapely import Point

import data.queries
from data.audit import Entry, record
from data.masking import find_tables_with_persons, mask_frame
from data.openings import KINDS as OPENING_KINDS
from data.queries import (
    find_incidents,
    find_key_sites,
    find_occupants,
    find_rentals,
    find_responders,
    find_units,
    get_place,
)
from data.rights import Right, get_right
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError
from tests.fixtures.canaries import AT, KEY, NAME, PHONE, ask_a_day_later, ask_of_a_round, ask_of_the_next_visit, plant
from tests.fixtures.checkin_calls import CHECKIN_CALLS

IN_G1, IN_G2 = (Viewer(Role.GRID_WORKER, frozenset({grid})) for grid in ("g1", "g2"))
NO_GRID = Viewer(Role.GRID_WORKER)
EVERYTHING = frozenset((kind, "1") for kind in OPENING_KINDS)
OPENED = Viewer(Role.OFFICER, account_id="a", name="n", openings=EVERYTHING)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A row in every table, a canary in every person column that the schema knows."""
    with Store(tmp_path_factory.mktemp("canaries") / "demo.duckdb", clock=lambda: AT) as opened:
        opened.write(plant)
        record(opened, Entry("look", "1", "a", subject_kind="unit", subject_id="1"), clock=lambda: AT)
        yield opened


# The canary test: whoever adds a public query without telling here how to call it, or a query that lets one out, fails.

CALLS: dict[str, Callable[[Any, Store, Viewer], list[Any]]] = {
    "get_place": lambda query, store, viewer: [
        query(store, viewer, kind, place_id)
        for kind, place_id in (("building", "1"), ("grid", "g1"), ("site", "1"), ("unit", "1"))
    ],
    **dict.fromkeys(
        (f"find_unit_{n}" for n in ("incidents", "rentals", "reports", "visits")),
        lambda query, store, viewer: [query(store, viewer, "1")],
    ),
    "find_incidents_at": lambda query, store, viewer: [query(store, viewer, "1", unit_id="1")],
    "find_site_plan": lambda query, store, viewer: [query(store, viewer, "1")],
    "find_plan_rooms": lambda query, store, viewer: [query(store, viewer, "1")],
    "find_units": lambda query, store, viewer: [query(store, viewer, "1")],
    "find_scene": lambda query, store, viewer: [query(store, viewer, "1")],
    "find_earlier": ask_a_day_later,
    "find_earlier_visits": ask_of_the_next_visit,
    **dict.fromkeys(("find_round_tasks", "find_last_place", "find_due_visits"), ask_of_a_round),
    "get_info": lambda query, store, _: [query(store)],
    "find_incident_states": lambda query, store, viewer: [query(store, viewer, ["1"])],
    **dict.fromkeys(
        (
            "find_occupants",
            "find_case",
            "find_decision",
            "find_own_dispatches",
            "find_patrol_dispatches",
            "find_patrol_reasons",
            *(f"find_task{n}" for n in ("", "_events", "_evidence", "_findings", "_incidents", "_photos", "_sessions")),
        ),
        lambda query, store, viewer: [query(store, viewer, "1")],
    ),
    **dict.fromkeys(
        ("find_freshness", "find_rounds", "find_task_counts", "find_tasks", "find_waiting"),
        lambda query, store, viewer: [query(store, viewer, now=AT)],
    ),
    "find_own_patrols": lambda query, store, viewer: [query(store, viewer, "1", now=AT)],
    **CHECKIN_CALLS,
    "find_alarm_ranks": lambda query, store, viewer: [query(store, viewer, most=3)],
    "find_checks": lambda query, store, viewer: [query(store, viewer, "unit", "1")],
    "find_field_facts": lambda query, store, viewer: [query(store, viewer, "unit", "1", fields=("residents_count",))],
    "find_mends": lambda query, store, viewer: [query(store, viewer, now=AT, cycles={"1": 7}, limit=1)],
    "find_rentals": lambda query, store, viewer: [query(store, viewer, placed=placed) for placed in (True, False)],
    "find_responders": lambda query, store, viewer: [query(store, viewer, placed=placed) for placed in (True, False)],
    **{
        name: lambda query, store, viewer: [query(store, viewer)]
        for name in [
            "find_accounts",
            "find_addresses",
            "find_alarms",
            "find_aliases",
            "find_approvals",
            "find_audit",
            "find_boundary",
            "find_bodies",
            "find_buildings",
            "find_categories",
            "find_defects",
            "find_dispatches",
            "find_handovers",
            "find_drill",
            "find_drill_alarms",
            "find_entrances",
            "find_forces",
            "find_gates",
            "find_calendar_days",
            "find_grids",
            "find_incidents",
            "find_key_sites",
            "find_land",
            "find_map_changes",
            "find_open_incidents",
            "find_map_knowledge",
            "find_plan_changes",
            "find_positions",
            "find_proposals",
            "find_reported",
            "find_roads",
            "find_sending_rules",
            "find_unplaced",
            "find_verdicts",
            "find_walls",
            "find_patrol_plans",
            "find_patrol_presences",
            "find_zone_measures",
            "find_zone_owners",
            "find_zone_records",
            "find_zones",
        ]
    },
}


def list_queries() -> dict[str, Callable[..., Any]]:
    """Every public function of every module data.queries*."""
    modules = [
        importlib.import_module(f"data.{m.name}")
        for m in pkgutil.iter_modules(data.__path__)
        if m.name.startswith("queries")
    ]
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    }


def spell_out(answer: Any) -> str:
    """All that an answer holds, as text."""
    if isinstance(answer, (list, dict)):  # rows or columns
        answer = pd.DataFrame(answer)
    if isinstance(answer, pd.DataFrame):
        return " ".join([*map(str, answer.columns), *(str(v) for row in answer.itertuples() for v in row)])
    return repr(dataclasses.asdict(answer))


def test_every_query_is_called_with_canaries() -> None:
    assert set(list_queries()) == set(CALLS), "say in CALLS how the canary test is to call the new query"


@pytest.mark.parametrize("role", [Role.WALL, Role.VOLUNTEER, Role.AUDITOR])
@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_canary_leaves_for_those_who_see_no_persons(store: Store, name: str, role: Role) -> None:
    viewer = Viewer(role, account_id="a", name="n", openings=EVERYTHING)  # an opening opens nothing here
    if get_right(role, "query", name) is Right.NO:
        with pytest.raises(NotAllowedError, match=f"Role '{role}' may not use query '{name}'"):
            CALLS[name](list_queries()[name], store, viewer)
        return
    for answer in CALLS[name](list_queries()[name], store, viewer):
        text = spell_out(answer)
        assert "1" in text or "g1" in text, "the query answers nothing: it proves nothing"
        assert NAME[:2] not in text
        assert PHONE[-4:] not in text
        assert KEY not in text


@pytest.mark.parametrize("name", sorted(CALLS))
def test_no_whole_canary_leaves_before_it_is_opened(store: Store, name: str) -> None:
    roles = (Role.OFFICER, Role.ADMIN, Role.COMMANDER)
    role = next(role for role in roles if get_right(role, "query", name) is not Right.NO)
    for answer in CALLS[name](list_queries()[name], store, Viewer(role, account_id="a", name="n")):
        assert PHONE not in spell_out(answer)
        assert KEY not in spell_out(answer)


def test_canaries_are_in_every_person_column(store: Store) -> None:
    tables = find_tables_with_persons(store)
    assert {"units", "rentals", "key_sites", "responders", "incidents", "import_changes", "occupants"} <= set(tables)
    for table, columns in tables.items():
        row = store.read(f"SELECT {', '.join(columns)} FROM {table}").iloc[0]
        assert all(NAME in str(value) or PHONE[-4:] in str(value) for value in row)


def test_no_query_of_the_wall_has_a_person_column(store: Store) -> None:
    persons = {column for columns in find_tables_with_persons(store).values() for column in columns} - {
        "name",
        "address_text",
    }
    for name, query in list_queries().items():
        if get_right(Role.WALL, "query", name) is Right.NO:
            continue
        for answer in CALLS[name](query, store, WALL):
            columns = set(pd.DataFrame(answer).columns) if isinstance(answer, (list, dict, pd.DataFrame)) else set()
            assert not columns & (persons | {"reporter_key"})
    assert not {"name", "phone"} & set(find_responders(store, WALL).columns)


# Who sees what


@pytest.mark.parametrize(
    ("viewer", "name", "phone"),
    [
        (Viewer(Role.OFFICER), "柳**", "139****4321"),
        (Viewer(Role.COMMANDER), "柳**", "139****4321"),
        (Viewer(Role.ADMIN), "柳**", "139****4321"),
        (OPENED, f"{NAME} {PHONE}", PHONE),
        (dataclasses.replace(OPENED, account_id=None), "柳**", "139****4321"),  # nobody could be named in the log
        (Viewer(Role.OFFICER, frozenset({"g2"})), None, None),
        (IN_G1, "柳**", "139****4321"),
        (dataclasses.replace(IN_G1, account_id="w", name="w", openings=EVERYTHING), f"{NAME} {PHONE}", PHONE),
    ],
)
def test_what_each_role_sees_of_a_person(store: Store, viewer: Viewer, name: str | None, phone: str | None) -> None:
    rental = find_rentals(store, viewer).iloc[0]
    assert (rental["landlord_name"], rental["landlord_phone"]) == (name, phone)
    building = get_place(store, viewer, "building", "1")
    assert (building.rentals[0]["landlord_name"], building.rentals[0]["landlord_phone"]) == (name, phone)
    unit = get_place(store, viewer, "unit", "1").facts
    assert (unit["owner_name"], unit["owner_phone"], unit["has_minor"]) == (name, phone, True)
    worker = get_place(store, viewer, "grid", "g1").facts["worker"]
    assert (worker["call_sign"], worker["name"]) == ("1", name)
    incident = find_incidents(store, viewer).iloc[0]
    assert incident["reporter_phone"] == phone
    is_open = name and PHONE in name
    assert incident["narrative"] == (name and (f"{NAME} {PHONE}" if is_open else f"{NAME} ***"))
    assert "reporter_key" not in incident.index
    assert incident["caller"] == 1


@pytest.mark.parametrize("viewer", [IN_G2, dataclasses.replace(IN_G2, account_id="w", openings=EVERYTHING), NO_GRID])
def test_a_grid_worker_has_no_row_of_other_grids(store: Store, viewer: Viewer) -> None:
    assert find_rentals(store, viewer).empty
    assert find_rentals(store, viewer, placed=False).empty
    assert find_incidents(store, viewer).empty
    assert find_units(store, viewer, "1").empty
    assert find_occupants(store, viewer, "1").empty
    for kind, place_id in (("building", "1"), ("unit", "1"), ("site", "1"), ("grid", "g1")):
        with pytest.raises(NotAllowedError, match=f"{kind} '{place_id}' is not in one of your grids"):
            get_place(store, viewer, kind, place_id)  # type: ignore[arg-type]
    site, responder = find_key_sites(store, viewer).iloc[0], find_responders(store, viewer).iloc[0]
    assert (site["contact_name"], responder["name"], responder["call_sign"]) == (None, None, "1")


def test_an_opening_opens_its_own_subject_and_no_other(store: Store) -> None:
    """Who opened a home sees owner, landlord and occupants of it; not who called from there."""
    viewer = Viewer(Role.OFFICER, account_id="a", name="n", openings=frozenset({("unit", "1")}))
    assert get_place(store, viewer, "unit", "1").facts["owner_phone"] == PHONE
    assert find_rentals(store, viewer).iloc[0]["landlord_phone"] == PHONE
    occupant = find_occupants(store, viewer, "1").iloc[0]
    assert (occupant["phone"], occupant["identity_last4"]) == (PHONE, PHONE[-4:])
    assert "identity_hash" not in occupant.index
    assert find_incidents(store, viewer).iloc[0]["reporter_phone"] == "139****4321"
    assert get_place(store, viewer, "site", "1").facts["contact_phone"] == "139****4321"
    other = dataclasses.replace(viewer, openings=frozenset({("unit", "2"), ("site", "1")}))
    assert get_place(store, other, "unit", "1").facts["owner_phone"] == "139****4321"
    assert find_occupants(store, other, "1").iloc[0]["identity_last4"] is None  # no mask would leave anything to tell


def test_the_wall_is_not_told_where_a_child_lives(store: Store) -> None:
    assert "has_minor" not in get_place(store, WALL, "unit", "1").facts
    assert "has_minor" not in find_units(store, WALL, "1").columns


def test_the_wall_still_sees_call_signs_and_figures(store: Store) -> None:
    grid = get_place(store, WALL, "grid", "g1")
    assert grid.facts["worker"]["call_sign"] == "1"
    assert set(grid.facts["worker"]) == {
        "responder_id",
        "call_sign",
        "full_time",
        "channel",
        "duty_from",
        "duty_to",
        "grid_id",
    }
    assert grid.incidents.total == 1


def test_masking_a_frame_changes_neither_it_nor_its_other_columns(store: Store) -> None:
    frame = pd.DataFrame(
        {"name": ["甲乙", None, "丙"], "kind": ["x", "y", "z"], "worker": ["丁", "戊", "己"]}, index=[5, 7, 9]
    )
    before = frame.copy()
    seen = mask_frame(frame, "responders", Viewer(Role.OFFICER), store, aliases={"worker": "responders.name"})
    assert seen["name"].tolist() == ["甲**", None, "丙**"]
    assert seen["worker"].tolist() == ["丁**", "戊**", "己**"]
    assert seen["kind"].tolist() == ["x", "y", "z"]
    assert seen.index.tolist() == [5, 7, 9]
    pd.testing.assert_frame_equal(frame, before)
    wall = mask_frame(frame, ["responders"], WALL, store, aliases={"worker": "responders.name"})
    assert list(wall.columns) == ["kind"]
    assert list(mask_frame(frame, "key_sites", WALL, store).columns) == ["name", "kind", "worker"]


def test_a_renamed_hash_of_a_caller_is_not_shown_either(store: Store) -> None:
    frame = pd.DataFrame({"who": [KEY], "reporter_key": [KEY]})
    seen = mask_frame(frame, "incidents", OPENED, store, aliases={"who": "incidents.reporter_key"})
    assert list(seen.columns) == []


def test_a_person_column_of_unknown_kind_stays_hidden_until_opened(store: Store) -> None:
    frame = store.read("SELECT building_id, attributes FROM buildings")
    assert mask_frame(frame, "buildings", Viewer(Role.ADMIN), store)["attributes"].tolist() == [None]
    clear = mask_frame(frame, "buildings", OPENED, store)["attributes"].iloc[0]
    assert NAME in clear or "\\u" in clear
    undo = store.read("SELECT before FROM import_changes")  # nobody opens what an import had overwritten
    assert mask_frame(undo, "import_changes", OPENED, store)["before"].tolist() == [None]


# Sensitive incidents: the wall learns grid and time


@pytest.fixture(scope="module")
def sensitive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Three incidents at one building; two are of a kind below a sensitive one."""
    with Store(tmp_path_factory.mktemp("sensitive") / "demo.duckdb") as opened:
        opened.write(plant)
        kinds = [("violence", None, True), ("violence.home", "violence", False), ("theft", None, False)]
        kinds_frame = pd.DataFrame(kinds, columns=["category", "parent", "sensitive"]).assign(name_zh="", name_en="")
        opened.write(lambda t: t.append("incident_categories", kinds_frame))
        opened.write(lambda t: t.execute("incidents", "UPDATE incidents SET category = 'theft'"))
        for n, days in ((2, 10), (3, 200)):
            opened.write(
                lambda t, n=n, days=days: t.execute(
                    "incidents",
                    "INSERT INTO incidents SELECT * REPLACE (? AS incident_id, 'violence.home' AS category, "
                    "reported_utc - to_days(?) AS reported_utc) FROM incidents WHERE incident_id = '1'",
                    [str(n), days],
                )
            )
        yield opened


def test_the_wall_learns_of_a_sensitive_incident_its_grid_and_time_only(sensitive: Store) -> None:
    seen = find_incidents(sensitive, WALL).set_index("incident_id")
    hidden = seen.loc["2"]
    assert hidden["undisclosed"]
    assert hidden["grid_id"] == "g1"
    assert hidden["reported_utc"] == pd.Timestamp("2026-10-20", tz="UTC")
    assert hidden[["category", "number", "source", "building_id", "unit_id", "address", "disposition"]].isna().all()
    assert hidden["geom"] == Point(25, 25)  # the middle of the grid, not where it was
    assert seen.loc["1", "geom"] == Point(9, 9)
    assert seen.loc["1", "category"] == "theft"
    officer = find_incidents(sensitive, Viewer(Role.OFFICER)).set_index("incident_id")
    assert officer.loc["2", "category"] == "violence.home"
    assert officer.loc["2", "geom"] == Point(9, 9)
    assert not officer["undisclosed"].any()


@pytest.mark.parametrize("narrow", [{"categories": ["violence"]}, {"building_id": "1"}, {"only_places": True}])
def test_no_question_tells_the_wall_where_or_what_a_sensitive_incident_was(
    sensitive: Store, narrow: dict[str, Any]
) -> None:
    assert not find_incidents(sensitive, WALL, **narrow)["undisclosed"].any()
    assert {"2", "3"}.isdisjoint(find_incidents(sensitive, WALL, **narrow)["incident_id"])
    assert {"2", "3"} <= set(find_incidents(sensitive, Viewer(Role.OFFICER), **narrow)["incident_id"])


def test_a_panel_counts_sensitive_incidents_in_the_grid_but_not_at_the_building(sensitive: Store) -> None:
    building, grid = (get_place(sensitive, WALL, kind, i).incidents for kind, i in (("building", "1"), ("grid", "g1")))
    assert (building.total, building.total_84_days, building.by_category) == (1, 1, {"theft": 1})
    assert (grid.total, grid.total_84_days, grid.by_category) == (3, 2, {"theft": 1})
    officer = get_place(sensitive, Viewer(Role.OFFICER), "building", "1").incidents
    assert (officer.total, officer.total_84_days) == (3, 2)
    assert officer.by_category == {"violence.home": 2, "theft": 1}
    assert officer.by_category_84_days == {"theft": 1, "violence.home": 1}
    assert officer.last_reported_utc == datetime(2026, 10, 30, tzinfo=UTC)


def test_what_is_not_there_is_missed_by_name(store: Store) -> None:
    for kind in ("building", "grid", "site", "unit"):
        with pytest.raises(RecordMissingError, match=f"There is no {kind} 'nowhere'"):
            get_place(store, WALL, kind, "nowhere")  # type: ignore[arg-type]
    with pytest.raises(RecordMissingError, match="kind 'person' is not known"):
        get_place(store, WALL, "person", "1")  # type: ignore[arg-type]
