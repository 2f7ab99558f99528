"""A building's own frame: metres along its front and inwards, as one sees it who stands before its entrances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Coordinates = npt.NDArray[np.float64]


class Front:
    """
    Frame of a footprint: `a` from left to right along its long side, `d` inwards from the front, both from 0.

    Parameters
    ----------
    outline
        Footprint, metric CRS.
    doors
        Entrances on the wall, shape (n, 2); the front is where they are. Without any it looks south, as people here
        would expect it.
    """

    def __init__(self, outline: BaseGeometry, doors: Coordinates) -> None:
        box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(outline))
        sides = np.diff(box[:3], axis=0) if len(box) >= 3 else np.array([[1.0, 0.0], [0.0, 1.0]])
        along = sides[int(np.argmax(np.hypot(*sides.T)))]
        along = along / max(float(np.hypot(*along)), 1e-9)
        middle = shapely.get_coordinates(shapely.centroid(outline))[0]
        outwards = (doors.mean(axis=0) - middle) if len(doors) else np.array([0.0, -1.0])
        inwards = np.array([-along[1], along[0]])
        if inwards @ outwards > 0:
            inwards = -inwards
        self._axes = np.column_stack([np.array([inwards[1], -inwards[0]]), inwards])
        turned = shapely.get_coordinates(outline) @ self._axes
        self._corner = turned.min(axis=0)
        self.size_m = turned.max(axis=0) - self._corner

    def turn(self, coordinates: Coordinates) -> Coordinates:
        """Coordinates of the CRS, shape (n, 2), in this frame."""
        turned: Coordinates = coordinates @ self._axes - self._corner
        return turned

    def turn_back(self, coordinates: Coordinates) -> Coordinates:
        """Coordinates of this frame, shape (n, 2), in the CRS."""
        back: Coordinates = (coordinates + self._corner) @ self._axes.T
        return back
