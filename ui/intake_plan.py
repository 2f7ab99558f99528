"""The plan of buildings as SVG, for choosing one: nothing but outlines with their names."""

from __future__ import annotations

from html import escape

import geopandas as gpd
import shapely

_MARGIN_M = 12.0
_STYLE = (
    ".sh-pick .b{fill:#3f587a;stroke:#0b1422;stroke-width:.6;cursor:pointer}.sh-pick .b:hover{fill:#7cc4ee}"
    ".sh-pick .b:focus-visible{fill:#7cc4ee;outline:none}"
)


def build_plan_svg(buildings: gpd.GeoDataFrame, *, title: str) -> str:
    """Every building as a part that can be picked by its id; columns building_id, zone, name and outlines."""
    west, south, east, north = (float(edge) for edge in buildings.total_bounds)
    west, north = west - _MARGIN_M, north + _MARGIN_M
    names = buildings["zone"].fillna("") + buildings["name"].fillna("")
    parts = [
        f'<path class="b" data-pick="{escape(str(building_id), quote=True)}" d="{_to_path(shape, west, north)}">'
        f"<title>{escape(name)}</title></path>"
        for building_id, name, shape in zip(buildings["building_id"], names, buildings.geometry, strict=True)
    ]
    width, height = east + _MARGIN_M - west, north - (south - _MARGIN_M)
    return (
        f'<svg class="sh-pick" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'style="width:100%;max-height:60vh;background:#0b1422;border-radius:8px"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>"
    )


def _to_path(shape: shapely.Geometry, west: float, north: float) -> str:
    path = ""
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        xy = shapely.get_coordinates(ring).tolist()
        path += "M" + "L".join(f"{x - west:.1f} {north - y:.1f}" for x, y in xy) + "Z"
    return path
