"""Every route, page, named query and action × every role is allowed or refused as the rights table says."""

from __future__ import annotations

import csv
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

import data
from data.masking import is_shown_persons
from data.openings import KINDS, open_fields
from data.rights import Right, check_grid, check_right, find_grid_limit, get_right, read_rights
from data.runtime import Runtime
from data.settings import Settings
from data.store import Store
from data.viewer import WALL, Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError
from layers import SCENES
from server.connect import CONNECT_PATHS
from server.events import EventHub
from server.routes import build_routes
from server.signin import SignIn
from server.state import AppState
from tests.fixtures.canaries import AT, plant
from tests.integration.test_masking import CALLS, list_queries
from ui.shell import PAGES

ROOT = Path(__file__).resolve().parents[2]
RIGHTS = read_rights()
QUERIES = list_queries()
# Its figures are on every page's head and in the command line's answers: the one query that asks nobody who looks.
NOT_DRAWN = {
    f"data.queries_{name}"
    for name in (
        *("access", "calendars", "zones", "intake", "map_edits", "tasks", "dispatches", "freshness", "shift", "drills"),
        "patrols",
        *("points", "checkins"),
        "rounds",
    )
}
WITHOUT_VIEWER = {"get_info"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("rights") / "demo.duckdb", clock=lambda: AT) as opened:
        opened.write(plant)
        yield opened


def build_viewer(role: Role, grid: str = "g1") -> Viewer:
    return Viewer(role, frozenset({grid}) if role is Role.GRID_WORKER else None)


# Nothing without a row


def test_every_query_has_a_row_and_every_row_a_query() -> None:
    assert {name for kind, name in RIGHTS if kind == "query"} == set(QUERIES)


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    assert {name for kind, name in RIGHTS if kind == "page"} == set(PAGES)


def test_every_route_has_a_row_and_every_row_a_route(store: Store) -> None:
    state = AppState(Runtime(store, Settings(store.path.parent)), lambda: AT, SCENES, EventHub(), "token", AT)
    door: Any = None  # asked for its routes only
    routes = [*build_routes(state, assets=ROOT, page=""), *SignIn(door).build_routes()]
    paths = {route.path for route in routes if isinstance(route, Route)} | {*CONNECT_PATHS, "streamlit"}
    with_office_sign_in = {"/oidc/start", "/oidc/return"}  # there only where the office has its own sign-in
    assert {name for kind, name in RIGHTS if kind == "route"} - with_office_sign_in == paths - with_office_sign_in


def test_every_query_that_gives_rows_asks_who_looks() -> None:
    for name, query in QUERIES.items():
        assert (list(inspect.signature(query).parameters)[:2] == ["store", "viewer"]) != (name in WITHOUT_VIEWER), name


def test_every_action_is_asked_for_somewhere() -> None:
    """A row that no code asks for would be a promise that nobody keeps."""
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("data", "incidents", "tasks", "server", "ui")
        for path in (ROOT / package).rglob("*.py")
    )
    actions = {name for kind, name in RIGHTS if kind == "action"}
    assert sorted(name for name in actions if f'"{name}"' not in code) == []


