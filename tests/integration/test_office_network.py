"""The office network without a server: names, addresses, certificate, the page that explains, and the guard there."""

from __future__ import annotations

import ipaddress
import plistlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from gis.errors import RefusedError
from server.certificates import Address
from server.connect import build_plain_app
from server.guard import Guard
from server.lan import LanOptions, OfficeNetwork, check_lan_options, find_machine_addresses
from tests.fixtures.loops import run_async

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAME = "sand-table.office.lan"


class Machine:
    """A machine whose addresses and clock a test sets."""

    def __init__(self) -> None:
        self.addresses: list[str] = ["10.1.2.3"]
        self.now = NOW

    def find(self) -> frozenset[Address]:
        return frozenset(map(ipaddress.ip_address, self.addresses))

    def join(self, folder: Path, options: LanOptions | None = None, hostname: str = "office-pc") -> OfficeNetwork:
        return OfficeNetwork(
            folder,
            options or LanOptions((NAME,)),
            https_port=8443,
            http_port=8080,
            clock=lambda: self.now,
            find_addresses=self.find,
            hostname=hostname,
        )


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def network(machine: Machine, tmp_path: Path) -> OfficeNetwork:
    return machine.join(tmp_path / "ca")


def ask(app: ASGIApp, url: str, *, client: str = "10.1.2.99", method: str = "GET", **headers: str) -> httpx.Response:
    """One request from another machine of the office."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 50000))
        async with httpx.AsyncClient(transport=transport) as session:
            return await session.request(method, url, headers=headers)

    return run_async(send())


async def respond(_: Request) -> PlainTextResponse:
    return PlainTextResponse("inside")


@pytest.fixture
def plain(network: OfficeNetwork) -> Starlette:
    return build_plain_app(network, health=Route("/health", respond))


class TestNames:
    def test_answers_to_its_names_and_addresses(self, network: OfficeNetwork) -> None:
        assert network.hosts == {NAME, "office-pc", "10.1.2.3"}
        assert (network.url, network.connect_url) == (f"https://{NAME}:8443", "http://10.1.2.3:8080/connect")

    def test_follows_the_machine_s_addresses(self, machine: Machine, network: OfficeNetwork) -> None:
        assert not network.refresh()
        machine.addresses = ["10.1.2.77", "192.168.7.7"]
        assert network.refresh()
        assert network.hosts == {NAME, "office-pc", "10.1.2.77", "192.168.7.7"}

    def test_one_address_and_no_other(self, machine: Machine, tmp_path: Path) -> None:
        network = machine.join(tmp_path, LanOptions((), "fd00::5"))
        assert network.hosts == {"office-pc", "[fd00::5]"}
        assert network.url == "https://[fd00::5]:8443"

    def test_an_address_that_the_authority_may_not_sign_for_is_left_out(
        self, machine: Machine, network: OfficeNetwork
    ) -> None:
        machine.addresses = ["10.1.2.3", "8.8.8.8"]
        assert not network.refresh()
        assert "8.8.8.8" not in network.hosts

    def test_a_name_that_it_may_not_sign_for_is_refused(
        self, machine: Machine, network: OfficeNetwork, tmp_path: Path
    ) -> None:
        with pytest.raises(RefusedError, match=r"may not sign for 'table\.police\.example'"):
            machine.join(tmp_path / "ca", LanOptions(("table.police.example",)))

    def test_a_new_name_of_the_machine_alone_stops_nothing(
        self, machine: Machine, network: OfficeNetwork, tmp_path: Path
    ) -> None:
        renamed = machine.join(tmp_path / "ca", hostname="renamed-pc")
        assert renamed.hosts == {NAME, "10.1.2.3"}

    @pytest.mark.parametrize(
        "name", ["", "a b", "-x.lan", "x_y.lan", "沙盘.lan", "x..lan", "10.1.2.3", "a" * 64, "x.lan:1"]
    )
    def test_names_that_are_none(self, name: str) -> None:
        with pytest.raises(RefusedError, match="cannot be this server's name"):
            check_lan_options(LanOptions((name,)))

    @pytest.mark.parametrize("address", ["", "office-pc", "10.1.2", "10.1.2.3:80", "::/0"])
    def test_addresses_that_are_none(self, address: str) -> None:
        with pytest.raises(RefusedError, match="is not an address"):
            check_lan_options(LanOptions((), address))

    def test_names_are_told_in_lower_case(self) -> None:
        assert check_lan_options(LanOptions(("Table.LAN",))).names == ("table.lan",)

    def test_the_machine_has_no_loopback_address(self) -> None:
        assert not any(address.is_loopback for address in find_machine_addresses())


def shake_hands(network: OfficeNetwork, root: Path, name: str) -> x509.Certificate:
    """The certificate that a program gets that believes in the office's authority only."""
    here, there = socket.socketpair()

    def serve() -> None:
        with network.context.wrap_socket(there, server_side=True) as encrypted:
            encrypted.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    context = ssl.create_default_context(
        cadata=root.read_text(encoding="ascii").partition("-----BEGIN CERT")[2].join(["-----BEGIN CERT", ""])
    )
    try:
        with context.wrap_socket(here, server_hostname=name) as encrypted:
            shown = encrypted.getpeercert(binary_form=True)
            encrypted.send(b".")
    finally:
        here.close()
        thread.join()
    assert shown
    return x509.load_der_x509_certificate(shown)


