"""
How fast one gets along, on foot and by vehicle, and which ways a vehicle may use. Conventions of ours, stated once.

An e-bike or a car is left where it may go no further, and its driver walks on; nobody rides again after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FOOT_M_S: Final = 1.4
"""Walking: a ring of three minutes is about 190 m of real way."""
EBIKE_M_S: Final = 4.0
CAR_ROAD_M_S: Final = 8.0
"""On streets: 30 km/h, what 道路交通安全法实施条例 art. 45 allows in towns on streets without a centre line."""
CAR_YARD_M_S: Final = 4.0
"""Inside of a community: 15 km/h, what most of them sign."""
LEAVE_S: Final = 10.0
"""Getting off and locking."""

STEP_S: Final = 2.0
"""A step of stairs, up or down."""
STEPS_PER_STOREY: Final = 18
"""A storey of 3.0 m at risers of 0.167 m; GB 50096 allows at most 0.175 m in dwellings. Lifts are not counted on."""
STOREY_S: Final = STEP_S * STEPS_PER_STOREY
TREAD_M: Final = 0.3
"""Of steps outdoors (ways of the kind `steps`), metres along the way."""


class Vehicle(StrEnum):
    """What one goes with."""

    FOOT = "foot"
    EBIKE = "ebike"
    CAR = "car"


# Metres a second by kind of way; a kind that is not there is closed to the vehicle.
SPEEDS_M_S: Final[Mapping[Vehicle, Mapping[str, float]]] = MappingProxyType(
    {
        Vehicle.FOOT: {
            **dict.fromkeys(("main", "secondary", "inner", "service", "footpath", "cycleway", "other"), FOOT_M_S),
            "steps": TREAD_M / STEP_S,
        },
        Vehicle.EBIKE: dict.fromkeys(("main", "secondary", "inner", "service", "cycleway", "other"), EBIKE_M_S),
        Vehicle.CAR: {
            **dict.fromkeys(("main", "secondary"), CAR_ROAD_M_S),
            **dict.fromkeys(("inner", "service"), CAR_YARD_M_S),
        },
    }
)
# A pushed e-bike gets through a pedestrians' gate, a car does not.
CLOSED_TO_CARS: Final = frozenset({"pedestrian"})

# Riding against traffic is forbidden to e-bikes as to cars (道路交通安全法 art. 35); inside a community the sign is
# meant for cars, and there an e-bike goes both ways. What a way says to bicycles holds everywhere.
_EBIKE_OBEYS: Final = ("main", "secondary")


@dataclass(frozen=True)
class OneWay:
    """
    What each way says, shape (n,): 1 along the line only, -1 against it only, 0 both ways.

    `bicycle` is not a number where nothing is said to bicycles.
    """

    cars: npt.NDArray[np.int64]
    bicycle: Floats
    foot: npt.NDArray[np.int64]


def get_directions(vehicle: Vehicle, kinds: npt.NDArray[np.object_], said: OneWay) -> npt.NDArray[np.int64]:
    """Which way one may go on each way with a vehicle, shape (n,): 1 along the line, -1 against it, 0 both ways."""
    if vehicle is Vehicle.CAR:
        return said.cars
    if vehicle is Vehicle.FOOT:
        return said.foot
    usual = np.where(np.isin(kinds.astype(str), _EBIKE_OBEYS), said.cars, 0)
    return np.where(np.isnan(said.bicycle), usual, said.bicycle).astype(np.int64)


def get_speeds_m_s(vehicle: Vehicle, kinds: npt.NDArray[np.object_], is_walkable: npt.NDArray[np.bool_]) -> Floats:
    """Metres a second on each way, shape (n,); 0 where the vehicle may not go. Feet keep to what is walkable."""
    table = SPEEDS_M_S[vehicle]
    speeds = np.array([table.get(str(kind), 0.0) for kind in kinds], dtype=np.float64)
    return np.where(is_walkable, speeds, 0.0) if vehicle is Vehicle.FOOT else speeds


def get_stairs_s(level: int | None) -> float:
    """
    Seconds from the ground to a storey, by the stairs; 0 where the storey is not known.

    `level` is 1 for the ground floor and -1 for the first below it: the sixth floor is five storeys up, 180 s.
    """
    if level is None:
        return 0.0
    return STOREY_S * (level - 1 if level > 0 else -level)
