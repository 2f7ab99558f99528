"""Command `shapan drill`. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli_frame import AsJson, StoreName, emit, find_server, open_operations, sentences
from data.settings import build_settings
from gis.errors import RefusedError

if TYPE_CHECKING:
    from server.operations import Report


def drill(
    scenario: Annotated[
        Path | None,
        typer.Argument(metavar="[SCENARIO]", help="CSV of what happens when and where; see docs/drills.md."),
    ] = None,
    store: StoreName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier drill store and its report.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Of a drill store: how long each step took.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Make the drill store NAME-drill of a community and a scenario; serving it runs the drill. Or its report of times.

    Example: shapan drill night.csv --store wanhu, then shapan serve --store wanhu-drill
    """
    with sentences(as_json=as_json):
        if report == (scenario is not None):
            raise RefusedError("Give a scenario to make a drill store, or --report for the times of one: not both.")
        settings = build_settings(store_name=store)
        if report:
            with open_operations(settings) as operations:
                found = operations.access("drill-report", {})
            emit(found, as_json=as_json, as_text=print_times)
            return
        from data.store import utc_now
        from server.drilling import make_drill

        assert scenario is not None  # noqa: S101 - asked above
        if find_server(settings) is None:
            made = make_drill(settings, scenario, force=force, running=None, clock=utc_now)
        else:
            with open_operations(settings) as operations:
                made = make_drill(settings, scenario, force=force, running=operations, clock=utc_now)
        emit(made, as_json=as_json, as_text=print_made)


def print_made(report: Report) -> None:
    """What was made, and what goes on from here."""
    print(f"DRILL 演练: store '{report['store']}', a copy of '{report['copied_from']}' without incidents and persons.")
    print(f"{report['alarms']} alarms of {report['scenario']}, the last after {format_s(report['last_after_s'])}.")
    waiting = report["without_place"]
    assert isinstance(waiting, list)  # noqa: S101 - for the types only
    for one in waiting:
        print(f"line {one['line']} will come in without a place ({one['reason']}): {one['address'] or 'coordinates'}")
    print(f"It begins when it is served: shapan serve --store {report['store']}")


def print_times(report: Report) -> None:
    """Each alarm in a line, then each step over all of them."""
    alarms, steps = report["alarms"], report["steps"]
    assert isinstance(alarms, list | tuple)  # noqa: S101 - for the types only
    assert isinstance(steps, list | tuple)  # noqa: S101 - as above
    print(f"DRILL 演练: {report['scenario']}, begun {report['started_utc'] or 'not yet'}")
    for one in alarms:
        times = ", ".join(f"{step} {format_s(seconds)}" for step, seconds in one["seconds"].items())
        print(f"{one['alarm_no']:>3}  {one['category']}  {one['address'] or 'no place'}: {times}")
    for one in steps:
        print(
            f"{one['step']:<12} reached {one['reached']}, not reached {one['not_reached']}, "
            f"median {format_s(one['median_s'])}, worst {format_s(one['worst_s'])}, "
            f"in time {one['in_time']} of {one['wanted']} with a target"
        )
    print(f"still to come: {report['to_come']}")


def format_s(seconds: object) -> str:
    """Seconds as minutes and seconds; what was not reached says so."""
    if not isinstance(seconds, int | float):
        return "not reached"
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def add_commands(app: typer.Typer) -> None:
    """Put this module's command into the application."""
    app.command(name="drill")(drill)