class TestCertificate:
    def test_new_connections_get_the_new_certificate(self, machine: Machine, tmp_path: Path) -> None:
        machine.now = datetime.now(UTC)  # the other side's clock is real
        network = machine.join(tmp_path)
        first = shake_hands(network, tmp_path / "authority.pem", NAME)
        assert shake_hands(network, tmp_path / "authority.pem", "office-pc") == first
        machine.addresses = ["10.1.2.4"]
        network.refresh()
        second = shake_hands(network, tmp_path / "authority.pem", NAME)
        assert second != first
        assert (
            b"\x0a\x01\x02\x04"
            in second.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.public_bytes()
        )

    def test_renews_itself_while_it_runs(self, machine: Machine, network: OfficeNetwork) -> None:
        machine.now = NOW + timedelta(days=380)
        assert network.refresh()
        assert not network.refresh()

    def test_starts_again_with_the_same_authority(
        self, machine: Machine, network: OfficeNetwork, tmp_path: Path
    ) -> None:
        assert machine.join(tmp_path / "ca").authority == network.authority


class TestPlainDoor:
    @pytest.mark.parametrize(("lang", "html"), [("zh", "zh-CN"), ("en", "en"), ("fr", "zh-CN")])
    def test_explains(self, plain: Starlette, lang: str, html: str) -> None:
        answer = ask(plain, f"http://10.1.2.3:8080/connect?lang={lang}")
        assert answer.status_code == 200
        assert f'<html lang="{html}">' in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert re.findall(r'(?:src|href)="(?!/|#|https://10\.1\.2\.3:8443/)', answer.text) == []

    def test_gives_out_the_certificate(self, plain: Starlette, network: OfficeNetwork) -> None:
        answer = ask(plain, f"http://{NAME}:8080/ca.crt")
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        assert x509.load_der_x509_certificate(answer.content) == network.authority

    def test_gives_out_a_profile_for_apple_s_devices(self, plain: Starlette, network: OfficeNetwork) -> None:
        answer = ask(plain, f"http://{NAME}:8080/ca.mobileconfig?lang=en")
        assert answer.headers["content-type"] == "application/x-apple-aspen-config"
        profile = plistlib.loads(answer.content)
        (payload,) = profile["PayloadContent"]
        assert (profile["PayloadType"], payload["PayloadType"]) == ("Configuration", "com.apple.security.root")
        assert x509.load_der_x509_certificate(payload["PayloadContent"]) == network.authority
        assert profile["PayloadUUID"] != payload["PayloadUUID"]
        assert profile == plistlib.loads(ask(plain, f"http://{NAME}:8080/ca.mobileconfig?lang=en").content)

    def test_gives_out_no_key(self, plain: Starlette, tmp_path: Path) -> None:
        for path in ("/connect", "/ca.crt", "/ca.mobileconfig", "/ca/authority.pem", "/authority.pem"):
            assert b"PRIVATE" not in ask(plain, f"http://{NAME}:8080{path}").content

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("/", f"https://{NAME}:8443/"),
            ("/scene/walls.json?v=1&lang=zh", f"https://{NAME}:8443/scene/walls.json?v=1&lang=zh"),
            ("/%E4%B8%87?q=%2F", f"https://{NAME}:8443/%E4%B8%87?q=%2F"),
            ("//evil.example/", f"https://{NAME}:8443//evil.example/"),
            ("/connect/", f"https://{NAME}:8443/connect/"),
        ],
    )
    def test_sends_everybody_else_to_https(self, plain: Starlette, path: str, target: str) -> None:
        answer = ask(plain, f"http://{NAME}:8080{path}")
        assert (answer.status_code, answer.headers["location"]) == (308, target)

    def test_takes_no_form(self, plain: Starlette) -> None:
        assert ask(plain, f"http://{NAME}:8080/login", method="POST").status_code == 308

    @pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", f"{NAME}.evil.example", ""])
    def test_another_name_is_misdirected(self, plain: Starlette, host: str) -> None:
        assert ask(plain, "http://10.1.2.3:8080/", Host=host).status_code == 421


class TestGuard:
    @pytest.fixture
    def guarded(self, network: OfficeNetwork) -> Callable[..., httpx.Response]:
        app = Starlette(
            routes=[Route(path, respond) for path in ("/", "/phone/round")],
            middleware=[Middleware(Guard, policy="default-src 'self'", find_hosts=lambda: network.hosts)],
        )
        return lambda url, **more: ask(app, url, **more)

    def test_camera_and_position_are_for_phone_pages_over_https(self, guarded: Callable[..., httpx.Response]) -> None:
        phone = guarded(f"https://{NAME}:8443/phone/round").headers["permissions-policy"]
        assert "camera=(self)" in phone
        assert "geolocation=(self)" in phone
        assert "microphone=()" in phone
        for url in (f"https://{NAME}:8443/", f"http://{NAME}:8080/phone/round"):
            assert "camera=(), microphone=(), geolocation=()" in guarded(url).headers["permissions-policy"]

    def test_https_only_is_said_over_https_and_never_to_loopback(self, guarded: Callable[..., httpx.Response]) -> None:
        assert "strict-transport-security" in guarded(f"https://{NAME}:8443/").headers
        assert "strict-transport-security" not in guarded(f"http://{NAME}:8080/").headers
        assert "strict-transport-security" not in guarded("https://localhost:8443/", client="127.0.0.1").headers

    @pytest.mark.parametrize(
        ("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("10.1.2.9", 421)]
    )
    def test_loopback_s_names_are_for_loopback(
        self, guarded: Callable[..., httpx.Response], client: str, status: int
    ) -> None:
        assert guarded("https://localhost:8443/", client=client).status_code == status

    def test_forms_are_sent_with_their_origin(self, guarded: Callable[..., httpx.Response]) -> None:
        assert guarded(f"https://{NAME}:8443/").headers["referrer-policy"] == "same-origin"
