"""
The guard: ASGI middleware in front of everything, Streamlit's own routes and websocket included.

It answers only requests that were addressed to loopback by name, or to a name of the office's certificate (so that a
foreign page cannot reach us by pointing its own name here), refuses changes that a foreign page sends, and puts headers
on every answer, among them a Content-Security-Policy that names no other host: the browser itself then refuses any
request that would leave. Who asks is no question of the guard's: the door behind it finds out (server/door.py).
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from i18n import LANGUAGES, t

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# The renderer is the largest file of the wall: a browser that is told at once loads it while Streamlit starts.
_PRELOAD = "</vendor/deck.js>; rel=preload; as=script"
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()"
# Pages that people carry around need the camera and the position; the wall and the desk never do.
PHONE_PREFIX = "/phone/"
_PHONE_PERMISSIONS = "camera=(self), microphone=(), geolocation=(self), payment=(), usb=(), serial=()"
_STRICT_TRANSPORT = "max-age=31536000"

FindHosts = Callable[[], frozenset[str]]
"""Names of this server in the office's network, lower case, IPv6 in brackets; asked each time, they change."""


def build_content_security_policy(index_html: str) -> str:
    """
    Policy for pages whose frame is `index_html` (Streamlit's), the only inline scripts allowed being those it has.

    `blob:` scripts: Streamlit turns a component's module into a blob address before it imports it (without: "Failed to
    fetch dynamically imported module"). Styles inline: Streamlit's CSS-in-JS writes style elements. No 'unsafe-eval':
    neither the pages nor the renderer need it. Every source is 'self' or local, so nothing can reach another host.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in _INLINE_SCRIPT.findall(index_html)
    )
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def find_host_name(host: str | None) -> str:
    """The name in a Host header, lower case, without its port; empty when there is none."""
    if not host:
        return ""
    return (host if host.endswith("]") else re.sub(r":\d{1,5}$", "", host)).lower()


def is_loopback_client(scope: Scope) -> bool:
    """Whether the connection itself comes from this machine; what a header says does not count."""
    client = scope.get("client")
    try:
        address = ipaddress.ip_address(client[0]) if client else None
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and address.is_loopback


def is_own_origin(origin: str | None, host: str | None) -> bool:
    """Whether an Origin header is absent (no browser) or the page's own address, the same host and port as `host`."""
    return origin is None or (host is not None and urlsplit(origin).netloc.lower() == host.lower())


class Guard:
    """
    Wraps the whole application.

    Parameters
    ----------
    policy
        From `build_content_security_policy`.
    find_hosts
        Names that are answered beside those of loopback; none without an office network.
    """

    def __init__(self, app: ASGIApp, policy: str, find_hosts: FindHosts = frozenset) -> None:
        self._app = app
        self._find_hosts = find_hosts
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            # Not "no-referrer": with it a browser sends "Origin: null" with our own forms (Fetch standard, 3.2).
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": _PERMISSIONS,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host"), headers.get("origin")
        own_headers = self._choose_headers(scope, find_host_name(host))

        async def send_with_headers(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                _put(MutableHeaders(scope=message), own_headers.items())
            await send(message)

        if not self._is_known_host(scope, find_host_name(host)):
            await _refuse(421, "server.host_refused", scope, receive, send_with_headers)
        elif (scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS) and not is_own_origin(origin, host):
            await _refuse(403, "server.origin_refused", scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _is_known_host(self, scope: Scope, name: str) -> bool:
        if name in LOOPBACK_NAMES:
            return is_loopback_client(scope)
        return name in self._find_hosts()

    def _choose_headers(self, scope: Scope, name: str) -> dict[str, str]:
        """Ours for this request. A browser keeps "HTTPS only" for a name and all its ports: never for loopback."""
        headers = dict(self._headers)
        if scope["path"] == "/":
            headers["Link"] = _PRELOAD
        if scope["scheme"] in {"https", "wss"} and name not in LOOPBACK_NAMES:
            headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
            if scope["path"].startswith(PHONE_PREFIX):
                headers["Permissions-Policy"] = _PHONE_PERMISSIONS
        return headers


def _put(headers: MutableHeaders, ours: Iterable[tuple[str, str]]) -> None:
    for name, value in ours:
        headers[name] = value


async def _refuse(status: int, key: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    text = "\n".join(t(key, lang) for lang in LANGUAGES)
    await PlainTextResponse(text, status_code=status, headers={"Cache-Control": "no-store"})(scope, receive, send)
