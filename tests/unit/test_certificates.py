"""The office's authority and server certificate, judged by OpenSSL and not by the library that made them."""

from __future__ import annotations

import ipaddress
import stat
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gis.errors import BadFileError, RefusedError
from server.certificates import (
    CertificateFolder,
    Signed,
    Subjects,
    build_authority,
    build_server_certificate,
    to_der,
    to_fingerprint,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def make_subjects(
    names: Iterable[str] = ("sand-table.office.lan",), addresses: Iterable[str] = ("10.1.2.3",)
) -> Subjects:
    return Subjects(frozenset(names), frozenset(map(ipaddress.ip_address, addresses)))


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def authority() -> Signed:
    return build_authority(make_subjects(), now=NOW)


def write_pem(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def verify(folder: Path, authority: Signed, server: Signed, *checks: str, at: datetime = NOW) -> str:
    """What `openssl verify` says of the chain, all strict checks on; "OK" when it believes it."""
    root, leaf = (
        write_pem(folder / "root.pem", authority.certificate),
        write_pem(folder / "leaf.pem", server.certificate),
    )
    command = ["openssl", "verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver"]
    moment = ["-attime", str(int(at.timestamp()))]
    seen = subprocess.run(
        [*command, *moment, *checks, "-CAfile", str(root), str(leaf)], capture_output=True, text=True, check=False
    )
    return "OK" if seen.returncode == 0 and seen.stdout.strip().endswith(": OK") else seen.stderr + seen.stdout


def describe(folder: Path, signed: Signed) -> str:
    path = write_pem(folder / "shown.pem", signed.certificate)
    return subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-text"], capture_output=True, text=True, check=True
    ).stdout


class TestAuthority:
    def test_signs_servers_of_the_office_and_nothing_else(self, authority: Signed, tmp_path: Path) -> None:
        text = " ".join(describe(tmp_path, authority).split())
        assert "X509v3 Basic Constraints: critical CA:TRUE, pathlen:0" in text
        assert "X509v3 Key Usage: critical Certificate Sign, CRL Sign" in text
        assert "X509v3 Extended Key Usage: TLS Web Server Authentication X509v3" in text
        assert "X509v3 Name Constraints: critical Permitted: DNS:lan" in text
        assert "IP:10.0.0.0/255.0.0.0" in text
        assert "NIST CURVE: P-256" in text

    def test_lasts_ten_years(self, authority: Signed) -> None:
        certificate = authority.certificate
        days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
        assert days in {3652, 3653}  # two or three leap days

    def test_openssl_sees_the_same_fingerprints(self, authority: Signed, tmp_path: Path) -> None:
        (tmp_path / "root.der").write_bytes(to_der(authority.certificate))
        for sha1 in (False, True):
            command = ["openssl", "x509", "-inform", "der", "-in", str(tmp_path / "root.der"), "-noout", "-fingerprint"]
            shown = subprocess.run(
                [*command, "-sha1" if sha1 else "-sha256"], capture_output=True, text=True, check=True
            )
            assert shown.stdout.strip().partition("=")[2] == to_fingerprint(authority.certificate, sha1=sha1)

    def test_permits_a_public_address_of_the_machine_and_those_around_it(self, tmp_path: Path) -> None:
        # Some closed networks use addresses that are public elsewhere.
        wide = build_authority(make_subjects(addresses=["53.20.1.7"]), now=NOW)
        near = build_server_certificate(wide, make_subjects(addresses=["53.20.9.9"]), now=NOW)
        assert verify(tmp_path, wide, near, "-verify_ip", "53.20.9.9") == "OK"
        with pytest.raises(RefusedError, match=r"may not sign for '53\.21\.0\.1'"):
            build_server_certificate(wide, make_subjects(addresses=["53.21.0.1"]), now=NOW)


class TestServerCertificate:
    def test_openssl_believes_it_for_each_name_and_address(self, authority: Signed, tmp_path: Path) -> None:
        subjects = make_subjects(["sand-table.office.lan", "localhost"], ["10.1.2.3", "127.0.0.1", "fd00::5"])
        server = build_server_certificate(authority, subjects, now=NOW)
        for name in subjects.names:
            assert verify(tmp_path, authority, server, "-verify_hostname", name) == "OK"
        for address in subjects.addresses:
            assert verify(tmp_path, authority, server, "-verify_ip", str(address)) == "OK"
        assert "hostname mismatch" in verify(tmp_path, authority, server, "-verify_hostname", "other.office.lan")
        assert "IP address mismatch" in verify(tmp_path, authority, server, "-verify_ip", "10.1.2.4")

    def test_lasts_no_longer_than_browsers_take(self, authority: Signed, tmp_path: Path) -> None:
        server = build_server_certificate(authority, make_subjects(), now=NOW)
        begin, end = server.certificate.not_valid_before_utc, server.certificate.not_valid_after_utc
        assert end - begin < timedelta(days=397)  # both ends count
        assert verify(tmp_path, authority, server, at=end - timedelta(seconds=1)) == "OK"
        assert "expired" in verify(tmp_path, authority, server, at=end + timedelta(seconds=1))

    def test_cannot_sign_another(self, authority: Signed, tmp_path: Path) -> None:
        server = build_server_certificate(authority, make_subjects(), now=NOW)
        below = build_server_certificate(Signed(authority.certificate, server.key), make_subjects(), now=NOW)
        assert verify(tmp_path, authority, below) != "OK"
        assert "CA:FALSE" in describe(tmp_path, server)

    @pytest.mark.parametrize(("kind", "value"), [("name", "www.bank.example"), ("ip", "8.8.8.8")])
    def test_a_stolen_authority_cannot_play_another_site(
        self, authority: Signed, tmp_path: Path, kind: str, value: str
    ) -> None:
        # Made here without our own check, as a thief of the key would.
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.DNSName(value) if kind == "name" else x509.IPAddress(ipaddress.ip_address(value))
        forged = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
            )
            .sign(authority.key, hashes.SHA256())
        )
        assert "permitted subtree violation" in verify(tmp_path, authority, Signed(forged, key))

    @pytest.mark.parametrize("name", ["www.bank.example", "evillan", "lan.example"])
    def test_is_not_made_for_what_the_authority_may_not_sign(self, authority: Signed, name: str) -> None:
        with pytest.raises(RefusedError, match=f"may not sign for '{name}'.*install the new certificate on every"):
            build_server_certificate(authority, make_subjects([name]), now=NOW)


