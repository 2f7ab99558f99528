"""Layers that are off at first cost a wall nothing until somebody looks at them."""

from __future__ import annotations

from playwright.sync_api import Request

from tests.fixtures.live_server import LiveServer
from tests.fixtures.wall_page import ACT_MS, Wall


def test_what_is_seldom_looked_at_is_fetched_once_it_is_switched_on(wall: Wall, live_server: LiveServer) -> None:
    page, asked = wall.page, list[str]()

    def note(request: Request) -> None:
        if "/scene/freshness" in request.url:
            asked.append(request.url)

    def visit(day: str) -> None:
        sql = "UPDATE rentals SET last_visit_on = ?::DATE WHERE rental_id = (SELECT min(rental_id) FROM rentals)"
        before = page.evaluate("() => window.shapan.live.revisions.rentals")
        live_server.write(("rentals", sql, [day]))
        page.wait_for_function("(n) => window.shapan.live.revisions.rentals > n", arg=before, timeout=ACT_MS)
        wall.wait_drawn()

    def show() -> str:
        """Switch it on; what is drawn of it."""
        have = len(asked)
        wall.switch("freshness").click()
        page.wait_for_function("() => window.shapan.scenes.freshness?.length > 0", timeout=ACT_MS)
        wall.wait_drawn()
        assert len(asked) == have + 1
        return str(page.evaluate("() => JSON.stringify(window.shapan.scenes.freshness)"))

    page.on("request", note)
    try:
        visit("2024-01-02")
        assert asked == []
        old = show()
        wall.switch("freshness").click()
        visit("2026-11-15")
        assert len(asked) == 1
        assert show() != old
        wall.switch("freshness").click()
    finally:
        page.remove_listener("request", note)
