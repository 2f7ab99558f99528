"""Key sites (重点单位): a slim mast over the place, topped by a pin whose character says the kind."""

from __future__ import annotations

from data.queries import find_buildings, find_key_sites
from i18n import term
from layers.drawn import SITES
from layers.palette import KEY_SITE
from layers.records import to_points, to_texts
from layers.scene import Records, Scene, SceneRequest

_MAST_OVER_ROOF_M = 6.0
_MAST_HALF_M = 0.25


def _build(request: SceneRequest) -> Records:
    frame = find_key_sites(request.store, request.viewer, only=request.only)
    around = None if request.only is None else frozenset(frame["building_id"].dropna())
    heights = find_buildings(request.store, request.viewer, only=around).set_index("building_id")["height_m"]
    tops = (frame["building_id"].map(heights).astype("float64").fillna(0.0) + _MAST_OVER_ROOF_M).round(1).tolist()
    columns = zip(frame["site_id"], frame["name"], frame["kind"], to_texts(frame["building_id"]), tops, strict=True)
    r = _MAST_HALF_M
    return [
        {
            "x": [x, y, top],
            "p": [[x - r, y - r], [x + r, y - r], [x + r, y + r], [x - r, y + r]],
            "h": top,
            "c": KEY_SITE,
            "id": site_id,
            "n": name,
            "k": term("site_kind", kind, request.lang),
            "g": term("site_glyph", kind, request.lang)[:2],
            "b": building,
        }
        for (x, y), (site_id, name, kind, building, top) in zip(
            to_points(frame.geometry, request.frame), columns, strict=True
        )
    ]


KEY_SITES = Scene("key_sites", ("key_sites", "buildings", "community"), _build, draws=SITES, keyed="key_sites")
