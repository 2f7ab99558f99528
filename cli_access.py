"""Commands `shapan user`, `shapan key`, `shapan audit`. No logic."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_frame import AsJson, StoreName, emit, open_operations, print_figures, sentences
from data.settings import build_settings
from gis.errors import AuditBrokenError, BadRecordError

if TYPE_CHECKING:
    from server.operations import Report

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name to sign in with, e.g. officer07.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the first password from standard input; else one is made up.")
]

user = typer.Typer(
    name="user", help="Accounts. Example: shapan user add officer07 --role officer", no_args_is_help=True
)
key = typer.Typer(
    name="key",
    help="Keys of other systems. Example: shapan key create alarm-system --scope incidents:write",
    no_args_is_help=True,
)
audit = typer.Typer(
    name="audit", help="The log of looks and changes. Example: shapan audit verify", no_args_is_help=True
)


@user.command(name="add")
def add_user(
    name: Name,
    role: Annotated[
        str, typer.Option("--role", help="wall, volunteer, grid_worker, officer, commander, auditor or admin.")
    ],
    grid: Annotated[list[str] | None, typer.Option("--grid", help="Own grid of a grid worker; once for each.")] = None,
    display_name: Annotated[str | None, typer.Option("--display-name", help="Name of who uses it.")] = None,
    password_stdin: PasswordStdin = False,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Add an account; its first password is shown once and has to be changed at the first sign-in.

    Example: shapan user add zhang3 --role grid_worker --grid g3 --store wanhu
    """
    arguments: dict[str, Any] = {"name": name, "role": role, "grids": grid or [], "display_name": display_name}
    with sentences(as_json=as_json):
        arguments["password"] = read_password() if password_stdin else None
        ask("user-add", arguments, store, as_json=as_json, as_text=print_password)


@user.command(name="disable")
def disable_user(name: Name, store: StoreName = None, as_json: AsJson = False) -> None:
    """
    Nobody signs in with it any more; its sessions end now. The account stays, because the log names it.

    Example: shapan user disable officer07 --store wanhu
    """
    with sentences(as_json=as_json):
        ask("user-disable", {"name": name}, store, as_json=as_json, as_text=print_figures)


@user.command(name="change")
def change_user(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="The new role, or the same with other grids.")],
    grid: Annotated[list[str] | None, typer.Option("--grid", help="Own grid of a grid worker; once for each.")] = None,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Give an account another role, or a grid worker other grids; its sessions end.

    Example: shapan user change zhang3 --role grid_worker --grid g5 --store wanhu
    """
    with sentences(as_json=as_json):
        arguments = {"name": name, "role": role, "grids": grid or []}
        ask("user-change", arguments, store, as_json=as_json, as_text=print_figures)


@user.command(name="reset")
def reset_user(
    name: Name, password_stdin: PasswordStdin = False, store: StoreName = None, as_json: AsJson = False
) -> None:
    """
    Give an account a new first password; opens one that failures have closed, and ends its sessions.

    Example: shapan user reset officer07 --store wanhu
    """
    with sentences(as_json=as_json):
        password = read_password() if password_stdin else None
        ask("user-reset", {"name": name, "password": password}, store, as_json=as_json, as_text=print_password)


@user.command(name="office")
def set_office_user(
    name: Name,
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", envvar="SHAPAN_OIDC_ISSUER", help="The office's provider, as the server knows it."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="Who it is there (sub); else the first with this account's name.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Sign in there no longer.")] = False,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Let an account sign in at the office's own provider (OIDC); its password is taken away, its sessions end.

    Example: shapan user office officer07 --issuer https://id.example/realms/office --store wanhu
    """
    with sentences(as_json=as_json):
        arguments = {"name": name, "issuer": issuer, "subject": subject, "off": off}
        ask("user-office", arguments, store, as_json=as_json, as_text=print_figures)


@user.command(name="list")
def list_users(store: StoreName = None, as_json: AsJson = False) -> None:
    """
    All accounts with role, grids and last sign-in.

    Example: shapan user list --store wanhu
    """
    columns = ("name", "role", "grids", "last_sign_in_utc", "locked_until_utc", "disabled_utc")
    with sentences(as_json=as_json):
        ask("user-list", {}, store, as_json=as_json, as_text=lambda report: print_table(report["users"], columns))


