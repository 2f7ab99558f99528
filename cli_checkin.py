"""Command `shapan checkin-server`. No logic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli_frame import AsJson, emit, sentences
from gis.errors import BadFileError

if TYPE_CHECKING:
    from server.operations import Report


def checkin_server(
    folder: Annotated[Path, typer.Option("--folder", help="Its own folder: key, check-ins, certificate.")],
    office_key: Annotated[str | None, typer.Option(help="At the first start: the office's key.")] = None,
    points: Annotated[Path | None, typer.Option(help="Take the office's file of points.")] = None,
    collect: Annotated[Path | None, typer.Option(help="Write the check-ins that wait into this file, and end.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="Name under which phones find it.")] = None,
    address: Annotated[str | None, typer.Option(help="The one address to listen on; all without it.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port of HTTPS.")] = 8643,
    certificate: Annotated[Path | None, typer.Option(help="Key and certificate (PEM); its own without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """
    Serve volunteers' phones outside the police network until Ctrl-C. It holds no register and no store.

    Example: shapan checkin-server --folder daka --office-key 3f… --points checkin-points.json --name daka.example.cn
    """
    with sentences(as_json=as_json):
        from data.store import utc_now
        from server.checkin_box import CheckinBox
        from server.checkin_serving import CheckinOptions, serve_checkins

        box = CheckinBox(folder, clock=utc_now)
        try:
            if office_key is not None:
                box.believe(office_key)
            if points is not None:
                box.take_points(_read(points))
            if collect is not None:
                content, number = box.write_checkins()
                collect.write_bytes(content)
                emit({"file": str(collect), "checkins": number}, as_json=as_json, as_text=print_collected)
                return
        finally:
            box.queue.close()
        options = CheckinOptions(folder, tuple(name or ()), address, port, certificate)
        serve_checkins(
            options, clock=utc_now, on_ready=lambda report: emit(report, as_json=as_json, as_text=print_start)
        )


def print_start(report: Report) -> None:
    """Where it is, and what the office has to know."""
    print(
        f"Check-ins at {report['url']}/ ({report['points']} points, {report['waiting']} wait for the office)",
        flush=True,
    )
    print(f"Its key, for the office's page of check-ins: {report['public_key']}", flush=True)
    if report["fingerprint"]:
        print(f"Its own authority (SHA-256): {report['fingerprint']}", flush=True)
    print("Stop with Ctrl-C.", flush=True)


def print_collected(report: Report) -> None:
    """How many are in the file."""
    print(f"{report['checkins']} check-ins in {report['file']}. They stay here until the office says that it has them.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFileError(f"{path} cannot be read: {error.strerror}. Choose the office's file of points.") from error


def add_commands(app: typer.Typer) -> None:
    """Put this module's command into the application."""
    app.command(name="checkin-server")(checkin_server)
