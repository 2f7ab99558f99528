"""The office network: HTTPS with the office's own certificate, seen from an origin that is not localhost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from i18n import Language, t
from tests.browser.conftest import TEST_FLAGS, find_chromium
from tests.browser.test_offline import find_way_to_cut_off
from tests.fixtures.serving import ROOT, build_environment

VISIT = ROOT / "tests" / "fixtures" / "office_visit.py"
ORIGIN = "https://sand-table.office.lan:8443"


@pytest.fixture(scope="module")
def visit(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the devices of an office saw, in a network namespace of its own."""
    command = find_way_to_cut_off()
    if command is None:
        message = "A network namespace cannot be made here (unshare --net): the office network was not shown."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    assert shutil.which("certutil"), "certutil is missing. On Debian: apt-get install libnss3-tools, or run: make test"
    home = tmp_path_factory.mktemp("office")
    shutil.copy(sample_file, home / "office.duckdb")
    seen = subprocess.run(
        [*command, sys.executable, str(VISIT), str(home), "office", find_chromium(), *TEST_FLAGS],
        env=build_environment(home),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert seen.returncode == 0, seen.stderr
    told: dict[str, Any] = json.loads(seen.stdout)
    return told


def test_browsers_give_what_they_give_over_https_only(visit: dict[str, Any]) -> None:
    wall = visit["wall"]
    assert wall["origin"] == ORIGIN
    assert (wall["secure"], wall["worker"], wall["camera"], wall["position"], wall["kept"]) == (*[True] * 4, "kept")
    assert visit["connect"]["secure"] is False  # the page that explains, over HTTP, shows the difference


def test_nothing_goes_wrong_and_nothing_leaves(visit: dict[str, Any]) -> None:
    assert visit["problems"] == []
    hosts = {parts.netloc for url in visit["urls"] if (parts := urlsplit(url)).scheme not in {"data", "blob"}}
    assert hosts == {"sand-table.office.lan:8443"}
    assert any(url.startswith("wss://") for url in visit["urls"])
    assert any("/scene/" in url for url in visit["urls"])


def test_the_certificate_is_believed_only_once_it_is_installed(visit: dict[str, Any]) -> None:
    assert "ERR_CERT_AUTHORITY_INVALID" in visit["connect"]["before"]


def test_the_session_s_cookie_goes_over_https_only(visit: dict[str, Any]) -> None:
    session = next(cookie for cookie in visit["wall"]["cookies"] if cookie["name"] == "shapan_session")
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Strict")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_that_explains_fits_a_phone(visit: dict[str, Any], lang: Language) -> None:
    text = visit["connect"][lang]
    assert visit["connect"][f"{lang}_width"] == 390
    for key in ("network.same_text", "network.limits", "network.get_profile"):
        assert t(key, lang) in text
    for key in ("network.android", "network.iphone", "network.windows", "network.linux"):
        assert t(key, lang).split("\n")[0] in text
    assert "http://10.77.0.5:8080/connect" in text
    assert visit["connect"]["qr"]["width"] >= 200


def test_the_fingerprint_is_the_one_that_the_administrator_sees(visit: dict[str, Any]) -> None:
    shown = visit["connect"]["fingerprint"].replace("\n", ":")
    assert f"Fingerprint to compare there (SHA-256): {shown}" in visit["started"]
    assert visit["ticket"]["fingerprint"] == shown


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("redirect", 308),
        ("plain_foreign", 421),
        ("plain_health", 200),
        ("health", 200),
        ("health_loopback", 200),
        ("foreign", 421),
        ("localhost", 421),  # whoever comes from the network has no business with this name
        ("metrics", 403),
        ("metrics_loopback", 200),
        ("unsigned", 401),
        ("unsigned_loopback", 401),
    ],
)
def test_each_door_answers_what_it_should(visit: dict[str, Any], asked: str, status: int) -> None:
    assert visit["answers"][asked]["status"] == status


def test_the_plain_door_sends_to_https(visit: dict[str, Any]) -> None:
    headers = visit["answers"]["redirect"]["headers"]
    assert headers["location"] == f"{ORIGIN}/scene/walls.json?lang=en"
    assert "strict-transport-security" not in headers
    assert visit["answers"]["health"]["headers"]["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in visit["answers"]["health_loopback"]["headers"]


def test_it_stops_cleanly_and_its_log_holds_nobody(visit: dict[str, Any]) -> None:
    assert visit["code"] == 0
    assert "Traceback" not in visit["log"]
    entries = [json.loads(line) for line in visit["entries"]]
    assert any(entry.get("account_id", "").startswith("a-") and "path" in entry for entry in entries)
    assert not any("chief" in line or "lang=en" in line for line in visit["entries"])


def test_a_round_of_visits_in_flight_mode_comes_back_whole(visit: dict[str, Any]) -> None:
    """Morning list → flight mode → visits with photos → back → everything once → the rectification is closed."""
    seen = visit["round"]
    assert "检查" in seen["morning"]
    assert (seen["stops"], seen["taps"], seen["drawn"]) == (2, 3, [True, True])
    assert seen["waiting"] == "4"  # a visit, a difference, a photo and a re-check
    assert (seen["small"], seen["small_at_the_door"]) == ([], [])  # big enough for a glove: 48 px
    assert "已全部发送" in seen["after"]
    assert seen["width"] == 390
    assert "All sent" in seen["english"]
    assert [(one["kind"], one["state"]) for one in seen["evidence"]] == [
        ("inspection", "submitted"), ("rectification", "closed")
    ]  # fmt: skip
    assert {(one["place_source"], one["measured"]) for one in seen["evidence"]} == {("device", True)}
    assert all(0 < one["late_s"] < 300 for one in seen["evidence"])
    assert seen["parents"] == [{"state": "closed"}]
    assert [(one["what"], one["state"]) for one in seen["proposals"]] == [("moved_in", "waiting")]
    assert sorted(json.loads(one["detail"])["way"] for one in seen["looks"]) == ["paper", "phone", "phone"]


def test_the_code_on_the_paper_opens_exactly_that_visit(visit: dict[str, Any]) -> None:
    assert visit["round"]["code"] == {
        "link": f"{ORIGIN}/phone/visit?task=ID", "is_that": True, "loaded": True
    }  # fmt: skip


def test_what_a_thief_finds_on_the_phone_is_sealed_and_goes_with_signing_out(visit: dict[str, Any]) -> None:
    seen = visit["round"]
    dump = seen["dump"]
    assert dump["count"] >= 8
    assert dump["extractable"] == [False]
    for word in ("西区", "residents_count", "<svg ", "place_source"):  # long enough not to be in noise by chance
        assert word not in dump["text"]
    assert (seen["held"], seen["left"], seen["caches"]) == ("0", [], 0)


def test_a_face_is_gone_before_a_photo_is_kept(visit: dict[str, Any]) -> None:
    """Black and white squares of six points, covered: only their mean is left, whatever is done to the picture."""
    (photo,) = visit["round"]["photos"]
    assert (photo["width_px"], photo["height_px"]) == (1600, 1067)
    darkest, lightest = visit["round"]["middle"]
    assert lightest - darkest < 60
