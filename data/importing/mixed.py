"""
Layers that hold everything at once, as OpenStreetMap is exported: told apart record by record, by their tags.

QGIS and GDAL write one layer of all areas (`multipolygons`), one of all lines and one of all points; Overpass writes
one file of all. A park, a district or a river among the buildings must not become one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.getting import ColumnGetter
from data.importing.kinds import Kind, find_kind, plural
from data.importing.layer import Layer
from data.importing.report import ImportReport

Mask = npt.NDArray[np.bool_]

# A layer with two or more of these as columns, or with `other_tags` and one, is such an export.
_KEYS: Final = frozenset(
    {
        "building", "highway", "landuse", "leisure", "natural", "waterway", "barrier", "amenity", "boundary", "railway",
        "man_made", "aeroway", "shop", "tourism", "office",
    }
)  # fmt: skip
_NO: Final = frozenset({"no", "false", "0"})
_ROADS_THAT_ARE_NONE: Final = frozenset(
    {
        "crossing", "traffic_signals", "stop", "give_way", "street_lamp", "bus_stop", "turning_circle", "platform",
        "elevator", "services", "rest_area", "raceway", "milestone", "speed_camera", "mini_roundabout", "via_ferrata",
    }
)  # fmt: skip
_GATES: Final = frozenset({"gate", "lift_gate", "swing_gate", "sliding_gate", "entrance"})
_WALLS: Final = frozenset({"wall", "fence", "city_wall", "hedge", "retaining_wall", "guard_rail"})
# Of the wider keys only what has a place on the table.
_LAND: Final = {
    "landuse": "grass|meadow|forest|recreation_ground|village_green|basin|reservoir|flowerbed|orchard|allotments",
    "leisure": "park|garden|pitch|track|playground|swimming_pool|nature_reserve|golf_course|common",
    "natural": "water|wood|scrub|grassland|heath|wetland|tree|tree_row",
    "amenity": "parking",
    "waterway": "river|stream|canal|drain|ditch|riverbank|dock",
    "place": "square",
}
_AREAL_ROADS: Final = frozenset({"pedestrian", "footway"})


def split_mixed(layer: Layer, report: ImportReport) -> list[Layer]:
    """The layer as it is, or what it holds kind by kind; records that are nothing of ours are counted and left out."""
    if layer.geometry is None or not _is_mixed(layer):
        return [layer]
    named = find_kind(layer.name, [], layer.shape)
    if named not in (None, "building", "road"):
        return [layer]  # its builder looks at the tags itself
    kinds = _find_kinds(layer, named)
    parts = []
    for kind in dict.fromkeys(kinds[kinds != ""]):
        rows = np.flatnonzero(kinds == kind)
        numbers = layer.row_numbers or range(layer.first_row, layer.first_row + len(layer.frame))
        part = replace(
            layer,
            frame=layer.frame.iloc[rows].reset_index(drop=True).dropna(axis="columns", how="all"),
            geometry=layer.geometry[rows],
            row_numbers=[numbers[row] for row in rows],
            records=len(rows),
            kind=kind,
            name=f"{plural(kind)} of {layer.name}",
        )
        parts.append(part)
    other = kinds == ""
    report.add_mask(
        "left_out",
        "mixed_other",
        layer.source,
        "records of a map of everything that are nothing the table has (districts, land use, lines of power …)",
        other,
        layer.labels(ColumnGetter(layer.canonical("building"))("name")),
    )
    return parts


def _is_mixed(layer: Layer) -> bool:
    columns = {str(column).lower() for column in layer.frame.columns}
    keys = {
        str(column).lower()
        for column in layer.frame.columns
        if str(column).lower() in _KEYS and layer.frame[column].notna().any()
    }
    tags = bool({"other_tags", "all_tags", "@id", "osm_id", "osm_way_id", "full_id"} & columns)
    # A layer whose records all say building, or all say highway, is one of buildings or roads with further tags.
    whole = any(layer.frame[c].notna().all() for c in layer.frame.columns if str(c).lower() in ("building", "highway"))
    return tags and bool(keys) and not whole and len(_KEYS & columns) > 1


def _find_kinds(layer: Layer, named: Kind | None) -> npt.NDArray[np.object_]:
    """Kind of each record, empty for none; shape (n,). `named` is what records without any tag are."""
    assert layer.geometry is not None  # noqa: S101 - whoever asks has looked
    is_building = np.zeros(len(layer.frame), dtype=bool)
    for name in layer.frame.columns:  # most of most exports: what else they could be is not asked
        if str(name).lower() == "building":
            said = layer.frame[name].astype("str").str.strip().str.lower()
            spread = (shapely.get_dimensions(layer.geometry) == 2) | shapely.is_closed(layer.geometry)
            is_building |= ((said.fillna("") != "") & ~said.isin(_NO)).to_numpy(dtype=bool) & spread
    kinds = np.where(is_building, "building", "").astype(object)
    rest = np.flatnonzero(~is_building)
    frame = layer.frame.iloc[rest].reset_index(drop=True)
    kinds[rest] = _find_kinds_by_tags(replace(layer, frame=frame, geometry=layer.geometry[rest]), named)
    return kinds


def _find_kinds_by_tags(layer: Layer, named: Kind | None) -> npt.NDArray[np.object_]:
    """As `_find_kinds`, of records of any kind; a building may be one by its `other_tags`, too."""
    column = ColumnGetter(pd.DataFrame({str(c).lower(): layer.frame[c] for c in layer.frame.columns}))
    missing = pd.Series(pd.NA, index=layer.frame.index, dtype="str")

    @cache
    def tag(key: str) -> pd.Series:
        if not column.may_say(key):
            return missing
        value = column(key).astype("str").fillna(column.tag(key)).str.strip().str.lower()
        return value.where(value != "")

    dimension = shapely.get_dimensions(layer.geometry)
    point, line, area = (pd.Series(dimension == d) for d in (0, 1, 2))
    closed = pd.Series(line.to_numpy() & shapely.is_closed(layer.geometry))
    kinds = pd.Series("", index=layer.frame.index, dtype="object")

    def take(kind: Kind, mask: pd.Series) -> None:
        kinds[(kinds == "") & mask.fillna(False).astype(bool)] = kind

    building, highway, barrier = tag("building"), tag("highway"), tag("barrier")
    take("building", building.notna() & ~building.isin(_NO) & (area | closed))
    is_road = highway.notna() & ~highway.isin(_ROADS_THAT_ARE_NONE)
    areal = highway.isin(_AREAL_ROADS) & (area | (closed & (tag("area") == "yes")))
    take("land", areal)
    take("road", is_road & line)
    take("gate", (barrier.isin(_GATES) | tag("entrance").isin({"main", "gate"})) & point)
    take("wall", barrier.isin(_WALLS) & (line | area))
    for key, words in _LAND.items():
        said = tag(key).str.fullmatch(words, na=False)
        fits = (tag(key) == "tree") & point if key == "natural" else pd.Series(False, index=kinds.index)
        flowing = pd.Series(key == "waterway", index=kinds.index) & line
        take("land", said & (area | closed | flowing | fits))
    has_name = ColumnGetter(layer.canonical("key_site"))("name").notna()
    business = tag("amenity").notna() | tag("shop").notna() | tag("tourism").notna() | tag("office").notna()
    take("key_site", point & has_name & business)
    if named is not None:
        tagged = pd.concat([tag(key).notna() for key in _KEYS], axis="columns").any(axis="columns")
        take(named, ~tagged)
    return kinds.to_numpy(dtype=object)
