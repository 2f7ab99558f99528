"""The layer of freshness: one plate a building, its colour and how much of the roof it covers by age, and no word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from shapely import Polygon

from data.viewer import WALL
from layers import SCENES
from layers.palette import FRESHNESS
from tasks.life_cycle import Action, Kind
from tests.fixtures.access import access_store, clock
from tests.fixtures.tasks import Office, office

__all__ = ["access_store", "clock", "office"]


def test_the_layer_colours_by_age_and_greys_what_is_old(office: Office) -> None:
    boundary = "UPDATE community SET boundary = ST_MakeEnvelope(499000, 3689000, 501000, 3691000)"
    office.store.write(lambda tx: tx.execute("community", boundary))
    away = "UPDATE buildings SET geom = ST_MakeEnvelope(500000, 3690000, 500010, 3690020)"
    office.store.write(lambda tx: tx.execute("buildings", away))

    def draw() -> list[dict[str, Any]]:
        return json.loads(SCENES["freshness"].build(office.store, WALL, "zh", {}))

    (never,) = draw()  # b2 has nothing to visit
    assert (never["id"], tuple(never["c"])) == ("b1", FRESHNESS["old"])
    assert never.keys() == {"p", "h", "c", "id"}  # no word of what was found
    task = office.make(subject_kind="rental", subject_id="r1", kind=Kind.VERIFICATION)
    office.do(office.worker, task, Action.SUBMIT, evidence=office.saw("e1"))
    office.do(office.officer, task, Action.CLOSE)
    covers = []
    for days, age in ((0, "fresh"), (40, "ageing"), (60, "old")):
        office.clock.move(days=days)
        office.store.write(lambda tx: tx.execute("key_sites", "UPDATE key_sites SET level = 1"))  # written that day
        (plate,) = draw()
        assert tuple(plate["c"]) == FRESHNESS[age]
        covers.append(Polygon([(x, y) for x, y, _ in plate["p"][0]]).area)
    # A roof of 10 m by 20 m, 5 m to its middle: whole, 2 m and 3.75 m inwards. Who sees no colours sees how much.
    assert covers == [pytest.approx(area, rel=0.01) for area in (200, 6 * 16, 2.5 * 12.5)]
