"""
What every command shares: options, exit codes, errors as sentences, progress, and the store's operations.

Everything slow is imported inside the function that needs it, so that `shapan --help` answers at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from data.settings import Settings
from gis import errors

if TYPE_CHECKING:
    from server.operations import Operations, Progress, Report
    from server.ticket import Ticket


class Exit(IntEnum):
    """Exit codes: part of the interface, listed in docs/admin.md."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    BAD_INPUT = 4
    MISSING = 5
    NEWER_VERSION = 6
    PORT_TAKEN = 7


StoreName = Annotated[
    str | None, typer.Option("--store", help="Store: one file holds one community. Default: SHAPAN_STORE, else demo.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to standard output, nothing else.")]


def choose_exit(error: errors.ShapanError) -> Exit:
    """The exit code of an error."""
    match error:
        case errors.RefusedError() | errors.StoreKeyError():
            return Exit.REFUSED
        case errors.StoreInUseError() | errors.StoreMissingError() | errors.RecordMissingError():
            return Exit.MISSING
        case errors.StoreVersionError():
            return Exit.NEWER_VERSION
        case errors.PortInUseError():
            return Exit.PORT_TAKEN
        case ValueError():
            return Exit.BAD_INPUT
        case _:
            return Exit.UNEXPECTED


def fail(error: errors.ShapanError, *, as_json: bool) -> NoReturn:
    """End with one sentence on standard error, or JSON with the error's class."""
    code = choose_exit(error)
    if as_json:
        body = {"error": {"kind": errors.find_kind(error), "message": str(error), "exit_code": int(code)}}
        print(json.dumps(body, ensure_ascii=False), file=sys.stderr)
    else:
        print(f"shapan: {error}", file=sys.stderr)
    raise typer.Exit(int(code))


@contextmanager
def sentences(*, as_json: bool) -> Iterator[None]:
    """Turn our errors into a sentence and an exit code; anything else is a defect and keeps its traceback."""
    try:
        yield
    except errors.ShapanError as error:
        fail(error, as_json=as_json)


def emit(report: Report, *, as_json: bool, as_text: Callable[[Report], None]) -> None:
    """The result on standard output."""
    if as_json:
        report.pop("text", None)
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        as_text(report)


def print_figures(report: Report) -> None:
    """One figure a line, names aligned."""
    width = max(map(len, report), default=0)
    for name, value in report.items():
        print(f"{name:<{width}}  {value}")


def print_text(report: Report) -> None:
    """A report that brings its own text."""
    print(report["text"], end="")


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Progress on standard error: a bar for a person, nothing for a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("…", total=1.0)
        yield lambda share, what: bars.update(task, description=what, completed=share)


def find_server(settings: Settings) -> Ticket | None:
    """The running server of this store, or None."""
    from server.client import RemoteOperations
    from server.ticket import find_ticket

    ticket = find_ticket(settings)
    if ticket is None:
        return None
    with RemoteOperations(ticket) as remote:
        return ticket if remote.is_alive(settings.store_name) else None


@contextmanager
def open_operations(settings: Settings, *, create: bool = False) -> Iterator[Operations]:
    """The store's operations: through its running server, else on the file itself."""
    from server.client import RemoteOperations

    ticket = find_server(settings)
    if ticket is not None:
        with RemoteOperations(ticket) as remote:
            yield remote
        return
    from data.keys import find_key
    from data.store import utc_now
    from server.operations import LocalOperations, open_store

    with open_store(settings, clock=utc_now, create=create) as store:
        yield LocalOperations(store, utc_now, find_key(settings))
