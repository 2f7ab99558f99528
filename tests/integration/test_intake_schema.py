"""Whatever the description of the interface allows or forbids is asked of it: never an internal error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from starlette.applications import Starlette
from starlette.routing import Mount

from data.store import Store
from server.api import PREFIX, build_api
from tests.fixtures.access import Clock
from tests.fixtures.intake import build_store, make_key

EXAMPLES = 30
SCOPES = ("incidents:write", "incidents:read", "positions:write")
CHECKS = (not_a_server_error, status_code_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with build_store(tmp_path_factory.mktemp("schema") / "place.duckdb", Clock(), key="") as opened:
        yield opened


@pytest.fixture(scope="module")
def interface(store: Store) -> schemathesis.BaseSchema:
    app = Starlette(routes=[Mount(PREFIX, app=build_api(store, Clock()))])
    return schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)


@pytest.fixture(scope="module")
def headers(store: Store) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_key(store, Clock(), *SCOPES, rate=6000)}"}


@pytest.mark.parametrize("operation", ["take_in", "list", "get", "change", "categories", "positions"])
def test_no_request_breaks_it(interface: schemathesis.BaseSchema, headers: dict[str, str], operation: str) -> None:
    described = interface.find_operation_by_id(operation)

    @given(case=described.as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def test_every_operation_is_asked(interface: schemathesis.BaseSchema) -> None:
    assert {one.ok().definition.raw["operationId"] for one in interface.get_all_operations()} == {
        "take_in", "list", "get", "change", "categories", "positions",
    }  # fmt: skip
