"""Units and rentals from tables: matched to buildings, with their standard addresses."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.importing.getting import ColumnGetter, get_persons
from data.importing.incoming import Incoming, build_ids, merge_duplicates
from data.importing.layer import Layer
from data.importing.locating import Located, Locator
from data.importing.report import ImportReport
from data.importing.storeys import read_levels
from data.importing.times import read_dates
from data.importing.values import hash_ids, to_flags, to_numbers

Mask = npt.NDArray[np.bool_]

_UNIT_USES: Final = (
    ("shop", "商|店|门面|shop|retail|铺"),
    ("office", "办公|office"),
    ("storage", "仓|库|储藏|storage"),
    ("dwelling", "住|居|dwelling|residential|公寓"),
)
_COLOURS: Final = (("green", "绿|green"), ("yellow", "黄|yellow"), ("orange", "橙|orange"), ("red", "红|red"))


def read_count(text: pd.Series, name: str, high: float, layer: Layer, report: ImportReport) -> tuple[pd.Series, Mask]:
    """Whole numbers from 0; impossible ones are refused."""
    numbers, unreadable = to_numbers(text)
    with np.errstate(invalid="ignore"):
        bad = unreadable | (numbers < 0) | (numbers > high)
    first = np.flatnonzero(bad)[:5]
    labels = layer.labels()
    rows = [f"{labels[i]}: {name} is {str(text.iloc[i])[:20]}, expected 0 to {high:g}" for i in first]
    report.add(
        "refused", f"{name}_impossible", layer.source, f"have an impossible {name}", count=int(bad.sum()), rows=rows
    )
    numbers[bad] = np.nan
    return pd.Series(numbers, index=text.index), bad


def find_word(text: pd.Series, rules: tuple[tuple[str, str], ...]) -> pd.Series:
    """First rule whose words are in the text; missing where none is."""
    result = pd.Series(pd.NA, index=text.index, dtype="str")
    for what, pattern in rules:
        result = result.mask(result.isna() & text.str.contains(pattern, regex=True, case=False, na=False), what)
    return result


def build_units(layers: list[Layer], locator: Locator, report: ImportReport) -> list[Incoming]:
    """Rows for `units` and their `addresses`."""
    frames, labels = [], []
    for layer in layers:
        column, person = ColumnGetter(layer.canonical("unit")), get_persons(layer)
        label = layer.labels()
        area, bad_area = read_count(column("area_m2"), "area_m2", 100_000, layer, report)
        people, bad_people = read_count(column("residents_count"), "residents_count", 1000, layer, report)
        floating, bad_floating = read_count(column("floating_count"), "floating_count", 1000, layer, report)
        more = (floating > people).to_numpy(dtype=bool)
        report.add_mask(
            "refused",
            "more_floating_than_residents",
            layer.source,
            "have more floating residents than residents",
            more,
            label,
        )
        bad = bad_area | bad_people | bad_floating | more
        where = locator.locate(column, bad)
        frame = _unit_rows(column, where)
        nowhere = frame["building_id"].isna().to_numpy() & ~bad
        _refuse_nowhere(report, layer, "units", nowhere, where)
        roomless = frame["room"].isna().to_numpy() & ~bad & ~nowhere
        report.add_mask("refused", "unit_without_room", layer.source, "units have no room number", roomless, label)
        level = read_levels(column("level"))
        said = pd.Series(level).fillna(pd.Series([p.level for p in where.parsed], dtype="float64"))
        from_room = frame["room"].str.extract(r"^(\d{1,2})\d{2}$", expand=False).astype("Float64")
        derived = said.isna() & from_room.notna()
        report.add_mask(
            "derived",
            "level_from_room",
            layer.source,
            "storeys read from the room number",
            derived.to_numpy(dtype=bool) & ~bad & ~nowhere,
        )
        frame["level"] = said.astype("Float64").fillna(from_room).astype("Int64")
        frame["level"] = frame["level"].mask(frame["level"] == 0)
        frame["use"] = find_word(column("use"), _UNIT_USES)
        frame["name"] = column("name")
        frame["area_m2"] = area
        frame["residents_count"] = people
        frame["floating_count"] = floating
        frame["source_key"] = column("id")
        frame["owner_name"], frame["owner_phone"] = person("owner_name"), person("owner_phone")
        keep = ~(bad | nowhere | roomless)
        frame["unit_id"] = "u-" + column("id")
        hashed = frame["unit_id"].isna() & keep
        keyed = frame.loc[hashed, ["building_id", "unit", "room"]].fillna("").itertuples(index=False)
        frame.loc[hashed, "unit_id"] = [hash_ids("u-h", list(parts)) for parts in keyed]
        frames.append(frame[keep])
        labels.append(label[keep])
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return []
    keep = merge_duplicates(
        frame, "unit_id", np.concatenate(labels), _source(layers), report, compare=["building_id", "unit", "room"]
    )
    frame = frame[keep].reset_index(drop=True)
    addresses = _unit_addresses(frame, locator)
    defaults = pd.DataFrame({"use": "dwelling", "residents_count": 0, "floating_count": 0}, index=frame.index)
    units = frame.drop(columns=["unit", "parsed"])
    return [Incoming("units", "unit_id", units, defaults), Incoming("addresses", "address_id", addresses)]


def _source(layers: list[Layer]) -> str:
    return ", ".join(layer.source for layer in layers)


def _refuse_nowhere(report: ImportReport, layer: Layer, what: str, nowhere: Mask, where: Located) -> None:
    labels = layer.labels()
    rows = [f"{labels[i]}: {where.why[i]}" for i in np.flatnonzero(nowhere)[:5]]
    report.add(
        "refused", "no_building", layer.source, f"{what} lead to no building", count=int(nowhere.sum()), rows=rows
    )


def _unit_rows(column: ColumnGetter, where: Located) -> pd.DataFrame:
    parsed = where.parsed
    room = pd.Series([p.room or None for p in parsed], dtype="str").fillna(column("room"))
    unit = pd.Series([p.unit or None for p in parsed], dtype="str").fillna(
        column("unit").str.replace("单元", "", regex=False)
    )
    return pd.DataFrame({"building_id": where.building_id, "unit": unit, "room": room, "parsed": parsed})


def _unit_addresses(frame: pd.DataFrame, locator: Locator) -> pd.DataFrame:
    """One standard address a unit, below its building's; sets `address_id` in `frame`."""
    houses = (
        locator.addresses[locator.addresses["unit_id"].isna()].drop_duplicates("building_id").set_index("building_id")
    )
    frame["address_id"] = "a-" + frame["unit_id"]
    text = frame["building_id"].map(houses["full_text"]).astype("str")
    entrance = (frame["unit"] + "单元").fillna("")
    # 402室, but 车库3 and 门面1 as they are.
    is_number = frame["room"].str.fullmatch(r"\d+[A-Za-z]?", na=False)
    room_word = pd.Series(np.where(is_number, "室", ""), index=frame.index, dtype="str")
    rows = pd.DataFrame(
        {
            "address_id": frame["address_id"],
            "full_text": text + entrance + frame["room"] + room_word,
            "zone": frame["building_id"].map(houses["zone"]).astype("str"),
            "building": frame["building_id"].map(houses["building"]).astype("str"),
            "unit": frame["unit"],
            "level": frame["level"],
            "room": frame["room"],
            "building_id": frame["building_id"],
            "unit_id": frame["unit_id"],
        }
    )
    frame.loc[text.isna(), "address_id"] = None
    return rows[text.notna()].reset_index(drop=True)


