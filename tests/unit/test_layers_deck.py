"""
The deck is a contract with a renderer that takes anything silently: it is compared with a stored one.

After a wanted change: `python -m tests.unit.test_layers_deck` writes it anew; read the difference before committing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from layers import SCENES, LocalFrame, build_deck, find_layer_scenes, find_layer_switches, scene_url

STORED = Path(__file__).resolve().parents[1] / "files" / "deck.json"
FRAME = LocalFrame("EPSG:4549", 513_000.0, 3_695_000.0, 120.14, 33.38, 1.0)
REVISIONS = {"community": 2, "buildings": 7, "rentals": 9}


def build() -> dict[str, Any]:
    return build_deck(FRAME, REVISIONS, lang="en", boot_id="b00t", params={"weeks": "12", "kinds": ""})


def test_the_deck_is_the_stored_one() -> None:
    assert build() == json.loads(STORED.read_text(encoding="utf-8"))


def test_no_constant_became_an_accessor_and_no_layer_goes_without_what_all_need() -> None:
    layers = build()["layers"]
    assert len({layer["id"] for layer in layers}) == len(layers)
    for layer in layers:
        assert layer["coordinateSystem"] == "@@#COORDINATE_SYSTEM.METER_OFFSETS"
        assert layer["coordinateOrigin"] == [FRAME.lon, FRAME.lat]
        accessors = {name for name, value in layer.items() if str(value).startswith("@@=")}
        assert {name for name in accessors if not name.startswith("get")} == set(), layer["id"]


def test_data_come_from_our_own_server_at_the_revision_of_their_tables() -> None:
    for layer in build()["layers"]:
        parts = urlsplit(layer["data"])
        assert (parts.scheme, parts.netloc) == ("", "")
        name = find_layer_scenes()[layer["id"]]
        assert parts.path == f"/scene/{name}.json"
        asked = parse_qs(parts.query)
        assert asked["v"] == [str(max(REVISIONS.get(table, 0) for table in SCENES[name].tables))]
        assert asked["lang"] == ["en"]
        assert asked["b"] == ["b00t"]
        assert asked.get("weeks") == (["12"] if "weeks" in SCENES[name].params else None)
        assert "kinds" not in asked  # nothing chosen: the same file as without asking
    assert set(find_layer_switches()) == {layer["id"] for layer in build()["layers"]}


def test_the_deck_stays_small_because_its_data_are_elsewhere() -> None:
    assert len(json.dumps(build())) < 10_000  # the aim for a live change: 10 kB


def test_the_camera_may_come_close_enough_for_1_to_300_on_a_fine_screen() -> None:
    # 0.15 mm a pixel and ratio 1 at 33.4° N: 0.045 m a pixel is zoom 20.5; the renderer's own limit is 20.
    assert build()["initialViewState"]["maxZoom"] == 24


@pytest.mark.parametrize("name", sorted(SCENES))
def test_an_address_changes_with_its_tables_and_with_nothing_else(name: str) -> None:
    address = scene_url(name, REVISIONS, lang="zh", boot_id="b")
    for table in SCENES[name].tables:
        assert scene_url(name, {**REVISIONS, table: 99}, lang="zh", boot_id="b") != address
    assert scene_url(name, {**REVISIONS, "import_batches": 99}, lang="zh", boot_id="b") == address
    assert scene_url(name, REVISIONS, lang="zh", boot_id="another start") != address


if __name__ == "__main__":
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text(json.dumps(build(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
