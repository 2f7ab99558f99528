"""Commands `shapan platform`: files of the existing platform of the station, read and written as it does. No logic."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_access import ask
from cli_frame import AsJson, StoreName, sentences
from gis.errors import BadFileError

if TYPE_CHECKING:
    from server.operations import Report

platform = typer.Typer(
    name="platform",
    help="Files of the station's platform. Example: shapan platform read tasks.xlsx --layout station-tasks",
    no_args_is_help=True,
)
LayoutName = Annotated[str, typer.Option("--layout", help="Name of the layout, see: shapan platform layouts")]


@platform.command(name="read")
def read_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of the platform, .csv or .xlsx.")],
    layout: LayoutName,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Take tasks or verified records in; what is there already stays, what differs from the register waits to be accepted.

    Example: shapan platform read tasks.xlsx --layout station-tasks --store wanhu
    """
    with sentences(as_json=as_json):
        try:
            content = base64.b64encode(file.read_bytes()).decode()
        except OSError as error:
            raise BadFileError(f"{file}: cannot be read: {error.strerror}. Give the path of the file.") from error
        ask("platform-read", {"layout": layout, "content": content}, store, as_json=as_json, as_text=_print_taken)


@platform.command(name="write")
def write_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write.")],
    layout: LayoutName,
    days: Annotated[int, typer.Option("--days", help="What changed within so many days.")] = 7,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Write results of tasks, or what was verified, as the platform reads it.

    Example: shapan platform write back.xlsx --layout station-tasks --days 7
    """

    def keep(report: Report) -> None:
        file.write_bytes(base64.b64decode(str(report["content"])))
        typer.echo(f"{file}: {report['rows']} rows.")

    with sentences(as_json=as_json):
        ask("platform-write", {"layout": layout, "days": days}, store, as_json=as_json, as_text=keep)


@platform.command(name="layouts")
def show_layouts(
    replace: Annotated[Path | None, typer.Option("--replace", help="A table of layouts (CSV) to be in force.")] = None,
    default: Annotated[bool, typer.Option("--default", help="The product's examples again.")] = False,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Show the table of layouts in force, or put the office's own in its place.

    Example: shapan platform layouts > layouts.csv, then: shapan platform layouts --replace layouts.csv
    """
    with sentences(as_json=as_json):
        arguments: dict[str, Any] = {"default": default}
        if replace is not None:
            arguments["content"] = replace.read_text(encoding="utf-8-sig")
        ask("platform-layouts", arguments, store, as_json=as_json, as_text=lambda report: typer.echo(report["content"]))


def _print_taken(report: Report) -> None:
    typer.echo(f"{report['new']} new, {report['known']} known, {report['differ']} differ from the register.")
    problems: Any = report["problems"]
    for one in problems[:50]:
        typer.echo(f"Row {one['row']}, {one['column'] or 'row'}: {one['code']} {one['value']}".rstrip())
