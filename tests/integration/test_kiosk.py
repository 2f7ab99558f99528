"""The kiosk at a point: a card is held before the scanner, large words follow, no name is shown."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from data.runtime import Runtime
from data.settings import Settings
from layers import SCENES
from server.events import EventHub
from server.kiosk import PATH, build_kiosk_routes
from server.state import AppState
from tasks.cards import get_card
from tests.fixtures.volunteers import KIOSK, OFFICER, Square, shared_square

__all__ = ["shared_square"]


def test_a_card_is_held_before_the_scanner(shared_square: Square) -> None:
    one = shared_square
    runtime = Runtime(one.store, Settings(one.store.path.parent), is_demo=False)
    app = Starlette(routes=build_kiosk_routes(AppState(runtime, one.clock, SCENES, EventHub(), "t", one.clock())))

    async def door(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["viewer"] = KIOSK
        await app(scope, receive, send)

    screen = TestClient(door)
    point, who = one.add_point(points=3), one.join("王阿姨")
    card = get_card(one.store, OFFICER, who)
    assert point in screen.get(PATH).text  # which point it stands at is chosen once
    page = screen.get(f"{PATH}?point={point}").text
    assert "autofocus" in page
    assert "08:00 至 18:00 · 一次 3 分" in page
    assert 'class="large"' in page
    assert "演示数据" not in page  # this place is none of the sample's
    assert 'http-equiv="refresh"' not in page
    read = screen.post(PATH, data={"point": point, "card": f"https://daka.example.cn/#c={card.code}"}).text
    for word in ("已记录 +3 分", card.number, "现有 3 分", f'content="6;url={PATH}?lang=zh&amp;point={point}"'):
        assert word in read
    assert "王" not in read
    assert card.secret not in read
    assert "刚才已经记录" in screen.post(PATH, data={"point": point, "card": card.code}).text
    for wrong in (card.number, f"{card.number}.{'A' * 16}", "<script>", ""):
        told = screen.post(PATH, data={"point": point, "card": wrong}).text
        assert "不认识这张卡" in told
        assert "<script>" not in told
    assert "没有登记成功" in screen.post(PATH, data={"point": "nowhere", "card": card.code}).text
