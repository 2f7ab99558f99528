"""
Command line `shapan`. No logic: reads arguments, asks the running server or opens the store, prints.

Everything slow is imported inside the command that needs it, so that `shapan --help` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import cli_access
import cli_analyse
import cli_checkin
import cli_drill
import cli_file
import cli_lists
import cli_platform
from cli_frame import (
    AsJson,
    StoreName,
    emit,
    find_server,
    open_operations,
    print_figures,
    print_text,
    sentences,
    show_progress,
)
from data.settings import Settings, build_settings
from gis import errors

if TYPE_CHECKING:
    from server.operations import Report
    from server.ticket import Ticket


DEFAULT_SEED = 7

app = typer.Typer(
    name="shapan",
    help="Shapan (沙盘): the 3D digital sand table of one community. Example: shapan demo, then shapan serve",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def serve(
    store: StoreName = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port [SHAPAN_PORT, else 8501].")] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Loopback address to listen on; with --lan the one address of the office network."),
    ] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Serve the office network too, with HTTPS and sign-in.")] = False,
    name: Annotated[
        list[str] | None, typer.Option(help="With --lan: this machine's name there, e.g. sand-table.office.lan.")
    ] = None,
    https_port: Annotated[int, typer.Option(min=0, max=65535, help="With --lan: TCP port of HTTPS.")] = 8443,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="With --lan: TCP port that explains.")] = 8080,
    kiosk: Annotated[bool, typer.Option("--kiosk", help="Wall screen: the table alone, without frame.")] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the address in this machine's browser.")] = False,
    demo_if_missing: Annotated[
        bool, typer.Option("--demo", help="Make the sample community first when there is no such store.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """
    Serve a community's sand table on this machine until Ctrl-C; with --lan in the office network too.

    Example: shapan serve --store wanhu --lan --name sand-table.office.lan
    """
    with sentences(as_json=as_json):
        from server.lan import LanOptions, check_lan_options
        from server.listen import check_address

        # Before anything slow is loaded.
        loopback = check_address("127.0.0.1" if lan or address is None else address)
        if name and not lan:
            raise errors.RefusedError("--name is the server's name in the office network: give --lan with it.")
        office = check_lan_options(LanOptions(tuple(name or ()), address, https_port, http_port)) if lan else None
        settings = build_settings(store_name=store, port=port)
        suffix = "/?kiosk=1" if kiosk else "/"

        def announce(
            ticket: Ticket, *, already_running: bool = False, synthetic: bool | None = None, drill: bool | None = None
        ) -> None:
            url = ticket.url + suffix
            report: Report = {"url": url, "store": ticket.store, "pid": ticket.pid, "already_running": already_running}
            shown = ("lan_url", "connect_url", "fingerprint")
            report |= {key: value for key in shown if (value := getattr(ticket, key)) is not None}
            from data.model_files import find_model_problem

            problem = find_model_problem(settings.model_folder)
            report |= {} if problem is None else {"model_problem": problem}
            emit({**report, "synthetic": synthetic, "drill": drill}, as_json=as_json, as_text=print_start)
            if open_browser:
                typer.launch(url)

        running = find_server(settings)
        if running is not None:
            announce(running, already_running=True)
            return
        if demo_if_missing and not settings.store_path.exists():
            make_demo(settings)
        # Walking again and again through what the imports make takes an eighth of the start; app.py ends it.
        gc.disable()
        try:
            from app import serve as run
            from data.drills import is_drill
            from server.operations import is_synthetic

            run(
                settings,
                address=loopback,
                lan=office,
                on_ready=lambda ticket, opened: announce(
                    ticket, synthetic=is_synthetic(opened), drill=is_drill(opened)
                ),
            )
        finally:
            gc.enable()


def print_start(report: Report) -> None:
    """Where the table is, and whether it is made up."""
    verb = "already serves" if report["already_running"] else "serves"
    print(f"Shapan {verb} store '{report['store']}' at {report['url']}", flush=True)
    if "lan_url" in report:
        print(f"Office network: {report['lan_url']}/", flush=True)
        print(f"Phones and computers begin at {report['connect_url']}", flush=True)
        print(f"Fingerprint to compare there (SHA-256): {report['fingerprint']}", flush=True)
    if "model_problem" in report:
        print(f"The photographic model is not shown. {report['model_problem']}", flush=True)
    if report["drill"]:
        print("DRILL 演练: alarms of a scenario come in from now on, none of them is real.", flush=True)
    if report["synthetic"]:
        print("SYNTHETIC DATA 虚构数据: an invented community, no real place or person.", flush=True)
    if not report["already_running"]:
        print("Stop with Ctrl-C.", flush=True)


def make_demo(settings: Settings, *, seed: int = DEFAULT_SEED, force: bool = False) -> Report:
    """Make the sample, with progress."""
    from data.store import utc_now
    from server.operations import make_sample_store

    with show_progress() as progress:
        return make_sample_store(settings, seed=seed, force=force, clock=utc_now, progress=progress)


@app.command()
def demo(
    store: StoreName = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same community to the byte.")] = DEFAULT_SEED,
    force: Annotated[bool, typer.Option("--force", help="Replace a sample that is there; never a real place.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make the sample community: invented, marked synthetic on every page. Does nothing when it is there.

    Example: shapan demo --store trial --seed 7
    """
    with sentences(as_json=as_json):
        settings = build_settings(store_name=store)
        if find_server(settings) is not None:
            from server.operations import check_sample

            with open_operations(settings) as operations:
                report = check_sample(operations.info(), force=force)
        else:
            report = make_demo(settings, seed=seed, force=force)
        emit(report, as_json=as_json, as_text=print_figures)


