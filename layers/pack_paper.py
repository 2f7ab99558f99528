"""Packs on paper: A4, black and white, with room for handwriting, a QR code that opens the visit, and a watermark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import segno

from i18n import Language, t
from layers.pack import Pack, say_time
from layers.paper import print_paper

_TEMPLATE: Final = """
#let c = json(bytes(sys.inputs.content))
#set document(title: c.title, date: none)
#set text(font: json(bytes(sys.inputs.fonts)), size: 9.5pt, lang: c.lang, region: c.region)
#set par(leading: 0.55em, spacing: 0.7em)
#let veil = box(width: 210mm, height: 297mm, {
  for (x, y) in ((4mm, 50mm), (85mm, 120mm), (4mm, 190mm), (85mm, 255mm)) {
    place(top + left, dx: x, dy: y, rotate(-24deg, text(size: 15pt, fill: luma(0, 13%), c.mark)))
  }
})
#set page(
  paper: "a4", margin: (x: 13mm, top: 11mm, bottom: 14mm), foreground: veil,
  footer: text(size: 7.5pt, [#c.foot #h(1fr) #context counter(page).display("1 / 1", both: true)]),
)
#let head(title) = block(above: 2.4mm, below: 1.2mm, text(size: 10.5pt, weight: "bold", title))
#let tick = box(width: 3.4mm, height: 3.4mm, stroke: 0.8pt, baseline: 0.4mm)
#let line-to-write = block(above: 7mm, below: 0mm, line(length: 100%, stroke: 0.4pt + luma(110)))
#let part(p) = { head(p.title); for one in p.lines { block(above: 0.9mm, below: 0.9mm, one) } }
#let svg(text, width) = image(bytes(text), format: "svg", width: width)
#for (number, p) in c.packs.enumerate() {
  if number > 0 { pagebreak() }
  grid(
    columns: (1fr, 27mm), column-gutter: 4mm,
    {
      text(size: 9pt, [#c.title · #(number + 1) / #c.packs.len()])
      if c.synthetic != "" { text(size: 9pt, weight: "bold", [ · #c.synthetic]) }
      block(above: 1.6mm, below: 1.6mm, text(size: 17pt, weight: "bold", p.place))
      for one in p.what.lines { block(above: 0.8mm, below: 0.8mm, one) }
      text(size: 8pt, c.valid)
    },
    align(center, { svg(p.qr, 26mm); v(-1mm); text(size: 7pt, c.scan) }),
  )
  line(length: 100%, stroke: 0.8pt)
  if p.outside != none or p.plan != none {
    grid(
      columns: (80mm, 1fr), column-gutter: 5mm,
      if p.outside != none { text(size: 8pt, c.outside); svg(p.outside, 100%) },
      if p.plan != none { text(size: 8pt, p.plan-title); svg(p.plan, 100%) },
    )
  }
  grid(columns: (1fr, 1fr), column-gutter: 5mm, p.left.map(part).join(), p.right.map(part).join())
  if p.items.len() > 0 {
    head(c.checklist)
    table(
      columns: (1fr, 15mm, 15mm, 15mm, 46mm), stroke: 0.5pt, inset: (x: 1.6mm, y: 1.5mm),
      align: (left, center, center, center, left),
      table.header(..c.answers),
      ..p.items.map(one => (one, tick, tick, tick, [])).flatten(),
    )
  }
  head(c.differences)
  grid(columns: c.changes.len() * (1fr,), ..c.changes.map(one => [#tick #one]))
  head(c.notes)
  block(width: 100%, breakable: false, for _ in range(c.lines) { line-to-write })
  block(width: 100%, height: 1fr, clip: true, for _ in range(30) { line-to-write })
  grid(
    columns: (1fr, 1fr, 1fr), column-gutter: 4mm,
    ..c.signs.map(one => [#one #box(width: 1fr, line(length: 100%, stroke: 0.5pt))]),
  )
}
"""
_LEFT: Final = ("way", "units", "who")
_RIGHT: Final = ("look", "history", "incidents")
_LINES: Final = 2
"""To write on, at least; whatever is left of the page is ruled too"""
_CHANGES: Final = ("moved_in", "moved_out", "use_changed", "walls_added", "nobody_home")
BuildUrl = Callable[[str], str]
"""Address of the visit of a task."""


@dataclass(frozen=True)
class Carrier:
    """Who takes the paper out, when it was made, and until when it is valid at the latest (aware times)."""

    name: str
    made_utc: datetime
    ends_utc: datetime
    is_synthetic: bool = False


def print_packs(packs: Sequence[Pack], carrier: Carrier, lang: Language, *, build_url: BuildUrl) -> bytes:
    """
    All packs as one PDF, each from a page of its own.

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know.
    """
    made = say_time(carrier.made_utc)
    content = {
        "lang": lang,
        "lines": _LINES,
        "region": "cn" if lang == "zh" else "us",
        "title": t("pack.title", lang),
        "mark": t("pack.mark", lang, who=carrier.name, at=made),
        "foot": t("pack.foot", lang, who=carrier.name, at=made),
        "valid": t("pack.valid", lang, at=say_time(carrier.ends_utc)),
        "synthetic": t("table.synthetic", lang) if carrier.is_synthetic else "",
        "answers": [t(f"pack.answer_{name}", lang) for name in ("item", "ok", "not_ok", "not_applicable", "words")],
        "changes": [t(f"pack.change_{name}", lang) for name in _CHANGES],
        "signs": [t(f"pack.sign_{name}", lang) for name in ("inspector", "inspected", "time")],
        **{name: t(f"pack.{name}", lang) for name in ("scan", "outside", "checklist", "differences", "notes")},
        "packs": [_describe(pack, lang, build_url(pack.task_id)) for pack in packs],
    }
    return print_paper(_TEMPLATE, content)


def _describe(pack: Pack, lang: Language, url: str) -> dict[str, Any]:
    parts = {one.code: {"title": one.title, "lines": list(one.lines)} for one in pack.parts[lang]}
    return {
        "place": pack.place,
        "what": parts["what"],
        "qr": segno.make(url, error="m", micro=False).svg_inline(border=1, light="#fff", omitsize=True),
        "outside": pack.outside,
        "plan": pack.plan,
        "plan-title": t("pack.plan_schematic" if pack.is_schematic else "pack.plan", lang),
        "left": [parts[code] for code in _LEFT if code in parts],
        "right": [parts[code] for code in _RIGHT if code in parts],
        "items": [words for _, words in pack.items[lang]],
    }
