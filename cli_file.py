"""Commands that keep a store: backup, restore, encrypt, rekey. No logic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli_frame import AsJson, StoreName, emit, find_server, open_operations, sentences, show_progress
from data.settings import Settings, build_settings
from gis.errors import StoreInUseError

if TYPE_CHECKING:
    from server.operations import Report

NewKeyFile = Annotated[
    Path | None,
    typer.Option("--new-key-file", help="File of the new key; made with a random one when it is not there."),
]


def backup(
    store: StoreName = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder [SHAPAN_BACKUPS, else backups beside the store].")
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="Delete older ones there until so many are left.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """
    Back a store up into one file, while the server runs or not; it is read back and compared before it counts.

    Example: shapan backup --store wanhu --to /media/disk --keep 14
    """
    with sentences(as_json=as_json):
        settings = build_settings(store_name=store)
        with open_operations(settings) as operations, show_progress() as progress:
            report = operations.back_up(to or settings.backup_folder, keep, progress)
        emit(report, as_json=as_json, as_text=print_backup)
        if not report["encrypted"]:
            print("This backup is in clear, secrets of the store included: keep it locked away.", file=sys.stderr)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, NAME-….shapanbackup.")],
    store: StoreName = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it holds and would replace; do nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make a store of a backup, of this or any earlier version; a store that is there is set aside.

    Example: shapan restore backups/wanhu-20261123T190000Z.shapanbackup --store wanhu --dry-run
    """
    with sentences(as_json=as_json):
        from data.store import utc_now
        from server.keeping import restore as run

        settings = build_settings(store_name=store)
        if not dry_run:
            check_not_served(settings)
        emit(run(settings, file, dry_run=dry_run, clock=utc_now), as_json=as_json, as_text=print_restored)


def encrypt(store: StoreName = None, new_key_file: NewKeyFile = None, as_json: AsJson = False) -> None:
    """
    Encrypt a store that is not encrypted yet. The key is its only way in: keep a copy of it in another place.

    Example: shapan encrypt --store wanhu --new-key-file /media/stick/wanhu.key
    """
    run_encrypt(store, new_key_file, is_new=True, as_json=as_json)


def rekey(store: StoreName = None, new_key_file: NewKeyFile = None, as_json: AsJson = False) -> None:
    """
    Give an encrypted store another key. Backups made before still need the old one.

    Example: shapan rekey --store wanhu --new-key-file /media/stick/wanhu-2027.key
    """
    run_encrypt(store, new_key_file, is_new=False, as_json=as_json)


def run_encrypt(store: str | None, new_key_file: Path | None, *, is_new: bool, as_json: bool) -> None:
    """Both commands about keys."""
    with sentences(as_json=as_json):
        from data.store import utc_now
        from server.keeping import encrypt as run

        settings = build_settings(store_name=store)
        check_not_served(settings)
        report = run(settings, new_key_file=new_key_file, is_new=is_new, clock=utc_now)
        emit(report, as_json=as_json, as_text=print_encrypted)


def check_not_served(settings: Settings) -> None:
    """Refuse while a server has the store: the file itself changes."""
    if (running := find_server(settings)) is not None:
        raise StoreInUseError(
            f"Store '{settings.store_name}' is being served by process {running.pid}. Stop it, then repeat this."
        )


def print_backup(report: Report) -> None:
    """Where it is, and what it holds."""
    print(f"{report['file']}: {report['bytes']:,} bytes, read back and compared.")
    print_contents(report)


def print_contents(report: Report) -> None:
    """What a backup holds."""
    kind = "SYNTHETIC 虚构数据" if report["synthetic"] else "a real place"
    rows = report["rows"]
    assert isinstance(rows, dict)  # noqa: S101 - for the types only
    print(f"store '{report['store']}', {report['community'] or 'empty'} ({kind}), of {report['made_utc']}")
    print(f"schema version {report['schema_version']}, {'encrypted' if report['encrypted'] else 'in clear'}, rows:")
    for table, count in rows.items():
        print(f"  {table:<20} {count:>9,}")


def print_restored(report: Report) -> None:
    """What the backup holds, and what became of what was there."""
    held, replaces = report["backup"], report["replaces"]
    assert isinstance(held, dict)  # noqa: S101 - for the types only
    print_contents(held)
    if isinstance(replaces, dict):
        what = replaces.get("community") or replaces.get("cannot_be_read") or "an empty store"
        when = f"last written {replaces['changed_utc']}"
        print(f"{'Replaces' if report['restored'] else 'Would replace'} {replaces['file']}: {what}, {when}")
    else:
        print(f"There is no store '{report['store']}' to replace.")
    if not report["restored"]:
        print("Nothing was done: this was a dry run.")
        return
    aside = report["set_aside"]
    assert isinstance(aside, list)  # noqa: S101 - as above
    for file in aside:
        print(f"set aside: {file}")
    versions = f"from schema version {report['from_version']} to {report['to_version']}"
    print(f"Store '{report['store']}' is restored, {versions}.")
    print("Accounts, keys and erased persons are as they were on that day: repeat what was done since.")


def print_encrypted(report: Report) -> None:
    """What was done, where the key is, and what still lies in clear."""
    print(f"Store '{report['store']}' is encrypted: {report['rows']:,} rows copied and compared.")
    if report["key_file"]:
        verb = "made" if report["key_file_made"] else "taken"
        print(f"Key {verb}: {report['key_file']}. Set SHAPAN_KEY_FILE to it, and keep a copy in another place:")
        print("without the key nobody, we included, can open the store or its backups.")
    left = report["left_in_clear"]
    assert isinstance(left, list)  # noqa: S101 - as above
    for file in left:
        print(f"STILL IN CLEAR: {file}")


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    for command in (backup, restore, encrypt, rekey):
        app.command()(command)
