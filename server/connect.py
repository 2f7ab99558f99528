"""
What a device needs before it can use HTTPS here: the page that explains it, the office's certificate, and its QR code.

The plain door (HTTP) of the office network gives out nothing else, and sends every other request to HTTPS.
"""

from __future__ import annotations

import html
import plistlib
import uuid
from pathlib import Path
from string import Template

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from i18n import Language, check_language, t
from server.certificates import to_der, to_fingerprint
from server.guard import Guard, find_host_name
from server.lan import OfficeNetwork, to_url

CONNECT_PATHS = ("/connect", "/ca.crt", "/ca.mobileconfig")
_PAGE = Template((Path(__file__).parent / "connect.html").read_text(encoding="utf-8"))
# The plain door's pages are text and an inline drawing: nothing is loaded, nothing runs.
_PLAIN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NEVER_KEPT = {"Cache-Control": "no-store"}


def build_connect_routes(network: OfficeNetwork, *, is_drill: bool) -> list[BaseRoute]:
    """The page, and the certificate for Android, Windows and Linux (DER) and for Apple's devices (profile)."""

    async def respond_page(request: Request) -> Response:
        lang = check_language(request.query_params.get("lang"))
        host = find_host_name(request.headers.get("host"))
        known = host if host in network.hosts else network.host
        return HTMLResponse(build_page(network, known, lang, is_drill=is_drill), 200, _NEVER_KEPT)

    async def respond_certificate(_: Request) -> Response:
        headers = {**_NEVER_KEPT, "Content-Disposition": 'attachment; filename="shapan-office.crt"'}
        return Response(to_der(network.authority), media_type="application/x-x509-ca-cert", headers=headers)

    async def respond_profile(request: Request) -> Response:
        lang = check_language(request.query_params.get("lang"))
        headers = {**_NEVER_KEPT, "Content-Disposition": 'attachment; filename="shapan-office.mobileconfig"'}
        profile = build_profile(
            network.authority, title=t("network.profile", lang), description=t("network.limits", lang)
        )
        return Response(profile, media_type="application/x-apple-aspen-config", headers=headers)

    handlers = (respond_page, respond_certificate, respond_profile)
    return [Route(path, handler) for path, handler in zip(CONNECT_PATHS, handlers, strict=True)]


def build_plain_app(network: OfficeNetwork, *, health: BaseRoute, is_drill: bool = False) -> Starlette:
    """The plain door: `CONNECT_PATHS` and `health`; any other request is sent to the same address with HTTPS."""

    async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        host = find_host_name(Headers(scope=scope).get("host"))  # one of ours: the guard has looked
        target = to_url("https", host, network.https_port) + scope["raw_path"].decode("latin-1")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("latin-1")
        await Response(status_code=308, headers={**_NEVER_KEPT, "Location": target})(scope, receive, send)

    return Starlette(
        routes=[*build_connect_routes(network, is_drill=is_drill), health, Mount("/", app=redirect)],
        middleware=[Middleware(Guard, policy=_PLAIN_POLICY, find_hosts=lambda: network.hosts)],
    )


def build_page(network: OfficeNetwork, host: str, lang: Language, *, is_drill: bool = False) -> str:
    """The page that explains, for a reader who called this server `host`."""
    other: Language = "en" if lang == "zh" else "zh"
    texts = ("title", "why", "scan", "scan_text", "same", "same_text", "sha256", "sha1", "install", "limits", "open")
    values = {name: html.escape(t(f"network.{name}", lang)) for name in texts}
    values |= {
        f"{name}_steps": _list_steps(f"network.{name}", lang) for name in ("android", "iphone", "windows", "linux")
    }
    mark = f'<p class="drill" role="note">{html.escape(t("table.drill", lang))}</p>' if is_drill else ""
    values |= {
        "drill": mark,
        "lang": "zh-CN" if lang == "zh" else "en",
        "query": f"?lang={lang}",
        "other_query": f"?lang={other}",
        "other_language": html.escape(t("network.other_language", lang)),
        "get_certificate": html.escape(t("network.get_certificate", lang)),
        "get_profile": html.escape(t("network.get_profile", lang)),
        "qr": segno.make(network.connect_url, error="m", micro=False).svg_inline(border=4, light="#fff", omitsize=True),
        "connect_url": html.escape(network.connect_url),
        "fingerprint": _break_lines(to_fingerprint(network.authority)),
        "fingerprint_sha1": _break_lines(to_fingerprint(network.authority, sha1=True)),
        "url": html.escape(to_url("https", host, network.https_port) + "/"),
    }
    return _PAGE.substitute(values)


def _break_lines(fingerprint: str) -> str:
    """Eight pairs a line, as wide as a phone, so that the eye keeps its place."""
    pairs = fingerprint.split(":")
    return "<br>".join(":".join(pairs[i : i + 8]) for i in range(0, len(pairs), 8))


def _list_steps(key: str, lang: Language) -> str:
    """A device's name as heading and its steps as a list: the first line and the others of one text."""
    name, *steps = t(key, lang).split("\n")
    items = "".join(f"<li>{html.escape(step)}</li>" for step in steps)
    return f"<details><summary>{html.escape(name)}</summary><ol>{items}</ol></details>"


def build_profile(certificate: x509.Certificate, *, title: str, description: str) -> bytes:
    """
    The certificate as a configuration profile of Apple's devices.

    Identifiers come from the certificate, so that installing it again replaces it. Keys: Apple, "Configuration Profile
    Reference", payload `com.apple.security.root`.
    """
    mark = certificate.fingerprint(hashes.SHA256()).hex()
    identifier = f"shapan.office.{mark[:16]}"
    payload = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.root",
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{mark}.root")).upper(),
        "PayloadDisplayName": title,
        "PayloadCertificateFileName": "shapan-office.crt",
        "PayloadContent": to_der(certificate),
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_OID, mark)).upper(),
        "PayloadDisplayName": title,
        "PayloadDescription": description,
        "PayloadContent": [payload],
    }
    return plistlib.dumps(profile)