def build_rentals(layers: list[Layer], locator: Locator, report: ImportReport) -> Incoming | None:
    """Rows for `rentals`; a rental whose address leads nowhere is kept with its address."""
    frames, labels = [], []
    for layer in layers:
        column, person = ColumnGetter(layer.canonical("rental")), get_persons(layer)
        label = layer.labels()
        bad = np.zeros(len(label), dtype=bool)
        counts = {}
        for name, high in (("rooms_count", 200), ("beds_count", 500), ("tenants_count", 500), ("area_m2", 100_000)):
            counts[name], impossible = read_count(column(name), name, high, layer, report)
            bad |= impossible
        where = locator.locate(column, bad)
        unplaced = where.building_id.isna().to_numpy() & ~bad
        report.add(
            "noted",
            "rental_unplaced",
            layer.source,
            "rentals lead to no building and are kept without place",
            count=int(unplaced.sum()),
            rows=[f"{label[i]}: {where.why[i]}" for i in np.flatnonzero(unplaced)[:5]],
        )
        said_unit = "u-" + column("unit_id")
        text = column("address_text")
        frame = pd.DataFrame(
            {
                "rental_id": build_ids(
                    "r-", column("id"), None, [text, where.building_id, where.unit_id, column("room")]
                ),
                "unit_id": said_unit.fillna(where.unit_id),
                "building_id": where.building_id,
                "address_text": text,
                **counts,
                "colour": find_word(column("colour"), _COLOURS),
                "registered_on": read_dates(column("registered_on"), "registered_on", layer, report),
                "last_visit_on": read_dates(column("last_visit_on"), "last_visit_on", layer, report),
                "suspected_group": to_flags(column("suspected_group")),
                "landlord_name": person("landlord_name"),
                "landlord_phone": person("landlord_phone"),
                "source_key": column("id"),
            }
        )
        frames.append(frame[~bad])
        labels.append(label[~bad])
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        return None
    keep = merge_duplicates(
        frame, "rental_id", np.concatenate(labels), _source(layers), report, compare=["address_text", "building_id"]
    )
    frame = frame[keep].reset_index(drop=True)
    return Incoming("rentals", "rental_id", frame, pd.DataFrame({"suspected_group": False}, index=frame.index))
