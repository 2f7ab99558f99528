"""
Secrets of one store, in files of their own beside it: readable for their owner only, made at their first use.

    NAME.secret       hashes of identity numbers and callers, cards, and what is sealed, depend on it
    NAME.audit.key    the log of looks and changes is chained with it

They belong into every backup, and nowhere else: without them nothing can be matched, unsealed or verified any more.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from data.durable import sync_folder
from data.store import Store
from gis.errors import BadFileError

_LENGTH_BYTES = 32
_DEPENDS = """SELECT (SELECT count(*) FROM sealed_texts)
    + (SELECT count(*) FROM occupants WHERE identity_hash IS NOT NULL)
    + (SELECT count(*) FROM volunteers WHERE joined_by <> 'sample') AS n"""
# Of the invented sample's volunteers nobody has a card on paper: their secret is made at its first use, like any other.


def find_secret(path: Path) -> bytes | None:
    """The secret in `path`, None when there is no such file; `BadFileError` when it is not whole."""
    try:
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BadFileError(f"The secret {path} cannot be read: {error}. Bring it back from a backup.") from error
    if len(secret) != _LENGTH_BYTES:
        raise BadFileError(
            f"The secret {path} has {len(secret)} bytes, expected {_LENGTH_BYTES}. Bring it back from a backup."
        )
    return secret


def make_secret(path: Path) -> bytes:
    """A new random secret in `path`, mode 0600 from its first byte; one that another thread just made stays."""
    work = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(_LENGTH_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(work, path)  # unlike a rename it never replaces
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            work.replace(path)
    finally:
        work.unlink(missing_ok=True)
    sync_folder(path.parent)
    found = find_secret(path)
    if found is None:
        raise BadFileError(f"The secret {path} vanished while it was made. Look at the folder, then try again.")
    return found


def get_secret_path(store_path: Path) -> Path:
    """Where the secret of a store lies."""
    return store_path.with_name(f"{store_path.stem}.secret")


def get_key(store: Store, purpose: str) -> bytes:
    """
    Key of 32 bytes for one purpose, derived (HKDF-SHA256, RFC 5869) from the store's secret.

    Raises
    ------
    BadFileError
        The secret is gone or not whole while rows of the store depend on it.
    """
    path = get_secret_path(store.path)
    secret = find_secret(path)
    if secret is None:
        if int(store.read(_DEPENDS)["n"].iloc[0]):
            raise BadFileError(
                f"Store '{store.path.stem}' needs its secret {path}, which is gone. Bring it back from a backup: with "
                "a new one nobody could match or unseal anything."
            )
        secret = make_secret(path)
    return HKDF(algorithm=SHA256(), length=_LENGTH_BYTES, salt=None, info=f"shapan {purpose}".encode()).derive(secret)
