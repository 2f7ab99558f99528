"""Incidents from tables: times to UTC, kinds into the tree, places by coordinates or address."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from data.importing.areas import find_grid
from data.importing.getting import ColumnGetter, get_persons
from data.importing.incoming import Incoming, build_ids, merge_duplicates
from data.importing.layer import Layer
from data.importing.locating import Locator
from data.importing.persons import PersonRules
from data.importing.registers import find_word
from data.importing.report import ImportReport
from data.importing.times import to_times_utc

Geometries = npt.NDArray[np.object_]

URGENCIES: Final = (
    ("not_police", "非警务|not_police|非警"),
    ("urgent", "紧急|urgent|一级|重大|特急"),
    ("normal", "一般|normal|普通|二级|三级|四级"),
)
SOURCES: Final = (
    ("police_found", "police_found|自行发现|巡逻|巡防|民警发现"),
    ("counter", "counter|窗口|来所|上门|柜台"),
    ("app", "app|网络|微信|小程序|网上"),
    ("call", "call|电话|110|报警|拨打"),
)
STATES: Final = (
    ("closed", "closed|结|办完|完成|已处"),
    ("arrived", "arrived|到达|到场"),
    ("dispatched", "dispatched|派"),
    ("new", "new|新|待"),
)
# Shown on the wall as grid and 警情 only.
_SENSITIVE: Final = "强奸|猥亵|性侵|家暴|家庭暴力|自杀|未成年|拐|sexual|domestic|suicide|child"


def build_incidents(
    layers: list[Layer],
    locator: Locator,
    buildings: pd.DataFrame,
    grids: pd.DataFrame,
    categories: pd.DataFrame,
    report: ImportReport,
    rules: PersonRules | None = None,
) -> list[Incoming]:
    """
    Rows for `incidents` and for the `incident_categories` that are new.

    Parameters
    ----------
    buildings
        building_id and `geom` of every building.
    grids
        grid_id, number and `geom`.
    categories
        The store's `incident_categories`.
    rules
        Given when callers and their words are kept.
    """
    frames, labels = [], []
    for layer in layers:
        frame, label = _build_layer(layer, locator, buildings, report, rules)
        frames.append(frame)
        labels.append(label)
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return []
    source = ", ".join(layer.source for layer in layers)
    keep = merge_duplicates(
        frame, "incident_id", np.concatenate(labels), source, report, compare=["reported_utc", "said", "sub"]
    )
    frame = frame[keep].reset_index(drop=True)
    frame["grid_id"] = find_grid(frame["geom"].to_numpy(dtype=object), grids)
    new = _find_categories(frame, categories, source, report)
    defaults = pd.DataFrame({"urgency": "normal", "source": "call", "status": "closed"}, index=frame.index)
    incidents = Incoming("incidents", "incident_id", frame.drop(columns=["said", "sub"]), defaults)
    return [*([Incoming("incident_categories", "category", new)] if len(new) else []), incidents]


def _build_layer(
    layer: Layer, locator: Locator, buildings: pd.DataFrame, report: ImportReport, rules: PersonRules | None
) -> tuple[pd.DataFrame, npt.NDArray[np.object_]]:
    column = ColumnGetter(layer.canonical("incident"))
    number = column("number").fillna(column("id"))
    label = layer.labels(number)
    reported, bad_reported = to_times_utc(column("reported"))
    start, bad_start = to_times_utc(column("occurred_from"))
    end, bad_end = to_times_utc(column("occurred_to"))
    closed, bad_closed = to_times_utc(column("closed"))
    unreadable = bad_reported | bad_start | bad_end | bad_closed
    report.add_mask(
        "refused",
        "time_unreadable",
        layer.source,
        "have a time that is none, expected e.g. 2024-05-01 13:30",
        unreadable,
        label,
    )
    reported = reported.fillna(start)
    start = start.fillna(reported)
    end = end.fillna(start)
    timeless = reported.isna().to_numpy() & ~unreadable
    report.add_mask("refused", "time_missing", layer.source, "have no time", timeless, label)
    backwards = (end < start).to_numpy() | (closed < reported).to_numpy()
    report.add_mask("refused", "time_backwards", layer.source, "end before they begin", backwards, label)
    said = column("category")
    unsaid = said.isna().to_numpy()
    report.add_mask("refused", "category_missing", layer.source, "have no category", unsaid, label)
    bad = unreadable | timeless | backwards | unsaid
    geometry = layer.geometry if layer.geometry is not None else np.full(len(label), None, dtype=object)
    placed = ~shapely.is_missing(geometry)
    where = locator.locate(column, bad)
    building = where.building_id.fillna(_building_at(geometry, buildings))
    shapes = buildings.set_index("building_id")["geom"]
    inside = pd.Series(shapely.point_on_surface(shapes.to_numpy(dtype=object)), index=shapes.index, dtype=object)
    by_address = ~placed & building.notna().to_numpy()
    place = np.where(by_address, building.map(inside).to_numpy(dtype=object), geometry)
    missing = pd.isna(pd.Series(place, dtype=object)).to_numpy() & ~bad
    report.add(
        "refused",
        "no_place",
        layer.source,
        "have neither coordinates nor an address that leads to a building",
        count=int(missing.sum()),
        rows=[f"{label[i]}: {where.why[i]}" for i in np.flatnonzero(missing)[:5]],
    )
    keep = ~(bad | missing)
    report.add_mask(
        "derived", "placed_by_address", layer.source, "incidents placed at their building by address", by_address & keep
    )
    report.add_mask("found", "placed_by_coordinates", layer.source, "incidents placed by coordinates", placed & keep)
    if rules is None and column("address_text").notna().any():
        report.add(
            "left_out",
            "caller_words",
            layer.source,
            "addresses in the caller's words: the standard address is kept instead",
            count=int(column("address_text").notna().sum()),
        )
    for name, default in (("urgency", "normal"), ("source", "call"), ("status", "closed")):
        report.add_mask(
            "assumed",
            f"incident_{name}",
            layer.source,
            f"incidents without {name}, taken as '{default}'",
            column(name).isna().to_numpy() & keep,
        )
    texts = locator.addresses.drop_duplicates("building_id").set_index("building_id")["full_text"]
    frame = pd.DataFrame(
        {
            "incident_id": build_ids(
                "i-", number, geometry, [column(c) for c in ("reported", "occurred_from", "category", "address_text")]
            ),
            "number": number,
            "said": said,
            "sub": column("subcategory"),
            "urgency": find_word(column("urgency"), URGENCIES),
            "source": find_word(column("source"), SOURCES),
            "reported_utc": reported,
            "occurred_from_utc": start,
            "occurred_to_utc": end,
            "closed_utc": closed,
            "status": find_word(column("status"), STATES),
            "address_text": building.map(texts).astype("str"),
            "building_id": building,
            "unit_id": where.unit_id,
            "disposition": column("disposition"),
            "source_key": number,
            "geom": place,
        }
    )
    if rules is not None:
        _add_caller(frame, layer, column("address_text"), rules, keep, report)
    return frame[keep], label[keep]


def _add_caller(
    frame: pd.DataFrame,
    layer: Layer,
    place: pd.Series,
    rules: PersonRules,
    keep: npt.NDArray[np.bool_],
    report: ImportReport,
) -> None:
    """Caller and their words, unmasked as yet (data/importing/texts.py); of a caller whose time is over, neither."""
    person = get_persons(layer)
    over = (frame["reported_utc"] < rules.callers_from).fillna(False).to_numpy(dtype=bool)
    named = (person("reporter_name").notna() | person("reporter_phone").notna()).to_numpy()
    report.add_mask(
        "left_out",
        "caller_over",
        layer.source,
        "callers who are kept no longer by the retention of this store",
        named & over & keep,
    )
    frame["reporter_name"] = person("reporter_name").mask(over)
    frame["reporter_phone"] = person("reporter_phone").mask(over)
    frame["reporter_key"] = rules.build_reporter_keys(person("reporter_phone"))
    frame["narrative"] = person("narrative")
    frame["address_text"] = place.fillna(frame["address_text"])


def _building_at(geometry: Geometries, buildings: pd.DataFrame) -> pd.Series:
    """Building whose outline holds the point."""
    result = np.full(len(geometry), None, dtype=object)
    if len(buildings):
        tree = shapely.STRtree(buildings["geom"].to_numpy(dtype=object))
        point, building = tree.query(geometry, predicate="intersects")
        result[point[::-1]] = buildings["building_id"].to_numpy(dtype=object)[building[::-1]]
    return pd.Series(result, dtype="str")


def _find_categories(frame: pd.DataFrame, known: pd.DataFrame, source: str, report: ImportReport) -> pd.DataFrame:
    """Codes for what the table says; sets `category` in `frame` and returns the rows that the tree lacks."""
    codes: dict[str, str] = {}
    for name in ("name_en", "name_zh", "category"):
        codes |= dict(zip(known[name].astype(str), known["category"].astype(str), strict=True))
    new: dict[str, tuple[str | None, str]] = {}
    result: dict[tuple[str, str | None], str] = {}
    for said, sub in frame[["said", "sub"]].drop_duplicates().astype(object).itertuples(index=False):
        parent = codes.get(said)
        if parent is None:
            parent = codes[said] = said
            new[said] = (None, said)
        code = parent
        if isinstance(sub, str) and sub != said:
            code = codes.get(sub) or f"{parent}/{sub}"
            if code not in set(known["category"]):
                new.setdefault(code, (parent, sub))
        result[said, sub if isinstance(sub, str) else None] = code
    keys = zip(frame["said"], frame["sub"], strict=True)
    frame["category"] = [result[said, sub if isinstance(sub, str) else None] for said, sub in keys]
    report.add(
        "derived",
        "new_categories",
        source,
        "kinds of incident that the tree did not have, added under their own name",
        count=len(new),
        rows=list(new),
    )
    return pd.DataFrame(
        {
            "category": list(new),
            "parent": pd.Series([parent for parent, _ in new.values()], dtype="str"),
            "name_zh": [name for _, name in new.values()],
            "name_en": [name for _, name in new.values()],
            "sensitive": [
                bool(pd.Series([name]).str.contains(_SENSITIVE, regex=True).iloc[0]) for _, name in new.values()
            ],
        }
    )
