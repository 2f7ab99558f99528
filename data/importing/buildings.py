"""Buildings: outlines repaired, heights and storeys completed, ids, uses, numbers, standard addresses."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.building_numbers import read_building_numbers
from data.importing.building_sizes import read_sizes
from data.importing.columns import find_text_columns, match_columns, to_text
from data.importing.getting import ColumnGetter
from data.importing.incoming import Incoming, build_ids, merge_duplicates, report_repairs
from data.importing.layer import Layer
from data.importing.outlines import close_rings
from data.importing.report import ImportReport
from data.importing.values import to_numbers
from gis.repair import repair_areas, without

STOREY_M: Final = 3.0
# Storeys where a file has neither height nor storeys: what such buildings usually have in an old Jiangsu community.
DEFAULT_FLOORS: Final = {
    "residential": 6, "mixed": 6, "commercial": 2, "market": 1, "office": 4, "police": 3, "school": 4,
    "kindergarten": 3, "clinic": 3, "hotel": 5, "warehouse": 1, "shed": 1, "public": 2, "industrial": 2, "unknown": 3,
}  # fmt: skip
_SMALL_M2: Final = 40.0
_NAME_USES: Final = (
    ("kindergarten", "幼儿园"), ("school", "学校|小学|中学|教学楼|实验楼|学院"), ("police", "派出所|警务室|公安"),
    ("market", "菜场|菜市场|农贸"), ("clinic", "医院|卫生站|卫生室|诊所"), ("hotel", "酒店|宾馆|旅馆"),
    ("shed", "车棚|车库"), ("warehouse", "仓库"), ("commercial", "超市|商场|商店|书店|食堂"),
    ("public", "体育馆|图书馆|文化|社区服务|活动中心|公厕|澡堂|广场|南门|北门|东门|西门"),
    ("residential", "宿舍|公寓|住宅"),
)  # fmt: skip

_COMPLETED: Final = ("height_m", "floors_above", "height_source", "floors_source", "base_m", "floors_below")


@cache
def _uses() -> dict[str, str]:
    text = (files("data.importing") / "building_uses.csv").read_text(encoding="utf-8")
    return {row["word"]: row["use"] for row in csv.DictReader(text.splitlines())}


def build_buildings(layers: list[Layer], report: ImportReport) -> Incoming | None:
    """Rows for `buildings` from every layer of buildings; geometry of the layers is in the community's CRS."""
    frames, defaults, labels = [], [], []
    for layer in layers:
        frame, default, label = _build_layer(layer, report)
        frames.append(frame)
        defaults.append(default)
        labels.append(label)
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return None
    _note_same_numbers(frame, np.concatenate(labels), layers, report)
    default = pd.concat(defaults, ignore_index=True)
    source = layers[0].source if len(layers) == 1 else f"{len(layers)} layers of buildings"
    keep = merge_duplicates(
        frame, "building_id", np.concatenate(labels), source, report, compare=["name", "height_m", "floors_above"]
    )
    return Incoming(
        "buildings", "building_id", frame[keep].reset_index(drop=True), default[keep].reset_index(drop=True)
    )


def _note_same_numbers(
    frame: pd.DataFrame, labels: npt.NDArray[np.object_], layers: list[Layer], report: ImportReport
) -> None:
    """Two buildings of one number in one zone: an address cannot mean either of them for sure."""
    numbered = frame[frame["number"].notna()].drop_duplicates("building_id")
    same = numbered.assign(zone=numbered["zone"].fillna("")).duplicated(["zone", "number"], keep=False)
    mask = np.zeros(len(frame), dtype=bool)
    mask[same.index[same]] = True
    report.add_mask(
        "noted",
        "same_number",
        ", ".join(layer.source for layer in layers),
        "buildings share their number with another: addresses are not matched to them until a zone tells them apart",
        mask,
        labels,
    )


