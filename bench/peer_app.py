"""
The peer: the same buildings inline in `st.pydeck_chart`, and one thing that moves at each press of the button.

The least that such a page does: records are read once a process, and nothing else is on the page. Argument: a JSON file
with `buildings` (a scene file of ours), `lon` and `lat` (its origin).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pydeck as pdk
import streamlit as st


@st.cache_resource
def read_scene(path: str) -> dict[str, Any]:
    scene: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    keep = ("p", "h", "c", "id", "n")  # what is drawn, and what a hover says
    return {**scene, "buildings": [{key: one[key] for key in keep} for one in scene["buildings"]]}


scene = read_scene(sys.argv[1])
st.set_page_config(layout="wide")
st.session_state.setdefault("moves", 0)
if st.button("move"):
    st.session_state["moves"] += 1
# Metres from an origin, as ours: shorter than degrees, and the renderer's own way.
local = {"coordinate_system": pdk.types.String("meter-offsets"), "coordinate_origin": [scene["lon"], scene["lat"]]}
buildings = pdk.Layer(
    "SolidPolygonLayer", id="buildings", data=scene["buildings"], get_polygon="p", get_elevation="h",
    get_fill_color="c", extruded=True, pickable=True, **local,
)  # fmt: skip
moving = pdk.Layer(
    "ScatterplotLayer", id="moving", data=[{"x": [float(st.session_state["moves"]), 0.0, 2.0]}], get_position="x",
    get_radius=4, get_fill_color=[255, 190, 60], **local,
)  # fmt: skip
view = pdk.ViewState(longitude=scene["lon"], latitude=scene["lat"], zoom=scene["zoom"], pitch=50, bearing=-24)
st.pydeck_chart(
    pdk.Deck([buildings, moving], initial_view_state=view, map_provider=None), height=scene["height"], key="chart"
)
