"""
The ticket: how the command line finds a running server of a store and is let in.

A small file beside the store, readable by its owner only, written when the server is ready and removed when it stops.
Who can read the file can read the store itself, so the token opens nothing that was not open.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from data.settings import Settings


@dataclass(frozen=True)
class Ticket:
    """
    Process id, address and secret of the running server of `store`; `url` ends without a slash.

    Of the office network, where it is served: `lan_url`, the page that explains to devices, and the fingerprint that
    people compare there.
    """

    pid: int
    port: int
    store: str
    url: str
    token: str
    started_utc: str
    lan_url: str | None = None
    connect_url: str | None = None
    fingerprint: str | None = None


def get_ticket_path(settings: Settings) -> Path:
    """Where the ticket of the store of `settings` lies."""
    return settings.home / f"{settings.store_name}.server.json"


def write_ticket(path: Path, ticket: Ticket) -> None:
    """Put the ticket down, mode 0600 from its first byte, replacing one that a killed server left."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(ticket), file)


def find_ticket(settings: Settings) -> Ticket | None:
    """The ticket of a server that may be running; None when there is none or it is not whole."""
    try:
        return Ticket(**json.loads(get_ticket_path(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def remove_ticket(path: Path, ticket: Ticket) -> None:
    """Take our own ticket away; another server's, written since, stays."""
    try:
        if json.loads(path.read_text(encoding="utf-8")).get("token") == ticket.token:
            path.unlink()
    except (FileNotFoundError, ValueError):
        return
