"""
First 3D frame after the page begins to load, and the server's memory, beside the same buildings in `st.pydeck_chart`.

Each visit has a fresh server and a fresh browser, as after a power cut, then a second visit with the server warm.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from bench.browsing import SCREENS, open_browser, open_page
from bench.peer import serve_peer, write_peer_scene
from bench.places import Place
from bench.processes import read_browser_cpu_s, read_cpu_s, read_memory_mb
from tests.fixtures.serving import ServerProcess

_WATCH = Path(__file__).with_name("first_frame.js").read_text(encoding="utf-8")
_READY_MS = 180_000
_RESOURCES = """() => performance.getEntriesByType("resource").map(
    (entry) => [new URL(entry.name).pathname, entry.startTime, entry.responseEnd])"""


def visit(url: str, screen: tuple[int, int]) -> dict[str, float]:
    """Seconds from the page's start to its 3D frames, with what came before them."""
    with open_browser() as browser:
        context, page = open_page(browser, screen)
        page.add_init_script(_WATCH)
        before = read_browser_cpu_s()
        page.goto(url)
        page.wait_for_function("() => window.benchSeen.buildings !== null", timeout=_READY_MS, polling=250)
        used = {kind: seconds - before[kind] for kind, seconds in read_browser_cpu_s().items()}
        seen = page.evaluate("() => window.benchSeen")
        figures = {"first_pixels_s": seen["drawn"] / 1000, "first_buildings_s": seen["buildings"] / 1000}
        figures |= {"page_cpu_s": used["page"], "drawing_cpu_s": used["drawing"]}
        figures |= _find_phases(page)
        context.close()
        return figures


def _find_phases(page: Page) -> dict[str, float]:
    entries: list[list[Any]] = page.evaluate(_RESOURCES)
    ends = {
        "renderer_there_s": [end for path, _, end in entries if path == "/vendor/deck.js"],
        "component_asks_s": [start for path, start, _ in entries if path == "/assets/table.js"],
        "scenes_there_s": [end for path, _, end in entries if path.startswith("/scene/")],
    }
    return {name: max(times) / 1000 for name, times in ends.items() if times}


def run(places: list[Place], *, rounds: int = 3) -> dict[str, dict[str, float]]:
    """Figures by place and screen: medians of `rounds` visits, ours and the peer's one after the other."""
    figures: dict[str, dict[str, float]] = {}
    for place in places:
        for screen in SCREENS:
            name = f"{place.name} {screen[0]}x{screen[1]}"
            print(f"  {name}", file=sys.stderr, flush=True)
            visits = [_measure(place, screen, with_peer=place.name == "replicated") for _ in range(rounds)]
            figures[name] = {key: round(statistics.median(v[key] for v in visits), 3) for key in visits[0]}
    return figures


def _measure(place: Place, screen: tuple[int, int], *, with_peer: bool) -> dict[str, float]:
    figures = {}
    with ServerProcess(place.home, place.store) as server:
        pid = server.process.pid
        before = read_cpu_s(pid)
        cold = visit(server.url, screen)
        figures |= {f"cold_{name}": value for name, value in cold.items()}
        figures["server_cpu_s"] = read_cpu_s(pid) - before
        figures |= {f"warm_{name}": value for name, value in visit(server.url, screen).items()}
        visit(f"{server.url}/?lang=en", screen)
        figures["server_memory_mb"] = read_memory_mb(pid)
        if with_peer:
            scene = write_peer_scene(server.url, place.home, zoom=12.0, height=screen[1] - 160)
    if with_peer:
        with serve_peer(place.home, scene) as peer:
            figures["peer_cold_first_buildings_s"] = visit(peer.url, screen)["first_buildings_s"]
            figures["peer_warm_first_buildings_s"] = visit(peer.url, screen)["first_buildings_s"]
            figures["peer_memory_mb"] = read_memory_mb(peer.pid)
        figures["peer_over_ours"] = figures["peer_cold_first_buildings_s"] / figures["cold_first_buildings_s"]
    return figures
