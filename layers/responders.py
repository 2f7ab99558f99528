"""People with radios where they were last: call sign and kind, never a name. The one layer that moves all day."""

from __future__ import annotations

import numpy as np

from data.queries import find_positions
from i18n import term
from layers.scene import Records, Scene, SceneRequest

_OVER_GROUND_M = 2.0


def _build(request: SceneRequest) -> Records:
    rows = find_positions(request.store, request.viewer, only=request.only)
    places = request.frame.to_local(np.column_stack([rows["x_m"], rows["y_m"]])).tolist()
    columns = zip(rows["responder_id"], rows["call_sign"], rows["kind"], strict=True)
    return [
        {
            "t": call_sign,
            "n": term("responder", kind, request.lang),
            "c": "responder",
            "k": kind,
            "x": [x, y, _OVER_GROUND_M],
            "id": responder_id,
        }
        for (x, y), (responder_id, call_sign, kind) in zip(places, columns, strict=True)
    ]


RESPONDERS = Scene("responders", ("responders", "community"), _build, keyed="responders")