@key.command(name="create")
def create_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What uses it, e.g. alarm-system.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do, e.g. incidents:write; once for each.")],
    rate: Annotated[int | None, typer.Option("--rate", min=1, help="Requests a minute. Default: 120.")] = None,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Make a key for another system. It is shown this once; only its hash is kept.

    Example: shapan key create alarm-system --scope incidents:write --store wanhu --json
    """
    with sentences(as_json=as_json):
        arguments = {"name": name, "scopes": scope, "rate_per_minute": rate}
        ask("key-create", arguments, store, as_json=as_json, as_text=print_key)


@key.command(name="revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, the part after spk_.")],
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Refuse a key from now on.

    Example: shapan key revoke 1a2b3c4d5e6f --store wanhu
    """
    with sentences(as_json=as_json):
        ask("key-revoke", {"key_id": key_id}, store, as_json=as_json, as_text=print_figures)


@key.command(name="list")
def list_keys(store: StoreName = None, as_json: AsJson = False) -> None:
    """
    All keys with scopes and last use, without their secrets.

    Example: shapan key list --store wanhu
    """
    columns = ("key_id", "name", "scopes", "rate_per_minute", "last_used_utc", "revoked_utc")
    with sentences(as_json=as_json):
        ask("key-list", {}, store, as_json=as_json, as_text=lambda report: print_table(report["keys"], columns))


@audit.command(name="verify")
def verify_audit(store: StoreName = None, as_json: AsJson = False) -> None:
    """
    Walk through the whole log; a row that was changed, removed or moved is named, and the exit code is 4.

    Example: shapan audit verify --store wanhu
    """
    with sentences(as_json=as_json):
        report = ask("audit-verify", {}, store, as_json=as_json, as_text=print_figures)
        if not report["is_whole"]:
            raise AuditBrokenError(
                f"The log is not whole: {report['problem']}. Compare it with an earlier export, and find out who could "
                "write the store's folder since."
            )


@audit.command(name="export")
def export_audit(
    after: Annotated[int, typer.Option("--after", min=0, help="Only rows behind this number.")] = 0,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Print the log, oldest first: as CSV, or with --json with the hash of its newest row. The export is logged too.

    Example: shapan audit export --store wanhu --json > log.json
    """
    with sentences(as_json=as_json):
        ask("audit-export", {"after": after}, store, as_json=as_json, as_text=print_csv)


def ask(
    operation: str,
    arguments: Mapping[str, Any],
    store: str | None,
    *,
    as_json: bool,
    as_text: Callable[[Report], None],
) -> Report:
    """One operation on the store, through its running server or on the file itself, printed."""
    with open_operations(build_settings(store_name=store)) as operations:
        report = operations.access(operation, arguments)
    emit(report, as_json=as_json, as_text=as_text)
    return report


def read_password() -> str:
    """The first line of standard input."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise BadRecordError(
            "No password came on standard input. Example: shapan user reset NAME --password-stdin < FILE"
        )
    return password


def print_password(report: Report) -> None:
    """The account, and the password that was made up for it."""
    print(f"Account '{report['name']}', role {report['role']}.")
    if report["password"]:
        print(f"First password, shown this once: {report['password']}")
    print("It has to be changed at the first sign-in.")


def print_key(report: Report) -> None:
    """The key, shown this once."""
    print(f"Key '{report['name']}', id {report['key_id']}. Shown this once:")
    print(report["key"])


def print_table(rows: object, columns: tuple[str, ...]) -> None:
    """One row a line, columns aligned."""
    if not isinstance(rows, list) or not rows:
        print("none")
        return
    lines = [columns, *([show(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_csv(report: Report) -> None:
    """Rows of the log for a table; a cell that a table would take for a formula gets an apostrophe."""
    rows = report["rows"]
    if isinstance(rows, list) and rows:
        from data.cells import guard

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([guard(show(value)) for value in row.values()] for row in rows)


def show(value: object) -> str:
    """A value for a reader."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def add_commands(app: typer.Typer) -> None:
    """Register them."""
    for group in (user, key, audit):
        app.add_typer(group)
