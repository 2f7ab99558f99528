"""From an incident of the sample to whom to send: read from the store, as the wall and the desk ask it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import shapely

from data.importing import ImportOptions, import_sources, read_folder
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import NotAllowedError, RecordMissingError, RefusedError
from incidents.advising import MOST_ROUTES, advise_dispatch
from incidents.walking import get_walk_network
from sample.place import AS_OF

OFFICER, WALL = Viewer(Role.OFFICER, account_id="o", name="officer07"), Viewer(Role.WALL, account_id="w", name="wall")
MORNING = AS_OF + timedelta(hours=10)  # 10:00 in Shanghai


@pytest.fixture(scope="module")
def store(sample_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(Path(shutil.copy(sample_file, tmp_path_factory.mktemp("advising")))) as opened:
        yield opened


def find_incident(store: Store, category: str, where: str = "unit_id IS NOT NULL") -> str:
    sql = f"SELECT incident_id FROM incidents WHERE category = ? AND {where} ORDER BY reported_utc DESC LIMIT 1"
    return str(store.read(sql, [category])["incident_id"].iloc[0])


def test_advice_has_rows_with_ways_sentences_and_what_was_there_before(store: Store) -> None:
    incident_id = find_incident(store, "dispute.neighbour", "unit_id IN (SELECT unit_id FROM units WHERE level = 3)")
    advice = advise_dispatch(store, OFFICER, incident_id, at=MORNING)
    assert advice.level == 3
    assert advice.is_verified
    rows = advice.ranking.rows
    assert len(rows) > MOST_ROUTES
    assert set(advice.routes) == {row.responder_id for row in rows[:MOST_ROUTES]}
    # Everybody is in it once.
    total = store.read("SELECT count(*) AS n FROM responders")["n"].iloc[0]
    assert len(rows) + len(advice.ranking.left_out) == total
    unit = store.read(
        "SELECT u.entrance_id FROM incidents JOIN units u USING (unit_id) WHERE incident_id = ?", [incident_id]
    )
    for row in rows[:MOST_ROUTES]:
        route = advice.routes[row.responder_id]
        assert row.travel_time_s is not None
        assert row.travel_time_s > route.stairs_s == 2 * 18 * 2
        assert route.entrance_id == unit["entrance_id"].iloc[0]
        assert shapely.LineString(route.coordinates).length == pytest.approx(route.length_m)
        said = advice.sentences[row.responder_id]
        assert said["zh"].startswith(f"{row.call_sign}，{row.call_sign}：{advice.place}，邻里纠纷")
        assert "江苏" not in said["zh"]
        assert "Neighbour dispute" in said["en"]
        assert all(gate.name in said["zh"] for gate in route.gates[-3:] if gate.name)
    plain = json.loads(json.dumps(advice.to_dict(), ensure_ascii=False))
    assert plain["ranking"]["rows"][0]["responder_id"] == rows[0].responder_id
    assert "测试" not in json.dumps(plain, ensure_ascii=False)  # nobody's name


def test_what_worked_here_last_time_is_told_the_same_kind_first(store: Store) -> None:
    sql = """SELECT incident_id, building_id FROM incidents WHERE category = 'noise.night' AND building_id IN (
        SELECT building_id FROM incidents WHERE category = 'noise.night' GROUP BY 1 HAVING count(*) > 3)
        ORDER BY reported_utc DESC LIMIT 1"""
    incident_id, building_id = store.read(sql).iloc[0]
    earlier = advise_dispatch(store, OFFICER, incident_id, at=MORNING).earlier
    assert len(earlier) == 5
    assert earlier[0]["category"] == "noise.night"
    assert earlier[0]["disposition"] in ("advised", "mediated")
    ids = [row["incident_id"] for row in earlier]
    there = store.read("SELECT incident_id FROM incidents WHERE building_id = ?", [building_id])["incident_id"]
    assert set(ids) <= set(there) - {incident_id}


def test_a_gate_that_is_shut_by_hand_counts_in_the_next_answer(store: Store) -> None:
    before = get_walk_network(store)
    assert get_walk_network(store) is before
    sql = "UPDATE gates SET closes_at = '00:00', opens_at = '00:00' WHERE gate_id = 'D001'"
    store.write(lambda tx: tx.execute("gates", sql))
    after = get_walk_network(store)
    assert after is not before
    assert not after.find_open(MORNING)[[gate.gate_id for gate in after.gates].index("D001")]
    store.write(
        lambda tx: tx.execute("gates", "UPDATE gates SET closes_at = NULL, opens_at = NULL WHERE gate_id = 'D001'")
    )


def test_somebody_further_down_can_be_chosen_by_hand(store: Store) -> None:
    incident_id = find_incident(store, "dispute.neighbour")
    left_out = advise_dispatch(store, OFFICER, incident_id, at=MORNING).ranking.left_out[0]
    chosen = advise_dispatch(store, OFFICER, incident_id, at=MORNING, chosen=[left_out.responder_id])
    assert chosen.routes[left_out.responder_id].length_m > 0
    assert left_out.call_sign in chosen.sentences[left_out.responder_id]["zh"]


def test_of_a_sensitive_kind_the_wall_learns_nothing_and_the_radio_no_kind(store: Store) -> None:
    incident_id = find_incident(store, "domestic_violence")
    with pytest.raises(NotAllowedError, match="sensitive kind"):
        advise_dispatch(store, WALL, incident_id, at=MORNING)
    advice = advise_dispatch(store, OFFICER, incident_id, at=MORNING)
    sentences = [said for one in advice.sentences.values() for said in one.values()]
    assert sentences
    assert not any("家庭暴力" in said or "Domestic" in said for said in sentences)
    assert advise_dispatch(store, WALL, find_incident(store, "dispute.neighbour"), at=MORNING).ranking.rows


def test_without_a_place_or_an_incident_there_is_a_way_out(store: Store) -> None:
    with pytest.raises(RecordMissingError, match="no incident 'nowhere'"):
        advise_dispatch(store, OFFICER, "nowhere", at=MORNING)
    incident_id = find_incident(store, "complaint.other")
    store.write(
        lambda tx: tx.execute("incidents", "UPDATE incidents SET geom = NULL WHERE incident_id = ?", [incident_id])
    )
    with pytest.raises(RefusedError, match="no place yet"):
        advise_dispatch(store, OFFICER, incident_id, at=MORNING)


def test_the_real_community_says_that_its_gates_are_unverified(tmp_path: Path, real_data: Path) -> None:
    sql = """INSERT INTO responders (responder_id, call_sign, kind, full_time, status, status_utc, position_utc, geom)
        SELECT 'r1', '警员01', 'officer', true, 'ready', TIMESTAMP '2026-11-16 01:00:00',
            TIMESTAMP '2026-11-16 01:59:00', ST_StartPoint(geom)
        FROM roads WHERE kind = 'service' ORDER BY ST_Length(geom) DESC LIMIT 1"""
    incident = """INSERT INTO incidents (incident_id, category, urgency, source, reported_utc, occurred_from_utc,
            occurred_to_utc, status, building_id, geom)
        SELECT 'i1', 'noise', 'normal', 'call', TIMESTAMP '2026-11-16 01:58:00', TIMESTAMP '2026-11-16 01:58:00',
            TIMESTAMP '2026-11-16 01:58:00', 'placed', building_id, ST_PointOnSurface(geom) FROM buildings
        ORDER BY ST_Area(geom) DESC LIMIT 1"""
    with Store(tmp_path / "real.duckdb") as real:
        import_sources(real, read_folder(real_data / "real_community"), ImportOptions())
        real.write(lambda tx: tx.execute("responders", sql))
        real.write(lambda tx: tx.execute("incidents", incident))
        advice = advise_dispatch(real, OFFICER, "i1", at=MORNING)
    assert not advice.is_verified
    (row,) = advice.ranking.rows
    assert row.travel_time_s is not None
    assert "门禁未核实" in advice.sentences["r1"]["zh"]
    assert "Gates are not verified." in advice.sentences["r1"]["en"]
