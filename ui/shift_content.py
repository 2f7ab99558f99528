"""What a shift hands over: the roster with its roll call, open incidents, zones, tasks, what is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from data.queries import find_defects, find_forces, find_tasks, find_zone_records, get_info
from data.store import Store
from data.viewer import Viewer
from i18n import Language, t, term
from incidents.duty import find_duty
from ui.dispatch_data import find_open
from ui.dispatch_words import say_kind
from ui.reports import Part, Report, Table
from ui.tables import format_time

LANG: Language = "zh"
PARTS = ("roster", "incidents", "zones", "defects")


def build_content(store: Store, viewer: Viewer, *, now: datetime) -> dict[str, Any]:
    """What is open at `now`, as JSON knows it: ids, codes, call signs and places."""
    forces = pd.DataFrame(find_forces(store, viewer)).drop(columns="geom").astype(object)
    roster = []
    for row in forces.where(forces.notna(), None).to_dict("records"):
        said = None if row["status_utc"] is None else row["status_utc"].to_pydatetime()
        duty = find_duty(row["status"], said, row["duty_from"], row["duty_to"], now)
        if duty.is_on or duty.is_said:
            called = said.isoformat() if duty.is_said and said is not None else None
            roster.append(
                {"call_sign": row["call_sign"], "kind": row["kind"], "channel": row["channel"],
                 "status": duty.status.value, "called_utc": called}
            )  # fmt: skip
    incidents = [
        {"incident_id": one.id, "number": one.row["number"], "kind_zh": say_kind(one.row, "zh"), "place": one.place,
         "kind_en": say_kind(one.row, "en"), "status": one.row["status"], "urgency": one.row["urgency"],
         "reported_utc": one.row["reported_utc"].isoformat(), "on_it": [str(it["call_sign"]) for it in one.active]}
        for one in find_open(store, viewer)
    ]  # fmt: skip
    zones = find_zone_records(store, viewer, with_closed=False)
    defects = find_defects(store, viewer)
    return {
        "at_utc": now.isoformat(),
        "roster": roster,
        "incidents": incidents,
        "zones": [{"name": str(row["name"]), "review_on": f"{row['review_on']:%Y-%m-%d}"}
                  for row in pd.DataFrame(zones).to_dict("records")],
        "open_tasks": len(find_tasks(store, viewer, now=now)),
        "defects": [{"kind": row["kind"], "place": row["place"], "note": row["note"],
                     "reported_utc": row["reported_utc"].isoformat()} for row in defects.to_dict("records")],
    }  # fmt: skip


def build_tables(content: Mapping[str, Any], lang: Language) -> dict[str, Table]:
    """The content as tables by their part."""
    rows: dict[str, list[list[str]]] = {
        "roster": [
            [one["call_sign"], term("responder", one["kind"], lang), one["channel"] or "",
             t(f"dispatch.ready_{one['status']}", lang), _say_time(one["called_utc"]) or t("shift.not_called", lang)]
            for one in content["roster"]
        ],
        "incidents": [
            [_say_time(one["reported_utc"]), t(f"dispatch.urgency_{one['urgency']}", lang), one[f"kind_{lang}"],
             one["place"] or t("dispatch.no_place_short", lang), t(f"dispatch.status_{one['status']}", lang),
             " ".join(one["on_it"])]
            for one in content["incidents"]
        ],
        "zones": [[one["name"], one["review_on"]] for one in content["zones"]],
        "defects": [
            [t(f"shift.kind_{one['kind']}", lang), one["place"], one["note"], _say_time(one["reported_utc"])]
            for one in content["defects"]
        ],
    }  # fmt: skip
    heads = {
        "roster": ("call_sign", "kind", "channel", "status", "called"),
        "incidents": ("reported", "urgency", "incident", "place", "status", "on_it"),
        "zones": ("zone", "review"),
        "defects": ("defect", "place", "note", "reported"),
    }
    return {
        part: Table(t(f"shift.{part}", lang), [t(f"shift.head_{name}", lang) for name in heads[part]], rows[part])
        for part in PARTS
    }


def build_handover_report(store: Store, row: Mapping[str, Any], content: Mapping[str, Any], *, mark: str) -> Report:
    """The page that both sign, in Chinese: it is the office's paper."""
    tables = build_tables(content, LANG)
    taken, when = row["taken_by"], format_time(row["taken_utc"])
    facts = [
        t("shift.fact_given", LANG, who=row["given_by"], time=format_time(row["given_utc"])),
        t("shift.fact_taken", LANG, who=taken, time=when) if isinstance(taken, str) else t("shift.fact_untaken", LANG),
        t("shift.fact_sha", LANG, sha=str(row["content_sha256"])[:16]),
        *([mark] if mark else []),
    ]
    lines: dict[str, Sequence[str]] = {part: [] if tables[part].rows else [t("shift.nothing", LANG)] for part in PARTS}
    lines["roster"] = _list_roster(content["roster"]) or lines["roster"]
    # One page: call signs by kind, not a line for each.
    parts = [Part(tables[part].title, lines[part], None if part == "roster" else tables[part]) for part in PARTS]
    parts.append(Part(t("shift.tasks", LANG), [t("shift.open_tasks", LANG, n=content["open_tasks"])]))
    parts.append(Part(t("shift.remarks", LANG), [str(row["remarks"]) or t("shift.nothing", LANG)]))
    return Report(t("shift.report_title", LANG, name=get_info(store).name), facts, parts)


def _list_roster(roster: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each kind: call signs, those that answered the roll call with what they said."""
    said: dict[str, list[str]] = {}
    for one in roster:
        status = t(f"dispatch.ready_{one['status']}", LANG) if one["called_utc"] else t("shift.not_called", LANG)
        said.setdefault(str(one["kind"]), []).append(t("shift.roster_one", LANG, who=one["call_sign"], status=status))
    comma = t("ranking.then", LANG)
    return [
        t("shift.roster_line", LANG, kind=term("responder", kind, LANG), n=len(names), names=comma.join(names))
        for kind, names in said.items()
    ]


def _say_time(text: str | None) -> str:
    return "" if text is None else format_time(datetime.fromisoformat(text))
