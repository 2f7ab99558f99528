"""Roads and paths: kinds and widths, noded together with the roads that the store has already."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.getting import ColumnGetter
from data.importing.incoming import Incoming, build_ids, merge_duplicates, report_repairs
from data.importing.layer import Layer
from data.importing.one_way import orient_pieces, read_one_way, read_own_way
from data.importing.report import ImportReport
from data.importing.values import to_numbers
from gis.noding import GRID_M, node_lines
from gis.repair import repair_lines, without

KINDS: Final = {
    "main": "motorway motorway_link trunk trunk_link primary primary_link "
    "主干路 主干道 城市主干路 快速路 城市快速路 干道",
    "secondary": "secondary secondary_link tertiary tertiary_link 次干路 次干道 城市次干路 支路 城市支路",
    "inner": "residential unclassified living_street road "
    "小区路 小区道路 小区主路 内部道路 内部路 居住区道路 街道 街 组团路",
    "service": "service track busway 服务路 通道 消防通道 消防车道 车行道",
    "footpath": "footway path pedestrian bridleway corridor "
    "步行道 人行道 人行步道 小路 便道 步道 园路 宅间路 宅前路 入户路 巷 弄",
    "steps": "steps 台阶 楼梯",
    "cycleway": "cycleway 自行车道 非机动车道",
}
_KIND_OF: Final = {word: kind for kind, words in KINDS.items() for word in words.split()} | {k: k for k in KINDS}
# Drawn widths where a file has none, metres: usual carriageways of Chinese residential areas.
DEFAULT_WIDTH_M: Final = {
    "main": 14.0, "secondary": 9.0, "inner": 6.0, "service": 4.0, "footpath": 2.0, "steps": 2.0,
    "cycleway": 2.5, "other": 3.0,
}  # fmt: skip
_NOT_WALKABLE: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_NOT_BUILT: Final = frozenset({"construction", "proposed", "abandoned", "razed"})
_RAILS: Final = frozenset({"rail", "subway", "light_rail", "tram", "railway"})
_ONE_WAY: Final = ["oneway", "oneway_bicycle", "oneway_foot"]
_COLUMNS: Final = ["way_id", "name", "kind", "width_m", "walkable", *_ONE_WAY, "source_key"]


def build_roads(layers: list[Layer], existing: pd.DataFrame, report: ImportReport) -> Incoming | None:
    """
    Rows for `roads`: pieces of the ways of `layers` and of `existing` roads, all noded together.

    `existing` are the pieces in the store (`geom` as shapely objects); those of a way that comes in again are replaced.
    Pieces of the store that the new ways cut get new ids: whoever writes this takes the old ones away.
    """
    frames = [_build_ways(layer, report) for layer in layers]
    ways = pd.concat(frames, ignore_index=True)
    if ways.empty:
        return None
    labels = np.array([f"way {key}" for key in ways["source_key"]], dtype=object)
    source = layers[0].source if len(layers) == 1 else f"{len(layers)} layers of roads"
    ways = ways[_join_ways(ways, labels, source, report)].reset_index(drop=True)
    kept = existing[~existing["way_id"].isin(ways["way_id"])]
    # The layer of an old piece is not stored: it is taken as noded already, at the height of the ground.
    kept = kept.assign(layer=0, course=kept["geom"], **{name: kept[name].astype("Int64") for name in _ONE_WAY})
    everything = pd.concat([ways, kept[[*_COLUMNS, "layer", "course", "geom"]]], ignore_index=True)
    noded = node_lines(everything["geom"].to_numpy(dtype=object), everything["layer"].to_numpy(dtype=np.int64))
    pieces = everything.iloc[noded.way].reset_index(drop=True)
    directions = pieces[_ONE_WAY].astype("Int64")
    pieces["geom"], signs = orient_pieces(
        noded.pieces,
        pieces["course"].to_numpy(dtype=object),
        directions.fillna(0).ne(0).any(axis=1).to_numpy(dtype=bool),
    )
    pieces[_ONE_WAY] = directions.mul(signs, axis=0)
    pieces = pieces.drop(columns=["layer", "course"])
    pieces.insert(0, "road_id", _piece_ids(pieces))
    report.add(
        "repaired" if len(pieces) > len(everything) else "found",
        "roads_noded",
        source,
        f"ways cut where they cross or touch, into {len(pieces):,} pieces that meet at their ends",
        count=len(ways),
    )
    return Incoming("roads", "road_id", pieces)


def _build_ways(layer: Layer, report: ImportReport) -> pd.DataFrame:
    column = ColumnGetter(layer.canonical("road"))
    name, own = column("name"), column("id")
    labels = layer.labels(name)
    geometry = layer.geometry if layer.geometry is not None else np.full(len(name), None, dtype=object)
    words = column("kind").str.lower()
    outer = layer.frame["kind"].astype("str").str.lower() if "kind" in layer.frame else words
    rail = words.isin(_RAILS) | outer.isin(_RAILS)
    unbuilt = words.isin(_NOT_BUILT) | outer.isin(_NOT_BUILT)
    report.add_mask("left_out", "railway", layer.source, "railway lines", rail.to_numpy())
    report.add_mask("left_out", "not_built", layer.source, "roads under construction", unbuilt.to_numpy(), labels)
    skipped = (rail | unbuilt).to_numpy(dtype=bool)
    report.add_mask(
        "repaired", "missing", layer.source, "records without geometry, left out", shapely.is_missing(geometry)
    )
    repaired = repair_lines(without(geometry, skipped))
    report_repairs(report, layer.source, repaired.changed, labels)
    kind = words.map(_KIND_OF)
    keep = ~shapely.is_missing(repaired.geometries)
    report.add_mask(
        "assumed",
        "road_kind",
        layer.source,
        "ways of unknown kind, taken as 'other'",
        kind.isna().to_numpy() & keep,
        labels,
    )
    kind = kind.fillna("other")
    width, _ = to_numbers(column("width_m").fillna(column.tag("width")))
    width[~((width > 0) & (width < 100))] = np.nan
    missing = np.isnan(width)
    report.add_mask("assumed", "road_width", layer.source, "ways without width: a default by kind", missing & keep)
    layer_number = _layer_of(column)
    one_way, unknown = read_one_way(
        column("oneway").fillna(column.tag("oneway")), column("junction").fillna(column.tag("junction")), words
    )
    bicycle, bicycle_unknown = read_own_way(
        column("oneway_bicycle").fillna(column.tag("oneway:bicycle")),
        column("cycleway").fillna(column.tag("cycleway", "cycleway:both")),
    )
    foot, foot_unknown = read_own_way(column("oneway_foot").fillna(column.tag("oneway:foot")))
    report.add_mask(
        "assumed",
        "road_oneway",
        layer.source,
        "one-way marks not understood, taken as both ways",
        (unknown | bicycle_unknown | foot_unknown) & keep,
        labels,
    )
    return pd.DataFrame(
        {
            "way_id": build_ids("w-", own, layer.original, [name]),
            "name": name,
            "kind": kind,
            "width_m": np.where(missing, kind.map(DEFAULT_WIDTH_M), width),
            "walkable": ~words.isin(_NOT_WALKABLE) & ~column("foot").isin({"no", "否"}),
            "oneway": pd.array(one_way, dtype="Int64"),
            "oneway_bicycle": bicycle,
            "oneway_foot": foot,
            "source_key": own.fillna(pd.Series([f"{layer.source} row {i + layer.first_row}" for i in range(len(own))])),
            "layer": layer_number,
            "course": repaired.geometries,
            "geom": repaired.geometries,
        }
    )[keep]


def _layer_of(column: ColumnGetter) -> npt.NDArray[np.int64]:
    """Height above or below the ground: the `layer` tag, else 1 for a bridge and -1 for a tunnel."""
    number = pd.to_numeric(column("layer").fillna(column.tag("layer")), errors="coerce")
    no = {"no", "false", "0", "否"}
    bridge = column("bridge").fillna(column.tag("bridge")).str.lower()
    tunnel = column("tunnel").fillna(column.tag("tunnel")).str.lower()
    number = number.where(number.notna() | bridge.isna() | bridge.isin(no), 1)
    number = number.where(number.notna() | tunnel.isna() | tunnel.isin(no), -1)
    return number.fillna(0).clip(-9, 9).to_numpy(dtype=np.float64).astype(np.int64)


def _join_ways(
    ways: pd.DataFrame, labels: npt.NDArray[np.object_], source: str, report: ImportReport
) -> npt.NDArray[np.bool_]:
    """Ways of one id: tile cuts of one way are one multiline; different attributes are refused."""
    keep = np.ones(len(ways), dtype=bool)
    repeated = np.flatnonzero(ways["way_id"].duplicated(keep=False))
    if not len(repeated):
        return keep
    plain, compared = ways.drop(columns=["geom", "course"]), ["kind", "layer", *_ONE_WAY]
    same = merge_duplicates(plain, "way_id", labels, source, report, compare=compared)
    geometry = ways["geom"].to_numpy(dtype=object).copy()
    course = geometry.copy()
    for _, rows in pd.Series(repeated).groupby(ways["way_id"].to_numpy()[repeated], sort=False):
        if len(set(shapely.to_wkb(shapely.normalize(geometry[rows.to_numpy()])))) == 1:
            continue  # the same way again: as it is, so that what runs along it still lies on it
        course[rows.iloc[0]] = shapely.multilinestrings(shapely.get_parts(geometry[rows.to_numpy()]))
        geometry[rows.iloc[0]] = shapely.union_all(geometry[rows.to_numpy()], grid_size=GRID_M)
    ways["geom"], ways["course"] = geometry, course
    return same


def _piece_ids(pieces: pd.DataFrame) -> list[str]:
    """Way and a hash of the piece's course: a piece that is not cut again keeps its id."""
    course = shapely.to_wkb(shapely.normalize(pieces["geom"].to_numpy(dtype=object)))
    return [
        f"{way}.{hashlib.blake2b(wkb, digest_size=4).hexdigest()}"
        for way, wkb in zip(pieces["way_id"], course, strict=True)
    ]
