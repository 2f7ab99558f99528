"""A table of incidents as `shapan import` reads one: columns by their names, times, numbers and words, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.importing.columns import coalesce, find_listed
from data.importing.getting import ColumnGetter
from data.importing.incident_rows import SOURCES, STATES, URGENCIES
from data.importing.kinds import check_columns
from data.importing.options import ImportOptions, SourceFile
from data.importing.registers import find_word
from data.importing.report import ImportReport
from data.importing.sources import find_datasets
from data.importing.tables import read_csv
from data.importing.times import to_times_utc
from data.importing.values import to_numbers
from data.importing.workbooks import read_xlsx
from gis.errors import BadFileError

_PAIR = r"^\s*[\[(【（]?\s*([+-]?\d+(?:\.\d+)?)\s*[,，;\s]\s*([+-]?\d+(?:\.\d+)?)"
_PERSONS = {"caller_name": "reporter_name", "caller_phone": "reporter_phone", "narrative": "narrative"}


@dataclass(frozen=True)
class IncidentTexts:
    """
    One table of incidents.

    Attributes
    ----------
    frame
        number, category, subcategory, address_text and the caller's as text; urgency, source and status as codes,
        missing where nothing is said; times aware; lon and lat; `is_unreadable` where a time is none.
    crs
        System of lon and lat, as data.incident_places names it.
    first_row
        Number of the first row in the file, as a person counts.
    """

    frame: pd.DataFrame
    crs: str
    first_row: int


def read_incident_texts(source: SourceFile, *, most_rows: int) -> IncidentTexts:
    """
    Read one CSV or .xlsx; `BadFileError` for another format, a missing column, or too many rows.

    Coordinates must be degrees: 经度 and 纬度. A table does not say of which system they are; WGS 84 is taken, as
    elsewhere.
    """
    report = ImportReport()
    # The page says what the file is: its name need not.
    options = ImportOptions(kinds={source.name: "incident", source.name.rpartition(".")[0]: "incident"})
    layers = []
    for dataset in find_datasets([source], report):
        if dataset.format == "csv":
            layers += read_csv(dataset, options, report)
        elif dataset.format == "xlsx":
            layers += [layer for layer in read_xlsx(dataset, report) if len(layer.frame)][:1]
    if not layers:
        raise BadFileError(f"{source.name}: expected a table, .csv or .xlsx, with a header line. Export it again.")
    layer = layers[0]
    check_columns(source.name, "incident", [str(column) for column in layer.frame.columns])
    if len(layer.frame) > most_rows:
        raise BadFileError(
            f"{source.name}: {len(layer.frame):,} rows, expected at most {most_rows:,}. Cut it in parts."
        )
    if skipped := layer.records - len(layer.frame):
        raise BadFileError(
            f"{source.name}: {skipped} rows have more cells than the header has columns. Put words with commas in "
            "quotation marks, or export as .xlsx."
        )
    column = ColumnGetter(layer.canonical("incident"))
    times, unreadable = {}, np.zeros(len(layer.frame), dtype=bool)
    for ours, theirs in (
        ("reported_utc", "reported"),
        ("occurred_from_utc", "occurred_from"),
        ("occurred_to_utc", "occurred_to"),
        ("closed_utc", "closed"),
    ):
        found, bad = to_times_utc(column(theirs))
        times[ours] = found.dt.tz_localize("UTC") if found.dt.tz is None else found
        unreadable |= bad
    lon, lat = column("lon"), column("lat")
    if not lon.notna().any() and column("lonlat").notna().any():
        pair = column("lonlat").str.extract(_PAIR)
        lon, lat = pair[0], pair[1]
    persons = {
        ours: coalesce(layer.frame, find_listed([str(name) for name in layer.frame.columns], theirs))
        for ours, theirs in _PERSONS.items()
    }
    frame = pd.DataFrame(
        {
            **{name: column(name) for name in ("number", "category", "subcategory", "address_text")},
            **persons,
            "urgency": find_word(column("urgency"), URGENCIES),
            "source": find_word(column("source"), SOURCES),
            "status": find_word(column("status"), STATES),
            **times,
            "lon": to_numbers(lon)[0],
            "lat": to_numbers(lat)[0],
            "is_unreadable": unreadable,
        }
    )
    return IncidentTexts(frame, "WGS84", layer.first_row)
