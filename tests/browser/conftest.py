"""The real server and Chromium for tests that look at pages: those that draw the table in one worker, one by one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.fixtures.live_server import LiveServer
from tests.fixtures.serving import ServerProcess
from tests.fixtures.wall_page import Wall

CHROMIUM_FLAGS = [
    "--no-sandbox",  # tests run as root in containers
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-gpu-compositing",  # without a card, putting a picture together costs less without its detour
    "--disable-background-networking",  # the browser's own calls home are not the page's
]
# Smooth edges are a third of all drawing, and no test looks at them.
TEST_FLAGS = [*CHROMIUM_FLAGS, "--webgl-antialiasing-mode=none"]
_FULL_HD = ViewportSize(width=1920, height=1080)
SMALL_SCREEN = ViewportSize(width=1280, height=720)  # for what draws the table: the processor has to fill it
# Pages that draw no table: a processor is enough for them.
_WITHOUT_TABLE = frozenset(
    f"test_{name}"
    for name in (
        "checkin_phone", "command", "desk", "dispatch_page", "intake_desk", "map_drawing", "office_browser", "patrol",
        "sign_in",
    )
)  # fmt: skip
_RESET = """() => {
    const table = window.shapan;
    localStorage.clear();
    table.switches = {};
    table.rest.setVisiting(false);
    table.rest.setTour(false);
    table.setOrthographic(false);
    table.camera.go(table.wholeCamera(50, -24), 0);
    table.refresh();
}"""
_LOCAL_SCHEMES = frozenset({"data", "blob", "about"})


@pytest.hookimpl(tryfirst=True)  # the distributor of the tests reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder: one worker draws all tables; other pages may be looked at beside it."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("pages" if item.path.stem in _WITHOUT_TABLE else "tables"))


def find_chromium() -> str:
    """Path of the system's Chromium; fails with the way out, because a skipped browser test proves nothing."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.fail("No Chromium is installed. On Debian: apt-get install chromium fonts-noto-cjk, or run: make test")


@pytest.fixture(scope="session")
def server_home(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample in store `demo`."""
    return Path(shutil.copy(sample_file, tmp_path_factory.mktemp("home"))).parent


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[ServerProcess]:
    """The server of the sample, for the whole run."""
    with ServerProcess(server_home, "demo") as running:
        yield running
        assert running.process.poll() is None, f"The server died during the tests. Its log:\n{running.log}"


@pytest.fixture(scope="session")
def server_url(server: ServerProcess) -> str:
    """Its address, without a slash at the end."""
    return server.url


@pytest.fixture(scope="session")
def live_server(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A second server, of a copy of the sample that tests may write."""
    home = tmp_path_factory.mktemp("live")
    shutil.copy(sample_file, home / "live.duckdb")
    with LiveServer(home, "live") as running:
        yield running
        assert running.process.poll() is None, f"The server died during the tests. Its log:\n{running.log}"
        assert "Traceback" not in running.log


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless, drawing in software."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=TEST_FLAGS)
        yield browser
        browser.close()


def is_local(url: str) -> bool:
    """Whether a request stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in _LOCAL_SCHEMES or parts.hostname in {"localhost", "127.0.0.1", "::1"}


@pytest.fixture(scope="session")
def requests_seen() -> Iterator[list[str]]:
    """Every request of every page of the run; at its end none may have gone to another host."""
    seen: list[str] = []
    yield seen
    foreign = sorted({url for url in seen if not is_local(url)})
    assert not foreign, f"Requests left this machine: {foreign}"


def watch(context: BrowserContext, seen: list[str]) -> None:
    """Record every request and websocket of every page of `context`."""
    context.on("request", lambda request: seen.append(request.url))
    context.on("page", lambda page: page.on("websocket", lambda socket: seen.append(socket.url)))


@pytest.fixture
def context(chromium: Browser, requests_seen: list[str], request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh browser profile; fails the test that made a request to another host."""
    before = len(requests_seen)
    context = chromium.new_context(
        viewport=_FULL_HD if request.path.stem in _WITHOUT_TABLE else SMALL_SCREEN,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
    )
    watch(context, requests_seen)
    yield context
    context.close()
    foreign = [url for url in requests_seen[before:] if not is_local(url)]
    assert not foreign, f"This test's pages asked other hosts: {foreign}"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """One page of a fresh profile."""
    return context.new_page()


@pytest.fixture(scope="session")
def shared_wall(chromium: Browser, requests_seen: list[str], live_server: LiveServer) -> Iterator[Wall]:
    """One wall for all tests that leave it as they found it: a load costs more than a test."""
    before = len(requests_seen)
    context = chromium.new_context(
        viewport=SMALL_SCREEN,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",  # flights take no time, so that only what is drawn costs time
    )
    watch(context, requests_seen)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Wall(page).open(live_server.url)
    context.close()
    assert problems == []
    assert [url for url in requests_seen[before:] if not is_local(url)] == []


@pytest.fixture
def wall(shared_wall: Wall) -> Wall:
    """The wall as a visitor first sees it: whole and oblique, nothing calibrated."""
    shared_wall.page.evaluate(_RESET)
    shared_wall.page.mouse.move(2, 2)
    shared_wall.wait_drawn()
    return shared_wall
