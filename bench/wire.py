"""What goes over the wire to one page: files, events and websocket messages, as the browser itself reports them."""

from __future__ import annotations

import base64
import re
import time
from collections import Counter
from typing import Any

from playwright.sync_api import BrowserContext, Page

_QUIET_S = 0.8  # longer than the 0.2 s to which the server coalesces its events


class Wire:
    """Counts bytes by what they belong to, from its making or from the last `reset`."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self._page = page
        self._names: dict[str, str] = {}
        self._last = time.monotonic()
        self._open: set[str] = set()
        self.bytes: Counter[str] = Counter()
        session = context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.loadingFailed", self._on_failed)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.dataReceived", self._on_data)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.webSocketFrameReceived", self._on_frame)
        session.send("Network.enable")

    def reset(self) -> None:
        self.bytes.clear()

    def wait_quiet(self, *, quiet_s: float = _QUIET_S, more_than: tuple[str, int] | None = None) -> None:
        """Return when nothing has come for `quiet_s`, nothing is awaited, and of one name more bytes came than that."""
        name, size = more_than or ("", -1)
        end = time.monotonic() + 120
        self._last = time.monotonic()
        while time.monotonic() - self._last < quiet_s or self.bytes[name] <= size or self._open:
            assert time.monotonic() < end, f"No more than {size} bytes of '{name}' came: {dict(self.bytes)}"
            self._page.wait_for_timeout(50)

    def _on_request(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        path = _find_path(event["request"]["url"])
        if path.startswith("/scene/"):  # a stream stays open for ever; what a table waits for does not
            self._open.add(event["requestId"])
        if "redirectResponse" in event:
            self.bytes[path] += int(event["redirectResponse"]["encodedDataLength"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        self._open.discard(event["requestId"])

    def _on_response(self, event: dict[str, Any]) -> None:
        self._names[event["requestId"]] = _find_path(event["response"]["url"])

    def _on_data(self, event: dict[str, Any]) -> None:
        # A stream never finishes: what it brings counts as it comes. Files count once, as sent, when they are there.
        self._last = time.monotonic()
        if self._names.get(event["requestId"]) == "/events":
            self.bytes["/events"] += event["dataLength"]

    def _on_finished(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._open.discard(event["requestId"])
        if size := int(event["encodedDataLength"]):  # 0: from the browser's own cache
            self.bytes[self._names.get(event["requestId"], "?")] += size

    def _on_frame(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        frame = event["response"]
        is_binary = frame["opcode"] == 2
        text = frame["payloadData"]
        self.bytes["websocket"] += len(base64.b64decode(text)) if is_binary else len(text.encode())


def _find_path(url: str) -> str:
    return re.sub(r"^https?://[^/]+|\?.*$", "", url)