def test_the_table_is_written_whole() -> None:
    """Each row names each role's right in one of three words, once; only a grid worker has own grids."""
    rows = list(csv.reader(files("data").joinpath("rights.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["kind", "name", *(role.value for role in Role)]
    assert {len(row) for row in rows} == {len(Role) + 2}
    assert {row[0] for row in rows[1:]} == {"page", "route", "query", "action"}
    assert len({(row[0], row[1]) for row in rows[1:]}) == len(rows) - 1
    own = {(kind, role) for (kind, _), rights in RIGHTS.items() for role, right in rights.items() if right is Right.OWN}
    assert own == {(kind, Role.GRID_WORKER) for kind in ("page", "query", "action")}


def test_what_has_no_row_is_never_allowed() -> None:
    for kind in ("page", "route", "query", "action"):
        with pytest.raises(KeyError, match=f"rights.csv has no row for {kind} 'new'"):
            get_right(Role.ADMIN, kind, "new")  # type: ignore[arg-type]


# Every query × every role


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", sorted(set(QUERIES) - WITHOUT_VIEWER))
def test_every_query_for_every_role(store: Store, name: str, role: Role) -> None:
    right = RIGHTS["query", name][role]
    call: Callable[[Viewer], list[Any]] = lambda viewer: CALLS[name](QUERIES[name], store, viewer)  # noqa: E731
    if right is Right.NO:
        with pytest.raises(NotAllowedError, match=rf"Role '{role}' may not use query '{name}'\. Ask the administrator"):
            call(build_viewer(role))
        return
    assert all(answer is not None for answer in call(build_viewer(role)))
    if right is Right.OWN and name != "get_place":
        assert all(len(answer) == 1 for answer in call(build_viewer(role)))
        for viewer in (build_viewer(role, "g2"), Viewer(role), Viewer(role, frozenset())):
            assert all(len(answer) == 0 for answer in call(viewer))
    elif right is Right.OWN:
        with pytest.raises(NotAllowedError, match="is not in one of your grids"):
            call(build_viewer(role, "g2"))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind_name", sorted(key for key in RIGHTS if key[0] != "query"), ids=" ".join)
def test_everything_else_for_every_role(kind_name: tuple[Any, str], role: Role) -> None:
    if RIGHTS[kind_name][role] is Right.NO:
        with pytest.raises(NotAllowedError, match=f"Role '{role}' may not use"):
            check_right(build_viewer(role), *kind_name)
    else:
        assert check_right(build_viewer(role), *kind_name) is RIGHTS[kind_name][role]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", KINDS)
def test_opening_every_kind_for_every_role(store: Store, kind: str, role: Role) -> None:
    viewer = Viewer(role, build_viewer(role).grids, account_id="a", name="n")
    if RIGHTS["action", "open_field"][role] is Right.NO:
        with pytest.raises(NotAllowedError):
            open_fields(store, viewer, kind, "1", reason="a reason that is long enough", clock=lambda: AT)
        return
    assert is_shown_persons(viewer)
    opening = open_fields(store, viewer, kind, "1", reason="a reason that is long enough", clock=lambda: AT)
    assert (opening.subject_kind, opening.subject_id, opening.account_id) == (kind, "1", "a")
    if role is Role.GRID_WORKER:
        elsewhere = Viewer(role, frozenset({"g2"}), account_id="a", name="n")
        for subject in ("1", "there is none"):  # nor does the answer tell which ids there are
            with pytest.raises(NotAllowedError, match="is not in one of your grids"):
                open_fields(store, elsewhere, kind, subject, reason="long enough", clock=lambda: AT)
    else:
        with pytest.raises(RecordMissingError, match=f"There is no {kind} 'nowhere'"):
            open_fields(store, viewer, kind, "nowhere", reason="a reason that is long enough", clock=lambda: AT)


# What issue 3 promises, in words


@pytest.mark.parametrize("name", ["find_occupants", "find_accounts", "find_audit", "find_approvals"])
def test_the_wall_asks_for_no_person(name: str) -> None:
    assert get_right(Role.WALL, "query", name) is Right.NO


def test_the_wall_may_ask_all_that_it_draws() -> None:
    drawn = {n for n in QUERIES if QUERIES[n].__module__ not in NOT_DRAWN}
    assert {get_right(WALL.role, "query", name) for name in drawn} == {Right.YES}


def test_nobody_signs_in_to_the_command_lines_routes() -> None:
    admin = {name for kind, name in RIGHTS if kind == "route" and name.startswith("/api/v1/admin/")}
    assert len(admin) >= 4
    assert {right for name in admin for right in RIGHTS["route", name].values()} == {Right.NO}


def test_a_grid_and_its_limit() -> None:
    worker, officer = Viewer(Role.GRID_WORKER, frozenset({"g1"})), Viewer(Role.OFFICER)
    assert find_grid_limit(worker, "query", "find_rentals") == ["g1"]
    assert find_grid_limit(officer, "query", "find_rentals") is None
    check_grid(worker, "query", "get_place", "g1", what="it")
    check_grid(officer, "query", "get_place", None, what="it")
    for grid in ("g2", None, float("nan")):
        with pytest.raises(NotAllowedError, match=r"^it is not in one of your grids"):
            check_grid(worker, "query", "get_place", grid, what="it")


def test_no_query_hides_in_another_module() -> None:
    """
    A public function of data/ that takes a store and a viewer stands in data/queries*.py, under the rights; or it is
    one of these, each of which checks the right of an action itself or only masks.
    """
    allowed = {
        *("change_settings", "create_key", "list_sessions", "revoke_key", "revoke_session"),  # manage_… each
        *("use_export", "read_subject_file", "take_audit"),  # an export's own right, find_audit
        *("erase_person", "find_rows", "apply_retention", "back_up"),
        *("open_zone", "change_zone", "add_measure", "continue_zone", "close_zone", "record_lot"),  # manage_zones each
        *("propose_plan", "revise_plan", "start_plan", "end_plan", "drop_plan", "say_reason"),  # plan_patrol each
        "approve_plan",  # approve_patrol
        "keep_calendar",  # manage_calendars
        *("add_gate", "add_wall", "change_gate", "change_wall", "remove_feature"),  # manage_map each
        *("confirm_features", "undo_map_change"),  # manage_map too
        "undo_site_plan",  # manage_plans
        *("put_plan", "put_plans", "undo_plan_change", "put_site_plan", "add_part", "remove_part"),  # manage_plans each
        *("add_photo", "get_photo"),  # work_task, see_photo
        *("put_rule_table", "propose", "decide_proposal", "find_receivers", "find_day"),  # an own action each
        "open_fields",
        "ask",
        "decide",
        "mask_frame",
        "log_looks",
        "read_rows",
        "read_shapes",
        "unseal",
        "use_in",
    }
    found = set()
    for module in pkgutil.iter_modules(data.__path__, "data."):
        if module.ispkg or module.name.startswith("data.queries"):
            continue
        for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            parameters = list(inspect.signature(function).parameters)
            if function.__module__ == module.name and "viewer" in parameters and "store" in parameters:
                found.add(name)
    assert {name for name in found if not name.startswith("_")} <= allowed
