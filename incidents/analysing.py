"""The methods by their names on the command line, on points or on a table of anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TypeVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from gis.errors import BadFileError, BadRecordError
from incidents.answer import Answer
from incidents.change import Counted, compare_periods, count_areas, count_directions, find_displacement
from incidents.concentration import find_repeats
from incidents.csv_input import check_columns, read_numbers
from incidents.density import find_density
from incidents.forecasts import find_pai
from incidents.gi_star import find_hot_points, find_hot_units
from incidents.knox import find_knox
from incidents.near_repeats import DAYS, DISTANCES_M, find_chains, find_near_repeats
from incidents.scan import MOST_DAYS, PERMUTATIONS, RADII_M, find_fresh_cluster
from incidents.units import count_hexagons, count_squares

Floats = NDArray[np.float64]

_Number = TypeVar("_Number", int, float)
METHODS = ("gi-star", "kde", "knox", "near-repeat", "scan", "repeats", "pai", "e-test", "displacement")
CHAIN_M, CHAIN_DAYS = 50.0, 7.0
"""Wider, and in a community of some incidents a day chance alone ties most of them into one chain."""


@dataclass(frozen=True)
class Options:
    """What may be asked; None is the method's own default."""

    band_m: float | None = None
    """How far apart neighbours may be; for kde the bandwidth"""
    days: float | None = None
    """How long apart a close pair may be; for scan the longest cluster"""
    cell_m: float | None = None
    bands_m: tuple[float, ...] = DISTANCES_M
    bands_days: tuple[float, ...] = DAYS
    radii_m: tuple[float, ...] = RADII_M
    kernel: str = "quartic"
    law: str = "auto"
    on: str = "square"
    """square, hexagon, segment or building: what is counted in"""
    by: str = "building"
    """unit, building, address, segment or grid: what repeats"""
    alpha: float = 0.05
    permutations: int | None = None
    seed: int = 0
    weeks: int | None = None
    """Of the store: how far back; two years for a back-test, else one"""
    kinds: tuple[str, ...] = ()
    change: str | None = None
    """When the change began: a date, or with a CSV a day"""
    treated: tuple[float, float, float] | None = None
    """x, y, radius in metres"""
    control: tuple[float, float, float] | None = None
    ring_m: float = 60.0

    def to_dict(self) -> dict[str, object]:
        """Plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Options:
        """
        What `to_dict` made.

        Raises
        ------
        BadRecordError
            A name that is no option.
        """
        unknown = sorted(set(values) - {one.name for one in fields(cls)})
        if unknown:
            raise BadRecordError(f"There is no option {', '.join(unknown)} of an analysis. See shapan analyse --help.")
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**given)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Points:
    """Incidents as the methods want them."""

    xy: Floats
    """Metres, shape (n, 2)"""
    t_days: Floats | None = None
    """Days from any beginning, shape (n,)"""
    units: NDArray[np.object_] | None = None
    buildings: NDArray[np.object_] | None = None
    boundary: BaseGeometry | None = None
    now_days: float | None = None

    @property
    def times(self) -> Floats:
        """Times, which the method needs."""
        if self.t_days is None:
            raise BadRecordError("This method needs times. Give the column t, in days.")
        return self.t_days


def check_method(method: str) -> str:
    """`method` when there is one of that name."""
    if method not in METHODS:
        raise BadRecordError(f"There is no method '{method[:40]}', expected one of {', '.join(METHODS)}.")
    return method


def analyse_points(method: str, points: Points, options: Options) -> Answer:
    """One of the methods that want nothing but places and times: gi-star on cells, kde, knox, near-repeat, scan."""
    rng = np.random.default_rng(options.seed)
    if method == "gi-star":
        return find_hot_cells_of(points, options)
    if method == "kde":
        return find_density(
            points.xy,
            cell_m=options.cell_m,
            bandwidth_m=options.band_m,
            kernel=options.kernel,
            boundary=points.boundary,
        )
    if method == "knox":
        return find_knox(
            points.xy, points.times, distance_m=_or(options.band_m, 100.0), days=_or(options.days, 14.0),
            permutations=options.permutations or 0, rng=rng,
        )  # fmt: skip
    if method == "near-repeat":
        return _near_repeats(points, options, rng)
    return find_fresh_cluster(
        points.xy, points.times, now_days=points.now_days, most_days=int(_or(options.days, MOST_DAYS)),
        radii_m=options.radii_m, permutations=_or(options.permutations, PERMUTATIONS), rng=rng,
    )  # fmt: skip


def find_hot_cells_of(points: Points, options: Options) -> Answer:
    """Gi* on squares or hexagons over the boundary, or over the box of the places; rows with x and y of the middles."""
    cell_m = _or(options.cell_m, 25.0)
    boundary = points.boundary
    if boundary is None:
        if not cell_m > 0:
            raise BadRecordError(f"Width of a cell is {cell_m} m, expected more than 0. Choose 25 to 100.")
        low = np.floor(points.xy.min(axis=0) / cell_m) * cell_m
        high = (np.floor(points.xy.max(axis=0) / cell_m) + 1) * cell_m
        boundary = shapely.box(*low, *high)
    count = count_hexagons if options.on == "hexagon" else count_squares
    units = count(points.xy, boundary, cell_m)
    answer = find_hot_units(units, alpha=options.alpha, law=options.law)
    middle = shapely.get_coordinates(shapely.centroid(units.geometry))
    answer.rows.insert(1, "x", middle[:, 0])
    answer.rows.insert(2, "y", middle[:, 1])
    return replace(answer, asked={**answer.asked, "cell_m": cell_m})


def _near_repeats(points: Points, options: Options, rng: np.random.Generator) -> Answer:
    """Chains row by row, the table of bands among the figures."""
    chains = find_chains(
        points.xy, points.times, distance_m=_or(options.band_m, CHAIN_M), days=_or(options.days, CHAIN_DAYS),
        units=points.units, buildings=points.buildings,
    )  # fmt: skip
    bands = find_near_repeats(
        points.xy, points.times, distances_m=options.bands_m, days=options.bands_days, units=points.units,
        buildings=points.buildings, permutations=options.permutations or 0, rng=rng,
    )  # fmt: skip
    figures = {**chains.figures, "bands": bands.to_dict()["rows"], "bands_sentence": bands.sentence("en")}
    return replace(chains, asked={**chains.asked, **bands.asked}, figures=figures)


def analyse_table(method: str, table: pd.DataFrame, options: Options, *, name: str = "the table") -> Answer:
    """
    A method on a table of text values, see `incidents.csv_input.read_table`.

    gi-star wants x, y, value and a band (or x, y and a cell: points are counted); kde and repeats x, y; knox,
    near-repeat and scan x, y, t; pai pred, obs and may have size; e-test before, after and may have exposure_before,
    exposure_after, name; displacement area, before, after and may have weight, or x, y, t with treated, control and
    change. Metres and days.

    Raises
    ------
    BadFileError, BadRecordError
        A column is missing, a value is no number, or the method refuses them.
    """
    check_method(method)
    if method == "pai":
        read = read_numbers(table, ("pred", "obs", *_present(table, "size")), name)
        return find_pai(read[:, 0], read[:, 1], size=read[:, 2] if read.shape[1] == 3 else None)
    if method == "e-test":
        return _compare_table(table, name)
    if method == "displacement" and "area" in table:
        return _displace_table(table, name)
    xy = read_numbers(table, ("x", "y"), name)
    if method == "gi-star" and ("value" in table or options.cell_m is None):
        value = read_numbers(table, ("value",), name)[:, 0]
        if options.band_m is None:
            raise BadRecordError("gi-star of places with values needs --band: how far apart neighbours may be, metres.")
        return find_hot_points(xy, value, band_m=options.band_m, alpha=options.alpha, law=options.law)
    if method == "repeats":
        step = options.cell_m
        if step is not None and not step > 0:
            raise BadRecordError(f"Width of a cell is {step} m, expected more than 0. Choose 25 to 100.")
        at = xy if step is None else np.floor(xy / step) * step
        return find_repeats(
            [f"{x:.10g},{y:.10g}" for x, y in at], by="place" if step is None else f"cells of {step:g} m"
        )
    wants_time = method in ("knox", "near-repeat", "scan", "displacement")
    t_days = read_numbers(table, ("t",), name)[:, 0] if wants_time else None
    points = Points(xy, t_days)
    if method == "displacement":
        if options.change is None:
            raise BadRecordError("displacement of points needs --change: the day of the change, in days like t.")
        try:
            day = float(options.change)
        except ValueError:
            raise BadRecordError(
                f"--change is '{options.change}', expected the day of the change, in days like t."
            ) from None
        return displace_points(points, options, day)
    return analyse_points(method, points, options)


def displace_points(points: Points, options: Options, change_days: float) -> Answer:
    """
    Displacement with circles and rings around a treated and a comparison place, over all times that the points have.

    The comparison is weighed to the treated area by its counts before, and counts before by how long that was.
    """
    if options.treated is None or options.control is None:
        raise BadRecordError("displacement needs --treated x,y,radius and --control x,y,radius, metres.")
    begin, end = float(points.times.min()), float(points.times.max() if points.now_days is None else points.now_days)
    if not begin < change_days < end:
        raise BadRecordError(f"The change is at day {change_days:g}, outside {begin:g} to {end:g}. Choose one inside.")
    before_days, after_days = change_days - begin, float(np.nextafter(end, np.inf)) - change_days
    counted = [
        count_areas(
            points.xy, points.times, centre=(x, y), radius_m=radius, ring_m=options.ring_m, change_days=change_days,
            before_days=before_days, after_days=after_days,
        )
        for x, y, radius in (options.treated, options.control)
    ]  # fmt: skip
    (treated, ring), (control, control_ring) = counted
    x, y, radius = options.treated
    parts = count_directions(
        points.xy, points.times, centre=(x, y), radius_m=radius, ring_m=options.ring_m, change_days=change_days
    )
    answer = find_displacement(
        treated, weigh(control, treated), ring, weigh(control_ring, ring), parts=parts,
        before_weight=after_days / before_days,
    )  # fmt: skip
    asked = {**answer.asked, "treated": options.treated, "control": options.control, "ring_m": options.ring_m}
    return replace(answer, asked={**asked, "change_days": change_days})


def weigh(control: Counted, treated: Counted) -> Counted:
    """The comparison, weighed so that it had as many before as the treated area; as it is where either had none."""
    if control.before == 0 or treated.before == 0:
        return control
    return replace(control, weight=treated.before / control.before)


def _compare_table(table: pd.DataFrame, name: str) -> Answer:
    exposures = _present(table, "exposure_before") + _present(table, "exposure_after")
    read = read_numbers(table, ("before", "after", *exposures), name)
    names = table["name"].tolist() if "name" in table else [str(i + 1) for i in range(len(table))]
    columns = {column: read[:, 2 + i].tolist() for i, column in enumerate(exposures)}
    before, after = _whole(read[:, 0], "before", name), _whole(read[:, 1], "after", name)
    return compare_periods(
        names, before, after,
        exposure_before=columns.get("exposure_before"), exposure_after=columns.get("exposure_after"),
    )  # fmt: skip


def _displace_table(table: pd.DataFrame, name: str) -> Answer:
    check_columns(table, ("area", "before", "after"), name)
    read = read_numbers(table, ("before", "after", *_present(table, "weight")), name)
    before, after = _whole(read[:, 0], "before", name), _whole(read[:, 1], "after", name)
    areas: dict[str, Counted] = {}
    for row, area in enumerate(table["area"].str.strip()):
        if area in areas:
            raise BadFileError(f"'{name}' has the area '{area}' twice. Give each area one row.")
        areas[area] = Counted(before[row], after[row], float(read[row, 2]) if read.shape[1] == 3 else 1.0)
    known = ("treated", "control", "treated_ring", "control_ring")
    if not {"treated", "control"} <= set(areas) <= set(known):
        has = ", ".join(areas)
        raise BadFileError(f"'{name}' has the areas {has}, expected treated and control, and both their _ring or none.")
    return find_displacement(areas["treated"], areas["control"], areas.get("treated_ring"), areas.get("control_ring"))


def _present(table: pd.DataFrame, *columns: str) -> tuple[str, ...]:
    return tuple(column for column in columns if column in table)


def _whole(values: Floats, column: str, name: str) -> list[int]:
    bad = (values != np.floor(values)) | (values < 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BadFileError(
            f"'{name}' line {row + 2}, column {column}: {values[row]:g}, expected a whole number from 0."
        )
    return [int(value) for value in values]


def _or(value: _Number | None, default: _Number) -> _Number:
    return default if value is None else value
