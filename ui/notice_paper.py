"""Notices to leave at the door (留言条): A6 pages, black on white, address and times filled in. No person's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from i18n import Language, t
from layers.paper import print_paper

_TEMPLATE = """
#let notices = json(bytes(sys.inputs.content))
#set page(width: 105mm, height: 148mm, margin: 8mm)
#set text(font: json(bytes(sys.inputs.fonts)), size: 11pt, lang: "zh", region: "cn")
#set par(leading: 0.75em)
#let blank = box(height: 6.5mm, width: 100%, align(bottom, line(length: 100%, stroke: 0.6pt)))
#for (number, notice) in notices.enumerate() {
  if number > 0 { pagebreak() }
  if notice.mark != "" { align(center, box(stroke: 1.2pt, inset: 3pt, text(weight: "bold", notice.mark))) }
  align(center, text(size: 19pt, weight: "bold", notice.title))
  line(length: 100%, stroke: 0.8pt)
  text(size: 12.5pt, weight: "bold", notice.place)
  parbreak()
  notice.lead
  v(1mm)
  grid(
    columns: (31mm, 1fr), row-gutter: 3mm, align: bottom,
    ..notice.facts.map(fact => (
      text(fill: luma(60), fact.at(0)),
      if fact.at(1) == "" { blank } else { strong(fact.at(1)) },
    )).flatten()
  )
  v(1mm)
  notice.ask
  v(1fr)
  grid(
    columns: (auto, 1fr), column-gutter: 3mm, row-gutter: 3mm, align: bottom,
    ..notice.signs.map(sign => (sign, blank)).flatten()
  )
  v(1mm)
  text(size: 7.5pt, fill: luma(70), notice.foot)
}
"""
_PREPARE = ("inspection", "verification", "rectification", "dispute")


@dataclass(frozen=True)
class Notice:
    """What one notice says: address, kind of the task, when somebody was there and comes again, as words or empty."""

    place: str
    kind: str
    was_at: str
    again: str


def print_notices(notices: Sequence[Notice], *, office: str, printed: str, mark: str, lang: Language) -> bytes:
    """
    The notices as one PDF, a page each; what is empty is a line to write on.

    Parameters
    ----------
    office
        Whose notice it is: the community.
    printed
        When it was printed, for the foot.
    mark
        In a frame above all: invented data, or a drill; empty for none.

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know.
    """
    content = [
        {
            "mark": mark, "title": t("round.notice_title", lang), "place": one.place,
            "lead": t("round.notice_lead", lang),
            # A neighbour may read it: never why the home is visited more than its kind says.
            "facts": [
                [t("round.notice_was", lang), one.was_at],
                [t("round.notice_about", lang), t(f"round.about_{_to_kind(one.kind)}", lang)],
                [t("round.notice_again", lang), one.again],
            ],
            "ask": t(f"round.prepare_{_to_kind(one.kind)}", lang),
            "signs": [t("round.notice_worker", lang), t("round.notice_phone", lang)],
            "foot": t("round.notice_foot", lang, office=office, at=printed),
        }
        for one in notices
    ]  # fmt: skip
    return print_paper(_TEMPLATE, content)


def _to_kind(kind: str) -> str:
    return kind if kind in _PREPARE else "other"
