"""
The office network: which names and addresses this machine has there, and the certificate that proves them.

`shapan serve --lan` opens three doors: loopback as always, HTTPS on the office's addresses, and a plain one that only
explains and gives out the office's certificate (server/connect.py) and sends everybody else to HTTPS.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from data.store import Clock
from gis.errors import RefusedError
from server.certificates import Address, CertificateFolder, Subjects, check_permitted, is_permitted

HTTPS_PORT = 8443
HTTP_PORT = 8080
REFRESH_S = 60.0  # an address that a router dealt out anew is answered after at most this
_LOOPBACK = Subjects(
    frozenset({"localhost"}), frozenset({ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")})
)
# RFC 952 and RFC 1123: labels of letters, digits and hyphens, 253 characters in all.
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LanOptions:
    """
    What was asked for on the command line.

    Attributes
    ----------
    names
        Names under which the office's devices find this machine; its own name is always among them.
    address
        The one address to listen on; None: all IPv4 addresses of the machine.
    https_port, http_port
        TCP ports; 0 takes any free one.
    """

    names: tuple[str, ...] = ()
    address: str | None = None
    https_port: int = HTTPS_PORT
    http_port: int = HTTP_PORT


def check_lan_options(options: LanOptions) -> LanOptions:
    """`options` with names in lower case, when names and address can be used; else `RefusedError`."""
    for name in options.names:
        if not _NAME.fullmatch(name.lower()) or _is_address(name):
            raise RefusedError(
                f"'{name[:80]}' cannot be this server's name: expected letters, digits, '-' and '.', as in "
                "sand-table.office.lan. An address is given with --address."
            )
    if options.address is not None and not _is_address(options.address):
        raise RefusedError(
            f"'{options.address[:80]}' is not an address: expected numbers as in 192.168.1.20. "
            "A name is given with --name."
        )
    names = tuple(name.lower() for name in options.names)
    return LanOptions(names, options.address, options.https_port, options.http_port)


def find_machine_addresses() -> frozenset[Address]:
    """IPv4 addresses of this machine, without loopback and those that it gave itself for want of a router."""
    table = Path("/proc/net/fib_trie")  # Linux; what its own name resolves to is often only 127.0.1.1 there
    if table.exists():
        found = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", table.read_text(encoding="ascii"))
    else:
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
        except OSError:
            found = []
    addresses = (ipaddress.ip_address(text) for text in found)
    return frozenset(one for one in addresses if not one.is_loopback and not one.is_link_local)


def find_main_address() -> Address | None:
    """The address with which this machine would go to others; one that it has for virtual machines alone is not it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # for documentation (RFC 5737); this only looks up the route, nothing is sent
        except OSError:
            return None
        return ipaddress.ip_address(probe.getsockname()[0])


class OfficeNetwork:
    """
    This server's place in the office network; `refresh` follows the machine's addresses and renews the certificate.

    Parameters
    ----------
    folder
        Where authority and certificate lie; made when it is missing.
    options
        Checked.
    https_port, http_port
        Ports that are really listened on.
    find_addresses, hostname
        The machine's addresses, asked at each `refresh`, and its own name.

    Raises
    ------
    BadFileError, RefusedError
        The authority cannot be used, or may not sign for what was asked for.

    Attributes
    ----------
    authority
        What the devices install.
    context
        TLS of the HTTPS door; new connections are given the newest certificate.
    """

    def __init__(
        self,
        folder: Path,
        options: LanOptions,
        *,
        https_port: int,
        http_port: int,
        clock: Clock,
        find_addresses: Callable[[], frozenset[Address]] = find_machine_addresses,
        hostname: str | None = None,
    ) -> None:
        self.https_port = https_port
        self.http_port = http_port
        self._options = options
        self._find_addresses = find_addresses
        self._hostname = (socket.gethostname() if hostname is None else hostname).lower()
        self._folder = CertificateFolder(folder, clock=clock)
        self._signed = self._folder.open_authority(self._find_subjects())
        self.authority: x509.Certificate = self._signed.certificate
        asked = [] if options.address is None else [ipaddress.ip_address(options.address)]
        check_permitted(self.authority, Subjects(frozenset(options.names), frozenset(asked)))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.subjects = _LOOPBACK
        self._left_out: frozenset[str | Address] = frozenset()
        self.refresh()

    @property
    def hosts(self) -> frozenset[str]:
        """What a Host header may say, without port; loopback is the guard's own."""
        addresses = self.subjects.addresses - _LOOPBACK.addresses
        return (self.subjects.names - _LOOPBACK.names) | {_to_host(address) for address in addresses}

    @property
    def host(self) -> str:
        """How people should call this server: the first name they gave it, else an address."""
        return self._options.names[0] if self._options.names else self.address

    @property
    def address(self) -> str:
        """A number under which phones find it, whatever their name service knows; a name for want of one."""
        if self._options.address is not None:
            return _to_host(ipaddress.ip_address(self._options.address))
        addresses = sorted(self.subjects.addresses - _LOOPBACK.addresses, key=int)
        main = find_main_address()
        if main in addresses:
            return str(main)
        return _to_host(addresses[0]) if addresses else min(self.hosts, default="localhost")

    @property
    def url(self) -> str:
        """Address of the sand table in the office network."""
        return to_url("https", self.host, self.https_port)

    @property
    def connect_url(self) -> str:
        """Address of the page that explains; by number: "HTTPS only" is kept for names, with all their ports."""
        return to_url("http", self.address, self.http_port) + "/connect"

    def refresh(self) -> bool:
        """Look at the machine's addresses and the certificate's end; whether a new certificate was made."""
        subjects = self._find_subjects()
        everything: frozenset[str | Address] = subjects.names | subjects.addresses
        left_out = frozenset(one for one in everything if not is_permitted(self.authority, one))
        if left_out - self._left_out:
            _log.warning("The office's certificate authority may not sign for a new name or address of this machine.")
        self._left_out = left_out
        subjects = Subjects(
            frozenset(one for one in subjects.names if one not in left_out),
            frozenset(one for one in subjects.addresses if one not in left_out),
        )
        is_new = self._folder.renew(self._signed, subjects)
        if is_new or subjects != self.subjects:
            self.context.load_cert_chain(self._folder.server_path)
            self.subjects = subjects
        return is_new

    async def keep_fresh(self) -> None:
        """Refresh for ever, on the server's loop."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                self.refresh()
            except (OSError, ValueError):
                _log.exception("The server's certificate could not be renewed; the old one is still used.")

    def _find_subjects(self) -> Subjects:
        names = {*self._options.names, *_LOOPBACK.names}
        if _NAME.fullmatch(self._hostname) and not _is_address(self._hostname):
            names.add(self._hostname)
        if self._options.address is not None:
            addresses = frozenset({ipaddress.ip_address(self._options.address)})
        else:
            addresses = self._find_addresses()
        return Subjects(frozenset(names), addresses | _LOOPBACK.addresses)


def to_url(scheme: str, host: str, port: int) -> str:
    """An address without a slash at its end; the scheme's own port is not written."""
    return f"{scheme}://{host}" if port == {"http": 80, "https": 443}[scheme] else f"{scheme}://{host}:{port}"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _to_host(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
