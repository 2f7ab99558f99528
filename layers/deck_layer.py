"""
The one factory of pydeck layers.

pydeck takes unknown arguments silently, gives a layer without id a new one on each run, and reads every plain string as
an accessor. So layers are made here only: an id, data by URL, accessors named as accessors, constants as constants.
"""

from __future__ import annotations

import pydeck as pdk

# Metres from the frame's origin: see layers/frame.py.
_METER_OFFSETS = "@@#COORDINATE_SYSTEM.METER_OFFSETS"


def build_layer(
    kind: str,
    layer_id: str,
    url: str,
    origin: tuple[float, float],
    *,
    accessors: dict[str, str],
    **constants: object,
) -> pdk.Layer:
    """
    A layer that draws a scene file.

    Parameters
    ----------
    kind
        Class of the renderer, e.g. "PathLayer".
    layer_id
        Stable id.
    url
        Scene file on our own server.
    origin
        Longitude and latitude of the frame's origin.
    accessors
        Property of the layer to field of the record, e.g. {"get_polygon": "p"}.
    constants
        Properties that are the same for every record; strings are kept as they are.
    """
    plain = {name: pdk.types.String(value) if isinstance(value, str) else value for name, value in constants.items()}
    return pdk.Layer(
        kind,
        data=url,
        id=layer_id,
        coordinate_system=pdk.types.String(_METER_OFFSETS),
        coordinate_origin=list(origin),
        **accessors,
        **plain,
    )
