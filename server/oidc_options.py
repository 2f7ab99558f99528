"""Which provider of sign-ins (OIDC) this office has, from the environment's `SHAPAN_OIDC_…`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gis.errors import RefusedError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class ProviderOptions:
    """
    Which provider, and as whom we ask it.

    Attributes
    ----------
    issuer
        As the provider writes itself in its tokens (`iss`), to the letter.
    client_id, client_secret
        As registered there; no secret for a public client.
    ca_file
        Certificates (PEM) that are trusted beside the system's, for a provider with one of the office's own.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


def find_provider_options(environ: Mapping[str, str]) -> ProviderOptions | None:
    """
    What `SHAPAN_OIDC_…` says; None when nothing is set: then there is no such sign-in.

    Raises
    ------
    RefusedError
        Something is missing, or cannot be used; the sentence names the variable.
    """
    values = {name: value for name, value in environ.items() if name.startswith("SHAPAN_OIDC_") and value}
    if not values:
        return None
    issuer, client_id = values.get("SHAPAN_OIDC_ISSUER", ""), values.get("SHAPAN_OIDC_CLIENT_ID", "")
    if not is_allowed_address(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise RefusedError(
            f"SHAPAN_OIDC_ISSUER is '{issuer[:80]}': expected the https address of the office's provider as it writes "
            "itself, e.g. https://id.example/realms/office. Correct it, or unset every SHAPAN_OIDC_… variable."
        )
    if not client_id:
        raise RefusedError("SHAPAN_OIDC_CLIENT_ID is missing: set the client that is registered at the provider.")
    ca_file = values.get("SHAPAN_OIDC_CA_FILE")
    if ca_file and not Path(ca_file).is_file():
        raise RefusedError(f"SHAPAN_OIDC_CA_FILE names {ca_file}, where there is no file. Correct it, or unset it.")
    return ProviderOptions(issuer, client_id, _find_secret(values), Path(ca_file) if ca_file else None)


def _find_secret(values: Mapping[str, str]) -> str | None:
    text, file = values.get("SHAPAN_OIDC_CLIENT_SECRET"), values.get("SHAPAN_OIDC_CLIENT_SECRET_FILE")
    if text and file:
        raise RefusedError("SHAPAN_OIDC_CLIENT_SECRET and …_FILE are both set: take one of them away.")
    if file:
        path = Path(file)
        try:
            is_open = os.name != "nt" and path.stat().st_mode & 0o077
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise RefusedError(
                f"SHAPAN_OIDC_CLIENT_SECRET_FILE names {path}, which cannot be read. Put the secret there."
            ) from None
        if is_open:
            raise RefusedError(f"The file {path} can be read by others. Make it yours alone: chmod 600 {path}")
        if not text:
            raise RefusedError(f"SHAPAN_OIDC_CLIENT_SECRET_FILE names {path}, which is empty. Put the secret there.")
    if text and not (text.isascii() and text.isprintable()):
        raise RefusedError("The client secret has letters other than printable ASCII: copy it from the provider again.")
    return text


def is_allowed_address(text: str) -> bool:
    """Whether an address of the provider may be used: https, or http on this machine itself, and no password in it."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or not text.isascii():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
