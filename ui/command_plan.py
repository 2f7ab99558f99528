"""What every plan of the commander's page is drawn with: metres to the drawing, its style, its ground and houses."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import shapely

from ui.command_data import Situation

MARGIN_M = 30.0
# Under the plan's own class: a style inside a drawing holds for the whole page. --u: see `Plane.unit`.
_STYLE = "".join(
    f".sh-plan {rule}"
    for rule in (
        ".g{fill:#142133;stroke:#2f4a66;stroke-width:calc(2px*var(--u))}",
        ".b{fill:#33465f}",
        ".b:hover{fill:#4f6a8d}",
        ".s{fill:#7cc4ee}",
        ".f{fill:url(#few)}",
        ".h{fill:#ff9e42;fill-opacity:.42;pointer-events:none}",
        ".a{fill:#ff9e42;fill-opacity:.14;stroke:#ff9e42;stroke-width:calc(1.5px*var(--u));pointer-events:none}",
        ".z{fill:#5fd0b4;fill-opacity:.12;stroke:#5fd0b4;stroke-width:calc(2px*var(--u));stroke-dasharray:8 5}",
        ".d{fill:#7cc4ee;fill-opacity:.2;stroke:#7cc4ee;stroke-width:calc(2px*var(--u))}",
        ".u.hot,.u.persistent{fill:#ff9e42;fill-opacity:.5}.u.emerging{fill:#ffd9ad;fill-opacity:.6}",
        ".u.former{fill:#7cc4ee;fill-opacity:.35}",
        ".w{fill:#33465f;fill-opacity:.25;stroke:#5b7695;stroke-width:calc(1.5px*var(--u))}",
        ".w.m{fill:#ff9e42;fill-opacity:.4}",
        ".n{fill:#ff9e42;stroke:#0b1422;stroke-width:calc(2px*var(--u))}",
        ".n.t{fill:url(#few);stroke:#ff9e42}",
        ".m{fill:#ff9e42}",
        ".on{stroke:#fff;stroke-width:calc(3px*var(--u))}",
        ".r{fill:none;stroke:#33465f;stroke-width:calc(3px*var(--u));stroke-linecap:round}",
        ".r.m{stroke:#ff9e42;stroke-width:calc(5px*var(--u))}",
        ".r.hot,.r.persistent{stroke:#ff9e42;stroke-width:calc(6px*var(--u))}",
        ".r.emerging{stroke:#ffd9ad;stroke-width:calc(6px*var(--u))}",
        ".r.former{stroke:#7cc4ee;stroke-width:calc(5px*var(--u))}",
        ".r.on{stroke:#fff}",
        ".k{fill:none;stroke:#7cc4ee;stroke-opacity:.55;stroke-width:calc(1.6px*var(--u));pointer-events:none}",
        ".k.on{stroke:#fff;stroke-opacity:1;stroke-width:calc(2.4px*var(--u))}",
        ".o{stroke:#0b1422;stroke-width:calc(1px*var(--u));pointer-events:none}",
        ".o.single{fill:#6d8098}.o.originator{fill:#fff}.o.repeat{fill:#ff9e42}.o.near_repeat{fill:#7cc4ee}",
        "text{font:700 calc(17px*var(--u)) sans-serif;text-anchor:middle;dominant-baseline:central;fill:#0b1422;"
        "pointer-events:none}",
        "text.t{fill:#ffd9ad}",
        "text.z{font-size:calc(15px*var(--u));fill:#8fe6d0;stroke:none;fill-opacity:1}",
        "[data-pick]{cursor:pointer}",
    )
)
_HATCH = (
    '<defs><pattern id="few" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" fill="#24364d"/><rect width="2" height="7" fill="#7f93ab"/></pattern></defs>'
)


class Plane:
    """Metres of the CRS to the drawing's units: metres east and south of its corner."""

    def __init__(self, outline: Any) -> None:
        self._west_m, south_m, east_m, self._north_m = (
            edge + side * MARGIN_M for edge, side in zip(outline.bounds, (-1, -1, 1, 1), strict=True)
        )
        self.width, self.height = east_m - self._west_m, self._north_m - south_m
        # Marks and words are as large on a town as on a community: lengths in the style are of one of 800 m.
        self.unit = max(1.0, max(self.width, self.height) / 900)

    def point(self, shape: Any) -> tuple[float, float]:
        """The drawing's x and y of a point."""
        return shape.x - self._west_m, self._north_m - shape.y

    def points(self, xy: np.ndarray) -> np.ndarray:
        """Of many places, shape (n, 2)."""
        moved: np.ndarray = np.column_stack([xy[:, 0] - self._west_m, self._north_m - xy[:, 1]]).round(1)
        return moved

    def path(self, shape: Any) -> str:
        """Of a polygon, or of several."""
        rings = shapely.get_rings(shapely.get_parts(shape))
        return "".join(self._ring(shapely.get_coordinates(ring)) for ring in rings)

    def line(self, shape: Any) -> str:
        """Of a line, or of several."""
        return "".join(
            "M" + "L".join(f"{x:g} {y:g}" for x, y in self.points(shapely.get_coordinates(part)).tolist())
            for part in shapely.get_parts(shape)
        )

    def _ring(self, xy: np.ndarray) -> str:
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in self.points(xy[:-1]).tolist()) + "Z"

    def wrap(self, parts: list[str], title: str) -> str:
        """The whole drawing."""
        return (
            f'<svg class="sh-plan" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            f'role="img" style="width:100%;max-height:72vh;background:#0b1422;border-radius:8px;--u:{self.unit:.3g}">'
            f"<title>{escape(title)}</title><style>{_STYLE}</style>{_HATCH}{''.join(parts)}</svg>"
        )


def draw_ground(situation: Situation, at: Plane, *, is_few: bool = False) -> str:
    """The community's outline; hatched where it is too few to say anything."""
    return f'<path class="g{" f" if is_few else ""}" d="{at.path(situation.outline)}"/>'


def draw_buildings(
    situation: Situation, at: Plane, mark: Callable[[str], str], *, picks: bool, many: int = 20_000
) -> list[str]:
    """Every building with the class that `mark` gives it; at most `many`, those with a class first."""
    marked = [(mark(str(one)), one, shape) for one, shape in situation.buildings.geometry.items()]
    if len(marked) > many:
        marked = sorted(marked, key=lambda one: not one[0])[:many]
    return [
        f'<path class="b{f" {state}" if state else ""}"'
        + (f' data-pick="building:{escape(str(building))}"' if picks else "")
        + f' d="{at.path(shape)}"><title>{escape(situation.names.get(building, ""))}</title></path>'
        for state, building, shape in marked
    ]
