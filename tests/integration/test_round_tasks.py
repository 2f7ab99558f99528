"""Rounds from the store: whose visits, where somebody was last, nobody at home, the notice, and the wall's counts."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pypdf
import pytest

from data.queries import find_last_place, find_round_tasks
from data.viewer import WALL
from gis.errors import NotAllowedError, RefusedError
from layers import SCENES
from layers.palette import DUE
from tasks.life_cycle import Action, Kind, Receiver, State
from tests.fixtures.access import access_store, clock
from tests.fixtures.tasks import Office, office
from ui.notice_paper import Notice, print_notices

__all__ = ["access_store", "clock", "office"]


def find(office: Office, who: str = "worker", **whose: str | None) -> list[str]:
    until = office.clock() + timedelta(days=3)
    return list(find_round_tasks(office.store, getattr(office, who), until=until, **whose)["task_id"])  # type: ignore[arg-type]


def test_whose_visits_a_round_has(office: Office) -> None:
    mine, other = (
        office.make(),
        office.make(subject_id="u2", receiver=Receiver("account", office.other.account_id or "")),
    )
    office.make(due_utc=office.clock() + timedelta(days=9))  # not yet
    submitted = office.make()
    office.do(office.worker, submitted, Action.SUBMIT, evidence=office.saw("e0"))
    assert find(office, account_id=office.worker.account_id) == [mine]
    assert find(office, "officer", account_id=office.worker.account_id) == [mine]  # by the grids of that account
    assert find(office, "officer", account_id=office.other.account_id) == [other]
    assert mine in find(office, "officer", grid_id="g1")
    assert find(office, "neighbour", account_id=office.worker.account_id) == []  # another's grid stays unseen
    with pytest.raises(NotAllowedError):
        find_round_tasks(office.store, WALL, until=office.clock())


def test_nobody_home_keeps_what_was_seen_and_when_to_come_again(office: Office) -> None:
    task, since = office.make(), office.clock() - timedelta(hours=1)
    again = office.clock() + timedelta(hours=5)
    assert find_last_place(office.store, office.worker, since=since).empty
    with pytest.raises(RefusedError, match="needs evidence"):
        office.do(office.worker, task, Action.NOBODY_HOME, again_utc=again)
    with pytest.raises(NotAllowedError, match="not in one of your grids"):
        office.do(office.neighbour, task, Action.NOBODY_HOME, again_utc=again, evidence=office.saw("e0"))
    office.do(office.worker, task, Action.ARRIVE)
    for _ in range(2):  # sent twice, it is one
        seen = office.saw("e1", "无人应答")
        done = office.do(office.worker, task, Action.NOBODY_HOME, action_id="a1", again_utc=again, evidence=seen)
    assert (done.is_repeat, done.task.state, done.task.absent_count) == (True, State.ACCEPTED, 1)
    assert (done.task.again_utc, done.task.accepted_by) == (again, office.worker.account_id)
    office.check_rebuilt(task)
    last = find_last_place(office.store, office.worker, since=since)
    assert (list(last["task_id"]), list(last["building_id"])) == ([task], ["b1"])
    (row,) = find_round_tasks(office.store, office.worker, until=office.clock() + timedelta(days=3)).to_dict("records")
    assert (row["absent_count"], row["again_utc"].to_pydatetime()) == (1, again)
    # A second time is counted; a time that is over is none; what comes after the end is kept.
    past = office.clock() - timedelta(hours=1)
    refused = office.do(office.worker, task, Action.NOBODY_HOME, again_utc=past, evidence=office.saw("e2")).refused
    assert "a later time at which you come again" in (refused or "")
    office.do(office.worker, task, Action.NOBODY_HOME, again_utc=again, evidence=office.saw("e4"))
    office.do(office.officer, task, Action.CANCEL, reason="搬走了，不用再去")
    late = office.do(office.worker, task, Action.NOBODY_HOME, again_utc=again, evidence=office.saw("e3"))
    assert late.refused is not None
    assert (late.task.absent_count, late.task.evidence) == (2, ("e1", "e2", "e4", "e3"))
    office.check_rebuilt(task)


def test_the_wall_counts_due_visits_by_building(office: Office) -> None:
    boundary = "UPDATE community SET boundary = ST_MakeEnvelope(499000, 3689000, 501000, 3691000)"
    office.store.write(lambda tx: tx.execute("community", boundary))
    away = "UPDATE buildings SET geom = ST_MakeEnvelope(500000, 3690000, 500010, 3690020)"
    office.store.write(lambda tx: tx.execute("buildings", away))

    def draw(lang: str) -> list[tuple[str, str, tuple[int, ...]]]:
        records = json.loads(SCENES["due_visits"].build(office.store, WALL, lang, {}))  # type: ignore[arg-type]
        return [(one["id"], one.get("t", ""), tuple(one["c"])) for one in records]

    assert draw("zh") == []
    day = timedelta(days=1)
    for late in (-day, timedelta(0), 2 * day):
        office.make(due_utc=office.clock() + late)
    office.make(kind=Kind.PATROL)  # no visit
    shown = draw("zh")
    assert [one[0] for one in shown] == ["b1"]
    assert shown[0][1].startswith("逾期 ")
    assert shown[0][2] == DUE["overdue"]
    assert draw("en")[0][1].startswith(shown[0][1].split()[1] + " overdue")


def test_a_notice_says_when_and_what_for_and_names_nobody() -> None:
    notices = [
        Notice("西区1幢1单元601室", "verification", "11-23 10:05", "11-23 19:00"),
        Notice("2幢", "patrol", "", ""),
    ]
    content = print_notices(notices, office="万户新村", printed="11-23 08:00", mark="演示数据", lang="zh")
    first, second = ("".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    for words in ("演示数据", "留言条", "西区1幢1单元601室", "11-2310:05", "11-2319:00", "信息核对", "万户新村"):
        assert words in first
    assert "社区走访" in second
    assert "11-2319:00" not in second
