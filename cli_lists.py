"""Commands `shapan kinds` and `shapan responders`: lists that an office keeps. No logic."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli_frame import AsJson, StoreName, emit, open_operations, sentences
from data.settings import build_settings
from gis.errors import BadFileError, RefusedError

if TYPE_CHECKING:
    from server.operations import Report


def kinds(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="CSV or .xlsx: the whole tree; see docs/import.md.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the tree in force as such a CSV.")
    ] = None,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Put an office's tree of kinds of incident in the place of the one in force, all or nothing; or write that out.

    Example: shapan kinds --export kinds.csv, then edit it, then shapan kinds kinds.csv
    """
    with sentences(as_json=as_json):
        if (file is None) == (export is None):
            raise RefusedError("Give a table to bring in, or --export FILE to write the tree in force: one of them.")
        with open_operations(build_settings(store_name=store)) as operations:
            if file is not None:
                report = operations.access("kinds-import", read_file(file))
            else:
                report = operations.access("kinds-export", {})
        if export is not None:
            write_file(export, str(report.pop("csv")))
            report = {"file": str(export)}
        emit(report, as_json=as_json, as_text=print_counts)


def responders(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or .xlsx by call sign; see docs/import.md.")],
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Bring in who carries a radio, by call sign: new ones come in, others are changed, nobody goes. Names are not read.

    Example: shapan responders roster.xlsx --store wanhu
    """
    with sentences(as_json=as_json), open_operations(build_settings(store_name=store)) as operations:
        emit(operations.access("responders-import", read_file(file)), as_json=as_json, as_text=print_counts)


def read_file(path: Path) -> dict[str, str]:
    """Name and content as an operation takes them."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadFileError(f"{path} cannot be read: {error.strerror}. Give the path of a CSV or .xlsx.") from error
    return {"name": path.name, "content": base64.b64encode(content).decode("ascii")}


def write_file(path: Path, text: str) -> None:
    """A CSV that a spreadsheet opens as UTF-8."""
    try:
        path.write_text(text, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise BadFileError(f"{path} cannot be written: {error.strerror}. Choose another path.") from error


def print_counts(report: Report) -> None:
    """How many of each; what a list holds is named."""
    for name, value in report.items():
        if not isinstance(value, list):
            print(f"{name}  {value}")
        elif value:
            print(f"{name}  {len(value)}: {', '.join(map(str, value))}")


def add_commands(app: typer.Typer) -> None:
    """Put this module's commands into the application."""
    app.command(name="kinds")(kinds)
    app.command(name="responders")(responders)
