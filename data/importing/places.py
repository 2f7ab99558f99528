"""Gates, walls, green, water, squares, trees and key sites."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.getting import ColumnGetter, get_persons
from data.importing.incoming import Incoming, build_ids, merge_duplicates, report_repairs
from data.importing.layer import Geometries, Layer
from data.importing.report import ImportReport
from data.importing.storeys import read_levels
from data.importing.times import read_dates
from data.importing.values import to_clock_times, to_numbers
from gis.repair import repair_areas, repair_lines, repair_points, without

# Rules in order: the first whose pattern is found in the tags decides what a piece of land is.
_LAND_RULES: Final = (
    ("water", r"water|reservoir|basin|river|canal|lake|pond|swimming_pool|水|河|湖|塘|池"),
    ("pitch", r"pitch|track|stadium|playground|tartan|artificial_turf|操场|球场|运动场"),
    ("parking", r"parking|停车"),
    ("square", r"square|plaza|pedestrian|footway|广场"),
    ("tree", r"\btree\b|古树|行道树|孤植树|乔木"),
    (
        "green",
        r"grass|meadow|wood|scrub|forest|garden|\bpark\b|green|recreation_ground|village_green|绿|草|林|公园|花园",
    ),
)
_NOT_LAND: Final = ("university", "hospital", "college", "school", "kindergarten")
_TREE_M: Final = 6.0
_WALL_M: Final = {"wall": 2.2, "fence": 1.8}
_STREAM_HALF_WIDTH_M: Final = 2.0


def _all_missing(layer: Layer) -> Geometries:
    return layer.geometry if layer.geometry is not None else np.full(len(layer.frame), None, dtype=object)


def build_gates(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `gates`."""
    frames, labels = [], []
    for layer in layers:
        column = ColumnGetter(layer.canonical("gate"))
        name, words = column("name"), column("kind").str.lower()
        label = layer.labels(name)
        repaired = repair_points(_all_missing(layer))
        report_repairs(report, layer.source, repaired.changed, label)
        said = words.fillna("") + " " + name.fillna("")
        kind = pd.Series(pd.NA, index=name.index, dtype="str")
        kind = kind.mask(said.str.contains("pedestrian|人行|步行|wicket|小门", regex=True), "pedestrian")
        kind = kind.mask(said.str.contains("emergency|应急|消防", regex=True), "emergency")
        kind = kind.mask(said.str.contains("vehicle|车行|车辆|机动车|lift_gate", regex=True), "vehicle")
        report.add_mask(
            "assumed",
            "gate_kind",
            layer.source,
            "gates whose kind is not said, taken as vehicle gates",
            kind.isna().to_numpy(),
        )
        keep = ~shapely.is_missing(repaired.geometries)
        report.add_mask(
            "repaired",
            "missing",
            layer.source,
            "records without geometry, left out",
            shapely.is_missing(_all_missing(layer)),
            label,
        )
        frame = pd.DataFrame(
            {
                "gate_id": build_ids("g-", column("id"), layer.original, [name]),
                "name": name,
                "kind": kind.fillna("vehicle"),
                "closes_at": to_clock_times(column("closes_at")),
                "opens_at": to_clock_times(column("opens_at")),
                "geom": repaired.geometries,
            }
        )
        frames.append(frame[keep])
        labels.append(label[keep])
    return _finish("gates", "gate_id", frames, labels, layers, report)