def _build_layer(layer: Layer, report: ImportReport) -> tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.object_]]:
    ours = layer.canonical("building")
    column = _getter(ours)
    name, own = column("name"), column("id")
    labels = layer.labels(name)
    geometry = layer.geometry if layer.geometry is not None else np.full(len(ours), None, dtype=object)
    point = shapely.get_dimensions(geometry) == 0
    point &= ~shapely.is_missing(geometry) & ~shapely.is_empty(geometry)
    report.add_mask(
        "left_out", "point_among_areas", layer.source, "points (labels, house numbers) among the outlines", point
    )
    part = _find_parts(layer, column, own)
    report.add_mask("left_out", "building_part", layer.source, "parts of buildings whose whole outline is there", part)
    missing = shapely.is_missing(geometry)
    report.add_mask("repaired", "missing", layer.source, "records without geometry, left out", missing, labels)
    outlines, closed = close_rings(without(geometry, point | part))
    report.add_mask("repaired", "ring_closed", layer.source, "outlines drawn as lines taken as areas", closed, labels)
    repaired = repair_areas(outlines)
    report_repairs(report, layer.source, repaired.changed, labels)
    good = ~shapely.is_missing(repaired.geometries)
    use = _find_use(column, name, layer.source, report)
    rows, bad = _complete_heights(column, use, shapely.area(repaired.geometries), layer, labels, good, report)
    rows.insert(0, "building_id", build_ids("b-", own, layer.original, [name]))
    numbered = read_building_numbers(layer, name)
    rows["name"] = numbered["name"].fillna(_street_address(layer))
    rows["zone"] = column("zone").fillna(numbered["zone"])
    rows["number"] = numbered["number"]
    rows["use"] = use.where(use != "unknown")
    rows["year_built"] = _whole(to_numbers(column("year_built").str.extract(r"(\d{4})", expand=False))[0])
    rows["structure"] = column("structure")
    rows["roof"] = column("roof").map(
        {"flat": "flat", "gabled": "tile", "hipped": "tile", "平顶": "flat", "坡顶": "tile"}
    )
    rows["source_key"] = own.fillna(pd.Series([f"{layer.source} row {i + layer.first_row}" for i in range(len(rows))]))
    rows["attributes"] = _to_json(layer)
    rows["geom"] = repaired.geometries
    keep = good & ~bad
    defaults = rows[[f"default {name}" for name in _COMPLETED]].set_axis(list(_COMPLETED), axis="columns")
    rows = rows.drop(columns=[f"default {name}" for name in _COMPLETED])
    defaults["use"] = "unknown"
    return rows[keep], defaults[keep], labels[keep]


def _getter(ours: pd.DataFrame) -> ColumnGetter:
    return ColumnGetter(ours)


def _street_address(layer: Layer) -> pd.Series:
    """Street and house number of OpenStreetMap: what a building without a name is called by."""
    tags = ColumnGetter(layer.frame)
    street, number = (to_text(tags(key)).fillna(tags.tag(key)) for key in ("addr:street", "addr:housenumber"))
    is_chinese = street.str.contains(r"[一-龥]", regex=True, na=False)
    chinese = street + number.str.removesuffix("号") + "号"
    return chinese.where(is_chinese, street + " " + number)


def _find_parts(layer: Layer, column: ColumnGetter, own: pd.Series) -> npt.NDArray[np.bool_]:
    """Rows marked as part of a building whose outline is in the same layer."""
    if "root_id" not in layer.frame:
        return np.zeros(len(own), dtype=bool)
    root = pd.to_numeric(layer.frame["root_id"], errors="coerce").astype("Int64").astype("str")
    part = (column("kind") == "building_part") & root.isin(set(own.dropna()))
    return part.fillna(False).to_numpy(dtype=bool)


def _find_use(column: ColumnGetter, name: pd.Series, source: str, report: ImportReport) -> pd.Series:
    words = column("use").str.lower()
    use = words.map(_uses())
    use = use.fillna(column("use_hint").str.lower().map(_uses()))
    by_name = pd.Series(pd.NA, index=name.index, dtype="str")
    for kind, pattern in _NAME_USES:
        by_name = by_name.where(~(by_name.isna() & name.str.contains(pattern, regex=True, na=False)), kind)
    derived = use.isna() & by_name.notna()
    report.add_mask(
        "derived", "use_from_name", source, "buildings whose use was read from their name", derived.to_numpy()
    )
    use = use.fillna(by_name)
    report.add_mask("noted", "use_unknown", source, "buildings of unknown use", use.isna().to_numpy())
    return use.fillna("unknown")


