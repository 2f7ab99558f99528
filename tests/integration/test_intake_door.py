"""The interface behind the whole house: its own key opens it, a session does not, and nothing else is let through."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest

from data.api_keys import put_key
from data.store import Store, utc_now
from tests.fixtures.intake import report
from tests.fixtures.serving import ServerProcess


@pytest.fixture(scope="module")
def served(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(sample_file, tmp_path_factory.mktemp("door"))).parent


def test_the_demonstration_asks_for_a_key_too(served: Path) -> None:
    with Store.open_existing(served / "demo.duckdb") as store:
        key = store.write(
            lambda tx: put_key(tx, "alarms", ["incidents:write", "incidents:read"], created_by="test", clock=utc_now)
        )[1]
    headers = {"Authorization": f"Bearer {key}"}
    with (
        ServerProcess(served, "demo") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client,
    ):
        assert client.get("/api/v1/incidents").status_code == 401
        assert client.post("/api/v1/incidents", json=report()).status_code == 401
        assert client.post("/api/v1/incidents", json=report(), headers=headers).status_code == 201
        assert client.get("/api/v1/incidents?limit=1", headers=headers).json()["incidents"][0]["status"] == "received"
        assert client.get("/api/v1/incident-categories", headers=headers).status_code == 200
        described = client.get("/api/v1/openapi.json").json()
        paths = ["/incident-categories", "/incidents", "/incidents/{incident_id}", "/positions"]
        assert sorted(described["paths"]) == paths
        assert client.post("/api/v1/positions", json=[], headers=headers).status_code == 403  # another scope
        page = client.get("/api/v1/docs?lang=en")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/api/v1/admin/info").status_code == 401
        evil = client.post(
            "/api/v1/incidents", json=report(), headers={**headers, "Origin": "http://elsewhere.example"}
        )
        assert evil.status_code == 403
        assert "Traceback" not in server.log
        assert key not in server.log
