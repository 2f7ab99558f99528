"""The shift book: two accounts sign the same page, nothing of it changes afterwards, and it holds nobody's name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from data.queries import find_defects, find_handovers
from data.store import Store
from data.viewer import Role, Viewer
from gis.errors import BadRecordError, NotAllowedError, RecordMissingError, RefusedError
from incidents.dispatches import send
from incidents.shift_book import DefectKind, hand_over_shift, mend_defect, report_defect, take_over_shift
from tests.fixtures.access import Clock
from tests.fixtures.dispatch import OFFICER, WORKER, dispatch_clock, dispatch_store, take_in
from ui.report_files import build_pdf
from ui.shift_content import build_content, build_handover_report

__all__ = ["dispatch_clock", "dispatch_store"]

NEXT = Viewer(Role.COMMANDER, account_id="c1", name="commander02")


def crowded(content: dict[str, Any]) -> dict[str, Any]:
    """A busy night: everybody is on, twelve incidents are open."""
    return {**content, "roster": content["roster"] * 20, "incidents": content["incidents"] * 12}


def test_one_shift_hands_over_to_the_next(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    store.write(lambda tx: tx.execute("responders", "UPDATE responders SET status = 'ready', status_utc = ?",
                                      [clock.now.replace(tzinfo=None)]))  # fmt: skip
    incident_id = take_in(store, clock)
    send(store, OFFICER, incident_id, "r2", clock=clock)
    report_defect(store, OFFICER, DefectKind.LIGHT, "12幢东头", "王建国 13812341234 说路灯不亮", clock=clock)
    content = build_content(store, OFFICER, now=clock())
    assert [one["call_sign"] for one in content["roster"]] == ["网格01", "卫士02", "警03"]
    (incident,) = content["incidents"]
    assert (incident["incident_id"], incident["status"], incident["on_it"]) == (incident_id, "dispatched", ["卫士02"])
    handover_id = hand_over_shift(store, OFFICER, content, "东门钥匙在前台，问李小红", clock=clock)
    with pytest.raises(RefusedError, match="waits for whoever takes over"):
        hand_over_shift(store, NEXT, content, "", clock=clock)
    with pytest.raises(RefusedError, match="of one account"):
        take_over_shift(store, OFFICER, handover_id, clock=clock)
    clock.move(minutes=5)
    take_over_shift(store, NEXT, handover_id, clock=clock)
    with pytest.raises(RefusedError, match="taken over by commander02 already"):
        take_over_shift(store, Viewer(Role.OFFICER, account_id="o9", name="x"), handover_id, clock=clock)

    (row,) = find_handovers(store, OFFICER).to_dict("records")
    assert (row["given_by"], row["taken_by"]) == ("officer07", "commander02")
    assert json.loads(row["content"]) == content
    kept = json.dumps(store.read("SELECT detail FROM events")["detail"].tolist()) + row["content"] + row["remarks"]
    for person in ("王建国", "李小红", "13812341234"):
        assert person not in kept
    events = store.read("SELECT kind FROM events WHERE subject_table IN ('handovers', 'defects') ORDER BY event_id")
    assert events["kind"].tolist() == ["defect.reported", "handover.given", "handover.taken"]
    made = build_pdf(build_handover_report(store, row, crowded(content), mark="演练"), is_dense=True)
    assert re.findall(rb"/Type/Pages/Count (\d+)", made) == [b"1"], "one page that both sign"


def test_what_was_changed_after_the_first_signature_is_not_signed(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    handover_id = hand_over_shift(store, OFFICER, build_content(store, OFFICER, now=clock()), "", clock=clock)
    store.write(lambda tx: tx.execute("handovers", "UPDATE handovers SET remarks = 'nothing happened'"))
    with pytest.raises(RefusedError, match="not as it was signed"):
        take_over_shift(store, NEXT, handover_id, clock=clock)
    with pytest.raises(RecordMissingError):
        take_over_shift(store, NEXT, "h-nothing", clock=clock)


def test_what_is_broken_is_mended_once(dispatch_store: Store, dispatch_clock: Clock) -> None:
    store, clock = dispatch_store, dispatch_clock
    defect_id = report_defect(store, OFFICER, DefectKind.GATE, "西区北门", "门锁坏了", clock=clock)
    assert find_defects(store, OFFICER)["place"].tolist() == ["西区北门"]
    mend_defect(store, OFFICER, defect_id, "换了锁", clock=clock)
    assert find_defects(store, OFFICER).empty
    assert find_defects(store, OFFICER, with_mended=True)["mended_note"].tolist() == ["换了锁"]
    with pytest.raises(RefusedError, match="mended already"):
        mend_defect(store, OFFICER, defect_id, "again", clock=clock)
    with pytest.raises(BadRecordError, match="at least 2"):
        report_defect(store, OFFICER, DefectKind.GATE, "x", "门锁坏了", clock=clock)
    with pytest.raises(NotAllowedError):
        report_defect(store, WORKER, DefectKind.GATE, "西区北门", "门锁坏了", clock=clock)
