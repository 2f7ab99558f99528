"""Paper of check-ins and points: poster, codes of the days, card, balance. Chinese: it is for the community."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import segno

from data.queries import get_info
from data.store import Store, utc_now
from data.viewer import Viewer
from i18n import Language, t
from layers.paper import print_paper
from tasks.booking import to_day
from tasks.cards import Card
from tasks.checkin_points import find_day_code
from ui.command_hours import say_hours

LANG: Language = "zh"
_DAYS = 14
_HEAD = """
#let c = json(bytes(sys.inputs.content))
#set document(title: c.title, date: none)
#set text(font: json(bytes(sys.inputs.fonts)), size: 12pt, lang: "zh", region: "cn")
#let mark = if c.mark != "" { align(center, box(stroke: 1.5pt, inset: 4pt, text(weight: "bold", size: 11pt, c.mark))) }
#let qr(width) = image(bytes(c.qr), format: "svg", width: width)
"""
_POSTER = (
    _HEAD
    + """
#set page(paper: "a4", margin: 18mm)
#set par(leading: 0.8em)
#mark
#v(1fr)
#align(center, text(size: 34pt, weight: "bold", c.title))
#v(4mm)
#align(center, text(size: 44pt, weight: "bold", c.name))
#v(8mm)
#align(center, qr(78mm))
#align(center, text(size: 15pt, c.number))
#v(8mm)
#align(center, box(stroke: 1.2pt, inset: 14pt, radius: 6pt, width: 100%, {
  set text(size: 19pt)
  for line in c.lines { block(above: 5mm, below: 5mm, line) }
}))
#v(6mm)
#set text(size: 17pt)
#for (n, line) in c.steps.enumerate() { block(above: 4mm, below: 4mm, [#(n + 1). #line]) }
#v(1fr)
#align(center, text(size: 12pt, fill: luma(70), c.foot))
"""
)
_CODES = (
    _HEAD
    + """
#set page(paper: "a5", margin: 12mm)
#mark
#text(size: 18pt, weight: "bold", c.title)
#v(1mm)
#text(size: 15pt, c.name)
#v(2mm)
#table(columns: (1fr, 1fr), inset: 6pt, align: center, stroke: 0.6pt,
  ..c.rows.map(row => (text(size: 14pt, row.at(0)), text(size: 18pt, weight: "bold", row.at(1)))).flatten())
#v(2mm)
#text(size: 9.5pt, fill: luma(70), c.foot)
"""
)
_CARD = (
    _HEAD
    + """
#set page(width: 85.6mm, height: 54mm, margin: 4mm)
#align(horizon, grid(columns: (1fr, 34mm), column-gutter: 3mm, align: horizon,
  {
    text(size: 13pt, weight: "bold", c.title)
    block(above: 3mm, below: 2mm, text(size: 10pt, c.name))
    block(above: 1mm, below: 2mm, text(size: 15pt, weight: "bold", c.number))
    text(size: 7.5pt, fill: luma(60), c.foot)
    if c.mark != "" { block(above: 2mm, text(size: 7pt, weight: "bold", c.mark)) }
  },
  qr(34mm)))
#pagebreak()
#text(size: 8pt, weight: "bold", c.stamps)
#v(-1mm)
#grid(columns: (1fr,) * 4, rows: (11.8mm,) * 3, gutter: 1.2mm,
  ..range(12).map(n => box(stroke: 0.5pt + luma(110), radius: 1.5mm, width: 100%, height: 100%, inset: 1mm,
    align(bottom + left, text(size: 6pt, fill: luma(90), c.day)))))
"""
)
_BALANCE = (
    _HEAD
    + """