def build_walls(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `walls`; an area gives its outline."""
    frames, labels = [], []
    for layer in layers:
        column = ColumnGetter(layer.canonical("wall"))
        label = layer.labels()
        geometry = _all_missing(layer)
        area = shapely.get_dimensions(geometry) == 2
        repaired = repair_lines(np.where(area, shapely.boundary(geometry), geometry))
        report_repairs(report, layer.source, repaired.changed, label)
        kind = column("kind").str.contains("fence|栅|栏", regex=True, na=False).map({True: "fence", False: "wall"})
        height, _ = to_numbers(column("height_m"))
        height[~((height > 0) & (height < 20))] = np.nan
        missing = np.isnan(height)
        report.add_mask("assumed", "wall_height", layer.source, "walls without height: 2.2 m, fences 1.8 m", missing)
        frame = pd.DataFrame(
            {
                "wall_id": build_ids("wall-", column("id"), layer.original, []),
                "kind": kind,
                "height_m": np.where(missing, kind.map(_WALL_M), height),
                "geom": repaired.geometries,
            }
        )
        keep = ~shapely.is_missing(repaired.geometries)
        frames.append(frame[keep])
        labels.append(label[keep])
    return _finish("walls", "wall_id", frames, labels, layers, report)


def build_land(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `land`: what each record is comes from its tags, else from the layer's name."""
    frames, labels = [], []
    for layer in layers:
        column = ColumnGetter(layer.canonical("land"))
        name = column("name")
        label = layer.labels(name)
        kind = _land_kind(column, name, layer)
        geometry = _all_missing(layer)
        building = column("building").notna().to_numpy()
        report.add_mask(
            "left_out",
            "building_in_land",
            layer.source,
            "buildings among the land: give them in a layer of buildings",
            building,
            label,
        )
        other = kind.isna().to_numpy() & ~building
        report.add_mask(
            "left_out",
            "land_unknown",
            layer.source,
            "areas that are neither green, water, square, pitch nor parking",
            other,
            label,
        )
        kind = kind.mask(pd.Series(building | other))
        stream = (kind == "water").to_numpy() & (shapely.get_dimensions(geometry) == 1)
        report.add_mask("derived", "stream_width", layer.source, "lines of water drawn 4 m wide", stream, label)
        geometry = np.where(stream, shapely.buffer(geometry, _STREAM_HALF_WIDTH_M), geometry)
        tree = (kind == "tree").to_numpy()
        areas = repair_areas(without(geometry, tree | kind.isna().to_numpy(dtype=bool)))
        points = repair_points(without(geometry, ~tree))
        report_repairs(report, layer.source, areas.changed, label)
        report_repairs(report, layer.source, points.changed, label)
        height, _ = to_numbers(column("height_m"))
        result = np.where(tree, points.geometries, areas.geometries)
        keep = ~shapely.is_missing(result)
        frame = pd.DataFrame(
            {
                "land_id": build_ids("l-", column("id"), layer.original, [name]),
                "name": name,
                "kind": kind,
                "height_m": np.where(tree, np.where(np.isnan(height), _TREE_M, height), np.nan),
                "geom": result,
            }
        )
        frames.append(frame[keep])
        labels.append(label[keep])
    return _finish("land", "land_id", frames, labels, layers, report)


def _land_kind(column: ColumnGetter, name: pd.Series, layer: Layer) -> pd.Series:
    """What each record is: by its tags, then by its own name, then by the layer's name."""
    parts = [column(c).fillna("") for c in ("natural", "landuse", "leisure", "amenity", "kind", "other_tags")]
    tags = pd.concat(parts, axis="columns").agg(" ".join, axis="columns").str.lower()
    kind = pd.Series(pd.NA, index=name.index, dtype="str")
    for text in (tags, name.fillna(""), pd.Series(layer.name.lower(), index=name.index, dtype="str")):
        for what, pattern in _LAND_RULES:
            kind = kind.mask(kind.isna() & text.str.contains(pattern, regex=True), what)
        if text is tags:
            kind = kind.mask(kind.isna() & text.str.contains("|".join(_NOT_LAND), regex=True), "none")
    return kind.mask(kind == "none")


@cache
def _site_kinds() -> list[tuple[str, str]]:
    text = (files("data.importing") / "site_kinds.csv").read_text(encoding="utf-8")
    return [(row["kind"], row["word"]) for row in csv.DictReader(text.splitlines())]


def build_key_sites(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `key_sites`."""
    frames, labels = [], []
    for layer in layers:
        column, person = ColumnGetter(layer.canonical("key_site")), get_persons(layer)
        name = column("name")
        label = layer.labels(name)
        repaired = repair_points(_all_missing(layer))
        report_repairs(report, layer.source, repaired.changed, label)
        unnamed = name.isna().to_numpy()
        report.add_mask("refused", "site_without_name", layer.source, "key sites have no name", unnamed, label)
        words = column("kind").fillna(column.tag("amenity", "shop", "tourism", "office"))
        said = words.fillna("").str.lower() + " " + name.fillna("")
        kind = pd.Series(pd.NA, index=name.index, dtype="str")
        for what, word in _site_kinds():
            kind = kind.mask(kind.isna() & said.str.contains(word, regex=False), what)
        report.add_mask(
            "assumed",
            "site_kind",
            layer.source,
            "key sites of unknown kind, taken as 'other'",
            kind.isna().to_numpy(),
            label,
        )
        missing = shapely.is_missing(repaired.geometries)
        report.add_mask(
            "refused",
            "site_without_place",
            layer.source,
            "key sites have neither coordinates nor an address that leads to a building",
            missing & ~unnamed,
            label,
        )
        level = read_levels(column("level"))
        frame = pd.DataFrame(
            {
                "site_id": build_ids("s-", column("id"), layer.original, [name, column("address_text")]),
                "name": name,
                "kind": kind.fillna("other"),
                "level": pd.Series(level).astype("Int64"),
                "address_text": column("address_text"),
                "last_visit_on": read_dates(column("last_visit_on"), "last_visit_on", layer, report),
                "contact_name": person("contact_name"),
                "contact_phone": person("contact_phone"),
                "source_key": column("id"),
                "geom": repaired.geometries,
            }
        )
        keep = ~missing & ~unnamed
        frames.append(frame[keep])
        labels.append(label[keep])
    return _finish("key_sites", "site_id", frames, labels, layers, report)


def _finish(
    table: str,
    key: str,
    frames: list[pd.DataFrame],
    labels: list[npt.NDArray[np.object_]],
    layers: list[Layer],
    report: ImportReport,
) -> Incoming | None:
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return None
    source = layers[0].source if len(layers) == 1 else ", ".join(layer.source for layer in layers)
    keep = merge_duplicates(frame, key, np.concatenate(labels), source, report, compare=["kind"])
    return Incoming(table, key, frame[keep].reset_index(drop=True))