class TestFolder:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(NOW)

    @pytest.fixture
    def folder(self, tmp_path: Path, clock: Clock) -> CertificateFolder:
        return CertificateFolder(tmp_path / "ca", clock=clock)

    def test_keys_are_for_their_owner_only(self, folder: CertificateFolder) -> None:
        authority = folder.open_authority(make_subjects())
        folder.renew(authority, make_subjects())
        assert stat.S_IMODE(folder.authority_path.parent.stat().st_mode) == 0o700
        for path in folder.authority_path.parent.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(list(folder.authority_path.parent.iterdir())) == 2

    def test_the_authority_is_made_once(self, folder: CertificateFolder) -> None:
        first = folder.open_authority(make_subjects())
        assert folder.open_authority(make_subjects(["other.lan"])).certificate == first.certificate

    def test_the_server_s_is_renewed_before_it_ends(self, folder: CertificateFolder, clock: Clock) -> None:
        authority = folder.open_authority(make_subjects())
        assert folder.renew(authority, make_subjects())
        assert not folder.renew(authority, make_subjects())
        clock.now = NOW + timedelta(days=360)
        assert not folder.renew(authority, make_subjects())
        clock.now = NOW + timedelta(days=370)  # 396 days from the day before; 30 days before that it is time
        assert folder.renew(authority, make_subjects())
        assert not folder.renew(authority, make_subjects())

    def test_is_renewed_when_the_addresses_change(self, folder: CertificateFolder) -> None:
        authority = folder.open_authority(make_subjects())
        folder.renew(authority, make_subjects())
        assert folder.renew(authority, make_subjects(addresses=["10.1.2.3", "10.1.2.4"]))
        assert folder.renew(authority, make_subjects(addresses=["10.1.2.4"]))
        assert folder.renew(authority, make_subjects(["new.lan"], ["10.1.2.4"]))

    def test_is_renewed_when_it_is_damaged_or_another_authority_s(self, folder: CertificateFolder) -> None:
        authority = folder.open_authority(make_subjects())
        folder.renew(authority, make_subjects())
        folder.server_path.write_bytes(folder.server_path.read_bytes()[:300])
        assert folder.renew(authority, make_subjects())
        folder.authority_path.unlink()
        other = folder.open_authority(make_subjects())
        assert folder.renew(other, make_subjects())

    def test_a_damaged_authority_says_what_to_do(self, folder: CertificateFolder) -> None:
        folder.open_authority(make_subjects())
        folder.authority_path.write_text("-----BEGIN NOTHING-----", encoding="utf-8")
        with pytest.raises(BadFileError, match=r"authority\.pem cannot be read.*backup"):
            folder.open_authority(make_subjects())

    def test_a_key_that_is_not_the_certificate_s_is_refused(self, folder: CertificateFolder) -> None:
        authority = folder.open_authority(make_subjects())
        folder.renew(authority, make_subjects())
        key = folder.server_path.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
        certificate = authority.certificate.public_bytes(serialization.Encoding.PEM)
        folder.authority_path.write_bytes(key + certificate)
        with pytest.raises(BadFileError, match="key that is not the certificate's"):
            folder.open_authority(make_subjects())

    @pytest.mark.parametrize("days", [-30, 3700])
    def test_a_clock_outside_the_authority_s_time_is_named(
        self, folder: CertificateFolder, clock: Clock, days: int
    ) -> None:
        folder.open_authority(make_subjects())
        clock.now = NOW + timedelta(days=days)
        with pytest.raises(RefusedError, match=f"clock says {clock.now:%Y-%m-%d}. Set the clock"):
            folder.open_authority(make_subjects())
