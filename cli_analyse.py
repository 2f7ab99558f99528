"""Command `shapan analyse`. No logic."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli_frame import AsJson, StoreName, emit, open_operations, sentences
from data.settings import build_settings
from gis.errors import BadRecordError

if TYPE_CHECKING:
    from incidents.analysing import Options
    from server.operations import Report

_METHODS = "gi-star, kde, knox, near-repeat, scan, repeats, pai, e-test or displacement"


def analyse(
    method: Annotated[str, typer.Argument(metavar="METHOD", help=f"{_METHODS}.")],
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="A CSV instead of the store: columns x,y in metres, value, t in days; see docs."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the CSV. Default: UTF-8.")] = None,
    band: Annotated[float | None, typer.Option(help="How far apart near is, metres; of kde the bandwidth.")] = None,
    days: Annotated[float | None, typer.Option(help="How long apart close is, days; of scan the longest.")] = None,
    cell: Annotated[float | None, typer.Option(help="Side of a cell, metres.")] = None,
    bands: Annotated[str | None, typer.Option(help="Edges of distance bands, metres. Default: 50,100,200.")] = None,
    days_bands: Annotated[str | None, typer.Option(help="Edges of bands of days. Default: 3,7,14,30.")] = None,
    radii: Annotated[str | None, typer.Option(help="Radii of a scan, metres. Default: 50,100,150,200.")] = None,
    kernel: Annotated[str, typer.Option(help="quartic or gaussian.")] = "quartic",
    law: Annotated[str, typer.Option(help="Law of Gi*'s p: auto, exact or normal.")] = "auto",
    on: Annotated[str, typer.Option(help="Counted on: square, hexagon, segment or building.")] = "square",
    by: Annotated[str, typer.Option(help="Repeats by: unit, building, address, segment or grid.")] = "building",
    alpha: Annotated[float, typer.Option(min=0, max=1, help="False discovery rate.")] = 0.05,
    permutations: Annotated[
        int | None, typer.Option(min=0, max=1_000_000, help="Shuffles, where there are any.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same shuffles.")] = 0,
    weeks: Annotated[
        int | None, typer.Option(min=1, max=1_000, help="Of the store: weeks back from the data's end. Default: 52.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Of the store: this kind of incident; once for each.")] = None,
    change: Annotated[str | None, typer.Option(help="When a change began: a date; with a CSV a day like t.")] = None,
    treated: Annotated[str | None, typer.Option(metavar="X,Y,R", help="Where it was done: circle, metres.")] = None,
    control: Annotated[str | None, typer.Option(metavar="X,Y,R", help="What it is compared with: circle.")] = None,
    ring: Annotated[float, typer.Option(min=0, help="Width of the rings around both, metres.")] = 60.0,
    store: StoreName = None,
    as_json: AsJson = False,
) -> None:
    """
    Analyse the store's incidents, or any CSV. Rows in input order as CSV, the sentence on standard error; or --json.

    Example: shapan analyse gi-star --csv places.csv --band 15 --json
    """
    with sentences(as_json=as_json):
        from incidents.analysing import check_method

        check_method(method)
        options = build_options(
            {
                "band_m": band, "days": days, "cell_m": cell, "kernel": kernel, "law": law, "on": on, "by": by,
                "alpha": alpha, "permutations": permutations, "seed": seed, "weeks": weeks, "change": change,
                "kinds": tuple(kind or ()), "ring_m": ring,
                "bands_m": read_list(bands, "--bands"), "bands_days": read_list(days_bands, "--days-bands"),
                "radii_m": read_list(radii, "--radii"), "treated": read_circle(treated, "--treated"),
                "control": read_circle(control, "--control"),
            }
        )  # fmt: skip
        if csv_file is not None:
            from incidents.analysing import analyse_table
            from incidents.csv_input import read_table

            answer = analyse_table(method, read_table(csv_file, encoding=encoding), options, name=csv_file.name)
            if as_json:
                print_json(answer.head(), answer.iter_rows())
            else:
                print_rows(str(answer.head()["sentence"]), answer.iter_rows())
            return
        with open_operations(build_settings(store_name=store)) as operations:
            report = operations.analyse(method, options.to_dict())
        emit(report, as_json=as_json, as_text=print_report)


def build_options(given: dict[str, Any]) -> Options:
    """Options from what was typed; what was not typed keeps its default."""
    from incidents.analysing import Options

    return Options(**{name: value for name, value in given.items() if value is not None})


def read_list(text: str | None, option: str) -> tuple[float, ...] | None:
    """Numbers with commas between them."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise BadRecordError(f"{option} is '{text}', expected numbers with commas between, e.g. 50,100,200.") from None


def read_circle(text: str | None, option: str) -> tuple[float, ...] | None:
    """`x,y,radius`."""
    circle = read_list(text, option)
    if circle is not None and len(circle) != 3:
        raise BadRecordError(f"{option} is '{text}', expected x,y,radius in metres.")
    return circle


def print_rows(sentence: str, rows: Iterator[dict[str, object]]) -> None:
    """Rows as CSV on standard output, the sentence on standard error."""
    first = next(rows, None)
    if first is not None:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(first), lineterminator="\n")
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)
    print(sentence, file=sys.stderr)


def print_report(report: Report) -> None:
    """The same of an answer that a running server gave."""
    rows = report["rows"]
    print_rows(str(report["sentence"]), iter(rows if isinstance(rows, list) else []))


def print_json(head: dict[str, object], rows: Iterator[dict[str, object]]) -> None:
    """One object on standard output, a row a line: a million of them are never held as text."""
    body = json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}")
    sys.stdout.write(f'{body},\n  "rows": [')
    for number, row in enumerate(rows):
        sys.stdout.write(f"{',' if number else ''}\n    {json.dumps(row, ensure_ascii=False)}")
    sys.stdout.write("\n  ]\n}\n")


def add_commands(app: typer.Typer) -> None:
    """Put this module's command into the application."""
    app.command(name="analyse")(analyse)
