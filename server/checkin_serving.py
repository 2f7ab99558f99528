"""Serving a check-in server: its folder, its certificate, its port, until it is told to stop."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from data.store import Clock
from gis.errors import BadFileError
from server.certificates import CertificateFolder, Subjects, to_fingerprint
from server.checkin_box import CheckinBox
from server.checkin_server import build_checkin_app
from server.lan import LanOptions, check_lan_options, find_machine_addresses
from server.listen import Beside, bind_port, run_until_stopped

_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - meant: phones come from outside


@dataclass(frozen=True)
class CheckinOptions:
    """
    What was asked for on the command line.

    Attributes
    ----------
    folder
        Where key, queue and certificate lie.
    names
        Names under which phones find it.
    address
        The one address to listen on; None: all.
    port
        TCP port of HTTPS; 0 takes any free one.
    certificate
        Key and certificate of a public authority (PEM); None: one of its own, which phones have to be told to believe.
    """

    folder: Path
    names: tuple[str, ...] = ()
    address: str | None = None
    port: int = 8643
    certificate: Path | None = None


def serve_checkins(options: CheckinOptions, *, clock: Clock, on_ready: Callable[[dict[str, object]], None]) -> None:
    """
    Serve until Ctrl-C or SIGTERM.

    Raises
    ------
    PortInUseError, RefusedError, BadFileError
        The port is taken, a name cannot be one, the certificate cannot be read.
    """
    names = check_lan_options(LanOptions(options.names, options.address)).names
    box = CheckinBox(options.folder, clock=clock)
    with closing(box.queue), closing(bind_port(options.address or _EVERY_ADDRESS, options.port)) as listener:
        context, fingerprint = _open_context(options, names, clock)
        port = int(listener.getsockname()[1])
        name = names[0] if names else options.address or "localhost"
        report: dict[str, object] = {
            "url": f"https://{name}:{port}", "public_key": box.public_key, "fingerprint": fingerprint,
            "points": len(box.find_points()), "waiting": box.queue.count_waiting(),
        }  # fmt: skip
        with closing(bind_port("127.0.0.1", 0)) as inside:
            app = build_checkin_app(box)
            run_until_stopped(
                app, inside, beside=[Beside(app, listener, context, is_public=True)],
                on_ready=lambda: on_ready(report), on_stop=lambda: None,
            )  # fmt: skip


def _open_context(options: CheckinOptions, names: tuple[str, ...], clock: Clock) -> tuple[ssl.SSLContext, str | None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.certificate is not None:
        try:
            context.load_cert_chain(options.certificate)
        except (OSError, ssl.SSLError) as error:
            raise BadFileError(
                f"{options.certificate} cannot be read: expected key and certificate in PEM. Correct the file."
            ) from error
        return context, None
    from ipaddress import ip_address

    addresses = {ip_address("127.0.0.1"), *find_machine_addresses()}
    subjects = Subjects(frozenset({"localhost", *names}), frozenset(addresses))
    folder = CertificateFolder(options.folder / "ca", clock=clock)
    authority = folder.open_authority(subjects)
    folder.renew(authority, subjects)
    context.load_cert_chain(folder.server_path)
    return context, to_fingerprint(authority.certificate)