@app.command(name="import")
def import_files(
    paths: Annotated[list[Path], typer.Argument(metavar="FILES...|FOLDER", help="Files, or one folder.")],
    store: StoreName = None,
    crs: Annotated[str | None, typer.Option(help="Coordinate system of files that name none, e.g. EPSG:4549.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of tables that name none, e.g. GB18030.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the community, for a new store.")] = None,
    address_prefix: Annotated[str | None, typer.Option(help="What addresses start with, e.g. 江苏省盐城市.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="NAME=KIND for a layer whose name says nothing.")] = None,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows", help="Leave bad rows out and list them.")] = False,
    drop_persons: Annotated[bool, typer.Option("--drop-persons", help="Leave columns with persons' data out.")] = False,
    as_json: AsJson = False,
    with_persons: Annotated[
        bool, typer.Option("--with-persons", help="Keep persons' fields: for an encrypted store with an administrator.")
    ] = False,
) -> None:
    """
    Bring a community's files into a store, all or nothing; the store is made when there is none.

    Example: shapan import survey/ --store wanhu --crs EPSG:4549
    """
    kinds = read_kinds(kind or [])
    with sentences(as_json=as_json):
        from data.importing import ImportOptions, read_folder

        options = ImportOptions(
            crs=crs,
            encoding=encoding,
            skip_bad_rows=skip_bad_rows,
            drop_persons=drop_persons,
            community_name=name,
            with_persons=with_persons,
            address_prefix=address_prefix,
            kinds=kinds,
        )
        sources = [source for path in paths for source in read_folder(path)]
        with open_operations(build_settings(store_name=store), create=True) as operations, show_progress() as progress:
            report = operations.import_sources(sources, options, progress)
        emit(report, as_json=as_json, as_text=print_text)


def read_kinds(pairs: list[str]) -> dict[str, str]:
    """`NAME=KIND` pairs as a dictionary."""
    for pair in pairs:
        if not all(pair.partition("=")):
            raise typer.BadParameter(f"'{pair}': expected NAME=KIND, e.g. ways=road", param_hint="--kind")
    return dict(pair.split("=", 1) for pair in pairs)


@app.command()
def undo(
    batch: Annotated[str | None, typer.Argument(metavar="[IMPORT]", help="Which; the newest by default.")] = None,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Take an import back: every row is again as it was before.

    Example: shapan undo --store wanhu
    """
    with sentences(as_json=as_json), open_operations(build_settings(store_name=store)) as operations:
        emit(operations.undo(batch), as_json=as_json, as_text=print_text)


@app.command()
def info(store: StoreName = None, as_json: AsJson = False) -> None:
    """
    The community in figures.

    Example: shapan info --store wanhu --json
    """
    with sentences(as_json=as_json), open_operations(build_settings(store_name=store)) as operations:
        report = operations.info()
        emit(report, as_json=as_json, as_text=print_figures)
        if not (report["synthetic"] or report["encrypted"]):
            print("This store holds a real place and is not encrypted: see shapan encrypt --help", file=sys.stderr)


def main() -> None:
    """Entry point of `shapan`. What it makes (stores, tickets) is for its owner only."""
    os.umask(0o077)
    app(prog_name="shapan")


cli_file.add_commands(app)
cli_access.add_commands(app)
app.add_typer(cli_platform.platform)
cli_analyse.add_commands(app)
cli_checkin.add_commands(app)
cli_drill.add_commands(app)
cli_lists.add_commands(app)

if __name__ == "__main__":
    main()