def _complete_heights(
    column: ColumnGetter,
    use: pd.Series,
    area_m2: npt.NDArray[np.float64],
    layer: Layer,
    labels: npt.NDArray[np.object_],
    good: npt.NDArray[np.bool_],
    report: ImportReport,
) -> tuple[pd.DataFrame, npt.NDArray[np.bool_]]:
    """Height, storeys, base and where they come from; mask of the rows whose values are impossible."""
    said = read_sizes(column, layer, labels, good, report)
    height, floors, base, below = said.height_m, said.floors, said.base_m, said.floors_below
    used = good & ~said.bad
    report.add_mask(
        "noted", "height_zero", layer.source, "buildings with height 0, taken as not known", (height == 0) & used
    )
    height[height == 0] = np.nan
    floors = np.ceil(np.where(floors == 0, np.nan, floors))
    has_h, has_f = ~np.isnan(height), ~np.isnan(floors)
    assumed = ~has_h & ~has_f
    default_floors = use.map(DEFAULT_FLOORS).to_numpy(dtype=np.float64)
    default_floors[area_m2 < _SMALL_M2] = 1.0
    report.add_mask("found", "height_file", layer.source, "buildings with a height in the file", has_h & used)
    report.add_mask(
        "derived", "height_from_floors", layer.source, "heights from storeys × 3.0 m", has_f & ~has_h & used
    )
    report.add_mask("derived", "floors_from_height", layer.source, "storeys from height / 3.0 m", has_h & ~has_f & used)
    report.add_mask(
        "assumed",
        "height_assumed",
        layer.source,
        "buildings with neither height nor storeys: a default by use, drawn lighter",
        assumed & used,
        labels,
    )
    given = np.where(has_h, height, floors * STOREY_M)
    with np.errstate(invalid="ignore"):
        too_high = np.isfinite(base) & (base >= given)
        odd = has_h & has_f & ((given / floors < 2.0) | (given / floors > 6.0))
    report.add_mask(
        "noted",
        "base_above_top",
        layer.source,
        "buildings that would begin above their top: taken to begin on the ground",
        too_high & used,
        labels,
    )
    report.add_mask(
        "noted",
        "storey_height_odd",
        layer.source,
        "buildings whose height and storeys do not fit (below 2 or above 6 m a storey), kept as they are",
        odd & used,
        labels,
    )
    rows = pd.DataFrame(
        {
            "height_m": given,
            "floors_above": _whole(np.where(has_f, floors, np.maximum(np.round(height / STOREY_M), 1.0))),
            "height_source": np.select([has_h, has_f], ["file", "floors"], ""),
            "floors_source": np.select([has_f, has_h], ["file", "height"], ""),
            "base_m": np.where(too_high, np.nan, base),
            "floors_below": _whole(below),
            "default height_m": default_floors * STOREY_M,
            "default floors_above": default_floors.astype(np.int64),
            "default height_source": "assumed",
            "default floors_source": "assumed",
            "default base_m": 0.0,
            "default floors_below": 0,
        }
    )
    for name in ("height_source", "floors_source"):
        rows[name] = rows[name].where(rows[name] != "")
    return rows, said.bad


def _whole(numbers: npt.NDArray[np.float64]) -> pd.Series:
    return pd.Series(np.floor(numbers)).astype("Int64")


def _to_json(layer: Layer) -> pd.Series:
    """Columns that we do not know, as they came, one JSON object a row; None when there are none."""
    matched = {name for names in match_columns("building", list(layer.frame.columns)).values() for name in names}
    keep_also = {"other_tags"} & set(layer.frame.columns)
    free_text = set(find_text_columns(list(layer.frame.columns)))
    rest = [c for c in layer.frame.columns if (c not in matched or c in keep_also) and c not in free_text]
    frame = layer.frame[rest].dropna(axis="columns", how="all")
    if frame.empty or not len(frame.columns):
        return pd.Series([None] * len(layer.frame), dtype=object)
    lines = frame.to_json(orient="records", lines=True, force_ascii=False, date_format="iso").splitlines()
    return pd.Series(lines, dtype=object)
