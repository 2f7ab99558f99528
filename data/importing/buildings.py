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

from data.importing.columns import find_text_columns, match_columns
from data.importing.incoming import Incoming, build_ids, merge_duplicates, report_repairs
from data.importing.layer import Layer
from data.importing.report import ImportReport
from data.importing.values import to_numbers
from gis.repair import repair_areas, without

STOREY_M: Final = 3.0
# The tallest building of the world has 828 m (Burj Khalifa); 上海中心大厦 has 632 m.
MAX_HEIGHT_M: Final = 1000.0
MAX_FLOORS: Final = 200
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
_NUMBERED: Final = (
    r"^(?P<zone>[东西南北中]区|[一二三四五六七八九十]+区)?第?0*(?P<number>\d{1,4})\s*(?:幢|栋|号楼|座|#)$"
)


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
    default = pd.concat(defaults, ignore_index=True)
    source = layers[0].source if len(layers) == 1 else f"{len(layers)} layers of buildings"
    keep = merge_duplicates(
        frame, "building_id", np.concatenate(labels), source, report, compare=["name", "height_m", "floors_above"]
    )
    return Incoming(
        "buildings", "building_id", frame[keep].reset_index(drop=True), default[keep].reset_index(drop=True)
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
    repaired = repair_areas(without(geometry, point | part))
    report_repairs(report, layer.source, repaired.changed, labels)
    good = ~shapely.is_missing(repaired.geometries)
    use = _find_use(column, name, layer.source, report)
    rows, bad = _complete_heights(column, use, shapely.area(repaired.geometries), layer, labels, good, report)
    rows.insert(0, "building_id", build_ids("b-", own, layer.original, [name]))
    numbered = name.str.extract(_NUMBERED)
    rows["name"] = name
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


class ColumnGetter:
    """Our columns by name; a column that the file lacks is all missing."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        tags = frame.get("other_tags")
        self._tags = tags if tags is not None and tags.notna().any() else None

    def __call__(self, name: str) -> pd.Series:
        if name in self._frame:
            return self._frame[name]
        return pd.Series(pd.NA, index=self._frame.index, dtype="str")

    def tag(self, *keys: str) -> pd.Series:
        """Value of an OpenStreetMap tag kept in the `other_tags` column, the first of `keys` that is there."""
        result = pd.Series(pd.NA, index=self._frame.index, dtype="str")
        if self._tags is not None:
            for key in keys:
                result = result.fillna(self._tags.str.extract(f'"{key}"=>"([^"]*)"', expand=False))
        return result


def get_persons(layer: Layer) -> ColumnGetter:
    """Fields about persons that are kept of a layer; all missing where none are."""
    return ColumnGetter(layer.persons if layer.persons is not None else pd.DataFrame(index=layer.frame.index))


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
    height, bad_h = _read_number(
        column("height_m").fillna(column.tag("height")), "height_m", (0.0, MAX_HEIGHT_M), layer, labels, good, report
    )
    floors, bad_f = _read_number(
        column("floors_above").fillna(column.tag("building:levels")),
        "floors_above",
        (0.0, MAX_FLOORS),
        layer,
        labels,
        good,
        report,
    )
    base, bad_b = _read_number(
        column("base_m").fillna(column.tag("min_height")), "base_m", (0.0, MAX_HEIGHT_M), layer, labels, good, report
    )
    below, bad_u = _read_number(column("floors_below"), "floors_below", (0.0, 20.0), layer, labels, good, report)
    bad = bad_h | bad_f | bad_b | bad_u
    used = good & ~bad
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
    return rows, bad


def _whole(numbers: npt.NDArray[np.float64]) -> pd.Series:
    return pd.Series(np.floor(numbers)).astype("Int64")


def _read_number(
    text: pd.Series,
    name: str,
    limits: tuple[float, float],
    layer: Layer,
    labels: npt.NDArray[np.object_],
    good: npt.NDArray[np.bool_],
    report: ImportReport,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Numbers within limits; others are refused with their value."""
    numbers, unreadable = to_numbers(text)
    low, high = limits
    with np.errstate(invalid="ignore"):
        bad = good & (unreadable | (numbers < low) | (numbers > high))
    first = np.flatnonzero(bad)[:5]
    shown = [str(text.iloc[i])[:20] if unreadable[i] else f"{numbers[i]:g}" for i in first]
    report.add(
        "refused",
        f"{name}_impossible",
        layer.source,
        f"have an impossible {name}, expected {low:g} to {high:g}",
        count=int(bad.sum()),
        rows=[
            f"Building {labels[i]}: {name} is {value}, expected {low:g} to {high:g}"
            for i, value in zip(first, shown, strict=True)
        ],
    )
    numbers[bad] = np.nan
    return numbers, bad


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
