"""The slip of a dispatch: one page A6, black on white, for who has neither radio nor telephone. No person."""

from __future__ import annotations

from collections.abc import Sequence

from layers.paper import print_paper

_TEMPLATE = """
#let slip = json(bytes(sys.inputs.content))
#set document(title: slip.title)
#set page(width: 105mm, height: 148mm, margin: 7mm)
#set text(font: json(bytes(sys.inputs.fonts)), size: 10.5pt, lang: "zh", region: "cn")
#set par(leading: 0.6em)
#if slip.mark != "" { align(center, box(stroke: 1.5pt, inset: 4pt, text(weight: "bold", size: 12pt, slip.mark))) }
#align(center, text(size: 15pt, weight: "bold", slip.title))
#line(length: 100%, stroke: 0.8pt)
#text(size: 15pt, weight: "bold", slip.place)
#v(2mm)
#grid(
  columns: (22mm, 1fr), row-gutter: 2.6mm,
  ..slip.facts.map(fact => (text(fill: luma(70), fact.at(0)), fact.at(1))).flatten()
)
#v(1mm)
#line(length: 100%, stroke: 0.5pt)
#slip.say
#v(1fr)
#grid(columns: (1fr, 1fr, 1fr), ..slip.signs.map(sign => [#sign #h(1mm) \\_\\_\\_\\_\\_\\_]))
#v(1mm)
#text(size: 7.5pt, fill: luma(70), slip.foot)
"""


def build_slip(
    *, title: str, place: str, facts: Sequence[tuple[str, str]], say: str, signs: Sequence[str], foot: str, mark: str
) -> bytes:
    """
    The slip as PDF.

    Parameters
    ----------
    title, place
        What is printed large.
    facts
        Name and value of each line.
    say
        The sentence that would be read out.
    signs
        What is written in by hand: times of receiving, arriving, coming back.
    foot
        Who printed it and when.
    mark
        In a frame above all: invented data, or a drill; empty for none.

    Raises
    ------
    RefusedError
        This machine has no Chinese font that we know.
    """
    content = {
        "title": title, "place": place, "facts": [list(fact) for fact in facts], "say": say, "signs": list(signs),
        "foot": foot, "mark": mark,
    }  # fmt: skip
    return print_paper(_TEMPLATE, content)