#set page(paper: "a5", margin: 12mm)
#mark
#align(center, text(size: 20pt, weight: "bold", c.title))
#v(2mm)
#text(size: 15pt, c.name)
#align(center, block(above: 5mm, below: 5mm, text(size: 46pt, weight: "bold", c.balance)))
#if c.gift != none { align(center, box(stroke: 2pt, inset: 10pt, {
  text(size: 15pt, c.gift.name)
  linebreak()
  text(size: 30pt, weight: "bold", c.gift.code)
  linebreak()
  text(size: 10pt, c.gift.until)
})) }
#v(2mm)
#set text(size: 10.5pt)
#table(columns: (auto, 1fr, auto, auto), inset: 4pt, stroke: 0.4pt + luma(120), ..c.rows.flatten())
#v(2mm)
#for line in c.lines { block(above: 2mm, below: 2mm, text(size: 12pt, line)) }
#v(1fr)
#text(size: 8.5pt, fill: luma(70), c.foot)
"""
)


def print_poster(store: Store, row: Mapping[str, Any]) -> bytes:
    """The poster of a point: where, when, how; not a word of why."""
    address = find_address(store)
    link = f"{address}/?p={row['point_id']}" if address else f"SHAPAN-POINT:{row['point_id']}"
    lines = [
        t("checkins.poster_hours", LANG, hours=say_hours(row, LANG)),
        t("checkins.poster_days", LANG, first=f"{row['opens_on']:%Y-%m-%d}", last=f"{row['closes_on']:%Y-%m-%d}"),
        t("checkins.poster_points", LANG, points=row["points"]),
    ]
    steps = [t(f"checkins.poster_step_{n}", LANG) for n in (("1", "2", "3") if address else ("1", "3"))]
    content = {
        "title": t("checkins.poster_title", LANG), "name": row["name"], "qr": build_qr(link), "lines": lines,
        "steps": steps, "number": row["point_id"], "foot": t("checkins.poster_foot", LANG, name=get_info(store).name),
        "mark": say_mark(store),
    }  # fmt: skip
    return print_paper(_POSTER, content)


def print_codes(store: Store, viewer: Viewer, row: Mapping[str, Any]) -> bytes:
    """The codes of the next two weeks, for the guard at the point."""
    today = to_day(utc_now())
    days = [today + timedelta(days=n) for n in range(_DAYS)]
    rows = [
        [
            f"{day:%Y-%m-%d} {t(f'command.weekday_{day.weekday()}', LANG)}",
            find_day_code(store, viewer, row["point_id"], day),
        ]
        for day in days
    ]
    content = {
        "title": t("checkins.codes_title", LANG), "name": row["name"], "rows": rows, "qr": "",
        "foot": t("checkins.codes_foot", LANG), "mark": say_mark(store),
    }  # fmt: skip
    return print_paper(_CODES, content)


def print_card(store: Store, card: Card, team: str | None) -> bytes:
    """A volunteer's card: number and code, no name; on its back room for stamps."""
    address = find_address(store)
    content = {
        "title": t("points.card_title", LANG), "name": team or t("points.card_all", LANG),
        "number": f"{card.number[:3]} {card.number[3:]}", "foot": t("points.card_foot", LANG),
        "qr": build_qr(f"{address}/#c={card.code}" if address else card.code), "mark": say_mark(store),
        "stamps": t("points.card_stamps", LANG), "day": t("points.card_day", LANG),
    }  # fmt: skip
    return print_paper(_CARD, content)


def print_balance(
    store: Store, *, number: str, balance: int, rows: Sequence[Sequence[str]], lines: Sequence[str],
    gift: Mapping[str, str] | None, made: str,
) -> bytes:  # fmt: skip
    """What somebody holds and why, with the code of a reserved gift: their number, no name."""
    content = {
        "title": t("points.paper_title", LANG), "name": t("points.paper_number", LANG, number=number), "qr": "",
        "balance": t("points.paper_balance", LANG, points=balance), "rows": [list(row) for row in rows],
        "lines": list(lines), "gift": None if gift is None else dict(gift), "mark": say_mark(store),
        "foot": t("points.paper_foot", LANG, time=made),
    }  # fmt: skip
    return print_paper(_BALANCE, content)


def find_address(store: Store) -> str | None:
    """Where phones find the check-in server, None where there is none."""
    sql = "SELECT min(address) AS address FROM checkin_servers WHERE ended_utc IS NULL"
    address = store.read_first(sql)["address"]
    return str(address) if isinstance(address, str) else None


def build_qr(text: str) -> str:
    """A QR code as SVG, readable when a quarter of it is worn off."""
    made: str = segno.make(text, error="q", micro=False).svg_inline(border=2, light="#fff", omitsize=True)
    return made


def say_mark(store: Store) -> str:
    """What has to stand above: a drill, or invented data; empty for neither."""
    info = get_info(store)
    return t("table.drill", LANG) if info.drill else t("table.synthetic", LANG) if info.synthetic else ""
