"""Settings: one frozen object built at the entry from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from data.backup_files import FOLDER
from gis.errors import RefusedError

_STORE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# Windows opens a device for these, whatever ending the file has.
_DEVICE_NAME = re.compile(r"con|prn|aux|nul|com\d|lpt\d")


@dataclass(frozen=True)
class Settings:
    """
    Where things are.

    Attributes
    ----------
    home
        Folder of stores and the running server's token file.
    store_name
        Name of the community's file, without ending.
    port
        TCP port on loopback; 0 takes any free one.
    key_file, key_text
        Where the key of an encrypted store is, or the key itself; see `data/keys.py`.
    backups
        Folder of backups; None: `backups` in `home`.
    model_folder
        Folder of a photographic model as 3D Tiles, with its tileset.json; None: there is none.
    webhook_ca
        Certificates (PEM) that are trusted beside the system's, for a webhook's receiver with one of the office's own.
    """

    home: Path
    store_name: str = "demo"
    port: int = 8501
    key_file: Path | None = None
    key_text: str | None = field(default=None, repr=False)
    backups: Path | None = None
    webhook_ca: Path | None = None
    model_folder: Path | None = None

    @property
    def store_path(self) -> Path:
        return self.home / f"{self.store_name}.duckdb"

    @property
    def backup_folder(self) -> Path:
        """Where backups go when nobody says otherwise."""
        return self.backups or self.home / FOLDER

    @property
    def truth_path(self) -> Path:
        """The sample's planted truth: outside what any analysis reads."""
        return self.home / f"{self.store_name}.truth.json"


def check_store_name(name: str) -> str:
    """`name` when it can be a file's name on every platform, else `RefusedError`."""
    if not _STORE_NAME.fullmatch(name) or _DEVICE_NAME.fullmatch(name):
        raise RefusedError(
            f"Store name '{name[:80]}' cannot be used: expected 1 to 63 lower-case letters, digits, '-' or '_', "
            "beginning with a letter or digit, and not con, nul, com1 and their like. "
            "Choose another name, e.g. --store wanhu."
        )
    return name


def check_port(text: str) -> int:
    """`text` as a TCP port, else `RefusedError`; 0 stands for any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise RefusedError(
            f"SHAPAN_PORT is '{text[:20]}': expected a number from 0 to 65535. Correct it, or give --port 8501."
        )
    return int(text)


def build_settings(
    environ: Mapping[str, str] = os.environ, *, store_name: str | None = None, port: int | None = None
) -> Settings:
    """Settings from the environment's `SHAPAN_…`; arguments win over it."""
    home, key_file, backups = environ.get("SHAPAN_HOME"), environ.get("SHAPAN_KEY_FILE"), environ.get("SHAPAN_BACKUPS")
    model = environ.get("SHAPAN_MODEL")
    webhook_ca = environ.get("SHAPAN_WEBHOOK_CA_FILE")
    if webhook_ca and not Path(webhook_ca).expanduser().is_file():
        raise RefusedError(
            f"SHAPAN_WEBHOOK_CA_FILE names {webhook_ca[:200]}, where there is no file. Correct it, or unset it."
        )
    return Settings(
        home=Path(home).expanduser() if home else Path(platformdirs.user_data_dir("shapan", appauthor=False)),
        store_name=check_store_name(store_name or environ.get("SHAPAN_STORE") or "demo"),
        port=check_port(environ.get("SHAPAN_PORT") or "8501") if port is None else port,
        key_file=Path(key_file).expanduser() if key_file else None,
        key_text=environ.get("SHAPAN_KEY") or None,
        backups=Path(backups).expanduser() if backups else None,
        model_folder=Path(model).expanduser() if model else None,
        webhook_ca=Path(webhook_ca).expanduser() if webhook_ca else None,
    )
