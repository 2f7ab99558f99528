"""From files to layers: read, kinds found, what is strange in the text noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from data.importing.headers import find_totals
from data.importing.kinds import KINDS, check_columns, find_kind
from data.importing.layer import Layer
from data.importing.mixed import split_mixed
from data.importing.options import ImportOptions, Progress, SourceFile
from data.importing.report import ImportReport
from data.importing.sources import find_datasets
from data.importing.tables import read_csv
from data.importing.workbooks import read_xlsx
from gis.errors import BadFileError

_MARKUP: Final = r"<\s*[A-Za-z/!]"
_FORMULA: Final = r"^[=@]|^[+\-](?:[^\d.]|$)"


def read_layers(
    sources: Sequence[SourceFile], options: ImportOptions, report: ImportReport, progress: Progress
) -> list[Layer]:
    """
    Layers of a known kind; others are named in the report.

    Raises
    ------
    BadFileError
        A file is broken, a table lacks columns, or nothing is usable.
    """
    for name, kind in options.kinds.items():
        if kind not in KINDS:
            raise BadFileError(f"'{name}' cannot be taken as '{kind}': expected one of {', '.join(KINDS)}.")
    datasets = find_datasets(sources, report)
    layers: list[Layer] = []
    for number, dataset in enumerate(datasets):
        progress(0.3 * number / max(len(datasets), 1), f"reading {dataset.source}")
        if dataset.format == "csv":
            layers.extend(read_csv(dataset, options, report))
        elif dataset.format == "xlsx":
            layers.extend(read_xlsx(dataset, report))
        else:
            from data.importing.vectors import read_vector  # GDAL: 30 MB, only for imports

            layers.extend(read_vector(dataset, report, encoding=options.encoding))
    layers = [part for layer in layers for part in _split(layer, options, report)]
    for layer in layers:
        _find_kind(layer, options, report)
    known = [layer for layer in layers if layer.kind is not None]
    if not known:
        names = ", ".join(layer.source for layer in layers[:8]) or ", ".join(source.name for source in sources[:8])
        hints = "".join(
            f" {finding.source}: {finding.sentence}."
            for finding in report.select("left_out")
            if finding.rule in ("unknown_format", "no_records", "no_shapes") and finding.source != "other files"
        )
        raise BadFileError(
            f"Nothing usable among {names or 'no files'}.{hints} Expected are layers of buildings, roads, boundary, "
            "grids, gates, walls, green, water or key sites, and tables of units, rentals or incidents. Name the file "
            "after what it holds (buildings.geojson, 建筑.shp, 警情.csv); docs/import.md lists the names and columns."
        )
    return known


def _split(layer: Layer, options: ImportOptions, report: ImportReport) -> list[Layer]:
    return [layer] if _asked_kind(layer, options) else split_mixed(layer, report)


def _asked_kind(layer: Layer, options: ImportOptions) -> str | None:
    """What the user says that a layer is."""
    names = (layer.source, layer.name, layer.source.split("/")[-1])
    return next((kind for key, kind in options.kinds.items() if key in names), None)


def _find_kind(layer: Layer, options: ImportOptions, report: ImportReport) -> None:
    columns = [str(column) for column in layer.frame.columns]
    if layer.kind is None:
        asked = _asked_kind(layer, options)
        layer.kind = asked or find_kind(layer.name, columns, layer.shape)  # type: ignore[assignment]
        if layer.kind is None and layer.has_lines:  # a square among the roads does not make them areas
            layer.kind = find_kind(layer.name, columns, "line")
    if layer.kind is None and layer.geometry is not None and layer.shape == "none":
        what = "a layer without any record" if not len(layer.frame) else "a map layer in which no record has a geometry"
        report.add("left_out", "no_shapes", layer.source, what)
        return
    if layer.kind is None:
        report.add(
            "left_out",
            "not_recognised",
            layer.source,
            "records of a kind that neither the name nor the columns say: not imported",
            count=max(layer.records, 1),
            rows=[f"columns: {', '.join(columns[:8])}"],
        )
        return
    if layer.geometry is None:
        if layer.kind in ("building", "road", "boundary", "grid", "wall", "land"):
            raise BadFileError(
                f"{layer.source}: taken as {layer.kind}, which needs a map, but this is a table. Give GeoJSON, "
                "GeoPackage or Shapefile."
            )
        check_columns(layer.source, layer.kind, columns)
        totals = find_totals(layer.frame).to_numpy(dtype=bool)
        report.add_mask("left_out", "totals", layer.source, "sums in the table (合计)", totals, layer.labels())
        if totals.any():
            layer.drop(totals)
    if not len(layer.frame):
        report.add("left_out", "no_records", layer.source, "layer without any record")
    _note_strange_text(layer, report)


def _note_strange_text(layer: Layer, report: ImportReport) -> None:
    for column in layer.frame.columns:
        values = layer.frame[column]
        if values.dtype != "str" or not values.notna().any():
            continue
        # Hardly any text has a bracket: that much is seen without a regular expression.
        markup = values.str.contains("<", regex=False, na=False).to_numpy(dtype=bool)
        if markup.any():
            markup = values.str.contains(_MARKUP, regex=True, na=False).to_numpy(dtype=bool)
        if markup.any():
            _note(report, "markup", layer, column, "look like markup: stored as plain text, shown as text", markup)
        if layer.geometry is None:
            formula = values.str.contains(_FORMULA, regex=True, na=False).to_numpy(dtype=bool)
            if formula.any():
                _note(
                    report,
                    "formula",
                    layer,
                    column,
                    "look like a formula: stored as plain text, never computed",
                    formula,
                )


def _note(report: ImportReport, rule: str, layer: Layer, column: str, sentence: str, mask: object) -> None:
    flags = pd.Series(mask)
    report.add_mask(
        "noted", rule, layer.source, f"values of '{column}' {sentence}", flags.to_numpy(dtype=bool), layer.labels()
    )
