"""
The office's own certificate authority, and the certificate of this server that it signs.

The authority is made once, for ten years, and installed on every device by hand; so it may sign as little as possible:
names and addresses of the office (name constraints, RFC 5280 4.2.1.10), servers only, nothing below it. The server's
certificate is made anew, by itself, before it ends and whenever the machine's names or addresses change. Both hold
names of machines, never of persons. Each is one file with its key, so that a key never stands beside another's
certificate.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from data.store import Clock
from gis.errors import BadFileError, RefusedError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

AUTHORITY_DAYS = 3653  # ten years
SERVER_DAYS = 397  # the longest that browsers take from public authorities: CA/Browser Forum ballot SC-31
RENEW_DAYS = 30  # before the end
_BACKDATED = timedelta(days=1)  # clocks of phones are wrong by minutes, and by a zone when set by hand
# Names that exist in no public register: RFC 6762, RFC 8375, RFC 6761, and what routers of offices hand out.
_OFFICE_DOMAINS = ("lan", "local", "internal", "home.arpa", "localhost")
_OFFICE_NETWORKS = (  # RFC 1918, RFC 4193, RFC 3927, RFC 4291 and loopback
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
    *("fc00::/7", "fe80::/10", "::1/128"),
)


@dataclass(frozen=True)
class Subjects:
    """What a certificate is for: names in lower case, and addresses."""

    names: frozenset[str]
    addresses: frozenset[Address]


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class CertificateFolder:
    """Authority and server certificate in `folder`, which only its owner can read."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self.authority_path = folder / "authority.pem"
        self.server_path = folder / "server.pem"
        self._folder = folder
        self._clock = clock

    def open_authority(self, subjects: Subjects) -> Signed:
        """
        The office's authority; at the first time it is made so that it may sign for `subjects`.

        Raises
        ------
        BadFileError
            The file cannot be read.
        RefusedError
            It has ended, or the clock stands before its beginning.
        """
        if not self.authority_path.exists():
            _write(self.authority_path, build_authority(subjects, now=self._clock()))
        authority = _read(self.authority_path)
        begin, end = authority.certificate.not_valid_before_utc, authority.certificate.not_valid_after_utc
        if not begin <= self._clock() < end:
            raise RefusedError(
                f"The office's certificate authority in {self._folder} holds from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, "
                f"but this machine's clock says {self._clock():%Y-%m-%d}. Set the clock; if the authority has ended, "
                "move that folder away, start again, and install the new certificate on every device."
            )
        return authority

    def renew(self, authority: Signed, subjects: Subjects) -> bool:
        """Make the server's certificate if it is missing, not ours, ends soon or is for others; whether it was made."""
        if self.server_path.exists():
            try:
                if self._is_good(_read(self.server_path).certificate, authority.certificate, subjects):
                    return False
            except BadFileError:
                pass  # it is made again without asking anybody, unlike the authority
        _write(self.server_path, build_server_certificate(authority, subjects, now=self._clock()))
        return True

    def _is_good(self, certificate: x509.Certificate, authority: x509.Certificate, subjects: Subjects) -> bool:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):  # another name, another kind of key, another authority
            return False
        end = min(authority.not_valid_after_utc, certificate.not_valid_after_utc + timedelta(days=-RENEW_DAYS))
        return certificate.not_valid_before_utc <= self._clock() < end and read_subjects(certificate) == subjects


