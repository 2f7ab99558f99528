"""
The key of an encrypted store: where it comes from, and what is derived from it.

What a person types is stretched (scrypt), so that guessing costs memory and time; what `make_key_file` writes has 256
random bits and needs no stretching, but gets it all the same. The salt is one for all stores: every copy that the store
makes of itself, and every backup, opens with the key alone. A key is never printed, logged or written beside its store.
"""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from data.durable import sync_folder
from data.settings import Settings
from gis.errors import StoreKeyError

MIN_KEY_LENGTH = 12
_SALT = b"shapan store key 1"
_SCRYPT_COST = 2**15  # with r = 8: 32 MiB and about 0.1 s for each guess (RFC 7914 takes 2**14 for interactive use)
_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits, drawn anew for every sealing
_WAY_OUT = (
    "Set SHAPAN_KEY_FILE to the file that holds the key (or SHAPAN_KEY to the key), or start the command at a "
    "terminal, which asks for it."
)


@dataclass(frozen=True)
class StoreKey:
    """A store's key, as 32 bytes that were stretched from its text."""

    _master: bytes = field(repr=False)

    @property
    def for_database(self) -> str:
        """What DuckDB is given: 64 hexadecimal digits, so that nothing in it needs quoting."""
        return self.derive("database").hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, which tell nothing of the key or of those for another (HKDF, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(self._master)

    def seal(self, content: bytes, *, purpose: str) -> bytes:
        """`content` encrypted and guarded against change (AES-256-GCM): nonce, then text and tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.derive(purpose)).encrypt(nonce, content, None)

    def unseal(self, sealed: bytes, *, purpose: str) -> bytes | None:
        """What was sealed; None when this is another key, or a byte was changed."""
        try:
            return AESGCM(self.derive(purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError):
            return None


@lru_cache(maxsize=8)
def to_key(text: str) -> StoreKey:
    """The key of a text."""
    return StoreKey(Scrypt(salt=_SALT, length=32, n=_SCRYPT_COST, r=8, p=1).derive(text.encode()))


def find_key(settings: Settings) -> StoreKey | None:
    """
    The key that `SHAPAN_KEY_FILE` or `SHAPAN_KEY` gives; None when neither is set.

    Raises
    ------
    StoreKeyError
        Both are set; or the file cannot be read, is empty, or can be read by others.
    """
    if settings.key_file is not None and settings.key_text:
        raise StoreKeyError("SHAPAN_KEY_FILE and SHAPAN_KEY are both set: take one of them away.")
    if settings.key_file is not None:
        return read_key_file(settings.key_file)
    return to_key(settings.key_text) if settings.key_text else None


def read_key_file(path: Path) -> StoreKey:
    """The key in a file: its text without the spaces and line ends around it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreKeyError(
            f"The key file {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}. "
            "Put the key there, or correct SHAPAN_KEY_FILE."
        ) from None
    if os.name != "nt" and mode & 0o077:
        raise StoreKeyError(f"The key file {path} can be read by others. Make it yours alone: chmod 600 {path}")
    if not text:
        raise StoreKeyError(f"The key file {path} is empty. Put the key there, or correct SHAPAN_KEY_FILE.")
    return to_key(text)


def make_key_file(path: Path) -> StoreKey:
    """A new random key in a new file, readable by its owner only and safe on the disk; one that is there stays."""
    text = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        raise StoreKeyError(
            f"The key file {path} cannot be made: {error.strerror}. Name another with --new-key-file."
        ) from error
    return to_key(text)


def ask_key(store_name: str) -> StoreKey | None:
    """The key that a person types, without showing it; None when there is no terminal."""
    if not sys.stdin.isatty():
        return None
    return to_key(getpass.getpass(f"Key of store '{store_name}': "))


def ask_new_key(store_name: str) -> StoreKey:
    """
    A new key that a person types twice.

    Raises
    ------
    StoreKeyError
        There is no terminal; the two differ; or it is too short.
    """
    if not sys.stdin.isatty():
        raise StoreKeyError(
            "No new key was given. Name a file with --new-key-file: it is made with a random key when it is not there."
        )
    text = getpass.getpass(f"New key of store '{store_name}': ")
    if len(text) < MIN_KEY_LENGTH:
        raise StoreKeyError(
            f"The new key has {len(text)} characters, expected at least {MIN_KEY_LENGTH}. Nothing was changed."
        )
    if getpass.getpass("The same again: ") != text:
        raise StoreKeyError("The two keys differ. Nothing was changed: start again.")
    return to_key(text)


def choose_key(
    settings: Settings, *, is_encrypted: bool, ask: Callable[[str], StoreKey | None] = ask_key
) -> StoreKey | None:
    """The key of the settings; when there is none and the store needs one, what a person types."""
    key = find_key(settings)
    return ask(settings.store_name) if key is None and is_encrypted else key


def build_key_missing(store_name: str) -> StoreKeyError:
    """What is said of an encrypted store without a key."""
    return StoreKeyError(f"Store '{store_name}' is encrypted and no key was given. {_WAY_OUT}")


def build_key_wrong(store_name: str) -> StoreKeyError:
    """What is said of an encrypted store and another key."""
    return StoreKeyError(f"Store '{store_name}' is encrypted, and not with the key that was given. {_WAY_OUT}")
