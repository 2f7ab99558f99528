"""People with radios where they were last: call sign and kind, never a name. The one layer that moves all day."""

from __future__ import annotations

from data.queries import find_responders
from i18n import term
from layers.records import to_points
from layers.scene import Records, Scene, SceneRequest

_OVER_GROUND_M = 2.0


def _build(request: SceneRequest) -> Records:
    frame = find_responders(request.store, request.viewer)
    columns = zip(frame["responder_id"], frame["call_sign"], frame["kind"], strict=True)
    return [
        {
            "t": call_sign,
            "n": term("responder", kind, request.lang),
            "c": "responder",
            "k": kind,
            "x": [x, y, _OVER_GROUND_M],
            "id": responder_id,
        }
        for (x, y), (responder_id, call_sign, kind) in zip(
            to_points(frame.geometry, request.frame), columns, strict=True
        )
    ]


RESPONDERS = Scene("responders", ("responders", "community"), _build)