def build_authority(subjects: Subjects, *, now: datetime) -> Signed:
    """
    A new authority that may sign for office networks, and for `subjects` where they lie outside of those.

    Of an address outside the private ranges the /16 (IPv6: /48) around it is permitted: addresses are dealt out anew.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    mark = secrets.token_hex(4).upper()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Shapan"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Shapan office network {mark}"),
        ]
    )
    begin = now.astimezone(UTC).replace(microsecond=0) - _BACKDATED
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_build_key_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(_list_permitted(subjects), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signed(certificate, key)


def build_server_certificate(authority: Signed, subjects: Subjects, *, now: datetime) -> Signed:
    """
    A certificate for `subjects`, with a new key.

    Raises
    ------
    RefusedError
        The authority may not sign for one of them; devices would not believe it.
    """
    check_permitted(authority.certificate, subjects)
    key = ec.generate_private_key(ec.SECP256R1())
    begin = max(now.astimezone(UTC).replace(microsecond=0) - _BACKDATED, authority.certificate.not_valid_before_utc)
    end = min(begin + timedelta(days=SERVER_DAYS, seconds=-1), authority.certificate.not_valid_after_utc)
    alternatives = [
        *(x509.DNSName(name) for name in sorted(subjects.names)),
        *(x509.IPAddress(address) for address in sorted(subjects.addresses, key=lambda one: (one.version, int(one)))),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shapan server")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_build_key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return Signed(certificate, key)


def read_subjects(certificate: x509.Certificate) -> Subjects:
    """What a server's certificate is for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = (address for address in found.get_values_for_type(x509.IPAddress))
    return Subjects(
        frozenset(found.get_values_for_type(x509.DNSName)),
        frozenset(one for one in addresses if isinstance(one, ipaddress.IPv4Address | ipaddress.IPv6Address)),
    )


def is_permitted(authority: x509.Certificate, subject: str | Address) -> bool:
    """Whether the authority may sign for a name or an address."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    if isinstance(subject, str):
        return _is_below(subject, [one.value for one in permitted if isinstance(one, x509.DNSName)])
    networks: list[_Network] = [one.value for one in permitted if isinstance(one, x509.IPAddress)]  # type: ignore[misc]
    return any(subject in network for network in networks)


def check_permitted(authority: x509.Certificate, subjects: Subjects) -> None:
    """Raise `RefusedError` for the first name or address that the authority may not sign for."""
    for subject in (*sorted(subjects.names), *sorted(subjects.addresses, key=str)):
        if not is_permitted(authority, subject):
            raise RefusedError(
                f"The office's certificate authority may not sign for '{subject}': it was made for other names. Choose "
                "a name that ends in .lan, .local, .internal or .home.arpa; or move the folder 'ca' of SHAPAN_HOME "
                "away, start again with this name, and install the new certificate on every device."
            )


def to_fingerprint(certificate: x509.Certificate, *, sha1: bool = False) -> str:
    """SHA-256 of the certificate in pairs of digits, to be compared by eye; SHA-1 because Windows shows no other."""
    algorithm = hashes.SHA1() if sha1 else hashes.SHA256()  # noqa: S303 - shown for the eye, nothing is signed with it
    return certificate.fingerprint(algorithm).hex(":").upper()


def to_der(certificate: x509.Certificate) -> bytes:
    """The certificate as devices install it."""
    return certificate.public_bytes(serialization.Encoding.DER)


def _build_key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _list_permitted(subjects: Subjects) -> list[x509.GeneralName]:
    networks: list[_Network] = [ipaddress.ip_network(text) for text in _OFFICE_NETWORKS]
    for address in sorted(subjects.addresses, key=str):
        if not any(address in network for network in networks):
            networks.append(ipaddress.ip_network(f"{address}/{16 if address.version == 4 else 48}", strict=False))
    outside = [name for name in sorted(subjects.names) if not _is_below(name, _OFFICE_DOMAINS)]
    return [*map(x509.DNSName, (*_OFFICE_DOMAINS, *outside)), *map(x509.IPAddress, networks)]


def _is_below(name: str, domains: Iterable[str]) -> bool:
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def _write(path: Path, signed: Signed) -> None:
    """Key and certificate in one file, whole or not at all, readable by its owner from its first byte."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = signed.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + signed.certificate.public_bytes(serialization.Encoding.PEM)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _read(path: Path) -> Signed:
    content = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as error:
        raise BadFileError(
            f"{path} cannot be read: expected a key and a certificate in PEM. Bring it back from a backup; or move it "
            "away, start again, and install the new certificate on every device."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise BadFileError(f"{path} holds a key that is not the certificate's. Bring the file back from a backup.")
    return Signed(certificate, key)
