"""Travel times on foot from each of many places to each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from gis.walk_links import Spot
from gis.walk_network import WalkNetwork
from gis.walk_pace import STOREY_S, Floats, Vehicle, get_stairs_s
from gis.walk_search import find_starts, search_from


def walking_matrix_s(network: WalkNetwork, spots: Sequence[Spot], *, at: datetime | None) -> Floats:
    """
    Seconds on foot from each spot to each other, along ways that are open at that time.

    The stairs down from the one and up to the other are in it; between two homes at the same entrance only the storeys
    between them.

    Parameters
    ----------
    network
        The community's ways, metric CRS.
    spots
        Places in its CRS, with house, entrance and storey as far as they are known.
    at
        Aware time; decides which gates are open. None: all of them.

    Returns
    -------
    Shape (n, n), row from, column to; 0 on the diagonal, infinity where no open way leads there.
    """
    n = len(spots)
    # One search for each door: homes above one another share it.
    doors: dict[tuple[object, ...], list[int]] = {}
    for number, spot in enumerate(spots):
        doors.setdefault(_name_door(spot), []).append(number)
    firsts = [Spot(spots[group[0]].point, *_get_house(spots[group[0]])) for group in doors.values()]
    owner = np.empty(n, dtype=np.int64)
    for number, group in enumerate(doors.values()):
        owner[group] = number
    flat = np.zeros((len(firsts), len(firsts)))
    for number, spot in enumerate(firsts):
        flat[:, number] = find_starts(search_from(network, spot, at=at), firsts, [Vehicle.FOOT] * len(firsts)).time_s
    np.fill_diagonal(flat, 0.0)
    stairs = np.array([get_stairs_s(spot.level) for spot in spots])
    matrix: Floats = flat[np.ix_(owner, owner)] + stairs[:, None] + stairs[None, :]
    storeys = np.array([_to_storey(spot.level) for spot in spots], dtype=np.float64)
    same = owner[:, None] == owner[None, :]
    matrix[same] = (np.abs(storeys[:, None] - storeys[None, :]) * STOREY_S)[same]
    return matrix


def _get_house(spot: Spot) -> tuple[str | None, str | None]:
    return spot.building_id, spot.entrance_id


def _name_door(spot: Spot) -> tuple[object, ...]:
    """What two spots have in common that are reached by the same door."""
    if spot.building_id is not None and spot.entrance_id is not None:
        return spot.building_id, spot.entrance_id
    return spot.building_id, spot.point.x, spot.point.y


def _to_storey(level: int | None) -> int:
    """Storeys above the ground floor, below it negative; the ground where it is not known."""
    return 0 if level is None else level - 1 if level > 0 else level
